"""Gradient descent: against the gradient, and the largest curvature says how far.

    θ ← θ - η·∇L(θ)

On a quadratic L = ½·θᵀAθ, along an eigenvector of A with eigenvalue λ, a step multiplies the distance to the minimum:

    x ← x - η·λ·x = (1 - η·λ)·x          shrinks exactly where 0 < η < 2/λ

All directions share one η, so the steepest decides whether it converges, the flattest how long that takes:

    converges  ⇔  η < 2/λmax
    best rate  η = 2/(λmax + λmin),   factor per step (κ - 1)/(κ + 1),   κ = λmax/λmin
                                                             (Boyd and Vandenberghe 2004, chapter 9.3)

With gradients from a mini-batch, right on average but noisy, a constant rate ends in a cloud around the minimum; a
rate that decays ends closer to it.

Claim: at 1.99/λmax the loss falls to below a hundredth, at 2.01/λmax it grows more than a hundredfold; at the best rate
it falls as fast as κ says; with noisy gradients a decaying rate ends below a constant one.  `--break` computes the
limit from the flattest direction, λmin: then every rate is far too large.

    python -m learn_llm.demos.gradient_descent [--kappa 1000] [--break]
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
DIMENSIONS = 20
STEEPEST = 10.0
"""λmax."""
ENOUGH = 1e12
"""A loss this many times the first one has diverged; the run stops there."""
FLOOR = 1e-6
"""The charts draw no smaller loss."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    kappa: float = 10.0
    """κ = λmax/λmin: how much steeper the steepest direction is than the flattest."""
    steps: int = 500
    """Steps of each run."""
    noise: float = 1.0
    """Standard deviation of the noise in each number of a mini-batch gradient."""

    def __post_init__(self) -> None:
        catalogue.check("gradient-descent", self)


def loss(a: Array, theta: Array) -> float:
    """½·θᵀAθ.

    >>> loss(np.diag([10.0, 1.0]), np.array([1.0, 2.0]))
    7.0
    """
    return float(theta @ a @ theta / 2)


def descend(a: Array, theta: Array, rates: Array, noise: Array | None = None) -> list[float]:
    """The loss before the first step and after each one, at the rates (steps,), with noise (steps, d) on the gradient.

    One direction of curvature 10 at rate 0.21: the factor is 1 - 2.1 = -1.1, on the loss 1.21.

    >>> [round(l, 3) for l in descend(np.array([[10.0]]), np.array([1.0]), np.full(2, 0.21))]
    [5.0, 6.05, 7.321]
    """
    losses = [loss(a, theta)]
    for i, rate in enumerate(rates):
        gradient = a @ theta + (0.0 if noise is None else noise[i])
        theta = theta - rate * gradient
        losses.append(loss(a, theta))
        if losses[-1] > ENOUGH * losses[0]:
            break
    return losses


def shrinkage(losses: list[float]) -> float:
    """The factor per step by which the distance to the minimum shrinks in the end; the loss goes with its square.

    >>> shrinkage([0.25**i for i in range(20)])
    0.5
    """
    last = max(i for i, value in enumerate(losses) if value > 1e-100 * losses[0])
    first = last // 2
    return float((losses[last] / losses[first]) ** (1 / (2 * (last - first)))) if last > first else 0.0


