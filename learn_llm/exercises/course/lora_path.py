"""The path of low rank beside a frozen layer."""

from collections.abc import Iterator
from random import Random

import torch.nn.functional as F
from torch import Tensor

from learn_llm.exercises.inputs import normal

TARGET = "learn_llm.minimal_impls.lora:low_rank"
GRADIENT = ("x", "a", "b")


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for shape, d_out, rank in (((3,), 4, 1), ((2, 5), 5, 2), ((2, 3, 4), 6, 3), ((4, 6), 2, 2)):
        yield {
            "x": normal(rng, *shape),
            "a": normal(rng, rank, shape[-1]),
            "b": normal(rng, d_out, rank),
            "scaling": rng.choice([0.5, 2.0]),
        }


def wrong_no_scaling(x: Tensor, a: Tensor, b: Tensor, scaling: float) -> Tensor:
    return F.linear(F.linear(x, a), b)


def wrong_scaled_twice(x: Tensor, a: Tensor, b: Tensor, scaling: float) -> Tensor:
    return scaling * F.linear(scaling * F.linear(x, a), b)


def wrong_over_rank(x: Tensor, a: Tensor, b: Tensor, scaling: float) -> Tensor:
    return scaling / len(a) * F.linear(F.linear(x, a), b)


def wrong_nonlinear(x: Tensor, a: Tensor, b: Tensor, scaling: float) -> Tensor:
    return scaling * F.linear(F.gelu(F.linear(x, a)), b)


def wrong_relu(x: Tensor, a: Tensor, b: Tensor, scaling: float) -> Tensor:
    return scaling * F.linear(F.linear(x, a).relu(), b)


def wrong_a_frozen(x: Tensor, a: Tensor, b: Tensor, scaling: float) -> Tensor:
    return scaling * F.linear(F.linear(x, a.detach()), b)


def wrong_x_detached(x: Tensor, a: Tensor, b: Tensor, scaling: float) -> Tensor:
    return scaling * F.linear(F.linear(x.detach(), a), b)
