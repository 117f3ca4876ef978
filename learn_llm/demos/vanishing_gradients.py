"""Vanishing gradients: the same matrix at every time step, and what a gated cell does instead.

A recurrent network (RNN) applies the same weights at each step.  Backpropagation through time multiplies one Jacobian
a step (Hochreiter and Schmidhuber 1997; Pascanu et al. 2013, arXiv 1211.5063):

    h[t] = tanh(W·h[t-1] + U·x[t])        ∂h[t]/∂h[t-1] = diag(1 - h[t]²)·W
    h[t] = W·h[t-1] + U·x[t]              ∂h[T]/∂h[0]   = W to the power T, whose norm goes like ρ(W) to the power T

with the spectral radius ρ, the largest absolute eigenvalue.  Below 1 the gradient vanishes, above 1 it explodes:
straight lines on a log scale.  Clipping shortens a gradient that is too long; nothing brings back one that is gone.

The LSTM keeps a cell state that is changed by addition and forgets by a gate f between 0 and 1:

    f, i, o = σ(...),  g = tanh(...)   of x[t] and h[t-1], each with weights of its own
    c[t] = f·c[t-1] + i·g              along this path the gradient is multiplied by f alone
    h[t] = o·tanh(c[t])

With f near 1 it survives; the bias of the forget gate decides where training starts.

Measured here by automatic differentiation: an output after T steps is differentiated with respect to the state T, T-1,
... steps before it, all gates and matrices included.  The lines are means of the log-norm over several random networks.

Claim: the linear recurrence has a slope of log ρ, within 10 %, for ρ below and for ρ above 1; and 50 steps back the
LSTM keeps at least 100 times more of its gradient than the recurrence with ρ below 1 (the linear one, whose gradient
fades less than that of tanh).  `--break` starts the forget gate closed, f near 0.12: a cell that forgets.

    python -m learn_llm.demos.vanishing_gradients [--radius 0.95] [--break]
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

WIDTH, STEPS, BACK = 24, 100, 50
"""Units of every network, time steps, and the distance at which networks are compared."""
FIT_FROM = 20
"""The slope is that from here on: before, directions other than the leading one still count."""
NETWORKS = 20
EXPLODING = 1.1
CLOSED = -2.0
"""Bias of the forget gate under --break: σ(-2) = 0.12."""

Step = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    radius: float = 0.9
    """ρ: spectral radius of the recurrent matrix that makes gradients vanish."""
    forget_bias: float = 5.0
    """Bias of the LSTM's forget gate; 5 means f = 0.993."""

    def __post_init__(self) -> None:
        catalogue.check("vanishing-gradients", self)


def spectral_radius(w: Tensor) -> float:
    """The largest absolute eigenvalue of a matrix (n, n).

    >>> round(spectral_radius(torch.tensor([[0.0, 2.0], [-2.0, 0.0]])), 4)       # the eigenvalues are ±2i
    2.0
    """
    return float(torch.linalg.eigvals(w).abs().max())


def with_radius(w: Tensor, radius: float) -> Tensor:
    """The matrix (n, n), scaled to this spectral radius."""
    return w * (radius / spectral_radius(w))


def linear_step(w: Tensor) -> Step:
    """h[t] = W·h[t-1] + x[t], with the input already in the state's space."""
    return lambda h, x: w @ h + x


def tanh_step(w: Tensor) -> Step:
    """h[t] = tanh(W·h[t-1] + x[t])."""
    return lambda h, x: torch.tanh(w @ h + x)


def lstm_step(weights: Tensor, forget_bias: float) -> Step:
    """One step of an LSTM whose state is (2, n): the cell c and the output h.

    weights: (4, n, n), from h to the gates f, i, o and to g; the input is added to each of them.
    """

    def step(state: Tensor, x: Tensor) -> Tensor:
        c, h = state
        f, i, o, g = weights @ h + x
        c = torch.sigmoid(f + forget_bias) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.stack((c, torch.sigmoid(o) * torch.tanh(c)))

    return step


def gradient_norms(step: Step, state: Tensor, inputs: Tensor) -> list[float]:
    """Norm of the gradient of the last state with respect to the state t steps before it, t = 0, 1, ... T.

    What is differentiated is the sum of the first row of the last state (of an LSTM that is the cell), and the
    gradient is taken with respect to that row.  Where every step halves the state:

    >>> halve = linear_step(torch.eye(1) / 2)
    >>> gradient_norms(halve, torch.ones(1), torch.zeros(3, 1))
    [1.0, 0.5, 0.25, 0.125]
    """
    states = [state.requires_grad_()]
    for x in inputs:
        states.append(step(states[-1], x))
    first = states[-1] if state.ndim == 1 else states[-1][0]
    gradients = torch.autograd.grad(first.sum(), states)
    return [(g if g.ndim == 1 else g[0]).norm().item() for g in reversed(gradients)]


