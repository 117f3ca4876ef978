"""A small run for the tests and for looking at the views: three stages, every kind of event, no learning.

python -m tests.fake_run            # what a person sees
python -m tests.fake_run --json
"""

import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from learn_llm.errors import UserError
from learn_llm.events import Chart, Event, Metrics, Note, Sample, Series, Stage, Table, TokenRow, Tokens, Verdict
from learn_llm.running import RunConfig, main


@dataclass(frozen=True)
class Config(RunConfig):
    """A made-up run."""

    steps: int = 40
    """Steps of each stage."""
    pause: float = 0.0
    """Seconds that a step takes."""
    kind: Literal["k1", "k2", "k3"] = "k1"
    """Which estimator of the KL divergence."""
    whiten: bool = True
    """Give the advantages mean 0 and deviation 1."""
    learning_rate: float = 1e-3
    """Peak of the schedule."""
    out: str = ""
    """A file in which the last finished step is written when the run ends, however it ends."""

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise UserError(f"--steps is {self.steps}, it must be at least 1")


def run(config: Config) -> Iterator[Event]:
    """Three stages and a verdict."""
    finished = 0
    try:
        for event in _events(config):
            finished = event.step if isinstance(event, Metrics) else finished
            yield event
    finally:
        if config.out:
            Path(config.out).write_text(f"{finished}", encoding="utf-8")


def _events(config: Config) -> Iterator[Event]:
    rng = random.Random(config.seed)
    yield Note("The base is fixed: every number is conditional on it.")
    for index, name in enumerate(("supervised fine-tuning", "reward model", "PPO"), 1):
        yield Stage(name, index, 3)
        for step in range(1, config.steps + 1):
            time.sleep(config.pause)
            yield Metrics(step, config.steps, _metrics(index, step / config.steps, rng))
    scores = {"gold": 0.8, "reward": 1.31}
    yield Sample("name the colour of grass , options : red , green or blue .", "green is the colour .", scores)
    yield Sample("what is a hen ?", "a hen is an animal , i think it is one .", {"gold": -0.25, "reward": 0.4})
    yield from _after(config)
    gain = -0.02 if config.break_ else 0.31
    measured = {
        "gold_difference": gain,
        "ci_low": gain - 0.09,
        "ci_high": gain + 0.09,
        "win_rate": 0.5 + gain,
        "kl": 3.1,
    }
    yield Verdict("PPO raises the gold score over SFT", gain - 0.09 > 0, measured)


def _metrics(stage: int, done: float, rng: random.Random) -> dict[str, float]:
    noise = rng.gauss(0, 0.02)
    loss = 0.7 + 2.2 * math.exp(-4 * done) + noise
    if stage == 1:
        return {
            "loss": loss,
            "validation_loss": loss + 0.1,
            "learning_rate": 1e-3 * (1 - done),
            "tokens_per_second": 8000.0,
        }
    if stage == 2:
        return {"loss": 0.7 - 0.3 * done + noise, "accuracy": 0.5 + 0.3 * done + noise, "margin": 1.4 * done + noise}
    values = {
        "gold": 0.1 + 0.4 * done + noise,
        "reward": 0.2 + 0.9 * done + noise,
        "kl": 3 * done,
        "clip_fraction": 0.5 * done,
    }
    return values | {
        "entropy": 2 - done,
        "value_loss": 0.3 / (1 + 5 * done),
        "explained_variance": done,
        "made_up": done,
    }


def _after(config: Config) -> Iterator[Event]:
    rows = (TokenRow("cross-entropy", (0.1, 2.3, 0.4, 1.9, 0.02)), TokenRow("advantage", (0.02, 0.4, -0.1, -1.3, 0.5)))
    yield Tokens(("the", "ball", "is", "not", "red"), rows)
    steps = tuple(float(step) for step in range(config.steps))
    curves = [
        Series(name, steps, tuple(top * (1 - math.exp(-step / 9)) for step in steps))
        for name, top in (("PPO", 0.5), ("SFT", 0.1))
    ]
    yield Chart("line", "Gold score while training", "step", "gold", tuple(curves))
    skills = (("correctness", 3.1, 3.9, 0.8), ("harmlessness", 3.25, 4.5, 1.25), ("readability", 4, None, None))
    yield Table("By skill", ("skill", "SFT", "PPO", "difference"), skills)


if __name__ == "__main__":
    main(run, Config)
