"""The norm of Llama: RMSNorm."""

from collections.abc import Iterator
from random import Random
from types import SimpleNamespace

import torch
from torch import Tensor

from learn_llm.exercises.inputs import integers, normal, uniform

TARGET = "learn_llm.gpt:RMSNorm.forward"


def _norm(rng: Random, size: int, eps: float) -> SimpleNamespace:
    return SimpleNamespace(weight=uniform(rng, size, low=0.5, high=2.0), eps=eps)


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for shape, eps in (((1, 1, 4), 1e-5), ((2, 3, 8), 1e-5), ((3, 5, 16), 0.1), ((6,), 0.1)):
        yield {"self": _norm(rng, shape[-1], eps), "x": normal(rng, *shape) + 0.5}
    yield {"self": _norm(rng, 4, 1e-5), "x": torch.zeros(2, 3, 4)}
    yield {"self": _norm(rng, 6, 1e-5), "x": normal(rng, 2, 2, 6, scale=1e-2)}
    signs = (integers(rng, 2, 3, 8, high=2) * 2 - 1).half()  # the square of 400 is more than 16 bits can hold
    yield {"self": SimpleNamespace(weight=torch.ones(8, dtype=torch.half), eps=1e-5), "x": 400 * signs}


def _scaled(self: SimpleNamespace, x: Tensor, factor: Tensor) -> Tensor:
    result: Tensor = self.weight * (x.float() * factor).to(x.dtype)
    return result


def _mean_square(x: Tensor) -> Tensor:
    return x.float().square().mean(-1, keepdim=True)


def wrong_layer_norm(self: SimpleNamespace, x: Tensor) -> Tensor:
    centred = x.float() - x.float().mean(-1, keepdim=True)
    return _scaled(self, centred.to(x.dtype), torch.rsqrt(_mean_square(centred) + self.eps))


def wrong_variance(self: SimpleNamespace, x: Tensor) -> Tensor:
    variance = x.float().var(-1, keepdim=True, unbiased=False)
    return _scaled(self, x, torch.rsqrt(variance + self.eps))


def wrong_sum(self: SimpleNamespace, x: Tensor) -> Tensor:
    return _scaled(self, x, torch.rsqrt(x.float().square().sum(-1, keepdim=True) + self.eps))


def wrong_no_root(self: SimpleNamespace, x: Tensor) -> Tensor:
    return _scaled(self, x, 1 / (_mean_square(x) + self.eps))


def wrong_eps_outside(self: SimpleNamespace, x: Tensor) -> Tensor:
    return _scaled(self, x, 1 / (_mean_square(x).sqrt() + self.eps))


def wrong_no_eps(self: SimpleNamespace, x: Tensor) -> Tensor:
    return _scaled(self, x, torch.rsqrt(_mean_square(x)))


def wrong_no_weight(self: SimpleNamespace, x: Tensor) -> Tensor:
    return (x.float() * torch.rsqrt(_mean_square(x) + self.eps)).to(x.dtype)


def wrong_whole_tensor(self: SimpleNamespace, x: Tensor) -> Tensor:
    return _scaled(self, x, torch.rsqrt(x.float().square().mean() + self.eps))


def wrong_sixteen_bits(self: SimpleNamespace, x: Tensor) -> Tensor:
    result: Tensor = self.weight * (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps))
    return result
