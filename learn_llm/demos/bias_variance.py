"""Bias and variance: the two ways in which a fitted model can be wrong.

Draw many training sets from one source and fit the same kind of model g to each.  At a point x with truth f(x) and
noise of variance σ² in every label,

    E[(y - g(x))²]  =  (E[g(x)] - f(x))²  +  E[(g(x) - E[g(x)])²]  +  σ²
                       bias²                 variance                 noise          (Geman et al. 1992, Eq. 3.4)

The expectation runs over training sets and over the noise of the label y.  Here the model is a polynomial fitted by
least squares to a few noisy points of a sine, its degree is the complexity, and all three terms are averages over a
grid of x.  The left side is measured on labels of its own, so that the equation can fail.

Claim: at every degree the sum agrees with the measured test error to 5 %; the test error is U-shaped, at least half as
high again at both ends as at its lowest; the training error never rises and so cannot choose the degree.  `--break`
takes the noise out of the labels: then there is nothing to overfit, and the right arm of the U is gone.

    python -m learn_llm.demos.bias_variance [--points 100] [--break]
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

Array = NDArray[np.float64]
DEGREES = tuple(range(1, 16))
GRID = 200


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    points: int = 20
    """Training points, evenly spaced."""
    resamples: int = 200
    """Training sets drawn."""
    noise: float = 0.3
    """σ: standard deviation of the noise in the labels."""

    def __post_init__(self) -> None:
        catalogue.check("bias-variance", self)


def truth(x: Array) -> Array:
    """f: one and a half waves of a sine between -1 and 1."""
    return np.asarray(np.sin(1.5 * math.pi * x))


def powers(x: Array, degree: int) -> Array:
    """A basis of the polynomials up to `degree` at the points x (n,): (n, degree + 1).

    Chebyshev's polynomials span the same functions as 1, x, x², ..., without their numerical trouble.

    >>> powers(np.array([0.5]), 2)     # 1, x, 2x² - 1
    array([[ 1. ,  0.5, -0.5]])
    """
    return np.asarray(np.polynomial.chebyshev.chebvander(x, degree))


def fit(x: Array, labels: Array, degree: int) -> Array:
    """Coefficients by least squares for each row of labels (resamples, n): (resamples, degree + 1).

    >>> fit(np.array([-1.0, 0.0, 1.0]), np.array([[1.0, 2.0, 3.0]]), 1)     # the line 2 + x
    array([[2., 1.]])
    """
    return np.asarray(np.linalg.lstsq(powers(x, degree), labels.T, rcond=None)[0].T)


def decompose(predictions: Array, f: Array) -> tuple[float, float]:
    """(bias², variance), each averaged over the points, of predictions (resamples, n) of f (n,).

    The truth is 2.0, four training sets give four predictions:

    >>> bias2, variance = decompose(np.array([[2.0], [2.6], [2.2], [2.8]]), np.array([2.0]))
    >>> round(bias2, 6), round(variance, 6)
    (0.16, 0.1)
    """
    mean = predictions.mean(0)
    return float(((mean - f) ** 2).mean()), float(((predictions - mean) ** 2).mean())


def run(config: Config) -> Iterator[Event]:
    """Fit every degree to the same training sets and take the error apart."""
    rng = np.random.default_rng(config.seed)
    sigma = 0.0 if config.break_ else config.noise
    x, grid = np.linspace(-1, 1, config.points), np.linspace(-1, 1, GRID)
    labels = truth(x) + rng.normal(size=(config.resamples, config.points)) * sigma
    fresh = truth(grid) + rng.normal(size=(config.resamples, GRID)) * sigma  # labels that no fit has seen
    rows = []
    for degree in DEGREES:
        coefficients = fit(x, labels, degree)
        predictions = coefficients @ powers(grid, degree).T
        bias2, variance = decompose(predictions, truth(grid))
        test = float(((fresh - predictions) ** 2).mean())
        train = float(((labels - coefficients @ powers(x, degree).T) ** 2).mean())
        rows.append((degree, bias2, variance, sigma**2, test, train))
        values = {"bias_squared": bias2, "prediction_variance": variance, "test_error": test, "train_error": train}
        yield Metrics(degree, DEGREES[-1], values)

    def logs(column: int) -> tuple[float, ...]:
        return tuple(math.log10(max(row[column], 1e-6)) for row in rows)

    yield Chart(
        "line",
        "Where the error comes from",
        "degree of the polynomial",
        "log10 of error",
        tuple(
            Series(name, DEGREES, logs(column))
            for name, column in (("bias²", 1), ("variance", 2), ("test", 4), ("training", 5))
        ),
    )
    tests, trains = [row[4] for row in rows], [row[5] for row in rows]
    off = [abs(sum(row[1:4]) / row[4] - 1) if row[4] > 1e-12 else 0.0 for row in rows]
    yield Table(
        f"Means over {config.resamples} training sets of {config.points} points",
        ("degree", "bias²", "variance", "noise", "sum", "test error", "training error"),
        tuple((row[0], *(round(value, 4) for value in (*row[1:4], sum(row[1:4]), *row[4:]))) for row in rows),
    )
    yield Note(
        f"bias² is taken from the mean of {config.resamples} fits, so one part in {config.resamples} of the variance "
        "is still in it: that is why it rises again at the right."
    )
    if config.break_:
        yield Note("--break: labels without noise. Every training set is the same, so there is no variance.")
    lowest = min(tests)
    best = DEGREES[tests.index(lowest)]
    left, right = tests[0] / max(lowest, 1e-12), tests[-1] / max(lowest, 1e-12)
    falls = all(later <= earlier + 1e-9 for earlier, later in itertools.pairwise(trains))
    yield Verdict(
        "bias² + variance + noise is the test error to 5 % at every degree; the test error is at least half as high "
        "again at degree 1 and at degree 15 as at its lowest, while the training error never rises",
        holds=max(off) <= 0.05 and min(left, right) >= 1.5 and falls,
        measured={
            "largest_gap_of_the_sum": max(off),
            "best_degree": best,
            "test_error_best": lowest,
            "degree_1_over_best": left,
            "degree_15_over_best": right,
            "train_error_degree_15": trains[-1],
        },
    )


if __name__ == "__main__":
    main(run, Config)
