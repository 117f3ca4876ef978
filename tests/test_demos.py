"""Every demo holds as it is and fails when broken; its pure functions agree with slow and obvious ones."""

import doctest
import importlib
import itertools
import math
import random
from collections.abc import Sequence
from types import ModuleType

import numpy as np
import pytest
import torch

from learn_llm.charts import render
from learn_llm.demos import (
    attention,
    backpropagation,
    curse_of_dimensionality,
    kv_cache,
    perplexity,
    policy_gradient,
    search,
)
from learn_llm.demos.backpropagation import Value
from learn_llm.demos.catalogue import DEMOS, Demo
from learn_llm.demos.perplexity import Source
from learn_llm.events import Chart, Event, Metrics, Start, Verdict, from_json, to_json
from learn_llm.glossary import find
from learn_llm.gpt import GPT, GPTConfig

OWN = (attention, backpropagation, curse_of_dimensionality, kv_cache, perplexity, policy_gradient, search)
FASTER: dict[str, dict[str, int]] = {"search": {"mazes": 8}, "perplexity": {"steps": 120}}
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
    assert all(find(name) for event in metrics for name in event.values)
    assert all(from_json(to_json(event)) == event for event in events if not isinstance(event, Chart))
    charts = [event for event in events if isinstance(event, Chart)]
    assert charts
    for chart in charts:
        assert max(map(len, render(chart, 78, 16).split("\n"))) <= 78
        assert all(len(series.y) <= 200 for series in chart.series)


@pytest.mark.parametrize("module", OWN, ids=lambda module: str(module.__name__).rpartition(".")[2])
def test_the_examples_in_docstrings_are_true(module: ModuleType) -> None:
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.failed == 0
    assert result.attempted > 0


def test_the_same_seed_gives_the_same_verdict_and_another_seed_another() -> None:
    def measured(seed: int) -> dict[str, float]:
        verdict = list(policy_gradient.run(policy_gradient.Config(seed=seed, samples=1000)))[-1]
        assert isinstance(verdict, Verdict)
        return dict(verdict.measured)

    assert measured(1) == measured(1) != measured(2)


# Search


def cheapest_by_hand(maze: search.Maze, start: search.Cell, goal: search.Cell) -> int:
    """The cost of the cheapest of all paths without loops, by trying each of them."""
    best = math.inf
    ways = [(start, 0, frozenset([start]))]
    while ways:
        cell, cost, visited = ways.pop()
        if cell == goal:
            best = min(best, cost)
            continue
        for near in search.neighbours(maze, cell):
            if near not in visited:
                ways.append((near, cost + maze[near], visited | {near}))
    return int(best)


@pytest.mark.parametrize("seed", range(8))
def test_a_star_uniform_cost_and_relaxing_agree_with_trying_all_paths(seed: int) -> None:
    rng = random.Random(seed)
    start, goal = (0, 0), (3, 3)
    cells = [(i, j) for i in range(4) for j in range(4)]
    maze = {
        cell: rng.choice([1, 5, 9])
        for cell in cells
        if cell in (start, goal) or cell[0] in (0,) or cell[1] in (3,) or rng.random() < 0.7
    }
    optimum = cheapest_by_hand(maze, start, goal)
    assert search.relax(maze, start, goal) == optimum
    uniform = search.search(maze, start, goal, search.uniform_cost)
    informed = search.search(maze, start, goal, search.a_star())
    assert uniform.cost == informed.cost == optimum
    assert informed.visited <= uniform.visited
    assert len(search.search(maze, start, goal, search.breadth_first).path) == 7
    assert search.search(maze, start, goal, search.a_star(0.0)).cost == optimum


