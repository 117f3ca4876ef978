"""Claims about learning from preferences and rewards: PPO and its relatives, over-optimisation, why RL."""

from collections.abc import Mapping

from learn_llm.results_claims.claim import COH, METHODS, NO_FIGURE, Claim, Run

COMPARED = ("best-of-n", "rejection-sampling", "dpo", "coh", "reinforce", "grpo", "ppo", "rejection-then-ppo")
INSTRUCT_GPT = "Ouyang et al. 2022, arXiv 2203.02155"
STIENNON = (
    "1.3B with feedback preferred to the references in 61 %, a supervised model ten times its size in 43 % "
    "(Stiennon et al. 2020, arXiv 2009.01325)"
)
RASCHKA = "Sebastian Raschka's {} reason for RLHF: a direction, no figure"
PROXIES = (240, 960, 3840)
"""Comparisons."""
GAO = "Gao et al. 2022, arXiv 2210.10760"

RUNS: Mapping[str, Run] = {
    "ppo": Run(
        f"{METHODS}.ppo",
        "PPO against a reward model, from the bundled SFT model.",
        (
            Claim("PPO wins more prompts than it loses against its start", "win_rate", STIENNON, bound=0.5),
            Claim(
                "PPO raises the gold score over SFT", "gold_difference",
                f"preferred to SFT at every size ({INSTRUCT_GPT}, Figure 1): {NO_FIGURE}",
            ),
        ),
        tables=("Skills, 1 to 5, on held-out prompts",),
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
        tables=("Every variant",),
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
        tables=("Every variant",),
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
        tables=("Every variant",),
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
        tables=("The best of n by the reward model, 64 held-out prompts",),
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
        tables=("Every variant",),
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
        tables=("Gold score on held-out prompts", "Skills, 1 to 5"),
    ),
    "over-optimisation": Run(
        f"{METHODS}.over_optimisation",
        "The best of ever more samples by a reward model that saw 960 comparisons.",
        (
            Claim("Gold falls behind its peak", "gold_fall", f"it does ({GAO}, Figure 1)"),
            Claim(
                "The proxy goes on rising", "proxy_rise", f"it does ({GAO}, Figure 1)",
                not_comparable="it cannot fall: the best of more samples, chosen by the proxy itself",
            ),
            Claim(
                "d·(α - β·d), fitted to n ≤ 64, errs at n = 256 by less than half the fall",
                "|predicted_error| / gold_fall", f"fitted to n ≤ 1,000, it holds up to n = 60,000 ({GAO})",
                "below", 0.5,
            ),
        ),
        tables=("The best of n on 64 held-out prompts", "Fitted on n ≤ 64"),
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
            *(
                Claim(
                    f"Against the proxy that saw {pairs:,} PPO over-optimises, too", f"{pairs}-pairs/ppo_gold_fall",
                    f"it does ({GAO}, Figure 1)",
                )
                for pairs in PROXIES
            ),
            *(
                Claim(
                    f"... and d·(α - β·log d), fitted to its first rounds, errs by less than the fall ({pairs:,})",
                    f"|{pairs}-pairs/ppo_predicted_error| - {pairs}-pairs/ppo_gold_fall",
                    f"the form was found for RL ({GAO}, Eq. 1)", "below",
                )
                for pairs in PROXIES
            ),
        ),
        {"full": True},
        tables=("Every variant", *(f"{pairs}-pairs: PPO against the proxy, fitted" for pairs in PROXIES)),
    ),
    "why-rl-1": Run(
        f"{METHODS}.why_rl",
        "Reason 1: cross-entropy on ranks makes a judge, not a writer.",
        (
            Claim(
                "A model that has learnt ranks orders unseen pairs", "ordered_by_rank", RASCHKA.format("first"),
                bound=0.5,
            ),
            Claim("It answers worse than one that has learnt answers", "responses_over_ranks", RASCHKA.format("first")),
        ),
        {"reason": 1},
        tables=("512 held-out pairs",),
    ),
    "why-rl-2": Run(
        f"{METHODS}.why_rl",
        "Reason 2: rewards of later turns.",
        (
            Claim("Learnt from the whole dialogue it scores higher in all", "dialogue_gain", RASCHKA.format("second")),
        ),
        {"reason": 2},
        tables=("Expected gold score",),
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
    "why-rl-5": Run(
        f"{METHODS}.why_rl",
        "Reason 5: SFT, then RL, against either alone.",
        (
            Claim("Both are ahead of SFT alone", "both_over_sft", f"used in this order ({INSTRUCT_GPT}): {NO_FIGURE}"),
            Claim("Both are ahead of RL alone", "both_over_rl", f"used in this order ({INSTRUCT_GPT}): {NO_FIGURE}"),
        ),
        {"reason": 5},
        tables=("2304 responses each",),
    ),
}  # fmt: skip
