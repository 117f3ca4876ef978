"""Is it better? Measured pair by pair."""

import math
import statistics
from collections.abc import Iterator, Sequence
from random import Random

from learn_llm.evaluation import Interval, difference, interval, t_quantile

TARGET = "learn_llm.evaluation:difference"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for count in (2, 4, 9, 30):
        hard = [rng.gauss(3, 2) for _ in range(count)]
        yield {
            "scores": [h + rng.gauss(0.5, 0.5) for h in hard],
            "others": [h + rng.gauss(0, 0.5) for h in hard],
        }
    yield {"scores": [rng.random()], "others": [rng.random()]}


def wrong_reversed(scores: Sequence[float], others: Sequence[float]) -> Interval:
    return difference(others, scores)


def wrong_unpaired(scores: Sequence[float], others: Sequence[float]) -> Interval:
    mean = statistics.fmean(scores) - statistics.fmean(others)
    if len(scores) < 2:
        return Interval(mean, -math.inf, math.inf)
    error = math.sqrt((statistics.variance(scores) + statistics.variance(others)) / len(scores))
    half = t_quantile(0.975, 2 * len(scores) - 2) * error
    return Interval(mean, mean - half, mean + half)


def wrong_two_intervals(scores: Sequence[float], others: Sequence[float]) -> Interval:
    a, b = interval(scores), interval(others)
    return Interval(a.mean - b.mean, a.low - b.high, a.high - b.low)


def wrong_ends(scores: Sequence[float], others: Sequence[float]) -> Interval:
    a, b = interval(scores), interval(others)
    return Interval(a.mean - b.mean, a.low - b.low, a.high - b.high)


def wrong_sorted(scores: Sequence[float], others: Sequence[float]) -> Interval:
    return difference(sorted(scores), sorted(others))


def wrong_absolute(scores: Sequence[float], others: Sequence[float]) -> Interval:
    return interval([abs(a - b) for a, b in zip(scores, others, strict=True)])


def wrong_wins(scores: Sequence[float], others: Sequence[float]) -> Interval:
    return interval([(a > b) + 0.5 * (a == b) for a, b in zip(scores, others, strict=True)])


def wrong_relative(scores: Sequence[float], others: Sequence[float]) -> Interval:
    return interval([(a - b) / b for a, b in zip(scores, others, strict=True)])
