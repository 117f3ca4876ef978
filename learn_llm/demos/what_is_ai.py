"""What is AI?  Three ways to choose actions that serve a goal, at the same small game.

An agent sees the board and chooses the move that serves its goal, the result of the game.  In tic-tac-toe the three
classic ways stand side by side, with a player without any goal to compare with:

    random    any free square
    rules     written by hand: win if you can, block if you must, otherwise any free square
    search    minimax: value(s) = result of the game   if s is final
                                = max over moves       if X is to move
                                = min over moves       if O is to move         (von Neumann 1928)
    learning  one value per position, moved towards that of the next one:
              V(s) ← V(s) + α·(V(s') - V(s))           (Sutton and Barto 2018, chapter 1.5)

The rules look one move ahead, so a fork (two threats at once) beats them.  Minimax looks at all 5,478 positions and
needs no experience.  The learner begins with V = 0.5 everywhere, plays against the rules, and is told nothing but how
each game ended: 1 won, 0.5 drawn, 0 lost.

Claim: minimax loses no game, and the learner's share of lost games falls by at least half.  `--break` takes the goal
away: every final position gets a result by coin flip.  Search then looks ahead to nothing, experience teaches nothing.

    python -m learn_llm.demos.what_is_ai [--games 8000] [--break]
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

Board = str
"""Nine squares, row by row: X, O or a dot."""
Player = Callable[[Board], int]
"""Chooses a free square."""
Judge = Callable[[Board], int]
"""What a final board is worth: 1 to X, -1 to O, 0 drawn."""

START = "." * 9
LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))
ROUNDS = 10
MATCH = 200


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    games: int = 6000
    """Games from which the learner learns, all against the rules."""
    alpha: float = 0.2
    """α: how far a value moves towards that of the next position."""
    explore: float = 0.1
    """Share of the learner's training moves that are drawn at random."""

    def __post_init__(self) -> None:
        catalogue.check("what-is-ai", self)


def moves(board: Board) -> list[int]:
    """The free squares."""
    return [i for i, mark in enumerate(board) if mark == "."]


def to_move(board: Board) -> str:
    """X begins."""
    return "XO"[board.count("X") > board.count("O")]


def play(board: Board, square: int) -> Board:
    """The board after the next mark is set.

    >>> play("X........", 4)
    'X...O....'
    """
    return board[:square] + to_move(board) + board[square + 1 :]


def winner(board: Board) -> str | None:
    """X or O with three in a line, otherwise None.

    >>> winner("XXXOO...."), winner("X...O....")
    ('X', None)
    """
    for a, b, c in LINES:
        if board[a] == board[b] == board[c] != ".":
            return board[a]
    return None


def is_final(board: Board) -> bool:
    return "." not in board or winner(board) is not None


def result(board: Board) -> int:
    """1 where X has won, -1 where O has, 0 otherwise.

    >>> result("XXXOO...."), result("OOOXX.X..")
    (1, -1)
    """
    return {"X": 1, "O": -1, None: 0}[winner(board)]


def minimax(board: Board, judge: Judge, values: dict[Board, int]) -> int:
    """The result under best play from `board`; fills `values` with that of every position on the way.

    >>> minimax("XX.OO....", result, {}), minimax(START, result, {})    # X wins at once; the whole game is a draw
    (1, 0)
    """
    if board not in values:
        if is_final(board):
            values[board] = judge(board)
        else:
            choose = max if to_move(board) == "X" else min
            values[board] = choose(minimax(play(board, square), judge, values) for square in moves(board))
    return values[board]


def best(board: Board, value: Callable[[Board], float], rng: random.Random) -> int:
    """The move to the next position of the highest value, by lot among equals."""
    after = {square: value(play(board, square)) for square in moves(board)}
    top = max(after.values())
    return rng.choice([square for square, worth in after.items() if worth == top])


def random_player(rng: random.Random) -> Player:
    return lambda board: rng.choice(moves(board))


def rules_player(rng: random.Random) -> Player:
    """Win if you can, block if you must, otherwise any free square."""

    def choose(board: Board) -> int:
        me = to_move(board)
        other = "O" if me == "X" else "X"
        for mark in (me, other):
            for square in moves(board):
                if winner(board[:square] + mark + board[square + 1 :]) == mark:
                    return square
        return rng.choice(moves(board))

    return choose


def minimax_player(values: dict[Board, int], rng: random.Random) -> Player:
    """The move to the best value that minimax found; low values are good for O."""
    return lambda board: best(board, lambda b: values[b] if to_move(board) == "X" else -values[b], rng)


def greedy_player(table: dict[Board, float], rng: random.Random) -> Player:
    """The move to the position that the learner values most; positions never seen are worth 0.5."""
    return lambda board: best(board, lambda b: table.get(b, 0.5), rng)


