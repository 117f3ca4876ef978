"""Activation functions: without a bend between the layers, depth is one matrix.

    W2·(W1·x + b1) + b2  =  (W2·W1)·x + (W2·b1 + b2)

So a stack of linear layers draws the boundaries of a single one: straight lines.  XOR shows the limit.  Its classes lie
on the two diagonals of a square; take one point from each corner: the diagonals cross, so no line puts both ends of
one on one side and both ends of the other on the other.  Of each such four at most three can be right: 75 %.

The same small network learns blurred XOR four times, with

    identity   z
    sigmoid    1/(1 + exp(-z))     slope at most 1/4: ten layers pass at most 0.25¹⁰ of a gradient
    tanh       tanh z              slope at most 1
    ReLU       max(0, z)           slope 1 where z > 0 (Glorot, Bordes and Bengio 2011)

    out = W2·act(W1·x + b1) + b2,  p = sigmoid(out),  loss = cross-entropy

The gradients are written out in `gradients`: two layers need no library.

Claim: with the identity at most 75 % are right, and the network equals one matrix and one bias to 1e-6; with ReLU at
least 99 % are right.  `--break` takes the bend away: every activation is the identity.

    python -m learn_llm.demos.activations [--hidden 4] [--break]
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

Array = NDArray[np.float64]
BLUR = 0.2
"""Points lie up to this far from their corner in each direction; at 0.25 a line could do better than 75 %."""
PER_CORNER = 50


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    hidden: int = 16
    """Hidden units."""
    steps: int = 1000
    """Steps of gradient descent."""
    step_size: float = 1.0
    """Learning rate."""

    def __post_init__(self) -> None:
        catalogue.check("activations", self)


class Activation(NamedTuple):
    """A function and its slope, both applied number by number."""

    function: Callable[[Array], Array]
    slope: Callable[[Array], Array]


def sigmoid(z: Array) -> Array:
    """1/(1 + exp(-z)), by way of tanh, which does not overflow.

    >>> sigmoid(np.array([0.0, 800.0, -800.0]))
    array([0.5, 1. , 0. ])
    """
    return np.asarray(0.5 + 0.5 * np.tanh(z / 2))


ACTIVATIONS = {
    "identity": Activation(lambda z: z, np.ones_like),
    "sigmoid": Activation(sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": Activation(np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "ReLU": Activation(lambda z: np.maximum(z, 0.0), lambda z: (z > 0).astype(np.float64)),
}


class Network(NamedTuple):
    """Two layers: w1 (2, h), b1 (h,), w2 (h,), b2 (1,)."""

    w1: Array
    b1: Array
    w2: Array
    b2: Array


def forward(network: Network, x: Array, act: Activation) -> Array:
    """The logits (n,) for the points x (n, 2).

    Two ReLU units solve XOR by hand: relu(x1 + x2) - 2·relu(x1 + x2 - 1).

    >>> by_hand = Network(np.ones((2, 2)), np.array([0.0, -1.0]), np.array([1.0, -2.0]), np.zeros(1))
    >>> forward(by_hand, np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]]), ACTIVATIONS["ReLU"])
    array([0., 1., 1., 0.])
    """
    return np.asarray(act.function(x @ network.w1 + network.b1) @ network.w2 + network.b2)


def collapse(network: Network) -> tuple[Array, Array]:
    """The single matrix W2·W1 (2,) and bias W2·b1 + b2 (1,) that a network with the identity is equal to.

    >>> network = Network(np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([1.0, 0.0]), np.array([3.0, 1.0]), np.ones(1))
    >>> collapse(network)
    (array([5., 1.]), array([4.]))
    """
    return network.w1 @ network.w2, network.b1 @ network.w2 + network.b2


def gradients(network: Network, x: Array, labels: Array, act: Activation) -> Network:
    """The gradient of the mean cross-entropy for each parameter, by the chain rule from the loss backwards."""
    before = x @ network.w1 + network.b1  # (n, h)
    hidden = act.function(before)
    error = (sigmoid(hidden @ network.w2 + network.b2) - labels) / len(x)  # (n,): ∂loss/∂out = p - y
    behind = error[:, None] * network.w2 * act.slope(before)  # (n, h): here the slope comes in
    return Network(x.T @ behind, behind.sum(0), hidden.T @ error, error.sum(keepdims=True))


def step(network: Network, gradient: Network, step_size: float) -> Network:
    return Network(*(w - step_size * g for w, g in zip(network, gradient, strict=True)))


def new_network(rng: np.random.Generator, hidden: int) -> Network:
    """He's initialisation: standard deviation √(2/inputs), biases 0."""
    return Network(
        rng.normal(size=(2, hidden)), np.zeros(hidden), rng.normal(size=hidden) * (2 / hidden) ** 0.5, np.zeros(1)
    )


def xor(rng: np.random.Generator, per_corner: int) -> tuple[Array, Array]:
    """Points around the corners of the unit square, moved to be centred on 0 (n, 2), and their labels (n,)."""
    corners = np.repeat(np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), per_corner, axis=0)
    labels = (corners[:, 0] != corners[:, 1]).astype(np.float64)
    return corners + rng.uniform(-BLUR, BLUR, corners.shape) - 0.5, labels


