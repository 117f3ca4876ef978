"""Several processes that train one model together, started by `accelerate launch` or `torchrun`: data-parallel.

    accelerate launch --num_processes 2 -m learn_llm.minimal_impls.sft                # one process a GPU
    accelerate launch --num_processes 2 --multi_gpu -m learn_llm.minimal_impls.sft    # without GPUs: gloo on the CPU

Every process holds the whole model and draws the same batch by (seed, step).  It goes through its `own` rows only, with
each loss divided by the count of the whole batch; so the gradients of all processes add up to that of one process
(`training.Optimiser`), whatever the lengths of the rows.  A mean over processes of their own means would weigh tokens
differently.  What is sampled or measured on own rows is put together by `gathered`, so that every process knows all.
Only the first one shows, saves, and calls functions that need not say the same twice.

With `--use_fsdp` Adam's moments are sharded: each process keeps those of its share of the parameters, 8 bytes of the 16
that a parameter takes, updates that share and sends it to the others (ZeRO, stage 1, Rajbhandari et al. 2020, arXiv
1910.02054).  Weights and gradients stay whole on each, as sampling needs the whole model.

One process is the usual case: there each function returns what it was given, and Accelerate is not needed.
"""

import atexit
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from learn_llm.errors import MissingError, UserError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

T = TypeVar("T")


def processes() -> int:
    """How many there are, as the launcher says."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def index() -> int:
    """Which of them this one is, from 0."""
    return int(os.environ.get("RANK", "0")) if processes() > 1 else 0


def is_first() -> bool:
    """Whether this is the one that shows and saves."""
    return index() == 0


def started_alone() -> bool:
    """Whether `accelerate launch` was asked for several and started one: on CPUs it wants --multi_gpu, too."""
    return {"ACCELERATE_MIXED_PRECISION", "MASTER_PORT"} <= os.environ.keys() and "RANK" not in os.environ


def sharded() -> bool:
    """Whether Accelerate was told to shard, by `accelerate launch --use_fsdp` or in its configuration."""
    return processes() > 1 and os.environ.get("ACCELERATE_USE_FSDP") == "true"


def join(device: str = "auto") -> "torch.device":
    """Meet the other processes; returns the device of this one.

    Raises:
        MissingError: Accelerate is not installed.
        UserError: there are more processes than devices, or the device cannot be shared out.
    """
    import torch

    try:
        from accelerate import PartialState
    except ImportError:
        raise MissingError("several processes need Accelerate: pip install 'learn-llm[accelerate]'") from None
    if os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true":
        raise UserError("DeepSpeed is not used here: give --use_fsdp, which shards the optimiser's state")
    here, devices = int(os.environ.get("LOCAL_WORLD_SIZE", processes())), torch.cuda.device_count()
    if device == "mps" or (device == "cuda" and not devices):
        raise UserError(f"several processes run on CUDA devices or, with --device cpu, on the CPU, not on {device}")
    on_cpu = device == "cpu" or not devices
    if not on_cpu and here > devices:
        raise UserError(f"{here} processes, but {devices} CUDA devices here: start as many as devices, or --device cpu")
    # Functions in here keep, as defaults, the group that there is when they are imported.  If that were the one made
    # below, its threads would run on into the end of the interpreter, which now and then aborts the process.
    import torch.distributed.optim

    state = PartialState(cpu=on_cpu)
    atexit.register(state.destroy_process_group)
    return torch.device("cpu") if on_cpu else state.device


@overload
def own(rows: "Tensor") -> "Tensor": ...
@overload
def own(rows: Sequence[T]) -> Sequence[T]: ...
def own(rows: Any) -> Any:
    """The rows that this process goes through: every n-th of them, n processes."""
    return rows if processes() == 1 else rows[index() :: processes()]


def gathered(mine: Sequence[T]) -> list[T]:
    """What each process made of its own rows, one thing a row, in the order of all rows."""
    if processes() == 1:
        return list(mine)
    shares = _from_all(mine)
    return [shares[i % len(shares)][i // len(shares)] for i in range(sum(map(len, shares)))]


def added(values: Mapping[str, float]) -> dict[str, float]:
    """Numbers by name, summed over all processes; one that has no rows may leave names out."""
    if processes() == 1:
        return dict(values)
    shares = _from_all(dict(values))
    return {name: sum(share.get(name, 0.0) for share in shares) for share in shares for name in share}


def summed(tensor: "Tensor") -> "Tensor":
    """A tensor, summed over all processes."""
    if processes() == 1:
        return tensor
    from accelerate.utils import reduce

    total: Tensor = reduce(tensor, reduction="sum")
    return total


def sum_gradients(parameters: Iterable["Tensor"]) -> None:
    """Give every process the sum of all processes' gradients; where a process has none, its share is 0."""
    if processes() == 1:
        return
    import torch
    from torch.nn.utils import parameters_to_vector, vector_to_parameters

    parameters = list(parameters)
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    vector_to_parameters(summed(parameters_to_vector(gradients)), gradients)


def adamw(groups: Sequence[dict[str, Any]], **settings: Any) -> "torch.optim.Optimizer":
    """AdamW for these groups of parameters; sharded, its moments are kept by one process each."""
    from torch.optim import AdamW

    if not sharded():
        return AdamW(groups, **settings)
    from torch.distributed.optim import ZeroRedundancyOptimizer

    return ZeroRedundancyOptimizer(groups, AdamW, **settings)


def moments(adam: "torch.optim.Optimizer") -> dict[int, dict[str, "Tensor"]]:
    """The state of AdamW by the index of the parameter, whole on the first process, which saves it.  All must ask."""
    if sharded():
        adam.consolidate_state_dict(to=0)  # type: ignore[attr-defined]
    state: dict[int, dict[str, Tensor]] = adam.state_dict()["state"] if is_first() else {}
    return state


def from_first(make: Callable[[], T]) -> T:
    """What the first process makes, for all; the others only wait."""
    if processes() == 1:
        return make()
    from accelerate.utils import broadcast_object_list

    made: list[Any] = [make() if is_first() else None]
    broadcast_object_list(made)
    return made[0]  # type: ignore[no-any-return]


def _from_all(thing: T) -> list[T]:
    """One thing of each process, in their order."""
    from accelerate.utils import gather_object

    things: list[T] = gather_object([thing])
    return things
