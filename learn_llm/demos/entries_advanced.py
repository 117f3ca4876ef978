"""Catalogue entries of the advanced questions, 35 to 50."""

from learn_llm.demos.entry import Demo, Parameter

ADVANCED = (
    Demo(
        slug="ways-of-training",
        title="One base, six ways to get answers from it",
        question=35,
        seconds=60,
        breaks="Each question gets somebody else's answer, in what is learnt, shown and asked for.",
        look_at="Prompting stands at the far left, with no trained number, and is not the worst. From prompt tuning to "
        "full fine-tuning each point stands further to the right, but not always higher.",
        try_this=(
            "--steps 15: few examples; which ways have learnt the format already?",
            "--soft-tokens 64: four times the vectors before the input.",
            "--rank 1: a quarter of LoRA's numbers.",
        ),
        parameters=(
            Parameter("steps", 60, "Training steps of each way, 32 examples each.", low=10, high=300),
            Parameter("rank", 4, "Rank of LoRA.", low=1, high=32),
            Parameter("soft_tokens", 16, "Vectors that prompt tuning puts before the input.", low=1, high=100),
            Parameter("bottleneck", 8, "Width of the adapters.", low=1, high=64),
        ),
    ),
    Demo(
        slug="sft",
        title="A base model learns to answer in a chat",
        question=36,
        seconds=60,
        breaks="The loss mask is dropped: prompt tokens carry loss, too.",
        look_at="Exact answers stay near 0 for a few dozen steps and then shoot up: the model knew the answers, what "
        "it learns is where to give them. The gradient at the prompt is 0 to the last bit.",
        try_this=(
            "--steps 40: a few thousand examples are enough to see it coming.",
            "--learning-rate 0.0001: the same curve, ten times slower.",
            "--break: the answers come all the same; what changes is what else is learnt.",
        ),
        parameters=(
            Parameter("steps", 160, "Training steps of 48 examples.", low=20, high=400),
            Parameter("learning_rate", 1e-3, "Peak of the schedule, AdamW.", low=1e-5, high=1e-2),
        ),
    ),
    Demo(
        slug="in-context-learning",
        title="A list read twice: the second time the model knows it",
        question=37,
        seconds=60,
        breaks="The second reading is another list: nothing in the context helps.",
        look_at="The line of the same list lies at the bottom. With another order or another list the base is sure of "
        "a wrong word, which costs more than not knowing. Bright cells of the map are heads that copy.",
        try_this=(
            "--length 3: shorter than any list of pretraining; is it copied all the same?",
            "--length 40: longer than any list of pretraining, which had up to 27 words.",
            "--break: with another list the base goes on expecting the old one, and pays for it.",
        ),
        parameters=(
            Parameter("length", 16, "Words of a list.", low=2, high=60),
            Parameter("lists", 96, "Lists that are read.", low=8, high=512),
        ),
    ),
    Demo(
        slug="icil",
        title="Other tasks, answered, teach a frozen model to answer",
        question=38,
        seconds=60,
        breaks="The answers are left out of every prefix: the same tasks, and nobody has filled them in.",
        look_at="Random words for inputs or outputs leave the bars where they are, and without the answers they fall "
        "to zero-shot. The paper's large models lose the gain with random outputs, too: they have learnt more from the "
        "prefix than that sheets are filled in.",
        try_this=(
            "--demonstrations 1: is one answered task enough?",
            "--prefixes 5: the mean over more draws; does the gain move?",
            "--break: eight tasks, not one answered, are no better than none.",
        ),
        parameters=(
            Parameter("demonstrations", 8, "K, tasks in the prefix.", low=1, high=8),
            Parameter(
                "prefixes",
                3,
                "How many prefixes are drawn; an arm's score on a task is the mean over them.",
                low=1,
                high=5,
            ),
            Parameter("items", 24, "Questions of each held-out task.", low=2, high=48),
        ),
    ),
    Demo(
        slug="lora",
        title="A few percent of the numbers learn nearly all of it",
        question=39,
        seconds=90,
        breaks="A starts at zero, as B does: neither factor ever gets a gradient.",
        look_at="The line rises with the rank and soon lies at the height of full fine-tuning.",
        try_this=(
            "--targets qv: queries and values only, as in the paper; a fifth of the numbers at the same rank.",
            "--learning-rate 0.001: the rate that suits full fine-tuning is too low for LoRA.",
            "--rank 16: more than 5 % of the parameters; is the score any higher?",
        ),
        parameters=(
            Parameter("rank", 4, "r, the rank of the change that the claim is about.", low=1, high=32),
            Parameter("steps", 120, "Training steps of each arm, 32 examples each.", low=10, high=200),
            Parameter(
                "learning_rate", 1e-2, "Of the changes of low rank; full fine-tuning has its own.", low=1e-5, high=0.1
            ),
            Parameter("targets", "all", "Which linear layers get a change.", choices=("all", "attention", "qv", "mlp")),
        ),
    ),
    Demo(
        slug="adapters-prompt-tuning",
        title="Vectors that are read first, and nothing else is trained",
        question=40,
        seconds=60,
        breaks="The soft tokens stay the random words that they start as.",
        look_at="The line starts at the model's own score and rises with the number of soft tokens.",
        try_this=(
            "--soft-tokens 64: does the line still rise?",
            "--learning-rate 0.001: a rate that suits weights hardly moves a vector.",
            "--steps 20: stopped early; many vectors are not learnt faster than few.",
        ),
        parameters=(
            Parameter("soft_tokens", 16, "k, how many vectors stand before the input.", low=2, high=100),
            Parameter("steps", 60, "Training steps of each arm, 32 examples each.", low=10, high=200),
            Parameter(
                "learning_rate",
                0.1,
                "Peak of the schedule; vectors want a far larger one than weights.",
                low=1e-4,
                high=1,
            ),
        ),
    ),
    Demo(
        slug="quantisation",
        title="Weights in few bits, and what repairs them",
        question=41,
        seconds=60,
        breaks="Each block of weights is read back with the scale of the block before it.",
        look_at="The loss hardly moves down to 4 bits and then jumps. In the last chart the third bar stands nearer to "
        "the fourth than to the second: LoRA has closed most of the gap.",
        try_this=(
            "--format int3: a small gap; a few dozen steps close about a third of it.",
            "--format nf4: QLoRA as published; so little is lost here that there is nothing to repair.",
            "--block 1024: fewer scales; which formats suffer?",
        ),
        parameters=(
            Parameter("format", "int2", "The frozen base of LoRA.", choices=("int8", "nf4", "int4", "int3", "int2")),
            Parameter("block", 64, "Weights that share a scale.", low=8, high=4096),
            Parameter(
                "steps",
                40,
                "Training steps of LoRA, on the quantised base and on the base as it was.",
                low=10,
                high=200,
            ),
        ),
    ),
    Demo(
        slug="reward-model",
        title="From comparisons to scores, up to the ceiling of the noise",
        question=42,
        seconds=60,
        breaks="A coin labels the pairs: there is no preference to learn, and none to predict.",
        look_at="The points of the reliability plot lie near the diagonal: where the model is 80 % sure, it is right "
        "about 80 % of the time. The ceiling itself is far from 100 %: the labels are noisy.",
        try_this=(
            "--noise 0: annotators who never err; the ceiling rises more than the model's accuracy does.",
            "--noise 1: annotators who nearly toss a coin; even a perfect model could not do much better than it.",
            "--steps 120: the live model at twice the training.",
        ),
        parameters=(
            Parameter("steps", 60, "Training steps of the model that is trained live.", low=10, high=200),
            Parameter("noise", 0.25, "How noisy the annotators are whose fresh pairs are measured on.", low=0, high=2),
            Parameter("pairs", 3072, "Fresh pairs to measure the bundled model on.", low=256, high=8192),
        ),
    ),
    Demo(
        slug="ppo",
        title="RLHF with PPO, and the signs that it is healthy",
        question=43,
        seconds=60,
        breaks="Every response gets somebody else's score.",
        look_at="Reward and gold rise together while the KL grows by a few nats; the value head starts at 0 and its "
        "explained variance climbs.",
        try_this=(
            "--kl-coef 0 --steps 25: nothing holds the policy back. The reward goes on rising, gold turns and falls.",
            "--kl-coef 2: so dear a KL keeps it where it was.",
            "--clip 0.02: most ratios are cut off, and the reward rises slowly.",
        ),
        parameters=(
            Parameter("steps", 12, "Rounds of sampling and updating.", low=3, high=25),
            Parameter("batch_size", 192, "Responses a round.", low=32, high=256),
            Parameter("kl_coef", 0.2, "β, the price of a nat of KL.", low=0, high=1),
            Parameter("clip", 0.2, "ε, how far the ratio may move in one round.", low=0.01, high=1),
        ),
    ),
    Demo(
        slug="why-rl",
        title="What a token loss cannot see, and what a judge of own samples adds",
        question=44,
        seconds=90,
        breaks="No answer is turned into its opposite, and every sample gets somebody else's score.",
        look_at="In the table yes and no change places almost for free: the wrong answer is as usual as the right one. "
        "Then three ways to go on: more imitation of people stays where it was, judged samples of its own lift it.",
        try_this=(
            "--samples 2304: twice the experience; which of PPO and the best of 4 is ahead then?",
            "--samples 384: one round of the best of 4, two of PPO, which has hardly begun.",
            "--pairs 1000: wider coverage; the shares of each kind of change hardly move.",
        ),
        parameters=(
            Parameter("pairs", 320, "Answers that are changed by a word.", low=40, high=1000),
            Parameter(
                "samples",
                1152,
                "Responses that each way of going on learns from.",
                choices=(384, 768, 1152, 2304),
            ),
        ),
    ),
    Demo(
        slug="chain-of-hindsight",
        title="Good and bad answers, told apart in words",
        question=45,
        seconds=60,
        breaks="All feedback is dealt to other answers: its words say nothing about the answer behind them.",
        look_at="In the chain the gradient is 0 under the prompt and the feedback, and only there. Of the bars compare "
        "good with bad within an arm: that gap says that the words are heeded. Both arms have one.",
        try_this=(
            "--noise 0: annotators who never err; is the gap any wider?",
            "--lam 1.5: the paper's weight; does the gap stay as wide?",
            "--feedback numbers: a grade from one to five in place of the words.",
            "--steps 20: stopped early; do the words already make a difference?",
        ),
        parameters=(
            Parameter("steps", 100, "Training steps of each arm, 16 pairs each.", low=10, high=200),
            Parameter(
                "lam", 0.0, "λ, the weight of the loss on pretraining text, which is mixed in above 0.", low=0, high=4
            ),
            Parameter("noise", 0.25, "How noisy the annotators are; 0: they never err.", low=0, high=2),
            Parameter(
                "feedback",
                "mixed",
                "What is said of an answer: good or bad, a remark in words, either of them, or a number.",
                choices=("mixed", "markers", "words", "numbers"),
            ),
        ),
    ),
    Demo(
        slug="over-optimisation",
        title="Choose harder by a proxy, and what it stands for falls",
        question=46,
        seconds=90,
        breaks="The gold score itself takes the proxy's place: there is no error to exploit.",
        look_at="The proxy's line rises to the end. Gold chosen by it turns after a few samples and falls; chosen by a "
        "reward model with eighty times as many comparisons it rises far higher before it turns, if it does.",
        try_this=(
            "--pairs 240: a quarter of the comparisons; is the proxy any worse?",
            "--pairs 1920: twice the comparisons; does gold rise higher, and turn later?",
            "--temperature 1.5: odder samples, more of which the proxy has never seen the like of.",
        ),
        parameters=(
            Parameter("pairs", 960, "Comparisons that the proxy learns from.", low=120, high=2400),
            Parameter("prompts", 64, "Prompts that are answered.", low=8, high=128),
            Parameter("temperature", 1.0, "Of the samples.", low=0.5, high=2),
        ),
    ),
    Demo(
        slug="flask",
        title="Two models with the same mean, and what it hides",
        question=48,
        seconds=90,
        breaks="One overall score takes the place of the skills, as in a leaderboard.",
        look_at="The bars of A and B cross: one is mostly right and long-winded, the other brief and polite and more "
        "often wrong. Their means are the same.",
        try_this=(
            "--best-of 1: no reward model chooses; its preferences are gone from the profile.",
            "--temperature 0.5: model A at random, too: its flaws are no longer always the commonest ones.",
            "--prompts 100: fewer questions, wider intervals; some skills have too few scores to claim anything.",
        ),
        parameters=(
            Parameter("prompts", 256, "Questions.", low=50, high=512),
            Parameter("temperature", 0.0, "Of model A; 0: always the likeliest token.", low=0, high=1.5),
            Parameter("best_of", 4, "Of how many samples of model B the reward model takes the best.", low=1, high=8),
        ),
    ),
    Demo(
        slug="kl-dpo",
        title="One best policy, and two ways to it",
        question=47,
        seconds=60,
        breaks="The reference is left out of both methods: they take it for uniform.",
        look_at="For every β three bars are alike: the formula, the policy gradient, and DPO, which sees no reward. "
        "As β grows they move towards π_ref.",
        try_this=(
            "--pairs 1000: DPO explains the pairs that it has; few pairs are few votes, and it misses the optimum.",
            "--best 8: the pairs with the best answer are nearly always won, and how much better it is gets hard to "
            "tell from them.",
            "--steps 30: stopped early, both are still on their way.",
        ),
        parameters=(
            Parameter("answers", 5, "Answers that the prompt can get.", low=2, high=10),
            Parameter("best", 2.0, "Reward of the best answer; the worst has 0.", low=0, high=10),
            Parameter("pairs", 200000, "Labelled pairs that DPO learns from.", low=100, high=500000),
            Parameter("steps", 200, "Steps of each method for each β.", low=10, high=1000),
        ),
    ),
    Demo(
        slug="self-instruct",
        title="A model writes its own exercises, and most of them go",
        question=49,
        seconds=60,
        breaks="Every task passes the filters.",
        look_at="The bars fall most steeply at the duplicates, exact and near. Right answers rise from nearly none "
        "with a few dozen of its own tasks; how far raw tasks fall behind filtered ones varies with the seed.",
        try_this=(
            "--threshold 0.5: fewer tasks, each far from the others; the model learns from very few.",
            "--temperature 0.3: the likeliest tasks again and again; the filters leave little.",
            "--break: raw data under another name.",
        ),
        parameters=(
            Parameter(
                "threshold", 0.7, "The ROUGE-L from which on two instructions are near-duplicates.", low=0.3, high=1
            ),
            Parameter("temperature", 1.0, "Of what is written.", low=0.1, high=1.5),
            Parameter("rounds", 6, "How often 32 tasks are written.", low=2, high=20),
            Parameter("steps", 24, "SFT steps on each kind of data.", low=5, high=100),
        ),
    ),
    Demo(
        slug="llama2",
        title="Llama 2, counted to the last parameter",
        question=50,
        breaks="Llama 2's choices are undone: an MLP of 4 times the width, a key-value head for every query head, no "
        "positions.",
        look_at="The line of 70B without shared heads is eight times as steep as that of 70B; with them the largest "
        "model keeps less a token than 7B does.",
        try_this=(
            "--memory 24: a consumer's graphics card. 7B fits in 16 bits, 13B only in 4.",
            "--kv-heads 1: all query heads of the small block share one key-value head; it learns all the same.",
            "--steps 60: stopped before the block has found how far back to look.",
        ),
        parameters=(
            Parameter("memory", 80.0, "Memory of the machine that serves, in GB.", low=4, high=1000),
            Parameter("steps", 200, "Training steps of the small block.", low=20, high=1000),
            Parameter(
                "kv_heads", 2, "Key-value heads of the small block, shared by its 4 query heads.", choices=(1, 2, 4)
            ),
        ),
    ),
)
