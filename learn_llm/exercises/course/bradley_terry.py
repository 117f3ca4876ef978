"""The loss of a reward model: a pair and who won."""

from collections.abc import Iterator
from random import Random

import torch.nn.functional as F
from torch import Tensor

from learn_llm.exercises.inputs import normal, uniform

TARGET = "learn_llm.minimal_impls.reward_model:bradley_terry_loss"
RUN = "--steps 50 --pairs 1200 --held-out-pairs 256"  # the whole run takes a quarter of an hour
GRADIENT = ("chosen", "rejected")


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for pairs in (1, 2, 8):
        yield {"chosen": normal(rng, pairs), "rejected": normal(rng, pairs)}
    yield {"chosen": normal(rng, 6, scale=2.0), "rejected": normal(rng, 6, scale=2.0), "margin": rng.uniform(0.5, 2.0)}
    yield {"chosen": normal(rng, 5), "rejected": normal(rng, 5), "margin": uniform(rng, 5, low=0.3, high=2.0)}
    yield {"chosen": normal(rng, 4) - 120.0, "rejected": normal(rng, 4) + 120.0}


def wrong_reversed(chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    return -F.logsigmoid(rejected - chosen - margin).mean()


def wrong_sign(chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    return F.logsigmoid(chosen - rejected - margin).mean()


def wrong_margin_added(chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    return -F.logsigmoid(chosen - rejected + margin).mean()


def wrong_margin_ignored(chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    return -F.logsigmoid(chosen - rejected).mean()


def wrong_margin_outside(chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    return (-F.logsigmoid(chosen - rejected) + margin).mean()


def wrong_no_log(chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    return -(chosen - rejected - margin).sigmoid().mean()


def wrong_no_sigmoid(chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    return -(chosen - rejected - margin).mean()


def wrong_hinge(chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    return F.relu(margin - (chosen - rejected)).mean()


def wrong_sum(chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    return -F.logsigmoid(chosen - rejected - margin).sum()


def wrong_mean_first(chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    return -F.logsigmoid((chosen - rejected - margin).mean())


def wrong_apart(chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    return -(F.logsigmoid(chosen - margin) + F.logsigmoid(-rejected)).mean()


def wrong_underflow(chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    return -(chosen - rejected - margin).sigmoid().log().mean()
