"""How undecided a distribution is."""

import math
from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import normal

TARGET = "learn_llm.demos.perplexity:entropy"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for shape in ((4,), (3, 5), (2, 4, 7)):
        yield {"probs": normal(rng, *shape, scale=1.5).softmax(-1)}
    yield {"probs": torch.full((2, 6), 1 / 6)}
    certain = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.2, 0.7, 0.1]])
    yield {"probs": certain}


def _terms(probs: Tensor) -> Tensor:
    terms: Tensor = torch.special.entr(probs)
    return terms


def wrong_zero_times_infinity(probs: Tensor) -> Tensor:
    return -(probs * probs.log()).sum(-1)


def wrong_bits(probs: Tensor) -> Tensor:
    return _terms(probs).sum(-1) / math.log(2)


def wrong_sign(probs: Tensor) -> Tensor:
    return -_terms(probs).sum(-1)


def wrong_mean(probs: Tensor) -> Tensor:
    return _terms(probs).mean(-1)


def wrong_everything_summed(probs: Tensor) -> Tensor:
    return _terms(probs).sum()


def wrong_first_axis(probs: Tensor) -> Tensor:
    return _terms(probs).sum(0)


def wrong_not_weighted(probs: Tensor) -> Tensor:
    return -probs.clamp(min=1e-12).log().sum(-1)


def wrong_share(probs: Tensor) -> Tensor:
    return _terms(probs).sum(-1) / math.log(probs.shape[-1])


def wrong_exponential(probs: Tensor) -> Tensor:
    return _terms(probs).sum(-1).exp()
