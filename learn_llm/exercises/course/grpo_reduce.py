"""Three ways to take the mean of token losses."""

from collections.abc import Iterator
from random import Random

from torch import Tensor

from learn_llm.exercises.inputs import normal, right_padded

TARGET = "learn_llm.minimal_impls.grpo:reduce"
GRADIENT = ("losses",)


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns in ((1, 3), (3, 5), (4, 12)):
        for variant in ("grpo", "dapo", "dr_grpo"):
            mask = right_padded(rng, rows, columns)
            yield {
                "losses": normal(rng, rows, columns) + 1,
                "mask": mask,
                "variant": variant,
                "rows": rows + rng.randint(1, 4),
                "tokens": float(int(mask.sum()) + rng.randint(3, 9)),
                "longest": columns + rng.randint(1, 5),
            }


def _all(losses: Tensor, mask: Tensor, variant: str, rows: int, tokens: float, longest: int) -> Tensor:
    sums = (losses * mask).sum(1)
    if variant == "grpo":
        return (sums / mask.sum(1).clamp(min=1)).sum() / rows
    return sums.sum() / (tokens if variant == "dapo" else rows * longest)


def wrong_of_this_part(losses: Tensor, mask: Tensor, variant: str, rows: int, tokens: float, longest: int) -> Tensor:
    return _all(losses, mask, variant, len(mask), float(mask.sum()), longest)


def wrong_own_tokens(losses: Tensor, mask: Tensor, variant: str, rows: int, tokens: float, longest: int) -> Tensor:
    return _all(losses, mask, variant, rows, float(mask.sum()), longest)


def wrong_own_rows(losses: Tensor, mask: Tensor, variant: str, rows: int, tokens: float, longest: int) -> Tensor:
    return _all(losses, mask, variant, len(mask), tokens, longest)


def wrong_padding(losses: Tensor, mask: Tensor, variant: str, rows: int, tokens: float, longest: int) -> Tensor:
    if variant == "grpo":
        return (losses.sum(1) / mask.sum(1).clamp(min=1)).sum() / rows
    return losses.sum() / (tokens if variant == "dapo" else rows * longest)


def wrong_padded_length(losses: Tensor, mask: Tensor, variant: str, rows: int, tokens: float, longest: int) -> Tensor:
    if variant == "grpo":
        return (losses * mask).mean(1).sum() / rows
    return _all(losses, mask, variant, rows, tokens, longest)


def wrong_longest_here(losses: Tensor, mask: Tensor, variant: str, rows: int, tokens: float, longest: int) -> Tensor:
    return _all(losses, mask, variant, rows, tokens, mask.shape[1])


def wrong_always_tokens(losses: Tensor, mask: Tensor, variant: str, rows: int, tokens: float, longest: int) -> Tensor:
    return (losses * mask).sum() / tokens


def wrong_grpo_sums(losses: Tensor, mask: Tensor, variant: str, rows: int, tokens: float, longest: int) -> Tensor:
    if variant == "grpo":
        return (losses * mask).sum() / rows
    return _all(losses, mask, variant, rows, tokens, longest)


def wrong_own_rows__of_grpo(
    losses: Tensor, mask: Tensor, variant: str, rows: int, tokens: float, longest: int
) -> Tensor:
    return _all(losses, mask, variant, len(losses) if variant == "grpo" else rows, tokens, longest)
