"""Find the bug: a second token that ends a response."""

from collections.abc import Iterator, Sequence
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import integers

TARGET = "learn_llm.rollouts:response_mask"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns in ((2, 6), (4, 10), (5, 16)):
        yield {"responses": integers(rng, rows, columns, low=2, high=12), "eos_ids": [2, 3]}
    yield {"responses": torch.tensor([[5, 6, 3, 7, 2], [2, 7, 3, 5, 5], [5, 3, 7, 7, 7]]), "eos_ids": [2, 3]}
    yield {"responses": integers(rng, 4, 7, low=2, high=9), "eos_ids": (4, 2, 7)}
    yield {"responses": integers(rng, 2, 5, low=2, high=5), "eos_ids": [4]}


def _up_to(ends: Tensor) -> Tensor:
    return (ends.cumsum(1) - ends == 0).long()


def wrong_first_id(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    ends = (responses == eos_ids[0]).long()
    return (ends.cumsum(1) - ends == 0).long()


def wrong_last_id(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    return _up_to((responses == eos_ids[-1]).long())


def wrong_all_needed(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    masks = [_up_to((responses == index).long()) for index in eos_ids]
    return torch.stack(masks).amax(0)


def wrong_end_lost(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    ends = torch.isin(responses, torch.tensor(list(eos_ids))).long()
    return (ends.cumsum(1) == 0).long()


def wrong_in_range(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    return _up_to((responses <= max(eos_ids)).long())


def wrong_equal_to_all(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    return _up_to(torch.stack([responses == index for index in eos_ids]).all(0).long())


START = wrong_first_id
