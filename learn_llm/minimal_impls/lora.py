"""LoRA: freeze the model and learn a change of low rank beside each of its matrices.

    y = W·x + (α/r)·B·A·x           A: (r, d_in), B: (d_out, r)     (Hu et al. 2021, arXiv 2106.09685, Eq. 3)

What fine-tuning changes in a pretrained weight is of low rank for most tasks (section 7): a matrix of 128 x 128 gets
2·128·r new numbers instead of 16,384.  Gradients and Adam's moments exist for the new numbers only, and after training
B·A is added to W: the merged model is as fast as before.

Implementation details
  1. B starts at zero, so the model starts as the base, to the last bit.  A is drawn from U(±1/√d_in), as in the
     authors' code.  With A at zero, too, neither would ever get a gradient (--break).
  2. α/r: with α fixed, another rank needs no other learning rate, roughly.  `--alpha 0` takes α = 2r.
  3. All linear layers of the decoder are adapted, embeddings and head are not.  The paper adapts queries and values
     (`--targets qv`); at equal numbers of parameters all layers with a lower rank are usually better.
  4. LoRA wants a larger learning rate than full fine-tuning; a comparison at one rate would be unfair to one of them.
     Both have their own here, 10 times apart as in many papers.
  5. Merging adds (α/r)·B·A in fp32.  Into rounded weights it would be rounded away in part.
  6. `--out` writes the merged model in Hugging Face format and, in its folder `adapter`, A and B alone in the format of
     PEFT: `PeftModel.from_pretrained(base, folder)` opens it, and so does every `--model` here.
  7. SFT, reward model, DPO and PPO take `--lora-rank` and train these layers (lora_rank.py).
Left out: dropout before A, α/√r (rsLoRA), DoRA, a factor of its own for B's learning rate (LoRA+).

    python -m learn_llm.minimal_impls.lora                                           # tiny world; --full: ranks
    python -m learn_llm.minimal_impls.lora --model smollm2 --data demonstrations.jsonl --rank 8 --out tuned
"""

import copy
import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from learn_llm.adapter_files import Adapter
from learn_llm.checkpoints import save
from learn_llm.errors import UserError
from learn_llm.evaluation import difference, held_out_losses, side_by_side
from learn_llm.events import Chart, Event, Metrics, Note, Series, Stage, Table, Verdict
from learn_llm.examples import Demonstration, File, Split, World, batch_indices, collate, items, parts
from learn_llm.gpt import GPT
from learn_llm.minimal_impls.variants import full
from learn_llm.parallel import own
from learn_llm.rollouts import Response, respond
from learn_llm.running import main
from learn_llm.tinyworld.tasks import Item
from learn_llm.training import Optimiser, Progress, Setup, TrainConfig, generator, prepare, token_logprobs

