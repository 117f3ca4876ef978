"""The loss of pretraining: each token predicted from those before it."""

from collections.abc import Iterator
from random import Random

import torch.nn.functional as F
from torch import Tensor

from learn_llm.exercises.inputs import integers, normal

TARGET = "learn_llm.minimal_impls.pretrain:next_token_loss"
GRADIENT = ("logits",)


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns, vocabulary, scale in ((1, 1, 2, 1.0), (1, 4, 5, 1.0), (3, 7, 11, 2.0), (5, 2, 7, 1.0)):
        logits = normal(rng, rows, columns, vocabulary, scale=scale)
        yield {"logits": logits, "text": integers(rng, rows, columns + 1, high=vocabulary)}
    yield {"logits": normal(rng, 2, 5, 9, scale=300.0), "text": integers(rng, 2, 6, high=9)}


def wrong_not_shifted(logits: Tensor, text: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), text[:, :-1].flatten())


def wrong_sum(logits: Tensor, text: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten(), reduction="sum")


def wrong_per_row(logits: Tensor, text: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten(), reduction="sum") / logits.shape[0]


def wrong_sign(logits: Tensor, text: Tensor) -> Tensor:
    return -F.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten())


def wrong_no_log(logits: Tensor, text: Tensor) -> Tensor:
    return -logits.softmax(-1).gather(-1, text[:, 1:, None]).mean()


def wrong_overflow(logits: Tensor, text: Tensor) -> Tensor:
    exponentials = logits.exp()
    probs = exponentials / exponentials.sum(-1, keepdim=True)
    return -probs.gather(-1, text[:, 1:, None]).log().mean()
