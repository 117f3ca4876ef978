"""Find the bug: a score that lands on padding."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import normal, right_padded, uniform

TARGET = "learn_llm.minimal_impls.ppo:token_rewards"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns in ((1, 3), (3, 6), (5, 10)):
        for position in ("last", "after"):
            yield {
                "scores": normal(rng, rows),
                "kl": uniform(rng, rows, columns, low=-0.5),
                "mask": right_padded(rng, rows, columns),
                "kl_coef": rng.choice([0.1, 0.4]),
                "position": position,
            }
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 1]])
    yield {"scores": normal(rng, 3), "kl": uniform(rng, 3, 5), "mask": mask, "kl_coef": 0.2}


def _placed(rewards: Tensor, mask: Tensor, shift: int, scores: Tensor) -> Tensor:
    end = (mask.sum(1) + shift).clamp(0, mask.shape[1] - 1)[:, None]
    return rewards.scatter_add(1, end, scores[:, None])


def wrong_last_column(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: str = "last") -> Tensor:
    rewards = -kl_coef * kl * mask
    rewards[:, -1] += scores
    return rewards


def wrong_longest_row(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: str = "last") -> Tensor:
    rewards = -kl_coef * kl * mask
    end = int(mask.sum(1).max()) - int(position == "last")
    rewards[:, min(end, mask.shape[1] - 1)] += scores
    return rewards


def wrong_lost(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: str = "last") -> Tensor:
    rewards = -kl_coef * kl
    rewards[:, -1] += scores
    return rewards * mask


def wrong_one_late(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: str = "last") -> Tensor:
    return _placed(-kl_coef * kl * mask, mask, 0 if position == "last" else 1, scores)


def wrong_always_last(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: str = "last") -> Tensor:
    return _placed(-kl_coef * kl * mask, mask, -1, scores)


def wrong_score_alone(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: str = "last") -> Tensor:
    end = (mask.sum(1) - int(position == "last")).clamp(0, mask.shape[1] - 1)[:, None]
    return (-kl_coef * kl * mask).scatter(1, end, scores[:, None])


START = wrong_last_column
