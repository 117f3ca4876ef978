"""PPO: a policy samples, a reward model scores, and what scored better than expected becomes likelier, in small steps.

    L = E[max(-A·ρ, -A·clip(ρ, 1 ± ε))],  ρ = π / π_old      (Schulman et al. 2017; `minimal_impls/ppo.py`, run here)

The bundled SFT model is trained against the bundled reward model for a few rounds.  Three things say that it runs as it
should: the gold score of the tiny world, which nothing was trained on, rises; the ratio ρ is 1 before the first update
of a round, because the policy that samples is the policy that learns; and the value head comes to explain the returns.

Claim: the gold score on prompts kept back is higher than the SFT model's (the 95 % interval of the paired difference
lies above 0), at a KL of at most 6 nats a response; ρ = 1 to 1e-5 on the first minibatch; and in the last rounds the
explained variance is above 0.

`--break`: every response gets somebody else's score.  The average reward is the same, and nothing can be learnt.

    python -m learn_llm.demos.ppo [--kl-coef 0] [--break]
"""

import dataclasses
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Series, Verdict
from learn_llm.minimal_impls import ppo
from learn_llm.running import RunConfig, main

MOST_KL = 6.0


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    steps: int = 12
    """Rounds of sampling and updating."""
    batch_size: int = 192
    """Responses a round."""
    kl_coef: float = 0.2
    """β, the price of a nat of KL."""
    clip: float = 0.2
    """ε, how far the ratio may move in one round."""

    def __post_init__(self) -> None:
        catalogue.check("ppo", self)


def run(config: Config) -> Iterator[Event]:
    """PPO as its own file runs it; the verdict adds what shows that it ran as it should."""
    history: dict[str, list[float]] = {}
    for event in ppo.run(ppo.Config(**dataclasses.asdict(config), device="cpu")):
        if isinstance(event, Metrics):
            for name, value in event.values.items():
                history.setdefault(name, []).append(value)
        if not isinstance(event, Verdict):
            yield event
            continue
        rounds = tuple(float(step) for step in range(1, len(history["clip_fraction"]) + 1))
        yield Chart(
            "line", "Ratios that were clipped", "round", "share",
            (Series("clip_fraction", rounds, tuple(history["clip_fraction"])),),
        )  # fmt: skip
        ratio_error = max(abs(ratio - 1) for ratio in history["first_ratio"])
        explained = statistics.fmean(history["explained_variance"][-3:])
        names = ("gold_difference", "ci_low", "ci_high", "win_rate", "kl")
        yield Verdict(
            "PPO raises the gold score over SFT near its start: the ratio is 1 before each round's first update, and "
            f"the value head explains part of the returns, at no more than {MOST_KL:g} nats of KL",
            event.measured["ci_low"] > 0 and event.measured["kl"] <= MOST_KL and ratio_error <= 1e-5 and explained > 0,
            {
                **{name: event.measured[name] for name in names},
                "ratio_error": ratio_error,
                "explained_variance": explained,
            },
        )


if __name__ == "__main__":
    main(run, Config)
