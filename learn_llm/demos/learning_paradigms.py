"""Supervised, unsupervised and reinforcement learning: the same points, three signals.

Streams of points from three blobs.  Each learner sees every point once, in the same order, and is told

    supervised       the label y, the right answer
    reinforcement    for its own guess a the reward r: 1 if right, 0 if not; never what would have been right
    unsupervised     nothing

Two of them differ in one word only.  With p = softmax(W·x), both climb a gradient:

    supervised       W += η·(onehot(y) - p)·xᵀ           cross-entropy
    reinforcement    W += η·(r - b)·(onehot(a) - p)·xᵀ   REINFORCE (Williams 1992), a drawn from p, b the mean reward

The third moves the nearest of its centroids towards each point by 1/(points it has had): k-means one point at a time
(MacQueen 1967).  Its groups have no names, so it is judged by pairs of points: the adjusted Rand index (Hubert and
Arabie 1985) is 1 for the same grouping under any names, 0 on average for a random one.

A label of three classes carries log₂ 3 = 1.58 bits, a reward for a blind guess 0.92: reward takes longer.

Claim: each learner passes with its own signal, the rewarded one later than the supervised one; and over many
shufflings of the labels the supervised learner is right as often as chance.  `--break` shuffles the labels, and with
them the rewards.  k-means does not notice.

    python -m learn_llm.demos.learning_paradigms [--spread 1.5] [--break]
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
CLASSES = 3
RADIUS = 4.0
"""Distance of the centres of the blobs from 0."""
STREAMS = 20
"""Streams that are learnt side by side; the scores are means over them."""
TEST = 500
SHUFFLES = 300
PER_CLASS = 30
"""Points of each class that the learners with shuffled labels get."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    points: int = 2000
    """Points in each stream."""
    spread: float = 1.0
    """Standard deviation of each blob; the centres are 6.9 apart."""
    step_size: float = 0.02
    """η of the supervised and of the rewarded learner."""

    def __post_init__(self) -> None:
        catalogue.check("learning-paradigms", self)


def softmax(z: Array) -> Array:
    """Probabilities along the last axis.

    >>> softmax(np.array([0.0, 0.0]))
    array([0.5, 0.5])
    """
    e = np.exp(z - z.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))


def supervised_step(weights: Array, x: Array, labels: Labels, step_size: float) -> Array:
    """Towards the right answers: weights (S, 3, d), one point for each of S streams (S, d), labels (S,)."""
    error = np.eye(CLASSES)[labels] - softmax(np.einsum("scd,sd->sc", weights, x))
    return np.asarray(weights + step_size * error[:, :, None] * x[:, None])


def rewarded_step(weights: Array, x: Array, actions: Labels, advantages: Array, step_size: float) -> Array:
    """Towards each chosen action (S,) if it earned more than usual, away from it if less (advantages (S,)).

    It is the supervised step with the own guess as label, made smaller or turned round:

    >>> w, x, guess = np.zeros((1, 3, 2)), np.array([[1.0, 0.0]]), np.array([2])
    >>> np.allclose(rewarded_step(w, x, guess, np.array([-0.5]), 0.1), -0.5 * supervised_step(w, x, guess, 0.1))
    True
    """
    return weights + advantages[:, None, None] * (supervised_step(weights, x, actions, step_size) - weights)


def draw(rng: np.random.Generator, probs: Array) -> Labels:
    """One class for each row of probabilities (S, 3): (S,)."""
    return np.asarray((probs.cumsum(1) < rng.random((len(probs), 1))).sum(1).clip(max=CLASSES - 1))


def nearest(x: Array, centroids: Array) -> Labels:
    """Index of the nearest centroid (k, d) to each point of x (n, d): (n,)."""
    return np.asarray(((x[:, None] - centroids) ** 2).sum(-1).argmin(1))


def spread_out(x: Array, k: int, rng: np.random.Generator) -> Array:
    """k of the points as first centroids (k, d): each next one far from those before, as in k-means++."""
    chosen = [x[rng.integers(len(x))]]
    while len(chosen) < k:
        squared = ((x[:, None] - np.array(chosen)) ** 2).sum(-1).min(1)
        chosen.append(x[rng.choice(len(x), p=squared / squared.sum())])
    return np.array(chosen)


def adjusted_rand(a: Labels, b: Labels) -> float:
    """How far two groupings agree on which pairs belong together, 0 for chance and 1 for the same grouping.

    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    1.0
    """
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1)

    def pairs(counts: Array) -> float:
        return float((counts * (counts - 1) / 2).sum())

    rows, columns, both = pairs(table.sum(1)), pairs(table.sum(0)), pairs(table)
    chance = rows * columns / pairs(np.array([float(len(a))]))
    full = (rows + columns) / 2
    return (both - chance) / (full - chance) if full != chance else 1.0


def place(rng: np.random.Generator, labels: Labels, spread: float) -> Array:
    """A point of the blob that each label (...,) names, with a constant 1 as third column: (..., 3)."""
    angles = 2 * math.pi * np.arange(CLASSES) / CLASSES
    centres = RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    x = centres[labels] + rng.normal(size=(*labels.shape, 2)) * spread
    return np.concatenate([x, np.ones((*labels.shape, 1))], axis=-1)


