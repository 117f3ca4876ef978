"""Quantisation: keep weights in 8 bits or fewer, and train LoRA through a frozen base of 4, which is QLoRA.

    absmax   scale = max|w| / (2^(b-1) - 1),   code = round(w / scale),   ŵ = code·scale,   so |ŵ - w| <= scale/2
    NF4      scale = max|w|,   code = the nearest of 16 levels to w / scale,   ŵ = level·scale

(Dettmers et al. 2022, LLM.int8(), arXiv 2208.07339, section 2; Dettmers et al. 2023, QLoRA, arXiv 2305.14314, section
3.)  NF4's levels are quantiles of a normal distribution: many near 0, where most weights are, few far out.

Implementation details
  1. Every 64 weights in a row of memory have a scale of their own: one large weight spoils its block and no other.
  2. Absmax is symmetric, codes -7 .. 7 in 4 bits: it never clips, and one of the 16 codes is never used.  In 2 bits
     the codes are -1, 0 and 1.
  3. The levels of NF4 are those published with the paper's code.  They are no symmetric set: 7 below 0, 0 itself, 8
     above, each side the quantiles of its own half, and all divided by the largest.
  4. The scales count: 32 bits for 64 weights are half a bit a weight.  Double quantisation (8 bits a scale, 32 more for
     256 scales) would make 0.127 of it; it is counted here and not done.
  5. Only the linear layers of the decoder are quantised; embeddings, head and norms stay, as in QLoRA.
  6. A layer keeps codes and scales, makes its weight when it is used and throws it away.  Gradients flow through it to
     the layers below and to LoRA, never into the codes; on their way back the weight is made once more, or all of them
     would stay in memory from the first layer's use to its gradient.
  7. To judge what LoRA repairs, it is trained as long on the base as it was: what training gains anyway, both gain.
  8. Four bits cost the tiny model next to nothing, so there is nothing to repair.  The run takes 2, which ruin it.
     With one scale a matrix in place of one for 64 weights (`--format int4 --block 16384`) 4 bits cost enough, too.
Left out: packing several codes into a byte, paged optimisers, methods that look at data (GPTQ, AWQ).

    python -m learn_llm.minimal_impls.quantise                                       # tiny world; --full: settings
    python -m learn_llm.minimal_impls.quantise --model smollm2 --data demonstrations.jsonl --format nf4
"""

import copy
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from learn_llm.errors import UserError
from learn_llm.evaluation import difference, held_out_losses
from learn_llm.events import Chart, Event, Series, Stage, Table, Verdict
from learn_llm.examples import source
from learn_llm.gpt import GPT
from learn_llm.minimal_impls import lora
from learn_llm.minimal_impls.variants import full
from learn_llm.running import main
from learn_llm.training import TrainConfig, prepare, torch_generator

Format = Literal["int8", "nf4", "int4", "int3", "int2"]
FORMATS: tuple[Format, ...] = ("int8", "nf4", "int4", "int3", "int2")
BITS = {"int8": 8, "nf4": 4, "int4": 4, "int3": 3, "int2": 2}
ASKED = 256
"""Held-out responses that the loss is measured on, at most."""
NF4 = (
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
)  # fmt: skip
"""The 16 levels, as published (bitsandbytes, `create_normal_map` with offset 0.9677083)."""


