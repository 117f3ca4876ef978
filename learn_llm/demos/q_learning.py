"""Q-learning: learn what an action is worth from single steps, without knowing the world.

A Markov decision process has states, actions, transition probabilities P(s' | s, a), rewards and a discount γ.
Q(s, a) is the expected discounted return after taking a in s and acting optimally from then on (Bellman):

    Q(s, a) = E[ r + γ·max_a' Q(s', a') ]                       in a state that ends the episode: r alone

    value iteration    knows P: applies the equation to all states until nothing changes
    Q-learning         has one step (s, a, r, s'):   Q(s, a) ← Q(s, a) + α·(r + γ·max_a' Q(s', a') - Q(s, a))

(Watkins and Dayan 1992, Machine Learning 8.)  The max makes it off-policy: the learner explores, a random action with
probability ε, and learns the values of the best policy all the same.  SARSA would put the action really taken there.
The table converges if every pair is tried again and again and α falls suitably; here every episode starts in a random
state, and α = 1/n^0.6 at the n-th visit of a pair.

The world is a grid with walls, a goal (+1) and pits (-1).  With `--slip 0.1` a tenth of the moves goes sideways: the
learner sees only where it ended up, and has to average.

Claim: in every state that can be reached, the greedy action of the learned Q is among the optimal ones by value
iteration.  "Among", because ties are common in a grid.  With slips the second-best action is often nearly as good as
the best, and a few states may end with it; the loss in value is measured as well.

`--break` drops γ·max Q(s', a') from the target: the learner sees rewards, but no future.

    python -m learn_llm.demos.q_learning [--slip 0.1] [--break]
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

GRID = (
    "......#..G",
    ".##.#...#.",
    "..#..X..#.",
    ".....#....",
    ".#X.......",
    "...#.#.X..",
)  # fmt: skip
MOVES = {"↑": (-1, 0), "→": (0, 1), "↓": (1, 0), "←": (0, -1)}
ACTIONS = tuple(MOVES)
REWARDS = {"G": 1.0, "X": -1.0, ".": 0.0}
TIE = 1e-6
"""Values closer than this are equal."""
LONGEST = 100
"""Steps after which an episode is cut off (and nothing is learnt from the cut)."""
ROUNDS = 40

State = tuple[int, int]
Values = dict[State, list[float]]
"""Values of the four actions in every open state."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    episodes: int = 12_000
    """Episodes of the learner, each from a random state."""
    gamma: float = 0.9
    """γ: what a reward one step later is worth."""
    epsilon: float = 0.5
    """ε: share of the learner's actions that are drawn at random."""
    slip: float = 0.0
    """Probability that a move goes sideways, half to each side."""

    def __post_init__(self) -> None:
        catalogue.check("q-learning", self)


def open_states(grid: tuple[str, ...]) -> list[State]:
    """Cells where the agent can stand and the episode goes on."""
    return [(i, j) for i, row in enumerate(grid) for j, cell in enumerate(row) if cell == "."]


def move(grid: tuple[str, ...], state: State, action: int) -> State:
    """Where a move leads that does not slip; a wall or the border leaves the agent where it is.

    >>> move((".#", ".."), (0, 0), ACTIONS.index("→")), move((".#", ".."), (0, 0), ACTIONS.index("↓"))
    ((0, 0), (1, 0))
    """
    down, right = MOVES[ACTIONS[action]]
    i, j = state[0] + down, state[1] + right
    inside = 0 <= i < len(grid) and 0 <= j < len(grid[0])
    return (i, j) if inside and grid[i][j] != "#" else state


def outcomes(grid: tuple[str, ...], state: State, action: int, slip: float) -> list[tuple[float, State]]:
    """The transition probabilities P(s' | s, a), which value iteration knows and Q-learning does not.

    >>> outcomes(("...", "..."), (0, 1), ACTIONS.index("↓"), 0.2)
    [(0.8, (1, 1)), (0.1, (0, 2)), (0.1, (0, 0))]
    """
    turns = ((1 - slip, action), (slip / 2, (action - 1) % 4), (slip / 2, (action + 1) % 4))
    return [(probability, move(grid, state, way)) for probability, way in turns]


def value_iteration(grid: tuple[str, ...], gamma: float, slip: float, precision: float = 1e-10) -> Values:
    """The optimal Q by the Bellman equation, over all states until no value changes.

    One step from the goal an action is worth 1, two steps from it γ:

    >>> q = value_iteration(("..G",), gamma=0.9, slip=0.0)
    >>> [round(max(values), 3) for values in q.values()]
    [0.9, 1.0]
    """
    q = {state: [0.0] * 4 for state in open_states(grid)}
    change = 1.0
    while change > precision:
        change = 0.0
        for state, values in q.items():
            for action in range(4):
                value = 0.0
                for probability, after in outcomes(grid, state, action, slip):
                    future = max(q[after]) if after in q else 0.0
                    value += probability * (REWARDS[grid[after[0]][after[1]]] + gamma * future)
                change = max(change, abs(value - values[action]))
                values[action] = value
    return q


