"""What follows for a claim from what was measured with several seeds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from learn_llm.evaluation import Interval, interval
from learn_llm.kept_runs import Measured
from learn_llm.results_claims.claim import Claim

WORDS = ("agrees", "does not", "undecided", "not comparable", "not measured yet")


@dataclass(frozen=True)
class Answer:
    """A claim, what was measured, and what is to be said."""

    claim: Claim
    own: Interval | None
    """Over the seeds."""
    word: str
    """One of WORDS."""


def answer(claim: Claim, found: Sequence[Measured]) -> Answer:
    """The claim after these seeds."""
    if len(found) < 2:
        return Answer(claim, None, "not measured yet")
    numbers = [value(claim.number, one.values) for one in found]
    own = interval(numbers) if all(map(math.isfinite, numbers)) else Interval(math.nan, math.nan, math.nan)
    if claim.not_comparable:
        return Answer(claim, own, "not comparable")
    low, high = (own.low, own.high) if claim.side == "above" else (-own.high, -own.low)
    bound = claim.bound if claim.side == "above" else -claim.bound
    return Answer(claim, own, "agrees" if low > bound else "does not" if high < bound else "undecided")


def value(number: str, measured: Mapping[str, float]) -> float:
    """A number of a verdict, its size, or the difference or share of two; NaN where it would be a share of nothing.

    >>> value("a - b", {"a": 3.0, "b": 1.0}), value("|a| / b", {"a": -3.0, "b": 2.0}), value("a", {"a": 3.0})
    (2.0, 1.5, 3.0)
    """
    for sign in (" - ", " / "):
        if sign in number:
            a, b = (value(name, measured) for name in number.split(sign))
            return a - b if sign == " - " else a / b if b else math.nan
    return abs(measured[number[1:-1]]) if number.startswith("|") else measured[number]


def shown(own: Interval | None) -> str:
    """A mean with its interval, with as many digits as mean something.

    >>> shown(Interval(0.4213, 0.382, 0.46)), shown(None)
    ('0.421 [0.382, 0.460]', '')
    """
    if own is None:
        return ""
    digits = 3 if max(abs(own.mean), abs(own.high), abs(own.low)) < 10 else 1
    return f"{own.mean:.{digits}f} [{own.low:.{digits}f}, {own.high:.{digits}f}]"
