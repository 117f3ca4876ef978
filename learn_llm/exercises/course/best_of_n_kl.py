"""How far the best of n is from one sample."""

import math
from collections.abc import Iterator
from random import Random

TARGET = "learn_llm.minimal_impls.best_of_n:best_of_n_kl"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for low, high in ((1, 1), (2, 2), (3, 4), (5, 16), (17, 64), (65, 1000), (1001, 60000)):
        yield {"n": rng.randint(low, high)}


def wrong_log_only(n: int) -> float:
    return math.log(n)


def wrong_less_one(n: int) -> float:
    return math.log(n) - 1


def wrong_bits(n: int) -> float:
    return math.log2(n) - (n - 1) / n


def wrong_added(n: int) -> float:
    return math.log(n) + (n - 1) / n


def wrong_less_inverse(n: int) -> float:
    return math.log(n) - 1 / n


def wrong_root(n: int) -> float:
    return math.sqrt(math.log(n) - (n - 1) / n)


def wrong_over_n_less_one(n: int) -> float:
    return math.log(n) - n / (n - 1) if n > 1 else 0.0


def wrong_other_way(n: int) -> float:
    return n - 1 - math.log(n)
