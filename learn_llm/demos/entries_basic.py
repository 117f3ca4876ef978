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
            "--explore 0: it repeats the first way that worked and never sees most positions.",
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
            Parameter("step_size", 1.0, "Learning rate.", low=0.001, high=10),
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
)
