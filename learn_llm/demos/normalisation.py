"""Normalisation: keep the scale of the activations, whatever the weights below do.

    y = γ·(x - μ)/√(σ² + ε) + β         over which numbers are μ and σ taken?

    batch norm     one feature over the batch     (Ioffe and Szegedy 2015, arXiv 1502.03167)
    layer norm     the features of one token      (Ba et al. 2016, arXiv 1607.06450)
    RMSNorm        likewise, without the mean     y = γ·x/√(mean(x²) + ε)    (Zhang and Sennrich 2019, arXiv 1910.07467)

γ and β are learned, one of each per feature; here they are 1 and 0.

A residual stack x ← x + f(x), whose branches f keep the variance of their input, doubles the variance at every layer:
2²⁴ = 17 million after 24.  Where the norm stands decides what becomes of it:

    no norm      x + f(x)             doubles
    pre-norm     x + f(norm(x))       each branch adds about 1: linear in depth, and the path of x stays untouched
    post-norm    norm(x + f(x))       1 after every layer

Claim: without a norm the variance grows more than 100-fold, with pre-norm to at most twice the number of layers plus
one; RMSNorm equals layer norm where the mean of x is 0 (and not elsewhere); and other examples of a batch change what
batch norm gives for one example, but not what layer norm gives.

`--break` takes the norm in the pre-norm stack away; what is left is the stack without one.

    python -m learn_llm.demos.normalisation [--layers 48] [--break]
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
BATCH, EPSILON = 64, 1e-8
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    layers: int = 24
    """Layers of the stacks."""
    width: int = 128
    """Features of a token."""
    gain: float = 1.0
    """Factor on what every branch gives; 1 keeps the variance."""

    def __post_init__(self) -> None:
        catalogue.check("normalisation", self)


def layer_norm(x: Array) -> Array:
    """Each row of (..., d) gets mean 0 and variance 1.

    >>> np.round(layer_norm(np.array([1.0, 2.0, 3.0, 6.0])), 2)
    array([-1.07, -0.53,  0.  ,  1.6 ])
    """
    return np.asarray((x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + EPSILON))


def rms_norm(x: Array) -> Array:
    """Each row of (..., d) gets a mean square of 1; its mean stays where it is.

    >>> np.round(rms_norm(np.array([1.0, 2.0, 3.0, 6.0])), 2)
    array([0.28, 0.57, 0.85, 1.7 ])
    """
    return np.asarray(x / np.sqrt((x**2).mean(-1, keepdims=True) + EPSILON))


def batch_norm(x: Array) -> Array:
    """Each column of (B, d) gets mean 0 and variance 1, as in training (at inference: by running averages).

    >>> batch_norm(np.array([[1.0, 10.0], [3.0, 30.0]]))
    array([[-1., -1.],
           [ 1.,  1.]])
    """
    return np.asarray((x - x.mean(0)) / np.sqrt(x.var(0) + EPSILON))


def branch(x: Array, w1: Array, w2: Array) -> Array:
    """What a layer adds, W₂·relu(W₁·x): (B, d) with two (d, d) gives (B, d).

    Random weights of variance 2/d and 1/d keep the mean square: relu halves it, W₁ has doubled it (He et al. 2015).
    """
    return np.asarray(np.maximum(x @ w1, 0) @ w2)


def influence_of_others(norm: Callable[[Array], Array], x: Array, others: Array) -> float:
    """Largest change in what `norm` gives for the first row of (B, d), when the rows behind it are exchanged."""
    exchanged = np.concatenate((x[:1], others))
    return float(np.abs(norm(x)[0] - norm(exchanged)[0]).max())


def run(config: Config) -> Iterator[Event]:
    """Send the same tokens through three stacks with the same weights, then compare the norms."""
    rng = np.random.default_rng(config.seed)
    d = config.width
    start = rng.normal(size=(BATCH, d))
    pre = (lambda x: x) if config.break_ else rms_norm
    stacks: dict[str, Callable[[Array, Array, Array], Array]] = {
        "no norm": lambda x, w1, w2: x + config.gain * branch(x, w1, w2),
        "pre-norm": lambda x, w1, w2: x + config.gain * branch(pre(x), w1, w2),
        "post-norm": lambda x, w1, w2: rms_norm(x + config.gain * branch(x, w1, w2)),
    }
    streams = dict.fromkeys(stacks, start)
    variances = {name: [float(start.var())] for name in stacks}
    for layer in range(1, config.layers + 1):
        w1 = rng.normal(0, math.sqrt(2 / d), (d, d))
        w2 = rng.normal(0, math.sqrt(1 / d), (d, d))
        for name, through in stacks.items():
            streams[name] = through(streams[name], w1, w2)
            variances[name].append(float(streams[name].var()))
        values = {"variance": variances["no norm"][-1], "variance_norm": variances["pre-norm"][-1]}
        yield Metrics(layer, config.layers, values)

    yield Chart(
        "line",
        "Variance of the residual stream",
        "layer",
        "log10 of variance",
        tuple(
            Series(name, tuple(range(config.layers + 1)), tuple(math.log10(v) for v in line))
            for name, line in variances.items()
        ),
    )
    vector = np.array([1.0, 2.0, 3.0, 6.0])
    norms = {"layer norm": layer_norm, "RMSNorm": rms_norm}
    rows = [(f"{name} of {said}", *np.round(norm(x), 2).tolist())
            for said, x in (("x", vector), ("x - mean", vector - vector.mean()))
            for name, norm in norms.items()]  # fmt: skip
    yield Table("x = (1, 2, 3, 6)", ("", "x1", "x2", "x3", "x4"), tuple(rows))

    x = rng.normal(1.0, 2.0, (BATCH, d))
    centred = x - x.mean(-1, keepdims=True)
    same = float(np.abs(rms_norm(centred) - layer_norm(centred)).max())
    elsewhere = float(np.abs(rms_norm(x) - layer_norm(x)).max())
    others = rng.normal(1.0, 2.0, (BATCH - 1, d))
    coupled = {name: influence_of_others(norm, x, others) for name, norm in {**norms, "batch norm": batch_norm}.items()}
    yield Table(
        "Change of one example when the rest of its batch is exchanged",
        ("norm", "largest change"),
        tuple((name, round(change, 4)) for name, change in coupled.items()),
    )
    if config.break_:
        yield Note("--break: the pre-norm stack has lost its norm.")

    growth = {name: line[-1] / line[0] for name, line in variances.items()}
    bound = 2 * (config.layers + 1)
    independent = coupled["layer norm"] == coupled["RMSNorm"] == 0 and coupled["batch norm"] > 0.01
    yield Verdict(
        f"Over {config.layers} layers the variance grows more than 100-fold without a norm and at most {bound}-fold "
        "with pre-norm; RMSNorm is layer norm where the mean is 0, and not elsewhere; only batch norm makes an example "
        "depend on the others of its batch",
        holds=growth["no norm"] > 100 and growth["pre-norm"] <= bound and same < TOLERANCE < elsewhere and independent,
        measured={
            "growth_no_norm": growth["no norm"],
            "growth_pre_norm": growth["pre-norm"],
            "growth_post_norm": growth["post-norm"],
            "difference_at_mean_0": same,
            "difference_elsewhere": elsewhere,
            "influence_batch_norm": coupled["batch norm"],
            "influence_layer_norm": coupled["layer norm"],
        },
    )


if __name__ == "__main__":
    main(run, Config)
