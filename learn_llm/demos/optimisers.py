"""SGD, momentum, Adam: the same gradient, and three ways to remember the ones before it.

    GD          θ ← θ - η·g
    momentum    v ← β·v + g;   θ ← θ - η·v                              heavy ball (Polyak 1964)
    Adam        m ← β₁·m + (1-β₁)·g,   s ← β₂·s + (1-β₂)·g²
                θ ← θ - η·m' / (√s' + ε),   m' = m/(1-β₁ᵗ),  s' = s/(1-β₂ᵗ)      (Kingma and Ba 2014, arXiv 1412.6980)

On a quadratic bowl with curvatures from μ to L, κ = L/μ, gradient descent has to fit its step to the steepest
direction and creeps along the flattest.  With the best settings of each, a step shrinks the error to

    gradient descent  (κ-1)/(κ+1)      η = 2/(L+μ)                      steps ~ κ
    heavy ball        (√κ-1)/(√κ+1)    η = (2/(√L+√μ))²,  β = that²     steps ~ √κ

Adam divides by the size of past gradients, so the size of its first step is the learning rate whatever the scale of
the gradient: η·g/(|g| + ε).  Until ε dominates, and there libraries differ: PyTorch adds ε to the corrected √s',
TensorFlow to the uncorrected √s, which at the first step acts like ε/√(1-β₂), 32 times as much.

Claim: momentum takes at most a third of gradient descent's steps; Adam's first step has the size of the learning rate
within 1 % for gradients from 1e-4 to 1e4, and at |g| = ε it is η/2 in PyTorch's form and η/(1 + 1/√(1-β₂)) in
TensorFlow's, in the formulas written here and in `torch.optim.Adam`.

`--break` takes the memory away: β = 0 for momentum, and Adam without the correction for its empty memory at the start.

    python -m learn_llm.demos.optimisers [--condition 1000] [--break]
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

Array = NDArray[np.float64]
Optimiser = Callable[[Array], Array]
"""Takes a gradient, gives the step that is added to the parameters; what it remembers it keeps itself."""

SIZE, TOLERANCE, EVERY = 10, 1e-6, 20
LIMIT = 30_000
"""Steps after which an optimiser is given up."""
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
ADAM_RATE = 0.05
SCALES = tuple(10.0**power for power in range(-12, 5))


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    condition: float = 100.0
    """κ: the largest curvature of the bowl over the smallest."""
    beta: float = -1.0
    """β of momentum; -1 takes the best for this κ."""

    def __post_init__(self) -> None:
        catalogue.check("optimisers", self)


def gradient_descent(rate: float) -> Optimiser:
    """No memory: every step looks at this gradient alone."""
    return lambda g: -rate * g


def momentum(rate: float, beta: float) -> Optimiser:
    """A velocity: gradients that keep their sign add up, those that flip cancel.

    >>> step = momentum(rate=1.0, beta=0.5)
    >>> [float(step(np.ones(1))[0]) for _ in range(3)]
    [-1.0, -1.5, -1.75]
    """
    velocity = np.zeros(())

    def step(g: Array) -> Array:
        nonlocal velocity
        velocity = beta * velocity + g
        return np.asarray(-rate * velocity)

    return step


def adam(rate: float, epsilon: float = EPSILON, correct: bool = True, tensorflow: bool = False) -> Optimiser:
    """Each parameter's step is divided by the size of its own past gradients.

    The first step has the size of the rate, for a gradient of 1000 as for one of 0.001:

    >>> np.round(adam(0.1)(np.array([1000.0, -0.001])), 4)
    array([-0.1,  0.1])
    """
    m, s, t = np.zeros(()), np.zeros(()), 0

    def step(g: Array) -> Array:
        nonlocal m, s, t
        t += 1
        m, s = BETA1 * m + (1 - BETA1) * g, BETA2 * s + (1 - BETA2) * g**2
        if not correct:
            return np.asarray(-rate * m / (np.sqrt(s) + epsilon))
        by_m, by_s = 1 - BETA1**t, 1 - BETA2**t
        if tensorflow:  # the rate is corrected, ε is added to the uncorrected root
            return np.asarray(-rate * math.sqrt(by_s) / by_m * m / (np.sqrt(s) + epsilon))
        return np.asarray(-rate * (m / by_m) / (np.sqrt(s / by_s) + epsilon))

    return step


def best_momentum(low: float, high: float) -> tuple[float, float]:
    """Rate and β of the heavy ball for curvatures between these two.

    >>> rate, beta = best_momentum(1.0, 100.0)
    >>> round(rate, 4), round(math.sqrt(beta), 3)         # the error shrinks to √β a step
    (0.0331, 0.818)
    """
    root_low, root_high = math.sqrt(low), math.sqrt(high)
    return (2 / (root_high + root_low)) ** 2, ((root_high - root_low) / (root_high + root_low)) ** 2


def descend(bowl: Array, start: Array, optimiser: Optimiser, limit: int = LIMIT) -> list[float]:
    """Distance to the minimum of θᵀ·bowl·θ/2 at the start and after each step, until TOLERANCE of the start.

    >>> descend(np.eye(1), np.ones(1), gradient_descent(0.5), limit=3)
    [1.0, 0.5, 0.25, 0.125]
    """
    theta, distances = start, [float(np.linalg.norm(start))]
    while TOLERANCE * distances[0] < distances[-1] < 1e9 and len(distances) <= limit:
        theta = theta + optimiser(bowl @ theta)
        distances.append(float(np.linalg.norm(theta)))
    return distances


def torch_first_step(rate: float, g: float) -> float:
    """Size of the first step of torch's own Adam on a gradient g."""
    theta = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    theta.grad = torch.tensor([g], dtype=torch.float64)
    torch.optim.Adam([theta], lr=rate, betas=(BETA1, BETA2), eps=EPSILON).step()
    return abs(theta.item())


