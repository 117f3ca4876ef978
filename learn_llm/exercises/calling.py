"""Calling the function that is judged, ours in the judge and the learner's in the worker, in the same way."""

import dataclasses
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from learn_llm.exercises.codec import dump, load


def call(function: Callable[..., Any], arguments: Mapping[str, Any], gradient: Sequence[str]) -> dict[str, Any]:
    """What a function answers: its result, gradients with respect to the named arguments, which arguments it changed.

    The gradient is that of Σ cos(i)·result_i rather than of the plain sum, whose gradient is 0 where a result is
    centred.  An argument without gradient has None.  Raises whatever the function raises.
    """
    arguments = load(dump(dict(arguments))[8:])  # its own copies: nobody's changes reach another
    before = {name: value.clone() for name, value in arguments.items() if isinstance(value, Tensor)}
    watched = [arguments[name].requires_grad_() for name in gradient]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = _plain(function(**arguments))
        changed = [name for name, value in before.items() if not _same(value, arguments[name])]
        gradients: Sequence[Tensor | None] = []
        if watched:
            total = sum((_weighed(tensor) for tensor in _floats(result)), torch.zeros(()))
            gradients = [None] * len(watched)
            if total.requires_grad:
                gradients = torch.autograd.grad(total, watched, allow_unused=True)
    return {"result": result, "gradients": list(gradients), "changed": changed}


def _plain(result: Any) -> Any:
    """A dataclass as the namespace of its fields, as it would arrive from the worker."""
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        return SimpleNamespace(**{item.name: getattr(result, item.name) for item in dataclasses.fields(result)})
    return result


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())


def _weighed(tensor: Tensor) -> Tensor:
    weights = torch.tensor([math.cos(index) for index in range(tensor.numel())]).reshape(tensor.shape)
    return (tensor.double() * weights).sum()


def _floats(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor) and value.is_floating_point():
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _floats(item)
    elif isinstance(value, dict):
        yield from _floats(list(value.values()))
