"""The mean over the tokens that count."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import normal, response_mask, right_padded

TARGET = "learn_llm.rollouts:masked_mean"
GRADIENT = ("x",)


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns in ((1, 1), (1, 6), (4, 7), (5, 12)):
        yield {"x": normal(rng, rows, columns) + 1, "mask": right_padded(rng, rows, columns)}
    yield {"x": normal(rng, 3, 8) + 1, "mask": response_mask(rng, 3, 8)}
    uneven = torch.tensor([[1, 1, 1, 1, 1], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    yield {"x": normal(rng, 3, 5) + 1, "mask": uneven}
    yield {"x": normal(rng, 2, 4), "mask": torch.zeros(2, 4, dtype=torch.int64)}


def wrong_over_padding(x: Tensor, mask: Tensor) -> Tensor:
    return x.mean()


def wrong_all_positions(x: Tensor, mask: Tensor) -> Tensor:
    return (x * mask).mean()


def wrong_sum_over_padding(x: Tensor, mask: Tensor) -> Tensor:
    return x.sum() / mask.sum().clamp(min=1)


def wrong_mean_of_rows(x: Tensor, mask: Tensor) -> Tensor:
    return ((x * mask).sum(1) / mask.sum(1).clamp(min=1)).mean()


def wrong_per_row(x: Tensor, mask: Tensor) -> Tensor:
    return (x * mask).sum() / x.shape[0]


def wrong_each_row(x: Tensor, mask: Tensor) -> Tensor:
    return (x * mask).sum(1) / mask.sum(1).clamp(min=1)


def wrong_sum(x: Tensor, mask: Tensor) -> Tensor:
    return (x * mask).sum()


def wrong_nothing_counts(x: Tensor, mask: Tensor) -> Tensor:
    return (x * mask).sum() / mask.sum()


def wrong_empty_selection(x: Tensor, mask: Tensor) -> Tensor:
    return x[mask.bool()].mean()


def wrong_inverted(x: Tensor, mask: Tensor) -> Tensor:
    return (x * (1 - mask)).sum() / (1 - mask).sum().clamp(min=1)
