"""Find the bug: a policy that learns to do badly."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import normal, uniform

TARGET = "learn_llm.minimal_impls.reinforce:sequence_policy_loss"
GRADIENT = ("logprobs",)


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows in (1, 3, 6, 12):
        old = uniform(rng, rows, low=-30, high=-5)
        yield {
            "logprobs": old + normal(rng, rows, scale=0.4),
            "old_logprobs": old,
            "advantages": normal(rng, rows),
            "clip": rng.choice([0.1, 0.3]),
        }
    old = uniform(rng, 5, low=-30, high=-5)
    yield {"logprobs": old, "old_logprobs": old, "advantages": normal(rng, 5)}


def wrong_no_minus(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, clip: float = 0.2) -> Tensor:
    ratio = (logprobs - old_logprobs).exp()
    return torch.min(advantages * ratio, advantages * ratio.clamp(1 - clip, 1 + clip)).mean()


def wrong_min_kept(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, clip: float = 0.2) -> Tensor:
    ratio = (logprobs - old_logprobs).exp()
    return torch.min(-advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip)).mean()


def wrong_half_a_minus(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, clip: float = 0.2) -> Tensor:
    ratio = (logprobs - old_logprobs).exp()
    return torch.max(-advantages * ratio, advantages * ratio.clamp(1 - clip, 1 + clip)).mean()


def wrong_ratio_inverted(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, clip: float = 0.2) -> Tensor:
    ratio = (old_logprobs - logprobs).exp()
    return torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip)).mean()


def wrong_max_without_minus(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, clip: float = 0.2) -> Tensor:
    ratio = (logprobs - old_logprobs).exp()
    return torch.max(advantages * ratio, advantages * ratio.clamp(1 - clip, 1 + clip)).mean()


START = wrong_no_minus
