"""Whitening: advantages of mean 0 and standard deviation 1, padding left out."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import normal, right_padded

TARGET = "learn_llm.minimal_impls.ppo:whiten"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns in ((1, 4), (3, 5), (2, 3), (4, 12)):
        mask = right_padded(rng, rows, columns, shortest=2)
        for flags in ({}, {"unbiased": False}, {"shift_mean": False}):
            yield {"x": normal(rng, rows, columns, scale=3.0) + 2, "mask": mask, **flags}
    x = normal(rng, 3, 6)
    yield {"x": x, "mask": right_padded(rng, 3, 6, shortest=2), "shift_mean": False, "unbiased": False}


def _moments(x: Tensor, mask: Tensor, unbiased: bool) -> tuple[Tensor, Tensor]:
    mean = (x * mask).sum() / mask.sum()
    return mean, ((x - mean).square() * mask).sum() / (mask.sum() - int(unbiased))


def _scaled(x: Tensor, mask: Tensor, mean: Tensor, variance: Tensor, shift_mean: bool) -> Tensor:
    whitened = (x - mean) * torch.rsqrt(variance + 1e-8)
    return (whitened if shift_mean else whitened + mean) * mask


def wrong_padding(x: Tensor, mask: Tensor, shift_mean: bool = True, unbiased: bool = True) -> Tensor:
    return _scaled(x, mask, x.mean(), x.var(correction=int(unbiased)), shift_mean)


def wrong_zeros_counted(x: Tensor, mask: Tensor, shift_mean: bool = True, unbiased: bool = True) -> Tensor:
    kept = x * mask
    return _scaled(x, mask, kept.mean(), kept.var(correction=int(unbiased)), shift_mean)


def wrong_per_row(x: Tensor, mask: Tensor, shift_mean: bool = True, unbiased: bool = True) -> Tensor:
    count = mask.sum(1, keepdim=True)
    mean = (x * mask).sum(1, keepdim=True) / count
    variance = ((x - mean).square() * mask).sum(1, keepdim=True) / (count - int(unbiased))
    return _scaled(x, mask, mean, variance, shift_mean)


def wrong_always_biased(x: Tensor, mask: Tensor, shift_mean: bool = True, unbiased: bool = True) -> Tensor:
    return _scaled(x, mask, *_moments(x, mask, False), shift_mean)


def wrong_always_unbiased(x: Tensor, mask: Tensor, shift_mean: bool = True, unbiased: bool = True) -> Tensor:
    return _scaled(x, mask, *_moments(x, mask, True), shift_mean)


def wrong_always_shifted(x: Tensor, mask: Tensor, shift_mean: bool = True, unbiased: bool = True) -> Tensor:
    return _scaled(x, mask, *_moments(x, mask, unbiased), True)


def wrong_padding_left(x: Tensor, mask: Tensor, shift_mean: bool = True, unbiased: bool = True) -> Tensor:
    return _scaled(x, torch.ones_like(mask), *_moments(x, mask, unbiased), shift_mean)


def wrong_variance(x: Tensor, mask: Tensor, shift_mean: bool = True, unbiased: bool = True) -> Tensor:
    mean, variance = _moments(x, mask, unbiased)
    return _scaled(x, mask, mean, variance.square(), shift_mean)


def wrong_mean_kept(x: Tensor, mask: Tensor, shift_mean: bool = True, unbiased: bool = True) -> Tensor:
    mean, variance = _moments(x, mask, unbiased)
    return _scaled(x, mask, mean if shift_mean else torch.zeros_like(mean), variance, True)
