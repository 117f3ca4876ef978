"""Generalised advantage estimation."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import normal, right_padded

TARGET = "learn_llm.minimal_impls.ppo:gae"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns in ((1, 1), (1, 5), (3, 4), (4, 9), (2, 24)):
        yield {
            "rewards": normal(rng, rows, columns),
            "values": normal(rng, rows, columns),
            "mask": right_padded(rng, rows, columns),
            "gamma": rng.choice([0.9, 0.95]),
            "lam": rng.choice([0.5, 0.8]),
        }
    yield {"rewards": normal(rng, 2, 6), "values": normal(rng, 2, 6), "mask": right_padded(rng, 2, 6)}
    yield {"rewards": normal(rng, 2, 6), "values": normal(rng, 2, 6), "mask": torch.zeros(2, 6, dtype=torch.int64)}


def _backwards(deltas: Tensor, decay: float) -> Tensor:
    advantage, advantages = torch.zeros_like(deltas[:, 0]), torch.zeros_like(deltas)
    for t in reversed(range(deltas.shape[1])):
        advantage = deltas[:, t] + decay * advantage
        advantages[:, t] = advantage
    return advantages


def _following(values: Tensor) -> Tensor:
    return torch.cat((values[:, 1:], torch.zeros_like(values[:, :1])), dim=1)


def wrong_padding(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float = 1.0, lam: float = 0.95
) -> tuple[Tensor, Tensor]:
    advantages = _backwards(rewards + gamma * _following(values) - values, gamma * lam)
    return advantages, advantages + values


def wrong_no_bootstrap(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float = 1.0, lam: float = 0.95
) -> tuple[Tensor, Tensor]:
    rewards, values = rewards * mask, values * mask
    advantages = _backwards(rewards - values, gamma * lam)
    return advantages, advantages + values


def wrong_decay_gamma_only(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float = 1.0, lam: float = 0.95
) -> tuple[Tensor, Tensor]:
    rewards, values = rewards * mask, values * mask
    advantages = _backwards(rewards + gamma * _following(values) - values, gamma)
    return advantages, advantages + values


def wrong_returns_are_rewards(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float = 1.0, lam: float = 0.95
) -> tuple[Tensor, Tensor]:
    rewards, values = rewards * mask, values * mask
    advantages = _backwards(rewards + gamma * _following(values) - values, gamma * lam)
    return advantages, _backwards(rewards, gamma)


def wrong_whitened_first(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float = 1.0, lam: float = 0.95
) -> tuple[Tensor, Tensor]:
    rewards, values = rewards * mask, values * mask
    advantages = _backwards(rewards + gamma * _following(values) - values, gamma * lam)
    count = mask.sum().clamp(min=1)
    mean = (advantages * mask).sum() / count
    variance = ((advantages - mean).square() * mask).sum() / (count - 1).clamp(min=1)
    advantages = (advantages - mean) * torch.rsqrt(variance + 1e-8) * mask
    return advantages, advantages + values


def wrong_forwards(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float = 1.0, lam: float = 0.95
) -> tuple[Tensor, Tensor]:
    rewards, values = rewards * mask, values * mask
    deltas = rewards + gamma * _following(values) - values
    advantages = _backwards(deltas.flip(1), gamma * lam).flip(1)
    return advantages, advantages + values


def wrong_value_behind_end(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float = 1.0, lam: float = 0.95
) -> tuple[Tensor, Tensor]:
    deltas = (rewards + gamma * _following(values) - values) * mask
    advantages = _backwards(deltas, gamma * lam) * mask
    return advantages, advantages + values * mask