def run(config: Config) -> Iterator[Event]:
    """Descend into the same bowl three ways, then look at Adam's first step for gradients of many sizes."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(config.seed)
    curvatures = np.geomspace(1.0, config.condition, SIZE)
    turn = np.linalg.qr(rng.normal(size=(SIZE, SIZE)))[0]  # the axes of the bowl, in a random direction
    bowl, start = turn @ np.diag(curvatures) @ turn.T, rng.normal(size=SIZE)

    rate, beta = best_momentum(1.0, config.condition)
    beta = config.beta if config.beta >= 0 else beta
    if config.break_:
        beta, rate = 0.0, 2 / (1 + config.condition)
    arms = {
        "gradient descent": gradient_descent(2 / (1 + config.condition)),
        "momentum": momentum(rate, beta),
        "Adam": adam(ADAM_RATE, correct=not config.break_),
    }
    curves = {name: descend(bowl, start, arm) for name, arm in arms.items() if name != "Adam"}
    longest = max(map(len, curves.values()))
    curves["Adam"] = descend(bowl, start, arms["Adam"], limit=longest)
    for step in range(0, longest, max(EVERY, longest // 100)):
        at = {name: line[min(step, len(line) - 1)] for name, line in curves.items()}
        values = {"distance": at["gradient descent"], "distance_momentum": at["momentum"], "distance_adam": at["Adam"]}
        yield Metrics(step, longest, values)

    stride = math.ceil(longest / 190)
    yield Chart(
        "line",
        f"Distance to the minimum, κ = {config.condition:g}",
        "step",
        "log10 of distance",
        tuple(
            Series(name, tuple(range(0, len(line), stride)), tuple(math.log10(max(d, 1e-12)) for d in line[::stride]))
            for name, line in curves.items()
        ),
    )
    forms = {
        "PyTorch's ε": adam(1.0, correct=not config.break_),
        "TensorFlow's ε": adam(1.0, correct=not config.break_, tensorflow=True),
    }
    firsts = {name: np.abs(first(np.array(SCALES))) for name, first in forms.items()}
    yield Chart(
        "line",
        f"Size of Adam's first step over the learning rate (ε = {EPSILON:g})",
        "log10 of |g|",
        "first step / η",
        tuple(Series(n, tuple(math.log10(g) for g in SCALES), tuple(first.tolist())) for n, first in firsts.items()),
    )
    steps = {name: len(line) - 1 for name, line in curves.items()}
    root = math.sqrt(config.condition)
    theory = {
        "gradient descent": math.log(TOLERANCE) / math.log((config.condition - 1) / (config.condition + 1)),
        "momentum": math.log(TOLERANCE) / math.log((root - 1) / (root + 1)),
    }
    yield Table(
        f"Steps until the distance is {TOLERANCE:g} of that at the start",
        ("optimiser", "steps", "by its rate alone"),
        tuple((name, steps[name], round(theory[name])) for name in theory),
    )
    yield Note(
        f"Adam, at a fixed rate of {ADAM_RATE:g}: distance {curves['Adam'][-1]:.1e} after {steps['Adam']} steps."
    )
    if config.break_:
        yield Note("--break: β = 0, which is gradient descent; and Adam does not correct its averages for their start.")

    plain = [float(first) for first, g in zip(firsts["PyTorch's ε"], SCALES, strict=True) if g >= 1e-4]
    at_epsilon = {name: float(first[SCALES.index(1e-8)]) for name, first in firsts.items()}
    theirs = max(
        abs(torch_first_step(1.0, g) - float(ours)) for g, ours in zip(SCALES, firsts["PyTorch's ε"], strict=True)
    )
    off = max(abs(first - 1) for first in plain)
    as_said = {"PyTorch's ε": 1 / 2, "TensorFlow's ε": 1 / (1 + 1 / math.sqrt(1 - BETA2))}
    yield Verdict(
        "Momentum takes at most a third of the steps of gradient descent; Adam's first step has the size of the "
        "learning rate, within 1 %, for gradients from 1e-4 to 1e4, until at |g| = ε it is 0.5 of it with PyTorch's ε, "
        "0.03 with TensorFlow's",
        holds=3 * steps["momentum"] <= steps["gradient descent"]
        and off <= 0.01
        and theirs < 1e-9
        and all(abs(at_epsilon[name] - value) < 1e-6 for name, value in as_said.items()),
        measured={
            "steps_gradient_descent": steps["gradient descent"],
            "steps_momentum": steps["momentum"],
            "step_ratio": steps["momentum"] / steps["gradient descent"],
            "first_step_largest_error": off,
            "first_step_at_epsilon_pytorch": at_epsilon["PyTorch's ε"],
            "first_step_at_epsilon_tensorflow": at_epsilon["TensorFlow's ε"],
            "difference_to_torch": theirs,
        },
    )


if __name__ == "__main__":
    main(run, Config)