@dataclass(frozen=True)
class Config(TrainConfig):
    """What is quantised, and how LoRA is trained on it.  The numbers in brackets are the details above."""

    model: str = "tiny-sft"
    """The model: a bundled name, a folder, or a hub name of the Llama family."""
    format: Format = "int2"
    """The frozen base of LoRA (8)."""
    block: int = 64
    """Weights that share a scale (1)."""
    rank: int = 8
    """LoRA's."""
    steps: int = 40
    """Optimiser steps of LoRA, on the quantised base and on the base as it was (7)."""
    batch_size: int = 32
    """Demonstrations a step."""
    learning_rate: float = 5e-3
    """Peak of LoRA's schedule, AdamW."""
    demonstrations: int = 2_000
    """How many demonstrations the tiny world's people write."""
    full: bool = False
    """Run every variant (`variants.py`); what is finished is kept, and the same command goes on where it stopped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(1, "rank", "demonstrations")
        self.need(2, "block")
        if self.out:
            raise UserError("this run compares and saves nothing: --out is for lora.py")


@dataclass(frozen=True)
class Quantised:
    """A tensor in few bits: codes and scales by blocks."""

    codes: Tensor
    """(blocks, block), int8; for NF4 the number of the level."""
    scales: Tensor
    """(blocks, 1), fp32: for absmax the step between two codes, for NF4 the largest magnitude."""
    shape: torch.Size
    format: Format

    def dequantise(self) -> Tensor:
        """ŵ, in the shape of the tensor."""
        if self.format == "nf4":
            values = torch.tensor(NF4, device=self.codes.device)[self.codes.long()] * self.scales
        else:
            values = self.codes * self.scales
        return values.flatten()[: self.shape.numel()].view(self.shape)


def quantise(weight: Tensor, format: Format, block: int = 64) -> Quantised:
    """Codes and scales of a tensor, `block` weights a scale (the last one filled up with zeros).

    >>> four = quantise(torch.tensor([0.70, -0.33, 0.06, 0.02]), "int4")
    >>> four.codes[0, :4].tolist(), round(float(four.scales), 3), [round(w, 2) for w in four.dequantise().tolist()]
    ([7, -3, 1, 0], 0.1, [0.7, -0.3, 0.1, 0.0])
    >>> quantise(torch.tensor([0.70, -0.33, 0.06, 0.02, 7.0]), "int4").dequantise()     # an outlier joins the block
    tensor([1., 0., 0., 0., 7.])
    """
    flat = weight.detach().float().flatten()
    blocks = F.pad(flat, (0, -len(flat) % block)).view(-1, block)
    largest = blocks.abs().amax(1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)
    if format == "nf4":
        levels = torch.tensor(NF4, device=weight.device)
        edges = (levels[1:] + levels[:-1]) / 2  # the nearest level: between two the middle decides
        return Quantised(torch.bucketize(blocks / largest, edges).to(torch.int8), largest, weight.shape, format)
    scales = largest / (2 ** (BITS[format] - 1) - 1)
    return Quantised((blocks / scales).round().to(torch.int8), scales, weight.shape, format)


def bits_per_weight(format: Format, block: int, double: bool = False) -> float:
    """What a weight costs with its share of the scale; `double`: the scales quantised, too (detail 4).

    >>> bits_per_weight("nf4", 64), round(bits_per_weight("nf4", 64, double=True), 3)
    (4.5, 4.127)
    """
    return BITS[format] + ((8 + 32 / 256) / block if double else 32 / block)


def neighbours_scales(quantised: Quantised) -> Quantised:
    """--break: every block is read back with the scale of the one before it."""
    return replace(quantised, scales=quantised.scales.roll(1, 0))


class _Linear(torch.autograd.Function):
    """ŵ·x, of which no ŵ is kept for the way back (detail 6)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, quantised: Quantised) -> Tensor:
        ctx.quantised = quantised
        return F.linear(x, quantised.dequantise())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient @ ctx.quantised.dequantise().to(gradient.dtype), None


class QuantisedLinear(nn.Module):
    """A linear layer without biases whose weight is kept in few bits (detail 6)."""

    codes: Tensor
    scales: Tensor

    def __init__(self, quantised: Quantised) -> None:
        super().__init__()
        self.register_buffer("codes", quantised.codes)
        self.register_buffer("scales", quantised.scales)
        self.shape, self.format = quantised.shape, quantised.format

    @property
    def quantised(self) -> Quantised:
        """The weight in few bits."""
        return Quantised(self.codes, self.scales, self.shape, self.format)

    @property
    def weight(self) -> Tensor:
        """ŵ, (d_out, d_in), made anew."""
        return self.quantised.dequantise()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = _Linear.apply(x, self.quantised)  # type: ignore[no-untyped-call]
        return out


def compressed(model: GPT, format: Format, block: int, broken: bool = False) -> GPT:
    """A copy of the model whose linear layers are kept in few bits (detail 5)."""
    model = copy.deepcopy(model).requires_grad_(False)
    for layer in model.model.layers:
        for part in (layer.get_submodule("self_attn"), layer.get_submodule("mlp")):
            for name, linear in list(part.named_children()):
                if isinstance(linear, nn.Linear):
                    kept = quantise(linear.weight, format, block)
                    setattr(part, name, QuantisedLinear(neighbours_scales(kept) if broken else kept))
    return model


# The run


