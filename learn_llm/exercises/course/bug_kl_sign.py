"""Find the bug: a KL estimate with δ turned round."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from learn_llm.exercises.inputs import logprobs

TARGET = "learn_llm.minimal_impls.ppo:kl_estimate"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, columns in ((1, 1), (3, 5), (2, 16)):
        for kind in ("k1", "k2", "k3"):
            yield {"logprobs": logprobs(rng, rows, columns), "ref_logprobs": logprobs(rng, rows, columns), "kind": kind}
    yield {"logprobs": logprobs(rng, 2, 3), "ref_logprobs": logprobs(rng, 2, 3)}


def wrong_reversed(logprobs: Tensor, ref_logprobs: Tensor, kind: str = "k1") -> Tensor:
    delta = ref_logprobs - logprobs
    return {"k1": delta, "k2": delta.square() / 2, "k3": torch.expm1(-delta) + delta}[kind]


def wrong_k3_reversed(logprobs: Tensor, ref_logprobs: Tensor, kind: str = "k1") -> Tensor:
    delta = logprobs - ref_logprobs
    return {"k1": delta, "k2": delta.square() / 2, "k3": torch.expm1(delta) - delta}[kind]


def wrong_k1_negative(logprobs: Tensor, ref_logprobs: Tensor, kind: str = "k1") -> Tensor:
    delta = logprobs - ref_logprobs
    return {"k1": -delta, "k2": delta.square() / 2, "k3": torch.expm1(-delta) + delta}[kind]


def wrong_no_half(logprobs: Tensor, ref_logprobs: Tensor, kind: str = "k1") -> Tensor:
    delta = logprobs - ref_logprobs
    return {"k1": delta, "k2": delta.square(), "k3": torch.expm1(-delta) + delta}[kind]


START = wrong_reversed
