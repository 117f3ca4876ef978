"""Who may look at whom in a decoder."""

import math
from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import normal

TARGET = "learn_llm.demos.transformer_masks_positions:causal"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for shape in ((1, 1), (2, 2), (5, 5), (1, 3, 3), (2, 6, 6), (2, 3, 4, 4)):
        yield {"scores": normal(rng, *shape, scale=2.0)}


def _square(scores: Tensor) -> Tensor:
    return torch.ones(scores.shape[-2:], dtype=torch.bool)


def wrong_itself_hidden(scores: Tensor) -> Tensor:
    return scores.masked_fill(_square(scores).triu(0), -math.inf)


def wrong_past_hidden(scores: Tensor) -> Tensor:
    return scores.masked_fill(_square(scores).tril(-1), -math.inf)


def wrong_next_seen(scores: Tensor) -> Tensor:
    return scores.masked_fill(_square(scores).triu(2), -math.inf)


def wrong_zeros(scores: Tensor) -> Tensor:
    return scores * _square(scores).tril()


def wrong_finite(scores: Tensor) -> Tensor:
    return scores.masked_fill(_square(scores).triu(1), -1e9)


def wrong_zero_times_infinity(scores: Tensor) -> Tensor:
    return scores + _square(scores).triu(1).float() * -math.inf


def wrong_softmax_too(scores: Tensor) -> Tensor:
    return scores.masked_fill(_square(scores).triu(1), -math.inf).softmax(-1)


def wrong_only_past_kept(scores: Tensor) -> Tensor:
    return scores.masked_fill(~_square(scores).triu(1), -math.inf)
