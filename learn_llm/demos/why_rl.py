"""Why reinforcement learning: what cross-entropy sees of a response, and what one reward for all of it sees.

    cross-entropy   L  = -1/T Σ_t log π(y_t | x, y_<t)           every token weighs +1
    RL              ∇J = E[ (R - b) · Σ_t ∇ log π(y_t) ]         one weight a response      (`minimal_impls/why_rl.py`)

Good answers of the tiny world are changed by one word, once to the opposite ("i will help with that"), once without a
change of meaning.  Then three ways to go on from the bundled SFT model are compared on as many responses each: more
demonstrations by people; cross-entropy on the best of the model's own samples; PPO on all of its own samples.

Claim: the gold score puts the opposite below the harmless change in every pair; mean token cross-entropy does so in
fewer than 75 % of them.  And both ways that learn from judged samples of the model's own gain more gold than more
demonstrations do (the 95 % intervals of the paired differences lie above 0).  Which of the two is ahead is told, too.

`--break`: no answer is turned into its opposite, and every sample gets somebody else's score.

    python -m learn_llm.demos.why_rl [--samples 2304] [--break]
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from learn_llm.demos import catalogue
from learn_llm.events import Event
from learn_llm.minimal_impls import why_rl
from learn_llm.running import RunConfig, main


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    pairs: int = 320
    """Answers that are changed by a word."""
    samples: int = 1152
    """Responses that each way of going on learns from."""

    def __post_init__(self) -> None:
        catalogue.check("why-rl", self)


def run(config: Config) -> Iterator[Event]:
    """Both reasons as their own file measures them, on the bundled checkpoints."""
    yield from why_rl.run(why_rl.Config(**dataclasses.asdict(config), device="cpu"))


if __name__ == "__main__":
    main(run, Config)