def accuracy(logits: Array, labels: Array) -> float:
    """Share of logits on the right side of 0.

    >>> accuracy(np.array([3.0, -1.0, 0.5, 2.0]), np.array([1.0, 0.0, 1.0, 0.0]))
    0.75
    """
    return float(((logits > 0) == (labels > 0.5)).mean())


def best_line(x: Array, labels: Array, angles: int = 180) -> float:
    """The best accuracy of any straight line, over many directions and all offsets.

    >>> best_line(np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]]), np.array([0.0, 1, 1, 0]))
    0.75
    """
    best = 0.0
    for angle in np.linspace(0, np.pi, angles, endpoint=False) + 0.01:  # + 0.01: not along the axes, where points tie
        order = np.argsort(x @ np.array([np.cos(angle), np.sin(angle)]))
        wrong_below = np.concatenate([[0.0], np.cumsum(2 * labels[order] - 1)])  # if the first i are called 0
        right = (labels.sum() - wrong_below) / len(labels)
        best = max(best, float(right.max()), float(1 - right.min()))
    return best


def decision_map(name: str, network: Network, act: Activation) -> Chart:
    """Which class the network says over the plane, 0 or 1; the corners of XOR are at 0 and 1."""
    across, down = np.linspace(-0.3, 1.3, 33), np.linspace(1.3, -0.3, 11)
    columns = tuple(f"{round(x, 1) + 0.0:.1f}" for x in across)
    rows = []
    for height in down:
        points = np.stack([across, np.full_like(across, height)], axis=1) - 0.5
        says = (forward(network, points, act) > 0).astype(np.float64)
        rows.append(Series(f"{round(height, 1) + 0.0:.1f}", columns, tuple(says.tolist())))
    return Chart("heatmap", f"{name}: the class it says over the plane", "x1", "x2", tuple(rows))


def run(config: Config) -> Iterator[Event]:
    """Train the same network from the same weights with each activation."""
    rng = np.random.default_rng(config.seed)
    x, labels = xor(rng, PER_CORNER)
    test, truth = xor(rng, PER_CORNER)
    start = new_network(rng, config.hidden)
    used = {name: ACTIVATIONS["identity"] if config.break_ else act for name, act in ACTIVATIONS.items()}
    networks = dict.fromkeys(used, start)
    at: list[int] = []
    curves: dict[str, list[float]] = {name: [] for name in used}
    steps = config.steps
    for number in range(1, steps + 1):
        for name, act in used.items():
            networks[name] = step(networks[name], gradients(networks[name], x, labels, act), config.step_size)
        if number % max(1, steps // 20) == 0:
            at.append(number)
            for name, act in used.items():
                curves[name].append(accuracy(forward(networks[name], test, act), truth))
            yield Metrics(number, steps, {"accuracy": curves["ReLU"][-1], "accuracy_linear": curves["identity"][-1]})

    yield Chart(
        "line",
        "Accuracy on new points",
        "step",
        "accuracy",
        tuple(Series(name, tuple(at), tuple(curve)) for name, curve in curves.items()),
    )
    for name in ("identity", "ReLU"):
        yield decision_map(name, networks[name], used[name])
    line = best_line(test, truth)
    grid = np.linspace(-8, 8, 1601)
    rows = []
    for name, act in used.items():
        steepest = float(act.slope(grid).max())
        dead = int((act.function(x @ networks[name].w1 + networks[name].b1) == 0).all(0).sum())
        rows.append((name, curves[name][-1], steepest, f"{steepest**10:.1e}", dead))
    columns = ("activation", "accuracy", "largest slope", "ten layers pass at most", "dead units")
    yield Table("After training", columns, tuple(rows))
    matrix, bias = collapse(networks["identity"])
    gap = float(np.abs(forward(networks["identity"], test, used["identity"]) - (test @ matrix + bias)).max())
    yield Note(
        f"The best of all straight lines gets {line:.1%} right. The trained identity network is the one matrix "
        f"({matrix[0]:.3f}, {matrix[1]:.3f}) with bias {bias[0]:.3f}, to {gap:.0e}."
    )
    if config.break_:
        yield Note("--break: every activation is the identity, so all four networks are straight lines.")

    linear, bent = curves["identity"][-1], curves["ReLU"][-1]
    yield Verdict(
        "With the identity at most 75 % of XOR are right and the network equals a single matrix to 1e-6; with ReLU at "
        "least 99 % are right",
        holds=linear <= 0.75 and gap < 1e-6 and bent >= 0.99,
        measured={
            "accuracy_identity": linear,
            "accuracy_sigmoid": curves["sigmoid"][-1],
            "accuracy_tanh": curves["tanh"][-1],
            "accuracy_relu": bent,
            "best_line": line,
            "collapse_error": gap,
        },
    )


if __name__ == "__main__":
    main(run, Config)
