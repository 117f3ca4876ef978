"""The feed-forward network of Llama: SwiGLU."""

from collections.abc import Iterator
from random import Random
from types import SimpleNamespace

import torch.nn.functional as F
from torch import Tensor, nn

from learn_llm.exercises.inputs import normal

TARGET = "learn_llm.gpt:MLP.forward"


def _linear(rng: Random, inputs: int, outputs: int) -> nn.Linear:
    linear = nn.Linear(inputs, outputs, bias=False)
    linear.weight.data = normal(rng, outputs, inputs)
    return linear


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for shape, size, inner in (((1, 1), 2, 3), ((2, 3), 4, 8), ((3, 5), 6, 16)):
        network = SimpleNamespace(
            gate_proj=_linear(rng, size, inner),
            up_proj=_linear(rng, size, inner),
            down_proj=_linear(rng, inner, size),
        )
        yield {"self": network, "x": normal(rng, *shape, size)}


def _down(self: SimpleNamespace, inner: Tensor) -> Tensor:
    result: Tensor = self.down_proj(inner)
    return result


def wrong_swapped(self: SimpleNamespace, x: Tensor) -> Tensor:
    return _down(self, self.gate_proj(x) * F.silu(self.up_proj(x)))


def wrong_sigmoid(self: SimpleNamespace, x: Tensor) -> Tensor:
    return _down(self, self.gate_proj(x).sigmoid() * self.up_proj(x))


def wrong_gelu(self: SimpleNamespace, x: Tensor) -> Tensor:
    return _down(self, F.gelu(self.gate_proj(x)) * self.up_proj(x))


def wrong_relu(self: SimpleNamespace, x: Tensor) -> Tensor:
    return _down(self, F.relu(self.gate_proj(x)) * self.up_proj(x))


def wrong_around_product(self: SimpleNamespace, x: Tensor) -> Tensor:
    return _down(self, F.silu(self.gate_proj(x) * self.up_proj(x)))


def wrong_both(self: SimpleNamespace, x: Tensor) -> Tensor:
    return _down(self, F.silu(self.gate_proj(x)) * F.silu(self.up_proj(x)))


def wrong_added(self: SimpleNamespace, x: Tensor) -> Tensor:
    return _down(self, F.silu(self.gate_proj(x)) + self.up_proj(x))


def wrong_no_activation(self: SimpleNamespace, x: Tensor) -> Tensor:
    return _down(self, self.gate_proj(x) * self.up_proj(x))


def wrong_no_gate(self: SimpleNamespace, x: Tensor) -> Tensor:
    return _down(self, F.silu(self.up_proj(x)))


def wrong_residual(self: SimpleNamespace, x: Tensor) -> Tensor:
    return x + _down(self, F.silu(self.gate_proj(x)) * self.up_proj(x))
