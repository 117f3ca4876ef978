"""The loss of DPO."""

from collections.abc import Iterator
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor

from learn_llm.exercises.inputs import normal, uniform

TARGET = "learn_llm.minimal_impls.dpo:dpo_loss"
GRADIENT = ("chosen", "rejected")


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, label_smoothing in ((1, 0.0), (3, 0.0), (4, 0.1), (7, 0.3)):
        yield {
            **{name: uniform(rng, rows, low=-30, high=-10) for name in ("ref_chosen", "ref_rejected")},
            **{name: uniform(rng, rows, low=-30, high=-10) for name in ("chosen", "rejected")},
            "beta": rng.choice([0.1, 0.3]),
            "label_smoothing": label_smoothing,
        }
    same = uniform(rng, 3, low=-20)
    yield {"chosen": same, "rejected": same, "ref_chosen": same, "ref_rejected": same, "beta": 0.1}
    far = normal(rng, 4).abs() * 100 + 1500
    zero = torch.zeros(4)
    yield {"chosen": -far, "rejected": zero - 1, "ref_chosen": zero - 2, "ref_rejected": zero - 3, "beta": 0.5}


def _loss(h: Tensor, label_smoothing: float) -> Tensor:
    return (-(1 - label_smoothing) * F.logsigmoid(h) - label_smoothing * F.logsigmoid(-h)).mean()


def wrong_no_reference(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    beta: float,
    label_smoothing: float = 0.0,
) -> Tensor:
    return _loss(beta * (chosen - rejected), label_smoothing)


def wrong_swapped(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    beta: float,
    label_smoothing: float = 0.0,
) -> Tensor:
    return _loss(beta * ((rejected - ref_rejected) - (chosen - ref_chosen)), label_smoothing)


def wrong_reference_sign(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    beta: float,
    label_smoothing: float = 0.0,
) -> Tensor:
    return _loss(beta * ((chosen - rejected) + (ref_chosen - ref_rejected)), label_smoothing)


def wrong_beta_outside(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    beta: float,
    label_smoothing: float = 0.0,
) -> Tensor:
    return beta * _loss((chosen - ref_chosen) - (rejected - ref_rejected), label_smoothing)


def wrong_no_log(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    beta: float,
    label_smoothing: float = 0.0,
) -> Tensor:
    h = beta * ((chosen - ref_chosen) - (rejected - ref_rejected))
    return (-(1 - label_smoothing) * h.sigmoid() - label_smoothing * (-h).sigmoid()).mean()


def wrong_underflow(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    beta: float,
    label_smoothing: float = 0.0,
) -> Tensor:
    h = beta * ((chosen - ref_chosen) - (rejected - ref_rejected))
    loss = -(1 - label_smoothing) * h.sigmoid().log()
    return (loss - label_smoothing * (-h).sigmoid().log() if label_smoothing else loss).mean()


def wrong_no_smoothing(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    beta: float,
    label_smoothing: float = 0.0,
) -> Tensor:
    return _loss(beta * ((chosen - ref_chosen) - (rejected - ref_rejected)), 0.0)


def wrong_smoothing_sign(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    beta: float,
    label_smoothing: float = 0.0,
) -> Tensor:
    h = beta * ((chosen - ref_chosen) - (rejected - ref_rejected))
    return (-(1 - label_smoothing) * F.logsigmoid(h) + label_smoothing * F.logsigmoid(-h)).mean()


def wrong_smoothing_half(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    beta: float,
    label_smoothing: float = 0.0,
) -> Tensor:
    h = beta * ((chosen - ref_chosen) - (rejected - ref_rejected))
    return -(1 - label_smoothing) * F.logsigmoid(h).mean()


def wrong_sum(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    beta: float,
    label_smoothing: float = 0.0,
) -> Tensor:
    return _loss(beta * ((chosen - ref_chosen) - (rejected - ref_rejected)), label_smoothing) * len(chosen)


def wrong_chosen_only(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    beta: float,
    label_smoothing: float = 0.0,
) -> Tensor:
    return _loss(beta * (chosen - ref_chosen), label_smoothing)
