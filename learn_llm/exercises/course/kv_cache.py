"""Keys and values of past positions, kept."""

from collections.abc import Iterator
from random import Random
from types import SimpleNamespace

from torch import Tensor

from learn_llm.exercises.inputs import normal

TARGET = "learn_llm.kv_cache:KVCache.extend"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for layers, layer, rows, heads, capacity, past, new in (
        (1, 0, 1, 1, 4, 2, 1),
        (2, 1, 2, 2, 6, 0, 3),
        (3, 1, 1, 2, 8, 5, 1),
        (2, 1, 3, 1, 7, 2, 3),
        (2, 0, 2, 2, 5, 3, 2),
    ):
        room = (rows, heads, capacity, 4)
        cache = SimpleNamespace(
            keys=[normal(rng, *room) for _ in range(layers)],  # behind `past` stands what was never written
            values=[normal(rng, *room) for _ in range(layers)],
            length=past,
            capacity=capacity,
            prefix=None,
        )
        fresh = (rows, heads, new, 4)
        yield {"self": cache, "layer": layer, "k": normal(rng, *fresh), "v": normal(rng, *fresh)}


def _write(self: SimpleNamespace, layer: int, k: Tensor, v: Tensor, start: int) -> tuple[Tensor, Tensor]:
    end = start + k.shape[2]
    self.keys[layer][:, :, start:end] = k
    self.values[layer][:, :, start:end] = v
    return self.keys[layer], self.values[layer]


def wrong_from_the_start(self: SimpleNamespace, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    keys, values = _write(self, layer, k, v, 0)
    end = self.length + k.shape[2]
    return keys[:, :, :end], values[:, :, :end]


def wrong_new_only(self: SimpleNamespace, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    _write(self, layer, k, v, self.length)
    return k, v


def wrong_past_only(self: SimpleNamespace, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    keys, values = _write(self, layer, k, v, self.length)
    return keys[:, :, : self.length], values[:, :, : self.length]


def wrong_whole_room(self: SimpleNamespace, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    return _write(self, layer, k, v, self.length)


def wrong_first_layer(self: SimpleNamespace, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    keys, values = _write(self, 0, k, v, self.length)
    end = self.length + k.shape[2]
    return keys[:, :, :end], values[:, :, :end]


def wrong_keys_twice(self: SimpleNamespace, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    keys, values = _write(self, layer, k, k, self.length)
    end = self.length + k.shape[2]
    return keys[:, :, :end], values[:, :, :end]


def wrong_one_new(self: SimpleNamespace, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    keys, values = _write(self, layer, k, v, self.length)
    return keys[:, :, : self.length + 1], values[:, :, : self.length + 1]


def wrong_not_written(self: SimpleNamespace, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    end = self.length + k.shape[2]
    return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]