def updated(value: float, reward: float, best_next: float, alpha: float, gamma: float) -> float:
    """One step of Q-learning: α of the way towards the target.

    >>> updated(2.0, reward=1.0, best_next=5.0, alpha=0.5, gamma=0.9)
    3.75
    """
    return value + alpha * (reward + gamma * best_next - value)


def losses(q: Values, best: Values) -> list[float]:
    """For each state how much less the greedy action of `q` is worth than the best action, by the values `best`.

    >>> losses({(0, 0): [0.3, 0.1]}, {(0, 0): [0.5, 0.75]})
    [0.25]
    """
    return [max(values) - values[q[state].index(max(q[state]))] for state, values in best.items()]


def episode(q: Values, visits: dict[State, list[int]], config: Config, rng: Random) -> float:
    """Walk from a random state to an end, learning at every step; returns the discounted return."""
    state, collected, discount = rng.choice(list(q)), 0.0, 1.0
    gamma = 0.0 if config.break_ else config.gamma
    for _ in range(LONGEST):
        values = q[state]
        action = rng.randrange(4) if rng.random() < config.epsilon else values.index(max(values))
        slips = rng.random()
        way = action if slips >= config.slip else (action + (1 if slips < config.slip / 2 else -1)) % 4
        after = move(GRID, state, way)
        reward = REWARDS[GRID[after[0]][after[1]]]
        visits[state][action] += 1
        alpha = visits[state][action] ** -0.6
        values[action] = updated(values[action], reward, max(q[after]) if after in q else 0.0, alpha, gamma)
        collected, discount = collected + discount * reward, discount * config.gamma
        if after not in q:
            break
        state = after
    return collected


def drawing(q: Values) -> tuple[tuple[str, ...], ...]:
    """The grid with the greedy action of every state."""
    return tuple(
        tuple(ACTIONS[q[i, j].index(max(q[i, j]))] if (i, j) in q else cell for j, cell in enumerate(row))
        for i, row in enumerate(GRID)
    )


def run(config: Config) -> Iterator[Event]:
    """Solve the grid knowing it, learn it without, and compare the greedy actions."""
    rng = Random(config.seed)
    best = value_iteration(GRID, config.gamma, config.slip)
    q = {state: [0.0] * 4 for state in best}
    visits = {state: [0] * 4 for state in best}
    per_round = max(config.episodes // ROUNDS, 1)
    returns, shares = [], []
    for step in range(1, ROUNDS + 1):
        returns.append(sum(episode(q, visits, config, rng) for _ in range(per_round)) / per_round)
        lost = losses(q, best)
        shares.append(sum(loss < TIE for loss in lost) / len(lost))
        off = max(abs(max(q[state]) - max(best[state])) for state in best)
        yield Metrics(step, ROUNDS, {"return_mean": returns[-1], "optimal_states": shares[-1], "value_error": off})

    episodes = tuple(per_round * step for step in range(1, ROUNDS + 1))
    yield Chart(
        "line",
        "Learning, from random states",
        "episode",
        "",
        (
            Series("mean return while exploring", episodes, tuple(returns)),
            Series("share of optimal states", episodes, tuple(shares)),
        ),
    )
    columns = tuple(str(j) for j in range(len(GRID[0])))
    picture = {
        (i, j): max(q[i, j]) if (i, j) in q else REWARDS.get(cell, 0.0)
        for i, row in enumerate(GRID)
        for j, cell in enumerate(row)
    }
    yield Chart(
        "heatmap",
        "Value of each state, max Q (walls 0, goal 1, pits -1)",
        "",
        "",
        tuple(
            Series(f"row {i}", columns, tuple(round(picture[i, j], 2) for j in range(len(columns))))
            for i in range(len(GRID))
        ),
    )
    yield Table("What the learner would do (G goal, X pit, # wall)", columns, drawing(q))
    if config.break_:
        yield Note("--break: the target is the reward alone; what an action leads to counts for nothing.")

    off = max(abs(max(q[state]) - max(best[state])) for state in best)
    yield Verdict(
        "In every reachable state the greedy action of the learned Q is among the optimal actions by value iteration",
        holds=shares[-1] == 1,
        measured={
            "optimal_states": shares[-1],
            "states": len(best),
            "largest_loss_of_value": max(lost),
            "return_last": returns[-1],
            "largest_value_error": off,
            "fewest_visits": min(min(counts) for counts in visits.values()),
        },
    )


if __name__ == "__main__":
    main(run, Config)
