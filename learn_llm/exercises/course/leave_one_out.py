"""The baseline of RLOO."""

from collections.abc import Iterator
from random import Random

from torch import Tensor

from learn_llm.exercises.inputs import normal

TARGET = "learn_llm.minimal_impls.reinforce:leave_one_out"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for groups, group_size in ((2, 3), (3, 4), (5, 2), (1, 6), (4, 5)):
        yield {"rewards": normal(rng, groups * group_size) + 1, "group_size": group_size}


def wrong_itself_too(rewards: Tensor, group_size: int) -> Tensor:
    groups = rewards.view(-1, group_size)
    return groups.mean(1, keepdim=True).expand_as(groups).reshape(-1)


def wrong_divided_by_k(rewards: Tensor, group_size: int) -> Tensor:
    groups = rewards.view(-1, group_size)
    return ((groups.sum(1, keepdim=True) - groups) / group_size).view(-1)


def wrong_whole_batch(rewards: Tensor, group_size: int) -> Tensor:
    return (rewards.sum() - rewards) / (len(rewards) - 1)


def wrong_interleaved(rewards: Tensor, group_size: int) -> Tensor:
    groups = rewards.view(group_size, -1)
    return ((groups.sum(0, keepdim=True) - groups) / (group_size - 1)).reshape(-1)


def wrong_advantage(rewards: Tensor, group_size: int) -> Tensor:
    groups = rewards.view(-1, group_size)
    return (groups - (groups.sum(1, keepdim=True) - groups) / (group_size - 1)).view(-1)


def wrong_one_per_group(rewards: Tensor, group_size: int) -> Tensor:
    return rewards.view(-1, group_size).mean(1)
