"""Prompt tuning: the whole model is frozen, and k vectors before its input are all that is trained.

    [p₁ … p_k, e(x₁) … e(x_T)]       k·d trained numbers, d = 128        (`minimal_impls/prompt_tuning.py`, run here)

The bundled SFT model has learnt from people, who are often wordy, rude or inattentive.  Soft tokens are tuned on a
careful writer's answers: 1, 4 and 16 of them, each on the same examples in the same order.  No weight of the model
changes; what changes is what it reads first.

Claim: 16 soft tokens, 2,048 numbers or 0.2 % of the model's, raise the gold score on prompts kept back by at least 0.1,
and by more than a single one does.

`--break` leaves them the random words that they start as.

    python -m learn_llm.demos.adapters_prompt_tuning [--soft-tokens 32] [--break]
"""

from collections.abc import Iterator
from dataclasses import dataclass

from learn_llm.demos import catalogue
from learn_llm.events import Event
from learn_llm.minimal_impls import prompt_tuning
from learn_llm.running import RunConfig, main

FEWER = (1, 4)


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    soft_tokens: int = 16
    """k, how many vectors stand before the input."""
    steps: int = 60
    """Training steps of each arm, 32 examples each."""
    learning_rate: float = 0.1
    """Peak of the schedule; vectors want a far larger one than weights."""

    def __post_init__(self) -> None:
        catalogue.check("adapters-prompt-tuning", self)


def run(config: Config) -> Iterator[Event]:
    """Prompt tuning as its own file runs it, with fewer soft tokens for the curve."""
    settings = prompt_tuning.Config(
        seed=config.seed,
        break_=config.break_,
        soft_tokens=config.soft_tokens,
        steps=config.steps,
        learning_rate=config.learning_rate,
        other_lengths=tuple(k for k in FEWER if k < config.soft_tokens),
        device="cpu",
    )
    yield from prompt_tuning.run(settings)


if __name__ == "__main__":
    main(run, Config)
