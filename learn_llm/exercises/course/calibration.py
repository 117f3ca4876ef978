"""How sure a reward model is, against how often it is right."""

import math
from collections.abc import Callable, Iterator, Sequence
from random import Random
from statistics import fmean

TARGET = "learn_llm.minimal_impls.reward_model:calibration"
RUN = "--steps 50 --pairs 1200 --held-out-pairs 256"  # the whole run takes a quarter of an hour
Reliability = list[tuple[float, float, int]]


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for count, spread in ((3, 1.0), (20, 1.5), (40, 3.0)):
        yield {"differences": [rng.gauss(0.5, spread) for _ in range(count)]}
    yield {"differences": [rng.gauss(0.3, 1.0) for _ in range(25)], "bins": 5}
    yield {"differences": [rng.gauss(0.3, 2.0) for _ in range(12)], "bins": 1}
    yield {"differences": [50.0, -50.0, 60.0, 4.0, 0.0, 0.0, rng.gauss(0, 1)]}


def _confidence(difference: float) -> float:
    return 1 / (1 + math.exp(-abs(difference)))


def _binned(
    differences: Sequence[float],
    place: Callable[[float], int],
    sure: Callable[[float], float] = _confidence,
    right: Callable[[float], bool] = lambda difference: difference > 0,
) -> Reliability:
    groups: dict[int, list[tuple[float, bool]]] = {}
    for difference in differences:
        groups.setdefault(place(sure(difference)), []).append((sure(difference), right(difference)))
    return [(fmean(s for s, _ in group), fmean(r for _, r in group), len(group)) for _, group in sorted(groups.items())]


def _from_half(bins: int) -> Callable[[float], int]:
    return lambda sure: min(int((sure - 0.5) * 2 * bins), bins - 1)


def wrong_of_chosen(differences: Sequence[float], bins: int = 10) -> Reliability:
    def sure(difference: float) -> float:
        return 1 / (1 + math.exp(-difference))

    return _binned(differences, lambda p: min(int(p * bins), bins - 1), sure)


def wrong_from_zero(differences: Sequence[float], bins: int = 10) -> Reliability:
    return _binned(differences, lambda sure: min(int(sure * bins), bins - 1))


def wrong_top_bin_split(differences: Sequence[float], bins: int = 10) -> Reliability:
    return _binned(differences, lambda sure: int((sure - 0.5) * 2 * bins))


def wrong_ties_right(differences: Sequence[float], bins: int = 10) -> Reliability:
    return _binned(differences, _from_half(bins), right=lambda difference: difference >= 0)


def wrong_no_sigmoid(differences: Sequence[float], bins: int = 10) -> Reliability:
    return _binned(differences, lambda size: min(int(size), bins - 1), sure=abs)


def wrong_middles(differences: Sequence[float], bins: int = 10) -> Reliability:
    place = _from_half(bins)
    found = _binned(differences, place)
    return [(0.5 + (place(sure) + 0.5) / (2 * bins), right, count) for sure, right, count in found]


def wrong_empty_kept(differences: Sequence[float], bins: int = 10) -> Reliability:
    place = _from_half(bins)
    found = {place(row[0]): row for row in _binned(differences, place)}
    return [found.get(i, (0.0, 0.0, 0)) for i in range(bins)]


def wrong_share_wrong(differences: Sequence[float], bins: int = 10) -> Reliability:
    return _binned(differences, _from_half(bins), right=lambda difference: difference <= 0)


def wrong_ten_bins(differences: Sequence[float], bins: int = 10) -> Reliability:
    return _binned(differences, _from_half(10))
