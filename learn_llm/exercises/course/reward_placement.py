"""The reward of each token: the KL everywhere, the score at the end."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import normal, right_padded, uniform

TARGET = "learn_llm.minimal_impls.ppo:token_rewards"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns in ((1, 1), (1, 4), (3, 5), (4, 12)):
        for position in ("last", "after"):
            yield {
                "scores": normal(rng, rows),
                "kl": uniform(rng, rows, columns, low=-0.5),
                "mask": right_padded(rng, rows, columns),
                "kl_coef": rng.choice([0.1, 0.5]),
                "position": position,
            }
    yield {"scores": normal(rng, 2), "kl": normal(rng, 2, 6), "mask": right_padded(rng, 2, 6), "kl_coef": 0.2}


def _end(mask: Tensor, shift: int) -> Tensor:
    return (mask.sum(1) + shift).clamp(0, mask.shape[1] - 1)[:, None]


def _placed(rewards: Tensor, at: Tensor, scores: Tensor) -> Tensor:
    return rewards.scatter_add(1, at, scores[:, None])


def wrong_last_column(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: str = "last") -> Tensor:
    rewards = -kl_coef * kl * mask
    rewards[:, -1] += scores
    return rewards


def wrong_every_token(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: str = "last") -> Tensor:
    return (scores[:, None] - kl_coef * kl) * mask


def wrong_kl_rewarded(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: str = "last") -> Tensor:
    return _placed(kl_coef * kl * mask, _end(mask, -1 if position == "last" else 0), scores)


def wrong_kl_of_padding(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: str = "last") -> Tensor:
    return _placed(-kl_coef * kl, _end(mask, -1 if position == "last" else 0), scores)


def wrong_one_late(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: str = "last") -> Tensor:
    return _placed(-kl_coef * kl * mask, _end(mask, 0 if position == "last" else 1), scores)


def wrong_always_last(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: str = "last") -> Tensor:
    return _placed(-kl_coef * kl * mask, _end(mask, -1), scores)


def wrong_score_only(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: str = "last") -> Tensor:
    return _placed(torch.zeros_like(kl), _end(mask, -1 if position == "last" else 0), scores)


def wrong_kl_summed(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: str = "last") -> Tensor:
    whole = scores - kl_coef * (kl * mask).sum(1)
    return _placed(torch.zeros_like(kl), _end(mask, -1 if position == "last" else 0), whole)


def wrong_score_alone(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: str = "last") -> Tensor:
    end = _end(mask, -1 if position == "last" else 0)
    return (-kl_coef * kl * mask).scatter(1, end, scores[:, None])
