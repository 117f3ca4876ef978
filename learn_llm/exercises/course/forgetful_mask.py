"""Forgetful causal masking: each row hides a random share of its past tokens."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import torch_rng

TARGET = "learn_llm.minimal_impls.coh:forget"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for shape, most in (((1, 1), 0.5), ((2, 40), 0.9), ((4, 30), 0.6), ((8, 12), 0.8), ((40, 3), 0.9), ((3, 16), 0.0)):
        yield {"shape": shape, "most": most, "generator": torch_rng(rng)}


def wrong_first_hidden(shape: tuple[int, int], most: float, generator: torch.Generator) -> Tensor:
    share = torch.rand(shape[0], 1, generator=generator) * most
    return (torch.rand(shape, generator=generator) >= share).long()


def wrong_inverted(shape: tuple[int, int], most: float, generator: torch.Generator) -> Tensor:
    share = torch.rand(shape[0], 1, generator=generator) * most
    kept = torch.rand(shape, generator=generator) >= share
    kept[:, 0] = True
    return 1 - kept.long()


def wrong_share_is_most(shape: tuple[int, int], most: float, generator: torch.Generator) -> Tensor:
    torch.rand(shape[0], 1, generator=generator)
    kept = torch.rand(shape, generator=generator) >= most
    kept[:, 0] = True
    return kept.long()


def wrong_share_without_most(shape: tuple[int, int], most: float, generator: torch.Generator) -> Tensor:
    share = torch.rand(shape[0], 1, generator=generator)
    kept = torch.rand(shape, generator=generator) >= share
    kept[:, 0] = True
    return kept.long()


def wrong_share_is_kept(shape: tuple[int, int], most: float, generator: torch.Generator) -> Tensor:
    share = torch.rand(shape[0], 1, generator=generator) * most
    kept = torch.rand(shape, generator=generator) < share
    kept[:, 0] = True
    return kept.long()


def wrong_one_share(shape: tuple[int, int], most: float, generator: torch.Generator) -> Tensor:
    share = torch.rand(shape[0], 1, generator=generator)[0] * most
    kept = torch.rand(shape, generator=generator) >= share
    kept[:, 0] = True
    return kept.long()


def wrong_last_kept(shape: tuple[int, int], most: float, generator: torch.Generator) -> Tensor:
    share = torch.rand(shape[0], 1, generator=generator) * most
    kept = torch.rand(shape, generator=generator) >= share
    kept[:, -1] = True
    return kept.long()
