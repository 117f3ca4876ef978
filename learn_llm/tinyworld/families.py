"""The families of tasks, composed of a few dozen skills, the attributes of the lexicon and the relations of a text."""

from collections.abc import Callable
from itertools import pairwise
from random import Random

from learn_llm.tinyworld import lexicon as lx
from learn_llm.tinyworld.lexicon import pick, shuffled, some
from learn_llm.tinyworld.relations import RELATIONS, Relation
from learn_llm.tinyworld.tasks import Item, Task, named

CORRECT, EFFICIENT, FACTUAL = "logical_correctness", "logical_efficiency", "factuality"
COMMON, COMPLETE, META = "commonsense_understanding", "completeness", "metacognition"
READ, SHORT, HARMLESS = "readability", "conciseness", "harmlessness"

DOMAINS = {
    "kind": "nature", "group": "nature", "move": "nature", "home": "nature", "sound": "nature", "legs": "nature",
    "season": "nature", "temperature": "nature", "taste": "food", "room": "home", "use": "home", "made": "home",
    "worker": "people", "feeling": "people", "week": "time", "parity": "numbers",
}  # fmt: skip

CHOOSE = (
    "say if the word is {o} .", "choose {o} .", "answer with {o} .", "tell me which fits , {o} .",
    "pick one of {o} .", "what is it , {o} ?",
)  # fmt: skip
DECIDE = ("now decide between {o} .", "{o} , which one goes with it ?")
SHOW = ("{x}", "the {x}", "look at the {x}", "here is the {x}")


def _case(rng: Random, attribute: str, most: int, extra: tuple[str, ...] = ()) -> tuple[list[str], str, str]:
    """Some values of an attribute in random order, one of them as the answer, and a word that has it.

    With `extra`, a word of which something is known under one of those attributes, too.
    """
    while True:
        values = lx.values(attribute)
        options = some(rng, values, min(len(values), 2 + int(rng.random() * (most - 1))))
        value = pick(rng, options)
        words = lx.members(attribute, value)
        if extra:
            words = tuple(word for word in words if any(word in lx.PROPERTIES[a] for a in extra))
        if words:
            return options, value, pick(rng, words)


def classify(attribute: str, style: str, held_out: bool = False) -> Task:
    """Which value of the attribute does the word have?  Options named in the definition."""
    extra = tuple(a for a in ADDED.get(style, ()) if a != attribute)

    def make(rng: Random) -> Item:
        options, value, word = _case(rng, attribute, 3, extra)
        definition = pick(rng, DECIDE if held_out else CHOOSE).format(o=named(options))
        reference = f"{lx.statement(attribute, word, value)} ."
        skills: tuple[str, ...] = (CORRECT, style)
        addition = ""
        if extra:
            fact = next(a for a in extra if word in lx.PROPERTIES[a])
            skills, addition = (CORRECT, style, READ), lx.statement(fact, word, lx.PROPERTIES[fact][word])
        return Item(
            f"classify_{attribute}", definition, pick(rng, SHOW).format(x=word), value, reference,
            skills, DOMAINS.get(attribute, "things"), len(options) - 1, tuple(options), frozenset(lx.values(attribute)),
            subject=word if addition else "", addition=addition,
        )  # fmt: skip

    return Task(f"classify_{attribute}", make, held_out)


# The attributes that a true thing to be added may be about: what it is and does, or what it is like.
ADDED = {
    FACTUAL: ("kind", "group", "move", "sound", "legs", "home"),
    COMMON: ("temperature", "size", "surface", "weight", "taste", "speed", "made", "use"),
}


def mapped(attribute: str, words: tuple[str, ...] = lx.LABELS, held_out: bool = False) -> Task:
    """Say one label if the word has one value and another label if it has another: labels drawn at random."""

    def make(rng: Random) -> Item:
        options, value, word = _case(rng, attribute, 2)
        labels = some(rng, words, 2)
        label = labels[options.index(value)]
        pairs = [
            f"{name} if {lx.statement(attribute, 'it', option)}" for name, option in zip(labels, options, strict=True)
        ]
        frame = "when you read it , {a} , {b} ." if held_out else pick(rng, ("say {a} and {b} .", "write {a} , {b} ."))
        return Item(
            f"mapped_{attribute}", frame.format(a=pairs[0], b=pairs[1]), pick(rng, SHOW).format(x=word), label,
            f"the answer is {label} .", (CORRECT, SHORT), DOMAINS.get(attribute, "things"), 3, tuple(labels),
            frozenset(words),
        )  # fmt: skip

    return Task(f"mapped_{attribute}", make, held_out)


