"""FLASK: a score for each skill instead of one for all, and two models whose means are the same and hide it.

    profile(skill) = mean score, 1 to 5, of the answers whose question calls for the skill    (`minimal_impls/flask.py`)

Both models are the bundled SFT model.  A always says the likeliest token: mostly right, with the flaws that most people
have.  B is sampled hot, and a reward model takes the best of a few samples: it has the manners that people like, and is
wrong more often.  B's temperature is set so that both have the same mean; then the profiles are compared.

Claim: the means are equal to 0.1 points, and on some skill the two differ by at least a point (the lower end of the
95 % interval, too).  On hard questions the correctness of A falls, and further than any skill of user alignment.

`--break` puts one overall score in the place of the skills, as a leaderboard does.  The difference is gone from sight.

    python -m learn_llm.demos.flask [--best-of 1] [--break]
"""

from collections.abc import Iterator
from dataclasses import dataclass

from learn_llm.demos import catalogue
from learn_llm.events import Event
from learn_llm.minimal_impls import flask
from learn_llm.running import RunConfig, main


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    prompts: int = 256
    """Questions."""
    temperature: float = 0.0
    """Of model A; 0: always the likeliest token."""
    best_of: int = 4
    """Of how many samples of model B the reward model takes the best."""

    def __post_init__(self) -> None:
        catalogue.check("flask", self)


def run(config: Config) -> Iterator[Event]:
    """FLASK as its own file runs it, on the bundled checkpoints."""
    settings = flask.Config(
        seed=config.seed,
        break_=config.break_,
        prompts=config.prompts,
        temperature=config.temperature,
        against_best_of=config.best_of,
        device="cpu",
    )
    yield from flask.run(settings)


if __name__ == "__main__":
    main(run, Config)
