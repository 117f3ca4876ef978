"""Bandits: to learn which arm is best one has to play arms that look worse.

K arms, each pays 1 with an unknown probability μ, else 0.  Regret is what is lost against always playing the best:

    R(T) = Σ μ* - μ(arm played in round t)        linear in T: learning has ended, or exploring never ends
                                                  no good strategy beats a constant times log T (Lai and Robbins 1985)

    ε-greedy     a random arm with probability ε, else the best mean so far
    UCB1         the largest   mean + √(2·ln t / n),  n plays of that arm      (Auer et al. 2002, Machine Learning 47)
    Thompson     draw one value from each arm's posterior Beta(1 + wins, 1 + losses), play the largest
                                                                               (Thompson 1933; arXiv 1707.02038)

UCB is optimistic in the face of uncertainty: an arm is played because it is good or because little is known about it,
and playing settles which.  Thompson plays each arm with the probability that it is the best.

Measured: the mean regret of many runs, and the exponent b of a fit R ~ tᵇ over the second half of all rounds.  A
straight line has b = 1, a logarithm has b near 0.

Claim: UCB and Thompson stay below 0.6, ε-greedy with a fixed ε is above 0.8 and on its way to 1.  The early rounds, in
which all strategies learn, keep it below.

`--break` takes the uncertainty out: UCB without its bonus and Thompson with the means of its posteriors are greedy.
Some runs lock in on a wrong arm for good, and the mean regret is a straight line.

    python -m learn_llm.demos.bandits [--epsilon 0.02] [--break]
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
ARMS, BEST, RUNS, POINTS = 10, 0.7, 100, 50
SUBLINEAR, LINEAR = 0.6, 0.8

Strategy = Callable[[Array, Array, int], NDArray[np.int64]]
"""Wins and plays of every arm in every run (runs, K), and the round: the arm that each run plays, (runs,)."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    rounds: int = 10_000
    """T: plays in every run."""
    epsilon: float = 0.1
    """ε: share of random plays of ε-greedy."""
    gap: float = 0.2
    """How much less the second-best arm pays on average than the best one (0.7)."""

    def __post_init__(self) -> None:
        catalogue.check("bandits", self)


def means(wins: Array, plays: Array) -> Array:
    """Share of wins of every arm so far; an arm never played counts as the best there could be.

    >>> means(np.array([1.0, 0.0]), np.array([4.0, 0.0]))
    array([0.25, 1.  ])
    """
    return np.where(plays > 0, wins / np.maximum(plays, 1), 1.0)


def ucb_index(wins: Array, plays: Array, t: int) -> Array:
    """UCB1's optimistic value of every arm, mean + √(2·ln t / n); never played is above everything.

    The well-known arm has the higher mean, the other one the higher index:

    >>> np.round(ucb_index(np.array([540.0, 50.0]), np.array([900.0, 100.0]), 1000), 3)
    array([0.724, 0.872])
    """
    bonus = np.sqrt(2 * math.log(t) / np.maximum(plays, 1))
    return np.where(plays > 0, means(wins, plays) + bonus, np.inf)


def thompson_draw(wins: Array, plays: Array, rng: np.random.Generator) -> Array:
    """One value for every arm from its posterior Beta(1 + wins, 1 + losses)."""
    return rng.beta(1 + wins, 1 + plays - wins)


def exponent(rounds: Array, regret: Array) -> float:
    """b of the least-squares fit regret ~ roundsᵇ: the slope in log-log axes.

    >>> t = np.array([10.0, 100.0, 1000.0])
    >>> round(exponent(t, 3 * t), 3), round(exponent(t, np.sqrt(t)), 3)
    (1.0, 0.5)
    """
    return float(np.polyfit(np.log(rounds), np.log(regret), 1)[0])