def slope(y: list[float]) -> float:
    """Least-squares slope of values at 0, 1, 2, ...

    >>> slope([1.0, 3.0, 5.0])
    2.0
    """
    middle, mean = (len(y) - 1) / 2, sum(y) / len(y)
    top = sum((x - middle) * (value - mean) for x, value in enumerate(y))
    return top / sum((x - middle) ** 2 for x in range(len(y)))


def run(config: Config) -> Iterator[Event]:
    """Send a gradient back through four recurrent networks with random weights, several times."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(config.seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    bias = CLOSED if config.break_ else config.forget_bias
    below, above, plain = f"linear, ρ = {config.radius:g}", f"linear, ρ = {EXPLODING:g}", f"tanh, ρ = {config.radius:g}"
    logs: dict[str, list[Tensor]] = {below: [], above: [], plain: [], "LSTM": []}
    for step in range(1, NETWORKS + 1):
        w, inputs = normal(WIDTH, WIDTH), 0.5 * normal(STEPS, WIDTH)
        gates = normal(4, WIDTH, WIDTH) / math.sqrt(WIDTH)
        gate_inputs = 0.5 * normal(STEPS, 4, WIDTH)
        start = torch.zeros(WIDTH, dtype=torch.float64)
        networks = {
            below: (linear_step(with_radius(w, config.radius)), start, inputs),
            above: (linear_step(with_radius(w, EXPLODING)), start, inputs),
            plain: (tanh_step(with_radius(w, config.radius)), start, inputs),
            "LSTM": (lstm_step(gates, bias), torch.zeros(2, WIDTH, dtype=torch.float64), gate_inputs),
        }
        for name, (transition, state, x) in networks.items():
            norms = torch.tensor(gradient_norms(transition, state.clone(), x), dtype=torch.float64)
            logs[name].append((norms / norms[0]).log10())
        kept = {name: 10 ** torch.stack(lines).mean(0)[BACK].item() for name, lines in logs.items()}
        values = {"gradient_kept": kept[below], "gradient_kept_lstm": kept["LSTM"]}
        yield Metrics(step, NETWORKS, values)

    lines = {name: torch.stack(rows).mean(0).tolist() for name, rows in logs.items()}
    yield Chart(
        "line",
        "How much of the gradient is left t steps back",
        "t, steps back in time",
        "log10 of the share left",
        tuple(Series(name, tuple(range(STEPS + 1)), tuple(line)) for name, line in lines.items()),
    )
    slopes = {name: slope(line[FIT_FROM:]) * math.log(10) for name, line in lines.items()}
    expected: dict[str, float | None] = dict.fromkeys(lines)
    expected |= {below: math.log(config.radius), above: math.log(EXPLODING)}
    rows = []
    for name, log in expected.items():
        rows.append((name, round(slopes[name], 4), log and round(log, 4), float(f"{kept[name]:.3g}")))
    columns = ("network", "slope of log norm", "log ρ", f"left after {BACK} steps")
    yield Table("Per step back in time", columns, tuple(rows))
    yield Note(
        f"Clipping to norm 1 makes {kept[above]:.3g} a 1. No factor brings the others back: near steps drown them."
    )
    if config.break_:
        yield Note(f"--break: the forget gate starts at bias {CLOSED:g}; f is about {1 / (1 + math.exp(-CLOSED)):.2f}.")

    errors = {name: abs(slopes[name] / log - 1) for name, log in expected.items() if log}
    ratio = kept["LSTM"] / kept[below]
    yield Verdict(
        "Back in time the log-norm of the linear recurrence's gradient has the slope log ρ, within 10 %, both where it "
        f"vanishes and where it explodes, and after {BACK} steps the LSTM keeps at least 100 times more than it does "
        "where it vanishes",
        holds=max(errors.values()) <= 0.1 and ratio >= 100,
        measured={
            "slope_vanishing": slopes[below],
            "slope_exploding": slopes[above],
            "largest_slope_error": max(errors.values()),
            "kept_linear": kept[below],
            "kept_tanh": kept[plain],
            "kept_lstm": kept["LSTM"],
            "lstm_over_linear": ratio,
        },
    )


if __name__ == "__main__":
    main(run, Config)
