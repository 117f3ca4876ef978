"""Three estimates of a KL divergence from sampled tokens."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import logprobs as draw

TARGET = "learn_llm.minimal_impls.ppo:kl_estimate"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns in ((1, 1), (2, 4), (3, 12)):
        for kind in ("k1", "k2", "k3"):
            yield {"logprobs": draw(rng, rows, columns), "ref_logprobs": draw(rng, rows, columns), "kind": kind}
    yield {"logprobs": draw(rng, 2, 5), "ref_logprobs": draw(rng, 2, 5)}


def wrong_reversed(logprobs: Tensor, ref_logprobs: Tensor, kind: str = "k1") -> Tensor:
    delta = ref_logprobs - logprobs
    return {"k1": delta, "k2": delta.square() / 2, "k3": torch.expm1(-delta) + delta}[kind]


def wrong_k1_absolute(logprobs: Tensor, ref_logprobs: Tensor, kind: str = "k1") -> Tensor:
    delta = logprobs - ref_logprobs
    return {"k1": delta.abs(), "k2": delta.square() / 2, "k3": torch.expm1(-delta) + delta}[kind]


def wrong_k2_no_half(logprobs: Tensor, ref_logprobs: Tensor, kind: str = "k1") -> Tensor:
    delta = logprobs - ref_logprobs
    return {"k1": delta, "k2": delta.square(), "k3": torch.expm1(-delta) + delta}[kind]


def wrong_k3_reversed(logprobs: Tensor, ref_logprobs: Tensor, kind: str = "k1") -> Tensor:
    delta = logprobs - ref_logprobs
    return {"k1": delta, "k2": delta.square() / 2, "k3": torch.expm1(delta) - delta}[kind]


def wrong_k3_no_one(logprobs: Tensor, ref_logprobs: Tensor, kind: str = "k1") -> Tensor:
    delta = logprobs - ref_logprobs
    return {"k1": delta, "k2": delta.square() / 2, "k3": torch.exp(-delta) + delta}[kind]


def wrong_weighted(logprobs: Tensor, ref_logprobs: Tensor, kind: str = "k1") -> Tensor:
    delta = logprobs - ref_logprobs
    return logprobs.exp() * {"k1": delta, "k2": delta.square() / 2, "k3": torch.expm1(-delta) + delta}[kind]


def wrong_averaged(logprobs: Tensor, ref_logprobs: Tensor, kind: str = "k1") -> Tensor:
    delta = logprobs - ref_logprobs
    return {"k1": delta, "k2": delta.square() / 2, "k3": torch.expm1(-delta) + delta}[kind].mean()
