"""Adapters: freeze the model and train a small bottleneck behind each of its sublayers.

    a(h) = W_up · gelu(W_down · h + b₁) + b₂        W_down: (m, d), W_up: (d, m), m much smaller than d
    out  = f(x) + a(f(x)),    f a sublayer: attention or feed-forward   (Houlsby et al. 2019, arXiv 1902.00751, Fig. 2)

The sublayer's output goes on to the residual stream as before, and what the bottleneck makes of it is added.  Unlike a
LoRA's, this change is not linear, so it cannot be merged into a weight: it costs two thin layers more in every pass.

Implementation details
  1. W_up and b₂ start at zero, so the model starts as the base, to the last bit.  W_down is drawn from U(±1/√d).
     (The paper draws both from a narrow normal distribution: near the identity.)
  2. Two adapters a layer, one behind attention and one behind the feed-forward network, both before the residual
     connection: 2·L·(2·d·m + d + m) numbers.
  3. The paper also trains the norms, and the head that is new for each task; here both stay frozen.
  4. `--out` keeps the adapters alone, with a fingerprint of the base that they belong to (`prompt_tuning.write`).
Left out: adapters side by side with the sublayer, one adapter a layer (Pfeiffer), mixing several (AdapterFusion).

    python -m learn_llm.minimal_impls.adapters                                       # tiny world; --full: widths
    python -m learn_llm.minimal_impls.adapters --model smollm2 --data demonstrations.jsonl --bottleneck 16 --out tuned
"""

import copy
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from learn_llm.evaluation import difference, held_out_losses, side_by_side
from learn_llm.events import Event, Note, Stage, Verdict
from learn_llm.examples import Demonstration
from learn_llm.gpt import GPT
from learn_llm.minimal_impls import lora
from learn_llm.minimal_impls.prompt_tuning import read, write
from learn_llm.minimal_impls.variants import full
from learn_llm.rollouts import respond
from learn_llm.running import main
from learn_llm.training import TrainConfig, generator, prepare

FILE = "adapters.safetensors"


@dataclass(frozen=True)
class Config(TrainConfig):
    """How adapters are trained.  The numbers in brackets are the details above."""

    model: str = "tiny-sft"
    """The frozen base: a bundled name, a folder, or a hub name of the Llama family."""
    steps: int = 60
    """Optimiser steps."""
    batch_size: int = 32
    """Demonstrations a step."""
    learning_rate: float = 3e-3
    """Peak of the schedule, AdamW."""
    bottleneck: int = 8
    """m, the width of the bottleneck (2)."""
    demonstrations: int = 4_000
    """How many flawless answers a careful writer of the tiny world leaves."""
    held_out_prompts: int = 256
    """Prompts that the score is measured on, tiny world only."""
    max_new_tokens: int = 40
    """The longest response when the model is asked."""
    full: bool = False
    """Run every variant (`variants.py`); what is finished is kept, and the same command goes on where it stopped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(1, "bottleneck", "demonstrations", "held_out_prompts", "max_new_tokens")


class Adapted(nn.Module):
    """A frozen sublayer with a trained bottleneck behind it."""

    def __init__(self, base: nn.Module, width: int, bottleneck: int) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Linear(width, bottleneck)
        self.up = nn.Linear(bottleneck, width)
        nn.init.zeros_(self.up.weight)  # detail 1
        nn.init.zeros_(self.up.bias)

    def forward(self, *inputs: object) -> Tensor:
        out: Tensor = self.base(*inputs)
        return out + bottleneck(out, self.down.weight, self.down.bias, self.up.weight, self.up.bias)


def bottleneck(h: Tensor, down: Tensor, down_bias: Tensor, up: Tensor, up_bias: Tensor) -> Tensor:
    """W_up · gelu(W_down · h + b₁) + b₂.

    Args:
        h: (..., d).
        down: (m, d), with its bias (m,).
        up: (d, m), with its bias (d,).
    Returns:
        (..., d)

    A bottleneck of one; gelu(3) is 2.996:

    >>> import torch
    >>> h, down, up = torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0], [0.0]])
    >>> bottleneck(h, down, torch.zeros(1), up, torch.tensor([0.0, 0.5]))
    tensor([2.9960, 0.5000])
    """
    return F.linear(F.gelu(F.linear(h, down, down_bias)), up, up_bias)


def insert(model: GPT, width: int) -> GPT:
    """Freeze the model and put an adapter with a bottleneck of `width` behind each sublayer; the model is changed."""
    model.requires_grad_(False)
    for layer in model.model.layers:
        for name in ("self_attn", "mlp"):
            adapted = Adapted(layer.get_submodule(name), model.config.hidden_size, width)
            layer.set_submodule(name, adapted.to(model.device))
    return model


def load_adapters(model: GPT, file: Path) -> GPT:
    """The model with kept adapters in it.  UserError as in `prompt_tuning.read`."""
    kept = read(file, model)
    insert(model, kept["model.layers.0.mlp.down.weight"].shape[0])
    model.load_state_dict(kept, strict=False)
    return model


# The run


def run(config: Config) -> Iterator[Event]:
    """Train the adapters; the verdict compares with the base as it was."""
    if config.full:
        yield from full("adapters", run, config)
        return
    setup = prepare(config)
    base = copy.deepcopy(setup.model).requires_grad_(False)
    data = lora.careful(config, setup, config.demonstrations, config.held_out_prompts)
    model = insert(setup.model, config.bottleneck)
    new, known = lora.trained(model), base.num_parameters()
    yield Note(f"{new:,} numbers are trained, {new / known:.1%} of the base's {known:,}")
    train = list(data.train)
    if config.break_:  # everyone gets somebody else's answer
        answers = [row.response for row in train]
        generator(config, "break").shuffle(answers)
        train = [Demonstration(row.prompt, answer) for row, answer in zip(train, answers, strict=True)]

    yield Stage("adapters", 1, 2)
    yield from lora.train(config, setup, model, train, "adapters", lambda folder: write(model, folder / FILE))
    yield Stage("held out", 2, 2)
    measured = {"trained_share": new / known}
    if config.data:
        before, after = (held_out_losses(setup, m, data.held_out) for m in (base, model))
        gain, claim = difference(before, after), "Adapters lower the loss on held-out responses of a frozen model"
        measured |= {"loss_before": statistics.fmean(before), "loss_after": statistics.fmean(after)}
        measured |= {"loss_fall": gain.mean}
    else:
        prompts = [row.prompt for row in data.held_out]
        first, last = (respond(setup, m, prompts, config.max_new_tokens) for m in (base, model))
        yield from side_by_side({"start": first, "adapters": last}, setup.encoder)
        gain = difference([r.gold for r in last], [r.gold for r in first])
        claim = "Adapters with under 5 % of the parameters raise the gold score of a frozen model"
        measured |= {"gold": statistics.fmean(r.gold for r in last)}
        measured |= {"gold_start": statistics.fmean(r.gold for r in first), "gold_difference": gain.mean}
    measured |= {"ci_low": gain.low, "ci_high": gain.high}
    yield Verdict(claim, gain.low > 0 and (bool(config.data) or new < 0.05 * known), measured)


if __name__ == "__main__":
    main(run, Config)
