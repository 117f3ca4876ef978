"""Policy gradients: the gradient of an expected reward from samples alone, and the baseline that makes it quiet.

A policy π = softmax(θ) draws one of three tokens, the token earns its reward r.  How does the expected reward J = Σ
π(a)·r(a) change with θ?  With three tokens it can be written down; from samples it is REINFORCE (Williams 1992),
because ∇π = π·∇log π:

    ∂J/∂θᵢ = πᵢ·(rᵢ - J)                              exact
    ∇J = E[ (r(a) - b)·∇log π(a) ],   a ~ π           one sample each; for a softmax ∇log π(a) = onehot(a) - π

Any baseline b leaves the mean alone as long as it does not depend on the action, since E[∇log π] = Σ ∇π = ∇1 = 0.  It
changes the variance: without it a reward of 2.1 and one of 2.3 both say "more of this", only the average says
otherwise.

    no baseline          b = 0
    expected reward      b = J, which a learned value function estimates
    leave-one-out        b = mean reward of the other samples of the group (RLOO; Kool et al. 2019,
                         Ahmadian et al. 2024, arXiv 2402.14740)

Claim: all three means lie within 4 standard errors of the exact gradient, in every component, and either baseline
cuts the variance at least by half.  The samples of a leave-one-out group share their rewards, so its standard error
counts groups.

`--break` lets the action's own reward into its group mean.  The baseline now depends on the action, and the gradient
comes out (k-1)/k of the true one for groups of k.  GRPO does this knowingly: its direction is right, a constant
factor is not missed.

    python -m learn_llm.demos.policy_gradient [--offset 10] [--break]
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
TOKENS = 3
ROUNDS = 20
"""In how many portions the samples are drawn, to watch the error fall."""
CLOUD, BATCH = 50, 64
"""Points of each cloud in the scatter plot, and samples averaged for one point."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    samples: int = 40_000
    """Actions drawn for each estimator."""
    offset: float = 2.0
    """Constant added to all three rewards."""
    group: int = 8
    """k: each action has the mean reward of the k - 1 others of its group as leave-one-out baseline."""

    def __post_init__(self) -> None:
        catalogue.check("policy-gradient", self)


