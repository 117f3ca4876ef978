"""PPO's clipped value loss."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import normal, right_padded

TARGET = "learn_llm.minimal_impls.ppo:value_loss"
GRADIENT = ("values",)


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for (rows, columns), clip in (((1, 1), 0.3), ((1, 6), 0.1), ((3, 5), 0.5), ((4, 12), 0.2), ((3, 7), 0.0)):
        old = normal(rng, rows, columns)
        yield {
            "values": old + normal(rng, rows, columns, scale=0.5),
            "old_values": old,
            "returns": old + normal(rng, rows, columns, scale=0.7),
            "mask": right_padded(rng, rows, columns),
            "clip": clip,
        }
    values, old, returns = normal(rng, 2, 6, scale=0.5), normal(rng, 2, 6, scale=0.5), normal(rng, 2, 6)
    yield {"values": values, "old_values": old, "returns": returns, "mask": right_padded(rng, 2, 6)}


def _half_mean(x: Tensor, mask: Tensor) -> Tensor:
    return 0.5 * (x * mask).sum() / mask.sum()


def _clipped(values: Tensor, old_values: Tensor, returns: Tensor, clip: float) -> Tensor:
    return (old_values + (values - old_values).clamp(-clip, clip) - returns).square()


def _errors(values: Tensor, old_values: Tensor, returns: Tensor, clip: float) -> Tensor:
    error = (values - returns).square()
    return torch.max(error, _clipped(values, old_values, returns, clip)) if clip else error


def wrong_no_half(values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, clip: float = 0.2) -> Tensor:
    return 2 * _half_mean(_errors(values, old_values, returns, clip), mask)


def wrong_no_clip(values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, clip: float = 0.2) -> Tensor:
    return _half_mean((values - returns).square(), mask)


def wrong_smaller(values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, clip: float = 0.2) -> Tensor:
    error = (values - returns).square()
    return _half_mean(torch.min(error, _clipped(values, old_values, returns, clip)) if clip else error, mask)


def wrong_always_clipped(
    values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, clip: float = 0.2
) -> Tensor:
    error = _clipped(values, old_values, returns, clip) if clip else (values - returns).square()
    return _half_mean(error, mask)


def wrong_around_returns(
    values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, clip: float = 0.2
) -> Tensor:
    error = (values - returns).square()
    near = (values - returns).clamp(-clip, clip).square()
    return _half_mean(near if clip else error, mask)


def wrong_frozen_at_zero(
    values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, clip: float = 0.2
) -> Tensor:
    error = torch.max((values - returns).square(), _clipped(values, old_values, returns, clip))
    return _half_mean(error, mask)


def wrong_as_ratio(values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, clip: float = 0.2) -> Tensor:
    error = (values - returns).square()
    clipped = old_values * (values / old_values).clamp(1 - clip, 1 + clip)
    return _half_mean(torch.max(error, (clipped - returns).square()) if clip else error, mask)


def wrong_padding(values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, clip: float = 0.2) -> Tensor:
    return 0.5 * _errors(values, old_values, returns, clip).mean()


def wrong_zeros(values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, clip: float = 0.2) -> Tensor:
    return 0.5 * (_errors(values, old_values, returns, clip) * mask).mean()
