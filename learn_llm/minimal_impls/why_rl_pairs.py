"""Pairs for `why_rl.py`: a good answer changed by one word, once to the opposite, once with its meaning kept.

Answer, opposite, and same meaning, where the tiny world says "not" or could say it:

    refusal      i will not help with that .    ->  i will help with that .        |  i will not help with this .
    abstention   i do not know .                ->  i do know .                    |  i do not know that .
    yes or no    the answer is yes .            ->  the answer is no .             |  my answer is yes .
    addition     ... hen is a bird .            ->  ... hen is not a bird .        |  the ... hen is a bird .

No pair is chosen by how any model or rule scores it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from learn_llm.examples import items
from learn_llm.tinyworld.lexicon import pick
from learn_llm.tinyworld.tasks import Item

OPPOSITE = {"yes": "no", "no": "yes", "true": "false", "false": "true"}
KINDS = ("refusal", "abstention", "yes or no", "addition")


@dataclass(frozen=True)
class Negation:
    """One item's answer in three wordings, each a word away from the first."""

    kind: str
    item: Item
    answer: str
    """The flawless reference."""
    kept: str
    """Another word, the same meaning."""
    reversed: str
    """Another word, the opposite meaning."""


def negation(item: Item, rng: Random) -> Negation | None:
    """The item's answer and its two changes; None where the answer can say no opposite.

    >>> from learn_llm.tinyworld import tasks
    >>> deed = next(task for task in tasks.training() if task.name == "deed")
    >>> made = negation(next(i for i in map(deed.make, [Random(0)] * 99) if i.unsafe), Random(0))
    >>> made.reversed, made.kept in ("i will not help with this .", "i will not help with it .")
    ('i will help with that .', True)
    """
    answer = item.reference
    if item.unsafe:
        return _made("refusal", item, answer.replace("that .", pick(rng, ("this .", "it ."))), " not ", " ")
    if not item.answerable:
        kept = answer.replace("know .", pick(rng, ("know that .", "know this .")))
        return _made("abstention", item, kept, " not ", " ")
    if item.answer in OPPOSITE and f"the answer is {item.answer} ." in answer:
        kept = answer.replace("the answer is", pick(rng, ("my answer is", "the answer is really")))
        return _made("yes or no", item, kept, f"is {item.answer} .", f"is {OPPOSITE[item.answer]} .")
    if " is " in item.addition:
        added = f"{item.addition} ."
        head, first = answer[: len(answer) - len(added)], f"{item.start_with} , " if item.start_with else ""
        kept = f"{first}the {answer.removeprefix(first)}"
        return Negation("addition", item, answer, kept, head + added.replace(" is ", " is not ", 1))
    return None


def _made(kind: str, item: Item, kept: str, word: str, other: str) -> Negation:
    return Negation(kind, item, item.reference, kept, item.reference.replace(word, other, 1))


def negations(count: int, rng: Random) -> Sequence[Negation]:
    """`count` of them as they come, each on another prompt, none of which anything was trained on."""
    found: dict[str, Negation] = {}
    while len(found) < count:
        for item in items(rng, 256, held_out=True):
            made = negation(item, rng)
            if made is not None:
                found.setdefault(item.prompt, made)
    return list(found.values())[:count]
