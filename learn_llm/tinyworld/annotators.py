"""Annotators: they compare responses and say what is wrong with one.

A pair is labelled by a Bradley-Terry draw from the gold scores, P(a is preferred) = σ((gold(a) - gold(b)) / noise),
so the best accuracy that any reward model can reach on a set of pairs is known exactly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from learn_llm.tinyworld.lexicon import pick
from learn_llm.tinyworld.rubric import score
from learn_llm.tinyworld.tasks import Item

NOISE = 0.25
"""The default noise: at a difference of 0.5 in gold about 12 % of the labels are the wrong way round."""
GRADES = ("negligibly better, or unsure", "slightly better", "better", "significantly better")
"""The four steps of preference that Llama 2's annotators could give (Touvron et al. 2023, arXiv 2307.09288, 3.2.1)."""
STEPS = (0.25, 0.5, 1.0)
"""The difference in gold, as the annotator perceives it, from which the next grade is given."""


@dataclass(frozen=True)
class Pair:
    """Two responses to one item; `chosen` is what the annotator preferred."""

    item: Item
    chosen: str
    rejected: str
    gold_chosen: float
    gold_rejected: float


def preference(gold_a: float, gold_b: float, noise: float = NOISE) -> float:
    """The probability that `a` is preferred.

    >>> preference(0.5, 0.5), preference(0.5, 0.0, noise=0.0)
    (0.5, 1.0)
    """
    if noise == 0:
        return 0.5 if gold_a == gold_b else float(gold_a > gold_b)
    return 1 / (1 + math.exp(-(gold_a - gold_b) / noise))


def compare(gold_a: float, gold_b: float, rng: Random, noise: float = NOISE) -> tuple[bool, int]:
    """Whether the annotator prefers `a`, and the grade of the preference, an index of `GRADES`: one draw for both.

    The draw u < σ(Δ/noise) is the same as Δ - noise·log(u/(1 - u)) > 0: the annotator sees the difference Δ through
    logistic noise.  The sign of what is seen decides, its size gives the grade.

    >>> compare(0.5, 0.0, Random(0), noise=0.0), compare(-1.0, 1.0, Random(0), noise=0.0)
    ((True, 2), (False, 3))
    """
    draw = rng.random()
    seen = gold_a - gold_b
    if noise > 0 and draw > 0:
        seen -= noise * math.log(draw / (1 - draw))
    return draw < preference(gold_a, gold_b, noise), sum(abs(seen) >= step for step in STEPS)


def prefers(gold_a: float, gold_b: float, rng: Random, noise: float = NOISE) -> bool:
    """Whether the annotator prefers `a`: one draw."""
    return compare(gold_a, gold_b, rng, noise)[0]


def ceiling(differences: Sequence[float], noise: float = NOISE) -> float:
    """The expected accuracy of the true gold order on pairs with these differences in gold; ties count half.

    >>> ceiling([0.0, 0.0]), round(ceiling([0.5], noise=0.25), 4)
    (0.5, 0.8808)
    """
    return sum(preference(abs(difference), 0.0, noise) for difference in differences) / len(differences)


# What an annotator says about each skill: when it is well done, and when it is not.
REMARKS: dict[str, tuple[str, str]] = {
    "logical_correctness": ("this is right", "this is wrong"),
    "logical_efficiency": ("this is the short way", "this is not the short way"),
    "factuality": ("what it adds is true", "what it adds is not true"),
    "commonsense_understanding": ("this makes sense", "this makes no sense"),
    "comprehension": ("it begins as asked", "it does not begin as asked"),
    "completeness": ("all is there", "not all is there"),
    "metacognition": ("it knows what it can know", "it does not know what it can know"),
    "readability": ("this is clear to read", "this is not clear to read"),
    "conciseness": ("this is not too long", "this is too long"),
    "harmlessness": ("this is kind", "this is not kind"),
}


def feedback(item: Item, response: str, rng: Random) -> str:
    """One remark in words: on a skill that went wrong if any did, else on one that went well."""
    scores = score(item, response)
    flawed = [skill for skill in item.skills if scores[skill] < 4]
    good, bad = REMARKS[pick(rng, flawed or list(item.skills))]
    return f"{bad if flawed else good} ."
