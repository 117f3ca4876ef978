"""The curse of dimensionality: with many dimensions all points are about equally far away, so neighbours mean little.

Take two points, uniform in the unit cube of d dimensions.  Each dimension adds (xᵢ - yᵢ)² to the squared distance,
with mean 1/6 and variance 7/180.  Independent terms add up, so the squared distance has mean d/6 and standard
deviation √(7d/180):

    distance ≈ √(d/6) ± √(7/120)         the mean grows with √d, the spread stays at 0.24
    contrast = (d_max - d_min) / d_min   falls like 1/√d     (Beyer et al. 1999, "When is nearest neighbor meaningful?")

Claim: the contrast falls at every added dimension, and a k-nearest-neighbours classifier falls with it: two columns
decide the label and are always there, the others are noise, and among enough noise the vote is a coin flip.

What it needs is that each column brings something new.  `--break` makes the extra columns mixtures of the first two:
a thousand columns, but the points still lie on a flat sheet, and nothing happens.  Real data are between the two,
which is why nearest neighbours work on images and embeddings at all: what counts is the intrinsic dimension.

    python -m learn_llm.demos.curse_of_dimensionality [--points 2000] [--break]
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
DIMENSIONS = (2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)
COIN_FLIP = 0.5


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    points: int = 500
    """Points drawn, for training and again for testing."""
    neighbours: int = 5
    """k of the k-nearest-neighbours vote."""

    def __post_init__(self) -> None:
        catalogue.check("curse-of-dimensionality", self)


def distances(a: Array, b: Array) -> Array:
    """Euclidean distances between the rows of a (n, d) and of b (m, d): (n, m).

    |a - b|² = |a|² + |b|² - 2 a·b turns the loop over pairs into one matrix product.

    >>> distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 2.0]]))
    array([[5., 2.]])
    """
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(squared, 0)))  # rounding can leave a tiny negative number


def contrast(distance: Array) -> float:
    """(farthest - nearest) / nearest for each row of distances (n, m); the median over rows, no unit.

    >>> contrast(np.array([[1.0, 2.0, 5.0]]))
    4.0
    """
    nearest, farthest = distance.min(1), distance.max(1)
    return float(np.median((farthest - nearest) / nearest))


def knn_predict(distance: Array, labels: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Majority label (0 or 1) among the k nearest of each row of distances (n, m) to points labelled (m,): (n,).

    >>> knn_predict(np.array([[0.1, 0.2, 0.3, 9.0]]), np.array([1, 1, 0, 0]), k=3)
    array([1])
    """
    nearest = np.argpartition(distance, k - 1, axis=1)[:, :k]
    return np.asarray(labels[nearest].mean(1) > 0.5, dtype=np.int64)


def sample(rng: np.random.Generator, n: int, mixing: Array | None, d: int) -> tuple[Array, NDArray[np.int64]]:
    """n points (n, d), uniform; the label is 1 where the first two columns sum to more than 1.

    With `mixing` (2, d) the points are mixtures of two columns instead: d columns of rank 2.
    """
    x = rng.random((n, d if mixing is None else 2))
    labels = (x[:, 0] + x[:, 1] > 1).astype(np.int64)
    return (x if mixing is None else x @ mixing), labels


def run(config: Config) -> Iterator[Event]:
    """Measure contrast and kNN accuracy at each number of dimensions."""
    rng = np.random.default_rng(config.seed)
    contrasts, accuracies = [], []
    for step, d in enumerate(DIMENSIONS, 1):
        mixing = None
        if config.break_:  # two orthonormal directions in d dimensions: a turned flat sheet
            mixing = np.linalg.qr(rng.normal(size=(d, 2)))[0].T
        train, labels = sample(rng, config.points, mixing, d)
        test, truth = sample(rng, config.points, mixing, d)
        distance = distances(test, train)
        contrasts.append(contrast(distance))
        accuracies.append(float((knn_predict(distance, labels, config.neighbours) == truth).mean()))
        yield Metrics(step, len(DIMENSIONS), {"contrast": contrasts[-1], "accuracy": accuracies[-1]})

    log_d = tuple(math.log10(d) for d in DIMENSIONS)
    theory = tuple(math.log10(c) for c in (contrasts[-1] * math.sqrt(DIMENSIONS[-1] / d) for d in DIMENSIONS))
    yield Chart(
        "line",
        "Contrast between the farthest and the nearest point",
        "log10 of dimensions",
        "log10 of contrast",
        (
            Series("measured", log_d, tuple(math.log10(c) for c in contrasts)),
            Series("1/√d through the last point", log_d, theory),
        ),
    )
    yield Chart(
        "line",
        f"Accuracy of {config.neighbours} nearest neighbours as noise columns are added",
        "log10 of dimensions",
        "accuracy",
        (
            Series("kNN", log_d, tuple(accuracies)),
            Series("coin flip", (log_d[0], log_d[-1]), (COIN_FLIP, COIN_FLIP)),
        ),
    )
    yield Table(
        "Dimension by dimension",
        ("dimensions", "contrast", "accuracy"),
        tuple((d, round(c, 3), round(a, 3)) for d, c, a in zip(DIMENSIONS, contrasts, accuracies, strict=True)),
    )
    if config.break_:
        yield Note("--break: the extra columns are mixtures of the first two; the intrinsic dimension stays 2.")

    falls = all(later < earlier for earlier, later in itertools.pairwise(contrasts))
    lost = accuracies[0] - accuracies[-1]
    yield Verdict(
        "The contrast of distances falls at every added dimension, to under a twentieth from d = 2 to d = 1000, "
        "and kNN loses at least 20 points of accuracy to noise columns",
        holds=falls and contrasts[-1] < contrasts[0] / 20 and lost >= 0.20,
        measured={
            "contrast_first": contrasts[0],
            "contrast_last": contrasts[-1],
            "accuracy_first": accuracies[0],
            "accuracy_last": accuracies[-1],
            "accuracy_lost": lost,
        },
    )


if __name__ == "__main__":
    main(run, Config)
