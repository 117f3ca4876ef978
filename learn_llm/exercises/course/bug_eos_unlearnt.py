"""Find the bug: the end of a response that nobody learns."""

from collections.abc import Iterator, Sequence
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import integers

TARGET = "learn_llm.rollouts:response_mask"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns in ((1, 5), (3, 6), (4, 12), (5, 20)):
        yield {"responses": integers(rng, rows, columns, low=3, high=8), "eos_ids": [3]}
    yield {"responses": torch.tensor([[5, 3, 6, 3, 7], [3, 5, 5, 5, 5], [5, 6, 7, 4, 3]]), "eos_ids": [3]}
    yield {"responses": integers(rng, 4, 7, low=3, high=8), "eos_ids": (3, 4)}
    yield {"responses": integers(rng, 2, 4, low=5, high=8), "eos_ids": [3]}


def _ends(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    return torch.isin(responses, torch.tensor(list(eos_ids))).long()


def wrong_end_lost(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    ends = torch.isin(responses, torch.tensor(list(eos_ids), device=responses.device)).long()
    return (ends.cumsum(1) == 0).long()


def wrong_one_more(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    ends = _ends(responses, eos_ids)
    before = ends.cumsum(1) - ends
    return ((before - torch.cat((torch.zeros_like(ends[:, :1]), ends[:, :-1]), 1)) == 0).long()


def wrong_every_other_token(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    return 1 - _ends(responses, eos_ids)


def wrong_up_to_the_last(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    ends = _ends(responses, eos_ids)
    behind = ends.flip(1).cumsum(1).flip(1)
    return ((behind > 0) | (ends.sum(1, keepdim=True) == 0)).long()


def wrong_inverted(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    ends = _ends(responses, eos_ids)
    return (ends.cumsum(1) - ends > 0).long()


def wrong_up_to_second(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    return (_ends(responses, eos_ids).cumsum(1) <= 1).long()


START = wrong_end_lost
