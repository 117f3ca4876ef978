"""Where an answer differs from the right one: type first, then shape, then the first wrong index with both values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from learn_llm.exercises.codec import Other

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Difference:
    """The first thing that is wrong; `kind` and `values` choose and fill a text of texts.py."""

    kind: str
    place: str
    """Where: "", "[1]" for the second result, ".name"."""
    values: Mapping[str, object] = field(default_factory=dict)


def difference(right: Any, got: Any, tolerance: float = TOLERANCE, place: str = "") -> Difference | None:
    """The first difference between what is right and what was answered, or None.

    Numbers agree within `tolerance`, relative above 1 and absolute below.

    >>> difference(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.5])).values["index"]
    '[1]'
    >>> difference((1, 2), (1, 3)).place
    '[1]'
    >>> difference(torch.tensor([-math.inf]), torch.tensor([0.0])).kind
    'value'
    """
    if isinstance(right, Tensor):
        return _of_tensors(right, got, tolerance, place)
    if isinstance(right, bool) or isinstance(got, bool) or right is None or isinstance(right, str):
        same = type(right) is type(got) and right == got
        return None if same else _plain(right, got, place)
    if isinstance(right, int | float):
        if isinstance(got, Tensor) and got.numel() == 1 and got.dim() == 0:
            got = got.item()  # a number of one element is as good
        if not isinstance(got, int | float):
            return _plain(right, got, place)
        return None if _close(float(right), float(got), tolerance) else _plain(right, got, place)
    if isinstance(right, SimpleNamespace):
        right, got = vars(right), vars(got) if isinstance(got, SimpleNamespace) else got
    if isinstance(right, dict):
        return _of_dicts(right, got, tolerance, place)
    if isinstance(right, list | tuple):
        return _of_lists(right, got, tolerance, place)
    return None if right == got else _plain(right, got, place)


def _of_tensors(right: Tensor, got: Any, tolerance: float, place: str) -> Difference | None:
    if isinstance(got, int | float) and not isinstance(got, bool) and right.dim() == 0:
        got = torch.tensor(got, dtype=right.dtype)
    if not isinstance(got, Tensor):
        return _plain(right, got, place)
    if right.shape != got.shape:
        return Difference("shape", place, {"right": tuple(right.shape), "got": tuple(got.shape)})
    if _sort(right) != _sort(got):
        return Difference("dtype", place, {"right": _name(right.dtype), "got": _name(got.dtype)})
    a, b = right.detach().double(), got.detach().double()
    near = ((a - b).abs() <= tolerance * a.abs().clamp(min=1.0)) & a.isfinite()  # any number is within ∞ of ∞
    wrong = ~(near | (a == b) | (a.isnan() & b.isnan()))
    if not wrong.any():
        return None
    index = tuple(int(i) for i in wrong.nonzero()[0])
    values = {"right": _number(a[index].item()), "got": _number(b[index].item()), "index": str(list(index))}
    kind = "value" if index else "number"
    return Difference(kind, place, {**values, "wrong": int(wrong.sum()), "of": wrong.numel()})


def _of_dicts(right: Mapping[str, Any], got: Any, tolerance: float, place: str) -> Difference | None:
    if not isinstance(got, dict):
        return _plain(right, got, place)
    if right.keys() != got.keys():
        return Difference("keys", place, {"right": ", ".join(sorted(right)), "got": ", ".join(sorted(map(str, got)))})
    found = (difference(right[key], got[key], tolerance, f"{place}[{key!r}]") for key in right)
    return next((item for item in found if item), None)


def _of_lists(right: Sequence[Any], got: Any, tolerance: float, place: str) -> Difference | None:
    if not isinstance(got, list | tuple):
        return _plain(right, got, place)
    if len(right) != len(got):
        return Difference("length", place, {"right": len(right), "got": len(got)})
    found = (difference(a, b, tolerance, f"{place}[{i}]") for i, (a, b) in enumerate(zip(right, got, strict=True)))
    return next((item for item in found if item), None)


def _plain(right: Any, got: Any, place: str) -> Difference:
    if got is None:
        return Difference("none", place, {"right": what(right)})
    same = type(right) is type(got) or {type(right), type(got)} <= {int, float}
    return Difference("number" if same else "type", place, {"right": what(right), "got": what(got)})


def _close(right: float, got: float, tolerance: float) -> bool:
    if math.isnan(right) or math.isnan(got):
        return math.isnan(right) and math.isnan(got)
    return right == got or (math.isfinite(right) and abs(right - got) <= tolerance * max(1.0, abs(right)))


def what(value: Any) -> str:
    """A value in a few words: plain ones as they are, a tensor by its shape.

    >>> what(torch.zeros(2, 3)), what([1, 2]), what(0.12345678)
    ('tensor (2, 3)', '[1, 2]', '0.123457')
    """
    if isinstance(value, Tensor):
        sort = "" if value.is_floating_point() else f" {_name(value.dtype)}"
        if value.numel() <= 1:
            return f"tensor({', '.join(map(_number, value.flatten().tolist()))}){sort if value.numel() else ''}"
        return f"tensor {tuple(value.shape)}{sort}"
    if isinstance(value, Other):
        return value.type
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, torch.nn.Module | torch.Generator) or type(value).__name__ == "Random":
        return type(value).__name__
    if isinstance(value, SimpleNamespace):
        value = vars(value)
        return "(" + ", ".join(f"{key}={what(item)}" for key, item in value.items()) + ")"
    if isinstance(value, dict):
        text = "{" + ", ".join(f"{key!r}: {what(item)}" for key, item in value.items()) + "}"
    elif isinstance(value, list | tuple):
        text = ("[{}]" if isinstance(value, list) else "({})").format(", ".join(map(what, value)))
    else:
        text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _number(value: float | int | bool) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _sort(tensor: Tensor) -> str:
    return "float" if tensor.is_floating_point() else "bool" if tensor.dtype == torch.bool else "int"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
