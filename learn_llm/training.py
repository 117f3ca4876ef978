"""What every training file shares: settings, device, optimiser, batches, and a state on disk from which a run goes on.

Nothing here knows a method.  The loop stays in the method's file:

    for step in progress.steps():
        loss = ...                                  # the method
        loss.backward()
        values = optimiser.step(step, loss)         # clipped, scheduled, guarded against NaN
        progress.done(step, values)                 # saved when due
        yield Metrics(step, config.steps, values)

All randomness of a step is drawn from generators seeded by (seed, step): there is no random state to save, and a run
that was killed goes on with the numbers that an uninterrupted one has.  Several processes (`parallel`) each go through
their own rows of the batch; the optimiser adds their gradients up, and the first one saves.
"""

import contextlib
import dataclasses
import json
import math
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from learn_llm import parallel
from learn_llm.checkpoints import load, save
from learn_llm.errors import UserError
from learn_llm.examples import Encoder
from learn_llm.gpt import GPT
from learn_llm.running import RunConfig

STATE = "training.safetensors"
_MAY_DIFFER = {"out", "resume", "save_every", "device"}


@dataclass(frozen=True)
class TrainConfig(RunConfig):
    """What every training run can be told."""

    model: str = "tiny-sft"
    """The checkpoint to start from: a bundled name, a folder, or a hub name of the Llama family."""
    data: str = ""
    """A JSON-lines file to train on; empty: the tiny world."""
    steps: int = 100
    """Optimiser steps."""
    batch_size: int = 64
    """Examples a step."""
    micro_batch_size: int = 0
    """Examples that go through the model at once; smaller saves memory and changes no number. 0: the whole batch."""
    learning_rate: float = 5e-4
    """Peak of the schedule, AdamW."""
    schedule: Literal["cosine", "linear", "constant", "trapezoid"] = "cosine"
    """How the learning rate falls to 0 after the warm-up; "trapezoid": over the last 30 %; "constant": not at all."""
    warmup: float = 0.05
    """Share of the steps in which the learning rate rises to its peak."""
    weight_decay: float = 0.0
    """AdamW's decay, on matrices only."""
    max_grad_norm: float = 1.0
    """The gradient is scaled down to this length where it is longer; 0: never."""
    max_length: int = 0
    """Rows with more tokens are left out and counted; 0: the model's context."""
    out: str = ""
    """Folder for the trained model in Hugging Face format and for the state to go on from."""
    resume: bool = False
    """Go on from the state in --out."""
    save_every: int = 50
    """Steps between saves to --out."""
    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    """Where to train; "auto": CUDA, else MPS, else CPU."""
    dtype: Literal["auto", "fp32", "bf16"] = "auto"
    """Precision of the forward pass (weights stay fp32); "auto": bf16 on CUDA, fp32 elsewhere."""

    def __post_init__(self) -> None:
        self.need(1, "steps", "batch_size", "save_every")
        self.need(0, "micro_batch_size", "weight_decay", "max_grad_norm", "max_length", "warmup")
        self.need_above_0("learning_rate")
        if self.warmup >= 1:
            raise UserError(f"--warmup is a share of the steps, from 0 to below 1, not {self.warmup}")
        if self.resume and not self.out:
            raise UserError("--resume needs --out FOLDER, the folder of the run to go on with")

    def need(self, least: int, *names: str) -> None:
        """Raises UserError where one of these settings is less than `least`, or no number."""
        for name in names:
            if not least <= getattr(self, name) < math.inf:
                what = "must not be negative" if least == 0 else f"must be at least {least}"
                raise UserError(f"--{name.replace('_', '-')} {what}: it is {getattr(self, name)}")

    def need_above_0(self, *names: str) -> None:
        """Raises UserError where one of these settings is not a positive number."""
        for name in names:
            if not 0 < getattr(self, name) < math.inf:
                raise UserError(f"--{name.replace('_', '-')} must be above 0: it is {getattr(self, name)}")


def choose_device(name: str = "auto") -> torch.device:
    """The device of that name; "auto": CUDA, else MPS, else CPU.  Raises UserError where it is not there.

    Of several processes each gets its own (`parallel.join`).
    """
    if parallel.processes() > 1:
        return parallel.join(name)
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, available in there.items() if available))
    if not there[name]:
        raise UserError(f"no {name} device was found here; there are: {', '.join(k for k, v in there.items() if v)}")
    return torch.device(name)


