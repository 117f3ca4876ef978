"""Quantisation: weights in 8 bits and fewer, what that costs, and how LoRA on a frozen base makes up for it.

    absmax   ŵ = round(w/scale)·scale,  scale = max|w|/(2^(b-1) - 1)
    NF4      ŵ = the nearest of 16 levels, times max|w|                      (`minimal_impls/quantise.py`, run here)

First the errors on weights drawn from a normal distribution, then on the bundled SFT model's own, with what they add to
its loss on responses kept back: next to nothing down to 4 bits, something in 3, and in 2 the model is ruined.  Then
LoRA is trained through the frozen 2-bit model, as QLoRA does through one of 4 bits; and, for comparison, as long on
the model as it was.

Claim: absmax rounds by at most half a step; on Gaussian weights NF4's squared error is smaller than int4's; and LoRA on
the frozen base of 2 bits closes at least half of the gap in loss that they opened.

`--break` reads every block of weights back with the scale of the block before it.

    python -m learn_llm.demos.quantisation [--format int3] [--break]
"""

from collections.abc import Iterator
from dataclasses import dataclass

from learn_llm.demos import catalogue
from learn_llm.events import Event
from learn_llm.minimal_impls import quantise
from learn_llm.minimal_impls.quantise import Format
from learn_llm.running import RunConfig, main


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    format: Format = "int2"
    """The frozen base of LoRA."""
    block: int = 64
    """Weights that share a scale."""
    steps: int = 40
    """Training steps of LoRA, on the quantised base and on the base as it was."""

    def __post_init__(self) -> None:
        catalogue.check("quantisation", self)


def run(config: Config) -> Iterator[Event]:
    """Quantisation as its own file runs it."""
    settings = quantise.Config(
        seed=config.seed,
        break_=config.break_,
        format=config.format,
        block=config.block,
        steps=config.steps,
        device="cpu",
    )
    yield from quantise.run(settings)


if __name__ == "__main__":
    main(run, Config)
