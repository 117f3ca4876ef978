"""Reward model: from which of two responses people prefer to one number for any response.

    P(chosen ≻ rejected) = σ(r_chosen - r_rejected)          (Bradley and Terry 1952; `minimal_impls/reward_model.py`)

The annotators of the tiny world are noisy by a known amount: they take the better response with probability
σ(difference in gold / noise).  So the best accuracy that any model can expect is known, and it is not 100 %.

Two models are looked at.  One is trained here, live, for a few seconds on pairs that differ in a single flaw: watch its
accuracy leave 50 %.  The other is the bundled `tiny-reward`, trained beforehand in the same way for longer, and
measured here on fresh pairs.

Claim: on fresh pairs the bundled model goes at least 85 % of the way from chance to the annotators' ceiling, and
a constant added to all scores changes neither an order nor the loss: only differences are learnt.

`--break`: a coin labels all pairs, those trained on and those measured on.  There is no preference left to know.

    python -m learn_llm.demos.reward_model [--noise 1] [--break]
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from learn_llm.demos import catalogue
from learn_llm.evaluation import interval
from learn_llm.events import Event, Note, Stage, Verdict
from learn_llm.examples import World, parts
from learn_llm.minimal_impls import reward_model
from learn_llm.minimal_impls.reward_model import (
    bradley_terry_loss,
    calibration,
    calibration_error,
    load_reward,
    reliability_chart,
    score_pairs,
)
from learn_llm.running import RunConfig, main
from learn_llm.tinyworld import annotators
from learn_llm.training import generator, prepare


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    steps: int = 60
    """Training steps of the model that is trained live."""
    noise: float = 0.25
    """How noisy the annotators are whose fresh pairs are measured on."""
    pairs: int = 3072
    """Fresh pairs to measure the bundled model on."""

    def __post_init__(self) -> None:
        catalogue.check("reward-model", self)


def run(config: Config) -> Iterator[Event]:
    """Train a small reward model live, then measure the bundled one on fresh pairs."""
    yield Stage("trained here, for a few seconds", 1, 2)
    live = reward_model.Config(
        seed=config.seed, break_=config.break_, steps=config.steps, batch_size=32, pairs=32 * config.steps,
        held_out_pairs=64, pairs_from="edits", device="cpu",
    )  # fmt: skip
    for event in reward_model.run(live):
        if not isinstance(event, (Stage, Verdict)) and getattr(event, "kind", "") != "scatter":
            yield event

    yield Stage("the bundled model on fresh pairs", 2, 2)
    setup = prepare(live)
    reward = load_reward("tiny-reward", setup)
    data = World(setup.encoder, config.seed + 1_000_000).pairs(
        0, config.pairs, config.noise, reward_model.writer(setup, reward_model.Config(seed=config.seed + 1_000_000))
    )
    yield Note(f"tiny-reward was trained beforehand; {len(data.held_out):,} pairs of prompts kept back are new to it")
    with torch.no_grad():
        scored = [score_pairs(reward, setup, part) for part in parts(data.held_out, 128)]
    chosen, rejected = (torch.cat(side) for side in zip(*scored, strict=True))
    coin = generator(live, "coin")
    swap = torch.tensor([config.break_ and coin.random() < 0.5 for _ in data.held_out])
    chosen, rejected = torch.where(swap, rejected, chosen), torch.where(swap, chosen, rejected)

    differences = (chosen - rejected).tolist()
    reliability = calibration(differences)
    yield reliability_chart(reliability)
    accuracy = interval([(d > 0) + 0.5 * (d == 0) for d in differences])
    gaps = [pair.gold_difference for pair in data.held_out if pair.gold_difference is not None]
    ceiling = annotators.ceiling(gaps, config.noise)
    moved = abs(float(bradley_terry_loss(chosen + 10, rejected + 10) - bradley_terry_loss(chosen, rejected)))
    way = (accuracy.mean - 0.5) / (ceiling - 0.5) if ceiling > 0.5 else 0.0
    claim = (
        "The bundled reward model goes at least 85 % of the way from chance to the best accuracy that the "
        "annotators' noise allows, and a constant added to all scores leaves the loss as it is"
    )
    measured = {
        "accuracy": accuracy.mean,
        "ci_low": accuracy.low,
        "ci_high": accuracy.high,
        "ceiling": ceiling,
        "share_of_the_way": way,
        "calibration_error": calibration_error(reliability),
        "loss_moved_by_constant": moved,
        "pairs": float(len(differences)),
    }
    yield Verdict(claim, way >= 0.85 and moved < 1e-5, measured)


if __name__ == "__main__":
    main(run, Config)