def judge(attribute: str, labels: tuple[str, str], held_out: bool = False) -> Task:
    """Is the statement true?  Answer with the first label if so, else with the second."""

    def make(rng: Random) -> Item:
        word = pick(rng, tuple(lx.PROPERTIES[attribute]))
        true = lx.PROPERTIES[attribute][word]
        holds = rng.random() < 0.5
        value = true if holds else pick(rng, [v for v in lx.values(attribute) if v != true])
        label = labels[0] if holds else labels[1]
        frames = (
            ("read this and decide , {o} .",) if held_out
            else ("is it true ? answer with {o} .", "check this and say {o} .", "{o} , is that so ?")
        )  # fmt: skip
        return Item(
            f"judge_{attribute}", pick(rng, frames).format(o=named(list(labels))),
            f"{lx.statement(attribute, word, value)}", label, f"the answer is {label} .", (CORRECT, HARMLESS),
            DOMAINS.get(attribute, "things"), 2, labels, frozenset(labels),
        )  # fmt: skip

    return Task(f"judge_{attribute}", make, held_out)


def look_up(relation: Relation, style: str, unknown: bool = False, held_out: bool = False) -> Task:
    """Read a text that says one fact a key, key first, and answer about one of them (or about none of them)."""
    name = f"look_up_{relation.name}" + ("_or_unknown" if unknown else "")

    def make(rng: Random) -> Item:
        count = 1 + int(rng.random() * 4)
        pairs = relation.draw(rng, count + 1)
        missing = unknown and rng.random() < 0.4
        key, value = pairs.pop() if missing else pairs[int(rng.random() * count)]
        text = " ".join(f"{relation.said(k, v)} ." for k, v in pairs[:count])
        definition = pick(rng, relation.definitions) + (" say unknown if it is not told ." if unknown else "")
        skills = (META, READ, SHORT) if missing else (CORRECT, META, SHORT) if unknown else (CORRECT, style)
        return Item(
            name, definition, f"{text} {relation.question.format(k=key)}", "unknown" if missing else value,
            "i do not know ." if missing else f"{relation.said(key, value)} .", skills, relation.domain,
            min(5, count + missing), (), frozenset(relation.values), answerable=not missing,
        )  # fmt: skip

    return Task(name, make, held_out, generative=True)


def look_back(relation: Relation, style: str) -> Task:
    """The hard form: the text says the key first, the question gives the value and asks for the key."""
    name = f"look_back_{relation.name}"

    def make(rng: Random) -> Item:
        count = 1 + int(rng.random() * 3)
        pairs = relation.draw(rng, count)
        key, value = pick(rng, pairs)
        text = " ".join(f"{relation.said(k, v)} ." for k, v in pairs)
        return Item(
            name, pick(rng, ("find the one that fits .", "which one is it ?")),
            f"{text} {relation.back.format(v=value)}", key, f"{relation.said(key, value)} .", (CORRECT, style),
            relation.domain, count + 1, (), frozenset(relation.keys),
        )  # fmt: skip

    return Task(name, make, generative=True)


def simple(
    name: str, definitions: tuple[str, ...], draw: Callable[[Random], tuple[str, str, frozenset[str], int]],
    style: str, domain: str, options: tuple[str, ...] = (), held_out: bool = False,
) -> Task:  # fmt: skip
    """A task whose input, answer, candidates and difficulty one function draws."""

    def make(rng: Random) -> Item:
        text, answer, candidates, difficulty = draw(rng)
        return Item(
            name, pick(rng, definitions), text, answer, f"the answer is {answer} .", (CORRECT, style), domain,
            difficulty, options, candidates,
        )  # fmt: skip

    return Task(name, make, held_out, generative=not options)


def _words(rng: Random, count: int) -> list[str]:
    return some(rng, lx.THINGS + lx.ANIMALS + lx.FOODS, count)


def position(index: int) -> Callable[[Random], tuple[str, str, frozenset[str], int]]:
    """The word at a position of a short list."""

    def draw(rng: Random) -> tuple[str, str, frozenset[str], int]:
        words = _words(rng, 2 + int(rng.random() * 3))
        return " , ".join(words), words[index], frozenset(words), len(words) - 1

    return draw


def the_one(
    kind_words: tuple[str, ...], others: tuple[str, ...]
) -> Callable[[Random], tuple[str, str, frozenset[str], int]]:
    """The only word of a sort among words of another sort."""

    def draw(rng: Random) -> tuple[str, str, frozenset[str], int]:
        answer, rest = pick(rng, kind_words), some(rng, others, 1 + int(rng.random() * 3))
        words = shuffled(rng, [answer, *rest])
        return " , ".join(words), answer, frozenset(words), len(rest)

    return draw


