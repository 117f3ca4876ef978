"""Clustering and PCA: summarise points by a few prototypes, or by a few directions, with the least squared error.

k-means repeats two steps, and neither can raise the inertia Σ |x - centroid(x)|² (Lloyd 1982):

    assign     each point to its nearest centroid
    move       each centroid to the mean of its points: the point with the smallest sum of squared distances

It ends in a local minimum, so the start matters.  k-means++ draws each first centroid with probability proportional to
the squared distance from those already drawn (Arthur and Vassilvitskii 2007).

PCA centres the data and takes the singular value decomposition X = U·S·Vᵀ.  The columns of V are directions of largest
variance, λᵢ = sᵢ²/n the variances.  Keeping the first m leaves

    mean squared error per point = λ(m+1) + ... + λ(d)

and no other m directions leave less (Eckart and Young 1936).

Claim: the inertia never rises in any iteration; k-means++ ends lower than random starts on average; the error of PCA
is the tail of the eigenvalues to 1e-8, for every m.  `--break` leaves out the mean: a centroid moves to one of its
points, drawn at random, and PCA does not centre.

    python -m learn_llm.demos.clustering_pca [--blobs 5] [--break]
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

Array = NDArray[np.float64]
DIMENSIONS, SUBSPACE = 6, 3
MOST = 12
"""Largest k of the elbow."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    blobs: int = 6
    """Blobs in the data."""
    points: int = 300
    """Points drawn."""
    spread: float = 0.5
    """Standard deviation of each blob in each of the 6 dimensions."""
    starts: int = 20
    """Starts of each kind for each k."""

    def __post_init__(self) -> None:
        catalogue.check("clustering-pca", self)


def squared_distances(x: Array, centroids: Array) -> Array:
    """From each point of x (n, d) to each centroid (k, d): (n, k)."""
    return np.asarray(((x[:, None] - centroids) ** 2).sum(-1))


def random_start(x: Array, k: int, rng: np.random.Generator) -> Array:
    """k different points as centroids (k, d)."""
    return x[rng.choice(len(x), k, replace=False)]


def plus_plus_start(x: Array, k: int, rng: np.random.Generator) -> Array:
    """k points as centroids (k, d), each drawn in proportion to its squared distance from those before."""
    chosen = [x[rng.integers(len(x))]]
    squared = squared_distances(x, chosen[0][None])[:, 0]
    while len(chosen) < k:
        chosen.append(x[rng.choice(len(x), p=squared / squared.sum())])
        squared = np.minimum(squared, ((x - chosen[-1]) ** 2).sum(-1))
    return np.array(chosen)


def k_means(x: Array, centroids: Array, rng: np.random.Generator | None = None) -> tuple[Array, list[float]]:
    """The final centroids (k, d), and the inertia after each assignment and each move until nothing changes.

    With `rng` a centroid moves to a random one of its points instead of their mean, for ten iterations.

    >>> points = np.array([[1.0], [2.0], [9.0], [10.0]])
    >>> k_means(points, points[:2])
    (array([[1.5],
           [9.5]]), [113.0, 38.0, 14.0, 1.0, 1.0, 1.0])
    """
    inertias: list[float] = []
    while True:
        distances = squared_distances(x, centroids)
        nearest = distances.argmin(1)
        inertias.append(float(distances.min(1).sum()))
        centroids = centroids.copy()
        for j in range(len(centroids)):
            mine = x[nearest == j]
            if len(mine):
                centroids[j] = mine.mean(0) if rng is None else rng.choice(mine)
        inertias.append(float(((x - centroids[nearest]) ** 2).sum()))
        done = inertias[-1] >= inertias[-2] * (1 - 1e-12) if rng is None else len(inertias) >= 20
        if done:
            return centroids, inertias


def principal_components(x: Array, centre: bool = True) -> tuple[Array, Array, Array]:
    """(mean (d,), components (d, d) as rows, eigenvalues (d,) of the covariance, falling).

    Without `centre` the components are those of the points as they are, and explain the origin as well.
    """
    mean = x.mean(0) if centre else np.zeros(x.shape[1])
    _, _, components = np.linalg.svd(x - mean, full_matrices=False)
    covariance = np.cov(x.T, bias=True)
    return np.asarray(mean), components, np.asarray(np.linalg.eigvalsh(covariance)[::-1], dtype=np.float64)


