"""Drawing the inputs of an exercise: all helpers take the `rng` of `cases`, so a seed gives the same cases.

T is the length of a row, V the size of the vocabulary.
"""

from random import Random

import torch
from torch import Tensor


def torch_rng(rng: Random) -> torch.Generator:
    """A torch generator that continues `rng`."""
    return torch.Generator().manual_seed(rng.getrandbits(63))


def normal(rng: Random, *shape: int, scale: float = 1.0) -> Tensor:
    """Normal numbers of the given shape, mean 0, standard deviation `scale`."""
    return torch.randn(shape, generator=torch_rng(rng)) * scale


def uniform(rng: Random, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Numbers evenly between low and high."""
    return torch.rand(shape, generator=torch_rng(rng)) * (high - low) + low


def integers(rng: Random, *shape: int, high: int, low: int = 0) -> Tensor:
    """Whole numbers from low to high - 1, int64: token ids with `high=V`."""
    return torch.randint(low, high, shape, generator=torch_rng(rng))


def logprobs(rng: Random, *shape: int, scale: float = 1.0) -> Tensor:
    """Log-probabilities of sampled tokens: numbers at or below 0, in nats."""
    return -normal(rng, *shape, scale=scale).abs()


def right_padded(rng: Random, rows: int, columns: int, shortest: int = 1) -> Tensor:
    """A mask (rows, columns) of 0 and 1, int64: ones on the left, padding behind; never all rows of full length.

    >>> right_padded(Random(0), 2, 4)
    tensor([[1, 1, 1, 1],
            [1, 1, 1, 0]])
    """
    lengths = [rng.randint(shortest, columns) for _ in range(rows)]
    if rows > 1 and columns > shortest and min(lengths) == columns:
        lengths[-1] -= 1
    return torch.tensor([[int(t < length) for t in range(columns)] for length in lengths])


def response_mask(rng: Random, rows: int, columns: int) -> Tensor:
    """A mask (rows, columns) of 0 and 1, int64: 0 on a prompt of at least one token, 1 on a response, 0 on padding."""
    result = torch.zeros(rows, columns, dtype=torch.int64)
    for row in range(rows):
        start = rng.randint(1, columns - 1)
        end = rng.randint(start + 1, columns)
        result[row, start:end] = 1
    return result
