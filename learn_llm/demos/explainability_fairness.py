"""Explaining predictions, and checking a model for unfairness that nobody put in.

Shapley values treat the features as players of a game.  v(S) is the model's mean output when the features in S have
the values of the case x and the others those of background rows.  A feature gets its mean contribution over all orders
in which the features can be revealed, which is a sum over subsets (Shapley 1953; Lundberg and Lee 2017, Eq. 4):

    φᵢ = Σ over S without i of  |S|!·(d - |S| - 1)!/d! · (v(S + i) - v(S)),        Σ φᵢ = f(x) - E[f]

Permutation importance shuffles one column and measures how much the score drops (Breiman 2001): it is about the model
as a whole, where Shapley values are about one prediction.

The data: people who ask for a loan.  Income decides most about repayment.  The labels of the past are unfair to one of
two groups.  The group is not among the features, but the postcode goes with it:

    demographic parity   equal rates of approval in both groups
    equal opportunity    equal rates of approval among those who would repay      (Hardt, Price and Srebro 2016)

Claim: the values of every case add up to f(x) - E[f] to 1e-9; shuffling the income costs the most accuracy; a model
trained to tell the group from the features does so with AUC above 0.75, without the postcode at chance; and the
approval rates differ by at least 10 points with the postcode, by less than half of that without.  `--break` weighs all
subsets alike (Banzhaf's values, which do not add up) and draws the postcode without regard to the group.

    python -m learn_llm.demos.explainability_fairness [--proxy 0] [--break]
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

Array = NDArray[np.float64]
Model = Callable[[Array], Array]
"""From rows (n, d) to a number for each (n,)."""
FEATURES = ("income", "debt", "years in job", "savings", "postcode", "shoe size")
POSTCODE = FEATURES.index("postcode")
CASES = 10
"""Cases whose predictions are explained."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    people: int = 4000
    """People in the training data, and as many for testing."""
    proxy: float = 2.0
    """How far the postcodes of the two groups lie apart, in standard deviations."""
    bias: float = 2.5
    """How much the old decisions held against one group, in logits."""
    background: int = 100
    """Rows that stand in for unknown features."""

    def __post_init__(self) -> None:
        catalogue.check("explainability-fairness", self)


def subset_weight(size: int, d: int) -> float:
    """Share of the orders of d features in which a given feature comes right after a given set of this size.

    >>> [round(subset_weight(size, 3), 3) for size in range(3)]
    [0.333, 0.167, 0.333]
    """
    return math.factorial(size) * math.factorial(d - size - 1) / math.factorial(d)


def shapley(value: Callable[[frozenset[int]], float], d: int, weight: Callable[[int, int], float]) -> list[float]:
    """The value of each of d players in the game `value`, by all 2^d subsets.

    >>> game = {frozenset(): 0.0, frozenset([0]): 3.0, frozenset([1]): 2.0, frozenset([0, 1]): 9.0}
    >>> shapley(game.__getitem__, 2, subset_weight)
    [5.0, 4.0]
    """
    values = {frozenset(s): value(frozenset(s)) for n in range(d + 1) for s in itertools.combinations(range(d), n)}
    return [sum(weight(len(s), d) * (values[s | {i}] - values[s]) for s in values if i not in s) for i in range(d)]


def game_of(model: Model, x: Array, background: Array) -> Callable[[frozenset[int]], float]:
    """v(S): the mean output with the features in S from the case x (d,), all others from background rows (b, d)."""

    def value(known: frozenset[int]) -> float:
        rows = background.copy()
        rows[:, list(known)] = x[list(known)]
        return float(model(rows).mean())

    return value


def sigmoid(z: Array) -> Array:
    """1/(1 + exp(-z)) without overflow."""
    return np.asarray(0.5 + 0.5 * np.tanh(z / 2))


def logistic(x: Array, y: Array, steps: int = 8) -> Array:
    """Weights (d + 1,), bias last, of logistic regression by Newton's method, with a little ridge.

    >>> w = logistic(np.array([[-1.0], [1.0], [-1.0], [1.0]]), np.array([0.0, 1.0, 1.0, 1.0]))
    >>> sigmoid(np.array([w[0] + w[1], -w[0] + w[1]])).round(1)
    array([1. , 0.5])
    """
    rows = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    w = np.zeros(rows.shape[1])
    for _ in range(steps):
        p = sigmoid(rows @ w)
        curvature = (rows * (p * (1 - p))[:, None]).T @ rows + 1e-3 * np.eye(len(w))
        w = w + np.linalg.solve(curvature, rows.T @ (y - p) - 1e-3 * w)
    return w


def model_of(w: Array) -> Model:
    """The predicted probability."""
    return lambda x: sigmoid(x @ w[:-1] + w[-1])


def auc(scores: Array, positive: NDArray[np.bool_]) -> float:
    """The probability that a positive scores above a negative, from ranks (the scores have no ties)."""
    ranks = scores.argsort().argsort() + 1
    p = int(positive.sum())
    return float((ranks[positive].sum() - p * (p + 1) / 2) / (p * (len(scores) - p)))


