"""Rotary positions, pairs of neighbours."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import integers, normal

TARGET = "learn_llm.demos.transformer_masks_positions:rope"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    yield {"x": normal(rng, 1, 2), "positions": torch.tensor([3.0])}
    yield {"x": normal(rng, 4, 4), "positions": torch.arange(4)}
    yield {"x": normal(rng, 2, 5, 8), "positions": torch.arange(7, 12), "base": 100.0}
    yield {"x": normal(rng, 2, 3, 4, 6), "positions": integers(rng, 4, low=1, high=30), "base": 50.0}
    yield {"x": normal(rng, 2, 6, 16), "positions": integers(rng, 6, low=1, high=200)}


def _angles(x: Tensor, positions: Tensor, base: float) -> Tensor:
    d = x.shape[-1]
    return positions[:, None] * base ** (-torch.arange(0, d, 2) / d)


def _turned(x: Tensor, angles: Tensor) -> Tensor:
    even, odd = x[..., 0::2], x[..., 1::2]
    pairs = (even * angles.cos() - odd * angles.sin(), even * angles.sin() + odd * angles.cos())
    return torch.stack(pairs, dim=-1).flatten(-2)


def wrong_exponent_i(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    d = x.shape[-1]
    return _turned(x, positions[:, None] * base ** (-torch.arange(d // 2) / d))


def wrong_exponent_positive(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    d = x.shape[-1]
    return _turned(x, positions[:, None] * base ** (torch.arange(0, d, 2) / d))


def wrong_clockwise(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    return _turned(x, -_angles(x, positions, base))


def wrong_halves(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    angles = _angles(x, positions, base)
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()), dim=-1)


def wrong_not_interleaved(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    angles = _angles(x, positions, base)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.cat((even * angles.cos() - odd * angles.sin(), even * angles.sin() + odd * angles.cos()), dim=-1)


def wrong_one_angle(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    return _turned(x, positions[:, None].float().expand(-1, x.shape[-1] // 2))


def wrong_places_counted(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    return _turned(x, _angles(x, torch.arange(x.shape[-2]), base))


def wrong_base_ignored(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    return _turned(x, _angles(x, positions, 10_000.0))


def wrong_no_minus(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    angles = _angles(x, positions, base)
    even, odd = x[..., 0::2], x[..., 1::2]
    pairs = (even * angles.cos() + odd * angles.sin(), even * angles.sin() + odd * angles.cos())
    return torch.stack(pairs, dim=-1).flatten(-2)
