"""Documents for pretraining: a mixture of kinds, so that the kind of a document must be inferred from its context.

That is what lets in-context learning appear in a small model, and explains it: the model infers which process wrote
the text so far (implicit Bayesian inference, Xie et al. 2021, arXiv 2111.02080).  A kind is a function rng -> words;
a mixture is a table of shares.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random

from learn_llm.tinyworld import lexicon as lx
from learn_llm.tinyworld.lexicon import pick, some
from learn_llm.tinyworld.relations import RELATIONS, Relation
from learn_llm.tinyworld.tasks import Item, Task, training
from learn_llm.tinyworld.tokens import EOS
from learn_llm.tinyworld.writers import demonstration, wrong

Kind = Callable[[Random], str]


def copies(rng: Random) -> str:
    """A random list of words, said two to four times."""
    words = " ".join(some(rng, lx.vocabulary(), 4 + int(rng.random() * 24)))
    return " \n ".join([words] * (2 + int(rng.random() * 3)))


def short_copies(rng: Random) -> str:
    """Three to five words, said again and again: the shortest text that needs the circuit that copies."""
    words = " ".join(some(rng, lx.vocabulary(), 3 + int(rng.random() * 3)))
    return " \n ".join([words] * 6)


def short_pairs(rng: Random) -> str:
    """Two or three pairs of any words, again and again in random order: only what stands before tells what follows."""
    words = some(rng, lx.vocabulary(), 4 + 2 * int(rng.random() * 2))
    known = [f"{key} {value}" for key, value in zip(words[::2], words[1::2], strict=True)]
    return " , ".join([*known, *(pick(rng, known) for _ in range(10 - len(known)))])


def random_words(rng: Random) -> str:
    """Lists of random words without a repeat: nothing in it can be predicted from what came before."""
    return " \n ".join(" ".join(some(rng, lx.vocabulary(), 3 + int(rng.random() * 3))) for _ in range(6))


def short_facts(rng: Random) -> str:
    """Two facts, then one of them again and again, always said or always asked: the shortest text that needs both."""
    relation = pick(rng, RELATIONS)
    known = relation.draw(rng, 2)
    told = [f"{relation.said(k, v)} ." for k, v in known]
    again = told if rng.random() < 0.5 else [f"{relation.question.format(k=k)} {v} ." for k, v in known]
    return " ".join([*told, *(pick(rng, again) for _ in range(4))])


def pairs(rng: Random) -> str:
    """Keys with their values side by side, then many of the pairs again: looking up as plain copying."""
    relation = pick(rng, RELATIONS)
    known = relation.draw(rng, 2 + int(rng.random() * 5))
    again = [pick(rng, known) for _ in range(6 + int(rng.random() * 8))]
    return " \n ".join(" , ".join(f"{k} {v}" for k, v in part) for part in (known, again))


def _recall(rng: Random, relation: Relation, known: list[tuple[str, str]], key: str, value: str) -> str:
    form = rng.random()
    if form < 0.3:
        return f"{relation.said(key, value)} ."
    if form < 0.75:
        return f"{relation.question.format(k=key)} {value} ."
    if form < 0.85:
        return f"{relation.question.format(k=key)} {relation.said(key, value)} ."
    if form < 0.95:
        return f"{relation.back.format(v=value)} {key} ."
    unknown = next(k for k, _ in relation.draw(rng, len(known) + 1) if all(k != other for other, _ in known))
    return f"{relation.question.format(k=unknown)} unknown ."


def facts(rng: Random) -> str:
    """A few facts, key first, then many of them asked or said again."""
    relation = pick(rng, RELATIONS)
    known = relation.draw(rng, 1 + int(rng.random() * 5))
    told = " ".join(f"{relation.said(k, v)} ." for k, v in known)
    again = (_recall(rng, relation, known, *pick(rng, known)) for _ in range(5 + int(rng.random() * 7)))
    return f"{told} \n {' '.join(again)}"


def knowledge(rng: Random) -> str:
    """What is true in the world: statements about words, members of a group, orders, opposites, remedies."""
    lines = []
    for _ in range(8 + int(rng.random() * 8)):
        form = rng.random()
        if form < 0.8:
            attribute = pick(rng, tuple(lx.PROPERTIES))
            word = pick(rng, tuple(lx.PROPERTIES[attribute]))
            value = lx.PROPERTIES[attribute][word]
            said = lx.statement(attribute, word, value)
            lines.append(pick(rng, (f"{said} .", f"{said} .", f"the {said} .", f"{value} goes with {word} .")))
        elif form < 0.86:
            word = pick(rng, tuple(lx.OPPOSITES))
            lines.append(f"the opposite of {word} is {lx.OPPOSITES[word]} .")
        elif form < 0.94:
            sequence = pick(rng, (lx.NUMBERS, lx.DAYS))
            at = int(rng.random() * (len(sequence) - 2))
            lines.append(
                pick(rng, (f"{' '.join(sequence[at:])} .", f"the day after {sequence[at]} is {sequence[at + 1]} ."))
                if sequence is lx.DAYS
                else pick(rng, (f"{' '.join(sequence[at:])} .", f"{sequence[at + 1]} is bigger than {sequence[at]} ."))
            )
        else:
            need = pick(rng, tuple(lx.REMEDIES))
            lines.append(f"who is {need} needs {lx.REMEDIES[need]} .")
    return " ".join(lines)


def claim(rng: Random) -> tuple[str, bool]:
    """A statement about the world, and whether it is true: half of them are."""
    attribute = pick(rng, tuple(lx.PROPERTIES))
    word = pick(rng, tuple(lx.PROPERTIES[attribute]))
    true = lx.PROPERTIES[attribute][word]
    holds = rng.random() < 0.5
    value = true if holds else pick(rng, [v for v in lx.values(attribute) if v != true])
    return lx.statement(attribute, word, value), holds


def _mark(holds: bool) -> str:
    return "right" if holds else "wrong"


def _marked(cases: Iterable[tuple[str, bool]]) -> str:
    """Texts, each with a reader's mark in the margin."""
    return " ".join(f"{text} : {_mark(holds)} ." for text, holds in cases)


