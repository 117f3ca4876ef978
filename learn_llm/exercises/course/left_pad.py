"""Prompts to sample from, as one batch."""

from collections.abc import Iterator, Sequence
from random import Random

import torch
from torch import Tensor

TARGET = "learn_llm.sampling:left_pad"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for lengths in ((3,), (2, 5, 1), (1, 4), (6, 6, 2, 3)):
        yield {"prompts": [[rng.randint(1, 9) for _ in range(n)] for n in lengths]}
    yield {"prompts": [[rng.randint(1, 9), 2], [2, 5, rng.randint(1, 9), 2], [7]], "pad": 2}
    yield {"prompts": [[0, 4], [3, 0, rng.randint(1, 9)]]}


def _tensors(ids: Sequence[Sequence[int]], mask: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    return torch.tensor(ids, dtype=torch.long), torch.tensor(mask, dtype=torch.long)


def wrong_right_padded(
    prompts: Sequence[Sequence[int]], pad: int = 0, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    width = max(len(prompt) for prompt in prompts)
    rest = [width - len(prompt) for prompt in prompts]
    ids = [[*prompt, *[pad] * n] for prompt, n in zip(prompts, rest, strict=True)]
    return _tensors(ids, [[1] * (width - n) + [0] * n for n in rest])


def wrong_mask_from_pad(
    prompts: Sequence[Sequence[int]], pad: int = 0, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    width = max(len(prompt) for prompt in prompts)
    ids = torch.tensor([[pad] * (width - len(prompt)) + list(prompt) for prompt in prompts])
    return ids, (ids != pad).long()


def wrong_mask_inverted(
    prompts: Sequence[Sequence[int]], pad: int = 0, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    width = max(len(prompt) for prompt in prompts)
    rest = [width - len(prompt) for prompt in prompts]
    ids = [[pad] * n + list(prompt) for prompt, n in zip(prompts, rest, strict=True)]
    return _tensors(ids, [[1] * n + [0] * (width - n) for n in rest])


def wrong_mask_on_the_right(
    prompts: Sequence[Sequence[int]], pad: int = 0, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    width = max(len(prompt) for prompt in prompts)
    rest = [width - len(prompt) for prompt in prompts]
    ids = [[pad] * n + list(prompt) for prompt, n in zip(prompts, rest, strict=True)]
    return _tensors(ids, [[1] * (width - n) + [0] * n for n in rest])


def wrong_all_real(
    prompts: Sequence[Sequence[int]], pad: int = 0, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    width = max(len(prompt) for prompt in prompts)
    ids = [[pad] * (width - len(prompt)) + list(prompt) for prompt in prompts]
    return _tensors(ids, [[1] * width for _ in prompts])


def wrong_cut_to_shortest(
    prompts: Sequence[Sequence[int]], pad: int = 0, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    width = min(len(prompt) for prompt in prompts)
    return _tensors([list(prompt)[-width:] for prompt in prompts], [[1] * width for _ in prompts])


def wrong_pad_is_zero(
    prompts: Sequence[Sequence[int]], pad: int = 0, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    width = max(len(prompt) for prompt in prompts)
    rest = [width - len(prompt) for prompt in prompts]
    ids = [[0] * n + list(prompt) for prompt, n in zip(prompts, rest, strict=True)]
    return _tensors(ids, [[0] * n + [1] * (width - n) for n in rest])
