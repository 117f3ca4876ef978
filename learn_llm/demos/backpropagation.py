"""Backpropagation: the chain rule from the end to the start, every gradient in one sweep.

A number remembers which numbers it was made from, and how fast it changes with each of them (its local slope).
Sweeping from the result L back to the inputs, each node hands its own gradient on, times the local slope:

    ∂L/∂parent  +=  ∂node/∂parent · ∂L/∂node

The += is the whole subtlety: where a value is used twice, its two effects on L add up.  `--break` writes = there, the
most common mistake in a backward pass written by hand; then exactly the expressions that use a value twice come out
wrong.

One sweep gives the gradient for all n inputs at the cost of a few evaluations; finite differences need 2n
evaluations:

    ∂L/∂x ≈ (L(x + h) - L(x - h)) / 2h       error about h² from the curve, ε/h from rounding; h = 1e-5 balances them

Claim: for each operation and for a small network the gradients agree with finite differences and with torch.autograd
to a relative error below 1e-6, in double precision.  Relative means |a - b| / max(|a|, |b|, 0.001): below 0.001 it is
absolute.

    python -m learn_llm.demos.backpropagation [--hidden 16] [--break]

The idea of a teaching autodiff on single numbers is known from Karpathy's micrograd; reverse mode itself is
Linnainmaa 1970, and for networks Rumelhart, Hinton and Williams 1986.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

LIMIT = 1e-6


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    hidden: int = 6
    """Hidden units of the small network that is trained."""
    steps: int = 40
    """Steps of gradient descent on the small network."""
    step_size: float = 1.0
    """Learning rate of the small network."""

    def __post_init__(self) -> None:
        catalogue.check("backpropagation", self)


class Value:
    """A number that knows what it was made from.

    >>> x, y = Value(3.0), Value(2.0)
    >>> (x * y + x).backward()
    >>> x.grad, y.grad          # ∂/∂x = y + 1, ∂/∂y = x
    (3.0, 3.0)
    """

    def __init__(self, data: float, parents: "Sequence[tuple[Value, float]]" = ()) -> None:
        self.data = data
        self.parents = parents  # pairs (parent, local slope ∂self/∂parent)
        self.grad = 0.0

    def __add__(self, other: "Value | float") -> "Value":
        b = as_value(other)
        return Value(self.data + b.data, [(self, 1.0), (b, 1.0)])

    def __sub__(self, other: "Value | float") -> "Value":
        b = as_value(other)
        return Value(self.data - b.data, [(self, 1.0), (b, -1.0)])

    def __mul__(self, other: "Value | float") -> "Value":
        b = as_value(other)
        return Value(self.data * b.data, [(self, b.data), (b, self.data)])

    def __truediv__(self, other: "Value | float") -> "Value":
        b = as_value(other)
        return Value(self.data / b.data, [(self, 1 / b.data), (b, -self.data / b.data**2)])

    def __pow__(self, n: float) -> "Value":
        return Value(self.data**n, [(self, n * self.data ** (n - 1))])

    def exp(self) -> "Value":
        e = math.exp(self.data)
        return Value(e, [(self, e)])

    def log(self) -> "Value":
        return Value(math.log(self.data), [(self, 1 / self.data)])

    def tanh(self) -> "Value":
        t = math.tanh(self.data)
        return Value(t, [(self, 1 - t**2)])

    def sigmoid(self) -> "Value":
        s = 1 / (1 + math.exp(-self.data))
        return Value(s, [(self, s * (1 - s))])

    def relu(self) -> "Value":
        return Value(max(0.0, self.data), [(self, float(self.data > 0))])

    def backward(self, accumulate: bool = True) -> None:
        """Fill in `grad` of every value that this one was made from.  Without `accumulate` it is wrong on purpose."""
        order: list[Value] = []
        seen: set[Value] = set()

        def visit(node: Value) -> None:  # parents before children
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):  # a node's gradient is complete before it is handed on
            for parent, slope in node.parents:
                parent.grad = slope * node.grad + (parent.grad if accumulate else 0.0)


def as_value(x: "Value | float") -> Value:
    """A plain number as a constant: a Value without parents."""
    return x if isinstance(x, Value) else Value(x)


Scalar = Any
"""A Value or a torch scalar: an expression written once runs on both."""
Expression = Callable[[Sequence[Scalar]], Scalar]

EXPRESSIONS: dict[str, Expression] = {
    "a + b": lambda v: v[0] + v[1],
    "a - b": lambda v: v[0] - v[1],
    "a * b": lambda v: v[0] * v[1],
    "a / b": lambda v: v[0] / v[1],
    "a ** 3": lambda v: v[0] ** 3,
    "exp a": lambda v: v[0].exp(),
    "log b": lambda v: v[1].log(),
    "tanh a": lambda v: v[0].tanh(),
    "sigmoid a": lambda v: v[0].sigmoid(),
    "relu b": lambda v: v[1].relu(),
    "a * b + a": lambda v: v[0] * v[1] + v[0],
    "exp(a) * tanh(a)": lambda v: v[0].exp() * v[0].tanh(),
}


def gradients(expression: Expression, inputs: Sequence[float], accumulate: bool = True) -> list[float]:
    """∂expression/∂input for each input, by one backward sweep."""
    values = [Value(x) for x in inputs]
    expression(values).backward(accumulate)
    return [v.grad for v in values]


def finite_differences(expression: Expression, inputs: Sequence[float], h: float = 1e-5) -> list[float]:
    """The same by 2n evaluations: each input moved up and down by h.

    >>> [round(g, 6) for g in finite_differences(lambda v: v[0] * v[1], [3.0, 2.0])]
    [2.0, 3.0]
    """

    def at(i: int, x: float) -> float:
        result: Value = expression([Value(x if j == i else y) for j, y in enumerate(inputs)])
        return result.data

    return [(at(i, x + h) - at(i, x - h)) / (2 * h) for i, x in enumerate(inputs)]


def torch_gradients(expression: Expression, inputs: Sequence[float]) -> list[float]:
    """The same by torch.autograd, in double precision."""
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
    expression(tensors).backward()
    return [0.0 if t.grad is None else t.grad.item() for t in tensors]


def relative_error(a: Sequence[float], b: Sequence[float]) -> float:
    """The largest |a - b| / max(|a|, |b|, 0.001) over the pairs.

    >>> relative_error([2.0, 0.0], [1.0, 0.0])
    0.5
    """
    return max(abs(x - y) / max(abs(x), abs(y), 1e-3) for x, y in zip(a, b, strict=True))


def digits(error: float) -> float:
    """Decimal digits that agree: 1e-6 is 6.  At most 16, all that double precision has."""
    return min(16.0, max(0.0, -math.log10(max(error, 1e-16))))


def network_loss(points: Sequence[tuple[float, float, float]], hidden: int) -> Expression:
    """Mean squared error of a network 2 -> hidden tanh units -> 1 tanh unit, given its 4·hidden + 1 weights.

    Each point is (x1, x2, target).
    """

    def loss(w: Sequence[Scalar]) -> Scalar:
        total: Scalar = 0.0
        for x1, x2, target in points:
            out = w[-1]
            for u in range(hidden):
                w1, w2, bias, up = w[4 * u : 4 * u + 4]
                out = out + (w1 * x1 + w2 * x2 + bias).tanh() * up
            total = (out.tanh() - target) ** 2 + total
        return total * (1 / len(points))

    return loss


def run(config: Config) -> Iterator[Event]:
    """Check every expression and a network against two others, then train the network with the gradients."""
    rng = random.Random(config.seed)
    accumulate = not config.break_
    corners = [(a, b) for a in (-1.0, 1.0) for b in (-1.0, 1.0)] * 4
    points = [(a + rng.gauss(0, 0.2), b + rng.gauss(0, 0.2), -a * b) for a, b in corners]  # XOR, a little blurred
    loss = network_loss(points, config.hidden)
    weights = [rng.gauss(0, 0.5) for _ in range(4 * config.hidden + 1)]

    checks: list[tuple[str, Expression, list[float]]] = [
        (name, expression, [rng.uniform(-2, 2), rng.uniform(0.5, 2)]) for name, expression in EXPRESSIONS.items()
    ]
    checks.append(("network", loss, weights))
    errors: dict[str, tuple[float, float]] = {}  # against finite differences, against torch
    for name, expression, inputs in checks:
        ours = gradients(expression, inputs, accumulate)
        errors[name] = (
            relative_error(ours, finite_differences(expression, inputs)),
            relative_error(ours, torch_gradients(expression, inputs)),
        )
    names = tuple(errors)
    yield Chart(
        "bar",
        "Digits on which all three gradients agree (the claim: at least 6)",
        "expression",
        "digits",
        (Series("digits", names, tuple(round(digits(max(pair)), 1) for pair in errors.values())),),
    )
    yield Table(
        "Largest relative error",
        ("expression", "finite differences", "torch.autograd"),
        tuple((name, f"{fd:.1e}", f"{exact:.1e}") for name, (fd, exact) in errors.items()),
    )
    yield Note(
        f"The network has {len(weights)} weights: finite differences took {2 * len(weights)} evaluations, "
        "backpropagation one evaluation and one sweep."
    )
    if config.break_:
        yield Note("--break: gradients are overwritten where they should be added; look which expressions suffer.")

    losses = []
    for step in range(1, config.steps + 1):
        values = [Value(w) for w in weights]
        result = loss(values)
        result.backward(accumulate)
        weights = [v.data - config.step_size * v.grad for v in values]
        losses.append(result.data)
        yield Metrics(step, config.steps, {"squared_error": result.data})
    yield Chart(
        "line",
        "The network learns XOR with these gradients",
        "step",
        "mean squared error",
        (Series("loss", tuple(range(1, config.steps + 1)), tuple(losses)),),
    )
    worst = max(max(pair) for pair in errors.values())
    yield Verdict(
        "Backpropagation agrees with finite differences and with torch.autograd to a relative error below 1e-6, "
        "for every operation and for a whole network",
        holds=worst < LIMIT,
        measured={
            "max_relative_error": worst,
            "network_error_finite_differences": errors["network"][0],
            "network_error_torch": errors["network"][1],
            "loss_first": losses[0],
            "loss_last": losses[-1],
        },
    )


if __name__ == "__main__":
    main(run, Config)