def run(config: Config) -> Iterator[Event]:
    """Errors on Gaussian weights and on the model's own, what they cost in loss, and what LoRA repairs."""
    if config.full:
        yield from full("quantise", run, config)
        return
    setup = prepare(config)
    base = setup.model.requires_grad_(False)
    yield Stage("errors", 1, 3)
    gaussian = torch.randn(1024, 256, generator=torch_generator(config, "weights"))
    found = {format: errors(gaussian, format, config) for format in FORMATS}
    squared = {format: squares for format, (squares, _) in found.items()}
    bars = Series("squared error", FORMATS[1:], tuple(squared[format] for format in FORMATS[1:]))
    yield Chart("bar", "Mean squared error on Gaussian weights, σ = 1", "", "squared error", (bars,))
    data = source(setup.encoder, config).demonstrations(config.demonstrations)
    held_out = data.held_out[:ASKED]

    def losses(model: GPT) -> list[float]:
        return held_out_losses(setup, model, held_out)

    before = losses(base)
    small = {format: compressed(base, format, config.block, config.break_) for format in FORMATS}
    after = {format: losses(model) for format, model in small.items()}
    yield format_table(config, base, small, squared, before, after)

    trained: dict[str, list[float]] = {}
    for index, (name, start) in enumerate(((config.format, small[config.format]), ("fp32", base)), 2):
        yield Stage(f"LoRA on {name}", index, 3)
        torch.manual_seed(config.seed)
        adapted = lora.adapt(copy.deepcopy(start), config.rank)
        yield from lora.train(config, setup, adapted, data.train, name)
        trained[name] = losses(adapted)
    opened = difference(after[config.format], before)
    left = difference(trained[config.format], trained["fp32"])
    labels = ("fp32", config.format, f"{config.format} + LoRA", "fp32 + LoRA")
    heights = [statistics.fmean(s) for s in (before, after[config.format], trained[config.format], trained["fp32"])]
    bars = Series("loss", labels, tuple(heights))
    yield Chart("bar", "Loss on held-out responses", "", "nats per token", (bars,))
    measured = {
        "error_over_half_step": max(part for format, (_, part) in found.items() if format != "nf4"),
        "squared_error_int4": squared["int4"],
        "squared_error_nf4": squared["nf4"],
        "added_by_nf4": difference(after["nf4"], before).mean,
        "gap_opened": opened.mean,
        "gap_opened_low": opened.low,
        "gap_left": left.mean,
        "gap_left_high": left.high,
        "share_repaired": 1 - left.mean / opened.mean if opened.mean > 0 else 0.0,
    }
    rounded = measured["error_over_half_step"] <= 1 + 1e-4 and squared["nf4"] < squared["int4"]
    claim = (
        "Absmax rounds by at most half a step; on Gaussian weights NF4 has a smaller squared error than int4; and LoRA "
        f"on a frozen base of {BITS[config.format]} bits closes at least half of the gap in loss that they opened"
    )
    yield Verdict(claim, rounded and opened.low > 0 and measured["share_repaired"] >= 0.5, measured)


def errors(weight: Tensor, format: Format, config: Config) -> tuple[float, float]:
    """The mean squared error, and the largest error as a share of half a step of its block."""
    kept = quantise(weight, format, config.block)
    read = (neighbours_scales(kept) if config.break_ else kept).dequantise()
    wrong = F.pad((read - weight).abs().flatten(), (0, -weight.numel() % config.block)).view(-1, config.block)
    return float((read - weight).square().mean()), float((wrong / (kept.scales / 2)).max())


def format_table(
    config: Config,
    base: GPT,
    small: Mapping[Format, GPT],
    squared: Mapping[Format, float],
    before: Sequence[float],
    after: Mapping[Format, Sequence[float]],
) -> Table:
    """Bits, errors and loss of each format."""
    rows: list[tuple[str | float | None, ...]] = [("fp32", 32.0, None, None, round(statistics.fmean(before), 4), None)]
    for format, model in small.items():
        pairs = [
            (linear.weight, base.get_parameter(f"{name}.weight"))
            for name, linear in model.named_modules()
            if isinstance(linear, QuantisedLinear)
        ]
        noise = sum(float((a - b).square().sum()) for a, b in pairs) / sum(float(b.square().sum()) for _, b in pairs)
        loss, added = statistics.fmean(after[format]), difference(after[format], before).mean
        cost = bits_per_weight(format, config.block)
        rows.append((format, cost, round(squared[format], 6), f"{noise**0.5:.1%}", round(loss, 4), round(added, 4)))
    columns = ("format", "bits a weight", "squared error, σ = 1", "error of the model's", "loss", "added")
    return Table(f"Blocks of {config.block}", columns, tuple(rows))


if __name__ == "__main__":
    main(run, Config)