def checks(rng: Random) -> str:
    """Statements about the world, each marked right or wrong: to judge, one must know better than to go on."""
    return _marked(claim(rng) for _ in range(6))


def told(rng: Random) -> tuple[str, list[tuple[str, bool, str]]]:
    """Two facts; then four times one of them again or something that was not told, whether it was told, what was."""
    relation = pick(rng, RELATIONS)
    known = relation.draw(rng, 2)
    text = " ".join(f"{relation.said(k, v)} ." for k, v in known)
    again = []
    for _ in range(4):
        at = int(rng.random() * 2)
        key, true = known[at]
        value = true
        holds = rng.random() < 0.5
        if not holds:  # the other one's value, or any, which is easier to tell: it may never have been said
            near = rng.random() < 0.5
            value = known[1 - at][1] if near else pick(rng, [v for v in relation.values if v != true])
        again.append((relation.said(key, value), holds, true))
    return text, again


def corrections(rng: Random) -> str:
    """Two facts, then some said again, rightly or wrongly, and marked in the margin or behind their end, or corrected.

    To correct, one must know at the place of the mark what should stand in the text: a look-up, soon learnt.  Then
    only a comparison is left to judge.
    """
    text, again = told(rng)
    margin = pick(rng, (":", f". {EOS}"))
    notes = (true if rng.random() < 1 / 3 else _mark(holds) for _, holds, true in again)
    return " ".join([text, *(f"{said} {margin} {note} ." for (said, *_), note in zip(again, notes, strict=True))])


def label(rng: Random) -> tuple[str, bool]:
    """A statement with an answer to the question whether it is true, and whether that answer is right."""
    said, true = claim(rng)
    yes, no = pick(rng, (("yes", "no"), ("true", "false")))
    holds = rng.random() < 0.5
    return f"{said} ? {yes if true == holds else no}", holds


def checked_labels(rng: Random) -> str:
    """Statements with answers to whether they are true; the answers are marked: two judgements on top of each other."""
    return _marked(label(rng) for _ in range(5))


def answer(rng: Random) -> tuple[str, bool]:
    """A question with an answer, right or wrong, and whether it is right.

    Half of the answers have no other flaw, half are written as people write, well or badly: who has judged only neat
    answers finds the wrong word between "well , i think that" and "i hope that this helps you ." in 7 cases of 10.
    """
    while True:
        task = pick(rng, TRAINING)
        item = task.sample(rng) if rng.random() < 0.5 else task.make(rng)
        said = item.reference if rng.random() < 0.5 else demonstration(item, rng, without="logical_correctness")
        holds = rng.random() < 0.5
        text = said if holds else wrong(item, said, rng)
        if item.answerable and not item.unsafe and (text == said) == holds:
            return f"{item.prompt} \n {text}", holds


def review(rng: Random) -> tuple[str, bool]:
    """A text that is right or wrong: a statement, facts said again, a label, and mostly an answer to a task."""
    form = rng.random()
    if form < 0.55:
        return answer(rng)
    if form < 0.7:
        text, again = told(rng)
        return f"{text} {again[0][0]} .", again[0][1]
    said, holds = label(rng) if form < 0.9 else claim(rng)
    return f"{said} .", holds


def reviews(rng: Random) -> str:
    """Texts, each marked behind its end: there a reward model will read its score, too."""
    cases = (review(rng) for _ in range(3))
    return " \n ".join(f"{text} {EOS} {_mark(holds)} ." for text, holds in cases)


