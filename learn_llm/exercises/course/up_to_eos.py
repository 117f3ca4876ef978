"""Which sampled tokens belong to the response."""

from collections.abc import Iterator, Sequence
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import integers

TARGET = "learn_llm.rollouts:response_mask"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    yield {"responses": torch.tensor([[2]]), "eos_ids": [2]}
    yield {"responses": torch.tensor([[5, 2, 2, 2], [5, 6, 7, 8], [2, 2, 2, 2]]), "eos_ids": [2]}  # pad is EOS
    yield {"responses": torch.tensor([[5, 2, 0, 0], [4, 3, 0, 0], [6, 4, 5, 3]]), "eos_ids": [3, 2]}
    yield {"responses": torch.tensor([[5, 0, 4, 2, 0, 0], [0, 0, 5, 4, 2, 0]]), "eos_ids": [2]}  # 0 is a word too
    yield {"responses": torch.tensor([[5, 2, 4, 6, 2, 7], [4, 5, 6, 7, 4, 2]]), "eos_ids": [2]}
    for rows, columns in ((1, 8), (6, 12)):
        yield {"responses": integers(rng, rows, columns, high=9), "eos_ids": [2, 7]}


def _ends(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    return torch.isin(responses, torch.tensor(list(eos_ids))).long()


def wrong_without_eos(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    return (_ends(responses, eos_ids).cumsum(1) == 0).long()


def wrong_every_eos_out(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    return 1 - _ends(responses, eos_ids)


def wrong_up_to_last(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    ends = _ends(responses, eos_ids)
    behind = ends.flip(1).cumsum(1).flip(1)
    return ((behind > 0) | (ends.sum(1, keepdim=True) == 0)).long()


def wrong_one_eos(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    ends = (responses == eos_ids[0]).long()
    return (ends.cumsum(1) - ends == 0).long()


def wrong_up_to_second(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    return (_ends(responses, eos_ids).cumsum(1) <= 1).long()


def wrong_not_zero(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    return (responses != 0).long()


def wrong_unfinished_lost(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    ends = _ends(responses, eos_ids)
    return ((ends.cumsum(1) - ends == 0) & (ends.sum(1, keepdim=True) > 0)).long()


def wrong_inverted(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    ends = _ends(responses, eos_ids)
    return (ends.cumsum(1) - ends > 0).long()


def wrong_no_eos_is_first(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    first = _ends(responses, eos_ids).argmax(1, keepdim=True)
    return (torch.arange(responses.shape[1])[None] <= first).long()
