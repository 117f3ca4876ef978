"""Embeddings: words as vectors, from nothing but the company they keep.

Words with the same contexts have similar meanings, and contexts can be counted.  Count, compare with chance, factorise
(Levy and Goldberg 2014, "Neural Word Embedding as Implicit Matrix Factorization", NIPS 27):

    PMI(w, c)  = log₂ p(w, c) / (p(w)·p(c))        how much more often than by chance c stands near w
    PPMI       = max(PMI, 0)
    U·Σ·Vᵀ     = PPMI;   v_w = row w of U_d·√Σ_d   the d strongest directions

The optimum of word2vec's skip-gram with k negative samples is v_w·v_c = PMI(w, c) - log k: predicting factorises the
same counts.

A relation is a ratio of probabilities, and the logarithm makes a difference of it, so that analogies are offsets:

    mare - stallion + bull  ≈  cow          nearest by cosine, the three words of the question excluded

The corpus is made up: families of animals in three forms (male, female, young).  Every family has its own surroundings
(stable, saddle, ...), every form has its own ("he", "she", "little", ...), filler words stand between them, and every
animal likes some of its words better than others.  No sentence ever says which words belong together.

Claim: at least 80 % of the planted analogies are solved, and after the words of the corpus are shuffled no more than
10 %: it is the company, not the frequency, that carries the meaning.  `--break` shuffles the corpus for both.

    python -m learn_llm.demos.embeddings [--dimensions 12] [--break]
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

Array = NDArray[np.float64]
FORMS = ("male", "female", "young")
FAMILIES = {
    "stallion mare foal": "stable saddle gallop rider",
    "bull cow calf": "meadow horns milking barn",
    "ram ewe lamb": "wool hill shepherd flock",
    "rooster hen chick": "egg nest coop feather",
    "lion lioness cub": "savanna mane roar hunt",
    "stag doe fawn": "forest antlers clearing moss",
    "drake duck duckling": "pond reeds swim waddle",
    "boar sow piglet": "mud trough acorn snout",
}
FORM_WORDS = ("he his proud fights", "she her mother nurses", "little playful learns grows")
FILLERS = tuple("the a near with and in at by often then was is".split())
WINDOW = 4
"""Words to each side that count as context."""
ROUNDS = 10
TASTE = 5.0
"""Dirichlet concentration of which words of its family and form an animal prefers; without it analogies are exact."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    sentences: int = 6000
    """Sentences of the corpus."""
    dimensions: int = 30
    """d: numbers in a vector."""
    noise: float = 0.2
    """Share of the words around an animal that belong to another one."""

    def __post_init__(self) -> None:
        catalogue.check("embeddings", self)


def corpus(sentences: int, noise: float, rng: np.random.Generator) -> tuple[list[str], NDArray[np.int64]]:
    """Vocabulary and sentences, (sentences, 7) word numbers: an animal among words of its family and of its form."""
    families = [(names.split(), around.split()) for names, around in FAMILIES.items()]
    forms = [words.split() for words in FORM_WORDS]
    vocabulary = [word for names, around in families for word in names + around]
    vocabulary += [word for words in forms for word in words] + list(FILLERS)
    number = {word: i for i, word in enumerate(vocabulary)}
    animals = np.array([[number[name] for name in names] for names, _ in families])
    near = np.array([[number[word] for word in around] for _, around in families])
    form_words = np.array([[number[word] for word in words] for words in forms])
    fillers = np.array([number[word] for word in FILLERS])

    shape = (len(families), len(forms))
    taste = rng.dirichlet([TASTE] * near.shape[1], size=shape).cumsum(-1)  # which of its family's words it prefers
    form_taste = rng.dirichlet([TASTE] * form_words.shape[1], size=shape).cumsum(-1)
    family, form = rng.integers(len(families), size=sentences), rng.integers(len(forms), size=sentences)
    columns = [animals[family, form]]
    for _ in range(2):
        shown = np.where(rng.random(sentences) < noise, rng.integers(len(families), size=sentences), family)
        columns.append(near[shown, (rng.random((sentences, 1)) > taste[family, form][:, :-1]).sum(1)])
        shown = np.where(rng.random(sentences) < noise, rng.integers(len(forms), size=sentences), form)
        columns.append(form_words[shown, (rng.random((sentences, 1)) > form_taste[family, form][:, :-1]).sum(1)])
        columns.append(fillers[rng.integers(len(fillers), size=sentences)])
    return vocabulary, rng.permuted(np.stack(columns, axis=1), axis=1)


def count_pairs(sentences: NDArray[np.int64], words: int, window: int = WINDOW) -> Array:
    """How often word c stands at most `window` places from word w in the same sentence, (V, V).

    >>> count_pairs(np.array([[0, 1, 0]]), words=2, window=1)
    array([[0., 2.],
           [2., 0.]])
    """
    counts = np.zeros((words, words))
    for distance in range(1, min(window, sentences.shape[1] - 1) + 1):
        left, right = sentences[:, :-distance].ravel(), sentences[:, distance:].ravel()
        np.add.at(counts, (left, right), 1)
        np.add.at(counts, (right, left), 1)
    return counts


def ppmi(counts: Array) -> Array:
    """Positive pointwise mutual information in bits, (V, V); a pair never seen together gets 0.

    Of 100 pairs both words are in 20, and they meet in 10: 0.1 / (0.2·0.2) = 2.5 times as often as by chance.

    >>> np.round(ppmi(np.array([[10.0, 10.0], [10.0, 70.0]])), 2)
    array([[1.32, 0.  ],
           [0.  , 0.13]])
    """
    total = counts.sum()
    chance = np.outer(counts.sum(1), counts.sum(0)) / total
    ratio = np.divide(counts, chance, out=np.zeros_like(counts), where=chance > 0)
    return np.asarray(np.log2(np.maximum(ratio, 1.0)))


