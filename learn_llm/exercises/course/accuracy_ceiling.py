"""The best accuracy that noisy labels allow."""

from collections.abc import Iterator, Sequence
from random import Random

from learn_llm.tinyworld.annotators import NOISE, preference

TARGET = "learn_llm.tinyworld.annotators:ceiling"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for count in (1, 4, 12):
        yield {"differences": [rng.uniform(-1, 1) for _ in range(count)], "noise": rng.choice([0.4, 0.5, 0.8])}
    yield {"differences": [rng.uniform(-0.6, 0.6) for _ in range(6)]}
    yield {"differences": [0.0, 0.0, 0.5, -0.5], "noise": 0.0}
    yield {"differences": [0.0, rng.uniform(0.1, 0.4), -0.3], "noise": 0.6}


def _wins(differences: Sequence[float], noise: float) -> list[float]:
    """How often the better one wins, pair by pair."""
    return [preference(abs(difference), 0.0, noise) for difference in differences]


def wrong_signed(differences: Sequence[float], noise: float = NOISE) -> float:
    return sum(preference(difference, 0.0, noise) for difference in differences) / len(differences)


def wrong_no_noise(differences: Sequence[float], noise: float = NOISE) -> float:
    return sum(1.0 if difference else 0.5 for difference in differences) / len(differences)


def wrong_noise_ignored(differences: Sequence[float], noise: float = NOISE) -> float:
    return sum(_wins(differences, 1.0)) / len(differences)


def wrong_two_annotators(differences: Sequence[float], noise: float = NOISE) -> float:
    return sum(p * p + (1 - p) * (1 - p) for p in _wins(differences, noise)) / len(differences)


def wrong_mean_difference(differences: Sequence[float], noise: float = NOISE) -> float:
    return preference(sum(map(abs, differences)) / len(differences), 0.0, noise)


def wrong_ties_right(differences: Sequence[float], noise: float = NOISE) -> float:
    wins = _wins(differences, noise)
    return sum(p if d else 1.0 for p, d in zip(wins, differences, strict=True)) / len(differences)


def wrong_ties_left_out(differences: Sequence[float], noise: float = NOISE) -> float:
    clear = [difference for difference in differences if difference]
    return sum(_wins(clear, noise)) / len(clear)


def wrong_clearest(differences: Sequence[float], noise: float = NOISE) -> float:
    return max(_wins(differences, noise))


def wrong_default_noise(differences: Sequence[float], noise: float = NOISE) -> float:
    return sum(_wins(differences, NOISE)) / len(differences)