def game(first: Player, second: Player) -> Board:
    """The final board of one game."""
    board = START
    while not is_final(board):
        board = play(board, (first if to_move(board) == "X" else second)(board))
    return board


def match(player: Player, opponent: Player, games: int) -> tuple[int, int, int]:
    """(won, drawn, lost) by `player`, who plays X and O in turn."""
    count = [0, 0, 0]
    for index in range(games):
        x_result = result(game(player, opponent)) if index % 2 == 0 else -result(game(opponent, player))
        count[1 - x_result] += 1
    return count[0], count[1], count[2]


def learn_game(
    table: dict[Board, float], me: str, opponent: Player, judge: Judge, config: Config, rng: random.Random
) -> None:
    """One game of the learner as `me`; `table` holds a value for each position that its own moves lead to."""
    board, before = START, None
    while not is_final(board):
        if to_move(board) == me:
            explores = rng.random() < config.explore
            board = play(board, rng.choice(moves(board)) if explores else greedy_player(table, rng)(board))
            if before is not None and not explores and not is_final(board):  # an explored move is not its plan
                table[before] += config.alpha * (table.get(board, 0.5) - table[before])
            before = board
            table.setdefault(board, 0.5)
        else:
            board = play(board, opponent(board))
    target = (1 + judge(board) * (1 if me == "X" else -1)) / 2  # 1 won, 0.5 drawn, 0 lost
    if before is not None:
        table[before] += config.alpha * (target - table[before])


def run(config: Config) -> Iterator[Event]:
    """Search the whole game, learn from many games, then let every player meet the rules."""
    rng = random.Random(config.seed)
    coin = {b: rng.choice((-1, 1)) for b in all_boards()} if config.break_ else {}
    judge: Judge = coin.__getitem__ if config.break_ else result
    values: dict[Board, int] = {}
    minimax(START, judge, values)
    yield Note(
        f"Minimax looked at all {len(values):,} positions that can be reached; its value of the game is "
        f"{values[START]} (0 is a draw)."
    )

    random_, rules = random_player(rng), rules_player(rng)
    table: dict[Board, float] = {}
    learner = greedy_player(table, rng)
    lost = [match(learner, rules, MATCH)[2] / MATCH]
    played = [0]
    for index in range(1, ROUNDS + 1):
        for number in range(config.games // ROUNDS):
            learn_game(table, "XO"[number % 2], rules, judge, config, rng)
        played.append(index * (config.games // ROUNDS))
        lost.append(match(learner, rules, MATCH)[2] / MATCH)
        yield Metrics(index, ROUNDS, {"games_lost": lost[-1], "positions_known": len(table)})
    yield Chart(
        "line",
        "The learner's share of lost games against the rules",
        "games learnt from",
        "lost",
        (Series("learner", tuple(played), tuple(lost)),),
    )

    players = {
        "random": random_,
        "rules": rules,
        "minimax": minimax_player(values, rng),
        "learner": learner,
        "untrained learner": greedy_player({}, rng),
    }
    against = {
        other: {name: match(player, opponent, MATCH) for name, player in players.items()}
        for other, opponent in (("rules", rules), ("random", random_))
    }
    drawn = tuple(name for name in players if name != "untrained learner")
    yield Chart(
        "bar",
        f"{MATCH} games against the rules, half of them as X",
        "player",
        "games",
        tuple(
            Series(kind, drawn, tuple(against["rules"][name][i] for name in drawn))
            for i, kind in enumerate(("won", "drawn", "lost"))
        ),
    )
    yield Table(
        f"Won / drawn / lost in {MATCH} games",
        ("player", "against the rules", "against random moves"),
        tuple((name, *("{} / {} / {}".format(*against[other][name]) for other in against)) for name in players),
    )
    if config.break_:
        yield Note("--break: final positions are worth what a coin says: there is no goal that a move could serve.")
    minimax_lost = sum(against[other]["minimax"][2] for other in against)
    yield Verdict(
        f"Minimax loses none of {MATCH} games against the rules and none of {MATCH} against random moves, and the "
        "learner's share of games lost to the rules falls by at least half",
        holds=minimax_lost == 0 and lost[-1] <= lost[0] / 2,
        measured={
            "positions": len(values),
            "minimax_lost": minimax_lost,
            "rules_lost": against["rules"]["rules"][2],
            "learner_lost_before": lost[0],
            "learner_lost_after": lost[-1],
        },
    )


def all_boards() -> list[Board]:
    """Every position that can be reached, each once."""
    found, frontier = {START: None}, [START]
    while frontier:
        board = frontier.pop()
        for square in [] if is_final(board) else moves(board):
            after = play(board, square)
            if after not in found:
                found[after] = None
                frontier.append(after)
    return list(found)


if __name__ == "__main__":
    main(run, Config)
