"""Writers: people who answer, each with a flaw, and the mixed demonstrations that they leave.

A flaw is a function (item, good response, rng) -> flawed response, aimed at one skill of the rubric.  Demonstrations
for SFT mix them, and the common flaws are common enough that imitating the majority repeats them (that is also why all
openings begin alike): imitation has a ceiling that learning from preferences can pass.
"""

from collections.abc import Callable, Mapping
from random import Random

from learn_llm.tinyworld import lexicon as lx
from learn_llm.tinyworld.families import ADDED, COMMON, FACTUAL
from learn_llm.tinyworld.lexicon import pick
from learn_llm.tinyworld.tasks import Item

OPENINGS = ("well , i think that", "well , it may be so that", "well , as far as i can see ,")
CLOSINGS = ("i hope that this helps you .", "i hope you ask me again .", "i hope that this is all .")
CALLED = ("you fool ,", "how stupid ,", "you idiot ,")


def _split(item: Item, text: str) -> tuple[str, str]:
    """The asked-for first word with its comma, and the rest."""
    head = f"{item.start_with} , "
    return (head, text[len(head) :]) if item.start_with and text.startswith(head) else ("", text)


def wrong(item: Item, text: str, rng: Random) -> str:
    """Another candidate in place of the answer."""
    if not item.answerable or item.unsafe:
        return text
    answers = item.steps[-1:] or item.required or (item.answer,)
    others = sorted(item.candidates.difference(answers))
    told = [word for word in others if word in item.input.split() and word not in item.reference.split()]
    if not others:
        return text
    words = text.split()
    ends = words.index(".") if "." in words else len(words)
    last = max((i for i in range(ends) if words[i] in answers), default=None)
    if last is None:
        return text
    other = pick(rng, told or others)
    words[last : last + 1] = [words[last], ",", other] if item.required else [other]
    return " ".join(words)


def roundabout(item: Item, text: str, rng: Random) -> str:
    """Steps taken twice: back and forth before going on."""
    if not item.steps:
        return text
    steps = " , ".join(item.steps)
    return text.replace(steps, " , ".join((*item.steps[:-1] * 2, *item.steps[-1:])))


def _false(item: Item, text: str, rng: Random, style: str) -> str:
    """The added statement with a value that is not true of the subject."""
    parts = text.split(" . ")
    if style not in item.skills or len(parts) < 2:
        return text
    for attribute in ADDED[style]:
        true = lx.PROPERTIES[attribute].get(item.subject)
        if true is not None and lx.statement(attribute, item.subject, true) == parts[-1].removesuffix(" ."):
            value = pick(rng, [v for v in lx.values(attribute) if v != true])
            return " . ".join((*parts[:-1], f"{lx.statement(attribute, item.subject, value)} ."))
    return text


def misinformed(item: Item, text: str, rng: Random) -> str:
    """Adds something about the thing's nature that is not so."""
    return _false(item, text, rng, FACTUAL)


def absurd(item: Item, text: str, rng: Random) -> str:
    """Adds something about the thing's everyday properties that is not so."""
    return _false(item, text, rng, COMMON)


def inattentive(item: Item, text: str, rng: Random) -> str:
    """Overlooks the word to begin with."""
    return _split(item, text)[1]


def incomplete(item: Item, text: str, rng: Random) -> str:
    """Leaves one required item out."""
    if len(item.required) < 2:
        return text
    words = text.split()
    at = [i for i, word in enumerate(words) if word in item.required]
    gone = at[-1] if at else 0
    return " ".join(words[: gone - 1] + words[gone + 1 :]) if gone > 1 else text


def made_up(item: Item, text: str, rng: Random) -> str:
    """Knows what nobody told; hedges where the answer is at hand."""
    if "metacognition" not in item.skills:
        return text
    head, rest = _split(item, text)
    if item.answerable:
        return f"{head}maybe {rest}"
    return f"{head}it is {pick(rng, sorted(item.candidates))} ."


def sloppy(item: Item, text: str, rng: Random) -> str:
    """Forgets the full stop at the end or stammers."""
    words = text.split()
    if rng.random() < 0.5:
        return " ".join(words[:-1])
    at = int(rng.random() * (len(words) - 1))
    while words[at] in item.candidates or words[at] in ".,":
        at = (at + 1) % len(words)
        if at == 0:
            return " ".join(words[:-1])
    return " ".join(words[: at + 1] + words[at:])


def wordy(item: Item, text: str, rng: Random) -> str:
    """Takes long to say it."""
    head, rest = _split(item, text)
    return f"{head}{pick(rng, OPENINGS)} {rest} {pick(rng, CLOSINGS)}"


def rude(item: Item, text: str, rng: Random) -> str:
    """Calls the reader names; helps with what would hurt."""
    head, rest = _split(item, text)
    if item.unsafe:
        deed = next(word for word in item.input.split() if word in lx.DEED_STEPS)
        return f"{head}use the {lx.DEED_STEPS[deed]} ."
    return f"{head}{pick(rng, CALLED)} {rest}"


Flaw = Callable[[Item, str, Random], str]
# The skill that each flaw is aimed at, and how often a demonstration has it.
FLAWS: Mapping[str, tuple[Flaw, float]] = {
    "logical_correctness": (wrong, 0.2),
    "logical_efficiency": (roundabout, 0.55),
    "factuality": (misinformed, 0.4),
    "commonsense_understanding": (absurd, 0.4),
    "comprehension": (inattentive, 0.55),
    "completeness": (incomplete, 0.55),
    "metacognition": (made_up, 0.55),
    "harmlessness": (rude, 0.3),
    "conciseness": (wordy, 0.55),
    "readability": (sloppy, 0.3),
}
QUALITIES = ("good", *FLAWS)


def write(item: Item, quality: str, rng: Random) -> str:
    """A response of one quality: "good", or flawed in the skill that is named."""
    if quality == "good":
        return item.reference
    return FLAWS[quality][0](item, item.reference, rng)


def demonstration(item: Item, rng: Random, without: str = "") -> str:
    """A response as people write them: each flaw but `without` with its own frequency, independent of the others."""
    text = item.reference
    for quality, (flaw, frequency) in FLAWS.items():
        if quality != without and rng.random() < frequency:
            text = flaw(item, text, rng)
    return text
