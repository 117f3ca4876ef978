"""Rotary positions in the layout of Hugging Face: halves instead of neighbours."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import normal, uniform

TARGET = "learn_llm.gpt:rotate"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, heads, length, size, own in ((1, 1, 1, 2, 1), (1, 2, 3, 4, 1), (2, 3, 5, 8, 1), (3, 2, 4, 6, 3)):
        angles = uniform(rng, own, 1, length, size // 2, low=-3.0, high=3.0)
        yield {"x": normal(rng, rows, heads, length, size), "cos": angles.cos(), "sin": angles.sin()}


def wrong_neighbours(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, odd * cos + even * sin), dim=-1).flatten(-2)


def wrong_clockwise(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos + b * sin, b * cos - a * sin), dim=-1)


def wrong_no_minus(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos + b * sin, b * cos + a * sin), dim=-1)


def wrong_cos_sin_swapped(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * sin - b * cos, b * sin + a * cos), dim=-1)


def wrong_first_half_only(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b), dim=-1)


def wrong_halves_swapped(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, dim=-1)
    return torch.cat((b * cos + a * sin, a * cos - b * sin), dim=-1)


def wrong_own_products_only(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos, b * sin), dim=-1)


def wrong_turned_in_place(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, dim=-1)
    a = a * cos - b * sin
    return torch.cat((a, b * cos + a * sin), dim=-1)
