"""The arms of a comparison: what each one learns from, and how its share of responses becomes steps and pairs."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from learn_llm.minimal_impls import best_of_n
from learn_llm.training import TrainConfig

START, POLICY, REWARD = "sft", "tiny-sft", "tiny-reward"
N = 16
ROUND = 192
"""Responses of one round of PPO and of its relatives."""
RESPONSES = 2_880
"""The budget unless another one is asked for: dpo and coh take 50 and 80 steps for it, of others in proportion."""


@dataclass(frozen=True)
class Arm:
    """One way, and what is to be said of it."""

    objective: str
    data: str
    method: str = ""
    """The file of `minimal_impls` that trains it; "": nothing is trained."""
    settings: Callable[[int], Mapping[str, Any]] = lambda responses: {}
    """What is set in that file's Config, given how many responses it may read or sample."""
    then: str = ""
    """An arm that goes on where this one ended; each has half of the responses."""


ARMS: dict[str, Arm] = {
    START: Arm("none: the untouched start, which imitates demonstrations", "demonstrations"),
    "best-of-n": Arm(f"none: of {N} samples the one with the highest reward", "reward model"),
    "rejection-sampling": Arm(
        "cross-entropy on the best of 4 samples", "reward model", "best_of_n",
        lambda responses: best_of_n.only_fine_tuning(responses, rounds=6),
    ),
    "dpo": Arm(
        "log-odds of the chosen against the rejected, β·KL inside", "pairs", "dpo",
        lambda responses: {"pairs": responses // 2, "steps": responses * 50 // RESPONSES, "held_out_pairs": 1},
    ),
    "coh": Arm(
        "cross-entropy on answers behind feedback in words", "pairs, and feedback from the rubric without noise", "coh",
        lambda responses: {"pairs": responses // 2, "steps": responses * 80 // RESPONSES, "arms": ()},
    ),
    "reinforce": Arm(
        "expected reward - β·KL, a leave-one-out baseline", "reward model", "reinforce",
        lambda responses: {"steps": responses // ROUND},
    ),
    "grpo": Arm(
        "expected reward against the mean of the group", "reward model", "grpo",
        lambda responses: {"steps": responses // ROUND, "reward_model": REWARD},
    ),
    "ppo": Arm(
        "expected reward - β·KL, a value head as baseline", "reward model", "ppo",
        lambda responses: {"steps": responses // ROUND},
    ),
}  # fmt: skip
ARMS["rejection-then-ppo"] = dataclasses.replace(
    ARMS["rejection-sampling"], objective="the best of 4 samples, then expected reward (Llama 2)", then="ppo"
)


def stages_of(name: str, seed: int, responses: int, break_: bool) -> tuple[TrainConfig, ...]:
    """What is trained, one stage after the other; nothing for an arm that only samples."""
    first = ARMS[name]
    shares = [(first, responses)] if first.method else []
    if first.then:
        half = responses // 2 // ROUND * ROUND
        shares = [(first, responses - half), (ARMS[first.then], half)]
    made: list[TrainConfig] = []
    for arm, share in shares:
        made.append(module(arm.method).Config(seed=seed, break_=break_, model=POLICY, **arm.settings(share)))
    return tuple(made)


def taken(stage: TrainConfig) -> int:
    """How many different responses a stage reads or samples; how often it goes through them does not count."""
    drawn = stage.steps * stage.batch_size
    pairs: int = getattr(stage, "pairs", 0)
    return 2 * min(pairs, drawn) if pairs else drawn * int(getattr(stage, "best_of", 1))


def module(method: str) -> Any:
    """The file of `minimal_impls` of that name."""
    return import_module(f"learn_llm.minimal_impls.{method}")
