"""The key-value cache: what attention computed for past positions, kept so that a new token costs one position.

Without it sampling T tokens runs the model over 1 + 2 + ... + T positions, with it over T.  It holds
2 · L · B · K · S · hd numbers: that is what grouped-query attention (K below H) saves.

Keys are kept after rotation.  The room is allocated once and written in place, so that a step copies one position and
not the past.  It is for sampling: gradients do not flow through what was written in place.

Where all rows begin with the same text, its keys and values are kept once, for one row: `prefix`.  All queries are
multiplied with them in one matrix product (Hydragen, Juravsky et al. 2024, arXiv 2402.05099).
"""

import copy

import torch
from torch import Tensor

from learn_llm.gpt_config import GPTConfig


class KVCache:
    """The keys and values of `length` positions, with room for `capacity`; a prefix counts in both."""

    length: int
    capacity: int

    def __init__(
        self,
        config: GPTConfig,
        batch: int,
        capacity: int,
        device: torch.device | str,
        dtype: torch.dtype,
        prefix: "KVCache | None" = None,
    ) -> None:
        if prefix is not None and prefix.length < prefix.capacity:
            raise ValueError(f"a prefix fills its cache: {prefix.length} positions of {prefix.capacity}")
        self.prefix = prefix
        self.length = prefix.length if prefix is not None else 0
        room = capacity - self.length
        shape = (config.num_hidden_layers, batch, config.num_key_value_heads, room, config.head_size)
        self.keys = list(torch.empty(shape, device=device, dtype=dtype))  # per layer (B, K, room, hd)
        self.values = list(torch.empty(shape, device=device, dtype=dtype))
        self.real = torch.ones(batch, capacity, dtype=torch.bool, device=device)  # (B, capacity): False on padding
        self.padded = False
        self.capacity = capacity

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Write the new keys and values, (B, K, T, hd), behind the past ones; returns all but the prefix's."""
        start = self.length - (self.prefix.length if self.prefix is not None else 0)
        end = start + k.shape[2]
        self.keys[layer][:, :, start:end] = k
        self.values[layer][:, :, start:end] = v
        return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]

    def keep(self, rows: Tensor) -> None:
        """Drop all rows but these, (B',) indices; a row may be kept several times."""
        self.keys = [keys[rows] for keys in self.keys]
        self.values = [values[rows] for values in self.values]
        self.real = self.real[rows]

    def branch(self, rows: Tensor) -> "KVCache":
        """A cache of these rows, (B',) indices, that goes on by itself."""
        branched = copy.copy(self)
        branched.keep(rows)
        return branched


def attend_behind(prefix_k: Tensor, prefix_v: Tensor, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Attention over a prefix that all rows share and over their own keys, with one softmax: (B, H, T, hd).

    Args:
        prefix_k, prefix_v: (1, K, P, hd), of the prefix, which everybody may look at.
        q: (B, H, T, hd).
        k, v: (B, K, S, hd), of the row itself.
        mask: (T, P + S) or (B, 1, T, P + S), True where a query may look at a key; None: everywhere.

    Both keys are looked at alike, the prefix's and the own one:

    >>> one = torch.ones(1, 1, 1, 1)
    >>> attend_behind(one, 4 * one, q=one, k=one, v=2 * one, mask=None).item()
    3.0
    """
    q = q.unflatten(1, (k.shape[1], -1)) * q.shape[-1] ** -0.5  # (B, K, H/K, T, hd)
    shared, own = torch.einsum("bkgtd,kpd->bkgtp", q, prefix_k[0]), torch.einsum("bkgtd,bksd->bkgts", q, k)
    scores = torch.cat((shared, own), dim=-1)
    if mask is not None:
        scores = scores.masked_fill(~(mask if mask.dim() == 2 else mask[:, :, None]), -torch.inf)
    on_prefix, on_own = scores.softmax(-1).split((shared.shape[-1], own.shape[-1]), dim=-1)
    mixed = torch.einsum("bkgtp,kpd->bkgtd", on_prefix, prefix_v[0]) + torch.einsum("bkgts,bksd->bkgtd", on_own, v)
    return mixed.flatten(1, 2)
