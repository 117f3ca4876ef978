"""How likely the model found each token that really came."""

from collections.abc import Iterator
from random import Random

from torch import Tensor

from learn_llm.exercises.inputs import integers, normal

TARGET = "learn_llm.training:token_logprobs"
GRADIENT = ("logits",)


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns, vocabulary, scale in ((1, 2, 3, 1.0), (1, 5, 4, 1.0), (3, 7, 11, 2.0), (4, 3, 6, 1.0)):
        logits = normal(rng, rows, columns, vocabulary, scale=scale)
        yield {"logits": logits, "tokens": integers(rng, rows, columns, high=vocabulary)}
    yield {"logits": normal(rng, 2, 6, 9, scale=300.0), "tokens": integers(rng, 2, 6, high=9)}


def wrong_not_shifted(logits: Tensor, tokens: Tensor) -> Tensor:
    return logits[:, :-1].log_softmax(-1).gather(-1, tokens[:, :-1, None]).squeeze(-1)


def wrong_shifted_back(logits: Tensor, tokens: Tensor) -> Tensor:
    return logits[:, 1:].log_softmax(-1).gather(-1, tokens[:, :-1, None]).squeeze(-1)


def wrong_own_position(logits: Tensor, tokens: Tensor) -> Tensor:
    return logits[:, 1:].log_softmax(-1).gather(-1, tokens[:, 1:, None]).squeeze(-1)


def wrong_all_positions(logits: Tensor, tokens: Tensor) -> Tensor:
    return logits.log_softmax(-1).gather(-1, tokens[..., None]).squeeze(-1)


def wrong_probabilities(logits: Tensor, tokens: Tensor) -> Tensor:
    return logits[:, :-1].softmax(-1).gather(-1, tokens[:, 1:, None]).squeeze(-1)


def wrong_raw_logits(logits: Tensor, tokens: Tensor) -> Tensor:
    return logits[:, :-1].gather(-1, tokens[:, 1:, None]).squeeze(-1)


def wrong_over_positions(logits: Tensor, tokens: Tensor) -> Tensor:
    return logits[:, :-1].log_softmax(1).gather(-1, tokens[:, 1:, None]).squeeze(-1)


def wrong_sign(logits: Tensor, tokens: Tensor) -> Tensor:
    return -logits[:, :-1].log_softmax(-1).gather(-1, tokens[:, 1:, None]).squeeze(-1)


def wrong_underflow(logits: Tensor, tokens: Tensor) -> Tensor:
    return logits[:, :-1].softmax(-1).log().gather(-1, tokens[:, 1:, None]).squeeze(-1)


def wrong_likeliest(logits: Tensor, tokens: Tensor) -> Tensor:
    return logits[:, :-1].log_softmax(-1).amax(-1)


def wrong_axis_left(logits: Tensor, tokens: Tensor) -> Tensor:
    return logits[:, :-1].log_softmax(-1).gather(-1, tokens[:, 1:, None])
