"""Find the bug: DPO with averaged log-probabilities."""

from collections.abc import Iterator
from random import Random

from torch import Tensor

from learn_llm.exercises.inputs import integers, normal, response_mask
from learn_llm.training import token_logprobs

TARGET = "learn_llm.minimal_impls.dpo:sequence_logprobs"
GRADIENT = ("logits",)


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns, vocabulary in ((1, 3, 2), (2, 6, 5), (4, 9, 7), (3, 12, 4)):
        yield {
            "logits": normal(rng, rows, columns, vocabulary),
            "tokens": integers(rng, rows, columns, high=vocabulary),
            "mask": response_mask(rng, rows, columns),
        }
    mask = response_mask(rng, 2, 8)
    mask[0] = 0
    mask[0, 2:7] = 1
    yield {"logits": normal(rng, 2, 8, 9, scale=100.0), "tokens": integers(rng, 2, 8, high=9), "mask": mask}


def wrong_averaged(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    labels = mask[:, 1:]
    return (token_logprobs(logits, tokens) * labels).sum(1) / labels.sum(1)


def wrong_over_the_row(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    return (token_logprobs(logits, tokens) * mask[:, 1:]).mean(1)


def wrong_prompt_too(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    return token_logprobs(logits, tokens).sum(1)


def wrong_mask_late(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    return (token_logprobs(logits, tokens) * mask[:, :-1]).sum(1)


def wrong_all_rows(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    return (token_logprobs(logits, tokens) * mask[:, 1:]).sum()


START = wrong_averaged
