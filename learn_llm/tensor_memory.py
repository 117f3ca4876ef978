"""How much memory the tensors of a computation take, on any device: counted, so that it is the same on every machine.

What a process takes can hardly be told for a small model: Python, torch and their caches weigh a hundred times as much.
"""

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Peak(TorchDispatchMode):
    """The most bytes that tensors held at once while it was on; it may be switched on more than once.

    >>> with Peak() as peak:
    ...     x = torch.zeros(1000) + 1              # the zeros are gone again behind this line
    ...     y = x.view(10, 100) + 1                # a view takes nothing of its own
    >>> peak.bytes
    8000
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = 0
        self._now = 0
        self._held: set[int] = set()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Every operation on tensors comes by here, those of the backward pass, too."""
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves((args, kwargs, out)):
            if isinstance(tensor, torch.Tensor):
                self._see(tensor.untyped_storage())
        self.bytes = max(self.bytes, self._now)
        return out

    def _see(self, storage: torch.UntypedStorage) -> None:
        if id(storage) not in self._held:
            self._held.add(id(storage))
            self._now += storage.nbytes()
            weakref.finalize(storage, self._let_go, id(storage), storage.nbytes()).atexit = False

    def _let_go(self, key: int, size: int) -> None:
        self._held.discard(key)
        self._now -= size
