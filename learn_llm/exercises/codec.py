"""Arguments and answers as bytes: JSON, and tensors as .npy without pickle.  Nothing that is decoded can run code.

A message is its length (8 bytes), the length of its JSON (4 bytes), the JSON, and the .npy blocks one after the other.
What is no plain value (an object of a class of one's own) arrives as `Other`: its type's name, nothing else.
"""

import dataclasses
import io
import json
import math
import random
import struct
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn

DEEPEST = 20
"""Levels of lists in lists."""


@dataclasses.dataclass(frozen=True)
class Other:
    """Something that cannot be sent: only its type's name was."""

    type: str


def dump(value: object) -> bytes:
    """The message of a value, with its length before it."""
    blocks: list[bytes] = []
    tree = json.dumps(_encode(value, blocks, 0)).encode()
    body = struct.pack(">I", len(tree)) + tree + b"".join(struct.pack(">I", len(block)) + block for block in blocks)
    return struct.pack(">Q", len(body)) + body


def load(body: bytes) -> Any:
    """The value of a message (without its length).  Raises ValueError where the bytes are no message."""
    try:
        (size,) = struct.unpack_from(">I", body)
        tree, rest, blocks = json.loads(body[4 : 4 + size]), body[4 + size :], []
        while rest:
            (size,) = struct.unpack_from(">I", rest)
            blocks.append(_array(rest[4 : 4 + size]))
            rest = rest[4 + size :]
        return _decode(tree, blocks)
    except (struct.error, ArithmeticError, LookupError, TypeError, RecursionError, RuntimeError, SyntaxError) as error:
        raise ValueError(f"no message: {error}") from None


def _encode(value: Any, blocks: list[bytes], depth: int) -> Any:
    if depth > DEEPEST:
        return {"other": "something nested very deeply"}
    kind = type(value)
    if value is None or kind in (bool, float, str):
        return value
    if kind is int:
        return value if abs(value) < 10**300 else {"other": "an int of more than 300 digits"}
    if isinstance(value, nn.Linear | nn.Embedding):
        bias = value.bias if isinstance(value, nn.Linear) else None
        return {type(value).__name__: [_tensor(value.weight, blocks), bias is not None and _tensor(bias, blocks)]}
    if isinstance(value, torch.Tensor):
        return _tensor(value, blocks)
    if kind in (torch.dtype, torch.device):
        return {kind.__name__: str(value).removeprefix("torch.")}
    if kind is random.Random:
        version, state, gauss = value.getstate()
        return {"random": [version, list(state), gauss]}
    if kind is torch.Generator:
        return {"generator": _tensor(value.get_state(), blocks)}
    inner = _inner(value)
    if inner is None:
        return {"other": kind.__name__}
    name, items = inner
    if isinstance(items, dict):
        return {name: {key: _encode(item, blocks, depth + 1) for key, item in items.items()}}
    return {name: [_encode(item, blocks, depth + 1) for item in items]}


def _inner(value: Any) -> tuple[str, dict[str, Any] | list[Any]] | None:
    """What a container holds, or None where it is none that can be sent."""
    if type(value) is list or isinstance(value, tuple):
        return type(value).__name__ if type(value) is list else "tuple", list(value)
    if type(value) is dict and all(type(key) is str for key in value):
        return "dict", value
    if type(value) is SimpleNamespace:
        return "namespace", vars(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return "namespace", {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    return None


def _tensor(value: torch.Tensor, blocks: list[bytes]) -> Any:
    if value.layout != torch.strided or value.is_complex() or value.is_quantized:
        return {"other": f"a tensor of {value.dtype}"}
    value = value.detach().cpu()
    plain = value.float() if value.dtype.is_floating_point and value.dtype.itemsize < 4 else value  # bfloat16
    file = io.BytesIO()
    np.save(file, plain.contiguous().numpy(), allow_pickle=False)
    blocks.append(file.getvalue())
    return {"tensor": [len(blocks) - 1, str(value.dtype).removeprefix("torch.")]}


def _array(block: bytes) -> np.ndarray[Any, Any]:
    """An .npy block, whose header must agree with its length before anything is taken for it."""
    file = io.BytesIO(block)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("no .npy of version 1.0")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    data = block[file.tell() :]
    if dtype.kind not in "biuf" or any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError("an .npy block of the wrong size")
    return np.frombuffer(bytearray(data), dtype).reshape(shape, order="F" if fortran else "C")


def _decode(tree: Any, blocks: list[np.ndarray[Any, Any]]) -> Any:
    if not isinstance(tree, dict):
        if isinstance(tree, list):
            raise ValueError("a bare list")
        return tree
    ((name, value),) = tree.items()
    return _DECODERS[name](value, blocks)


def _decode_tensor(value: Any, blocks: list[np.ndarray[Any, Any]]) -> torch.Tensor:
    index, dtype = value
    return torch.from_numpy(blocks[index]).to(_dtype(dtype))


def _dtype(name: Any) -> torch.dtype:
    dtype = getattr(torch, name)
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"{name} is no dtype")
    return dtype


def _module(kind: str) -> Callable[[Any, list[np.ndarray[Any, Any]]], nn.Module]:
    def decode(value: Any, blocks: list[np.ndarray[Any, Any]]) -> nn.Module:
        weight, bias = (_decode(part, blocks) for part in value)
        if kind == "Embedding":
            embedding: nn.Module = nn.Embedding.from_pretrained(weight)
            return embedding
        linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not False, dtype=weight.dtype)
        linear.load_state_dict({"weight": weight} | ({} if bias is False else {"bias": bias}))
        return linear

    return decode


def _decode_random(value: Any, blocks: list[np.ndarray[Any, Any]]) -> random.Random:
    version, state, gauss = value
    rng = random.Random()
    rng.setstate((version, tuple(state), gauss))
    return rng


def _decode_generator(value: Any, blocks: list[np.ndarray[Any, Any]]) -> torch.Generator:
    generator = torch.Generator()
    generator.set_state(_decode(value, blocks))
    return generator


_DECODERS: dict[str, Callable[[Any, list[np.ndarray[Any, Any]]], Any]] = {
    "list": lambda value, blocks: [_decode(item, blocks) for item in value],
    "tuple": lambda value, blocks: tuple(_decode(item, blocks) for item in value),
    "dict": lambda value, blocks: {key: _decode(item, blocks) for key, item in value.items()},
    "namespace": lambda value, blocks: SimpleNamespace(**{key: _decode(value[key], blocks) for key in value}),
    "tensor": _decode_tensor,
    "Linear": _module("Linear"),
    "Embedding": _module("Embedding"),
    "random": _decode_random,
    "generator": _decode_generator,
    "dtype": lambda value, blocks: _dtype(value),
    "device": lambda value, blocks: torch.device("cpu"),
    "other": lambda value, blocks: Other(str(value)[:80]),
}
