"""Over-optimisation: the best of ever more samples by a proxy, and the gold score of what it chooses.

    gain(d) = d·(α - β·d),   d = √KL,   KL ≤ log n - (n - 1)/n         (`minimal_impls/over_optimisation.py`, run here)

A reward model is trained live on a few hundred noisy comparisons: a proxy.  It chooses the best of n = 1, 2, 4 ... 256
samples of the bundled SFT model.  Its own score of the chosen ones rises with every n.  Their gold score, which nothing
was trained on, rises at first, too; then the choice turns to samples that the proxy has wrong.

Claim: the proxy rises throughout; gold falls from its peak, which the other half of the prompts tells, to n = 256 (the
95 % interval of the paired difference lies above 0); and d·(α - β·d), fitted to n ≤ 64, foresees the gold score at
n = 256 to within half of the fall.

`--break` puts the gold score itself in the proxy's place: without an error of the proxy nothing falls.

    python -m learn_llm.demos.over_optimisation [--pairs 240] [--break]
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from learn_llm.demos import catalogue
from learn_llm.events import Event
from learn_llm.minimal_impls import over_optimisation
from learn_llm.running import RunConfig, main


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    pairs: int = 960
    """Comparisons that the proxy learns from."""
    prompts: int = 64
    """Prompts that are answered."""
    temperature: float = 1.0
    """Of the samples."""

    def __post_init__(self) -> None:
        catalogue.check("over-optimisation", self)


def run(config: Config) -> Iterator[Event]:
    """Over-optimisation as its own file measures it, from the bundled checkpoints."""
    yield from over_optimisation.run(over_optimisation.Config(**dataclasses.asdict(config), device="cpu"))


if __name__ == "__main__":
    main(run, Config)