@pytest.mark.parametrize("rows", [7, 10, 15])
def test_mazes_are_connected_and_paths_are_paths(rows: int) -> None:
    rng = random.Random(rows)
    maze = search.make_maze(rng, rows, 2 * rows, mud=0.2, loops=0.5)
    for order in (search.depth_first, search.breadth_first, search.greedy):
        for goal in maze:
            route = search.search(maze, (1, 1), goal, order)
            assert (route.path[0], route.path[-1]) == ((1, 1), goal)
            assert all(b in search.neighbours(maze, a) for a, b in itertools.pairwise(route.path))
            assert route.cost == search.path_cost(maze, route.path)
    trees = search.make_maze(random.Random(rows), rows, 2 * rows, mud=0.0, loops=0.0)
    edges = sum(len(search.neighbours(trees, cell)) for cell in trees) // 2
    assert edges == len(trees) - 1  # connected without loops
    assert set(trees.values()) == {1}


def test_the_genetic_algorithm_returns_a_real_path_of_its_cost() -> None:
    maze = search.make_maze(random.Random(3), 9, 15, mud=0.3, loops=0.6)
    best = search.genetic(maze, (1, 1), (7, 13), random.Random(0), population=10, generations=5)
    assert all(b in search.neighbours(maze, a) for a, b in itertools.pairwise(best.path))
    assert len(set(best.path)) == len(best.path)
    assert best.cost == search.path_cost(maze, best.path) >= search.relax(maze, (1, 1), (7, 13))


def test_no_way_is_an_error() -> None:
    with pytest.raises(ValueError, match="no way"):
        search.search({(0, 0): 1, (5, 5): 1}, (0, 0), (5, 5), search.greedy)


# Backpropagation


@pytest.mark.parametrize("seed", range(5))
def test_gradients_of_random_expressions_are_those_of_torch(seed: int) -> None:
    rng = random.Random(seed)
    inputs = [rng.uniform(0.5, 1.5) for _ in range(3)]

    def expression(values: Sequence[backpropagation.Scalar]) -> backpropagation.Scalar:
        pick = random.Random(seed)
        pool = list(values)
        for _ in range(12):
            a, b = pick.choice(pool), pick.choice(pool)
            pool.append(
                pick.choice([a + b, a - b, (a * b).tanh(), a / (b.exp() + 1.0), a.sigmoid(), (a - b).relu() + a**2])
            )
        return pool[-1] + pool[-2] * pool[-3]

    ours = backpropagation.gradients(expression, inputs)
    assert ours == pytest.approx(backpropagation.torch_gradients(expression, inputs), rel=1e-10, abs=1e-12)
    assert ours == pytest.approx(backpropagation.finite_differences(expression, inputs), rel=1e-5, abs=1e-7)


def test_a_value_used_twice_gets_both_gradients() -> None:
    x = Value(3.0)
    (x * x).backward()
    assert x.grad == 6.0
    x = Value(3.0)
    (x * x).backward(accumulate=False)
    assert x.grad == 3.0


# Policy gradient


def test_the_exact_gradient_is_the_derivative_of_the_expected_reward() -> None:
    theta = torch.tensor([0.3, -0.5, 0.1], dtype=torch.float64, requires_grad=True)
    rewards = torch.tensor([2.0, 2.5, 3.0], dtype=torch.float64)
    (theta.softmax(0) @ rewards).backward()
    probs = policy_gradient.softmax(theta.detach().numpy())
    assert theta.grad is not None
    np.testing.assert_allclose(policy_gradient.exact_gradient(probs, rewards.numpy()), theta.grad.numpy(), rtol=1e-12)


def test_reinforce_has_the_exact_gradient_as_mean_over_all_actions_with_any_baseline() -> None:
    probs, rewards = np.array([0.2, 0.5, 0.3]), np.array([1.0, 0.0, 4.0])
    exact = policy_gradient.exact_gradient(probs, rewards)
    for baseline in (0.0, float(probs @ rewards), -7.0):
        each = policy_gradient.reinforce(np.arange(3), rewards - baseline, probs)
        np.testing.assert_allclose(probs @ each, exact, atol=1e-12)


