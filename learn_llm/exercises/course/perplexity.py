"""Among how many equally likely tokens the model hesitates."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import logprobs as draw_logprobs
from learn_llm.exercises.inputs import right_padded


def perplexity(logprobs: Tensor, mask: Tensor) -> Tensor:
    """exp of the mean surprise of all tokens of a batch, a scalar.

    Args:
        logprobs: (B, T) in nats, the log-probability that the model gave each token.
        mask: (B, T), 1 on the tokens that count (at least one), 0 on padding.

    Two tokens with probabilities 1/2 and 1/8: the geometric mean is 1/4.

    >>> perplexity(torch.tensor([[0.5, 0.125, 0.9]]).log(), torch.tensor([[1, 1, 0]]))
    tensor(4.)
    """
    return (-(logprobs * mask).sum() / mask.sum()).exp()


TARGET = perplexity


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns in ((1, 1), (1, 4), (3, 5), (4, 8)):
        yield {"logprobs": draw_logprobs(rng, rows, columns), "mask": right_padded(rng, rows, columns)}
    uneven = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    yield {"logprobs": draw_logprobs(rng, 2, 5, scale=2.0), "mask": uneven}


def wrong_loss(logprobs: Tensor, mask: Tensor) -> Tensor:
    return -(logprobs * mask).sum() / mask.sum()


def wrong_no_minus(logprobs: Tensor, mask: Tensor) -> Tensor:
    return ((logprobs * mask).sum() / mask.sum()).exp()


def wrong_base_two(logprobs: Tensor, mask: Tensor) -> Tensor:
    return 2 ** (-(logprobs * mask).sum() / mask.sum())


def wrong_joint(logprobs: Tensor, mask: Tensor) -> Tensor:
    return (-(logprobs * mask).sum()).exp()


def wrong_mean_of_tokens(logprobs: Tensor, mask: Tensor) -> Tensor:
    return ((-logprobs).exp() * mask).sum() / mask.sum()


def wrong_mean_probability(logprobs: Tensor, mask: Tensor) -> Tensor:
    return mask.sum() / (logprobs.exp() * mask).sum()


def wrong_mean_of_rows(logprobs: Tensor, mask: Tensor) -> Tensor:
    return (-(logprobs * mask).sum(1) / mask.sum(1)).exp().mean()


def wrong_loss_by_row(logprobs: Tensor, mask: Tensor) -> Tensor:
    return (-(logprobs * mask).sum(1) / mask.sum(1)).mean().exp()


def wrong_over_padding(logprobs: Tensor, mask: Tensor) -> Tensor:
    return (-logprobs.mean()).exp()


def wrong_all_positions(logprobs: Tensor, mask: Tensor) -> Tensor:
    return (-(logprobs * mask).mean()).exp()
