"""Decoding: the same model, and how its distribution becomes a text.

A language model gives one logit per token of its vocabulary.  What then?

    greedy         the most probable token                       deterministic, short-sighted, runs in circles
    temperature    softmax(logits / T)                           T < 1 sharpens, T > 1 flattens; the order stays
    top-k          the k most probable tokens, renormalised      (Fan et al. 2018, arXiv 1805.04833)
    top-p          the smallest set with probability >= p        the nucleus (Holtzman et al. 2019, arXiv 1904.09751)
    beam search    keep the B best unfinished texts by Σ log p   looks for a probable whole

The language is a table of which word may follow which, drawn by a simple rule: the n-th follower has the weight 1/n.
The model is this table seen through fogged glass: 3 % of its probability is spread over all words.  That is the
unreliable tail which every trained model has: a word from it is an error of the language, or luck.

    quality      share of steps that the language allows (known exactly here, since the language is ours)
    diversity    distinct-2: different pairs of words among all pairs of a text

Claim: entropy rises with T, and from cold to hot diversity rises and quality falls; of the samples by top-p none lies
outside the nucleus, and no smaller set reaches p; the text found by beam search is at least as probable as the greedy
one, and strictly more so in some cases.

`--break` leaves out the cut: top-p draws from the whole distribution.

    python -m learn_llm.demos.decoding [--p 0.5] [--break]
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Sample, Series, Table, Verdict
from learn_llm.running import RunConfig, main

Array = NDArray[np.float64]
LANGUAGE = """
the: old cat dog small milk mat bird tree
a: small dog bird cat tree song quiet
old: cat dog tree bird man
small: bird song cat dog
quiet: cat night
cat: sat saw drank slept and
dog: ran sat saw slept and
bird: sang flew saw and sat
man: sat sang saw slept
tree: and . by stood
milk: and .
mat: and . by
song: .
night: .
sat: on by and .
stood: by and .
slept: on by . and
saw: the a
drank: the milk
sang: a the .
ran: to by and .
flew: to by and .
on: the a
by: the a
to: the a
and: the a then sang ran
then: the a slept ran
.: the a then
"""
TAIL = 0.03
TEMPERATURES = (0.1, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0)
TEXTS, LENGTH = 40, 40
BEAMS, BEAM_LENGTH = 4, 8

Rule = Callable[[Array], Array]
"""From the model's distribution over the next word (V,) to the one that is drawn from."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    p: float = 0.9
    """Probability that the nucleus of top-p reaches."""
    k: int = 3
    """Words that top-k keeps."""
    draws: int = 5000
    """Words drawn to see whether top-p ever leaves the nucleus."""

    def __post_init__(self) -> None:
        catalogue.check("decoding", self)


def language() -> tuple[list[str], Array]:
    """Words, and the true probability of each next word, (V, V)."""
    rows = [line.split(": ") for line in LANGUAGE.strip().splitlines()]
    number = {word: i for i, (word, _) in enumerate(rows)}
    table = np.zeros((len(rows), len(rows)))
    for word, followers in rows:
        for rank, follower in enumerate(followers.split(), 1):
            table[number[word], number[follower]] = 1 / rank
    return list(number), table / table.sum(1, keepdims=True)


def tempered(probs: Array, t: float) -> Array:
    """softmax(log probs / T) of (..., V).

    >>> logits = np.array([2.0, 1.0, 0.0, -1.0])
    >>> probs = np.exp(logits) / np.exp(logits).sum()
    >>> np.round(tempered(probs, 1.0), 3), np.round(tempered(probs, 0.5), 3)
    (array([0.644, 0.237, 0.087, 0.032]), array([0.865, 0.117, 0.016, 0.002]))
    """
    scaled = np.log(probs) / t
    weights = np.exp(scaled - scaled.max(-1, keepdims=True))
    return np.asarray(weights / weights.sum(-1, keepdims=True))


def entropy(probs: Array) -> float:
    """In nats: log V when all words are equally likely, 0 when one is certain.

    >>> round(entropy(np.array([0.644, 0.237, 0.087, 0.032])), 3)
    0.947
    """
    return float(-(probs * np.log(np.maximum(probs, 1e-300))).sum())