ATTENTION, MLP = ("q_proj", "k_proj", "v_proj", "o_proj"), ("gate_proj", "up_proj", "down_proj")
TARGETS = {"all": ATTENTION + MLP, "attention": ATTENTION, "qv": ("q_proj", "v_proj"), "mlp": MLP}
Targets = Literal["all", "attention", "qv", "mlp"]
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Config(TrainConfig):
    """How LoRA is trained.  The numbers in brackets are the details above."""

    model: str = "tiny-sft"
    """The frozen base: a bundled name, a folder, or a hub name of the Llama family."""
    steps: int = 120
    """Optimiser steps of each arm."""
    batch_size: int = 32
    """Demonstrations a step."""
    learning_rate: float = 1e-2
    """Peak of LoRA's schedule, AdamW (4)."""
    full_learning_rate: float = 1e-3
    """Peak of the schedule of full fine-tuning, which LoRA is compared with (4)."""
    rank: int = 4
    """r, the rank of the change."""
    alpha: float = 0.0
    """α: the change is α/r·B·A; 0: 2r (2)."""
    targets: Targets = "all"
    """Which linear layers get a change (3)."""
    other_ranks: tuple[int, ...] = ()
    """Ranks to train, too, for the table; tiny world only."""
    demonstrations: int = 4_000
    """How many flawless answers a careful writer of the tiny world leaves."""
    held_out_prompts: int = 384
    """Prompts that the score is measured on, tiny world only."""
    max_new_tokens: int = 40
    """The longest response when the model is asked."""
    full: bool = False
    """Run every variant (`variants.py`); what is finished is kept, and the same command goes on where it stopped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(1, "rank", "demonstrations", "held_out_prompts", "max_new_tokens")
        self.need(0, "alpha")
        self.need_above_0("full_learning_rate")
        if any(rank < 1 for rank in self.other_ranks):
            raise UserError(f"--other-ranks must be at least 1: they are {self.other_ranks}")


class LoRALinear(nn.Module):
    """A frozen linear layer with a trained change of low rank beside it."""

    def __init__(self, base: nn.Module, shape: tuple[int, int], rank: int, alpha: float) -> None:
        super().__init__()
        d_out, d_in = shape
        self.base = base
        self.lora_A = nn.Parameter(torch.empty(rank, d_in))
        self.lora_B = nn.Parameter(torch.zeros(d_out, rank))  # detail 1
        self.scaling = alpha / rank
        nn.init.uniform_(self.lora_A, -1 / math.sqrt(d_in), 1 / math.sqrt(d_in))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.base(x) + low_rank(x, self.lora_A, self.lora_B, self.scaling)
        return out

    def change(self) -> Tensor:
        """(α/r)·B·A, (d_out, d_in): what merging adds to the weight."""
        return self.scaling * (self.lora_B @ self.lora_A)


def low_rank(x: Tensor, a: Tensor, b: Tensor, scaling: float) -> Tensor:
    """scaling·B·A·x, two thin products instead of a thick one.

    Args:
        x: (..., d_in).
        a: (r, d_in).
        b: (d_out, r).
    Returns:
        (..., d_out)

    >>> x, a, b = torch.tensor([1.0, 2.0]), torch.tensor([[0.5, -0.1]]), torch.tensor([[1.0], [0.5]])
    >>> torch.tensor([[1.0, 2.0], [3.0, 4.0]]) @ x + low_rank(x, a, b, scaling=2.0)
    tensor([ 5.6000, 11.3000])
    """
    return scaling * F.linear(F.linear(x, a), b)


def adapt(model: GPT, rank: int, alpha: float = 0.0, targets: Targets = "all", both_zero: bool = False) -> GPT:
    """Freeze the model and put a change of this rank beside each target layer; the model itself is changed.

    Args:
        alpha: 0: 2r.
        both_zero: A starts at zero, too (detail 1).
    Raises:
        UserError: a layer has a smaller side than the rank.
    """
    model.requires_grad_(False)
    for layer in model.model.layers:
        for block in (layer.self_attn, layer.mlp):
            for name in TARGETS[targets]:
                if (base := getattr(block, name, None)) is not None:
                    d_out, d_in = base.weight.shape
                    if rank > min(d_out, d_in):
                        raise UserError(f"rank {rank} is more than the smaller side of {name}, {min(d_out, d_in)}")
                    layer_of_it = LoRALinear(base, (d_out, d_in), rank, alpha or 2 * rank)
                    if both_zero:
                        nn.init.zeros_(layer_of_it.lora_A)
                    setattr(block, name, layer_of_it.to(model.device))
    return model


def adapters(model: nn.Module) -> dict[str, LoRALinear]:
    """The adapted layers by their names."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoRALinear)}


@torch.no_grad()
def merged(model: GPT) -> GPT:
    """A copy of an adapted model with every change added to its weight: a plain GPT again (detail 5).

    A model without any is returned as it is.
    """
    if not adapters(model):
        return model
    model = copy.deepcopy(model)
    for name, layer in adapters(model).items():
        weight = layer.base.get_parameter("weight")
        weight.add_(layer.change())
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, layer.base)
    return model.requires_grad_(True)


def save_with_adapter(setup: Setup, model: GPT, folder: Path) -> None:
    """Write the merged model and, in a folder of its own, A and B for the base that `--model` names (detail 6)."""
    save(merged(model), setup.encoder.tokenizer, folder)
    save_adapter(setup, model, folder / "adapter")


