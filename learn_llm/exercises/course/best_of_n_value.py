"""What the best of n is worth, from N samples, without bias."""

import math
import statistics
from collections.abc import Iterator, Sequence
from random import Random

from learn_llm.minimal_impls.best_of_n import best_of_n_value, best_of_n_weights

TARGET = "learn_llm.minimal_impls.best_of_n:best_of_n_value"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for total, n in ((3, 2), (6, 3), (9, 4), (8, 1), (5, 5)):
        yield {
            "scores": [rng.uniform(-1, 1) for _ in range(total)],
            "values": [rng.uniform(0, 10) for _ in range(total)],
            "n": n,
        }
    for total, n in ((6, 2), (10, 3)):
        yield {
            "scores": [float(rng.randint(0, 2)) for _ in range(total)],
            "values": [rng.uniform(0, 10) for _ in range(total)],
            "n": n,
        }
    yield {"scores": [1.0, 1.0, 1.0], "values": [rng.uniform(0, 9) for _ in range(3)], "n": 2}


def _sorted(scores: Sequence[float], values: Sequence[float]) -> list[float]:
    return [values[i] for i in sorted(range(len(scores)), key=lambda i: scores[i])]


def wrong_highest_of_all(scores: Sequence[float], values: Sequence[float], n: int) -> float:
    return _sorted(scores, values)[-1]


def wrong_first_n(scores: Sequence[float], values: Sequence[float], n: int) -> float:
    return values[max(range(n), key=lambda i: scores[i])]


def wrong_with_replacement(scores: Sequence[float], values: Sequence[float], n: int) -> float:
    total = len(scores)
    weights = [((i + 1) / total) ** n - (i / total) ** n for i in range(total)]
    counts = sorted(set(scores))
    result, at = 0.0, 0
    for score in counts:
        tied = [value for s, value in zip(scores, values, strict=True) if s == score]
        result += sum(weights[at : at + len(tied)]) * statistics.fmean(tied)
        at += len(tied)
    return result


def wrong_by_value(scores: Sequence[float], values: Sequence[float], n: int) -> float:
    return sum(w * v for w, v in zip(best_of_n_weights(len(scores), n), sorted(values), strict=True))


def wrong_of_score(scores: Sequence[float], values: Sequence[float], n: int) -> float:
    return sum(w * s for w, s in zip(best_of_n_weights(len(scores), n), sorted(scores), strict=True))


def wrong_worst(scores: Sequence[float], values: Sequence[float], n: int) -> float:
    return best_of_n_value([-score for score in scores], values, n)


def wrong_ties_in_order(scores: Sequence[float], values: Sequence[float], n: int) -> float:
    return sum(w * v for w, v in zip(best_of_n_weights(len(scores), n), _sorted(scores, values), strict=True))


def wrong_mean_of_top_n(scores: Sequence[float], values: Sequence[float], n: int) -> float:
    return statistics.fmean(_sorted(scores, values)[-n:])


def wrong_not_sorted(scores: Sequence[float], values: Sequence[float], n: int) -> float:
    return math.fsum(w * v for w, v in zip(best_of_n_weights(len(scores), n), values, strict=True))