def embed(matrix: Array, d: int) -> Array:
    """Vectors (V, d) from the d strongest directions of a matrix (V, V): U·√Σ."""
    u, sizes, _ = np.linalg.svd(matrix)
    return np.asarray(u[:, :d] * np.sqrt(sizes[:d]))


def nearest(vectors: Array, target: Array, exclude: Sequence[int] = ()) -> int:
    """The word whose vector has the largest cosine with the target.

    >>> nearest(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([3.0, 1.0])), nearest(np.eye(2), np.ones(2), exclude=[0])
    (0, 1)
    """
    cosines = vectors @ target / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(target) + 1e-12)
    cosines[list(exclude)] = -np.inf
    return int(cosines.argmax())


def analogies(vocabulary: list[str]) -> list[tuple[int, int, int, int]]:
    """All (a, b, c, d) with a : b = c : d, from two families and two forms."""
    number = {word: i for i, word in enumerate(vocabulary)}
    families = [[number[name] for name in names.split()] for names in FAMILIES]
    return [
        (one[f], one[g], two[f], two[g])
        for one, two in permutations(families, 2)
        for f, g in permutations(range(len(FORMS)), 2)
    ]


def solved(vectors: Array, questions: list[tuple[int, int, int, int]], exclude: bool = True) -> float:
    """Share of analogies whose answer is the nearest word to b - a + c."""
    found = [
        nearest(vectors, vectors[b] - vectors[a] + vectors[c], (a, b, c) if exclude else ()) == d
        for a, b, c, d in questions
    ]
    return sum(found) / len(found)


def run(config: Config) -> Iterator[Event]:
    """Read more and more of the corpus, in order and shuffled, and ask for the analogies."""
    rng = np.random.default_rng(config.seed)
    vocabulary, sentences = corpus(config.sentences, config.noise, rng)
    shuffled = rng.permutation(sentences.ravel()).reshape(sentences.shape)
    if config.break_:
        sentences = shuffled
    questions = analogies(vocabulary)

    def vectors_of(sentences: NDArray[np.int64]) -> Array:
        return embed(ppmi(count_pairs(sentences, len(vocabulary))), config.dimensions)

    read, in_order, without_order = [], [], []
    for step in range(1, ROUNDS + 1):
        read.append(round(config.sentences * (step / ROUNDS) ** 2))
        in_order.append(solved(vectors_of(sentences[: read[-1]]), questions))
        without_order.append(solved(vectors_of(shuffled[: read[-1]]), questions))
        yield Metrics(step, ROUNDS, {"accuracy": in_order[-1], "accuracy_shuffled": without_order[-1]})

    yield Chart(
        "line",
        f"Analogies solved, of {len(questions)}",
        "sentences read",
        "share",
        (Series("corpus", tuple(read), tuple(in_order)), Series("shuffled corpus", tuple(read), tuple(without_order))),
    )
    vectors = vectors_of(sentences)
    number = {word: i for i, word in enumerate(vocabulary)}
    kinds = {form: [number[names.split()[i]] for names in FAMILIES] for i, form in enumerate(FORMS)}
    points = vectors[[i for of_form in kinds.values() for i in of_form]]
    centred = points - points.mean(0)
    form_means = np.stack([vectors[of_form].mean(0) for of_form in kinds.values()]) - points.mean(0)
    plane = np.linalg.svd(form_means, full_matrices=False)[2][:2]  # the plane in which the three forms differ most
    yield Chart(
        "scatter",
        "The animals, in the plane that separates the forms best",
        "",
        "",
        tuple(
            Series(form, tuple((part @ plane[0]).tolist()), tuple((part @ plane[1]).tolist()))
            for form, part in zip(kinds, np.split(centred, len(FORMS)), strict=True)
        ),
    )
    rows = []
    for a, b, c in (("stallion", "mare", "bull"), ("hen", "chick", "lioness"), ("lamb", "ram", "duckling")):
        x, y, z = number[a], number[b], number[c]
        found = nearest(vectors, vectors[y] - vectors[x] + vectors[z], (x, y, z))
        rows.append((f"{b} - {a} + {c}", vocabulary[found]))
    for word in ("lamb", "saddle"):
        rows.append((word, vocabulary[nearest(vectors, vectors[number[word]], [number[word]])]))
    yield Table("Nearest word", ("to", "is"), tuple(rows))
    included = solved(vectors, questions, exclude=False)
    chance = 1 / (len(vocabulary) - 3)
    yield Note(f"Without excluding the three words of the question {included:.0%} are solved, not {in_order[-1]:.0%}.")
    if config.break_:
        yield Note("--break: the words of the corpus are shuffled; their frequencies are as before.")

    yield Verdict(
        "PPMI and SVD solve at least 80 % of the analogies planted in the corpus, and at most 10 % after its words are "
        "shuffled",
        holds=in_order[-1] >= 0.8 and without_order[-1] <= 0.1,
        measured={
            "accuracy": in_order[-1],
            "accuracy_shuffled": without_order[-1],
            "accuracy_words_included": included,
            "chance": chance,
            "analogies": len(questions),
        },
    )


if __name__ == "__main__":
    main(run, Config)
