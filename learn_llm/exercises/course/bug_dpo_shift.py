"""Find the bug: a mask off by one."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import integers, normal, response_mask
from learn_llm.training import token_logprobs

TARGET = "learn_llm.minimal_impls.dpo:sequence_logprobs"
GRADIENT = ("logits",)


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns, vocabulary in ((1, 4, 3), (2, 7, 5), (4, 10, 6)):
        yield {
            "logits": normal(rng, rows, columns, vocabulary, scale=2.0),
            "tokens": integers(rng, rows, columns, high=vocabulary),
            "mask": response_mask(rng, rows, columns),
        }
    mask = torch.tensor([[0, 0, 1, 1, 1, 0, 0], [0, 1, 1, 1, 1, 1, 1]])
    yield {"logits": normal(rng, 2, 7, 8), "tokens": integers(rng, 2, 7, high=8), "mask": mask}


def wrong_mask_late(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    return (token_logprobs(logits, tokens) * mask[:, :-1]).sum(1)


def wrong_end_lost(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    return (token_logprobs(logits, tokens) * mask[:, 1:] * torch.cat((mask[:, 2:], mask[:, :1] * 0), 1)).sum(1)


def wrong_first_lost(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    return (token_logprobs(logits, tokens) * mask[:, 1:] * mask[:, :-1]).sum(1)


def wrong_same_token(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    logprobs = logits.float().log_softmax(-1).gather(-1, tokens[..., None]).squeeze(-1)
    return (logprobs * mask).sum(1)


def wrong_averaged(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    return (token_logprobs(logits, tokens) * mask[:, 1:]).sum(1) / mask.sum(1)


START = wrong_mask_late
