"""One number for how far confidence and accuracy lie apart."""

from collections.abc import Iterator, Sequence
from random import Random

TARGET = "learn_llm.minimal_impls.reward_model:calibration_error"
RUN = "--steps 50 --pairs 1200 --held-out-pairs 256"  # the whole run takes a quarter of an hour
Reliability = Sequence[tuple[float, float, int]]


def cases(rng: Random) -> Iterator[dict[str, object]]:
    yield {"reliability": [(0.9, 0.4, 12)]}
    yield {"reliability": [(0.55, 0.9, 5), (0.95, 0.7, 45), (0.75, 0.75, 10)]}
    yield {"reliability": [(0.6, 0.9, 40), (0.9, 0.8, 10)]}
    for bins in (2, 4, 7):
        yield {"reliability": [(rng.uniform(0.5, 1), rng.random(), rng.randint(1, 60)) for _ in range(bins)]}


def _gaps(reliability: Reliability) -> list[float]:
    return [abs(sure - right) for sure, right, _ in reliability]


def _pairs(reliability: Reliability) -> int:
    return sum(count for *_, count in reliability)


def wrong_bins_alike(reliability: Reliability) -> float:
    return sum(_gaps(reliability)) / len(reliability)


def wrong_signed(reliability: Reliability) -> float:
    return sum((sure - right) * count for sure, right, count in reliability) / _pairs(reliability)


def wrong_size_at_the_end(reliability: Reliability) -> float:
    return abs(sum((sure - right) * count for sure, right, count in reliability)) / _pairs(reliability)


def wrong_largest(reliability: Reliability) -> float:
    return max(_gaps(reliability))


def wrong_squared(reliability: Reliability) -> float:
    return sum((sure - right) ** 2 * count for sure, right, count in reliability) / _pairs(reliability)


def wrong_not_divided(reliability: Reliability) -> float:
    return sum(abs(sure - right) * count for sure, right, count in reliability)


def wrong_by_bins(reliability: Reliability) -> float:
    return sum(abs(sure - right) * count for sure, right, count in reliability) / len(reliability)


def wrong_accuracy_missed(reliability: Reliability) -> float:
    return sum(abs(sure - 1) * count for sure, _, count in reliability) / _pairs(reliability)
