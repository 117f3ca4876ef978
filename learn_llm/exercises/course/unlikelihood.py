"""Unlikelihood: making a token less likely without running off to infinity."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import logprobs as draw

TARGET = "learn_llm.minimal_impls.coh:unlikelihood"
RUN = "--arms sft unlikelihood"
GRADIENT = ("logprobs",)
TOLERANCE = 2e-3  # 1 - (1 - 1e-6) in single precision is 1.013e-6


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for shape in ((1,), (2, 3), (4, 6)):
        yield {"logprobs": draw(rng, *shape) - 0.05}
    yield {"logprobs": draw(rng, 2, 3, scale=40.0) - 0.05}
    certain = draw(rng, 2, 4) - 0.05
    certain[0, 1] = certain[1, 3] = 0.0
    yield {"logprobs": certain}


def wrong_likelihood(logprobs: Tensor) -> Tensor:
    return -logprobs


def wrong_flipped(logprobs: Tensor) -> Tensor:
    return logprobs


def wrong_sign(logprobs: Tensor) -> Tensor:
    return torch.log1p(-logprobs.exp().clamp(max=1 - 1e-6))


def wrong_no_log(logprobs: Tensor) -> Tensor:
    return logprobs.exp()


def wrong_infinite(logprobs: Tensor) -> Tensor:
    return -torch.log1p(-logprobs.exp())


def wrong_no_exp(logprobs: Tensor) -> Tensor:
    return -torch.log1p(-logprobs)


def wrong_mean(logprobs: Tensor) -> Tensor:
    return -torch.log1p(-logprobs.exp().clamp(max=1 - 1e-6)).mean()
