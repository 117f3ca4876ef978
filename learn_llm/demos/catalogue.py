"""What there is to know about a demo before it runs: title, parameters with their ranges, what to look at, what to try.

The app and the command line read this table without importing NumPy or torch.  The ranges here are the only ones: each
demo's Config checks itself with `check`, and a test holds names, defaults and meanings equal to the Config's fields.
Every demo also has `--seed`, and `--break`, which removes the cause of what is shown: then the claim must fail.
"""

from dataclasses import dataclass

from learn_llm.errors import UserError


@dataclass(frozen=True)
class Parameter:
    """An option worth playing with.  Numbers have `low` and `high` (both allowed), words have `choices`, switches neither."""

    name: str
    default: int | float | str | bool
    meaning: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def fault(self, value: object) -> str | None:
        """What is wrong with `value`, as a line for the reader; None where it is allowed.

        >>> Parameter("points", 500, "Points drawn.", low=50, high=2000).fault(9)
        '--points must be between 50 and 2000, not 9'
        """
        flag = "--" + self.name.replace("_", "-")
        if self.choices and value not in self.choices:
            return f"{flag} must be one of {', '.join(self.choices)}, not {value!r}"
        if self.low is not None and self.high is not None:
            in_range = isinstance(value, (int, float)) and self.low <= value <= self.high
            return None if in_range else f"{flag} must be between {self.low:g} and {self.high:g}, not {value}"
        return None


@dataclass(frozen=True)
class Demo:
    """One question's demo, as shown before it runs."""

    slug: str
    title: str
    question: int
    """Its number among the 50."""
    breaks: str
    """What `--break` takes away, as a sentence."""
    look_at: str
    try_this: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    seconds: float = 10
    """The time limit on 2 CPU cores, imports included; most need less than half of it."""

    @property
    def module(self) -> str:
        """The file's name: `python -m learn_llm.demos.MODULE`."""
        return self.slug.replace("-", "_")


SLUGS: tuple[str, ...] = (
    "what-is-ai",
    "preprocessing",
    "activations",
    "learning-paradigms",
    "curse-of-dimensionality",
    "search",
    "bias-variance",
    "regularisation",
    "gradient-descent",
    "backpropagation",
    "loss-functions",
    "imbalanced-metrics",
    "cross-validation",
    "ensembles",
    "clustering-pca",
    "bayesian-networks",
    "explainability-fairness",
    "cnn-vs-mlp",
    "vanishing-gradients",
    "optimisers",
    "normalisation",
    "q-learning",
    "bandits",
    "policy-gradient",
    "generative-vs-discriminative",
    "transfer-learning",
    "tokenisation",
    "embeddings",
    "attention",
    "transformer-masks-positions",
    "perplexity",
    "decoding",
    "kv-cache",
    "scaling-laws",
    "ways-of-training",
    "sft",
    "in-context-learning",
    "icil",
    "lora",
    "adapters-prompt-tuning",
    "quantisation",
    "reward-model",
    "ppo",
    "why-rl",
    "chain-of-hindsight",
    "over-optimisation",
    "kl-dpo",
    "flask",
    "self-instruct",
    "llama2",
)
"""The slugs of all 50 questions in their order: question n is `SLUGS[n - 1]`."""

