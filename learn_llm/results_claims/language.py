"""Claims about what stands in the context, and about skills: Chain of Hindsight, ICIL, FLASK."""

from collections.abc import Mapping

from learn_llm.results_claims.claim import COH, METHODS, NO_FIGURE, Claim, Run

ICIL = "Ye et al. 2023, arXiv 2302.14691"
FLASK = "Ye et al. 2023, arXiv 2307.10928"
COH_ARMS = (
    "coh", "conditional-sft", "sft", "sft-on-both", "unlikelihood", "coh-without-lambda", "coh-without-masking", "ppo",
)  # fmt: skip
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

PREFIX = (
    Claim(
        "On tasks with options, exact matches with the prefix less those by guessing", "over_chance", ICIL,
        not_comparable="the paper tells ROUGE-L, and no level of guessing",
    ),
    Claim(
        "Computed once, the prefix answers at least 4 times as many questions a second", "cache_speedup",
        "the same keys and values for every question: arithmetic", bound=4.0,
    ),
)  # fmt: skip

RUNS: Mapping[str, Run] = {
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
        {"arms": COH_ARMS},
        tables=("Gold score when asked for good and for bad answers",),
    ),
    "coh-full": Run(
        f"{METHODS}.coh",
        "Chain of Hindsight with the loss on the last answer of a chain only, and with grades in numbers.",
        (
            Claim(
                "With the loss on the last answers only, asked for good, it answers better than asked for bad",
                "last-answers/gap", f"one sentence of {COH} says so, Eq. 2 says all answers: {NO_FIGURE}",
            ),
            Claim(
                "With grades in numbers it does, too", "numbers/gap", COH,
                not_comparable="the paper has feedback in words only",
            ),
            Claim(
                "The gap with words less that with numbers", "every-arm/gap - numbers/gap", COH,
                not_comparable="the paper has feedback in words only",
            ),
        ),
        {"full": True},
        tables=("Every variant",),
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
            Claim(
                "Demonstrations that share their options answer worse", "lost_by_shared_options",
                f"they hurt ({ICIL}): {NO_FIGURE}",
            ),
            Claim(
                "One demonstration answers worse than all eight", "lost_by_1_demonstrations",
                f"the more, the better, from 2 to 8 ({ICIL}): {NO_FIGURE}",
            ),
            Claim(
                "Demonstrations with free answers answer worse than those with options",
                "lost_by_all_with_free_answers", f"the more with options, the better ({ICIL}): {NO_FIGURE}",
            ),
            Claim(
                "The fixed prefix less demonstrations retrieved for every question", "lost_by_similar_demonstrations",
                f"comparable ({ICIL}): {NO_FIGURE}", not_comparable="comparable sets no bound",
            ),
            *PREFIX,
        ),
        {"full": True},
        tables=("Held-out tasks",),
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
    "icil-by-size": Run(
        f"{METHODS}.icil",
        "Bases of 0.2M, 0.45M and 0.9M parameters, made by one recipe, with the prefix and without.",
        (
            Claim(
                "The smallest with the prefix has more exact matches than the largest without", "small_ahead",
                f"6B with the prefix 30.78, 175B without 29.72 ROUGE-L ({ICIL})",
            ),
            Claim(
                "The prefix adds to the smallest", "nano-base/exact_match - nano-base/zero_shot",
                f"6B: 27.84 to 30.78 ROUGE-L ({ICIL})",
            ),
            Claim(
                "... and to the largest", "tiny-base/exact_match - tiny-base/zero_shot",
                f"175B: 29.72 to 37.53 ROUGE-L ({ICIL})",
            ),
        ),
        {"sizes": ("nano-base", "micro-base", "tiny-base")},
        tables=("Exact match by size",),
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
            *PREFIX,
        ),
        {"model": "smollm2", "prefixes": 1, "items": 12, "arms": ("random inputs", "random outputs")},
        tables=("Held-out tasks",),
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
        tables=("Skills, 1 to 5",),
    ),
    "flask-full": Run(
        f"{METHODS}.flask",
        "The same of three pairs of models, and by size.",
        tuple(
            Claim(
                f"With equal means {pair} differ by more than a point on some skill", f"{pair}/widest_gap",
                f"equal means do not make equal profiles ({FLASK}): {NO_FIGURE}", bound=1.0,
            )
            for pair in ("greedy and best of 16", "greedy and sampled")
        ),
        {"full": True},
        tables=("Every variant",),
    ),
    "flask-by-size": Run(
        f"{METHODS}.flask",
        "Models of 0.2M, 0.45M and 0.9M parameters, made by one recipe, skill by skill.",
        (
            Claim(
                "With size correctness gains more than half a point", "logical_correctness/size_gain",
                f"logical skills rise fast from 7B to 65B ({FLASK}): {NO_FIGURE}", bound=0.5,
            ),
            Claim(
                "More skills than one gain less than that", "skills_saturated",
                f"metacognition after 7B, insightfulness after 13B, conciseness after 30B ({FLASK})", bound=1.0,
            ),
        ),
        {"sizes": ("nano-sft", "micro-sft", "tiny-sft"), "prompts": 512},
        tables=("Skills by size, 1 to 5",),
    ),
}  # fmt: skip