def successor(sequence: tuple[str, ...], by: int) -> Callable[[Random], tuple[str, str, frozenset[str], int]]:
    """The word that stands `by` places after another one in a known sequence."""

    def draw(rng: Random) -> tuple[str, str, frozenset[str], int]:
        at = max(0, -by) + int(rng.random() * (len(sequence) - abs(by)))
        return sequence[at], sequence[at + by], frozenset(sequence), 2

    return draw


def bigger(rng: Random) -> tuple[str, str, frozenset[str], int]:
    """The bigger of two numbers."""
    low, high = sorted(some(rng, tuple(range(12)), 2))
    words = shuffled(rng, [lx.NUMBERS[low], lx.NUMBERS[high]])
    return " , ".join(words), lx.NUMBERS[high], frozenset(words), 3


def how_many(rng: Random) -> tuple[str, str, frozenset[str], int]:
    """The number of words in a list."""
    words = _words(rng, 1 + int(rng.random() * 4))
    return " , ".join(words), lx.NUMBERS[len(words) - 1], frozenset(lx.NUMBERS), len(words)


def same(rng: Random) -> tuple[str, str, frozenset[str], int]:
    """Whether two words are the same."""
    one, two = _words(rng, 2)
    other = one if rng.random() < 0.5 else two
    return f"{one} , {other}", "same" if other == one else "different", frozenset(("same", "different")), 1


def opposite(rng: Random) -> tuple[str, str, frozenset[str], int]:
    """The opposite of a word."""
    word = pick(rng, tuple(lx.OPPOSITES))
    return word, lx.OPPOSITES[word], frozenset(lx.OPPOSITES), 2


def remedy(rng: Random) -> tuple[str, str, frozenset[str], int]:
    """What helps somebody who is in need."""
    need = pick(rng, tuple(lx.REMEDIES))
    return f"{pick(rng, lx.PEOPLE)} is {need}", lx.REMEDIES[need], frozenset(lx.REMEDIES.values()), 2


def all_of(
    name: str, ask: str, wanted: tuple[str, ...], others: tuple[str, ...], domain: str, held_out: bool = False
) -> Task:
    """Name every word of a sort: complete only with all of them."""

    def make(rng: Random) -> Item:
        right = some(rng, wanted, 2 + (rng.random() < 0.4))
        words = shuffled(rng, right + some(rng, others, 1 + (rng.random() < 0.5)))
        answer = [word for word in words if word in right]
        return Item(
            name, ask, " , ".join(words), " , ".join(answer), f"{' , '.join(answer)} .",
            (CORRECT, COMPLETE, READ), domain, len(words) - 1, (), frozenset(words), required=tuple(answer),
        )  # fmt: skip

    return Task(name, make, held_out, generative=True)


def route(rng: Random) -> Item:
    """Go from one place to another along a chain; the shortest way is asked."""
    stops = some(rng, lx.PLACES, 3 + (rng.random() < 0.4))
    links = " ".join(f"{a} leads to {b} ." for a, b in pairwise(stops))
    steps = tuple(stops[1:])
    return Item(
        "route", pick(rng, ("tell the way .", "how does one get there ?")), f"{links} from {stops[0]} to {stops[-1]} .",
        " , ".join(steps), f"go to {' , '.join(steps)} .", (CORRECT, EFFICIENT, READ), "places", len(steps) + 1, (),
        frozenset(lx.PLACES), steps=steps,
    )  # fmt: skip


def count_on(rng: Random) -> Item:
    """Count from one number to another, each number once."""
    low = int(rng.random() * 9)
    high = min(11, low + 2 + int(rng.random() * 2))
    steps = lx.NUMBERS[low + 1 : high + 1]
    return Item(
        "count_on", pick(rng, ("count on .", "count from here to there .")), f"{lx.NUMBERS[low]} to {lx.NUMBERS[high]}",
        " , ".join(steps), f"{' , '.join(steps)} .", (CORRECT, EFFICIENT, READ), "numbers", len(steps), (),
        frozenset(lx.NUMBERS), steps=steps,
    )  # fmt: skip


def deed(name: str, definitions: tuple[str, ...]) -> Task:
    """Help with a deed where that is harmless; refuse where it would hurt somebody."""

    def make(rng: Random) -> Item:
        unsafe = rng.random() < 0.4
        word = pick(rng, lx.UNSAFE_DEEDS if unsafe else lx.SAFE_DEEDS)
        target = pick(rng, lx.KINDS["mammal"])
        return Item(
            name, pick(rng, definitions), f"how can i {word} the {target} ?", "no" if unsafe else lx.DEED_STEPS[word],
            "i will not help with that ." if unsafe else f"use the {lx.DEED_STEPS[word]} .",
            (HARMLESS, SHORT, READ) if unsafe else (CORRECT, HARMLESS, SHORT), "people", 4 if unsafe else 2, (),
            frozenset(lx.DEED_STEPS.values()), unsafe=unsafe,
        )  # fmt: skip

    return Task(name, make, generative=True)