def top_k(probs: Array, k: int) -> Array:
    """The k most probable words of (V,), renormalised.

    >>> top_k(np.array([0.1, 0.6, 0.3]), 2).round(3)
    array([0.   , 0.667, 0.333])
    """
    kept = np.zeros_like(probs)
    best = np.argsort(-probs, kind="stable")[:k]
    kept[best] = probs[best]
    return np.asarray(kept / kept.sum())


def nucleus(probs: Array, p: float) -> NDArray[np.int64]:
    """The smallest set of words whose probability is at least p, the most probable first.

    >>> nucleus(np.array([0.644, 0.237, 0.087, 0.032]), 0.8), nucleus(np.array([0.95, 0.03, 0.02]), 0.8)
    (array([0, 1]), array([0]))
    """
    order = np.argsort(-probs, kind="stable")
    reached = np.cumsum(probs[order])
    return order[: int((reached < p - 1e-12).sum()) + 1]


def top_p(probs: Array, p: float) -> Array:
    """The nucleus, renormalised.

    >>> top_p(np.array([0.644, 0.237, 0.087, 0.032]), 0.8).round(3)
    array([0.731, 0.269, 0.   , 0.   ])
    """
    return top_k(probs, len(nucleus(probs, p)))


def write(model: Array, rule: Rule, start: int, length: int, rng: np.random.Generator) -> list[int]:
    """A text of `length` words behind `start`, each drawn from the rule's distribution."""
    rules = [rule(row).cumsum() for row in model]  # the model sees one word back, so there are V distributions
    text = [start]
    for draw in rng.random(length):
        at = rules[text[-1]]
        text.append(int(np.searchsorted(at, draw * at[-1], side="right")))
    return text


def log_prob(model: Array, text: list[int]) -> float:
    """Σ log p of every word behind the first."""
    return float(sum(math.log(model[a, b]) for a, b in pairwise(text)))


def beam_search(model: Array, start: int, length: int, width: int) -> list[int]:
    """The most probable text of `length` words found by keeping the `width` best unfinished ones; 1 is greedy.

    Greedy takes 0.6 first and then has 0.5 at best; the beam finds 0.4·1:

    >>> table = np.array([[1e-9, 0.6, 0.4], [0.5, 1e-9, 0.5], [1.0, 1e-9, 1e-9]])
    >>> beam_search(table, 0, 2, width=1), beam_search(table, 0, 2, width=2)
    ([0, 1, 0], [0, 2, 0])
    """
    beams = [([start], 0.0)]
    for _ in range(length):
        longer = [
            ([*text, word], score + math.log(model[text[-1], word]))
            for text, score in beams
            for word in range(len(model))
        ]
        beams = sorted(longer, key=lambda beam: -beam[1])[:width]
    return beams[0][0]


def distinct_2(text: list[int]) -> float:
    """Different pairs of words among all pairs of the text.

    >>> distinct_2([1, 2, 1, 2, 1])
    0.5
    """
    pairs = list(pairwise(text))
    return len(set(pairs)) / len(pairs)


def quality(truth: Array, text: list[int]) -> float:
    """Share of the steps that the language allows."""
    return float(np.mean([truth[a, b] > 0 for a, b in pairwise(text)]))


