"""Trees, bagging, forests, boosting: average away the variance, or add up weak models against the bias.

A decision tree asks one question about one feature at a time and takes the one that leaves the least squared error in
its two halves (for classes -1 and +1 that is Gini's impurity).  Grown deep, it changes with every few rows.

    bagging     a tree on each of B bootstrap samples, averaged              (Breiman 1996)
    forest      the same, and each question may only choose among a few features, drawn anew   (Breiman 2001)
    AdaBoost    small trees in sequence; each sees the rows that those before got wrong with more weight
                w ← w·exp(-α·y·h(x)),  α = ½·log((1 - ε)/ε),  ε the weighted error   (Freund and Schapire 1997)

If single trees have variance σ² and two of them correlate by ρ, an average of B has

    ρ·σ² + (1 - ρ)·σ²/B          (Hastie, Tibshirani and Friedman, 2nd edition, Eq. 15.1)

More trees remove the second term; the first one is a floor, and the few features of a forest lower it.  AdaBoost's
training error is at most the product of 2·√(ε(1 - ε)), so it falls to zero though each tree is weak.

Claim: the forest has a lower test error than a single tree; the variance of averages follows the formula to 20 %, with
σ² and ρ measured on other trees than the averages; AdaBoost's training error reaches 0.  `--break` gives every tree
the same rows and all features: then all trees are the same, ρ = 1, and averaging does nothing.

    python -m learn_llm.demos.ensembles [--choose 1] [--break]
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

Array = NDArray[np.float64]
FEATURES = 10
TEST = 300
DEEP = 30
"""As good as no limit on the depth."""
SIZES = (1, 2, 5, 10)
"""Numbers of trees for which the formula is checked."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    rows: int = 100
    """Training rows."""
    trees: int = 20
    """B: trees in the forest."""
    choose: int = 3
    """Features among which each question of a forest's tree may choose, of 10."""
    rounds: int = 60
    """Trees of AdaBoost, each of depth 2."""
    training_sets: int = 16
    """Training sets drawn, to measure variances."""

    def __post_init__(self) -> None:
        catalogue.check("ensembles", self)


class Node(NamedTuple):
    """A question: is the feature below the threshold?"""

    feature: int
    threshold: float
    below: "Tree"
    above: "Tree"


Tree = Node | float
"""A question with two trees behind it, or the number that a leaf says."""


def best_question(x: Array, y: Array, weights: Array, features: NDArray[np.intp]) -> tuple[int, float] | None:
    """The feature and threshold that leave the least weighted squared error; None where no question separates rows.

    Least squared error in the halves is the largest (Σwy)²/Σw summed over them; sorted once, all thresholds of a
    feature are tried by running sums.

    >>> best_question(np.array([[1.0], [2.0], [3.0]]), np.array([-1.0, -1.0, 1.0]), np.ones(3), np.array([0]))
    (0, 2.5)
    """
    columns = x[:, features]
    order = columns.argsort(axis=0)
    values = np.take_along_axis(columns, order, axis=0)
    weight = weights[order].cumsum(axis=0)  # (n, f): of the first i rows in the order of each feature
    total = (weights * y)[order].cumsum(axis=0)
    rest_weight, rest_total = weight[-1] - weight[:-1], total[-1] - total[:-1]
    # AdaBoost can bring a weight below rounding: never divide by 0
    explained = total[:-1] ** 2 / np.maximum(weight[:-1], 1e-12) + rest_total**2 / np.maximum(rest_weight, 1e-12)
    gain = np.where(values[1:] > values[:-1], explained, -np.inf)
    place, column = np.unravel_index(int(gain.argmax()), gain.shape)
    if gain[place, column] == -np.inf:
        return None
    return int(features[column]), float((values[place, column] + values[place + 1, column]) / 2)


def grow(x: Array, y: Array, weights: Array, depth: int, choose: int, rng: np.random.Generator) -> Tree:
    """A tree on the rows x (n, d) with targets y (n,), down to pure leaves or to `depth` questions."""
    mean = float(weights @ y / weights.sum())
    if depth == 0 or (y == y[0]).all():
        return mean
    features = rng.permutation(x.shape[1])[:choose] if choose < x.shape[1] else np.arange(x.shape[1])
    question = best_question(x, y, weights, features)
    if question is None:
        return mean
    feature, threshold = question
    low = x[:, feature] < threshold
    return Node(
        feature,
        threshold,
        grow(x[low], y[low], weights[low], depth - 1, choose, rng),
        grow(x[~low], y[~low], weights[~low], depth - 1, choose, rng),
    )