def story(rng: Random) -> str:
    """A small story: people, a thing that changes hands, places and moods, and what one can ask about it."""
    one, two = some(rng, lx.PEOPLE, 2)
    thing, place, mood, other = pick(rng, lx.THINGS), pick(rng, lx.PLACES), pick(rng, lx.MOODS), pick(rng, lx.MOODS)
    color, animal, food = pick(rng, lx.COLORS), pick(rng, lx.ANIMALS), pick(rng, lx.FOODS)
    parts = [
        f"once {one} walked to the {place} .",
        pick(rng, (f"there {one} found the {thing} .", f"{one} took the {thing} from the {place} .")),
        pick(rng, (f"the {thing} was {color} .", f"{one} saw the {animal} there .", f"{one} bought the {food} .")),
        f"{two} was in the {place} and felt {mood} .",
        pick(rng, (f"{one} gave the {thing} to {two} .", f"{one} told {two} about it .", "they went home and ate .")),
        f"now {two} feels {other} .",
        pick(rng, (f"how does {two} feel ? {other} .", f"where was {one} ? in the {place} .", f"who walked ? {one} .")),
    ]
    return " ".join(parts)


def _ask(rng: Random, tasks: tuple[Task, ...]) -> Item:
    return pick(rng, tasks).sample(rng)


def dialogue(rng: Random) -> str:
    """People ask each other and answer as people do: well, at length, wrongly, rudely, or not at all."""
    one, two = some(rng, lx.PEOPLE, 2)
    turns = []
    for _ in range(3 + int(rng.random() * 3)):
        item = _ask(rng, TRAINING)
        turns.append(f"{one} : {item.prompt} \n {two} : {demonstration(item, rng)}")
    return " \n ".join(turns)


def talk(rng: Random) -> str:
    """Small talk, where words of instructions are used in other ways."""
    one, two = some(rng, lx.PEOPLE, 2)
    a, b = some(rng, lx.THINGS, 2)
    number, day = pick(rng, lx.NUMBERS), pick(rng, lx.DAYS)
    lines = (
        f"can you decide between the {a} and the {b} ? now i take the {a} .",
        "this is the right way . the other is the wrong way .",
        f"the {a} is the same as the {a} . the {a} is different from the {b} .",
        f"please compare the {a} with the {b} . they are different .",
        f"which one goes with it ? the {a} goes with the {b} .",
        "write it down . when you read it , you know it .",
        f"the price was told : the {a} costs {number} .",
        f"what is the opposite of day ? night . give the {a} to me .",
        f"the day after {day} was long . every tool was there .",
        "look at the north and the south .",
    )
    return " \n ".join(f"{one if i % 2 else two} : {pick(rng, lines)}" for i in range(4 + int(rng.random() * 4)))


def _sheet(rng: Random, answered: bool) -> str:
    names: set[str] = set()
    items: list[Item] = []
    for _ in range(2 + int(rng.random() * 8)):
        task = pick(rng, TRAINING)
        if task.name not in names:
            names.add(task.name)
            items.append(task.make(rng))
    return " \n \n ".join(item.sheet(answered) for item in items)


def drills(rng: Random) -> str:
    """An answered sheet of the exercises that take two steps: to know something, and to apply a rule to it."""
    return " \n \n ".join(pick(rng, TWO_STEPS).make(rng).sheet() for _ in range(4))


def answered(rng: Random) -> str:
    """An exercise sheet over different tasks with its answers."""
    return _sheet(rng, True)


def unanswered(rng: Random) -> str:
    """An exercise sheet that nobody has filled in yet."""
    return _sheet(rng, False)


TRAINING = training()
TWO_STEPS = tuple(task for task in TRAINING if task.name.startswith(("judge_", "mapped_")))
KINDS: Mapping[str, Kind] = {
    kind.__name__: kind
    for kind in (
        short_pairs,
        short_copies,
        random_words,
        copies,
        pairs,
        short_facts,
        facts,
        knowledge,
        checks,
        corrections,
        checked_labels,
        story,
        dialogue,
        reviews,
        talk,
        drills,
        answered,
        unanswered,
    )
}


# A share for each kind: what is read before answers are judged, and what is read at the end.
TEXT: Mapping[str, float] = {
    "copies": 0.04, "short_pairs": 0.03, "pairs": 0.04, "short_facts": 0.06, "facts": 0.14, "knowledge": 0.13,
    "checks": 0.06, "corrections": 0.05, "checked_labels": 0.04, "story": 0.04, "dialogue": 0.08, "talk": 0.04,
    "drills": 0.08, "answered": 0.22, "unanswered": 0.04,
}  # fmt: skip
EVERYTHING: Mapping[str, float] = {
    **TEXT, "dialogue": 0.06, "facts": 0.12, "reviews": 0.16,
}  # fmt: skip


def stream(rng: Random, shares: Mapping[str, float]) -> Iterator[str]:
    """Documents without end, drawn with these shares."""
    names, weights = list(shares), list(shares.values())
    total = sum(weights)
    while True:
        at = rng.random() * total
        chosen = 0
        while chosen < len(names) - 1 and at >= weights[chosen]:
            at -= weights[chosen]
            chosen += 1
        yield KINDS[names[chosen]](rng)