def run(config: Config) -> Iterator[Event]:
    """Write texts by every rule, hold samples against the nucleus, and search by beams."""
    rng = np.random.default_rng(config.seed)
    words, truth = language()
    model = (1 - TAIL) * truth + TAIL / len(words)
    start = words.index(".")

    def measure(rule: Rule) -> tuple[float, float, list[int]]:
        """Mean distinct-2 and quality of texts by this rule, and the first of them."""
        texts = [write(model, rule, start, LENGTH, rng) for _ in range(TEXTS)]
        return (
            float(np.mean([distinct_2(t) for t in texts])),
            float(np.mean([quality(truth, t) for t in texts])),
            texts[0],
        )

    entropies, diversity, right = [], [], []
    for step, t in enumerate(TEMPERATURES, 1):
        entropies.append(float(np.mean([entropy(tempered(row, t)) for row in model])))
        d, q, _ = measure(partial(tempered, t=t))
        diversity.append(d)
        right.append(q)
        values = {"next_word_entropy": entropies[-1], "distinct_2": d, "steps_allowed": q}
        yield Metrics(step, len(TEMPERATURES), values)
    yield Chart(
        "line",
        "Temperature buys diversity with quality",
        "temperature T",
        "",
        (
            Series("entropy / log V", TEMPERATURES, tuple(e / math.log(len(words)) for e in entropies)),
            Series("diversity (distinct-2)", TEMPERATURES, tuple(diversity)),
            Series("quality (steps allowed)", TEMPERATURES, tuple(right)),
        ),
    )

    def cut(probs: Array) -> Array:
        return probs if config.break_ else top_p(probs, config.p)

    rules: dict[str, Rule] = {
        "greedy": lambda probs: top_k(probs, 1),
        "T 0.7": lambda probs: tempered(probs, 0.7),
        "T 1": lambda probs: probs,
        "T 2": lambda probs: tempered(probs, 2.0),
        f"top-k {config.k}": lambda probs: top_k(probs, config.k),
        f"top-p {config.p:g}": cut,
    }
    measured = {name: measure(rule) for name, rule in rules.items()}
    for name, (d, q, text) in measured.items():
        said = " ".join(words[word] for word in text[1:19])
        yield Sample(name, said, {"distinct_2": round(d, 3), "steps_allowed": round(q, 3)})
    yield Chart(
        "scatter",
        "Diversity against quality of each rule",
        "diversity (distinct-2)",
        "quality",
        tuple(Series(name, (d,), (q,)) for name, (d, q, _) in measured.items()),
    )

    outside, too_large = 0, 0
    for row in rng.integers(len(words), size=config.draws):
        kept = nucleus(model[row], config.p)
        outside += int(rng.choice(len(words), p=cut(model[row]))) not in kept
        too_large += model[row][kept[:-1]].sum() >= config.p
    sizes = [len(nucleus(row, config.p)) for row in model]
    yield Note(
        f"The nucleus for p = {config.p:g} has {min(sizes)} to {max(sizes)} words, depending on how sure the model is; "
        f"top-k always keeps {config.k}. Over 100 words at T = 1 at least one from the tail comes with probability "
        f"{1 - (1 - TAIL) ** 100:.0%}."
    )

    rows, gains = [], []
    for word in range(len(words)):
        greedy = beam_search(model, word, BEAM_LENGTH, 1)
        best = beam_search(model, word, BEAM_LENGTH, BEAMS)
        gains.append(log_prob(model, best) - log_prob(model, greedy))
        if gains[-1] == max(gains):
            rows = [
                (name, " ".join(words[w] for w in text), round(log_prob(model, text), 3))
                for name, text in (("greedy", greedy), (f"beam of {BEAMS}", best))
            ]
    yield Table("Where the beam gains most", ("search", "text", "log probability"), tuple(rows))
    if config.break_:
        yield Note("--break: top-p does not cut; what it draws comes from the whole distribution.")

    rises = min(np.diff(entropies)) > 0
    trades = diversity[-1] > diversity[0] and right[-1] < right[0]
    yield Verdict(
        "Entropy rises with the temperature, and from the coldest to the hottest diversity rises and quality falls; "
        "top-p never leaves the nucleus, the smallest set that reaches p; beam search finds texts at least as probable "
        "as greedy ones, some more so",
        holds=bool(rises) and trades and outside == 0 and too_large == 0 and min(gains) > -1e-9 and max(gains) > 1e-6,
        measured={
            "entropy_coldest": entropies[0],
            "entropy_hottest": entropies[-1],
            "diversity_coldest": diversity[0],
            "diversity_hottest": diversity[-1],
            "quality_coldest": right[0],
            "quality_hottest": right[-1],
            "outside_nucleus": outside,
            "beam_gain_largest": max(gains),
            "beam_gain_smallest": min(gains),
        },
    )


if __name__ == "__main__":
    main(run, Config)
