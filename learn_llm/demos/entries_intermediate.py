"""Catalogue entries of the intermediate questions, 18 to 34."""

from learn_llm.demos.entry import Demo, Parameter

INTERMEDIATE = (
    Demo(
        slug="cnn-vs-mlp",
        title="A CNN knows a shape wherever it stands, an MLP only where it has seen it",
        question=18,
        breaks="The pixels are scrambled, in the same way in all images: neighbours are no longer neighbours.",
        look_at="On the trained columns all three are good; to the right of them only the pooled CNN stays up.",
        try_this=(
            "--trained 5: five columns of six are trained on, and in the sixth the MLP still guesses.",
            "--noise 0.6: filters as small as 3 x 3 average over few pixels, so noise hurts the CNN too.",
            "--hidden 128: four times the units, and no reason yet to treat the unseen places alike.",
        ),
        parameters=(
            Parameter("steps", 250, "Training steps of each network.", low=20, high=1000),
            Parameter(
                "trained",
                2,
                "Columns of places, of 6, that shapes stand in during training; tested is on the others.",
                low=1,
                high=5,
            ),
            Parameter("noise", 0.3, "Standard deviation of the noise on every pixel.", low=0, high=1),
            Parameter("hidden", 32, "Hidden units of the MLP.", choices=(16, 32, 64, 128)),
        ),
    ),
    Demo(
        slug="vanishing-gradients",
        title="A recurrence multiplies the gradient away, a gated cell keeps it",
        question=19,
        breaks="The LSTM's forget gate starts closed, at bias -2: the cell forgets nearly everything at each step.",
        look_at="The linear recurrences are straight lines with slope log ρ, one down and one up; tanh falls faster; "
        "the line of the LSTM stays up.",
        try_this=(
            "--forget-bias 0: f is a half, and the cell forgets faster than the plain recurrence.",
            "--forget-bias 1: the usual start; better, but over 50 steps a gate of 0.73 is not enough either.",
            "--radius 0.98: closer to 1 the recurrence keeps enough by itself, and the claim about 100 times fails.",
        ),
        parameters=(
            Parameter(
                "radius",
                0.9,
                "ρ: spectral radius of the recurrent matrix that makes gradients vanish.",
                low=0.5,
                high=0.99,
            ),
            Parameter("forget_bias", 5.0, "Bias of the LSTM's forget gate; 5 means f = 0.993.", low=-5, high=10),
        ),
    ),
    Demo(
        slug="optimisers",
        title="Momentum takes the square root of the steps, Adam does not ask how large the gradient is",
        question=20,
        breaks="The memory is gone: β = 0 for momentum, and Adam no longer corrects its averages for their start.",
        look_at="Gradient descent creeps down a straight line, momentum is many times as steep. In the second chart "
        "the plateau is Adam's first step; TensorFlow's ε ends it at larger gradients than PyTorch's.",
        try_this=(
            "--condition 1000: ten times the condition number: ten times the steps for one, about three for the other.",
            "--condition 4: in a round bowl momentum has little to gain, and the claim fails.",
            "--beta 0.99: too much memory; the ball rolls past the minimum again and again.",
        ),
        parameters=(
            Parameter("condition", 100.0, "κ: the largest curvature of the bowl over the smallest.", low=2, high=2000),
            Parameter("beta", -1.0, "β of momentum; -1 takes the best for this κ.", low=-1, high=0.995),
        ),
    ),
    Demo(
        slug="normalisation",
        title="Without a norm every layer doubles the variance",
        question=21,
        breaks="The pre-norm stack loses its norm, so that it is the stack without one.",
        look_at="Without a norm the line is straight on the log scale: doubling. With pre-norm it bends: it grows "
        "linearly.",
        try_this=(
            "--layers 96: 2 to the power 96 without a norm, about 97 with pre-norm.",
            "--gain 0.1: small branches are what good initialisations use; here growth stays small without a norm too.",
            "--width 16: few features make the statistics of a token noisy.",
        ),
        parameters=(
            Parameter("layers", 24, "Layers of the stacks.", low=5, high=100),
            Parameter("width", 128, "Features of a token.", choices=(16, 64, 128, 256)),
            Parameter("gain", 1.0, "Factor on what every branch gives; 1 keeps the variance.", low=0.01, high=2),
        ),
    ),
    Demo(
        slug="q-learning",
        title="Learning from single steps what value iteration knows",
        question=22,
        breaks="The target is the reward alone, without γ·max Q of the next state: the learner has no future.",
        look_at="The arrows all lead to the goal and around the pits, although no step was ever explained; the values "
        "fade by γ with every step away from the goal.",
        try_this=(
            "--slip 0.1: in a world of chance near-ties decide a few states, and more episodes are needed.",
            "--epsilon 0.02: hardly any exploring; from random starts it still learns, but slowly.",
            "--gamma 0.5: a short-sighted learner; far from the goal the values are too close to zero to tell apart.",
        ),
        parameters=(
            Parameter("episodes", 12000, "Episodes of the learner, each from a random state.", low=100, high=60000),
            Parameter("gamma", 0.9, "γ: what a reward one step later is worth.", low=0, high=0.99),
            Parameter("epsilon", 0.5, "ε: share of the learner's actions that are drawn at random.", low=0, high=1),
            Parameter("slip", 0.0, "Probability that a move goes sideways, half to each side.", low=0, high=0.5),
        ),
    ),
    Demo(
        slug="bandits",
        title="Whoever never explores gets stuck, whoever never stops exploring keeps paying",
        question=23,
        breaks="UCB has no bonus and Thompson does not draw: both only exploit, and some runs lock in on a wrong arm.",
        look_at="The regret of UCB and Thompson bends over; that of ε-greedy goes on in a straight line.",
        try_this=(
            "--epsilon 0.02: five times less exploring; cheaper for long, but still a straight line in the end.",
            "--rounds 1000: in a short run UCB1 is the worst of the three, its bonus is cautious.",
            "--gap 0.05: arms that are hard to tell apart cost longer, but less each time.",
        ),
        parameters=(
            Parameter("rounds", 10000, "T: plays in every run.", low=100, high=20000),
            Parameter("epsilon", 0.1, "ε: share of random plays of ε-greedy.", low=0, high=1),
            Parameter(
                "gap",
                0.2,
                "How much less the second-best arm pays on average than the best one (0.7).",
                low=0.02,
                high=0.5,
            ),
        ),
    ),
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
        slug="generative-vs-discriminative",
        title="An assumption is worth many examples, until it is the only error left",
        question=25,
        breaks="In place of naive Bayes a Gaussian with a full covariance for each class: nothing is assumed, all is "
        "estimated.",
        look_at="Left, with few examples, naive Bayes is ahead in both worlds. Right, where its assumption is false, "
        "its curve stays flat while the others pass it.",
        try_this=(
            "--shared 0.6: the more the features are correlated, the more the false assumption costs.",
            "--shared 0: two worlds alike; naive Bayes never loses, and the claim about the second one fails.",
            "--features 40: twice the weights to find: every curve needs more examples to come down.",
        ),
        parameters=(
            Parameter("features", 20, "d: numbers in an input.", low=2, high=40),
            Parameter(
                "distance",
                2.0,
                "Distance between the means of the two classes, in standard deviations of the independent world.",
                low=0.5,
                high=5,
            ),
            Parameter(
                "shared", 0.3, "Correlation among the first half of the features in the second world.", low=0, high=0.95
            ),
            Parameter("repeats", 40, "Training sets drawn for every size.", low=5, high=100),
        ),
    ),
    Demo(
        slug="transfer-learning",
        title="A base learns a dialect in a few steps, and begins to forget its own language",
        question=26,
        breaks="The numbers within every weight matrix of the base are shuffled: nothing is left to transfer.",
        look_at="On the dialect the tuned base falls from the first step and stays below the new model. On the old "
        "text its line goes the other way: up.",
        try_this=(
            "--replay 0.5: half of every batch is old text; the dialect is still learnt, and little is forgotten.",
            "--words 30: nothing sounds as it did; at first the base is worse off than a model that knows nothing.",
            "--learning-rate 0.0003: small steps forget less, and learn less in the same time.",
        ),
        parameters=(
            Parameter("steps", 16, "Training steps of each of the two models.", low=6, high=120),
            Parameter("words", 6, "Common words that the dialect says in another way.", low=1, high=100),
            Parameter("learning_rate", 3e-3, "Peak of the schedule of both models, AdamW.", low=1e-5, high=1e-2),
            Parameter("replay", 0.0, "Share of each batch that is old text.", low=0, high=0.9),
        ),
    ),
    Demo(
        slug="tokenisation",
        title="Byte-pair encoding: nothing is lost, and nothing gets longer",
        question=27,
        breaks="The vocabulary starts from the bytes seen in training instead of all 256; the others are unknown.",
        look_at="The curve falls steeply, then flattens: later pairs are rarer. The same sentence costs far more "
        "tokens a character in Japanese, which the training text hardly has.",
        try_this=(
            "--merges 1500: the last merges are whole words of this package, and buy little.",
            "--merges 20: the first pairs; most are ends of English words and the indents of Python.",
            "--kilobytes 10: learnt from little text; unseen text shrinks less than seen.",
        ),
        parameters=(
            Parameter("merges", 400, "Merges that are learnt; the vocabulary has 256 more tokens.", low=10, high=2000),
            Parameter("kilobytes", 150, "Size of the training text.", low=5, high=400),
        ),
    ),
    Demo(
        slug="embeddings",
        title="Words are known by the company they keep",
        question=28,
        breaks="The words of the corpus are shuffled: the same words as often, in no company.",
        look_at="In the map the three forms stand apart, each family shifted alike: that offset is the analogy. The "
        "shuffled corpus stays at chance however much is read.",
        try_this=(
            "--dimensions 12: fewer directions keep what words share, not what is private to each; the score rises.",
            "--dimensions 2: two numbers a word cannot hold eight families and three forms.",
            "--noise 0.8: hardly any company left; the analogies fade.",
            "--sentences 500: rare pairs have counts of 0 and 1, and PMI takes them at their word.",
        ),
        parameters=(
            Parameter("sentences", 6000, "Sentences of the corpus.", low=100, high=20000),
            Parameter("dimensions", 30, "d: numbers in a vector.", low=1, high=60),
            Parameter("noise", 0.2, "Share of the words around an animal that belong to another one.", low=0, high=1),
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
        slug="transformer-masks-positions",
        title="The mask keeps the future out, positions bring the order in",
        question=30,
        breaks="The mask is dropped: every position sees the future too.",
        look_at="In the map everything below the diagonal is empty: an edit changes nothing before it. In the order "
        "task a single layer without positions guesses; a mask helps it only from the second layer on.",
        try_this=(
            "--break: the map fills; a model like that would learn to copy the next token from its input.",
            "--length 16: a longer search for A and B; RoPE still finds the order, more slowly.",
            "--steps 40: before anything is learnt all arms guess.",
        ),
        parameters=(
            Parameter("length", 8, "Tokens of a sequence in the order task, before the one that asks.", low=2, high=24),
            Parameter("steps", 150, "Training steps of every arm.", low=10, high=600),
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
            Parameter("steps", 100, "Training steps.", low=20, high=400),
        ),
    ),
    Demo(
        slug="decoding",
        title="One model, many texts: what is drawn from a distribution",
        question=32,
        breaks="Top-p does not cut: it draws from the whole distribution.",
        look_at="As T rises the texts repeat less and break the language more. Greedy runs in a circle. Top-p keeps "
        "diversity near that of T = 1 and quality near that of the cold end.",
        try_this=(
            "--p 0.5: a small nucleus: often a single word, and nearly greedy.",
            "--p 0.99: the nucleus takes in the tail, and with it words that the language does not allow.",
            "--k 10: a fixed number is too many where only two words may follow.",
        ),
        parameters=(
            Parameter("p", 0.9, "Probability that the nucleus of top-p reaches.", low=0.05, high=1),
            Parameter("k", 3, "Words that top-k keeps.", low=1, high=28),
            Parameter("draws", 5000, "Words drawn to see whether top-p ever leaves the nucleus.", low=100, high=50000),
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
            Parameter("rounds", 9, "Times that every measurement is taken; the fastest counts.", low=3, high=30),
        ),
    ),
    Demo(
        slug="scaling-laws",
        title="Five small models predict the sixth",
        question=34,
        breaks="All directions of the data matter equally, so that a larger model has nothing to resolve first.",
        look_at="The measured loss bends towards its floor; the law with a floor bends along, the pure power law runs "
        "straight on and misses the last point.",
        try_this=(
            "--spectrum 0.3: many directions that still matter; far above its floor the loss hardly shows where it is.",
            "--floor 0.5: most of the loss cannot be removed, whatever the size.",
            "--draws 5: fewer models of each size; the fitted floor wobbles first.",
        ),
        parameters=(
            Parameter("spectrum", 0.8, "a: the k-th direction of the data has the variance k^(-1-a).", low=0.1, high=2),
            Parameter("floor", 0.1, "E: variance of the noise, where the signal has 1.", low=0, high=1),
            Parameter("draws", 16, "Models of each size; their mean loss is fitted.", low=5, high=50),
        ),
    ),
)