def shuffled_accuracy(rng: np.random.Generator, spread: float) -> Array:
    """Accuracy on true labels of learners that got shuffled ones, one for each of many shufflings: (SHUFFLES,).

    Every class has equally many points, or the commonest class would do better than chance.  All learn at once, by
    gradient descent on all their points: weights (SHUFFLES, 3, d).
    """
    labels = np.repeat(np.arange(CLASSES), PER_CLASS)
    x, test = place(rng, labels, spread), place(rng, labels, spread)
    targets = np.eye(CLASSES)[np.stack([rng.permutation(labels) for _ in range(SHUFFLES)])]  # (S, n, 3)
    weights = np.zeros((SHUFFLES, CLASSES, x.shape[1]))
    for _ in range(30):
        error = targets - softmax(x @ weights.transpose(0, 2, 1))
        weights += 0.1 * error.transpose(0, 2, 1) @ x / len(x)
    return np.asarray(((test @ weights.transpose(0, 2, 1)).argmax(-1) == labels).mean(1))


def first_over(curve: list[float], level: float, at: list[int]) -> int:
    """The first number of points from which on the curve stays at or over the level; the last one + 1 if none.

    >>> first_over([0.95, 0.5, 0.9, 0.99], 0.9, [10, 20, 30, 40])
    30
    """
    below = [i for i, value in enumerate(curve) if value < level]
    start = below[-1] + 1 if below else 0
    return at[start] if start < len(at) else at[-1] + 1


def run(config: Config) -> Iterator[Event]:
    """Streams of points through three learners."""
    rng = np.random.default_rng(config.seed)
    labels, truth = rng.integers(0, CLASSES, (STREAMS, config.points)), rng.integers(0, CLASSES, TEST)
    x, test = place(rng, labels, config.spread), place(rng, truth, config.spread)
    told = rng.permuted(labels, axis=1) if config.break_ else labels

    supervised, rewarded = np.zeros((STREAMS, CLASSES, 3)), np.zeros((STREAMS, CLASSES, 3))
    usual = np.zeros(STREAMS)  # b: mean reward so far
    centroids = np.stack([spread_out(each[:50, :2], CLASSES, rng) for each in x])
    had = np.ones((STREAMS, CLASSES))
    every = np.arange(STREAMS)
    at: list[int] = []
    curves: dict[str, list[float]] = {"supervised": [], "reinforcement": [], "unsupervised": []}
    report = {round(1.35**i) for i in range(60)} | {config.points}
    for i in range(config.points):
        point = x[:, i]
        supervised = supervised_step(supervised, point, told[:, i], config.step_size)

        actions = draw(rng, softmax(np.einsum("scd,sd->sc", rewarded, point)))
        rewards = (actions == told[:, i]).astype(np.float64)
        rewarded = rewarded_step(rewarded, point, actions, rewards - usual, config.step_size)
        usual += (rewards - usual) / (i + 1)

        groups = ((point[:, None, :2] - centroids) ** 2).sum(-1).argmin(1)
        had[every, groups] += 1
        centroids[every, groups] += (point[:, :2] - centroids[every, groups]) / had[every, groups][:, None]

        if i + 1 in report:
            at.append(i + 1)
            for name, weights in (("supervised", supervised), ("reinforcement", rewarded)):
                curves[name].append(float(((test @ weights.transpose(0, 2, 1)).argmax(-1) == truth).mean()))
            found = [adjusted_rand(nearest(test[:, :2], each), truth) for each in centroids]
            curves["unsupervised"].append(float(np.mean(found)))
            values = {"accuracy": curves["supervised"][-1], "accuracy_rewarded": curves["reinforcement"][-1]}
            yield Metrics(i + 1, config.points, values | {"adjusted_rand": curves["unsupervised"][-1]})
    log_at = tuple(math.log10(n) for n in at)
    yield Chart(
        "line",
        "Accuracy (supervised, reinforcement) and adjusted Rand index (unsupervised)",
        "log10 of points seen",
        "score",
        tuple(Series(name, log_at, tuple(curve)) for name, curve in curves.items()),
    )
    shuffled = shuffled_accuracy(rng, config.spread)
    mean, error = float(shuffled.mean()), float(shuffled.std() / math.sqrt(SHUFFLES))
    needs = {name: first_over(curve, 0.9, at) for name, curve in curves.items()}
    yield Table(
        f"The three learners, means over {STREAMS} streams",
        ("learner", "told", "score", "points to stay over 0.9"),
        (
            ("supervised", "the label", round(curves["supervised"][-1], 3), needs["supervised"]),
            ("reinforcement", "right or wrong", round(curves["reinforcement"][-1], 3), needs["reinforcement"]),
            ("unsupervised", "nothing", round(curves["unsupervised"][-1], 3), needs["unsupervised"]),
            ("shuffled labels", "some label", round(mean, 3), None),
        ),
    )
    yield Note(
        f"With shuffled labels: {mean:.3f} ± {error:.3f} over {SHUFFLES} shufflings; chance is {1 / CLASSES:.3f}."
    )
    if config.break_:
        yield Note("--break: labels are shuffled, so labels and rewards say nothing; k-means never asked for them.")
    yield Verdict(
        "Every learner passes with its own signal (accuracy at least 0.95, adjusted Rand index at least 0.9), the "
        "rewarded one needs more points than the supervised one, and shuffled labels leave chance (within 4 s.e.)",
        holds=min(curves["supervised"][-1], curves["reinforcement"][-1]) >= 0.95
        and curves["unsupervised"][-1] >= 0.9
        and needs["reinforcement"] > needs["supervised"]
        and abs(mean - 1 / CLASSES) <= 4 * error,
        measured={
            "accuracy_supervised": curves["supervised"][-1],
            "accuracy_rewarded": curves["reinforcement"][-1],
            "adjusted_rand": curves["unsupervised"][-1],
            "points_supervised": needs["supervised"],
            "points_rewarded": needs["reinforcement"],
            "shuffled_labels_accuracy": mean,
            "shuffled_standard_error": error,
        },
    )


if __name__ == "__main__":
    main(run, Config)
