"""The key-value cache: what attention computed for past positions, kept so that a new token costs one position.

Without it sampling T tokens runs the model over 1 + 2 + ... + T positions, with it over T.  It holds
2 · L · B · K · S · hd numbers: that is what grouped-query attention (K below H) saves.

Keys are kept after rotation.  The room is allocated once and written in place, so that a step copies one position and
not the past.  It is for sampling: gradients do not flow through what was written in place.
"""

import torch
from torch import Tensor

from learn_llm.gpt_config import GPTConfig


class KVCache:
    """The keys and values of `length` positions, with room for `capacity`."""

    def __init__(
        self, config: GPTConfig, batch: int, capacity: int, device: torch.device | str, dtype: torch.dtype
    ) -> None:
        shape = (config.num_hidden_layers, batch, config.num_key_value_heads, capacity, config.head_size)
        self.keys = list(torch.empty(shape, device=device, dtype=dtype))  # per layer (B, K, capacity, hd)
        self.values = list(torch.empty(shape, device=device, dtype=dtype))
        self.real = torch.ones(batch, capacity, dtype=torch.bool, device=device)  # (B, capacity): False on padding
        self.padded = False
        self.capacity = capacity
        self.length = 0

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Write the new keys and values, (B, K, T, hd), behind the past ones; returns all, (B, K, S, hd)."""
        end = self.length + k.shape[2]
        self.keys[layer][:, :, self.length : end] = k
        self.values[layer][:, :, self.length : end] = v
        return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]

    def keep(self, rows: Tensor) -> None:
        """Drop all rows but these, (B',) indices."""
        self.keys = [keys[rows] for keys in self.keys]
        self.values = [values[rows] for values in self.values]
        self.real = self.real[rows]
