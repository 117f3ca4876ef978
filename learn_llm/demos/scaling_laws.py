"""Scaling laws: measure small models, predict the large one before paying for it.

    L(N, D) = E + A·N^(-α) + B·D^(-β)      N parameters, D tokens (Hoffmann et al. 2022, arXiv 2203.15556)
    C ≈ 6·N·D                              FLOPs of training: 2 per parameter and token forward, 4 backward

E is irreducible: the noise in the data, of a text its entropy.  L - E is a straight line in log-log axes.  At a fixed
budget C Chinchilla's rule lets N and D grow alike, at about 20 tokens per parameter.

Where do power laws come from?  One answer can be run in a second (Maloney et al. 2022, arXiv 2210.16859): the data have
many directions, the k-th with variance ~ k^(-1-a), few that matter much and very many that matter little.  A model with
N random features resolves about the first N of them, and what is left over is a sum of the others, ~ N^(-a).

    model       y = Σ θ_j·φ_j(x),  φ = F·x,  F random (N, M);  θ is the best there is, as after endless data
    loss        E[(y - w·x - noise)²],   E[noise²] = the floor

Claim: fitted on five sizes the law with a floor has R² > 0.95 in log-log axes and predicts the loss of the sixth,
twice as large, within 10 %; without a floor it is further off.

`--break` makes all directions equally important.  Then there is nothing that a larger model resolves first: the loss
falls by 1/M with every feature, which is no power law, and no floor is found.

    python -m learn_llm.demos.scaling_laws [--floor 0] [--break]
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

Array = NDArray[np.float64]
SIZES = (8, 16, 32, 64, 128, 256)
"""Parameters of the models; the last is held out of the fit."""
DIRECTIONS = 4000
TOKENS_PER_PARAMETER = 20


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    spectrum: float = 0.8
    """a: the k-th direction of the data has the variance k^(-1-a)."""
    floor: float = 0.1
    """E: variance of the noise, where the signal has 1."""
    draws: int = 16
    """Models of each size; their mean loss is fitted."""

    def __post_init__(self) -> None:
        catalogue.check("scaling-laws", self)


def training_flops(parameters: float, tokens: float) -> float:
    """C ≈ 6·N·D.  Chinchilla had 70B parameters and 1.4T tokens:

    >>> f"{training_flops(70e9, 1.4e12):.2g}"
    '5.9e+23'
    """
    return 6 * parameters * tokens


def compute_optimal(flops: float) -> tuple[float, float]:
    """Parameters and tokens for a budget, at 20 tokens per parameter: both grow like √C.

    >>> n, d = compute_optimal(5.88e23)
    >>> f"{n:.2g} parameters, {d:.2g} tokens"
    '7e+10 parameters, 1.4e+12 tokens'
    """
    parameters = math.sqrt(flops / (6 * TOKENS_PER_PARAMETER))
    return parameters, TOKENS_PER_PARAMETER * parameters


def variances(directions: int, a: float) -> Array:
    """Of the data's directions, (M,), ~ k^(-1-a), summing to 1.

    >>> variances(2, 1.0)
    array([0.8, 0.2])
    """
    power = np.arange(1.0, directions + 1) ** (-1 - a)
    return np.asarray(power / power.sum())


def reducible_losses(variance: Array, sizes: Sequence[int], rng: np.random.Generator) -> Array:
    """What the best model of each size leaves over, E[(y - w·x)²], for one draw of the target w and of the features.

    In units of √variance the features span N directions of M; what lies across them stays.
    """
    scale = np.sqrt(variance)
    target = scale * rng.choice([-1.0, 1.0], size=len(variance))  # (M,), with squared length 1
    features = scale[:, None] * rng.normal(size=(len(variance), max(sizes)))  # (M, N)
    basis = np.linalg.qr(features)[0]  # the first N columns span what the first N features span
    explained = np.cumsum((basis.T @ target) ** 2)
    return np.array([1 - explained[n - 1] for n in sizes])


def fit_line(x: Array, y: Array) -> tuple[float, float, float]:
    """Least-squares slope, intercept and R².

    >>> fit_line(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]))
    (2.0, 1.0, 1.0)
    """
    slope, intercept = (round(float(c), 12) for c in np.polyfit(x, y, 1))
    rest = y - (slope * x + intercept)
    spread = ((y - y.mean()) ** 2).sum()
    return slope, intercept, float(1 - (rest**2).sum() / spread)


@dataclass(frozen=True)
class PowerLaw:
    """L = E + A·N^(-α), and how straight log(L - E) is."""

    floor: float
    factor: float
    alpha: float
    r_squared: float

    def __call__(self, n: float) -> float:
        return float(self.floor + self.factor * n**-self.alpha)


def fit_power_law(n: Array, loss: Array, floor: float | None = None) -> PowerLaw:
    """The law that fits best in log L; where the floor is not given, it is searched below the lowest loss.

    >>> n = np.array([10.0, 100.0, 1000.0, 10000.0])
    >>> law = fit_power_law(n, 0.5 + 2 * n**-0.5)
    >>> round(law.floor, 2), round(law.alpha, 2), round(law.factor, 1)
    (0.5, 0.5, 2.0)
    """

    def at(floor: float) -> tuple[float, PowerLaw]:
        slope, intercept, r_squared = fit_line(np.log(n), np.log(loss - floor))
        law = PowerLaw(floor, math.exp(intercept), -slope, r_squared)
        return float(((np.log([law(size) for size in n]) - np.log(loss)) ** 2).sum()), law

    floors = np.linspace(0, 0.999 * loss.min(), 1000) if floor is None else [floor]
    return min((at(float(e)) for e in floors), key=lambda pair: pair[0])[1]


def run(config: Config) -> Iterator[Event]:
    """Measure models of growing size, fit the smaller ones, and compare the prediction with the largest."""
    rng = np.random.default_rng(config.seed)
    spectrum = np.full(DIRECTIONS, 1 / DIRECTIONS) if config.break_ else variances(DIRECTIONS, config.spectrum)
    draws: list[Array] = []
    for step in range(1, config.draws + 1):
        draws.append(config.floor + reducible_losses(spectrum, SIZES, rng))
        smallest, largest = (float(np.mean([draw[i] for draw in draws])) for i in (0, -1))
        yield Metrics(step, config.draws, {"loss_smallest_model": smallest, "loss_largest_model": largest})
    losses = np.mean(draws, axis=0)

    sizes = np.array(SIZES, dtype=np.float64)
    law = fit_power_law(sizes[:-1], losses[:-1])
    pure = fit_power_law(sizes[:-1], losses[:-1], floor=0.0)
    actual = float(losses[-1])
    log_sizes = tuple(math.log10(n) for n in SIZES)
    yield Chart(
        "line",
        f"Loss by size; the last, N = {SIZES[-1]}, was not fitted",
        "log10 of N",
        "log10 of loss",
        (
            Series("measured", log_sizes, tuple(math.log10(loss) for loss in losses)),
            Series("E + A·N^-α", log_sizes, tuple(math.log10(law(n)) for n in SIZES)),
            Series("A·N^-α", log_sizes, tuple(math.log10(pure(n)) for n in SIZES)),
        ),
    )
    yield Chart(
        "line",
        "Without the fitted floor: a straight line",
        "log10 of N",
        "log10 of loss - E",
        (Series("measured", log_sizes[:-1], tuple(math.log10(loss - law.floor) for loss in losses[:-1])),),
    )
    yield Table(
        f"Prediction for N = {SIZES[-1]} from N = {SIZES[0]} to {SIZES[-2]}",
        ("law", "E", "α", "R²", "predicted", "measured", "error"),
        tuple(
            (
                name,
                *(round(x, 4) for x in (fit.floor, fit.alpha, fit.r_squared, fit(SIZES[-1]), actual)),
                f"{fit(SIZES[-1]) / actual - 1:+.1%}",
            )
            for name, fit in (("E + A·N^-α", law), ("A·N^-α", pure))
        ),
    )
    rows = []
    for name, parameters, tokens in (
        ("Gopher", 280e9, 0.3e12),
        ("Chinchilla", 70e9, 1.4e12),
        ("Llama 2 7B", 7e9, 2e12),
    ):
        flops = training_flops(parameters, tokens)
        best = compute_optimal(flops)[0]
        rows.append(
            (name, f"{parameters:.3g}", f"{tokens:.2g}", f"{flops:.2g}", round(tokens / parameters, 1), f"{best:.2g}")
        )
    yield Table(
        "C = 6·N·D (arithmetic, nothing measured)",
        ("model", "N", "D", "C", "tokens per parameter", "N by the rule of 20"),
        tuple(rows),
    )
    if config.break_:
        yield Note("--break: all directions of the data have the same variance.")

    error, pure_error = abs(law(SIZES[-1]) / actual - 1), abs(pure(SIZES[-1]) / actual - 1)
    yield Verdict(
        f"A power law with a floor, fitted on N = {SIZES[0]} to {SIZES[-2]}, has R² > 0.95 in log-log axes and "
        f"predicts the loss at N = {SIZES[-1]} within 10 %; without a floor it is further off",
        holds=law.r_squared > 0.95 and error < 0.1 and error < pure_error,
        measured={
            "r_squared": law.r_squared,
            "prediction_error": error,
            "prediction_error_without_floor": pure_error,
            "alpha": law.alpha,
            "floor_fitted": law.floor,
            "floor_true": config.floor,
            "loss_measured": actual,
        },
    )


if __name__ == "__main__":
    main(run, Config)
