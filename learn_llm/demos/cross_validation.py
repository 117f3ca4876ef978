"""Cross-validation and leakage: every step that looks at the labels belongs inside the folds.

    1. cut the rows into k folds
    2. for each fold: fit on the others, score on the one left out
    3. report the mean of the scores

The fit is usually clean; the steps before it are the problem.  Here the labels are coin flips, so the true accuracy of
anything is 50 %.  Of thousands of noise features some agree with the labels by chance: a correlation with n labels has
standard deviation 1/√n, and the largest of many is several times that.  A classifier (nearest class mean) gets the
features that agree best, chosen

    outside    once, on all rows.  The rows left out took part in the choice: chance is carried into the test
    inside     anew in each fold, on the training rows only.  Nothing is known about the rows left out

This is the wrong and the right way of Hastie, Tibshirani and Friedman (2nd edition, chapter 7.10.2); in published gene
studies Ambroise and McLachlan (2002) found the wrong one.

Claim: over many data sets the selection outside looks at least 70 % accurate, the one inside is within 4 standard
errors of 50 %.  `--break` lets the selection outside look at other coin flips instead of these labels: then nothing
leaks, and it is at 50 % too.

    python -m learn_llm.demos.cross_validation [--features 500] [--break]
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


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    rows: int = 50
    """Rows of each data set."""
    features: int = 5000
    """Features, all of them noise."""
    keep: int = 20
    """Features that are selected."""
    folds: int = 5
    """Folds."""
    rounds: int = 40
    """Data sets drawn."""

    def __post_init__(self) -> None:
        catalogue.check("cross-validation", self)


def correlations(x: Array, labels: Array) -> Array:
    """Correlation of each column of x (n, d) with the labels (n,): (d,).

    >>> correlations(np.array([[1.0, 5.0], [2.0, 3.0], [3.0, 1.0]]), np.array([0.0, 0.5, 1.0]))
    array([ 1., -1.])
    """
    x, labels = x - x.mean(0), labels - labels.mean()
    size = np.sqrt(np.einsum("nd,nd->d", x, x) * (labels @ labels))
    return np.asarray(labels @ x / np.maximum(size, 1e-12))


def select(x: Array, labels: Array, keep: int) -> NDArray[np.intp]:
    """The columns that correlate most with the labels, in either direction: (keep,)."""
    return np.asarray(np.argpartition(-np.abs(correlations(x, labels)), keep - 1)[:keep])


def classify(x: Array, labels: Array, new: Array) -> Array:
    """Labels of the rows of `new`: those of the class whose mean is nearer.

    >>> classify(np.array([[0.0], [1.0], [9.0]]), np.array([0.0, 0.0, 1.0]), np.array([[3.0], [8.0]]))
    array([0., 1.])
    """
    if labels.min() == labels.max():
        return np.full(len(new), labels[0])
    mean0, mean1 = x[labels == 0].mean(0), x[labels == 1].mean(0)
    return np.asarray(((new - mean1) ** 2).sum(1) < ((new - mean0) ** 2).sum(1), dtype=np.float64)


def cross_validate(x: Array, labels: Array, folds: int, keep: int | None) -> float:
    """Accuracy on the rows left out.  With `keep`, that many features are selected anew in each fold."""
    fold_of = np.arange(len(x)) % folds
    right = 0
    for fold in range(folds):
        inside, left_out = fold_of != fold, fold_of == fold
        columns = slice(None) if keep is None else select(x[inside], labels[inside], keep)
        says = classify(x[inside][:, columns], labels[inside], x[left_out][:, columns])
        right += int((says == labels[left_out]).sum())
    return right / len(x)


def run(config: Config) -> Iterator[Event]:
    """Select outside and inside on many data sets without any signal."""
    rng = np.random.default_rng(config.seed)
    outside, inside, largest = [], [], []
    for index in range(1, config.rounds + 1):
        x = rng.normal(size=(config.rows, config.features))
        labels = rng.integers(0, 2, config.rows).astype(np.float64)
        looks_at = rng.integers(0, 2, config.rows).astype(np.float64) if config.break_ else labels
        chosen = select(x, looks_at, config.keep)
        largest.append(float(np.abs(correlations(x[:, chosen], looks_at)).max()))
        outside.append(cross_validate(x[:, chosen], labels, config.folds, keep=None))
        inside.append(cross_validate(x, labels, config.folds, keep=config.keep))
        yield Metrics(index, config.rounds, {"accuracy_outside": outside[-1], "accuracy_inside": inside[-1]})
    yield Chart(
        "hist",
        "Accuracy on coin flips, by cross-validation",
        "accuracy",
        "data sets",
        (Series("selected outside", (), tuple(outside)), Series("selected inside", (), tuple(inside))),
    )
    means = {"outside": float(np.mean(outside)), "inside": float(np.mean(inside))}
    errors = {
        "outside": float(np.std(outside, ddof=1) / math.sqrt(config.rounds)),
        "inside": float(np.std(inside, ddof=1) / math.sqrt(config.rounds)),
    }
    yield Table(
        f"Means over {config.rounds} data sets; the truth is 0.5",
        ("features selected", "accuracy", "standard error"),
        (
            ("outside, on all rows", round(means["outside"], 3), round(errors["outside"], 3)),
            ("inside each fold", round(means["inside"], 3), round(errors["inside"], 3)),
        ),
    )
    yield Note(
        f"The best of {config.features} noise features correlates {np.mean(largest):.2f} with the labels it was "
        f"chosen by; a single one {1 / math.sqrt(config.rows):.2f}."
    )
    if config.break_:
        yield Note("--break: the selection outside looked at other coin flips, so it knew nothing about these labels.")
    off = abs(means["inside"] - 0.5) / max(errors["inside"], 1e-12)
    yield Verdict(
        "On labels that are coin flips, features selected on all rows look at least 70 % accurate in "
        "cross-validation; selected inside each fold they are within 4 standard errors of 50 %",
        holds=means["outside"] >= 0.7 and off <= 4,
        measured={
            "accuracy_outside": means["outside"],
            "accuracy_inside": means["inside"],
            "inside_standard_error": errors["inside"],
            "inside_off": off,
            "largest_correlation": float(np.mean(largest)),
        },
    )


if __name__ == "__main__":
    main(run, Config)
