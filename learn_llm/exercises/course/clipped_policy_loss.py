"""PPO's clipped policy loss."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import logprobs as draw
from learn_llm.exercises.inputs import normal, right_padded

TARGET = "learn_llm.minimal_impls.ppo:policy_loss"
GRADIENT = ("logprobs",)


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns in ((1, 1), (1, 6), (3, 5), (4, 12)):
        old = draw(rng, rows, columns)
        yield {
            "logprobs": old + normal(rng, rows, columns, scale=0.4),
            "old_logprobs": old,
            "advantages": normal(rng, rows, columns),
            "mask": right_padded(rng, rows, columns),
            "clip": rng.choice([0.1, 0.3]),
        }
    old = draw(rng, 3, 8)
    logprobs, advantages = old + normal(rng, 3, 8, scale=0.4), normal(rng, 3, 8)
    mask = right_padded(rng, 3, 8)
    yield {"logprobs": logprobs, "old_logprobs": old, "advantages": advantages, "mask": mask}
    yield {"logprobs": old, "old_logprobs": old, "advantages": advantages, "mask": mask}


def _mean(x: Tensor, mask: Tensor) -> Tensor:
    return (x * mask).sum() / mask.sum()


def wrong_padding(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, clip: float = 0.2
) -> Tensor:
    ratio = (logprobs - old_logprobs).exp()
    return torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip)).mean()


def wrong_zeros(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, clip: float = 0.2) -> Tensor:
    ratio = (logprobs - old_logprobs).exp()
    return (torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip)) * mask).mean()


def wrong_no_clip(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, clip: float = 0.2
) -> Tensor:
    return _mean(-advantages * (logprobs - old_logprobs).exp(), mask)


def wrong_optimistic(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, clip: float = 0.2
) -> Tensor:
    ratio = (logprobs - old_logprobs).exp()
    return _mean(torch.min(-advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip)), mask)


def wrong_always_clipped(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, clip: float = 0.2
) -> Tensor:
    ratio = (logprobs - old_logprobs).exp()
    return _mean(-advantages * ratio.clamp(1 - clip, 1 + clip), mask)


def wrong_sign(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, clip: float = 0.2) -> Tensor:
    ratio = (logprobs - old_logprobs).exp()
    return _mean(torch.min(advantages * ratio, advantages * ratio.clamp(1 - clip, 1 + clip)), mask)


def wrong_ratio_inverted(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, clip: float = 0.2
) -> Tensor:
    ratio = (old_logprobs - logprobs).exp()
    return _mean(torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip)), mask)


def wrong_log_ratio(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, clip: float = 0.2
) -> Tensor:
    ratio = logprobs - old_logprobs
    return _mean(torch.max(-advantages * ratio, -advantages * ratio.clamp(-clip, clip)), mask)


def wrong_per_row(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, clip: float = 0.2
) -> Tensor:
    ratio = (logprobs - old_logprobs).exp()
    losses = torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip))
    return ((losses * mask).sum(1) / mask.sum(1)).mean()


def wrong_detached(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, clip: float = 0.2
) -> Tensor:
    ratio = (logprobs - old_logprobs).detach().exp()
    return _mean(torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip)), mask)