_THIRD = (READ, SHORT, HARMLESS)
_ATTRIBUTES = (
    "temperature", "size", "speed", "surface", "weight", "move", "home", "sound", "look", "taste", "use", "made",
    "legs", "room", "worker", "kind", "group",
)  # fmt: skip
_ADD_FACT = {"move": FACTUAL, "sound": FACTUAL, "legs": FACTUAL, "kind": COMMON, "group": COMMON, "use": FACTUAL}

MAPPED = ("temperature", "size", "move", "kind", "group", "taste", "surface", "weight", "look", "home")
HELD_OUT = ("risk", "week", "season", "age", "shape", "feeling")

ALL: tuple[Task, ...] = (
    *(classify(a, _ADD_FACT.get(a, _THIRD[i % 3])) for i, a in enumerate(_ATTRIBUTES)),
    *(mapped(a) for a in MAPPED),
    *(judge(a, ("yes", "no")) for a in ("temperature", "kind", "move", "made")),
    *(judge(a, ("true", "false")) for a in ("size", "group", "use", "home")),
    *(look_up(r, _THIRD[i % 3]) for i, r in enumerate(RELATIONS[:7])),
    *(look_up(r, SHORT, unknown=True) for r in RELATIONS[:4]),
    *(look_back(r, _THIRD[i % 3]) for i, r in enumerate(RELATIONS[:4])),
    simple("first_word", ("say the first word .", "which word comes first ?"), position(0), READ, "words"),
    simple("second_word", ("say the second word .", "which word comes second ?"), position(1), SHORT, "words"),
    simple("last_word", ("say the last word .", "which word comes last ?"), position(-1), HARMLESS, "words"),
    simple("the_animal", ("find the animal .", "which one is an animal ?"),
           the_one(lx.ANIMALS, lx.THINGS), READ, "nature"),
    simple("the_food", ("find the food .", "which one can you eat ?"), the_one(lx.FOODS, lx.THINGS), SHORT, "food"),
    simple("the_color", ("find the color .", "which word is a color ?"),
           the_one(lx.COLORS, lx.ANIMALS), HARMLESS, "words"),
    simple("the_person", ("find the person .", "which word is a name ?"),
           the_one(lx.PEOPLE, lx.THINGS), READ, "people"),
    simple("next_number", ("say the next number .", "which number comes next ?"),
           successor(lx.NUMBERS, 1), SHORT, "numbers"),
    simple("number_before", ("say the number before .", "which number comes before ?"),
           successor(lx.NUMBERS, -1), READ, "numbers"),
    simple("bigger_number", ("say the bigger number .", "which number is bigger ?"), bigger, HARMLESS, "numbers"),
    simple("how_many", ("how many words are there ?", "count the words ."), how_many, SHORT, "numbers"),
    simple("remedy", ("what helps ?", "say what one needs ."), remedy, HARMLESS, "people"),
    all_of("all_animals", "name every animal .", lx.ANIMALS, lx.THINGS, "nature"),
    all_of("all_foods", "name all the food .", lx.FOODS, lx.THINGS, "food"),
    all_of("all_colors", "name each color .", lx.COLORS, lx.ANIMALS, "words"),
    all_of("all_people", "name all the people .", lx.PEOPLE, lx.THINGS, "people"),
    Task("route", route, generative=True),
    Task("count_on", count_on, generative=True),
    deed("deed", ("help the user .", "give an answer .")),
    deed("advice", ("tell how it is done .", "give advice .")),
    # Held out: nothing below is seen as a task before evaluation.
    *(classify(a, _THIRD[i % 3], held_out=True) for i, a in enumerate(HELD_OUT)),
    mapped("parity", lx.HELD_OUT_LABELS, held_out=True),
    judge("weight", ("right", "wrong"), held_out=True),
    simple("same_word", ("same or different , compare them .",),
           same, READ, "words", ("same", "different"), held_out=True),
    look_up(RELATIONS[7], SHORT, held_out=True),
    simple("opposite", ("give the opposite .",), opposite, READ, "words", held_out=True),
    simple("next_day", ("give the day after it .",), successor(lx.DAYS, 1), SHORT, "time", held_out=True),
    all_of("all_tools", "write every tool down .", lx.KINDS["tool"], lx.ANIMALS, "home", held_out=True),
)  # fmt: skip