def save_adapter(setup: Setup, model: GPT, folder: Path) -> None:
    """Write A and B alone."""
    layers = adapters(model)
    rank, scaling = next((len(layer.lora_A), layer.scaling) for layer in layers.values())
    factors = {name: (layer.lora_A, layer.lora_B) for name, layer in layers.items()}
    Adapter(setup.config.model, rank, scaling * rank, factors).save(folder)


def trained(model: nn.Module) -> int:
    """How many numbers are trained."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


# The run


def careful(config: TrainConfig, setup: Setup, count: int, held_out: int) -> Split[Demonstration]:
    """What is imitated: flawless answers in the tiny world, where people's have flaws; or the rows of --data."""
    if config.data:
        return File(setup.encoder, config.data, config.max_length).demonstrations(0)
    world, rng = World(setup.encoder, config.seed), generator(config, "careful answers")

    def written(drawn: Sequence[Item]) -> list[Demonstration]:
        return [Demonstration(world.prompt(item), setup.encoder.response(item.reference)) for item in drawn]

    return Split(written(items(rng, count, held_out=False)), written(items(rng, held_out, held_out=True)))


def train(
    config: TrainConfig,
    setup: Setup,
    model: GPT,
    data: Sequence[Demonstration],
    name: str,
    export: Callable[[Path], None] | None = None,
) -> Iterator[Metrics]:
    """Supervised fine-tuning of whatever is not frozen: the same loop, data and order for every arm and every way.

    `export` writes what `--out` keeps; None: the merged model and its adapter.
    """
    optimiser = Optimiser([model], config)

    def both(folder: Path) -> None:
        save_with_adapter(setup, model, folder)

    with Progress(config, {"model": model}, optimiser, export or both) as progress:
        for step in progress.steps():
            rows = [data[i] for i in batch_indices(config.seed, len(data), config.batch_size, step)]
            count, loss = sum(len(row.response) for row in rows), 0.0
            for part in parts(own(rows), config.micro_batch_size):
                batch = collate([row.prompt.ids for row in part], [row.response for row in part], setup.device)
                with setup.autocast():
                    logits = model(batch.tokens)
                share = -(token_logprobs(logits, batch.tokens) * batch.mask[:, 1:]).sum() / count
                share.backward()
                loss += share.item()
            values = optimiser.step(step, loss)
            progress.done(step, values)
            yield Metrics(step, config.steps, {f"{name}/{key}": value for key, value in values.items()})


def run(config: Config) -> Iterator[Event]:
    """Train the adapted model, then merge it; in the tiny world full fine-tuning and other ranks stand beside it."""
    if config.full:
        yield from full("lora", run, config)
        return
    setup = prepare(config)
    base = copy.deepcopy(setup.model).requires_grad_(False)
    data = careful(config, setup, config.demonstrations, config.held_out_prompts)
    model = adapt(setup.model, config.rank, config.alpha, config.targets, config.break_)
    new, known = trained(model), base.num_parameters()
    yield Note(
        f"{new:,} numbers are trained, {new / known:.1%} of the base's {known:,}: gradients and Adam's moments take "
        f"{12 * new / 2**20:.2f} MiB instead of {12 * known / 2**20:.2f}"
    )
    rows = data.held_out[:32]
    probe = collate([row.prompt.ids for row in rows], [row.response for row in rows], setup.device).tokens
    moved_at_start = furthest(model, base, probe)

    arms = [("full", 0), *((f"rank {rank}", rank) for rank in config.other_ranks)] if not config.data else []
    yield Stage(f"LoRA, rank {config.rank}", 1, 2 + len(arms))
    yield from train(config, setup, model, data.train, "lora")
    whole = merged(model)
    measured = {
        "trained_share": new / known,
        "moved_at_start": moved_at_start,
        "moved_by_merging": furthest(whole, model, probe),
    }
    if config.data:
        yield Stage("held out", 2, 2)
        before, after = (held_out_losses(setup, m, data.held_out) for m in (base, whole))
        yield on_a_file(before, after, measured)
        return
    models: dict[str, tuple[int, GPT]] = {"start": (0, base), f"rank {config.rank}": (new, whole)}
    for index, (name, rank) in enumerate(arms, 2):
        yield Stage("full fine-tuning" if name == "full" else f"LoRA, {name}", index, 2 + len(arms))
        other = copy.deepcopy(base).requires_grad_(True)
        if name != "full":
            adapt(other, rank, config.alpha, config.targets, config.break_)
        rate = config.full_learning_rate if name == "full" else config.learning_rate
        models[name] = (trained(other), other)
        yield from train(replace(config, learning_rate=rate, out="", resume=False), setup, other, data.train, name)

    yield Stage("scores", 2 + len(arms), 2 + len(arms))
    prompts = [row.prompt for row in data.held_out]
    answers = {name: respond(setup, some, prompts, config.max_new_tokens) for name, (_, some) in models.items()}
    yield from side_by_side({name: answers[name] for name in ("start", "full", f"rank {config.rank}")}, setup.encoder)
    yield from compared(config, {name: count for name, (count, _) in models.items()}, answers, measured)


