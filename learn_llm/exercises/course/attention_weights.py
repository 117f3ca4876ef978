"""How much each query reads from each position."""

import math
from collections.abc import Iterator
from random import Random

from torch import Tensor

from learn_llm.exercises.inputs import normal

TARGET = "learn_llm.demos.attention:attention_weights"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for shape, queries, positions, size in (
        ((), 1, 1, 4),
        ((), 2, 3, 4),
        ((2,), 4, 7, 8),
        ((2, 3), 5, 6, 16),
        ((3,), 1, 9, 64),
    ):
        yield {"q": normal(rng, *shape, queries, size), "k": normal(rng, *shape, positions, size)}
    for scale in (True, False):
        yield {"q": normal(rng, 2, 3, 8, scale=0.5), "k": normal(rng, 2, 5, 8), "scale": scale}
    yield {"q": normal(rng, 2, 3, 4, scale=100.0), "k": normal(rng, 2, 5, 4, scale=10.0), "scale": False}


def _scores(q: Tensor, k: Tensor, divisor: float) -> Tensor:
    return q @ k.transpose(-2, -1) / divisor


def wrong_not_scaled(q: Tensor, k: Tensor, scale: bool = True) -> Tensor:
    return _scores(q, k, 1.0).softmax(-1)


def wrong_divided_by_d(q: Tensor, k: Tensor, scale: bool = True) -> Tensor:
    return _scores(q, k, q.shape[-1] if scale else 1.0).softmax(-1)


def wrong_root_of_positions(q: Tensor, k: Tensor, scale: bool = True) -> Tensor:
    return _scores(q, k, math.sqrt(k.shape[-2]) if scale else 1.0).softmax(-1)


def wrong_multiplied(q: Tensor, k: Tensor, scale: bool = True) -> Tensor:
    return _scores(q, k, 1 / math.sqrt(q.shape[-1]) if scale else 1.0).softmax(-1)


def wrong_always_scaled(q: Tensor, k: Tensor, scale: bool = True) -> Tensor:
    return _scores(q, k, math.sqrt(q.shape[-1])).softmax(-1)


def wrong_over_queries(q: Tensor, k: Tensor, scale: bool = True) -> Tensor:
    return _scores(q, k, math.sqrt(q.shape[-1]) if scale else 1.0).softmax(-2)


def wrong_scaled_after(q: Tensor, k: Tensor, scale: bool = True) -> Tensor:
    weights = _scores(q, k, 1.0).softmax(-1)
    return weights / math.sqrt(q.shape[-1]) if scale else weights


def wrong_no_softmax(q: Tensor, k: Tensor, scale: bool = True) -> Tensor:
    return _scores(q, k, math.sqrt(q.shape[-1]) if scale else 1.0)


def wrong_overflow(q: Tensor, k: Tensor, scale: bool = True) -> Tensor:
    weights = _scores(q, k, math.sqrt(q.shape[-1]) if scale else 1.0).exp()
    return weights / weights.sum(-1, keepdim=True)