def autocast(config: TrainConfig, device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """The precision of the forward pass: bf16 where asked for, and by itself on CUDA; the weights stay fp32."""
    wanted = config.dtype == "bf16" or (config.dtype == "auto" and device.type == "cuda")
    return torch.autocast(device.type, torch.bfloat16) if wanted else contextlib.nullcontext()


@dataclass(frozen=True)
class Setup:
    """The model to train with what belongs to it."""

    config: TrainConfig
    model: GPT
    encoder: Encoder
    device: torch.device

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """The precision of the forward pass."""
        return autocast(self.config, self.device)

    def save(self, folder: Path) -> None:
        """Write the model in Hugging Face format, with its tokenizer."""
        save(self.model, self.encoder.tokenizer, folder)


def prepare(config: TrainConfig) -> Setup:
    """Load the model to train onto its device, and seed the weights that are still to be drawn."""
    device = choose_device(config.device)
    model, tokenizer = load(config.model, device)
    if tokenizer is None:
        raise UserError(f"{config.model} has no tokenizer: it cannot be trained on text")
    torch.manual_seed(config.seed)
    return Setup(config, model.float(), Encoder(tokenizer, model.config), device)


def compiled(model: GPT, setup: Setup) -> Callable[[Tensor], Tensor]:
    """The model's forward pass for training, from tokens (B, T) to logits, compiled; sampling stays as it is.

    Raises UserError where torch cannot compile: it needs a C++ compiler or, on CUDA, Triton.
    """
    forward = torch.compile(model)
    try:
        with setup.autocast():
            forward(torch.zeros(2, 8, dtype=torch.long, device=setup.device))
    except Exception as error:  # whatever is missing, each has its own
        why = str(error).strip().splitlines()[0]
        raise UserError(f"--compile: torch cannot compile a model here: {why}. Leave it away") from error
    return forward


def learning_rate(step: int, config: TrainConfig) -> float:
    """The learning rate of step 1 .. config.steps: a linear warm-up, then the schedule down to 0 behind the last step.

    >>> config = TrainConfig(steps=10, learning_rate=1.0, warmup=0.2, schedule="linear")
    >>> [round(learning_rate(step, config), 3) for step in (1, 2, 3, 10)]
    [0.5, 1.0, 1.0, 0.125]
    """
    rising = round(config.warmup * config.steps)
    if step <= rising:
        return config.learning_rate * step / rising
    gone = (step - 1 - rising) / (config.steps - rising)
    shares = {
        "constant": 1.0,
        "linear": 1 - gone,
        "trapezoid": min(1.0, (1 - gone) / 0.3),
        "cosine": (1 + math.cos(math.pi * gone)) / 2,
    }
    return config.learning_rate * shares[config.schedule]


class Optimiser:
    """AdamW with the schedule, clipping by the global norm, and a guard that ends the run when a number is none."""

    def __init__(
        self,
        modules: Sequence[nn.Module],
        config: TrainConfig,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-8,
    ) -> None:
        self.parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in self.parameters if p.dim() >= 2], "weight_decay": config.weight_decay},
            {"params": [p for p in self.parameters if p.dim() < 2], "weight_decay": 0.0},
        ]
        self.adam = parallel.adamw([g for g in groups if g["params"]], lr=config.learning_rate, betas=betas, eps=eps)
        self.config = config

    def step(self, step: int, loss: Tensor | float | Mapping[str, float]) -> dict[str, float]:
        """Take one step along the gradients that stand in the parameters, and clear them.

        Args:
            step: counted from 1; decides the learning rate.
            loss: what the gradients are of, only read; or numbers of this step by name, "loss" among them.  Of several
                processes each gives its share, and gradients and numbers are added up (`parallel`).
        Returns:
            loss or all these numbers, learning_rate and grad_norm (before clipping).
        Raises:
            UserError: the loss or the gradient is not finite; the parameters are untouched.
        """
        told = parallel.added(loss if isinstance(loss, Mapping) else {"loss": float(loss)})
        value = told["loss"]
        parallel.sum_gradients(self.parameters)
        norm = torch.nn.utils.get_total_norm([p.grad for p in self.parameters if p.grad is not None])
        for name, number in (("loss", value), ("gradient", float(norm))):
            if not math.isfinite(number):
                raise UserError(f"the {name} is {number} at step {step}: the run stops. {_remedy(self.config)}")
        if self.config.max_grad_norm:
            torch.nn.utils.clip_grads_with_norm_(self.parameters, self.config.max_grad_norm, norm)
        rate = learning_rate(step, self.config)
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.step()
        self.adam.zero_grad()
        return {**told, "learning_rate": rate, "grad_norm": float(norm)}


def _remedy(config: TrainConfig) -> str:
    kept = (
        f"The last good checkpoint is kept in {config.out}. " if config.out and Path(config.out, STATE).exists() else ""
    )
    return f"{kept}Try a lower --learning-rate than {config.learning_rate:g}"


def generator(config: RunConfig, purpose: str, step: int = 0) -> random.Random:
    """Python's random numbers for one purpose at one step: the same for the same seed, on every machine."""
    return random.Random(f"{config.seed} {purpose} {step}")


def torch_generator(config: RunConfig, purpose: str, step: int = 0) -> torch.Generator:
    """The same for torch; on the CPU, so that the draws do not depend on the device."""
    return torch.Generator().manual_seed(generator(config, purpose, step).getrandbits(63))


