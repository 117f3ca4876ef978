"""Catalogue entries of the basic questions, 1 to 17."""

from learn_llm.demos.entry import Demo, Parameter

BASIC = (
    Demo(
        slug="what-is-ai",
        title="Rules, search and learning at the same game",
        question=1,
        breaks="Final positions are worth what a coin says, so there is no goal that a move could serve.",
        look_at="Minimax has no lost game before it has played one. The learner starts like a random player and ends "
        "with few lost games, told nothing but results. The rules lose to forks, which they do not see coming.",
        try_this=(
            "--games 100: so few games tell the learner little; search needs none at all.",
            "--explore 0: it never tries a move on purpose and still learns: this opponent brings it to new positions.",
            "--alpha 1: each game overwrites what the games before it have taught.",
        ),
        parameters=(
            Parameter("games", 6000, "Games from which the learner learns, all against the rules.", low=10, high=20000),
            Parameter("alpha", 0.2, "α: how far a value moves towards that of the next position.", low=0, high=1),
            Parameter("explore", 0.1, "Share of the learner's training moves that are drawn at random.", low=0, high=1),
        ),
    ),
    Demo(
        slug="preprocessing",
        title="What imputing and standardising are worth",
        question=2,
        breaks="Every column is recorded on one scale, around 0 and without gaps, so there is nothing to repair.",
        look_at="The wide column decides every distance until it is standardised. Peeking at the test rows hardly "
        "moves the accuracy; the check finds it all the same, by what depends on what.",
        try_this=(
            "--scale 1: without a wide column imputing alone does the work.",
            "--missing 0.4: the more is missing, the less the median can repair.",
            "--missing 0: then standardising alone does it.",
        ),
        parameters=(
            Parameter(
                "scale",
                1000.0,
                "What the first column is multiplied with, as if it were recorded in a smaller unit.",
                low=0.001,
                high=100000,
            ),
            Parameter("missing", 0.1, "Share of the cells that are missing.", low=0, high=0.6),
            Parameter("points", 200, "Training rows, and as many for testing.", low=40, high=1000),
            Parameter("rounds", 12, "Data sets drawn; accuracies are means over them.", low=5, high=50),
        ),
    ),
    Demo(
        slug="activations",
        title="XOR with and without a bend",
        question=3,
        breaks="Every activation is the identity, so the bend between the layers is gone.",
        look_at="The map of the identity has one straight edge or none; that of ReLU folds around two corners. The "
        "identity network is written out as the one matrix that it is.",
        try_this=(
            "--hidden 64: width does not help the identity.",
            "--hidden 2: just enough for ReLU by hand, often too few to be found by descent.",
            "--steps 5000: more steps do not help the identity either; sigmoid catches up.",
        ),
        parameters=(
            Parameter("hidden", 16, "Hidden units.", low=1, high=64),
            Parameter("steps", 1000, "Steps of gradient descent.", low=20, high=5000),
            Parameter("step_size", 1.0, "Learning rate.", low=0.001, high=2),
        ),
    ),
    Demo(
        slug="learning-paradigms",
        title="The same points, three signals",
        question=4,
        breaks="The labels are shuffled, and with them the rewards, so neither says anything about the points.",
        look_at="The supervised learner is there after a handful of points, the rewarded one later: it is told less "
        "per point. k-means finds the same groups without being told anything, but does not know their names.",
        try_this=(
            "--spread 2.5: blobs that overlap; k-means suffers first, labels and rewards still help.",
            "--step-size 0.0001: an answer is only which score is highest; on blobs this clear tiny steps do.",
            "--break: k-means does not notice that the labels are wrong. It never saw one.",
        ),
        parameters=(
            Parameter("points", 2000, "Points in each stream.", low=300, high=5000),
            Parameter("spread", 1.0, "Standard deviation of each blob; the centres are 6.9 apart.", low=0.1, high=5),
            Parameter("step_size", 0.02, "η of the supervised and of the rewarded learner.", low=0.0001, high=1),
        ),
    ),
    Demo(
        slug="curse-of-dimensionality",
        title="Distances lose their meaning as dimensions are added",
        question=5,
        breaks="The extra columns carry nothing new: they are mixtures of the first two, so the data stay flat.",
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
            Parameter("columns", 37, "Width of the mazes in cells, walls included.", low=7, high=61),
            Parameter(
                "mud", 0.15, "Share of the open cells that are muddy: entering one costs 5 instead of 1.", low=0, high=1
            ),
            Parameter(
                "loops", 0.6, "Share of the inner walls knocked out, so that there is more than one way.", low=0, high=1
            ),
            Parameter("weight", 1.0, "A* orders by g + weight·h; above 1 it may miss the optimum.", low=0, high=10),
            Parameter("mazes", 20, "Mazes searched; the first one is drawn.", low=1, high=40),
        ),
    ),
    Demo(
        slug="bias-variance",
        title="The test error, taken apart",
        question=7,
        breaks="The labels have no noise, so every training set is the same and there is nothing to overfit.",
        look_at="Bias falls and variance rises with the degree; their sum and the noise make the U of the test error. "
        "The training error goes down all the way and warns of nothing.",
        try_this=(
            "--points 100: five times the data flattens the right arm: variance is what data cure.",
            "--noise 1: under so much noise a straight line is hardly worse than the best degree.",
            "--noise 0.05: with little noise the best degree moves to the right.",
        ),
        parameters=(
            Parameter("points", 20, "Training points, evenly spaced.", low=17, high=500),
            Parameter("resamples", 200, "Training sets drawn.", low=20, high=1000),
            Parameter("noise", 0.3, "σ: standard deviation of the noise in the labels.", low=0, high=3),
        ),
    ),
    Demo(
        slug="regularisation",
        title="Thirty features, five of them real",
        question=8,
        breaks="Every penalty is 0, so lasso, ridge and dropout are all plain least squares.",
        look_at="From right to left the real weights leave zero one by one, long before the largest fake one. Ridge "
        "shrinks everything, keeps everything, and still beats least squares.",
        try_this=(
            "--points 40: hardly more rows than features; least squares falls apart, the penalties do not.",
            "--points 1000: with enough rows a penalty has little left to do.",
            "--noise 6: real features drown, and the lasso starts to lose them.",
        ),
        parameters=(
            Parameter("points", 50, "Training rows; there are 30 features.", low=40, high=1000),
            Parameter("rounds", 8, "Data sets drawn; all shares and errors are means over them.", low=5, high=30),
            Parameter(
                "noise", 2.0, "Standard deviation of the noise; the real weights are 1 to 2 in size.", low=0.1, high=10
            ),
        ),
    ),
    Demo(
        slug="gradient-descent",
        title="One per cent around the limit",
        question=9,
        breaks="The limit is computed from the flattest direction instead of the steepest, so every rate is too large.",
        look_at="Two rates that differ by one per cent: one curve goes down, the other up. The small rate is safe and "
        "far behind; the best one is between them.",
        try_this=(
            "--kappa 1000 --steps 2000: a narrow valley. The limit stays, but the flattest direction crawls.",
            "--kappa 2: a round bowl; the best rate is there within a few steps.",
            "--noise 0: without noise there is no cloud, and a decaying rate only slows down.",
        ),
        parameters=(
            Parameter(
                "kappa",
                10.0,
                "κ = λmax/λmin: how much steeper the steepest direction is than the flattest.",
                low=1.5,
                high=10000,
            ),
            Parameter("steps", 500, "Steps of each run.", low=50, high=5000),
            Parameter(
                "noise", 1.0, "Standard deviation of the noise in each number of a mini-batch gradient.", low=0, high=10
            ),
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
        slug="loss-functions",
        title="A unit that is sure and wrong",
        question=11,
        breaks="The unit starts undecided, at p = 0.5, where the sigmoid is not saturated.",
        look_at="Squared error stays flat for a long time although the unit is as wrong as it can be, then drops all "
        "at once; cross-entropy goes down from the first step.",
        try_this=(
            "--wrong 4: less sure of itself, the unit gets out sooner; the gap is smaller.",
            "--wrong 12: squared error does not get out within the steps it has.",
            "--step-size 1: a larger step helps squared error a little; the factor p(1 - p) stays.",
        ),
        parameters=(
            Parameter(
                "wrong",
                8.0,
                "How wrong the unit is at the start: the mean logit of the wrong class; 8 is p = 0.0003 for the right "
                "one.",
                low=0,
                high=30,
            ),
            Parameter("step_size", 0.1, "Learning rate of both.", low=0.01, high=100),
            Parameter("steps", 20000, "Most steps for each.", low=100, high=50000),
        ),
    ),
    Demo(
        slug="imbalanced-metrics",
        title="Ninety-nine per cent right and nobody found",
        question=12,
        breaks="Half of the cases are positive, so the classes are balanced.",
        look_at="The ROC curve hugs the corner, the precision-recall curve of the same scores does not: most alarms "
        "are false. The cheapest threshold is far below 0.5.",
        try_this=(
            "--share 0.2: the ROC curve stays as it is, the other one rises.",
            "--separation 0: useless scores; the AUC is 0.5, the average precision the share of positives.",
            "--cases 1000: ten positives; look how coarse every number becomes.",
        ),
        parameters=(
            Parameter("cases", 10000, "Cases.", low=200, high=100000),
            Parameter("share", 0.01, "Share of the cases that are positive.", low=0.01, high=0.5),
            Parameter(
                "separation",
                2.0,
                "How far the scores of positives lie above those of negatives, in standard deviations.",
                low=0,
                high=6,
            ),
        ),
    ),
    Demo(
        slug="cross-validation",
        title="Predicting coin flips, the wrong way and the right way",
        question=13,
        breaks="The selection outside looks at other coin flips instead of the labels, so nothing leaks.",
        look_at="Two histograms of the same cross-validation on the same noise; all that differs is where the features "
        "were selected.",
        try_this=(
            "--features 50: with few features to choose from chance has less to offer.",
            "--rows 400: with many rows chance correlations are small; the leak is still worth twenty points.",
            "--keep 2: two lucky features already look good.",
        ),
        parameters=(
            Parameter("rows", 50, "Rows of each data set.", low=20, high=500),
            Parameter("features", 5000, "Features, all of them noise.", low=25, high=10000),
            Parameter("keep", 20, "Features that are selected.", low=1, high=25),
            Parameter("folds", 5, "Folds.", low=2, high=20),
            Parameter("rounds", 40, "Data sets drawn.", low=5, high=100),
        ),
    ),
    Demo(
        slug="ensembles",
        title="One tree, many trees, one tree after the other",
        question=14,
        breaks="Every tree gets the same rows and all features, so all trees are the same tree.",
        look_at="The vote errs less with every tree, then stays: the floor is the correlation of the trees, lower in "
        "the forest than in bagging. AdaBoost's training error goes to zero and its test error does not.",
        try_this=(
            "--choose 1: questions by lot decorrelate the trees most and make each of them worse.",
            "--rows 40: fewer rows, worse trees; the vote still beats each of them.",
            "--rounds 10: too few rounds to bring AdaBoost's training error to zero.",
        ),
        parameters=(
            Parameter("rows", 100, "Training rows.", low=30, high=200),
            Parameter("trees", 20, "B: trees in the forest.", low=4, high=40),
            Parameter(
                "choose",
                3,
                "Features among which each question of a forest's tree may choose, of 10.",
                low=1,
                high=10,
            ),
            Parameter("rounds", 60, "Trees of AdaBoost, each of depth 2.", low=5, high=200),
            Parameter("training_sets", 16, "Training sets drawn, to measure variances.", low=5, high=30),
        ),
    ),
    Demo(
        slug="clustering-pca",
        title="Prototypes and directions",
        question=15,
        breaks="The mean is left out: centroids move to a random one of their points, and PCA does not centre.",
        look_at="The elbow is where k is the number of blobs; random starts stay above k-means++ there, stuck in local "
        "minima. The scree has three high bars: the blobs lie in three of the six dimensions.",
        try_this=(
            "--spread 3: the blobs melt into one another and the elbow is gone; k-means still returns k groups.",
            "--blobs 2: k beyond 2 cuts round blobs into pieces; look how little that gains.",
            "--break: the inertia goes up and down, and the error of PCA is not the tail any more.",
        ),
        parameters=(
            Parameter("blobs", 6, "Blobs in the data.", low=1, high=12),
            Parameter("points", 300, "Points drawn.", low=50, high=1000),
            Parameter("spread", 0.5, "Standard deviation of each blob in each of the 6 dimensions.", low=0.01, high=10),
            Parameter("starts", 20, "Starts of each kind for each k.", low=5, high=50),
        ),
    ),
    Demo(
        slug="bayesian-networks",
        title="Rain, sprinkler, wet grass",
        question=16,
        breaks="The evidence says nothing about its causes: all weights are 1 and Gibbs leaves out the children's "
        "tables.",
        look_at="Both samplers fall along 1/√N, somewhat above independent samples. Wet grass raises rain from 0.20 to "
        "0.44; learning of the sprinkler lowers it to 0.22.",
        try_this=(
            "--rain 0.02: a rare cause; most wet grass is then the sprinkler's work.",
            "--samples 200: ten times fewer samples, about three times the error.",
            "--break: both samplers return the prior, however many samples they take.",
        ),
        parameters=(
            Parameter(
                "samples",
                2000,
                "Samples of each of the 100 runs; of Gibbs after a tenth more that are dropped.",
                low=50,
                high=10000,
            ),
            Parameter("rain", 0.2, "P(rain).", low=0.01, high=0.99),
        ),
    ),
    Demo(
        slug="explainability-fairness",
        title="What the model uses, and whom it refuses",
        question=17,
        breaks="All subsets of features weigh alike, so the values do not add up, and the postcode is drawn without "
        "regard to the group.",
        look_at="The bars of one case add up to its prediction minus the average. The model never saw the group, yet "
        "approves one group less often: it found the postcode.",
        try_this=(
            "--proxy 0: the postcode says nothing about the group, and the gap in approvals closes.",
            "--bias 0: fair labels; the postcode still gives the group away, but there is no reason to use it.",
            "--proxy 4: a postcode that is the group in all but name.",
        ),
        parameters=(
            Parameter("people", 4000, "People in the training data, and as many for testing.", low=500, high=20000),
            Parameter(
                "proxy",
                2.0,
                "How far the postcodes of the two groups lie apart, in standard deviations.",
                low=0,
                high=6,
            ),
            Parameter("bias", 2.5, "How much the old decisions held against one group, in logits.", low=0, high=6),
            Parameter("background", 100, "Rows that stand in for unknown features.", low=10, high=500),
        ),
    ),
)
