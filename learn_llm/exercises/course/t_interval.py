"""A mean with its t-interval."""

import math
import statistics
from collections.abc import Iterator, Sequence
from random import Random

from learn_llm.evaluation import Interval, t_quantile

TARGET = "learn_llm.evaluation:interval"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for count in (2, 3, 5, 12, 40):
        yield {"values": [rng.gauss(1, 2) for _ in range(count)]}
    for confidence in (0.8, 0.99):
        yield {"values": [rng.gauss(0, 1) for _ in range(6)], "confidence": confidence}
    yield {"values": [rng.gauss(0, 1)]}


def _around(mean: float, half: float) -> Interval:
    return Interval(mean, mean - half, mean + half)


def _open(values: Sequence[float]) -> Interval:
    return Interval(values[0], -math.inf, math.inf)


def wrong_normal(values: Sequence[float], confidence: float = 0.95) -> Interval:
    if len(values) < 2:
        return _open(values)
    z = statistics.NormalDist().inv_cdf((1 + confidence) / 2)
    return _around(statistics.fmean(values), z * statistics.stdev(values) / math.sqrt(len(values)))


def wrong_one_sided(values: Sequence[float], confidence: float = 0.95) -> Interval:
    if len(values) < 2:
        return _open(values)
    t = t_quantile(confidence, len(values) - 1)
    return _around(statistics.fmean(values), t * statistics.stdev(values) / math.sqrt(len(values)))


def wrong_of_one_value(values: Sequence[float], confidence: float = 0.95) -> Interval:
    if len(values) < 2:
        return _open(values)
    return _around(
        statistics.fmean(values), t_quantile((1 + confidence) / 2, len(values) - 1) * statistics.stdev(values)
    )


def wrong_biased(values: Sequence[float], confidence: float = 0.95) -> Interval:
    if len(values) < 2:
        return _open(values)
    t = t_quantile((1 + confidence) / 2, len(values) - 1)
    return _around(statistics.fmean(values), t * statistics.pstdev(values) / math.sqrt(len(values)))


def wrong_degrees(values: Sequence[float], confidence: float = 0.95) -> Interval:
    if len(values) < 2:
        return _open(values)
    t = t_quantile((1 + confidence) / 2, len(values))
    return _around(statistics.fmean(values), t * statistics.stdev(values) / math.sqrt(len(values)))


def wrong_variance(values: Sequence[float], confidence: float = 0.95) -> Interval:
    if len(values) < 2:
        return _open(values)
    t = t_quantile((1 + confidence) / 2, len(values) - 1)
    return _around(statistics.fmean(values), t * statistics.variance(values) / math.sqrt(len(values)))


def wrong_over_n(values: Sequence[float], confidence: float = 0.95) -> Interval:
    if len(values) < 2:
        return _open(values)
    t = t_quantile((1 + confidence) / 2, len(values) - 1)
    return _around(statistics.fmean(values), t * statistics.stdev(values) / len(values))


def wrong_always_95(values: Sequence[float], confidence: float = 0.95) -> Interval:
    if len(values) < 2:
        return _open(values)
    t = t_quantile(0.975, len(values) - 1)
    return _around(statistics.fmean(values), t * statistics.stdev(values) / math.sqrt(len(values)))
