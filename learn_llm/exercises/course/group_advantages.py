"""Advantages of GRPO: how much better than its group."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import normal

TARGET = "learn_llm.minimal_impls.grpo:group_advantages"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for groups, group_size in ((2, 3), (3, 4), (4, 2)):
        rewards = normal(rng, groups * group_size) + 2 * normal(rng, groups, 1).expand(-1, group_size).reshape(-1)
        for scale in ("group", "batch", "none"):
            yield {"rewards": rewards, "group_size": group_size, "scale": scale}
    some = normal(rng, 6)
    some[2:4] = some[2]
    yield {"rewards": some, "group_size": 2}
    yield {"rewards": normal(rng, 5), "group_size": 5}


def _divided(groups: Tensor, centred: Tensor, scale: str, unbiased: bool = True) -> Tensor:
    if scale == "group":
        centred = centred / (groups.std(1, keepdim=True, correction=int(unbiased)) + 1e-4)
    if scale == "batch":
        centred = centred / (groups.std(correction=int(unbiased)) + 1e-4)
    return centred


def wrong_batch_mean(rewards: Tensor, group_size: int, scale: str = "group") -> Tensor:
    groups = rewards.view(-1, group_size)
    return _divided(groups, groups - groups.mean(), scale).view(-1)


def wrong_interleaved(rewards: Tensor, group_size: int, scale: str = "group") -> Tensor:
    groups = rewards.view(group_size, -1).T
    return _divided(groups, groups - groups.mean(1, keepdim=True), scale).T.reshape(-1)


def wrong_biased(rewards: Tensor, group_size: int, scale: str = "group") -> Tensor:
    groups = rewards.view(-1, group_size)
    return _divided(groups, groups - groups.mean(1, keepdim=True), scale, unbiased=False).view(-1)


def wrong_no_epsilon(rewards: Tensor, group_size: int, scale: str = "group") -> Tensor:
    groups = rewards.view(-1, group_size)
    centred = groups - groups.mean(1, keepdim=True)
    if scale == "none":
        return centred.view(-1)
    return (centred / (groups.std(1, keepdim=True) if scale == "group" else groups.std())).view(-1)


def wrong_always_group(rewards: Tensor, group_size: int, scale: str = "group") -> Tensor:
    groups = rewards.view(-1, group_size)
    return _divided(groups, groups - groups.mean(1, keepdim=True), "group").view(-1)


def wrong_variance(rewards: Tensor, group_size: int, scale: str = "group") -> Tensor:
    groups = rewards.view(-1, group_size)
    centred = groups - groups.mean(1, keepdim=True)
    if scale == "group":
        centred = centred / (groups.var(1, keepdim=True) + 1e-4)
    if scale == "batch":
        centred = centred / (groups.var() + 1e-4)
    return centred.view(-1)


def wrong_leave_one_out(rewards: Tensor, group_size: int, scale: str = "group") -> Tensor:
    groups = rewards.view(-1, group_size)
    others = (groups.sum(1, keepdim=True) - groups) / (group_size - 1)
    return _divided(groups, groups - others, scale).view(-1)


def wrong_best_as_baseline(rewards: Tensor, group_size: int, scale: str = "group") -> Tensor:
    groups = rewards.view(-1, group_size)
    return _divided(groups, groups - torch.amax(groups, 1, keepdim=True), scale).view(-1)


def wrong_batch_whitened(rewards: Tensor, group_size: int, scale: str = "group") -> Tensor:
    groups = rewards.view(-1, group_size)
    mean = groups.mean() if scale == "batch" else groups.mean(1, keepdim=True)
    return _divided(groups, groups - mean, scale).view(-1)
