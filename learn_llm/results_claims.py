"""The claims of docs/results.md: what is run, which number of its verdict is looked at, and what the source says."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from learn_llm.errors import UserError


@dataclass(frozen=True)
class Claim:
    """One claim about one number."""

    text: str
    number: str
    """A name in the verdict, or two with " - " or " / " between them."""
    source: str
    """The source's figure and its place."""
    side: Literal["above", "below"] = "above"
    """On which side of the bound the source says that it lies."""
    bound: float = 0.0
    not_comparable: str = ""
    """Why nothing follows for the source, if so."""


@dataclass(frozen=True)
class Run:
    """A file of the package with its settings."""

    module: str
    about: str
    claims: tuple[Claim, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    """Modules that it imports by name."""
    command: str = ""
    """Where it is not run as a module."""


def known(name: str) -> None:
    """Raises UserError where there is no run of this name, with those that are near."""
    if name not in RUNS:
        near = difflib.get_close_matches(name, RUNS, 3, cutoff=0.4)
        raise UserError(f"there is no run {name!r}; there are {', '.join(near or RUNS)}")


METHODS = "minimal_impls"
COMPARED = ("best-of-n", "rejection-sampling", "dpo", "coh", "reinforce", "grpo", "ppo")
INSTRUCT_GPT = "Ouyang et al. 2022, arXiv 2203.02155"
STIENNON = (
    "1.3B with feedback preferred to the references in 61 %, a supervised model ten times its size in 43 % "
    "(Stiennon et al. 2020, arXiv 2009.01325)"
)
RASCHKA = "Sebastian Raschka's {} reason for RLHF: a direction, no figure"
COH = "Liu et al. 2023, arXiv 2302.02676"
ICIL = "Ye et al. 2023, arXiv 2302.14691"
FLASK = "Ye et al. 2023, arXiv 2307.10928"
GAO = "Gao et al. 2022, arXiv 2210.10760"
NO_FIGURE = "a direction, no figure"
RANDOM_WORDS = (
    Claim(
        "Random inputs lose at most 30 % of the gain", "lost_by_random_inputs / held_out_gain",
        f"hardly any loss ({ICIL}): {NO_FIGURE}", "below", 0.3,
    ),
    Claim(
        "Random outputs lose more than 30 % of the gain", "lost_by_random_outputs / held_out_gain",
        f"a large loss ({ICIL}): {NO_FIGURE}", "above", 0.3,
    ),
)  # fmt: skip

RUNS: Mapping[str, Run] = {
    "ppo": Run(
        f"{METHODS}.ppo",
        "PPO against a reward model, from the bundled SFT model.",
        (
            Claim("PPO wins more prompts than it loses against its start", "win_rate", STIENNON, bound=0.5),
            Claim(
                "PPO raises the gold score over SFT", "gold_difference",
                f"InstructGPT 175B preferred to GPT-3 175B in 85 ± 3 % ({INSTRUCT_GPT}, section 1)",
            ),
        ),
    ),
    "dpo": Run(
        f"{METHODS}.dpo",
        "DPO on preference pairs, from the bundled SFT model.",
        (
            Claim(
                "DPO raises the gold score over SFT without a reward model", "gold_difference",
                "61 % of summaries preferred to the references (Rafailov et al. 2023, arXiv 2305.18290, section 6.2)",
            ),
        ),
    ),
    "ipo": Run(
        f"{METHODS}.dpo",
        "The same with the loss of IPO.",
        (
            Claim(
                "IPO raises the gold score over SFT", "gold_difference",
                f"Azar et al. 2023, arXiv 2310.12036: {NO_FIGURE}",
            ),
        ),
        {"loss": "ipo"},
    ),
    "dpo-full": Run(
        f"{METHODS}.dpo",
        "DPO and its relatives on the same pairs.",
        (
            Claim(
                "With label smoothing it raises the gold score over SFT", "label-smoothing/gold_difference",
                f"Mitchell 2023, A note on DPO with noisy preferences: {NO_FIGURE}",
            ),
            Claim(
                "Corrected for wrong labels it is ahead of plain DPO", "robust/gold_difference - dpo/gold_difference",
                f"ahead where labels are wrong (Chowdhury et al. 2024, arXiv 2403.00409): {NO_FIGURE}",
            ),
        ),
        {"full": True},
    ),
    "grpo": Run(
        f"{METHODS}.grpo",
        "GRPO with a rule for its reward, from the bundled SFT model.",
        (
            Claim(
                "GRPO raises the gold score over SFT", "gold_difference",
                "GSM8K 82.9 to 88.2 % (Shao et al. 2024, arXiv 2402.03300, abstract)",
                not_comparable="a 7B model on mathematics",
            ),
        ),
    ),
    "grpo-full": Run(
        f"{METHODS}.grpo",
        "GRPO and its variants on the same prompts.",
        (
            Claim(
                "DAPO's mean over tokens is ahead of GRPO's over responses",
                "dapo/gold_difference - grpo/gold_difference",
                "50 against 30 points on AIME (arXiv 2503.14476, Table 1)",
                not_comparable="a 32B model on mathematics, and more than the mean differs",
            ),
            Claim(
                "Dr. GRPO raises the gold score over SFT", "dr_grpo/gold_difference",
                f"as good as GRPO (arXiv 2503.20783): {NO_FIGURE}",
            ),
        ),
        {"full": True},
    ),
    "reinforce": Run(
        f"{METHODS}.reinforce",
        "REINFORCE with a leave-one-out baseline (RLOO) against a reward model.",
        (
            Claim(
                "RLOO raises the gold score over SFT", "gold_difference",
                f"Ahmadian et al. 2024, arXiv 2402.14740: {NO_FIGURE}",
            ),
        ),
    ),
    "reinforce-full": Run(
        f"{METHODS}.reinforce",
        "REINFORCE with each baseline, and with none.",
        (
            Claim(
                "RLOO is ahead of a running mean as the baseline",
                "leave-one-out/gold_difference - average/gold_difference",
                f"Ahmadian et al. 2024, arXiv 2402.14740: {NO_FIGURE}",
            ),
            Claim(
                "RLOO is ahead of no baseline", "leave-one-out/gold_difference - none/gold_difference",
                f"Ahmadian et al. 2024, arXiv 2402.14740: {NO_FIGURE}",
            ),
        ),
        {"full": True},
    ),
    "best-of-n": Run(
        f"{METHODS}.best_of_n",
        "The best of 16 samples by the reward model, and fine-tuning on the best of 4.",
        (
            Claim(
                "The best of 16 has a higher gold score than one sample", "best_of_n_difference",
                f"gold = d·(α - β·d), which rises at first ({GAO}, Eq. 1)",
            ),
            Claim(
                "Fine-tuning on the best samples raises the gold score over SFT", "gold_difference",
                f"the only RL method up to RLHF-V4 (Llama 2, arXiv 2307.09288, section 3.2.3): {NO_FIGURE}",
            ),
        ),
    ),
    "best-of-n-full": Run(
        f"{METHODS}.best_of_n",
        "Fine-tuning on the best of 2, of 4 and of 8, from as many samples.",
        (
            Claim(
                "Of 8 it gains more than of 2", "best-of-8/gold_difference - best-of-2/gold_difference",
                f"the highest reward rises with the samples of a prompt (arXiv 2307.09288, Figure 7): {NO_FIGURE}",
                not_comparable="more samples of a prompt are fewer prompts here",
            ),
        ),
        {"full": True},
    ),
    "compare": Run(
        "comparing",
        "All methods from the same start on 2,880 responses each.",
        (
            Claim(
                "DPO is ahead of PPO", "dpo/gold_difference - ppo/gold_difference",
                "61 % against 57 % of summaries preferred to the references (arXiv 2305.18290, section 6.2)",
            ),
            Claim(
                "RLOO is ahead of PPO", "reinforce/gold_difference - ppo/gold_difference",
                f"Ahmadian et al. 2024, arXiv 2402.14740: {NO_FIGURE}",
            ),
            Claim(
                "CoH is ahead of PPO", "coh/gold_difference - ppo/gold_difference",
                f"27.45 against 25.45 ROUGE, 81.2 against 68.8 % in dialogue ({COH}, Table 4)",
            ),
            Claim("PPO is ahead of SFT", "ppo/gold_difference", STIENNON),
        ),
        {"arms": COMPARED},
        tuple(f"{METHODS}.{name}" for name in ("ppo", "dpo", "grpo", "reinforce")),
        f"learn-llm compare {' '.join(COMPARED)}",
    ),
    "coh": Run(
        f"{METHODS}.coh",
        "Chain of Hindsight and its arms on the same pairs.",
        (
            Claim("Asked for good, CoH answers better than asked for bad", "gap", f"{COH}, Figure 5: {NO_FIGURE}"),
            Claim(
                "In chains the gap is wider than without them", "gap_difference", COH,
                not_comparable="the paper has no figure for asking for bad answers",
            ),
            Claim(
                "Asked for good, CoH answers better than conditional SFT without chains", "gold_difference",
                f"27.45 against 25.35 ROUGE, 81.2 against 78.8 % in dialogue ({COH}, Table 4)",
            ),
            Claim(
                "... than SFT on good answers", "gold - sft/gold",
                f"27.45 against 24.87 ROUGE, 81.2 against 64.8 % ({COH}, Table 4)",
                not_comparable="6B parameters; smaller models lose a little against SFT, says its section 4.3",
            ),
            Claim(
                "... than SFT on good and bad answers", "gold - sft-on-both/gold",
                f"27.45 against 21.44 ROUGE, 81.2 against 50.6 % ({COH}, Table 4)",
            ),
            Claim(
                "... than SFT with unlikelihood of bad answers", "gold - unlikelihood/gold",
                f"27.45 against 19.56 ROUGE, 81.2 against 42.3 % ({COH}, Table 4)",
            ),
            Claim(
                "... than without pretraining text (λ = 0)", "gold - coh-without-lambda/gold",
                f"27.45 against 22.45 ROUGE, 81.2 against 60.8 % ({COH}, Table 4)",
            ),
            Claim(
                "... than without masking of past tokens", "gold - coh-without-masking/gold",
                f"27.45 against 26.65 ROUGE, 81.2 against 79.6 % ({COH}, Table 4)",
            ),
        ),
        {"full": True},
    ),
    "icil": Run(
        f"{METHODS}.icil",
        "ICIL on the tiny world's held-out tasks, the bundled base.",
        (
            Claim(
                "The prefix raises exact matches over zero-shot", "held_out_gain",
                f"+34.58 % ROUGE-L, the mean of 8 base models of 6.7B to 175B ({ICIL}, abstract)",
            ),
            *RANDOM_WORDS,
            Claim(
                "Random definitions lose more than 30 % of the gain", "lost_by_random_definitions / held_out_gain",
                f"a large loss ({ICIL}): {NO_FIGURE}", "above", 0.3,
            ),
            Claim(
                "Of the gain, what answers left out take away", "lost_by_no_answers / held_out_gain", "none",
                not_comparable="the paper has no such arm",
            ),
        ),
    ),
    "icil-sft": Run(
        f"{METHODS}.icil",
        "The same on the SFT model: does a prefix add to fine-tuning?",
        (
            Claim(
                "The prefix raises exact matches of a fine-tuned model", "held_out_gain",
                f"+12.26 % ROUGE-L for instruction-tuned models ({ICIL}, abstract)",
            ),
        ),
        {"model": "tiny-sft", "arms": ()},
    ),
    "icil-smollm2": Run(
        f"{METHODS}.icil",
        "ICIL on SmolLM2-135M-Instruct, the bundled English tasks; every seed draws another prefix.",
        (
            Claim(
                "The prefix raises valid answers over zero-shot", "valid_gain", "none",
                not_comparable="the paper does not count valid answers",
            ),
            Claim(
                "The prefix raises exact matches over zero-shot", "held_out_gain",
                f"+12.26 % ROUGE-L for instruction-tuned models ({ICIL}, abstract)",
            ),
            *RANDOM_WORDS,
        ),
        {"model": "smollm2", "prefixes": 1, "items": 12, "arms": ("random inputs", "random outputs")},
    ),
    "over-optimisation": Run(
        f"{METHODS}.over_optimisation",
        "The best of ever more samples by a reward model that saw 960 comparisons.",
        (
            Claim("Gold falls behind its peak", "gold_fall", f"it does ({GAO}, Figure 1)"),
            Claim("The proxy goes on rising", "proxy_rise", f"it does ({GAO}, Figure 1)"),
            Claim(
                "d·(α - β·d), fitted to n ≤ 64, errs at n = 256 by less than half the fall",
                "predicted_error / gold_fall", f"fitted to n ≤ 1,000, it holds up to n = 60,000 ({GAO})", "below", 0.5,
            ),
        ),
    ),
    "over-optimisation-full": Run(
        f"{METHODS}.over_optimisation",
        "Proxies that saw 240, 960 and 3,840 comparisons; best-of-n and PPO against each.",
        (
            Claim(
                "With more comparisons gold peaks higher", "3840-pairs/gold_at_peak - 240-pairs/gold_at_peak",
                f"more data, higher gold ({GAO}, section 3.3): {NO_FIGURE}",
            ),
            Claim(
                "... and falls less", "240-pairs/gold_fall - 3840-pairs/gold_fall",
                f"more data, less over-optimisation ({GAO}, section 3.3): {NO_FIGURE}",
            ),
            Claim(
                "Against the smallest proxy PPO over-optimises, too", "240-pairs/ppo_gold_at_peak - 240-pairs/ppo_gold",
                f"it does ({GAO}, Figure 1)",
            ),
        ),
        {"full": True},
    ),
    "flask": Run(
        f"{METHODS}.flask",
        "Two models with the same mean score, skill by skill.",
        (
            Claim(
                "With equal means they differ by more than a point on some skill", "widest_gap",
                f"open models match GPT-3.5 in user alignment and trail in logic ({FLASK}): {NO_FIGURE}", bound=1.0,
            ),
            Claim(
                "On hard questions correctness falls", "fall_correctness",
                f"logical correctness is weak on FLASK-Hard even for GPT-4 ({FLASK}): {NO_FIGURE}", "below",
            ),
            Claim(
                "Share of scores that stay when an answer is made wordier", "scores_kept",
                f"52.99 % scored by skill, 43.82 % without skills ({FLASK})",
                not_comparable="rules score here, a language model there",
            ),
        ),
    ),
    "why-rl-2": Run(
        f"{METHODS}.why_rl",
        "Reason 2: rewards of later turns.",
        (
            Claim("Learnt from the whole dialogue it scores higher in all", "dialogue_gain", RASCHKA.format("second")),
        ),
        {"reason": 2},
    ),
    "why-rl-3": Run(
        f"{METHODS}.why_rl",
        "Reason 3: one negated word.",
        (
            Claim(
                "Mean token cross-entropy orders fewer than 75 % of the pairs as their meaning does",
                "right_by_cross_entropy", RASCHKA.format("third"), "below", 0.75,
            ),
            Claim("The reward model orders more of them", "right_by_reward - right_by_cross_entropy",
                RASCHKA.format("third")),
        ),
        {"reason": 3},
    ),
    "why-rl-4": Run(
        f"{METHODS}.why_rl",
        "Reason 4: as many samples as demonstrations.",
        (
            Claim("PPO gains more than more demonstrations", "ppo_over_people", STIENNON),
            Claim("PPO gains more than cross-entropy on the best samples", "ppo_over_best", RASCHKA.format("fourth")),
        ),
        {"reason": 4},
    ),
}  # fmt: skip
