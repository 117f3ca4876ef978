"""Find the bug: a mean with padding in it."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import normal, right_padded

TARGET = "learn_llm.rollouts:masked_mean"
GRADIENT = ("x",)


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns in ((1, 2), (3, 5), (4, 12), (2, 8)):
        yield {"x": normal(rng, rows, columns) + 1, "mask": right_padded(rng, rows, columns)}
    yield {"x": normal(rng, 2, 4) + 1, "mask": torch.tensor([[1, 1, 0, 0], [1, 0, 0, 0]])}
    yield {"x": normal(rng, 2, 3) + 1, "mask": torch.zeros(2, 3, dtype=torch.int64)}


def wrong_zeros_counted(x: Tensor, mask: Tensor) -> Tensor:
    return (x * mask).mean()


def wrong_no_mask(x: Tensor, mask: Tensor) -> Tensor:
    return x.mean()


def wrong_padding_in_sum(x: Tensor, mask: Tensor) -> Tensor:
    return x.sum() / mask.sum().clamp(min=1)


def wrong_by_row(x: Tensor, mask: Tensor) -> Tensor:
    return ((x * mask).sum(1) / mask.sum(1).clamp(min=1)).mean()


def wrong_nan(x: Tensor, mask: Tensor) -> Tensor:
    return (x * mask).sum() / mask.sum()


def wrong_sum(x: Tensor, mask: Tensor) -> Tensor:
    return (x * mask).sum()


START = wrong_zeros_counted
