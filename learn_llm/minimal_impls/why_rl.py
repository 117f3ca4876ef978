"""Why reinforcement learning, and not only supervised learning?  Reasons that are given, each one measured.

    cross-entropy   L  = -1/T Σ_t log π(y_t | x, y_<t)              a mean over tokens; every token weighs +1
    RL              ∇J = E[ (R(x, y) - b) · Σ_t ∇ log π(y_t) ]      one weight a response, and it may be negative

  2. A loss of one turn may contain a reward, too.  But what is good in a conversation may cost in the turn in which it
     is said: a question back is no answer (`why_rl_dialogue.py`).
  3. Cross-entropy weighs tokens.  One negated word reverses an answer, and often is as usual as the right one
     (`why_rl_negation.py`).
  4. Supervised learning can do it, RL does it better: the model's own samples, weighed by a reward model, against as
     many demonstrations, and against cross-entropy on the best of the samples (`why_rl_samples.py`).

The reasons are those that Sebastian Raschka has collected; the experiments are this package's own.

Implementation details
  1. Each reason is a function (config, setup) that yields its events and returns whether its claim held, with what was
     measured; `--reason N` runs one of them, `--full` all.
  2. The arms of a reason differ in what its claim names.  Start, number of responses, held-out prompts and reward model
     are the same.
  3. Nothing is trained on the gold score, except that the tabular policy of reason 2 has it for its reward: there the
     question is which turns a reward counts for, not where it comes from.
Left out: reasons 1 (learning the ranks gives a judge, which cannot write: reward_model.py is that judge) and 5 (both in
sequence, as ppo.py does from the SFT model).

    python -m learn_llm.minimal_impls.why_rl                                        # reasons 3 and 4, under a minute
    python -m learn_llm.minimal_impls.why_rl --reason 2
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from learn_llm.events import Event, Stage, Verdict
from learn_llm.minimal_impls import why_rl_dialogue, why_rl_negation, why_rl_samples
from learn_llm.minimal_impls.variants import full
from learn_llm.minimal_impls.why_rl_settings import Config
from learn_llm.running import main
from learn_llm.training import Setup, TrainConfig, prepare

__all__ = ["REASONS", "Config", "run"]


@dataclass(frozen=True)
class Reason:
    """One of them."""

    name: str
    measure: Callable[[Config, Setup], Generator[Event, None, tuple[bool, dict[str, float]]]]
    claim: str


REASONS = {
    2: Reason("rewards of later turns", why_rl_dialogue.measure, why_rl_dialogue.CLAIM),
    3: Reason("one negated word", why_rl_negation.measure, why_rl_negation.CLAIM),
    4: Reason("equal samples", why_rl_samples.measure, why_rl_samples.CLAIM),
}


def run(config: Config) -> Iterator[Event]:
    """The reasons that are asked for; the verdict holds where all of them do."""
    if config.full:
        yield from full("why_rl", run, config)
        return
    setup = prepare(TrainConfig(model=config.model, seed=config.seed, device=config.device))
    asked = [config.reason] if config.reason else [3, 4]
    holds, measured = True, dict[str, float]()
    for index, reason in enumerate(asked, 1):
        yield Stage(REASONS[reason].name, index, len(asked))
        held, found = yield from REASONS[reason].measure(config, setup)
        holds, measured = holds and held, measured | found
    yield Verdict(". ".join(REASONS[reason].claim for reason in asked), holds, measured)


if __name__ == "__main__":
    main(run, Config)
