"""From logits to the distribution that tokens are drawn from: temperature, top-k, top-p."""

from collections.abc import Iterator
from random import Random
from types import SimpleNamespace

import torch
from torch import Tensor

from learn_llm.exercises.inputs import normal

TARGET = "learn_llm.sampling:Sampling.probs"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, vocabulary, temperature, k, p in (
        (1, 4, 1.0, 0, 1.0),
        (3, 8, 0.5, 0, 1.0),
        (2, 6, 0.0, 0, 1.0),
        (3, 9, 1.0, 3, 1.0),
        (3, 9, 1.0, 0, 0.8),
        (2, 5, 1.0, 0, 0.05),
        (2, 5, 1.0, 9, 1.0),
        (4, 12, 2.5, 0, 0.7),
        (6, 24, 1.0, 4, 0.6),
        (4, 16, 1.6, 5, 0.9),
    ):
        sampling = SimpleNamespace(temperature=temperature, top_k=k, top_p=p)
        yield {"self": sampling, "logits": normal(rng, rows, vocabulary, scale=1.5)}


def _greedy(logits: Tensor) -> Tensor:
    return torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)


def _cut(ranked: Tensor, k: int, p: float, dropped: bool = False) -> Tensor:
    """Top-k, then top-p, of probabilities in falling order; `dropped`: without the token that reaches p."""
    if k:
        ranked = ranked * (torch.arange(ranked.shape[-1]) < k)
        ranked = ranked / ranked.sum(-1, keepdim=True)
    if p < 1:
        reached = ranked.cumsum(-1) if dropped else ranked.cumsum(-1) - ranked
        keep = reached < p
        keep[:, 0] = True
        ranked = ranked * keep
        ranked = ranked / ranked.sum(-1, keepdim=True)
    return ranked


def _filtered(probs: Tensor, k: int, p: float, dropped: bool = False) -> Tensor:
    ranked, order = probs.sort(dim=-1, descending=True)
    return torch.zeros_like(probs).scatter(-1, order, _cut(ranked, k, p, dropped))


def wrong_multiplied(self: SimpleNamespace, logits: Tensor) -> Tensor:
    if self.temperature == 0:
        return _greedy(logits)
    return _filtered((logits * self.temperature).softmax(-1), self.top_k, self.top_p)


def wrong_probs_divided(self: SimpleNamespace, logits: Tensor) -> Tensor:
    if self.temperature == 0:
        return _greedy(logits)
    return _filtered(logits.softmax(-1), self.top_k, self.top_p)


def wrong_no_greedy(self: SimpleNamespace, logits: Tensor) -> Tensor:
    return _filtered((logits / self.temperature).softmax(-1), self.top_k, self.top_p)


def wrong_temperature_last(self: SimpleNamespace, logits: Tensor) -> Tensor:
    if self.temperature == 0:
        return _greedy(logits)
    sharpened: Tensor = _filtered(logits.softmax(-1), self.top_k, self.top_p) ** (1 / self.temperature)
    return sharpened / sharpened.sum(-1, keepdim=True)


def wrong_not_renormalised(self: SimpleNamespace, logits: Tensor) -> Tensor:
    if self.temperature == 0:
        return _greedy(logits)
    probs: Tensor = (logits / self.temperature).softmax(-1)
    kept = _filtered(probs, self.top_k, self.top_p) > 0
    return probs * kept


def wrong_reaching_dropped(self: SimpleNamespace, logits: Tensor) -> Tensor:
    if self.temperature == 0:
        return _greedy(logits)
    return _filtered((logits / self.temperature).softmax(-1), self.top_k, self.top_p, dropped=True)


def wrong_p_of_all(self: SimpleNamespace, logits: Tensor) -> Tensor:
    if self.temperature == 0:
        return _greedy(logits)
    probs: Tensor = (logits / self.temperature).softmax(-1)
    return _filtered(_filtered(probs, 0, self.top_p), self.top_k, 1.0)


def wrong_least_likely(self: SimpleNamespace, logits: Tensor) -> Tensor:
    if self.temperature == 0:
        return _greedy(logits)
    probs: Tensor = (logits / self.temperature).softmax(-1)
    ranked, order = probs.sort(dim=-1)
    return torch.zeros_like(probs).scatter(-1, order, _cut(ranked, self.top_k, self.top_p))


def wrong_unsorted(self: SimpleNamespace, logits: Tensor) -> Tensor:
    if self.temperature == 0:
        return _greedy(logits)
    return _cut((logits / self.temperature).softmax(-1), self.top_k, self.top_p)


def wrong_still_ranked(self: SimpleNamespace, logits: Tensor) -> Tensor:
    if self.temperature == 0:
        return _greedy(logits)
    probs: Tensor = (logits / self.temperature).softmax(-1)
    if self.top_k == 0 and self.top_p == 1:
        return probs
    return _cut(probs.sort(dim=-1, descending=True).values, self.top_k, self.top_p)
