"""Scores with mean 0 and standard deviation 1, without changing an order."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import normal


def normalise_head(weight: Tensor, shift: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """A new head (weight, shift) under which what now scores `scores` will have mean 0 and standard deviation 1.

    A response with the last hidden state h scores weight · h + shift.

    Args:
        weight: (D,), the head.
        shift: a scalar, added to every score.
        scores: (N,), what this head gives the reference responses; their deviation is that of torch, with N - 1.

    >>> normalise_head(torch.tensor([4.0]), torch.tensor(1.0), torch.tensor([3.0, 5.0, 7.0]))
    (tensor([2.]), tensor(-2.))
    """
    mean, std = scores.mean(), scores.std()
    return weight / std, (shift - mean) / std


TARGET = normalise_head


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for size, count in ((1, 3), (4, 6), (8, 12)):
        scores = normal(rng, count, scale=rng.uniform(1.5, 4.0)) + rng.uniform(1.0, 5.0)
        yield {"weight": normal(rng, size), "shift": torch.tensor(rng.uniform(0.5, 2.0)), "scores": scores}
    scores = normal(rng, 5, scale=0.3) - rng.uniform(1.0, 3.0)
    yield {"weight": normal(rng, 3), "shift": torch.tensor(0.0), "scores": scores}


def wrong_shift_not_divided(weight: Tensor, shift: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    return weight / scores.std(), shift - scores.mean()


def wrong_old_shift_lost(weight: Tensor, shift: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    return weight / scores.std(), -scores.mean() / scores.std()


def wrong_old_shift_kept(weight: Tensor, shift: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    return weight / scores.std(), shift - scores.mean() / scores.std()


def wrong_mean_added(weight: Tensor, shift: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    return weight / scores.std(), (shift + scores.mean()) / scores.std()


def wrong_variance(weight: Tensor, shift: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    return weight / scores.var(), (shift - scores.mean()) / scores.var()


def wrong_multiplied(weight: Tensor, shift: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    return weight * scores.std(), (shift - scores.mean()) * scores.std()


def wrong_mean_only(weight: Tensor, shift: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    return weight, shift - scores.mean()


def wrong_weight_moved(weight: Tensor, shift: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    return (weight - scores.mean()) / scores.std(), (shift - scores.mean()) / scores.std()


def wrong_biased(weight: Tensor, shift: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    std = scores.std(unbiased=False)
    return weight / std, (shift - scores.mean()) / std
