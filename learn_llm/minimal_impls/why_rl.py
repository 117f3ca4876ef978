"""Why reinforcement learning, and not only supervised learning?  Five reasons that are given, each one measured.

    cross-entropy   L  = -1/T Σ_t log π(y_t | x, y_<t)              a mean over tokens; every token weighs +1
    RL              ∇J = E[ (R(x, y) - b) · Σ_t ∇ log π(y_t) ]      one weight a response, and it may be negative

  1. What people have labelled are ranks.  Cross-entropy on ranks makes a model that ranks, and no model that answers:
     it is how a reward model is made, and something must still write (`why_rl_ranks.py`).
  2. A loss of one turn may contain a reward, too.  But what is good in a conversation may cost in the turn in which it
     is said: a question back is no answer (`why_rl_dialogue.py`).
  3. Cross-entropy weighs tokens.  One negated word reverses an answer, and often is as usual as the right one
     (`why_rl_negation.py`).
  4. Supervised learning can do it, RL does it better: the model's own samples, weighed by a reward model, against as
     many demonstrations, and against cross-entropy on the best of the samples (`why_rl_samples.py`).
  5. Both are used, one after the other: SFT brings the form, RL goes on from there (`why_rl_sequence.py`).

The reasons are those that Sebastian Raschka has collected; the experiments are this package's own.

Implementation details
  1. Each reason is a function (config, setup) that yields its events and returns whether its claim held, with what was
     measured; `--reason N` runs one of them, `--full` all.
  2. The arms of a reason differ in what its claim names.  Start, number of responses, held-out prompts and reward model
     are the same.
  3. Nothing is trained on the gold score, except that the tabular policy of reason 2 has it for its reward: there the
     question is which turns a reward counts for, not where it comes from.

    python -m learn_llm.minimal_impls.why_rl                                        # reasons 3 and 4, under a minute
    python -m learn_llm.minimal_impls.why_rl --reason 2
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from learn_llm.events import Event, Stage, Verdict
from learn_llm.minimal_impls import why_rl_dialogue, why_rl_negation, why_rl_ranks, why_rl_samples, why_rl_sequence
from learn_llm.minimal_impls.variants import full
from learn_llm.minimal_impls.why_rl_settings import Config
from learn_llm.running import main
from learn_llm.training import Setup, TrainConfig, prepare

__all__ = ["REASONS", "Config", "run"]


@dataclass(frozen=True)
class Reason:
    """One of the five."""

    name: str
    model: Callable[[Config], str]
    """Where it starts."""
    measure: Callable[[Config, Setup], Generator[Event, None, tuple[bool, dict[str, float]]]]
    claim: str


REASONS = {
    1: Reason("learning the ranks", lambda config: config.base, why_rl_ranks.measure, why_rl_ranks.CLAIM),
    2: Reason("rewards of later turns", lambda config: config.base, why_rl_dialogue.measure, why_rl_dialogue.CLAIM),
    3: Reason("one negated word", lambda config: config.model, why_rl_negation.measure, why_rl_negation.CLAIM),
    4: Reason("equal samples", lambda config: config.model, why_rl_samples.measure, why_rl_samples.CLAIM),
    5: Reason("one after the other", lambda config: config.base, why_rl_sequence.measure, why_rl_sequence.CLAIM),
}


def run(config: Config) -> Iterator[Event]:
    """The reasons that are asked for; the verdict holds where all of them do."""
    if config.full:
        yield from full("why_rl", run, config)
        return
    asked = [config.reason] if config.reason else [3, 4]
    holds, measured = True, dict[str, float]()
    for index, reason in enumerate(asked, 1):
        yield Stage(REASONS[reason].name, index, len(asked))
        setup = prepare(TrainConfig(model=REASONS[reason].model(config), seed=config.seed, device=config.device))
        held, found = yield from REASONS[reason].measure(config, setup)
        holds, measured = holds and held, measured | found
    yield Verdict(". ".join(REASONS[reason].claim for reason in asked), holds, measured)


if __name__ == "__main__":
    main(run, Config)