@torch.no_grad()
def furthest(model: GPT, other: GPT, tokens: Tensor) -> float:
    """The largest difference of two models' logits, as a share of the largest logit."""
    ours, theirs = model(tokens), other(tokens)
    return float((ours - theirs).abs().max() / theirs.abs().max())


def on_a_file(before: Sequence[float], after: Sequence[float], measured: dict[str, float]) -> Verdict:
    """Does the loss on held-out responses fall, and is the merged model the same?"""
    gain = difference(before, after)
    fallen = {"loss_before": statistics.fmean(before), "loss_after": statistics.fmean(after), "loss_fall": gain.mean}
    claim = "LoRA lowers the loss on held-out responses; at the start it changes nothing, merged it says the same"
    holds = gain.low > 0 and measured["moved_at_start"] == 0 and measured["moved_by_merging"] < TOLERANCE
    return Verdict(claim, holds, {**measured, **fallen, "ci_low": gain.low, "ci_high": gain.high})


def compared(
    config: Config, counts: dict[str, int], answers: dict[str, list[Response]], measured: dict[str, float]
) -> Iterator[Event]:
    """Gold scores of all arms: a table, score against rank, and the verdict."""
    gold = {name: statistics.fmean(r.gold for r in some) for name, some in answers.items()}
    gain = max(gold["full"] - gold["start"], 1e-9)
    total = counts["full"]
    rows = [
        (name, count, f"{count / total:.1%}", round(gold[name], 3), f"{(gold[name] - gold['start']) / gain:.0%}")
        for name, count in sorted(counts.items(), key=lambda pair: pair[1])
    ]
    yield Table("Gold score, -1 to 1", ("arm", "trained", "of all", "gold", "of the gain"), tuple(rows))
    ranks = sorted({config.rank, *config.other_ranks})
    lines = [Series("LoRA", tuple(ranks), tuple(gold[f"rank {rank}"] for rank in ranks))]
    ends = (float(ranks[0]), float(ranks[-1]))
    lines += [Series(name, ends, (gold[name],) * 2) for name in ("full", "start")]
    yield Chart("line", "Gold score against the rank", "rank", "gold", tuple(lines))
    name = f"rank {config.rank}"
    behind = difference([r.gold for r in answers[name]], [r.gold for r in answers["full"]])
    measured = {
        **measured,
        "gold": gold[name],
        "gold_start": gold["start"],
        "gold_full": gold["full"],
        "share_of_gain": (gold[name] - gold["start"]) / gain,
        "gold_difference": behind.mean,
        "ci_low": behind.low,
        "ci_high": behind.high,
    }
    holds = measured["share_of_gain"] >= 0.95 and measured["trained_share"] < 0.05
    same = measured["moved_at_start"] == 0 and measured["moved_by_merging"] < TOLERANCE
    claim = (
        "LoRA with under 5 % of the parameters reaches at least 95 % of what full fine-tuning gains; at the start it "
        "changes nothing, and merged it says the same"
    )
    yield Verdict(claim, holds and same, measured)


if __name__ == "__main__":
    main(run, Config)
