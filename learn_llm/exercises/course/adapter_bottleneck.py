"""The bottleneck of an adapter."""

from collections.abc import Iterator
from random import Random

import torch.nn.functional as F
from torch import Tensor

from learn_llm.exercises.inputs import normal

TARGET = "learn_llm.minimal_impls.adapters:bottleneck"
GRADIENT = ("h", "down", "up", "up_bias")


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for shape, m in (((4,), 2), ((2, 5), 3), ((2, 3, 6), 2), ((3, 8), 4)):
        d = shape[-1]
        yield {
            "h": normal(rng, *shape),
            "down": normal(rng, m, d),
            "down_bias": normal(rng, m),
            "up": normal(rng, d, m),
            "up_bias": normal(rng, d),
        }


def wrong_linear(h: Tensor, down: Tensor, down_bias: Tensor, up: Tensor, up_bias: Tensor) -> Tensor:
    return F.linear(F.linear(h, down, down_bias), up, up_bias)


def wrong_relu(h: Tensor, down: Tensor, down_bias: Tensor, up: Tensor, up_bias: Tensor) -> Tensor:
    return F.linear(F.linear(h, down, down_bias).relu(), up, up_bias)


def wrong_gelu_last(h: Tensor, down: Tensor, down_bias: Tensor, up: Tensor, up_bias: Tensor) -> Tensor:
    return F.gelu(F.linear(F.linear(h, down, down_bias), up, up_bias))


def wrong_residual(h: Tensor, down: Tensor, down_bias: Tensor, up: Tensor, up_bias: Tensor) -> Tensor:
    return h + F.linear(F.gelu(F.linear(h, down, down_bias)), up, up_bias)


def wrong_no_down_bias(h: Tensor, down: Tensor, down_bias: Tensor, up: Tensor, up_bias: Tensor) -> Tensor:
    return F.linear(F.gelu(F.linear(h, down)), up, up_bias)


def wrong_no_up_bias(h: Tensor, down: Tensor, down_bias: Tensor, up: Tensor, up_bias: Tensor) -> Tensor:
    return F.linear(F.gelu(F.linear(h, down, down_bias)), up)


def wrong_bias_behind_gelu(h: Tensor, down: Tensor, down_bias: Tensor, up: Tensor, up_bias: Tensor) -> Tensor:
    return F.linear(F.gelu(F.linear(h, down)) + down_bias, up, up_bias)
