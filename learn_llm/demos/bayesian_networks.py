"""Bayesian networks: a joint distribution as a product of small tables, and three ways to ask it.

Each node has a table of P(node | parents); a missing arrow is a conditional independence:

    P(x₁, ..., xₙ) = Π P(xᵢ | parents(xᵢ))          P(cause | evidence) = P(cause, evidence) / P(evidence)   (Bayes)

Rain and sprinkler are independent causes of wet grass.  Given that the grass is wet they compete: learning that the
sprinkler ran makes rain less likely.  This is explaining away (Pearl 1988).

    enumeration           add up the product over everything unknown: exact, and exponential in the unknowns
    likelihood weighting  draw the unknowns from their tables, weigh each sample by P(evidence | its parents)
    Gibbs sampling        redraw one unknown at a time given all others: its own table times those of its children
                                                                      (Koller and Friedman 2009, chapter 12)

The error of both samplers falls as 1/√N, N counted in effective samples: weights cost some, (Σw)²/Σw² are left, and so
does the resemblance of each Gibbs sample to the one before.

Claim: on P(rain | wet) and P(rain | wet, sprinkler) both samplers are within 4 standard errors of enumeration, and all
three say that the sprinkler explains the rain away.  `--break` forgets what the evidence says about its causes: all
weights are 1, and Gibbs leaves out the tables of the children.  Both then return what was believed before.

    python -m learn_llm.demos.bayesian_networks [--samples 10000] [--break]
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

Array = NDArray[np.float64]
Bits = NDArray[np.int64]
RUNS = 100
"""Independent runs side by side, each with its own samples or its own chain."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    samples: int = 2000
    """Samples of each of the 100 runs; of Gibbs after a tenth more that are dropped."""
    rain: float = 0.2
    """P(rain)."""

    def __post_init__(self) -> None:
        catalogue.check("bayesian-networks", self)


class Node(NamedTuple):
    """A variable that is 0 or 1."""

    parents: tuple[str, ...]
    table: Array
    """P(1 | parents), one axis of length 2 for each parent."""


Network = Mapping[str, Node]
"""Nodes by name, parents before children."""


def rain_and_sprinkler(rain: float = 0.2) -> Network:
    """The grass is wet with probability 0 for no cause, 0.9 for the sprinkler, 0.8 for rain and 0.99 for both."""
    return {
        "rain": Node((), np.array(rain)),
        "sprinkler": Node((), np.array(0.3)),
        "wet": Node(("rain", "sprinkler"), np.array([[0.0, 0.9], [0.8, 0.99]])),
    }


def probability(network: Network, name: str, values: Mapping[str, Bits | int]) -> Array:
    """P(name has its value in `values` | its parents have theirs), for numbers or for arrays of them.

    >>> float(probability(rain_and_sprinkler(), "wet", {"rain": 1, "sprinkler": 0, "wet": 0})).__round__(3)
    0.2
    """
    node = network[name]
    one = node.table[tuple(values[parent] for parent in node.parents)]
    return np.asarray(np.where(np.asarray(values[name]) == 1, one, 1 - one))


def enumerate_exactly(network: Network, query: str, evidence: Mapping[str, int]) -> float:
    """P(query = 1 | evidence) by adding up the joint distribution.

    >>> round(enumerate_exactly(rain_and_sprinkler(), "rain", {"wet": 1}), 4)
    0.4424
    >>> round(enumerate_exactly(rain_and_sprinkler(), "rain", {"wet": 1, "sprinkler": 1}), 4)
    0.2157
    """
    unknown = [name for name in network if name not in evidence]
    total = {0: 0.0, 1: 0.0}
    for bits in itertools.product((0, 1), repeat=len(unknown)):
        values = {**evidence, **dict(zip(unknown, bits, strict=True))}
        total[values[query]] += math.prod(float(probability(network, name, values)) for name in network)
    return total[1] / (total[0] + total[1])


class Estimates(NamedTuple):
    """What the runs of a sampler say: each after each sample."""

    running: Array
    """(runs, samples): each run's estimate after 1, 2, ... samples."""
    effective: float
    """Independent samples that all samples of a run are worth, mean over the runs."""

    @property
    def mean(self) -> float:
        return float(self.running[:, -1].mean())

    @property
    def standard_error(self) -> float:
        """Of the mean over the runs; they are independent, whatever happens inside a run."""
        return float(self.running[:, -1].std(ddof=1) / math.sqrt(len(self.running)))


def likelihood_weighting(
    network: Network, query: str, evidence: Mapping[str, int], samples: int, rng: np.random.Generator, weigh: bool
) -> Estimates:
    """P(query = 1 | evidence) from samples (RUNS, samples) that never contradict the evidence, weighted."""
    shape = (RUNS, samples)
    values: dict[str, Bits] = {}
    weights = np.ones(shape)
    for name in network:  # parents are drawn before their children
        if name in evidence:
            values[name] = np.full(shape, evidence[name])
            weights *= probability(network, name, values) if weigh else 1.0
        else:
            one = probability(network, name, {**values, name: np.ones(shape, dtype=np.int64)})
            values[name] = (rng.random(shape) < one).astype(np.int64)
    so_far = weights.cumsum(1)
    # before the first sample with a weight there is no estimate: a half
    running = np.where(so_far > 0, (weights * values[query]).cumsum(1) / np.maximum(so_far, 1e-300), 0.5)
    return Estimates(running, float((weights.sum(1) ** 2 / (weights**2).sum(1)).mean()))


