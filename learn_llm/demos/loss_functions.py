"""Cross-entropy against squared error: the unit that is most wrong must learn fastest, not slowest.

A sigmoid unit p = σ(z), z = w·x + b, with the label y.  Both losses are negative log-likelihoods, squared error of a
number with Gaussian noise, cross-entropy of a label (Bernoulli):

    MSE = (p - y)²                                dMSE/dz = 2(p - y)·p(1 - p)
    CE  = -y·log p - (1 - y)·log(1 - p)           dCE/dz  = p - y                 (Goodfellow et al. 2016, chapter 6.2)

In cross-entropy the logarithm cancels the slope p(1 - p) of the sigmoid.  In squared error it stays, and vanishes where
the unit is saturated: sure of itself, rightly or wrongly.  For a linear z, cross-entropy is also convex in the
weights; squared error is not, it goes flat.

Computed from the logit, CE = log(1 + exp(-z)) for y = 1 never takes the logarithm of 0 (`cross_entropy`).

Claim: started sure and wrong, the gradient of the squared error is below 1 % of that of cross-entropy, which gets by
with at most a fifth of the steps; along the line from the wrong start to its mirror image cross-entropy is convex and
squared error is not.  `--break` starts the unit undecided, at p = 0.5, where the slope of the sigmoid is largest.

    python -m learn_llm.demos.loss_functions [--wrong 4] [--break]
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

Array = NDArray[np.float64]
Slope = Callable[[Array, Array], Array]
"""dLoss/dz of each point from its logit and its label, both (n,)."""
POINTS = 200
LEARNT = 0.9
"""A run is done when the mean probability of the right class reaches this."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    wrong: float = 8.0
    """How wrong the unit is at the start: the mean logit of the wrong class; 8 is p = 0.0003 for the right one."""
    step_size: float = 0.1
    """Learning rate of both."""
    steps: int = 20000
    """Most steps for each."""

    def __post_init__(self) -> None:
        catalogue.check("loss-functions", self)


def sigmoid(z: Array) -> Array:
    """1/(1 + exp(-z)) without overflow."""
    return np.asarray(0.5 + 0.5 * np.tanh(z / 2))


def cross_entropy(z: Array, y: Array) -> Array:
    """From the logit: log(1 + exp(z)) - y·z, written so that nothing overflows.  Sure and wrong costs |z|.

    >>> cross_entropy(np.array([0.0, -1000.0, 1000.0]), np.ones(3)).round(2)
    array([6.9e-01, 1.0e+03, 0.0e+00])
    """
    return np.asarray(np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z))))


def squared_error(z: Array, y: Array) -> Array:
    """(p - y)²: never more than 1.

    >>> squared_error(np.array([0.0, -1000.0]), np.ones(2))
    array([0.25, 1.  ])
    """
    return np.asarray((sigmoid(z) - y) ** 2)


def cross_entropy_slope(z: Array, y: Array) -> Array:
    """p - y: the error itself.

    >>> cross_entropy_slope(np.array([-8.0]), np.ones(1)).round(5)
    array([-0.99966])
    """
    return sigmoid(z) - y


def squared_error_slope(z: Array, y: Array) -> Array:
    """2(p - y)·p(1 - p).

    >>> squared_error_slope(np.array([-8.0]), np.ones(1)).round(5)
    array([-0.00067])
    """
    p = sigmoid(z)
    return 2 * (p - y) * p * (1 - p)


def gradient(x: Array, y: Array, w: Array, slope: Slope) -> Array:
    """Mean over the points x (n, d) of dLoss/dw: (d,)."""
    return np.asarray(slope(x @ w, y) @ x / len(x))


def right_class(x: Array, y: Array, w: Array) -> float:
    """Mean probability of the right class."""
    p = sigmoid(x @ w)
    return float(np.where(y == 1, p, 1 - p).mean())


def learn(x: Array, y: Array, w: Array, slope: Slope, step_size: float, steps: int) -> list[float]:
    """Mean probability of the right class before the first step and after each, until it is learnt."""
    curve = [right_class(x, y, w)]
    while curve[-1] < LEARNT and len(curve) <= steps:
        w = w - step_size * gradient(x, y, w, slope)
        curve.append(right_class(x, y, w))
    return curve


def least_bend(values: Array) -> float:
    """The smallest second difference of evenly spaced values: not below 0 where they are convex.

    >>> least_bend(np.array([4.0, 1.0, 0.0, 1.0])), least_bend(np.array([1.0, 1.0, 0.0, 0.0]))
    (2.0, -1.0)
    """
    return float((values[2:] - 2 * values[1:-1] + values[:-2]).min())


