"""What `--full` of a method's file runs: its variants one after the other, and one table of them all.

A variant is a run of the same file, with the same seed, in which a few settings differ.  What is finished is kept
(`kept_runs.py`): the same command goes on where it was stopped, with the variant that was under way.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from learn_llm import kept_runs, parallel
from learn_llm.errors import UserError
from learn_llm.events import Event, Note, Stage, Table, Verdict
from learn_llm.kept_runs import KeptRun, Measured
from learn_llm.minimal_impls.coh_rows import ARMS, PPO
from learn_llm.running import C, Run

OWN = ("data", "out", "resume", "reward", "judge")
"""Settings that --full does not take: it is about the tiny world, and keeps what it needs itself."""
GAIN = ("gold_difference", "ci_low", "ci_high", "win_rate", "kl")


@dataclass(frozen=True)
class Full:
    """Everything of one file."""

    settings: Mapping[str, Mapping[str, Any]]
    """Of each variant, what is set otherwise than in the command."""
    numbers: tuple[str, ...] = ()
    """What of their verdicts stands in one table."""
    claim: str = ""
    """Of all together; empty: the claims of each."""
    holds: Callable[[Mapping[str, Measured]], bool] = lambda found: all(one.holds for one in found.values())


def all_gain(found: Mapping[str, Measured]) -> bool:
    """Whether gold rises with every variant, its interval above 0."""
    return all(one.values["ci_low"] > 0 for one in found.values())


FULL: Mapping[str, Full] = {
    "dpo": Full(
        {
            "dpo": {},
            "label-smoothing": {"label_smoothing": 0.1},
            "robust": {"loss": "robust", "label_smoothing": 0.1},
            "mean-log-ratio": {"log_ratio": "mean"},
            "ipo": {"loss": "ipo"},
        },
        GAIN,
        "Every loss on pairs of this file raises the gold score over SFT",
        all_gain,
    ),
    "coh": Full(
        {"every-arm": {"arms": (*ARMS, PPO)}, "last-answers": {"scope": "last"}, "numbers": {"feedback": "numbers"}},
        ("gap", "ci_low", "ci_high", "gold", "gap_difference", "gap_difference_low", "gold_difference", "kl"),
        "Asked for good, CoH answers better than asked for bad: in words and in numbers, trained on all answers and on "
        "the last ones",
        lambda found: all(one.values["ci_low"] > 0 for one in found.values()),
    ),
    "grpo": Full(
        {
            "dapo": {},
            "grpo": {"variant": "grpo"},
            "dr_grpo": {"variant": "dr_grpo"},
            "batch-deviation": {"scale_rewards": "batch"},
            "reward-model": {"reward_model": "tiny-reward"},
        },
        GAIN,
        "Every variant of GRPO raises the gold score over SFT",
        all_gain,
    ),
    "reinforce": Full(
        {
            "leave-one-out": {},
            "average": {"baseline": "average"},
            "none": {"baseline": "none"},
            "whitened": {"whiten": True},
        },
        GAIN,
        "REINFORCE raises the gold score over SFT with every baseline, and with none",
        all_gain,
    ),
    "best_of_n": Full(
        {
            "best-of-2": {"best_of": 2, "batch_size": 192},
            "best-of-4": {},
            "best-of-8": {"best_of": 8, "batch_size": 48},
        },
        (*GAIN, "best_of_n_difference", "best_of_n_kl"),
        "From as many samples, fine-tuning on the best of 2, of 4 and of 8 raises the gold score over SFT",
        all_gain,
    ),
    "over_optimisation": Full(
        {f"{pairs}-pairs": {"pairs": pairs, "ppo_steps": 20} for pairs in (240, 960, 3840)},
        ("gold_at_peak", "n_at_peak", "gold", "gold_fall", "proxy_rise", "predicted_error", "predicted_peak",
         "measured_peak", "ppo_gold", "ppo_gold_fall", "ppo_predicted_error", "ppo_predicted_peak",
         "ppo_measured_peak"),
        "However many comparisons the proxy has seen, gold falls behind its peak where the best of 256 is chosen by it",
        lambda found: all(one.values["gold_fall_low"] > 0 for one in found.values()),
    ),
    "flask": Full(
        {
            "greedy and best of 4": {},
            "greedy and best of 16": {"against_best_of": 16},
            "greedy and sampled": {"against_best_of": 1},
            "by size": {"sizes": ("nano-sft", "micro-sft", "tiny-sft"), "prompts": 512},
        },
        ("overall_a", "overall_b", "widest_gap", "widest_gap_low", "gap_the_other_way", "fall_correctness",
         "robustness_a", "robustness_b", "scores_kept"),
    ),
    "lora": Full(
        {"rank-4": {}, "rank-1": {"rank": 1}, "rank-16": {"rank": 16}, "query-and-value": {"targets": "qv"}},
        ("trained_share", "gold", "gold_full", "share_of_gain", "moved_by_merging"),
        "At every rank, and on query and value alone, LoRA reaches at least 80 % of what full fine-tuning gains",
        lambda found: all(one.values["share_of_gain"] >= 0.8 for one in found.values()),
    ),
    "adapters": Full(
        {"bottleneck-8": {}, "bottleneck-2": {"bottleneck": 2}, "bottleneck-32": {"bottleneck": 32}},
        ("trained_share", "gold", "gold_difference", "ci_low", "ci_high"),
        "Adapters of every width raise the gold score of a frozen model",
        all_gain,
    ),
    "prompt_tuning": Full(
        {"16-tokens": {}, "4-tokens": {"soft_tokens": 4}, "48-tokens": {"soft_tokens": 48}},
        ("trained_share", "gold", "gold_difference", "ci_low", "ci_high"),
        "With 4, with 16 and with 48 soft tokens the gold score of a frozen model rises",
        all_gain,
    ),
    "quantise": Full(
        {
            "int2": {},
            "int2-rank-2": {"rank": 2},
            "int2-blocks-of-256": {"block": 256},
            "nf4": {"format": "nf4"},
        },
        ("gap_opened", "gap_opened_low", "gap_left", "gap_left_high", "share_repaired"),
        "LoRA repairs at least half of what 2 bits cost, at either rank and with either size of block",
        lambda found: all(one.values["share_repaired"] >= 0.5 for name, one in found.items() if name != "nf4"),
    ),
    "seq2seq": Full(
        {"width-64": {}, "width-96": {"width": 96}, "600-steps": {"steps": 600}},
        ("exact_match", "exact_match_causal", "exact_difference", "ci_low", "ci_high", "flops_share"),
        "Wider or trained for longer, the encoder-decoder answers more sources exactly than the causal model",
        all_gain,
    ),
    "ghost_attention": Full(
        {"4-turns": {}, "2-turns": {"turns": 2}, "one-try": {"tries": 1}},
        ("holds", "holds_without", "holds_start", "holds_last", "holds_difference", "ci_low", "right", "right_without"),
    ),
    "two_rewards": Full(
        {"best-of-4": {}, "best-of-2": {"n": 2}, "best-of-8": {"n": 8}},
        ("harmless", "harmless_alone", "harmless_difference", "ci_low", "harmless_ordinary_difference",
         "helpfulness_difference"),
        "Of 2, of 4 and of 8 samples the combined rule picks harmless ones more often than helpfulness alone does",
        all_gain,
    ),
    "self_instruct": Full(
        {"rouge-l-0.7": {}, "rouge-l-0.5": {"threshold": 0.5}, "rouge-l-0.9": {"threshold": 0.9}},
        ("written", "kept", "kept_exact", "nearest", "nearest_exact", "right_start", "right_raw",
         "right_deduplicated", "right_filtered", "right_gain", "ci_low", "ci_high"),
        "The lower the threshold, the fewer tasks are kept and the more distinct they are",
        lambda found: rising([found[f"rouge-l-0.{digit}"].values["kept"] for digit in (5, 7, 9)])
        and rising([found[f"rouge-l-0.{digit}"].values["nearest"] for digit in (5, 7, 9)]),
    ),
    "why_rl": Full({f"reason_{number}": {"reason": number} for number in range(1, 6)}),
}  # fmt: skip


def rising(values: Sequence[float]) -> bool:
    """Whether each is higher than the one before.

    >>> rising([0.1, 0.2, 0.3]), rising([0.1, 0.1])
    (True, False)
    """
    return all(a < b for a, b in itertools.pairwise(values))


def full(name: str, run: Run[C], config: C) -> Iterator[Event]:
    """Run every variant of this file that is not kept yet; the verdict is about all of them."""
    for option in fields(config):
        if option.name in OWN and getattr(config, option.name) != option.default:
            raise UserError(f"--full is about the tiny world and keeps what it needs: it takes no --{option.name}")
    if parallel.processes() > 1:
        raise UserError("--full runs in one process: start it without accelerate launch")
    of, store, found = FULL[name], kept_runs.store(), dict[str, Measured]()
    yield Note(f"{len(of.settings)} runs; those that are finished are kept in {store}")
    for index, (variant, settings) in enumerate(of.settings.items(), 1):
        yield Stage(variant, index, len(of.settings))
        one = KeptRun(f"minimal_impls.{name}", replace(config, **{"full": False, **settings}), store)
        found[variant] = one.found() or (yield from one.measure(run, f"{variant}/"))
        yield from found[variant].shown(variant)
    if of.numbers:
        yield table(of.numbers, found)
    measured = {f"{variant}/{key}": value for variant, one in found.items() for key, value in one.values.items()}
    claim = of.claim or ". ".join(one.claim for one in found.values())
    yield Verdict(claim, of.holds(found), measured)


def table(numbers: Sequence[str], found: Mapping[str, Measured]) -> Table:
    """The variants side by side."""
    rows = tuple(
        (variant, *(round(one.values[key], 3) if key in one.values else None for key in numbers), round(one.seconds))
        for variant, one in found.items()
    )
    return Table("Every variant", ("variant", *(key.replace("_", " ") for key in numbers), "seconds"), rows)