def softmax(theta: Array) -> Array:
    """Probabilities (V,) from logits (V,); subtracting the largest changes nothing and avoids overflow.

    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    weights = np.exp(theta - theta.max())
    return np.asarray(weights / weights.sum())


def exact_gradient(probs: Array, rewards: Array) -> Array:
    """∂J/∂θ (V,): a token above the average reward goes up, in proportion to how often it is drawn.

    >>> exact_gradient(np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    array([ 0.25, -0.25])
    """
    return np.asarray(probs * (rewards - probs @ rewards))


def reinforce(actions: NDArray[np.int64], advantages: Array, probs: Array) -> Array:
    """One estimate of ∂J/∂θ per sample: advantages (..., ) times ∇log π of actions (..., ) gives (..., V).

    >>> reinforce(np.array([0]), np.array([2.0]), np.array([0.5, 0.5]))
    array([[ 1., -1.]])
    """
    return np.asarray(advantages[..., None] * (np.eye(len(probs))[actions] - probs))


def leave_one_out(rewards: Array) -> Array:
    """Each reward's baseline: the mean of the other rewards of its row.  (groups, k) -> (groups, k).

    >>> leave_one_out(np.array([[1.0, 2.0, 6.0]]))
    array([[4. , 3.5, 1.5]])
    """
    k = rewards.shape[1]
    return np.asarray((rewards.sum(1, keepdims=True) - rewards) / (k - 1))


def run(config: Config) -> Iterator[Event]:
    """Draw actions, estimate the gradient three ways, compare with the exact one."""
    rng = np.random.default_rng(config.seed)
    probs = softmax(rng.normal(0, 0.5, TOKENS))
    rewards = rng.permutation([0.0, 0.5, 1.0]) + config.offset  # one reward per token
    exact = exact_gradient(probs, rewards)
    groups = math.ceil(config.samples / config.group / ROUNDS)  # per round

    def estimates(groups: int) -> dict[str, Array]:
        """Per-sample gradients of each estimator on the same actions, (groups, k, V)."""
        actions = rng.choice(TOKENS, size=(groups, config.group), p=probs)
        earned = rewards[actions]
        others = earned.mean(1, keepdims=True) if config.break_ else leave_one_out(earned)
        return {
            "no baseline": reinforce(actions, earned, probs),
            "expected reward": reinforce(actions, earned - probs @ rewards, probs),
            "leave-one-out": reinforce(actions, earned - others, probs),
        }

    drawn: dict[str, list[Array]] = {name: [] for name in estimates(1)}
    errors: dict[str, list[float]] = {name: [] for name in drawn}
    for step in range(1, ROUNDS + 1):
        for name, gradients in estimates(groups).items():
            drawn[name].append(gradients.mean(1))  # (groups, V): independent of each other
            errors[name].append(float(np.linalg.norm(np.concatenate(drawn[name]).mean(0) - exact)))
        values = {"gradient_error": errors["no baseline"][-1], "gradient_error_baseline": errors["leave-one-out"][-1]}
        yield Metrics(step, ROUNDS, values)

    log_samples = tuple(math.log10(step * groups * config.group) for step in range(1, ROUNDS + 1))
    yield Chart(
        "line",
        "Distance of the mean from the exact gradient",
        "log10 of samples",
        "log10 of distance",
        tuple(Series(n, log_samples, tuple(math.log10(max(e, 1e-9)) for e in line)) for n, line in errors.items()),
    )
    points = {"exact": exact[None]}
    for name, gradients in estimates(math.ceil(CLOUD * BATCH / config.group)).items():
        if name != "expected reward":  # it would lie on top of leave-one-out
            points[name] = gradients.reshape(-1, TOKENS)[: CLOUD * BATCH].reshape(CLOUD, BATCH, TOKENS).mean(1)
    yield Chart(
        "scatter",
        f"Gradients from {BATCH} samples each",
        "∂J/∂θ of token 1",
        "∂J/∂θ of token 2",
        tuple(Series(name, tuple(p[:, 0].tolist()), tuple(p[:, 1].tolist())) for name, p in points.items()),
    )

    worst, variance, rows = {}, {}, []
    for name, parts in drawn.items():
        means = np.concatenate(parts)  # (groups, V)
        standard_error = means.std(0, ddof=1) / math.sqrt(len(means))
        worst[name] = float((np.abs(means.mean(0) - exact) / standard_error).max())
        variance[name] = float(means.var(0, ddof=1).sum() * config.group)  # per sample
        rows.append(
            (name, *(round(x, 4) for x in means.mean(0).tolist()), round(worst[name], 2), round(variance[name], 4))
        )
    rows.append(("exact", *(round(x, 4) for x in exact.tolist()), 0.0, None))
    columns = ("estimator", "∂J/∂θ1", "∂J/∂θ2", "∂J/∂θ3", "largest error in s.e.", "variance per sample")
    yield Table(f"Mean of {ROUNDS * groups * config.group} samples", columns, tuple(rows))
    if config.break_:
        shrunk = f"{config.group - 1}/{config.group}"
        yield Note(f"--break: each group mean holds the action's own reward; the gradient shrinks to {shrunk}.")

    reduction = min(variance["no baseline"] / variance[name] for name in ("expected reward", "leave-one-out"))
    yield Verdict(
        "The mean of REINFORCE lies within 4 standard errors of the exact gradient with and without a baseline, "
        "and either baseline cuts its variance at least by half",
        holds=max(worst.values()) < 4 and reduction >= 2,
        measured={
            "largest_error_se": max(worst.values()),
            "variance_reduction": reduction,
            "variance_no_baseline": variance["no baseline"],
            "variance_expected_reward": variance["expected reward"],
            "variance_leave_one_out": variance["leave-one-out"],
        },
    )


if __name__ == "__main__":
    main(run, Config)
