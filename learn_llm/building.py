"""Builds the bundled checkpoints from nothing: base, SFT model, reward model, each by its own method file.

Each run keeps its state in `OUT/runs/NAME`, so that a build that was interrupted goes on; the finished checkpoint,
fp16 with its recipe beside it, is written to `OUT/NAME`.  A rebuild is judged by its probes and verdicts, not by its
bits.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from learn_llm.checkpoints import open_checkpoint, save
from learn_llm.errors import UserError
from learn_llm.events import Event, Table, Verdict, to_json
from learn_llm.minimal_impls import pretrain, reward_model, sft
from learn_llm.model_card import ModelCard
from learn_llm.running import execute
from learn_llm.training import STATE, TrainConfig


@dataclass(frozen=True)
class Recipe:
    """How one bundled checkpoint is made."""

    method: str
    run: Callable[[Any], Iterator[Event]]
    config: TrainConfig
    base: str | None
    """The checkpoint that it starts from, built before it."""
    summary: str


BASE = pretrain.Config(recipe="tiny-base", probe_every=200, save_every=400)
SFT = sft.Config(steps=500, demonstrations=32_000)
A_BASE = "A base model of the tiny world.  What it can do, and cannot, is measured in recipe.json."
AN_SFT = "Answers in the tiny world's chat format, as well and as badly as the people whose demonstrations it imitates."
SMALLER = "  The recipe of its larger sister, on fewer weights: for comparing sizes."
RECIPES = {
    "tiny-base": Recipe("pretrain", pretrain.run, BASE, None, A_BASE),
    "tiny-sft": Recipe("sft", sft.run, SFT, "tiny-base", AN_SFT),
    "tiny-reward": Recipe(
        "reward_model", reward_model.run, reward_model.Config(), "tiny-sft",
        "Scores responses of the tiny world, learnt from pairs that noisy annotators compared.",
    ),
    "micro-base": Recipe("pretrain", pretrain.run, dataclasses.replace(BASE, size="micro"), None, A_BASE + SMALLER),
    "micro-sft": Recipe("sft", sft.run, SFT, "micro-base", AN_SFT + SMALLER),
    "nano-base": Recipe("pretrain", pretrain.run, dataclasses.replace(BASE, size="nano"), None, A_BASE + SMALLER),
    "nano-sft": Recipe("sft", sft.run, SFT, "nano-base", AN_SFT + SMALLER),
}  # fmt: skip


def build(names: tuple[str, ...], out: Path, json_output: bool = False) -> int:
    """Build these checkpoints (all: an empty tuple) in their order; returns an exit code.

    Raises:
        UserError: a name that is no bundled checkpoint.
    """
    for name in names:
        if name not in RECIPES:
            raise UserError(f"{name} is no bundled checkpoint; there are {', '.join(RECIPES)}")
    for name, recipe in RECIPES.items():
        if name in (names or RECIPES) and not (out / name / "recipe.json").exists():
            code = _build(name, recipe, out, json_output)
            if code:
                return code
    return 0


def _build(name: str, recipe: Recipe, out: Path, json_output: bool) -> int:
    folder = out / "runs" / name
    start = str(out / recipe.base) if recipe.base else ""
    if recipe.base and not Path(start).exists():
        start = recipe.base
    config = dataclasses.replace(recipe.config, model=start, out=str(folder), resume=(folder / STATE).exists())
    said: list[Table | Verdict] = []

    def recorded(config: TrainConfig) -> Iterator[Event]:
        for event in recipe.run(config):
            if isinstance(event, (Table, Verdict)):
                said.append(event)
            yield event

    code = execute(recorded, config, name=recipe.method, json_output=json_output)
    if code == 0:
        finish(name, recipe, config, folder, out / name, said)
    return code


def finish(
    name: str, recipe: Recipe, config: TrainConfig, run: Path, folder: Path, said: list[Table | Verdict]
) -> None:
    """Write the checkpoint as it is bundled: fp16, with its card, and with its recipe, probes and digest beside it."""
    made = open_checkpoint(str(run))
    card = ModelCard(name, recipe.summary, licence="mit", base=recipe.base)
    extra = {
        key: made.config[key] for key in ("architectures", "id2label", "label2id", "reward_shift") if key in made.config
    }
    settings = {
        key: value for key, value in dataclasses.asdict(config).items() if key not in ("out", "resume", "model")
    }
    if isinstance(config, pretrain.Config) and config.recipe:  # the curriculum has its own
        settings = {key: value for key, value in settings.items() if key not in ("steps", "context", "batch_size")}
        settings["parts"] = [dataclasses.asdict(part) for part in pretrain.TINY_BASE]
    about: dict[str, Any] = {
        "made_by": f"learn_llm.minimal_impls.{recipe.method}",
        "starts_from": recipe.base,
        "seed": config.seed,
        "settings": settings,
        "probes": [to_json(event) for event in said if isinstance(event, Table)],
        "verdict": next((to_json(event) for event in said if isinstance(event, Verdict)), None),
    }
    save(
        made.model, made.tokenizer, folder, card=card, dtype=torch.float16, heads=made.heads,
        extra_config=extra, recipe=about,
    )  # fmt: skip
    about["sha256"] = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    (folder / "recipe.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