def predict(tree: Tree, x: Array) -> Array:
    """What the tree says about the rows x (n, d): (n,).

    >>> predict(Node(0, 2.5, -1.0, 1.0), np.array([[2.0], [3.0]]))
    array([-1.,  1.])
    """
    if not isinstance(tree, Node):
        return np.full(len(x), tree)
    low = x[:, tree.feature] < tree.threshold
    says = np.empty(len(x))
    says[low], says[~low] = predict(tree.below, x[low]), predict(tree.above, x[~low])
    return says


class Bagged(NamedTuple):
    """What the trees of one ensemble say."""

    on_test: Array
    """(B, TEST), each number -1 or 1."""
    out_of_bag: float
    """Share of training rows that the trees which have not seen them get wrong."""


def bag(x: Array, y: Array, test: Array, trees: int, choose: int, same: bool, rng: np.random.Generator) -> Bagged:
    """B deep trees on bootstrap samples; with `same` all on the rows themselves."""
    votes = np.zeros(len(x))
    says = []
    for _ in range(trees):
        rows = np.arange(len(x)) if same else rng.integers(0, len(x), len(x))
        tree = grow(x[rows], y[rows], np.ones(len(x)), DEEP, choose, rng)
        unseen = np.ones(len(x), dtype=bool)
        unseen[rows] = False
        votes[unseen] += predict(tree, x[unseen])
        says.append(predict(tree, test))
    voted = votes != 0
    wrong = float((np.sign(votes[voted]) != y[voted]).mean()) if voted.any() else math.nan
    return Bagged(np.array(says), wrong)


def average_variance(trees: int, variance: float, correlation: float) -> float:
    """Variance of an average of B trees.

    >>> [round(average_variance(b, 1.0, 0.3), 3) for b in (1, 10, 100)]
    [1.0, 0.37, 0.307]
    """
    return correlation * variance + (1 - correlation) * variance / trees


def variance_and_correlation(says: Array) -> tuple[float, float]:
    """(σ², ρ) of single trees, from predictions (training sets, B, points); both averaged over the points."""
    sets, trees, _ = says.shape
    centred = says - says.mean(0)  # each tree of the ensemble around its mean over training sets
    squares = (centred**2).sum((0, 1))
    variance = float(squares.mean()) / (trees * (sets - 1))
    pairs = (centred.sum(1) ** 2).sum(0) - squares  # every two different trees, multiplied
    return variance, float(pairs.mean()) / (trees * (trees - 1) * (sets - 1)) / variance


def variance_of_averages(says: Array, size: int) -> float:
    """Variance over training sets of averages of `size` trees, mean over all groups of so many and over the points."""
    groups = says.shape[1] // size
    averages = says[:, : groups * size].reshape(len(says), groups, size, -1).mean(2)
    return float(averages.var(0, ddof=1).mean())


class Boosted(NamedTuple):
    """AdaBoost after each round."""

    train_error: list[float]
    test_error: list[float]
    bound: list[float]


def adaboost(x: Array, y: Array, test: Array, truth: Array, rounds: int, rng: np.random.Generator) -> Boosted:
    """Small trees in sequence, each on the rows weighted by how wrong the sum before them is."""
    weights = np.full(len(x), 1 / len(x))
    score, test_score, bound = np.zeros(len(x)), np.zeros(len(test)), 1.0
    log = Boosted([], [], [])
    for _ in range(rounds):
        tree = grow(x, y, weights, 2, x.shape[1], rng)
        says = np.where(predict(tree, x) > 0, 1.0, -1.0)
        epsilon = min(max(float(weights[says != y].sum()), 1e-9), 0.5 - 1e-9)
        alpha = math.log((1 - epsilon) / epsilon) / 2
        weights = weights * np.exp(-alpha * y * says)
        weights /= weights.sum()
        score += alpha * says
        test_score += alpha * np.where(predict(tree, test) > 0, 1.0, -1.0)
        bound *= 2 * math.sqrt(epsilon * (1 - epsilon))
        log.train_error.append(float((np.sign(score) != y).mean()))
        log.test_error.append(float((np.sign(test_score) != truth).mean()))
        log.bound.append(bound)
    return log


