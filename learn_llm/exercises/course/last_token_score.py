"""Where a reward model reads its score."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import normal, right_padded


def last_token_score(hidden: Tensor, attention: Tensor, weight: Tensor) -> Tensor:
    """The score of each row, (B,): the head's product with the hidden state of the last real token.

    Args:
        hidden: (B, T, D), the trunk's output at every position.
        attention: (B, T), 1 on real tokens, 0 on padding, which stands on the right.
        weight: (D,), the head.

    The second token is the last real one:

    >>> last_token_score(torch.tensor([[[1.0], [5.0], [9.0]]]), torch.tensor([[1, 1, 0]]), torch.tensor([2.0]))
    tensor([10.])
    """
    last = attention.sum(1) - 1
    return hidden[torch.arange(len(hidden)), last] @ weight


TARGET = last_token_score
GRADIENT = ("hidden", "weight")


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns, size in ((1, 1, 2), (1, 5, 3), (4, 6, 4), (5, 9, 8)):
        yield {
            "hidden": normal(rng, rows, columns, size),
            "attention": right_padded(rng, rows, columns, shortest=min(2, columns)),
            "weight": normal(rng, size),
        }
    short = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 0, 0, 0]])
    yield {"hidden": normal(rng, 2, 5, 4), "attention": short, "weight": normal(rng, 4)}
    uneven = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0], [1, 1, 1, 1, 1]])
    yield {"hidden": normal(rng, 3, 5, 4), "attention": uneven, "weight": normal(rng, 4)}


def _rows(hidden: Tensor) -> Tensor:
    return torch.arange(len(hidden))


def wrong_last_column(hidden: Tensor, attention: Tensor, weight: Tensor) -> Tensor:
    return hidden[:, -1] @ weight


def wrong_behind(hidden: Tensor, attention: Tensor, weight: Tensor) -> Tensor:
    return hidden[_rows(hidden), attention.sum(1)] @ weight


def wrong_before(hidden: Tensor, attention: Tensor, weight: Tensor) -> Tensor:
    return hidden[_rows(hidden), (attention.sum(1) - 2).clamp(min=0)] @ weight


def wrong_mean(hidden: Tensor, attention: Tensor, weight: Tensor) -> Tensor:
    scores = hidden @ weight
    return (scores * attention).sum(1) / attention.sum(1)


def wrong_sum(hidden: Tensor, attention: Tensor, weight: Tensor) -> Tensor:
    return ((hidden @ weight) * attention).sum(1)


def wrong_first(hidden: Tensor, attention: Tensor, weight: Tensor) -> Tensor:
    return hidden[:, 0] @ weight


def wrong_longest(hidden: Tensor, attention: Tensor, weight: Tensor) -> Tensor:
    return hidden[:, int(attention.sum(1).max()) - 1] @ weight


def wrong_all_positions(hidden: Tensor, attention: Tensor, weight: Tensor) -> Tensor:
    return hidden @ weight


def wrong_every_pair(hidden: Tensor, attention: Tensor, weight: Tensor) -> Tensor:
    return hidden[:, attention.sum(1) - 1] @ weight


def wrong_detached(hidden: Tensor, attention: Tensor, weight: Tensor) -> Tensor:
    return hidden.detach()[_rows(hidden), attention.sum(1) - 1] @ weight
