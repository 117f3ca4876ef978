"""The demos of the basic questions: each holds as it is, fails when broken, and agrees with a slow, obvious oracle."""

import doctest
import functools
import importlib
import math
import random
from types import ModuleType

import numpy as np
import pytest

from learn_llm.charts import render
from learn_llm.demos import activations, preprocessing, what_is_ai
from learn_llm.demos.catalogue import DEMOS, Demo
from learn_llm.events import Chart, Event, Metrics, Start, Verdict, from_json, to_json
from learn_llm.glossary import find

OWN = (what_is_ai, preprocessing, activations)
FASTER: dict[str, dict[str, int]] = {"what-is-ai": {"games": 3000}, "activations": {"steps": 600}}
"""What the tests leave out of a demo for speed."""
DEMOS_HERE = [demo for demo in DEMOS.values() if any(m.__name__.endswith("." + demo.module) for m in OWN)]


def events_of(demo: Demo, broken: bool) -> list[Event]:
    module = importlib.import_module(f"learn_llm.demos.{demo.module}")
    return list(module.run(module.Config(break_=broken, **FASTER.get(demo.slug, {}))))


@pytest.mark.parametrize("broken", [False, True], ids=["as it is", "broken"])
@pytest.mark.parametrize("demo", DEMOS_HERE, ids=lambda demo: str(demo.slug))
def test_holds_as_it_is_and_fails_when_broken(demo: Demo, broken: bool) -> None:
    events = events_of(demo, broken)
    verdicts = [event for event in events if isinstance(event, Verdict)]
    assert verdicts == events[-1:]
    assert verdicts[0].holds is not broken
    assert all(math.isfinite(value) for value in verdicts[0].measured.values())
    assert not any(isinstance(event, Start) for event in events)
    metrics = [event for event in events if isinstance(event, Metrics)]
    assert len(metrics) >= 5
    assert [event.step for event in metrics] == sorted(event.step for event in metrics)
    assert all(find(name) for event in metrics for name in event.values)
    assert all(from_json(to_json(event)) == event for event in events if not isinstance(event, Chart))
    charts = [event for event in events if isinstance(event, Chart)]
    assert charts
    for chart in charts:
        assert max(map(len, render(chart, 78, 16).split("\n"))) <= 78
        assert all(len(series.y) <= 200 for series in chart.series)
        assert all(math.isfinite(y) for series in chart.series for y in series.y)


@pytest.mark.parametrize("module", OWN, ids=lambda module: str(module.__name__).rpartition(".")[2])
def test_the_examples_in_docstrings_are_true(module: ModuleType) -> None:
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.failed == 0
    assert result.attempted > 0


# 1 What is AI


def test_minimax_agrees_with_trying_every_game() -> None:
    board = "XO.OX...."  # five squares are free: all ways to play on are tried

    def outcomes(position: str) -> int:
        if what_is_ai.is_final(position):
            return what_is_ai.result(position)
        after = [outcomes(what_is_ai.play(position, square)) for square in what_is_ai.moves(position)]
        return max(after) if what_is_ai.to_move(position) == "X" else min(after)

    values: dict[str, int] = {}
    assert what_is_ai.minimax(board, what_is_ai.result, values) == outcomes(board)
    assert all(outcomes(position) == value for position, value in values.items())


def test_minimax_cannot_be_beaten_by_any_way_to_play() -> None:
    """Against every move the opponent could ever make, not only against those that it does make."""
    values: dict[str, int] = {}
    what_is_ai.minimax(what_is_ai.START, what_is_ai.result, values)
    player = what_is_ai.minimax_player(values, random.Random(0))
    for me in "XO":

        @functools.cache
        def never_lost(board: str, me: str = me) -> bool:
            if what_is_ai.is_final(board):
                return what_is_ai.winner(board) in (None, me)
            squares = [player(board)] if what_is_ai.to_move(board) == me else what_is_ai.moves(board)
            return all(never_lost(what_is_ai.play(board, square)) for square in squares)

        assert never_lost(what_is_ai.START)