def test_leave_one_out_is_unbiased_over_all_pairs_and_the_group_mean_is_not() -> None:
    probs, rewards = np.array([0.2, 0.5, 0.3]), np.array([1.0, 0.0, 4.0])
    exact = policy_gradient.exact_gradient(probs, rewards)
    unbiased, biased = np.zeros(3), np.zeros(3)
    for pair in itertools.product(range(3), repeat=2):
        actions, weight = np.array([pair]), float(probs[list(pair)].prod())
        earned = rewards[actions]
        left_out = earned - policy_gradient.leave_one_out(earned)
        unbiased += weight * policy_gradient.reinforce(actions, left_out, probs).mean((0, 1))
        biased += weight * policy_gradient.reinforce(actions, earned - earned.mean(1, keepdims=True), probs).mean(
            (0, 1)
        )
    np.testing.assert_allclose(unbiased, exact, atol=1e-12)
    np.testing.assert_allclose(biased, exact / 2, atol=1e-12)  # (k - 1) / k for groups of k = 2


# Distances, attention, sources, cache


def test_distances_and_votes_agree_with_loops() -> None:
    rng = np.random.default_rng(0)
    a, b, labels = rng.random((7, 4)), rng.random((9, 4)), rng.integers(0, 2, 9)
    slow = np.array([[math.dist(x, y) for y in b] for x in a])
    fast = curse_of_dimensionality.distances(a, b)
    np.testing.assert_allclose(fast, slow, atol=1e-12)
    votes = [sorted(zip(row, labels, strict=True))[:3] for row in slow]
    expected = [int(sum(label for _, label in near) >= 2) for near in votes]
    assert curse_of_dimensionality.knn_predict(fast, labels, 3).tolist() == expected


def test_attention_weights_agree_with_torch_and_ignore_nothing() -> None:
    q, k, v = torch.randn(3, 2, 5, 8).unbind(0)
    mixed = attention.attention_weights(q, k) @ v
    torch.testing.assert_close(mixed, torch.nn.functional.scaled_dot_product_attention(q, k, v))


def test_sequences_hold_every_key_and_value_once_and_the_answers_belong_to_the_keys() -> None:
    keys, values, answers = attention.sequences(50, 6, torch.Generator().manual_seed(0))
    for row in range(50):
        table = dict(zip(keys[row].tolist(), values[row].tolist(), strict=True))
        assert sorted(table) == sorted(table.values()) == list(range(6))
        assert answers[row].tolist() == [table[key] for key in range(6)]


def test_the_source_is_stationary_and_its_entropies_are_those_of_long_text() -> None:
    source = Source.draw(4, 0.3, np.random.default_rng(5))
    moved = (source.pairs[:, :, None] * source.next).sum(0)
    torch.testing.assert_close(moved, source.pairs)
    assert source.pairs.sum().item() == pytest.approx(1.0)
    assert source.entropy_rate < source.bigram_entropy
    text = source.sample(2000, 40, torch.Generator().manual_seed(0))
    counts = torch.zeros(4, 4, 4, dtype=torch.float64)
    counts.index_put_(
        (text[:, :-2].flatten(), text[:, 1:-1].flatten(), text[:, 2:].flatten()),
        torch.ones(38 * 2000, dtype=torch.float64),
        accumulate=True,
    )
    pairs = counts.sum(-1)
    share = pairs / pairs.sum()
    observed = (share * perplexity.entropy(counts / pairs.clamp(min=1)[..., None])).sum().item()
    assert observed == pytest.approx(source.entropy_rate, abs=0.01)
    torch.testing.assert_close(share, source.pairs, atol=0.01, rtol=0)


def test_surprise_scores_the_token_that_follows_two_known_ones() -> None:
    tokens = torch.tensor([[0, 1, 1, 0]])
    logprobs = torch.tensor([[[0.5, 0.5], [0.2, 0.8], [0.3, 0.7], [0.9, 0.1]]]).log()
    expected = -(math.log(0.8) + math.log(0.3)) / 2
    assert perplexity.surprise(logprobs, tokens).item() == pytest.approx(expected)


def test_cache_bytes_are_those_the_cache_holds() -> None:
    config = GPTConfig(10, 32, 64, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2)
    cache = GPT(config).new_cache(1, 20)
    held = sum(t.numel() * t.element_size() for t in [*cache.keys, *cache.values])
    assert kv_cache.cache_bytes(3, 2, 8, 20) == held
