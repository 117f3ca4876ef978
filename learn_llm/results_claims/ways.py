"""Claims about the ways of training: few parameters, few bits, Llama 2's recipe, data that a model writes."""

from collections.abc import Mapping

from learn_llm.results_claims.claim import METHODS, NO_FIGURE, Claim, Run

LLAMA_2 = "Touvron et al. 2023, arXiv 2307.09288"
QLORA = "Dettmers et al. 2023, arXiv 2305.14314"

RUNS: Mapping[str, Run] = {
    "lora": Run(
        f"{METHODS}.lora",
        "LoRA of rank 4, 1 and 16 on every linear layer, and of rank 4 on query and value.",
        (
            Claim(
                "Rank 4 reaches at least 95 % of what full fine-tuning gains", "rank-4/share_of_gain",
                f"as good as full fine-tuning or better (Hu et al. 2021, arXiv 2106.09685, abstract): {NO_FIGURE}",
                bound=0.95,
            ),
            Claim(
                "So does rank 1", "rank-1/share_of_gain",
                f"a rank of 1 can be enough (arXiv 2106.09685, section 7.2): {NO_FIGURE}", bound=0.95,
            ),
            Claim(
                "On every linear layer it is ahead of query and value alone", "rank-4/gold - query-and-value/gold",
                f"only on every layer it matches full fine-tuning ({QLORA}, section 4): {NO_FIGURE}",
            ),
        ),
        {"full": True},
        tables=("Every variant",),
    ),
    "adapters": Run(
        f"{METHODS}.adapters",
        "Adapters with a bottleneck of 8.",
        (
            Claim(
                "A frozen model with adapters has a higher gold score", "gold_difference",
                "within 0.4 points of full fine-tuning on GLUE with 3.6 % more parameters (Houlsby et al. 2019, arXiv "
                "1902.00751, abstract)",
            ),
        ),
    ),
    "prompt-tuning": Run(
        f"{METHODS}.prompt_tuning",
        "16, 4 and 48 soft tokens before the input of a frozen model.",
        (
            Claim(
                "16 soft tokens raise the gold score", "16-tokens/gold_difference",
                f"near full fine-tuning from 10B parameters on (Lester et al. 2021, arXiv 2104.08691): {NO_FIGURE}",
            ),
            Claim(
                "16 are ahead of 4", "16-tokens/gold - 4-tokens/gold",
                f"more tokens help up to about 20 (arXiv 2104.08691, section 3.2): {NO_FIGURE}",
            ),
        ),
        {"full": True},
        tables=("Every variant",),
    ),
    "quantise": Run(
        f"{METHODS}.quantise",
        "8 to 2 bits a weight, and what LoRA repairs.",
        (
            Claim(
                "On Gaussian weights NF4 has a smaller squared error than int4",
                "squared_error_int4 - squared_error_nf4", f"NF4 is ahead ({QLORA}, section 4): {NO_FIGURE}",
            ),
            Claim(
                "LoRA repairs at least half of what a frozen base of 2 bits costs", "share_repaired",
                f"with 4 bits all of it ({QLORA}, section 4)", bound=0.5,
                not_comparable="2 bits here, as 4 bits in blocks of 64 cost a model this small nothing",
            ),
        ),
        tables=("Blocks of 64",),
    ),
    "quantise-4-bits": Run(
        f"{METHODS}.quantise",
        "4 bits a weight with one scale a matrix, where they do cost something, and what LoRA repairs.",
        (
            Claim(
                "LoRA repairs at least half of what a frozen base of 4 bits costs", "share_repaired",
                f"all of it ({QLORA}, section 4)", bound=0.5,
            ),
        ),
        {"format": "int4", "block": 16_384},
    ),
    "seq2seq": Run(
        f"{METHODS}.seq2seq",
        "An encoder-decoder and a causal model of as many parameters on one translation.",
        (
            Claim(
                "The encoder-decoder answers more sources exactly", "exact_difference",
                f"ahead on text to text (Raffel et al. 2019, arXiv 1910.10683, section 3.2): {NO_FIGURE}",
            ),
            Claim(
                "With fewer multiplications", "flops_share",
                "twice the parameters at the cost of a decoder alone (arXiv 1910.10683, section 3.2.2)", "below", 1.0,
            ),
        ),
        tables=("512 held-out items",),
    ),
    "ghost-attention": Run(
        f"{METHODS}.ghost_attention",
        "An instruction of the first turn, asked over six turns, after training on four.",
        (
            Claim(
                "With Ghost Attention it holds more often than without", "holds - holds_without",
                f"it holds over 20 turns and more, without it is lost after a few ({LLAMA_2}, section 3.3)",
            ),
            Claim(
                "It still holds in the sixth turn, after training on four", "holds_last",
                f"beyond the turns that were trained ({LLAMA_2}, section 3.3): {NO_FIGURE}", bound=0.75,
            ),
        ),
        tables=("Share of 64 conversations that begin as asked",),
    ),
    "two-rewards": Run(
        f"{METHODS}.two_rewards",
        "A helpful and a safe reward model, and the rule that combines them.",
        (
            Claim(
                "What the rule picks is harmless more often than what helpfulness alone picks",
                "harmless_difference", f"why there are two ({LLAMA_2}, section 3.2.2): {NO_FIGURE}",
            ),
            Claim(
                "On ordinary prompts it costs less than half a point of helpfulness",
                "helpfulness_difference",
                f"helpfulness stays as safety data are added ({LLAMA_2}, section 4.2.3): {NO_FIGURE}", bound=-0.5,
            ),
        ),
        tables=("The best of 4 samples",),
    ),
    "self-instruct": Run(
        f"{METHODS}.self_instruct",
        "Tasks that the base writes, filtered at a ROUGE-L of 0.7.",
        (
            Claim(
                "After SFT on the filtered tasks more questions are answered",
                "right_filtered - right_start",
                "33 points more than GPT-3 on SuperNI (Wang et al. 2022, arXiv 2212.10560, abstract)",
            ),
            Claim(
                "Filtered tasks teach more than as many raw ones", "right_gain",
                "filtered, and what that brings is not measured (arXiv 2212.10560, section 2.2)",
                not_comparable="the source has no such figure",
            ),
        ),
        tables=("SFT on",),
    ),
}  # fmt: skip