def thin(values: list[float], points: int = 150) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """About `points` of the values, as steps and log10 of the values."""
    every = max(1, len(values) // points)
    chosen = range(0, len(values), every)
    return tuple(float(i) for i in chosen), tuple(math.log10(max(values[i], FLOOR)) for i in chosen)


def run(config: Config) -> Iterator[Event]:
    """The same start at rates just below and just above the limit, at the best rate and at a small one; then noise."""
    rng = np.random.default_rng(config.seed)
    eigenvalues = np.geomspace(STEEPEST / config.kappa, STEEPEST, DIMENSIONS)
    directions = np.linalg.qr(rng.normal(size=(DIMENSIONS, DIMENSIONS)))[0]
    a = directions * eigenvalues @ directions.T
    start = directions @ (1 / np.sqrt(eigenvalues))  # every direction has the same share of the first loss
    flattest = STEEPEST / config.kappa
    limit_from = flattest if config.break_ else STEEPEST
    best = 2 / (limit_from + flattest)
    rates = {
        "0.02/λmax": 0.02 / limit_from,
        "best": best,
        "1.99/λmax": 1.99 / limit_from,
        "2.01/λmax": 2.01 / limit_from,
    }
    constant = np.ones(config.steps)
    curves = {}
    for index, (name, rate) in enumerate(rates.items(), 1):
        curves[name] = descend(a, start, rate * constant)
        values = {"learning_rate": rate, "loss_ratio": curves[name][-1] / curves[name][0]}
        yield Metrics(index, len(rates) + 2, values)
    noise = rng.normal(size=(config.steps, DIMENSIONS)) * config.noise
    decay = 0.5 + 0.5 * np.cos(math.pi * np.arange(config.steps) / config.steps)  # 1 to 0 along a cosine
    noisy_rate = best / 2
    noisy = {
        "constant": descend(a, start, noisy_rate * constant, noise),
        "cosine": descend(a, start, noisy_rate * decay, noise),
    }
    for index, (name, curve) in enumerate(noisy.items(), len(rates) + 1):
        last = float(decay[-1]) if name == "cosine" else 1.0
        yield Metrics(index, len(rates) + 2, {"learning_rate": noisy_rate * last, "loss_ratio": curve[-1] / curve[0]})

    yield Chart(
        "line",
        "The loss at four rates",
        "step",
        "log10 of loss",
        tuple(Series(name, *thin(curve)) for name, curve in curves.items()),
    )
    yield Chart(
        "line",
        "Noisy gradients: a constant rate and a decaying one",
        "step",
        "log10 of loss",
        tuple(Series(name, *thin(curve)) for name, curve in noisy.items()),
    )
    ratios = {name: curve[-1] / curve[0] for name, curve in curves.items()}
    expected = (config.kappa - 1) / (config.kappa + 1)
    per_step = shrinkage(curves["best"])
    yield Table(
        f"After {config.steps} steps, λmax = {STEEPEST:g}, κ = {config.kappa:g}",
        ("rate", "η", "factor, steepest", "factor, flattest", "loss / first loss"),
        tuple(
            (name, round(rate, 5), round(1 - rate * STEEPEST, 4), round(1 - rate * flattest, 4), f"{ratios[name]:.1e}")
            for name, rate in rates.items()
        ),
    )
    yield Note(
        f"At the best rate the distance shrinks by a factor {per_step:.4f} per step, (κ - 1)/(κ + 1) is {expected:.4f}."
    )
    if config.break_:
        yield Note("--break: the limit was taken from the flattest direction; the steepest one does not forgive it.")
    tail = config.steps // 10
    cloud = {name: float(np.mean(curve[-tail:])) for name, curve in noisy.items()}
    final = {name: curve[-1] for name, curve in noisy.items()}
    yield Verdict(
        "At 1.99/λmax the loss falls to below 1/100, at 2.01/λmax it grows more than a hundredfold; the best rate "
        "shrinks the distance by (κ - 1)/(κ + 1) a step to 2 %; with noise a decaying rate ends below a constant one",
        holds=ratios["1.99/λmax"] < 0.01
        and ratios["2.01/λmax"] > 100
        and abs(per_step / expected - 1) < 0.02
        and final["cosine"] < cloud["constant"],
        measured={
            "loss_ratio_below_limit": ratios["1.99/λmax"],
            "loss_ratio_above_limit": ratios["2.01/λmax"],
            "factor_best_rate": per_step,
            "factor_expected": expected,
            "noisy_constant": cloud["constant"],
            "noisy_cosine": final["cosine"],
        },
    )


if __name__ == "__main__":
    main(run, Config)
