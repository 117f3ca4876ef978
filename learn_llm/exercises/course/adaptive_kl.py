"""A KL price that holds a target."""

from collections.abc import Iterator
from random import Random

TARGET = "learn_llm.minimal_impls.ppo:adapt_kl_coef"
RUN = "--kl-target 2"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for low, high in ((0.1, 0.7), (0.85, 0.97), (1.03, 1.15), (1.3, 4.0), (0.0, 0.0)):
        target = rng.uniform(2.0, 8.0)
        yield {
            "kl_coef": rng.uniform(0.05, 0.5),
            "kl": target * rng.uniform(low, high),
            "target": target,
            "horizon": rng.uniform(500.0, 3000.0),
            "episodes": rng.randint(50, 400),
        }
    yield {"kl_coef": 0.1, "kl": rng.uniform(9.0, 20.0), "target": 3.0, "horizon": 500.0, "episodes": 400}


def _cut(error: float) -> float:
    return min(max(error, -0.2), 0.2)


def wrong_reversed(kl_coef: float, kl: float, target: float, horizon: float, episodes: int) -> float:
    return kl_coef * (1 - _cut(kl / target - 1) * episodes / horizon)


def wrong_not_cut(kl_coef: float, kl: float, target: float, horizon: float, episodes: int) -> float:
    return kl_coef * (1 + (kl / target - 1) * episodes / horizon)


def wrong_not_relative(kl_coef: float, kl: float, target: float, horizon: float, episodes: int) -> float:
    return kl_coef * (1 + _cut(kl - target) * episodes / horizon)


def wrong_no_horizon(kl_coef: float, kl: float, target: float, horizon: float, episodes: int) -> float:
    return kl_coef * (1 + _cut(kl / target - 1))


def wrong_added(kl_coef: float, kl: float, target: float, horizon: float, episodes: int) -> float:
    return kl_coef + _cut(kl / target - 1) * episodes / horizon


def wrong_only_rises(kl_coef: float, kl: float, target: float, horizon: float, episodes: int) -> float:
    return kl_coef * (1 + max(0.0, _cut(kl / target - 1)) * episodes / horizon)


def wrong_cut_late(kl_coef: float, kl: float, target: float, horizon: float, episodes: int) -> float:
    return kl_coef * (1 + _cut((kl / target - 1) * episodes / horizon))