_BUILT = (
    Demo(
        slug="curse-of-dimensionality",
        title="Distances lose their meaning as dimensions are added",
        question=5,
        breaks="The extra columns carry nothing new: they are mixtures of the first two, so the data stay a flat sheet.",
        look_at="The contrast falls along a straight line in log-log, slope about -1/2 to the right; accuracy drifts "
        "to a coin flip although the two columns that decide the label never leave the data.",
        try_this=(
            "--points 2000: four times the data shifts the curve by a little. The curse is not bought off with points.",
            "--neighbours 25: averaging more neighbours helps against noise columns, until it does not.",
            "--break: a thousand columns of rank 2. What counts is the intrinsic dimension, not the number of columns.",
        ),
        parameters=(
            Parameter("points", 500, "Points drawn, for training and again for testing.", low=50, high=2000),
            Parameter("neighbours", 5, "k of the k-nearest-neighbours vote.", low=1, high=49),
        ),
    ),
    Demo(
        slug="search",
        title="Six ways through a muddy maze",
        question=6,
        breaks="The heuristic of A* overestimates ten times, so it is no longer admissible.",
        look_at="A* pays what uniform-cost search pays and expands fewer cells; breadth-first takes the fewest steps, "
        "straight through the mud.",
        try_this=(
            "--weight 2: weighted A* expands less, and its cost is at most twice the optimum.",
            "--weight 0: without a heuristic A* is uniform-cost search.",
            "--mud 0.5: the more mud, the more h underestimates, and the less A* saves over uniform-cost search.",
            "--mud 0: every step costs the same, so breadth-first pays the optimum too, and the claim about it fails.",
        ),
        parameters=(
            Parameter("rows", 15, "Height of the mazes in cells, walls included.", low=7, high=41),
            Parameter("columns", 35, "Width of the mazes in cells, walls included.", low=7, high=61),
            Parameter("mud", 0.15, "Share of the open cells that are muddy: entering one costs 5 instead of 1.", low=0, high=1),
            Parameter("loops", 0.6, "Share of the inner walls knocked out, so that there is more than one way.", low=0, high=1),
            Parameter("weight", 1.0, "A* orders by g + weight·h; above 1 it may miss the optimum.", low=0, high=10),
            Parameter("mazes", 20, "Mazes searched; the first one is drawn.", low=1, high=40),
        ),
    ),
    Demo(
        slug="backpropagation",
        title="Backpropagation in sixty lines, checked twice",
        question=10,
        breaks="A gradient that arrives a second time overwrites the first instead of being added to it.",
        look_at="Every bar is near the limit of double precision. Under --break exactly those expressions are wrong "
        "in which a value is used twice.",
        try_this=(
            "--hidden 16: more parameters, the same two passes: the cost of a gradient is that of a few evaluations.",
            "--step-size 5: too long a step, and the loss of the small network jumps.",
            "--break: the bars of 'a used twice' and of the network shoot up; the plain operations stay right.",
        ),
        parameters=(
            Parameter("hidden", 6, "Hidden units of the small network that is trained.", low=1, high=16),
            Parameter("steps", 40, "Steps of gradient descent on the small network.", low=1, high=100),
            Parameter("step_size", 1.0, "Learning rate of the small network.", low=0.01, high=10),
        ),
    ),
    Demo(
        slug="policy-gradient",
        title="REINFORCE finds the exact gradient, a baseline makes it quiet",
        question=24,
        breaks="The baseline looks at the action that was taken, so it no longer cancels in the mean.",
        look_at="Three clouds around one cross: all are centred on the exact gradient, the ones with a baseline are much smaller.",
        try_this=(
            "--offset 0: rewards already centred near zero; now the baseline has little left to remove.",
            "--offset 10: a constant added to all rewards changes nothing about the problem, and ruins plain REINFORCE.",
            "--group 2: leave-one-out from a single other sample: unbiased still, and noisier.",
        ),
        parameters=(
            Parameter("samples", 40000, "Actions drawn for each estimator.", low=1000, high=200000),
            Parameter("offset", 2.0, "Constant added to all three rewards.", low=-10, high=10),
            Parameter("group", 8, "Actions of one group: each has the mean reward of the others as leave-one-out baseline.", low=2, high=32),
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
            Parameter("pairs", 8, "Key-value pairs in each sequence.", low=2, high=16),
            Parameter("width", 32, "Size of queries, keys and values.", low=2, high=128),
            Parameter("steps", 300, "Training steps of each of the two arms.", low=10, high=600),
        ),
    ),
    Demo(
        slug="perplexity",
        title="No model beats the entropy of its source",
        question=31,
        breaks="The training text is shuffled token by token: same frequencies, no order left to learn.",
        look_at="The loss passes the line of the best bigram model, then flattens out on the line of the source's entropy: "
        "the floor is in the text, not in the model.",
        try_this=(
            "--concentration 0.05: nearly deterministic text; both lines sink, and perplexity approaches 1.",
            "--concentration 2: every next token almost equally likely; there is little left to learn.",
            "--steps 60: stopped early, the model has only learned what a bigram table knows.",
        ),
        parameters=(
            Parameter("vocabulary", 8, "Different tokens of the source.", low=2, high=16),
            Parameter("concentration", 0.3, "Dirichlet concentration of the next-token distributions; small is predictable.", low=0.05, high=2),
            Parameter("steps", 200, "Training steps.", low=20, high=400),
        ),
    ),
    Demo(
        slug="kv-cache",
        title="The KV cache: same logits, no work done twice",
        question=33,
        breaks="The cache is switched off in the cached arm: every token runs the whole text again.",
        look_at="The line without a cache climbs with the length, the line with it stays flat.",
        try_this=(
            "--layers 8: both lines rise together; their ratio stays.",
            "--kv-heads 1: grouped-query attention: an eighth of the cache memory, see the table.",
        ),
        parameters=(
            Parameter("width", 256, "Hidden size; a multiple of 16.", low=64, high=512),
            Parameter("layers", 4, "Layers of the model.", low=1, high=8),
            Parameter("kv_heads", 8, "Key and value heads shared by the 8 query heads: 1, 2, 4 or 8.", low=1, high=8),
            Parameter("rounds", 7, "Repetitions; the median counts.", low=3, high=30),
        ),
    ),
)

DEMOS: dict[str, Demo] = {demo.slug: demo for demo in _BUILT}
"""The demos that exist, by slug."""


def is_built(slug: str) -> bool:
    """Whether this question's demo exists.  UserError where no question has this slug."""
    if slug not in SLUGS:
        raise UserError(f"no question is called {slug!r}; `learn-llm questions` lists all {len(SLUGS)}")
    return slug in DEMOS


def check(slug: str, config: object) -> None:
    """Hold a demo's Config to the ranges of its catalogue entry: UserError naming the option and its range."""
    for parameter in DEMOS[slug].parameters:
        fault = parameter.fault(getattr(config, parameter.name))
        if fault:
            raise UserError(f"{fault} ({parameter.meaning})")