def sample(rng: np.random.Generator) -> tuple[Array, Array]:
    """Two blobs with a constant 1 as third column (n, 3), and their labels 0 and 1 (n,)."""
    y = np.arange(POINTS) % 2
    x = rng.normal(size=(POINTS, 2)) * 0.4 + (2.0 * y[:, None] - 1) * math.sqrt(2)
    return np.concatenate([x, np.ones((POINTS, 1))], axis=1), y.astype(np.float64)


def run(config: Config) -> Iterator[Event]:
    """The same unit from the same start under both losses."""
    rng = np.random.default_rng(config.seed)
    x, y = sample(rng)
    logit = 0.0 if config.break_ else config.wrong
    start = -logit / 4 * np.array([math.sqrt(2), math.sqrt(2), 0.0])  # the blobs are centred at distance 2 from 0
    slopes = {"cross-entropy": cross_entropy_slope, "squared error": squared_error_slope}
    at_start = {name: float(np.linalg.norm(gradient(x, y, start, slope))) for name, slope in slopes.items()}
    share = at_start["squared error"] / at_start["cross-entropy"]
    curves = {name: learn(x, y, start, slope, config.step_size, config.steps) for name, slope in slopes.items()}
    needed = {name: len(curve) - 1 for name, curve in curves.items()}

    longest = max(needed.values())
    marks = sorted({min(longest, round(longest ** (i / 40))) for i in range(41)})
    shown: dict[str, list[float]] = {name: [] for name in curves}
    for mark in marks:
        for name, curve in curves.items():
            shown[name].append(curve[min(mark, len(curve) - 1)])
        values = {"right_class": shown["cross-entropy"][-1], "right_class_squared_error": shown["squared error"][-1]}
        yield Metrics(mark, longest, values)
    log_marks = tuple(math.log10(max(mark, 1)) for mark in marks)
    yield Chart(
        "line",
        f"Learning from a start at logit {-logit:g} for the right class",
        "log10 of steps",
        "probability of the right class",
        tuple(Series(name, log_marks, tuple(curve)) for name, curve in shown.items()),
    )
    way = np.linspace(1, -1, 81)
    mirror = start if logit else np.array([math.sqrt(2), math.sqrt(2), 0.0]) * -2
    along = {
        "cross-entropy": np.array([cross_entropy(x @ (t * mirror), y).mean() for t in way]),
        "squared error": np.array([squared_error(x @ (t * mirror), y).mean() for t in way]),
    }
    yield Chart(
        "line",
        "Both losses on the way from the wrong weights to the right ones",
        "way",
        "loss / highest",
        tuple(Series(name, tuple((1 - way).tolist()), tuple((v / v.max()).tolist())) for name, v in along.items()),
    )
    bends = {name: least_bend(values) for name, values in along.items()}
    yield Table(
        "Both losses",
        ("loss", "gradient at the start", "steps needed", "smallest bend on the way"),
        tuple((name, f"{at_start[name]:.2g}", needed[name], f"{bends[name]:.1e}") for name in slopes),
    )
    yield Note(
        "From p the cross-entropy of a unit at logit -1000 would be -log 0; from the logit it is "
        f"{float(cross_entropy(np.array([-1000.0]), np.ones(1))[0]):g}."
    )
    if config.break_:
        yield Note("--break: the unit starts undecided, where the sigmoid is steepest; both losses learn at once.")
    done = all(curve[-1] >= LEARNT for curve in curves.values())
    yield Verdict(
        "Started sure and wrong, the gradient of squared error is below 1 % of that of cross-entropy, cross-entropy "
        "needs at most a fifth of the steps, and it alone is convex on the way to the right weights",
        holds=share < 0.01
        and curves["cross-entropy"][-1] >= LEARNT
        and needed["cross-entropy"] <= needed["squared error"] / 5
        and bends["cross-entropy"] >= -1e-9
        and bends["squared error"] < -1e-6,
        measured={
            "gradient_share": share,
            "steps_cross_entropy": needed["cross-entropy"],
            "steps_squared_error": needed["squared error"],
            "both_learnt": float(done),
            "bend_cross_entropy": bends["cross-entropy"],
            "bend_squared_error": bends["squared error"],
        },
    )


if __name__ == "__main__":
    main(run, Config)