def redraw(
    network: Network, name: str, values: Mapping[str, Bits], rng: np.random.Generator, ask_children: bool
) -> Bits:
    """A new value of one node for every run, given all others: P(node | parents)·Π P(child | its parents)."""
    asked = [name, *(child for child in network if name in network[child].parents and ask_children)]
    odds = []
    for bit in (0, 1):
        trial = {**values, name: np.full(RUNS, bit)}
        odds.append(np.prod([probability(network, each, trial) for each in asked], axis=0))
    return np.asarray(rng.random(RUNS) * (odds[0] + odds[1]) < odds[1], dtype=np.int64)


def gibbs(
    network: Network, query: str, evidence: Mapping[str, int], samples: int, rng: np.random.Generator, weigh: bool
) -> Estimates:
    """P(query = 1 | evidence) from RUNS chains; the first tenth of each is dropped (burn-in)."""
    values = {name: np.full(RUNS, evidence.get(name, 1)) for name in network}
    unknown = [name for name in network if name not in evidence]
    drop = samples // 10
    seen = np.empty((RUNS, samples))
    for i in range(-drop, samples):
        for name in unknown:
            values[name] = redraw(network, name, values, rng, weigh)
        if i >= 0:
            seen[:, i] = values[query]
    running = seen.cumsum(1) / np.arange(1, samples + 1)
    p, spread = float(running[:, -1].mean()), float(running[:, -1].var(ddof=1))
    return Estimates(running, p * (1 - p) / spread if spread else float(samples))  # independent ones: p(1 - p)/N


def run(config: Config) -> Iterator[Event]:
    """Ask both questions in all three ways."""
    rng = np.random.default_rng(config.seed)
    network = rain_and_sprinkler(config.rain)
    questions = {"wet": {"wet": 1}, "wet, sprinkler": {"wet": 1, "sprinkler": 1}}
    exact = {name: enumerate_exactly(network, "rain", evidence) for name, evidence in questions.items()}
    found: dict[tuple[str, str], Estimates] = {}
    for name, evidence in questions.items():
        for method, sampler in (("likelihood weighting", likelihood_weighting), ("Gibbs", gibbs)):
            found[method, name] = sampler(network, "rain", evidence, config.samples, rng, not config.break_)

    marks = sorted({min(config.samples, round(1.4**i)) for i in range(2, 40)})
    errors: dict[str, list[float]] = {"likelihood weighting": [], "Gibbs": []}
    for mark in marks:
        for method, curve in errors.items():
            off = found[method, "wet"].running[:, mark - 1] - exact["wet"]
            curve.append(float(np.sqrt((off**2).mean())))
        values = {"error_weighting": errors["likelihood weighting"][-1], "error_gibbs": errors["Gibbs"][-1]}
        yield Metrics(mark, config.samples, values)
    log_marks = tuple(math.log10(mark) for mark in marks)
    independent = [math.sqrt(exact["wet"] * (1 - exact["wet"]) / mark) for mark in marks]
    yield Chart(
        "line",
        f"Error of P(rain | wet), root mean square over {RUNS} runs",
        "log10 of samples",
        "log10 of error",
        tuple(
            Series(name, log_marks, tuple(math.log10(max(error, 1e-9)) for error in curve))
            for name, curve in (*errors.items(), ("independent, 1/√N", independent))
        ),
    )
    rows: list[tuple[str, str, float, float | None, int | None]] = []
    off_by = []
    for name in questions:
        rows.append(("enumeration", name, round(exact[name], 4), None, None))
        for method in errors:
            estimate = found[method, name]
            off_by.append(abs(estimate.mean - exact[name]) / max(estimate.standard_error, 1e-12))
            rows.append(
                (
                    method,
                    name,
                    round(estimate.mean, 4),
                    round(estimate.standard_error, 5),
                    round(estimate.effective),
                )
            )
    columns = ("method", "given", "P(rain)", "standard error", "worth")
    yield Table(
        f"Means over {RUNS} runs, and what {config.samples} samples are worth; P(rain) = {config.rain:g}",
        columns,
        tuple(rows),
    )
    if config.break_:
        yield Note("--break: weights are 1 and the children are not asked, so the wet grass says nothing about rain.")
    away = {method: found[method, "wet"].mean - found[method, "wet, sprinkler"].mean for method in errors}
    away_exact = exact["wet"] - exact["wet, sprinkler"]
    signs = [away_exact > 0, *(gap > 0 for gap in away.values())]
    yield Verdict(
        "Likelihood weighting and Gibbs sampling are within 4 standard errors of enumeration on both questions, and "
        "all three find rain less likely once the sprinkler is known to have run",
        holds=max(off_by) <= 4 and all(signs),
        measured={
            "rain_given_wet": exact["wet"],
            "rain_given_wet_and_sprinkler": exact["wet, sprinkler"],
            "largest_off_in_standard_errors": max(off_by),
            "explained_away_weighting": away["likelihood weighting"],
            "explained_away_gibbs": away["Gibbs"],
            "effective_weighting": found["likelihood weighting", "wet"].effective,
            "effective_gibbs": found["Gibbs", "wet"].effective,
        },
    )


if __name__ == "__main__":
    main(run, Config)
