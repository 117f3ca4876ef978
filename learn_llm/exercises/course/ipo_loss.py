"""The loss of IPO."""

from collections.abc import Iterator
from random import Random

from torch import Tensor

from learn_llm.exercises.inputs import uniform

TARGET = "learn_llm.minimal_impls.dpo:ipo_loss"
RUN = "--loss ipo"
GRADIENT = ("chosen", "rejected")


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows in (1, 2, 5, 8):
        yield {
            **{name: uniform(rng, rows, low=-30, high=-10) for name in ("chosen", "rejected")},
            **{name: uniform(rng, rows, low=-30, high=-10) for name in ("ref_chosen", "ref_rejected")},
            "beta": rng.choice([0.05, 0.1, 0.3]),
        }
    same = uniform(rng, 3, low=-20)
    yield {"chosen": same, "rejected": same, "ref_chosen": same, "ref_rejected": same, "beta": 0.2}


def wrong_no_half(chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, beta: float) -> Tensor:
    return (((chosen - ref_chosen) - (rejected - ref_rejected)) - 1 / beta).square().mean()


def wrong_half_beta(chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, beta: float) -> Tensor:
    return (((chosen - ref_chosen) - (rejected - ref_rejected)) - 1 / 2 * beta).square().mean()


def wrong_beta_twice(chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, beta: float) -> Tensor:
    return (beta * ((chosen - ref_chosen) - (rejected - ref_rejected)) - 1 / (2 * beta)).square().mean()


def wrong_hinge(chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, beta: float) -> Tensor:
    margin = (chosen - ref_chosen) - (rejected - ref_rejected)
    return (1 / (2 * beta) - margin).clamp(min=0).square().mean()


def wrong_absolute(chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, beta: float) -> Tensor:
    return (((chosen - ref_chosen) - (rejected - ref_rejected)) - 1 / (2 * beta)).abs().mean()


def wrong_no_reference(
    chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, beta: float
) -> Tensor:
    return ((chosen - rejected) - 1 / (2 * beta)).square().mean()


def wrong_swapped(chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, beta: float) -> Tensor:
    return (((rejected - ref_rejected) - (chosen - ref_chosen)) - 1 / (2 * beta)).square().mean()


def wrong_mean_first(chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, beta: float) -> Tensor:
    return (((chosen - ref_chosen) - (rejected - ref_rejected)).mean() - 1 / (2 * beta)).square()
