"""Metrics under imbalance: one case in a hundred is positive, and "always no" is 99 % right.

Every metric is a ratio of the four cells: true and false positives TP, FP, false and true negatives FN, TN.

    accuracy  = (TP + TN) / all          precision = TP / (TP + FP)     right among the alarms
    F1 = 2·TP / (2·TP + FP + FN)         recall    = TP / (TP + FN)     found among the positives

Where the threshold is open: the ROC curve is recall against the false-positive rate FP / (FP + TN) over all thresholds.
Its area is the probability that a random positive scores above a random negative, ties counted half, so it can be had
from ranks (Fawcett 2006, section 7; R the sum of the ranks of the P positives among all, N the negatives):

    AUC = (R - P(P + 1)/2) / (P·N)

The ROC curve does not know how rare positives are.  The precision-recall curve does, so it shows what an alarm is worth
(Saito and Rehmsmeier 2015).  The threshold follows from what the errors cost: with calibrated probabilities alarm where
p > cost(FP) / (cost(FP) + cost(FN)).

Claim: "always no" has an accuracy of 99 % and a recall of 0; the area by ranks is that by trapezoids to 1e-9; at 80 %
recall most alarms are false although the AUC is above 0.85; the threshold from the costs is cheaper than 0.5.
`--break` makes half of the cases positive.

    python -m learn_llm.demos.imbalanced_metrics [--share 0.1] [--break]
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
Bools = NDArray[np.bool_]
COST_FP, COST_FN = 1.0, 50.0


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    cases: int = 10000
    """Cases."""
    share: float = 0.01
    """Share of the cases that are positive."""
    separation: float = 2.0
    """How far the scores of positives lie above those of negatives, in standard deviations."""

    def __post_init__(self) -> None:
        catalogue.check("imbalanced-metrics", self)


class Confusion(NamedTuple):
    """The four cells."""

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def accuracy(self) -> float:
        return (self.tp + self.tn) / sum(self)

    @property
    def precision(self) -> float:
        """Right among the alarms; 0 where there is no alarm."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 0.0

    @property
    def recall(self) -> float:
        return self.tp / (self.tp + self.fn)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall.

        >>> cells = Confusion(tp=80, fp=400, fn=20, tn=9500)
        >>> [round(x, 3) for x in (cells.accuracy, cells.precision, cells.recall, cells.f1)]
        [0.958, 0.167, 0.8, 0.276]
        """
        return 2 * self.tp / (2 * self.tp + self.fp + self.fn)


def confusion(alarms: Bools, positive: Bools) -> Confusion:
    """The four cells for alarms (n,) on cases (n,)."""
    tp, fp = int((alarms & positive).sum()), int((alarms & ~positive).sum())
    return Confusion(tp, fp, int(positive.sum()) - tp, int((~positive).sum()) - fp)


def ranks(scores: Array) -> Array:
    """The place of each score in the order, from 1; equal scores share the mean of their places.

    >>> ranks(np.array([0.2, 0.9, 0.2, 0.7]))
    array([1.5, 4. , 1.5, 3. ])
    """
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[place])


def auc_by_ranks(scores: Array, positive: Bools) -> float:
    """The probability that a positive scores above a negative, from the sum of ranks.

    >>> round(auc_by_ranks(np.array([0.9, 0.6, 0.7, 0.4, 0.2]), np.array([True, True, False, False, False])), 2)
    0.83
    """
    p = int(positive.sum())
    return float((ranks(scores)[positive].sum() - p * (p + 1) / 2) / (p * (len(scores) - p)))


def curves(scores: Array, positive: Bools) -> tuple[Array, Array, Array]:
    """(false-positive rate, recall, precision) with the threshold at each score, from the highest down.

    The first point is without any alarm; its precision is that of the second, as there is none.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.diff(scores[order]) != 0, True)  # equal scores alarm together
    tp = np.cumsum(positive[order])[ends]
    fp = np.cumsum(~positive[order])[ends]
    precision = tp / (tp + fp)
    return (
        np.concatenate([[0.0], fp / (~positive).sum()]),
        np.concatenate([[0.0], tp / positive.sum()]),
        np.concatenate([precision[:1], precision]),
    )


def trapezoid(x: Array, y: Array) -> float:
    """The area under the points.

    >>> trapezoid(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0]))
    1.5
    """
    return float(((x[1:] - x[:-1]) * (y[1:] + y[:-1]) / 2).sum())


