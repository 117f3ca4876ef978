"""Catalogue entries of the intermediate questions, 18 to 34."""

from learn_llm.demos.entry import Demo, Parameter

INTERMEDIATE = (
    Demo(
        slug="policy-gradient",
        title="REINFORCE finds the exact gradient, a baseline makes it quiet",
        question=24,
        breaks="The baseline looks at the action that was taken, so it no longer cancels in the mean.",
        look_at="Two clouds around the exact gradient: both are centred on it, the one with a baseline is far smaller.",
        try_this=(
            "--offset 0: rewards already centred near zero; now the baseline has little left to remove.",
            "--offset 10: a constant added to all rewards changes nothing in the problem, and ruins plain REINFORCE.",
            "--group 2: leave-one-out from a single other sample: unbiased still, and noisier.",
        ),
        parameters=(
            Parameter("samples", 40000, "Actions drawn for each estimator.", low=1000, high=200000),
            Parameter("offset", 2.0, "Constant added to all three rewards.", low=-10, high=10),
            Parameter(
                "group",
                8,
                "k: each action has the mean reward of the k - 1 others of its group as leave-one-out baseline.",
                low=2,
                high=32,
            ),
        ),
    ),
    Demo(
        slug="attention",
        title="Attention looks things up, averaging cannot",
        question=29,
        breaks="Every weight is 1/n: the scores are thrown away, so the head averages.",
        look_at="Each row of the map has one bright cell: the head found the pair that has the key it was asked for.",
        try_this=(
            "--width 4: too narrow to keep the keys apart; accuracy drops.",
            "--pairs 16: the same head looks among twice as many pairs, and chance halves.",
            "--steps 50: the lookup is not there from the start; watch it appear.",
        ),
        parameters=(
            Parameter("pairs", 8, "n: key-value pairs in each sequence.", low=2, high=16),
            Parameter("width", 32, "d: size of queries, keys and values.", low=2, high=128),
            Parameter("steps", 250, "Training steps of each of the two arms.", low=10, high=600),
        ),
    ),
    Demo(
        slug="perplexity",
        title="No model beats the entropy of its source",
        question=31,
        breaks="The training text is shuffled token by token: same frequencies, no order left to learn.",
        look_at="The loss passes the line of the best bigram model, then flattens out near the entropy of the source: "
        "the floor is in the text, not in the model.",
        try_this=(
            "--concentration 0.05: nearly deterministic text; both lines sink, and perplexity approaches 1.",
            "--concentration 2: every next token almost equally likely; there is little left to learn.",
            "--steps 60: stopped early, the model has only learned what a bigram table knows.",
        ),
        parameters=(
            Parameter("vocabulary", 8, "V: different tokens of the source.", low=2, high=16),
            Parameter(
                "concentration",
                0.3,
                "Dirichlet concentration of the next-token distributions; small is predictable.",
                low=0.05,
                high=2,
            ),
            Parameter("steps", 160, "Training steps.", low=20, high=400),
        ),
    ),
    Demo(
        slug="kv-cache",
        title="The KV cache: same logits, no work done twice",
        question=33,
        breaks="The cache is switched off in the cached arm: every token runs the whole text again.",
        look_at="The line without a cache climbs with the length, the line with it stays flat.",
        try_this=(
            "--layers 6: both lines rise together; what they do with the length stays.",
            "--kv-heads 1: all query heads share one key-value head: an eighth of the cache memory, see the table.",
            "--width 64: so small a model spends its time on overhead, and the steep line gets flatter.",
        ),
        parameters=(
            Parameter("width", 256, "Hidden size of the model.", choices=(64, 128, 256)),
            Parameter("layers", 2, "Layers of the model.", low=1, high=6),
            Parameter("kv_heads", 8, "Key-value heads, shared by the 8 query heads.", choices=(1, 2, 4, 8)),
            Parameter("rounds", 9, "Times that every measurement is taken; the median counts.", low=3, high=30),
        ),
    ),
)
