"""The loss of supervised fine-tuning: the response alone."""

from collections.abc import Iterator
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor

from learn_llm.exercises.inputs import integers, normal, response_mask

TARGET = "learn_llm.minimal_impls.sft:response_loss"
GRADIENT = ("logits",)


def cases(rng: Random) -> Iterator[dict[str, object]]:
    def batch(rows: int, columns: int, vocabulary: int, scale: float = 1.5) -> dict[str, object]:
        return {
            "logits": normal(rng, rows, columns, vocabulary, scale=scale),
            "tokens": integers(rng, rows, columns, high=vocabulary),
            "mask": response_mask(rng, rows, columns),
        }

    yield batch(1, 3, 4)
    yield batch(3, 6, 5)
    yield batch(5, 12, 7)
    yield {**batch(3, 8, 5), "count": rng.randint(20, 40)}
    yield {**batch(2, 6, 5), "count": torch.tensor(rng.randint(20, 40))}
    uneven = torch.tensor([[0, 1, 1, 1, 1, 1], [0, 0, 0, 0, 1, 0], [0, 0, 1, 1, 0, 0]])
    yield {**batch(3, 6, 5), "mask": uneven}
    yield {**batch(2, 4, 3), "mask": torch.zeros(2, 4, dtype=torch.int64)}


def _losses(logits: Tensor, tokens: Tensor) -> Tensor:
    """Cross-entropy of each token but the first, (B, T - 1)."""
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")


def _mean(losses: Tensor, labels: Tensor, count: Tensor | int | None) -> Tensor:
    return (losses * labels).sum() / (labels.sum().clamp(min=1) if count is None else count)


def wrong_mask_not_shifted(logits: Tensor, tokens: Tensor, mask: Tensor, count: Tensor | int | None = None) -> Tensor:
    return _mean(_losses(logits, tokens), mask[:, :-1], count)


def wrong_tokens_not_shifted(logits: Tensor, tokens: Tensor, mask: Tensor, count: Tensor | int | None = None) -> Tensor:
    return _mean(F.cross_entropy(logits.transpose(1, 2), tokens, reduction="none"), mask, count)


def wrong_prompt_too(logits: Tensor, tokens: Tensor, mask: Tensor, count: Tensor | int | None = None) -> Tensor:
    losses = _losses(logits, tokens)
    return _mean(losses, torch.ones_like(losses), count)


def wrong_all_positions(logits: Tensor, tokens: Tensor, mask: Tensor, count: Tensor | int | None = None) -> Tensor:
    losses = _losses(logits, tokens)
    return _mean(losses, mask[:, 1:], losses.numel() if count is None else count)


def wrong_mean_of_rows(logits: Tensor, tokens: Tensor, mask: Tensor, count: Tensor | int | None = None) -> Tensor:
    labels = mask[:, 1:]
    return ((_losses(logits, tokens) * labels).sum(1) / labels.sum(1).clamp(min=1)).mean()


def wrong_per_row(logits: Tensor, tokens: Tensor, mask: Tensor, count: Tensor | int | None = None) -> Tensor:
    return _mean(_losses(logits, tokens), mask[:, 1:], len(tokens) if count is None else count)


def wrong_count_ignored(logits: Tensor, tokens: Tensor, mask: Tensor, count: Tensor | int | None = None) -> Tensor:
    return _mean(_losses(logits, tokens), mask[:, 1:], None)


def wrong_sum(logits: Tensor, tokens: Tensor, mask: Tensor, count: Tensor | int | None = None) -> Tensor:
    return _mean(_losses(logits, tokens), mask[:, 1:], 1)


def wrong_sign(logits: Tensor, tokens: Tensor, mask: Tensor, count: Tensor | int | None = None) -> Tensor:
    return -_mean(_losses(logits, tokens), mask[:, 1:], count)


def wrong_nothing_counts(logits: Tensor, tokens: Tensor, mask: Tensor, count: Tensor | int | None = None) -> Tensor:
    labels = mask[:, 1:]
    return _mean(_losses(logits, tokens), labels, labels.sum() if count is None else count)


def wrong_prompt_zeroed(logits: Tensor, tokens: Tensor, mask: Tensor, count: Tensor | int | None = None) -> Tensor:
    labels = mask[:, 1:]
    losses = F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:] * labels, reduction="none")
    return _mean(losses, torch.ones_like(losses), labels.sum().clamp(min=1) if count is None else count)