def run(config: Config) -> Iterator[Event]:
    """Let three strategies play many runs side by side, and see how their regret grows."""
    rng = np.random.default_rng(config.seed)
    others = np.linspace(0.1, BEST - config.gap, ARMS - 1)
    arms = np.stack([rng.permutation(np.append(others, BEST)) for _ in range(RUNS)])  # (runs, K)
    row = np.arange(RUNS)

    def epsilon_greedy(wins: Array, plays: Array, t: int) -> NDArray[np.int64]:
        random = rng.random(RUNS) < config.epsilon
        return np.where(random, rng.integers(ARMS, size=RUNS), means(wins, plays).argmax(1))

    def ucb(wins: Array, plays: Array, t: int) -> NDArray[np.int64]:
        return np.asarray((means(wins, plays) if config.break_ else ucb_index(wins, plays, t)).argmax(1))

    def thompson(wins: Array, plays: Array, t: int) -> NDArray[np.int64]:
        posterior_mean = (1 + wins) / (2 + plays)
        return np.asarray((posterior_mean if config.break_ else thompson_draw(wins, plays, rng)).argmax(1))

    strategies: dict[str, Strategy] = {"ε-greedy": epsilon_greedy, "UCB1": ucb, "Thompson": thompson}
    wins = {name: np.zeros((RUNS, ARMS)) for name in strategies}
    plays = {name: np.zeros((RUNS, ARMS)) for name in strategies}
    lost = {name: np.zeros(RUNS) for name in strategies}
    regret: dict[str, list[float]] = {name: [] for name in strategies}
    every = max(config.rounds // POINTS, 1)
    for t in range(1, config.rounds + 1):
        for name, strategy in strategies.items():
            arm = strategy(wins[name], plays[name], t)
            pays = arms[row, arm]
            plays[name][row, arm] += 1
            wins[name][row, arm] += rng.random(RUNS) < pays
            lost[name] += BEST - pays
        if t % every == 0:
            for name in strategies:
                regret[name].append(float(lost[name].mean()))
            values = {"regret_greedy": regret["ε-greedy"][-1], "regret_ucb": regret["UCB1"][-1]}
            yield Metrics(t, config.rounds, {**values, "regret_thompson": regret["Thompson"][-1]})

    rounds = every * np.arange(1, len(regret["UCB1"]) + 1, dtype=np.float64)
    yield Chart(
        "line",
        f"Regret, mean of {RUNS} runs",
        "round",
        "reward lost",
        tuple(Series(name, tuple(rounds.tolist()), tuple(line)) for name, line in regret.items()),
    )
    half = len(rounds) // 2
    exponents = {name: exponent(rounds[half:], np.maximum(line[half:], 1e-9)) for name, line in regret.items()}
    shares = {name: float(plays[name][arms == BEST].sum() / (RUNS * config.rounds)) for name in strategies}
    yield Table(
        f"After {config.rounds} rounds",
        ("strategy", "regret", "exponent b", "plays of the best arm"),
        tuple((n, round(regret[n][-1], 1), round(exponents[n], 3), f"{shares[n]:.1%}") for n in strategies),
    )
    average_gap = (BEST - arms).mean()
    yield Note(
        f"Random plays alone cost ε times the average gap, {config.epsilon:g}·{average_gap:.3f} = "
        f"{config.epsilon * average_gap:.4f} a round, for ever."
    )
    if config.break_:
        yield Note("--break: UCB without its bonus and Thompson without its draw: both play the best mean so far.")

    yield Verdict(
        "The regret of UCB1 and of Thompson sampling grows sub-linearly (exponent below 0.6), that of ε-greedy with a "
        "fixed ε nearly linearly (exponent above 0.8)",
        holds=max(exponents["UCB1"], exponents["Thompson"]) < SUBLINEAR and exponents["ε-greedy"] > LINEAR,
        measured={
            "exponent_epsilon_greedy": exponents["ε-greedy"],
            "exponent_ucb": exponents["UCB1"],
            "exponent_thompson": exponents["Thompson"],
            "regret_epsilon_greedy": regret["ε-greedy"][-1],
            "regret_ucb": regret["UCB1"][-1],
            "regret_thompson": regret["Thompson"][-1],
        },
    )


if __name__ == "__main__":
    main(run, Config)