def permutation_importance(model: Model, x: Array, y: Array, rng: np.random.Generator, repeats: int = 5) -> Array:
    """Mean loss of accuracy when each column of x (n, d) is shuffled: (d,)."""
    before = float(((model(x) > 0.5) == (y > 0.5)).mean())
    drops = np.zeros((repeats, x.shape[1]))
    for r, column in itertools.product(range(repeats), range(x.shape[1])):
        shuffled = x.copy()
        shuffled[:, column] = rng.permutation(x[:, column])
        drops[r, column] = before - float(((model(shuffled) > 0.5) == (y > 0.5)).mean())
    return np.asarray(drops.mean(0))


def sample(rng: np.random.Generator, config: Config) -> tuple[Array, NDArray[np.bool_], Array, Array]:
    """Features (n, 6), group (n,), whether a person would repay (n,), and what was decided in the past (n,)."""
    n = config.people
    group = rng.random(n) < 0.5
    x = rng.normal(size=(n, len(FEATURES)))
    if not config.break_:
        x[:, POSTCODE] += config.proxy * (group - 0.5)
    merit = 2.0 * x[:, 0] - 1.0 * x[:, 1] + 0.7 * x[:, 2] + 0.5 * x[:, 3]
    repays = (rng.random(n) < sigmoid(merit)).astype(np.float64)
    decided = (rng.random(n) < sigmoid(merit - config.bias * (group - 0.5))).astype(np.float64)
    return x, group, repays, decided


def gap(approved: NDArray[np.bool_], group: NDArray[np.bool_]) -> float:
    """Approval rate outside the group minus that inside.

    >>> approved = np.array([True, True, False, True, False, False])
    >>> round(gap(approved, np.array([False, False, False, True, True, True])), 3)
    0.333
    """
    return float(approved[~group].mean() - approved[group].mean())


def run(config: Config) -> Iterator[Event]:
    """Train on the decisions of the past, explain single cases, then the model, then compare the groups."""
    rng = np.random.default_rng(config.seed)
    x, group, _, decided = sample(rng, config)
    test, test_group, test_repays, test_decided = sample(rng, config)
    model = model_of(logistic(x, decided))
    background = x[: config.background]
    base = float(model(background).mean())
    weight: Callable[[int, int], float] = (lambda _, d: 2.0 ** (1 - d)) if config.break_ else subset_weight
    off = []
    first: list[float] = []
    for index in range(CASES):
        values = shapley(game_of(model, test[index], background), len(FEATURES), weight)
        output = float(model(test[index : index + 1])[0])
        off.append(abs(sum(values) - (output - base)))
        first = first or values
        yield Metrics(index + 1, CASES, {"additivity_error": off[-1], "prediction": output})
    prediction = float(model(test[:1])[0])
    yield Chart(
        "bar",
        f"One case: prediction {prediction:.3f}, average {base:.3f}; what each feature adds",
        "feature",
        "Shapley value",
        (Series("value", FEATURES, tuple(first)),),
    )
    importance = permutation_importance(model, test, test_decided, rng)
    yield Chart(
        "bar",
        "The model as a whole: accuracy lost when a column is shuffled",
        "feature",
        "accuracy lost",
        (Series("lost", FEATURES, tuple(importance.tolist())),),
    )

    blind = [i for i in range(len(FEATURES)) if i != POSTCODE]
    rows, gaps, leaks = [], {}, {}
    for name, columns in (("all six", list(range(len(FEATURES)))), ("no postcode", blind)):
        approves = model_of(logistic(x[:, columns], decided))(test[:, columns]) > 0.5
        audit = model_of(logistic(x[:, columns], group.astype(np.float64)))
        leaks[name] = auc(audit(test[:, columns]), test_group)
        gaps[name] = gap(approves, test_group)
        would = test_repays == 1
        ratio = float(approves[test_group].mean() / approves[~test_group].mean())
        rows.append(
            (
                name,
                round(leaks[name], 3),
                round(gaps[name], 3),
                round(ratio, 3),
                round(gap(approves[would], test_group[would]), 3),
                f"{(approves == would).mean():.1%}",
            )
        )
    columns_ = ("model sees", "AUC on group", "parity gap", "ratio", "opportunity gap", "right")
    yield Table("The group is not among the features", columns_, tuple(rows))
    yield Note(
        "AUC on group: how well a model trained for it tells the group from these features. Gaps: approval rate "
        "outside the group minus that inside, of all and of those who would repay. Right: agrees with who would repay."
    )
    if config.break_:
        yield Note("--break: all subsets weigh alike, so the values do not add up; the postcode is drawn by lot.")
    with_, without = gaps["all six"], gaps["no postcode"]
    yield Verdict(
        "Shapley values add up to f(x) - E[f] to 1e-9, income is the most important feature, and the postcode gives "
        "the group away (AUC above 0.75, without it within 0.05 of chance) and most of the gap in approvals with it",
        holds=max(off) < 1e-9
        and int(importance.argmax()) == 0
        and leaks["all six"] > 0.75
        and abs(leaks["no postcode"] - 0.5) < 0.05
        and with_ >= 0.10
        and abs(without) < with_ / 2,
        measured={
            "additivity_error": max(off),
            "importance_income": float(importance[0]),
            "importance_next": float(np.sort(importance)[-2]),
            "group_auc": leaks["all six"],
            "group_auc_without_postcode": leaks["no postcode"],
            "parity_gap": with_,
            "parity_gap_without_postcode": without,
        },
    )


if __name__ == "__main__":
    main(run, Config)