def test_all_positions_are_counted_once_and_minimax_visits_them() -> None:
    boards = what_is_ai.all_boards()
    values: dict[str, int] = {}
    what_is_ai.minimax(what_is_ai.START, what_is_ai.result, values)
    assert len(boards) == len(set(boards)) == len(values) == 5478
    assert set(boards) == set(values)


def test_one_game_moves_the_last_value_towards_the_result() -> None:
    table: dict[str, float] = {}
    config = what_is_ai.Config(alpha=0.1, explore=0.0)
    what_is_ai.learn_game(table, "X", what_is_ai.random_player(random.Random(1)), lambda _: 1, config, random.Random(0))
    *others, last = sorted(table.values())
    assert last == pytest.approx(0.55)
    assert set(others) == {0.5}


def test_a_match_counts_from_both_sides() -> None:
    def last_square(board: str) -> int:
        return what_is_ai.moves(board)[-1]

    def first_square(board: str) -> int:
        return what_is_ai.moves(board)[0]

    x_board, o_board = what_is_ai.game(first_square, last_square), what_is_ai.game(last_square, first_square)
    expected = [what_is_ai.result(x_board), -what_is_ai.result(o_board)]
    won, drawn, lost = what_is_ai.match(first_square, last_square, 10)
    assert (won, drawn, lost) == tuple(5 * expected.count(value) for value in (1, 0, -1))


# 2 Preprocessing


def test_statistics_are_those_of_the_columns_one_by_one() -> None:
    rng = np.random.default_rng(0)
    x = np.where(rng.random((30, 4)) < 0.2, np.nan, rng.normal(3, 2, (30, 4)))
    statistics = preprocessing.fit(x)
    for column in range(4):
        there = sorted(v for v in x[:, column] if not math.isnan(v))
        middle = len(there) // 2
        median = there[middle] if len(there) % 2 else (there[middle - 1] + there[middle]) / 2
        filled = [median if math.isnan(v) else v for v in x[:, column]]
        mean = sum(filled) / 30
        assert statistics.median[column] == pytest.approx(median)
        assert statistics.std[column] == pytest.approx(math.sqrt(sum((v - mean) ** 2 for v in filled) / 30))
    ready = preprocessing.transform(x, statistics)
    np.testing.assert_allclose(ready.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(ready.std(0), 1)


def test_only_what_peeks_is_a_leak() -> None:
    rng = np.random.default_rng(1)
    train, test = preprocessing.sample(rng, preprocessing.Config())[0], rng.normal(size=(200, 5))
    flagged = {name: preprocessing.leaks(prepare, train, test) for name, prepare in preprocessing.ARMS.items()}
    assert [name for name, found in flagged.items() if found] == ["the same, peeking"]


# 3 Activations


@pytest.mark.parametrize("name", activations.ACTIVATIONS)
def test_gradients_of_the_network_are_finite_differences(name: str) -> None:
    act = activations.ACTIVATIONS[name]
    rng = np.random.default_rng(3)
    network = activations.new_network(rng, 4)
    x, labels = activations.xor(rng, 5)

    def loss(of: activations.Network) -> float:
        p = activations.sigmoid(activations.forward(of, x, act))
        return float(-np.mean(labels * np.log(p) + (1 - labels) * np.log(1 - p)))

    for part, gradient in enumerate(activations.gradients(network, x, labels, act)):
        for place in np.ndindex(gradient.shape):
            moved = []
            for h in (1e-6, -1e-6):
                arrays = [w.copy() for w in network]
                arrays[part][place] += h
                moved.append(loss(activations.Network(*arrays)))
            assert gradient[place] == pytest.approx((moved[0] - moved[1]) / 2e-6, abs=1e-7)


def test_no_line_gets_more_than_three_corners_and_the_search_for_lines_finds_a_line() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        assert 0.70 < activations.best_line(*activations.xor(rng, 20)) <= 0.75
    x = rng.normal(size=(40, 2))
    assert activations.best_line(x, (x @ np.array([0.6, -0.8]) > 0.3).astype(float)) >= 0.97