def reconstruction_error(x: Array, mean: Array, components: Array) -> float:
    """Mean squared distance per point between x (n, d) and its projection on the components (m, d).

    >>> line = np.array([[1.0, 1.0], [3.0, 1.0]])
    >>> reconstruction_error(line, line.mean(0), np.array([[0.0, 1.0]]))     # the wrong direction: all variance is lost
    1.0
    """
    centred = x - mean
    return float(((centred - centred @ components.T @ components) ** 2).sum(1).mean())


def sample(rng: np.random.Generator, config: Config) -> Array:
    """Blobs whose centres lie in a 3-dimensional flat, turned at random into 6 dimensions: (n, 6)."""
    centres = rng.uniform(-5, 5, (config.blobs, SUBSPACE))
    turn = np.linalg.qr(rng.normal(size=(DIMENSIONS, SUBSPACE)))[0]
    which = rng.integers(0, config.blobs, config.points)
    noise = rng.normal(size=(config.points, DIMENSIONS)) * config.spread
    return np.asarray(centres[which] @ turn.T + noise + 3.0)


def rises(inertias: list[float]) -> int:
    """How often the inertia rose, beyond rounding.

    >>> rises([5.0, 3.0, 3.0, 4.0])
    1
    """
    return sum(later > earlier * (1 + 1e-9) for earlier, later in itertools.pairwise(inertias))


def run(config: Config) -> Iterator[Event]:
    """k-means for every k from many starts of both kinds, then PCA with every number of components."""
    rng = np.random.default_rng(config.seed)
    x = sample(rng, config)
    broken = rng if config.break_ else None
    means: dict[str, list[float]] = {"random": [], "k-means++": [], "best of all": []}
    risen = 0
    example: list[float] = []
    for k in range(1, MOST + 1):
        ends: dict[str, list[float]] = {"random": [], "k-means++": []}
        for name, start in (("random", random_start), ("k-means++", plus_plus_start)):
            for _ in range(config.starts):
                _, inertias = k_means(x, start(x, k, rng), broken)
                risen += rises(inertias)
                ends[name].append(inertias[-1])
                example = inertias if k == config.blobs and name == "random" else example
        for name, values in ends.items():
            means[name].append(float(np.mean(values)))
        means["best of all"].append(min(min(values) for values in ends.values()))
        yield Metrics(k, MOST, {"inertia": means["k-means++"][-1], "inertia_random": means["random"][-1]})
    ks = tuple(range(1, MOST + 1))
    yield Chart(
        "line",
        f"Elbow: inertia for each k, {config.blobs} blobs",
        "k",
        "inertia",
        tuple(Series(name, ks, tuple(values)) for name, values in means.items()),
    )

    mean, components, eigenvalues = principal_components(x, centre=not config.break_)
    rows, gaps = [], []
    for m in range(DIMENSIONS + 1):
        error, tail = reconstruction_error(x, mean, components[:m]), float(eigenvalues[m:].sum())
        gaps.append(abs(error - tail))
        rows.append((m, f"{1 - tail / eigenvalues.sum():.1%}", round(error, 6), round(tail, 6)))
    yield Chart(
        "bar",
        f"Scree: variance along each component; the centres lie in {SUBSPACE} dimensions",
        "component",
        "variance",
        (Series("eigenvalue", tuple(str(i) for i in range(1, DIMENSIONS + 1)), tuple(eigenvalues.tolist())),),
    )
    yield Table("PCA", ("components kept", "variance explained", "error", "sum of the other eigenvalues"), tuple(rows))
    course = " ".join(f"{value:.0f}" for value in example[:14])
    yield Note(f"Inertia of one run with k = {config.blobs}, after each assignment and each move: {course}")
    if config.break_:
        yield Note("--break: no mean. Centroids move to a random one of their points, and PCA does not centre.")
    above = slice(1, None)  # k = 1 has the same end from every start
    ratio = float(np.mean(np.array(means["k-means++"][above]) / np.array(means["random"][above])))
    yield Verdict(
        "The inertia of k-means never rises, starts of k-means++ end lower than random ones on average over k, and the "
        "error of PCA is the sum of the discarded eigenvalues to 1e-8 for every number of components",
        holds=risen == 0 and ratio < 1 and max(gaps) < 1e-8,
        measured={
            "times_inertia_rose": risen,
            "inertia_plus_plus_over_random": ratio,
            "largest_gap_pca": max(gaps),
            "variance_explained_by_3": float(eigenvalues[:SUBSPACE].sum() / eigenvalues.sum()),
        },
    )


if __name__ == "__main__":
    main(run, Config)