def sample(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Rows (n, 10), uniform, and labels -1 or 1 (n,), to which every feature adds; one in twenty is flipped."""
    x = rng.uniform(-1, 1, (n, FEATURES))
    y = np.sign(x.sum(1) + 2 * x[:, 0] * x[:, 1])
    return x, np.where(rng.random(n) < 0.05, -y, y)


def errors_by_size(says: Array, truth: Array) -> list[float]:
    """Test error of the vote of the first 1, 2, ..., B trees, mean over training sets; a tied vote is half wrong."""
    votes = says.cumsum(1) * truth  # above 0 where the vote is right
    wrong = (votes < 0) + 0.5 * (votes == 0)
    return [float(error) for error in wrong.mean((0, 2))]


def run(config: Config) -> Iterator[Event]:
    """Bagging, forest and AdaBoost on many training sets, tested on the same rows."""
    rng = np.random.default_rng(config.seed)
    test, truth = sample(rng, TEST)
    choose = FEATURES if config.break_ else config.choose
    forests, bags, singles, boosted = [], [], [], []
    out_of_bag = []
    for index in range(1, config.training_sets + 1):
        x, y = sample(rng, config.rows)
        forest = bag(x, y, test, config.trees, choose, config.break_, rng)
        forests.append(forest.on_test)
        out_of_bag.append(forest.out_of_bag)
        bags.append(bag(x, y, test, config.trees, FEATURES, config.break_, rng).on_test)
        singles.append(bag(x, y, test, 1, FEATURES, True, rng).on_test)  # one tree, on all rows
        boosted.append(adaboost(x, y, test, truth, config.rounds, rng))
        tree_error = float((singles[-1] * truth < 0).mean())
        forest_error = errors_by_size(forest.on_test[None], truth)[-1]
        values = {"error_tree": tree_error, "error_forest": forest_error}
        yield Metrics(index, config.training_sets, values | {"error_boosting_train": boosted[-1].train_error[-1]})

    curves = {
        "bagging": errors_by_size(np.array(bags), truth),
        "forest": errors_by_size(np.array(forests), truth),
    }
    sizes = tuple(range(1, config.trees + 1))
    yield Chart(
        "line",
        f"Test error of votes, mean of {config.training_sets} training sets",
        "trees",
        "error",
        tuple(Series(name, sizes, tuple(curve)) for name, curve in curves.items()),
    )
    mean_boosted = {
        "training": np.mean([log.train_error for log in boosted], axis=0),
        "test": np.mean([log.test_error for log in boosted], axis=0),
        "bound on training": np.mean([log.bound for log in boosted], axis=0),
    }
    yield Chart(
        "line",
        "AdaBoost: one small tree after the other",
        "trees",
        "error",
        tuple(
            Series(name, tuple(range(1, config.rounds + 1)), tuple(curve.tolist()))
            for name, curve in mean_boosted.items()
        ),
    )
    half = config.trees // 2
    rows, gaps, correlation_of = [], [], {}
    for name, says in (("bagging", np.array(bags)), ("forest", np.array(forests))):
        variance, correlation = variance_and_correlation(says[:, :half])
        correlation_of[name] = correlation
        for size in (size for size in SIZES if size <= config.trees - half):
            measured = variance_of_averages(says[:, half:], size)  # of other trees than σ² and ρ are from
            formula = average_variance(size, variance, correlation)
            gaps.append(abs(measured / formula - 1))
            rows.append((name, size, round(correlation, 3), round(measured, 4), round(formula, 4)))
    yield Table("Variance of averages of trees", ("ensemble", "trees", "ρ", "measured", "formula"), tuple(rows))
    oob = float(np.mean(out_of_bag))
    if not config.break_:
        yield Note(
            f"Out of bag, on training rows that a tree has not seen, the forest errs {oob:.3f}; on test rows "
            f"{curves['forest'][-1]:.3f}. The estimate is free."
        )
    else:
        yield Note("--break: every tree has the same rows and all features, so all trees are one tree.")
    single = float((np.array(singles) * truth < 0).mean())
    never_reached = sum(min(log.train_error) > 0 for log in boosted)
    yield Verdict(
        "The vote of a forest errs less on test rows than a single tree, the variance of averages is "
        "ρσ² + (1 - ρ)σ²/B to 20 %, and AdaBoost's training error reaches 0 on every training set",
        holds=curves["forest"][-1] < 0.95 * single and max(gaps) <= 0.2 and never_reached == 0,
        measured={
            "error_single_tree": single,
            "error_bagging": curves["bagging"][-1],
            "error_forest": curves["forest"][-1],
            "correlation_bagging": correlation_of["bagging"],
            "correlation_forest": correlation_of["forest"],
            "largest_gap_to_formula": max(gaps),
            "boosting_train_error": float(mean_boosted["training"][-1]),
            "boosting_test_error": float(mean_boosted["test"][-1]),
            "boosting_not_at_zero": never_reached,
        },
    )


if __name__ == "__main__":
    main(run, Config)