def average_precision(recall: Array, precision: Array) -> float:
    """Precision, averaged over the positives as they are found; a useless score has the share of positives."""
    return float(((recall[1:] - recall[:-1]) * precision[1:]).sum())


def probability(scores: Array, share: float, separation: float) -> Array:
    """P(positive | score) by Bayes' theorem; scores are normal around 0 (negatives) and around `separation`."""
    log_odds = separation * scores - separation**2 / 2 + math.log(share / (1 - share))
    return np.asarray(0.5 + 0.5 * np.tanh(log_odds / 2))


def cost(cells: Confusion) -> float:
    return COST_FP * cells.fp + COST_FN * cells.fn


def thin(x: Array, y: Array, name: str, points: int = 150) -> Series:
    """At most about `points` of the curve, evenly along x."""
    at = np.unique(np.searchsorted(x, np.linspace(0, 1, points)).clip(max=len(x) - 1))
    return Series(name, tuple(x[at].tolist()), tuple(y[at].tolist()))


def run(config: Config) -> Iterator[Event]:
    """Score the cases, move the threshold over all of them, look at every metric."""
    rng = np.random.default_rng(config.seed)
    share = 0.5 if config.break_ else config.share
    positives = round(share * config.cases)
    positive = np.arange(config.cases) < positives
    scores = (rng.normal(size=config.cases) + config.separation * positive).round(2)  # rounded, so that there are ties
    fpr, recall, precision = curves(scores, positive)
    by_ranks, by_area = auc_by_ranks(scores, positive), trapezoid(fpr, recall)

    wanted = np.linspace(0.1, 0.95, 18)
    found = []
    for index, level in enumerate(wanted, 1):
        at = int((recall >= level).argmax())
        found.append(at)
        values = {"recall": float(recall[at]), "precision": float(precision[at])}
        yield Metrics(index, len(wanted), values | {"false_positive_rate": float(fpr[at])})
    yield Chart(
        "line",
        f"ROC, AUC {by_area:.3f}: it would look the same at any share of positives",
        "false-positive rate",
        "recall",
        (thin(fpr, recall, "scores"), Series("useless", (0.0, 1.0), (0.0, 1.0))),
    )
    mean_precision = average_precision(recall, precision)
    yield Chart(
        "line",
        f"Precision and recall, average precision {mean_precision:.3f}",
        "recall",
        "precision",
        (thin(recall, precision, "scores"), Series("useless", (0.0, 1.0), (share, share))),
    )
    p = probability(scores, share, config.separation)
    threshold = COST_FP / (COST_FP + COST_FN)
    at_80 = int((recall >= 0.8).argmax())
    level = np.unique(scores)[::-1][max(at_80 - 1, 0)]
    rules = {
        "always no": confusion(np.zeros(config.cases, dtype=bool), positive),
        "p > 0.5": confusion(p > 0.5, positive),
        f"p > {threshold:.4f}, from the costs": confusion(p > threshold, positive),
        "80 % recall": confusion(scores >= level, positive),
    }
    yield Table(
        f"Rules of decision; a false alarm costs {COST_FP:g}, a miss {COST_FN:g}",
        ("alarm when", "accuracy", "precision", "recall", "F1", "cost"),
        tuple(
            (name, *(round(v, 3) for v in (cells.accuracy, cells.precision, cells.recall, cells.f1)), cost(cells))
            for name, cells in rules.items()
        ),
    )
    if config.break_:
        yield Note('--break: half of the cases are positive, and "always no" is no better than a coin.')
    never, even, cheap, most = rules.values()
    yield Verdict(
        '"Always no" is 99 % right and finds nobody; the AUC by ranks is the area under the curve to 1e-9; at 80 % '
        "recall fewer than half of the alarms are right with an AUC above 0.85; the threshold from the costs beats 0.5",
        holds=never.accuracy >= 0.99
        and never.recall == 0
        and abs(by_ranks - by_area) < 1e-9
        and by_area > 0.85
        and most.precision < 0.5
        and cost(cheap) < cost(even),
        measured={
            "accuracy_always_no": never.accuracy,
            "recall_always_no": never.recall,
            "auc": by_area,
            "auc_difference": abs(by_ranks - by_area),
            "average_precision": mean_precision,
            "precision_at_80_recall": most.precision,
            "cost_at_half": cost(even),
            "cost_at_threshold": cost(cheap),
        },
    )


if __name__ == "__main__":
    main(run, Config)
