"""LoRA: a frozen model, and a thin change of rank r beside each of its matrices.

    y = W·x + (α/r)·B·A·x           A: (r, d_in), B: (d_out, r)         (`minimal_impls/lora.py`, run here)

The bundled SFT model has learnt from people, who are often wordy, rude or inattentive.  It is now tuned on a careful
writer's answers: once as a whole, and with changes of rank 1 and 4.  All arms see the same examples in the same
order, each with the learning rate that suits it.

Claim: rank 4, less than 5 % of the parameters, reaches at least 95 % of what full fine-tuning gains in the gold score
on prompts kept back; at the start the model is the base to the last bit, because B is zero; and with B·A added to W it
is a plain model again whose logits differ by less than 1e-5 of the largest one.

`--break` starts A at zero, too.  Then each factor's gradient is multiplied by the other one, which is zero: nothing is
ever learnt.

    python -m learn_llm.demos.lora [--targets qv] [--break]
"""

from collections.abc import Iterator
from dataclasses import dataclass

from learn_llm.demos import catalogue
from learn_llm.events import Event
from learn_llm.minimal_impls import lora
from learn_llm.minimal_impls.lora import Targets
from learn_llm.running import RunConfig, main

LOWER_RANKS = (1,)


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    rank: int = 4
    """r, the rank of the change that the claim is about."""
    steps: int = 120
    """Training steps of each arm, 32 examples each."""
    learning_rate: float = 1e-2
    """Of the changes of low rank; full fine-tuning has its own."""
    targets: Targets = "all"
    """Which linear layers get a change."""

    def __post_init__(self) -> None:
        catalogue.check("lora", self)


def run(config: Config) -> Iterator[Event]:
    """LoRA as its own file runs it, with lower ranks for the curve."""
    settings = lora.Config(
        seed=config.seed,
        break_=config.break_,
        rank=config.rank,
        steps=config.steps,
        learning_rate=config.learning_rate,
        targets=config.targets,
        other_ranks=tuple(rank for rank in LOWER_RANKS if rank != config.rank),
        device="cpu",
    )
    yield from lora.run(settings)


if __name__ == "__main__":
    main(run, Config)