def token_logprobs(logits: Tensor, tokens: Tensor) -> Tensor:
    """log p(token t + 1 | tokens up to t), (B, T - 1) in nats, from logits (B, T, V) and tokens (B, T).

    >>> token_logprobs(torch.tensor([[[0.9, 0.1], [0.5, 0.5]]]).log(), torch.tensor([[0, 1]])).exp()
    tensor([[0.1000]])
    """
    logprobs = logits[:, :-1].float().log_softmax(-1)
    return logprobs.gather(-1, tokens[:, 1:, None]).squeeze(-1)


class Progress:
    """Where a run stands, and what `--out` keeps of it.

    The state is one file, written beside and then moved into place: a killed run leaves the old state or the new one,
    never half of one.  It holds weights, optimiser moments and the values so far.  `export` writes the model in Hugging
    Face format.  As a context: a run that is closed early (Ctrl-C) saves its last whole step; one that failed keeps the
    last good one.
    """

    def __init__(
        self,
        config: TrainConfig,
        modules: Mapping[str, nn.Module],
        optimiser: Optimiser,
        export: Callable[[Path], None],
    ) -> None:
        self.config, self.modules, self.optimiser, self.export = config, modules, optimiser, export
        self.step = 0
        self.history: dict[str, list[float]] = {}
        self.extra: dict[str, float] = {}
        self._saved = 0
        self._file = Path(config.out, STATE) if config.out else None
        if self._file is not None:
            self._start(self._file)

    def _start(self, file: Path) -> None:
        if self.config.resume:
            self._load(file)
            return
        if file.exists():
            raise UserError(f"{file.parent} holds a run already: --resume goes on with it, or choose another --out")
        if not parallel.is_first():
            return
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            probe = file.with_suffix(".try")
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise UserError(f"--out {file.parent} cannot be written: {error.strerror}") from None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None or issubclass(kind, GeneratorExit):
            self.save()

    def steps(self) -> Iterator[int]:
        """The steps still to take."""
        yield from range(self.step + 1, self.config.steps + 1)

    def done(self, step: int, values: Mapping[str, float], **extra: float) -> None:
        """Step `step` is whole: remember its values, and what else the loop must know; save when it is time."""
        self.step = step
        self.extra = extra
        for name, value in values.items():
            self.history.setdefault(name, []).append(value)
        if step % self.config.save_every == 0:
            self.save()

    def save(self) -> None:
        """Write model and state to `--out`, if there is one and something is new."""
        if self._file is None or self._saved == self.step:
            return
        self._saved = self.step
        moments = parallel.moments(self.optimiser.adam)
        if not parallel.is_first():
            return
        meta = {"step": self.step, "config": _settings(self.config), "history": self.history, "extra": self.extra}
        waiting = self._file.with_suffix(".part")
        try:
            self.export(self._file.parent)
            save_file(self._tensors(moments), waiting, metadata={"state": json.dumps(meta)})
            with waiting.open("rb") as written:
                os.fsync(written.fileno())
            waiting.replace(self._file)
        except (OSError, SafetensorError) as error:
            raise UserError(f"step {self.step} could not be saved to {self._file.parent}: {error}") from None

    def _tensors(self, moments: Mapping[int, Mapping[str, Tensor]]) -> dict[str, Tensor]:
        tensors = {f"{name}.{key}": value.detach().clone() for name, key, value in self._weights()}
        for index, values in moments.items():
            tensors |= {f"optimiser.{index}.{key}": value.detach().clone() for key, value in values.items()}
        return tensors

    def _weights(self) -> Iterator[tuple[str, str, Tensor]]:
        for name, module in self.modules.items():
            yield from ((name, key, value) for key, value in module.named_parameters())
            yield from ((name, key, value) for key, value in module.named_buffers())

    def _load(self, file: Path) -> None:
        if not file.exists():
            raise UserError(f"there is no run to go on with in {file.parent}: leave --resume away to start one")
        try:
            with safe_open(file, "pt") as stored:
                meta = json.loads(stored.metadata()["state"])
                tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"{file} is damaged and cannot be gone on from: {error}") from None
        now = _settings(self.config)
        for name in sorted(now.keys() | meta["config"].keys()):
            if name not in _MAY_DIFFER and now.get(name) != meta["config"].get(name):
                raise UserError(
                    f"the run in {file.parent} was started with {name} {meta['config'].get(name)}, "
                    f"not {now.get(name)}: go on with the same settings, or choose another --out"
                )
        self.step, self.history, self.extra = meta["step"], meta["history"], meta["extra"]
        self._saved = self.step
        with torch.no_grad():
            for name, key, value in self._weights():
                value.copy_(tensors[f"{name}.{key}"])
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("optimiser."):
                _, index, moment = key.split(".")
                moments.setdefault(int(index), {})[moment] = value
        groups = torch.optim.Optimizer.state_dict(self.optimiser.adam)["param_groups"]  # sharded or not
        self.optimiser.adam.load_state_dict({"param_groups": groups, "state": moments})


def _settings(config: TrainConfig) -> dict[str, Any]:
    """The settings as they come back from JSON."""
    settings: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return settings
