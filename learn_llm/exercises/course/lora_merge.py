"""What merging a LoRA adds to the weight."""

from collections.abc import Iterator
from random import Random
from types import SimpleNamespace
from typing import Any

from torch import Tensor, nn

from learn_llm.exercises.inputs import normal

TARGET = "learn_llm.minimal_impls.lora:LoRALinear.change"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for d_out, d_in, rank in ((4, 3, 2), (2, 6, 2), (5, 5, 3), (8, 4, 3)):
        base = nn.Linear(d_in, d_out, bias=False)
        base.weight.data = normal(rng, d_out, d_in)
        a, b = normal(rng, rank, d_in), normal(rng, d_out, rank)
        yield {"self": SimpleNamespace(base=base, lora_A=a, lora_B=b, scaling=rng.choice([0.5, 2.0, 4.0]))}


def wrong_no_scaling(self: Any) -> Tensor:
    change: Tensor = self.lora_B @ self.lora_A
    return change


def wrong_over_rank(self: Any) -> Tensor:
    change: Tensor = self.scaling / len(self.lora_A) * (self.lora_B @ self.lora_A)
    return change


def wrong_transposed(self: Any) -> Tensor:
    change: Tensor = self.scaling * (self.lora_A.T @ self.lora_B.T)
    return change


def wrong_whole_weight(self: Any) -> Tensor:
    weight: Tensor = self.base.weight + self.scaling * (self.lora_B @ self.lora_A)
    return weight


def wrong_scaled_twice(self: Any) -> Tensor:
    change: Tensor = self.scaling**2 * (self.lora_B @ self.lora_A)
    return change


def wrong_subtracted(self: Any) -> Tensor:
    change: Tensor = -self.scaling * (self.lora_B @ self.lora_A)
    return change
