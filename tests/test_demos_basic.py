"""The demos of the basic questions: each holds as it is, fails when broken, and agrees with a slow, obvious oracle."""

import doctest
import functools
import importlib
import itertools
import math
import random
from types import ModuleType

import numpy as np
import pytest

from learn_llm.charts import render
from learn_llm.demos import (
    activations,
    bayesian_networks,
    bias_variance,
    clustering_pca,
    cross_validation,
    ensembles,
    explainability_fairness,
    gradient_descent,
    imbalanced_metrics,
    learning_paradigms,
    loss_functions,
    preprocessing,
    regularisation,
    what_is_ai,
)
from learn_llm.demos.catalogue import DEMOS, Demo
from learn_llm.events import Chart, Event, Metrics, Start, Verdict, from_json, to_json
from learn_llm.glossary import find

OWN = (
    what_is_ai,
    preprocessing,
    activations,
    learning_paradigms,
    bias_variance,
    regularisation,
    gradient_descent,
    loss_functions,
    imbalanced_metrics,
    cross_validation,
    ensembles,
    clustering_pca,
    bayesian_networks,
    explainability_fairness,
)
FASTER: dict[str, dict[str, int]] = {
    "what-is-ai": {"games": 3000},
    "activations": {"steps": 600},
    "learning-paradigms": {"points": 600},
    "regularisation": {"rounds": 5},
    "cross-validation": {"rounds": 20},
    "ensembles": {"training_sets": 12},
    "clustering-pca": {"starts": 8},
    "bayesian-networks": {"samples": 600},
}
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


# 4 Learning paradigms


def test_the_adjusted_rand_index_is_that_of_counting_pairs() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        a, b = rng.integers(0, 3, 15), rng.integers(0, 4, 15)
        pairs = list(itertools.combinations(range(15), 2))
        in_a = [a[i] == a[j] for i, j in pairs]
        in_b = [b[i] == b[j] for i, j in pairs]
        both = sum(x and y for x, y in zip(in_a, in_b, strict=True))
        chance = sum(in_a) * sum(in_b) / len(pairs)
        expected = (both - chance) / ((sum(in_a) + sum(in_b)) / 2 - chance)
        assert learning_paradigms.adjusted_rand(a, b) == pytest.approx(expected)


def test_the_rewarded_step_climbs_the_expected_reward() -> None:
    """Averaged over the actions it is the derivative of the probability of being right, with any baseline."""
    rng = np.random.default_rng(1)
    weights, x, label = rng.normal(size=(1, 3, 3)), rng.normal(size=(1, 3)), 2

    def expected_reward(w: learning_paradigms.Array) -> float:
        return float(learning_paradigms.softmax(w[0] @ x[0])[label])

    probs = learning_paradigms.softmax(weights[0] @ x[0])
    for baseline in (0.0, 0.4):
        mean = np.zeros_like(weights)
        for action in range(3):
            advantage = np.array([float(action == label) - baseline])
            moved = learning_paradigms.rewarded_step(weights, x, np.array([action]), advantage, 1.0)
            mean += probs[action] * (moved - weights)
        for place in np.ndindex(3, 3):
            bump = np.zeros_like(weights)
            bump[0][place] = 1e-6
            slope = (expected_reward(weights + bump) - expected_reward(weights - bump)) / 2e-6
            assert mean[0][place] == pytest.approx(slope, abs=1e-8)


# 7 Bias and variance


def test_fits_are_those_of_polyfit_and_the_parts_add_up() -> None:
    rng = np.random.default_rng(2)
    x, labels, grid = np.linspace(-1, 1, 12), rng.normal(size=(6, 12)), np.linspace(-1, 1, 7)
    coefficients = bias_variance.fit(x, labels, 4)
    predictions = coefficients @ bias_variance.powers(grid, 4).T
    slow = np.array([np.polyval(np.polyfit(x, row, 4), grid) for row in labels])
    np.testing.assert_allclose(predictions, slow, atol=1e-9)
    f = bias_variance.truth(grid)
    bias2, variance = bias_variance.decompose(predictions, f)
    assert bias2 + variance == pytest.approx(float(((predictions - f) ** 2).mean()))


# 8 Regularisation


def test_the_lasso_cannot_be_improved() -> None:
    """At its weights the slope of the squared error is exactly λ against each weight, and at most λ at zero."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(30, 8)), rng.normal(size=30) * 3
    w = regularisation.lasso(x, y, 6.0)
    evidence = x.T @ (y - x @ w)
    assert 0 < (w == 0).sum() < 8
    np.testing.assert_allclose(evidence[w != 0], 6.0 * np.sign(w[w != 0]), atol=1e-2)
    assert np.abs(evidence[w == 0]).max() <= 6.0 + 1e-2
    assert not regularisation.lasso(x, y, float(np.abs(x.T @ y).max()) + 1e-9).any()


def test_ridge_and_dropout_are_where_their_losses_are_lowest() -> None:
    rng = np.random.default_rng(4)
    x, y, q = rng.normal(size=(9, 3)), rng.normal(size=9), 0.3

    def ridge_loss(w: regularisation.Array) -> float:
        return float(((y - x @ w) ** 2).sum() + 2.0 * (w**2).sum())

    def dropout_loss(w: regularisation.Array) -> float:
        """The mean over all ways of dropping each of the 3 inputs of a row; rows are dropped apart."""
        total = 0.0
        for keep in itertools.product((0.0, 1.0), repeat=3):
            chance = math.prod(1 - q if k else q for k in keep)
            total += chance * float(((y - (x * np.array(keep) / (1 - q)) @ w) ** 2).sum())
        return total

    for w, loss in ((regularisation.ridge(x, y, 2.0), ridge_loss), (regularisation.dropout(x, y, q), dropout_loss)):
        for i in range(3):
            bump = np.zeros(3)
            bump[i] = 1e-4
            assert (loss(w + bump) - loss(w - bump)) / 2e-4 == pytest.approx(0, abs=1e-8)


def test_cross_validation_of_strengths_is_a_loop_over_folds() -> None:
    rng = np.random.default_rng(5)
    x, y, strengths = rng.normal(size=(20, 4)), rng.normal(size=20), np.array([0.1, 10.0])
    means, _ = regularisation.cross_validate(x, y, regularisation.ridge_path, strengths)
    for strength, mean in zip(strengths, means, strict=True):
        errors = []
        for fold in range(5):
            out = [i for i in range(20) if i % 5 == fold]
            rest = [i for i in range(20) if i % 5 != fold]
            w = regularisation.ridge(x[rest], y[rest], strength)
            errors.append(sum((y[i] - x[i] @ w) ** 2 for i in out) / len(out))
        assert mean == pytest.approx(sum(errors) / 5)


# 9 Gradient descent


def test_each_direction_shrinks_by_its_own_factor() -> None:
    eigenvalues, start, rate = np.array([1.0, 4.0, 10.0]), np.array([3.0, -2.0, 0.5]), 0.15
    losses = gradient_descent.descend(np.diag(eigenvalues), start, np.full(12, rate))
    for t, loss in enumerate(losses):
        at = start * (1 - rate * eigenvalues) ** t
        assert loss == pytest.approx(float((eigenvalues * at**2).sum() / 2))


@pytest.mark.parametrize(("rate", "converges"), [(0.199, True), (0.201, False)])
def test_the_limit_is_two_over_the_largest_curvature(rate: float, converges: bool) -> None:
    losses = gradient_descent.descend(np.diag([10.0, 1.0]), np.ones(2), np.full(2000, rate))
    assert (losses[-1] < losses[0]) is converges


# 11 Loss functions


def test_the_slopes_of_both_losses_are_finite_differences() -> None:
    z = np.array([-9.0, -1.0, 0.0, 0.7, 6.0])
    for y in (np.zeros(5), np.ones(5)):
        for loss, slope in (
            (loss_functions.cross_entropy, loss_functions.cross_entropy_slope),
            (loss_functions.squared_error, loss_functions.squared_error_slope),
        ):
            np.testing.assert_allclose(slope(z, y), (loss(z + 1e-5, y) - loss(z - 1e-5, y)) / 2e-5, atol=1e-9)
        p = 1 / (1 + np.exp(-z))
        np.testing.assert_allclose(
            loss_functions.cross_entropy(z, y), -(y * np.log(p) + (1 - y) * np.log(1 - p)), rtol=1e-10
        )


# 12 Metrics under imbalance


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(6)
    for _ in range(5):
        scores, positive = rng.integers(0, 6, 40).astype(float), rng.random(40) < 0.3
        pairs = [(p, n) for p in scores[positive] for n in scores[~positive]]
        share = sum((p > n) + 0.5 * (p == n) for p, n in pairs) / len(pairs)
        fpr, recall, _ = imbalanced_metrics.curves(scores, positive)
        assert imbalanced_metrics.auc_by_ranks(scores, positive) == pytest.approx(share)
        assert imbalanced_metrics.trapezoid(fpr, recall) == pytest.approx(share)


def test_the_curves_are_those_of_trying_each_threshold() -> None:
    rng = np.random.default_rng(7)
    scores, positive = rng.integers(0, 9, 60).astype(float), rng.random(60) < 0.2
    fpr, recall, precision = imbalanced_metrics.curves(scores, positive)
    average = 0.0
    for i, threshold in enumerate(sorted(set(scores), reverse=True), 1):
        cells = imbalanced_metrics.confusion(scores >= threshold, positive)
        assert (recall[i], precision[i]) == pytest.approx((cells.recall, cells.precision))
        assert fpr[i] == pytest.approx(cells.fp / (cells.fp + cells.tn))
        average += (recall[i] - recall[i - 1]) * cells.precision
    assert imbalanced_metrics.average_precision(recall, precision) == pytest.approx(average)


def test_the_threshold_from_the_costs_is_the_cheapest() -> None:
    rng = np.random.default_rng(8)
    positive = rng.random(200_000) < 0.02
    scores = rng.normal(size=len(positive)) + 2 * positive
    p = imbalanced_metrics.probability(scores, 0.02, 2.0)
    costs = {
        t: imbalanced_metrics.cost(imbalanced_metrics.confusion(p > t, positive))
        for t in (1 / 51, *np.linspace(0.002, 0.9, 40))
    }
    assert costs[1 / 51] <= 1.02 * min(costs.values())


# 13 Cross-validation


def test_correlations_and_selection_are_those_of_the_columns_one_by_one() -> None:
    rng = np.random.default_rng(9)
    x, labels = rng.normal(size=(25, 30)), rng.integers(0, 2, 25).astype(float)
    slow = [float(np.corrcoef(x[:, j], labels)[0, 1]) for j in range(30)]
    np.testing.assert_allclose(cross_validation.correlations(x, labels), slow, atol=1e-12)
    best = sorted(range(30), key=lambda j: -abs(slow[j]))[:7]
    assert set(cross_validation.select(x, labels, 7).tolist()) == set(best)


def test_a_real_signal_is_found_inside_the_folds() -> None:
    rng = np.random.default_rng(10)
    labels = rng.integers(0, 2, 60).astype(float)
    x = rng.normal(size=(60, 200))
    x[:, 17] += 6 * labels
    assert cross_validation.cross_validate(x, labels, folds=5, keep=1) > 0.95


# 14 Ensembles


def test_the_best_question_is_the_best_of_all() -> None:
    rng = np.random.default_rng(11)
    for _ in range(10):
        x, y = rng.integers(0, 5, (12, 3)).astype(float), rng.choice([-1.0, 1.0], 12)
        weights = rng.uniform(0.1, 1, 12)

        def left_over(feature: int, threshold: float) -> float:
            total = 0.0
            for half in (x[:, feature] < threshold, x[:, feature] >= threshold):  # noqa: B023
                mean = (weights[half] @ y[half]) / weights[half].sum()  # noqa: B023
                total += float(weights[half] @ (y[half] - mean) ** 2)  # noqa: B023
            return total

        tried = [
            left_over(j, (a + b) / 2) for j in range(3) for a, b in itertools.pairwise(sorted(set(x[:, j].tolist())))
        ]
        question = ensembles.best_question(x, y, weights, np.arange(3))
        assert question is not None
        assert left_over(*question) == pytest.approx(min(tried))


def test_a_deep_tree_knows_its_rows_and_boosting_keeps_its_bound() -> None:
    rng = np.random.default_rng(12)
    x, y = ensembles.sample(rng, 80)
    tree = ensembles.grow(x, y, np.ones(80), ensembles.DEEP, 3, rng)
    np.testing.assert_array_equal(np.sign(ensembles.predict(tree, x)), y)
    log = ensembles.adaboost(x, y, x, y, 40, rng)
    assert log.train_error == log.test_error
    assert all(error <= bound + 1e-12 for error, bound in zip(log.train_error, log.bound, strict=True))
    assert log.train_error[-1] == 0


def test_variance_and_correlation_are_those_of_all_pairs_of_trees() -> None:
    rng = np.random.default_rng(13)
    common = rng.normal(size=(9, 1, 5))
    says = common + rng.normal(size=(9, 4, 5))
    variances = [np.var(says[:, b, p], ddof=1) for b in range(4) for p in range(5)]
    covariances = [
        np.cov(says[:, b, p], says[:, c, p])[0, 1] for b, c in itertools.permutations(range(4), 2) for p in range(5)
    ]
    variance, correlation = ensembles.variance_and_correlation(says)
    assert variance == pytest.approx(np.mean(variances))
    assert correlation == pytest.approx(np.mean(covariances) / np.mean(variances))
    formula = ensembles.average_variance(4, variance, correlation)  # on the same trees it is an identity
    assert ensembles.variance_of_averages(says, 4) == pytest.approx(formula)


# 15 Clustering and PCA


def test_k_means_from_all_starts_finds_the_best_partition_and_stops_where_nothing_moves() -> None:
    rng = np.random.default_rng(14)
    x = rng.normal(size=(7, 2))

    def inertia(groups: tuple[int, ...]) -> float:
        parts = [x[[i for i in range(7) if groups[i] == j]] for j in range(2)]
        return sum(float(((part - part.mean(0)) ** 2).sum()) for part in parts if len(part))

    least = min(inertia(groups) for groups in itertools.product((0, 1), repeat=7))
    ends = []
    for pair in itertools.combinations(range(7), 2):
        centroids, inertias = clustering_pca.k_means(x, x[list(pair)])
        nearest = clustering_pca.squared_distances(x, centroids).argmin(1)
        for j in range(2):
            np.testing.assert_allclose(centroids[j], x[nearest == j].mean(0))
        assert clustering_pca.rises(inertias) == 0
        assert inertias[-1] == pytest.approx(inertia(tuple(nearest.tolist())))
        ends.append(inertias[-1])
    assert min(ends) == pytest.approx(least)


def test_no_directions_reconstruct_better_than_the_principal_ones() -> None:
    rng = np.random.default_rng(15)
    x = rng.normal(size=(50, 5)) * np.array([3.0, 2.0, 1.0, 0.5, 0.1]) + 4
    mean, components, eigenvalues = clustering_pca.principal_components(x)
    for m in range(6):
        error = clustering_pca.reconstruction_error(x, mean, components[:m])
        assert error == pytest.approx(float(eigenvalues[m:].sum()), abs=1e-12)
        for _ in range(10 if m else 0):
            other = np.linalg.qr(rng.normal(size=(5, m)))[0].T
            assert clustering_pca.reconstruction_error(x, mean, other) >= error - 1e-12


# 16 Bayesian networks


def alarm(rng: np.random.Generator) -> dict[str, bayesian_networks.Node]:
    """A network of five nodes with random tables."""

    def table(parents: int) -> bayesian_networks.Array:
        return rng.uniform(0.1, 0.9, (2,) * parents)

    return {
        "a": bayesian_networks.Node((), table(0)),
        "b": bayesian_networks.Node((), table(0)),
        "c": bayesian_networks.Node(("a", "b"), table(2)),
        "d": bayesian_networks.Node(("c",), table(1)),
        "e": bayesian_networks.Node(("c",), table(1)),
    }


@pytest.mark.parametrize("evidence", [{"d": 1}, {"d": 1, "b": 0}, {"c": 0, "e": 1}])
def test_both_samplers_agree_with_enumeration_on_another_network(evidence: dict[str, int]) -> None:
    rng = np.random.default_rng(16)
    network = alarm(rng)
    exact = bayesian_networks.enumerate_exactly(network, "a", evidence)
    for sampler in (bayesian_networks.likelihood_weighting, bayesian_networks.gibbs):
        estimate = sampler(network, "a", evidence, 400, rng, True)
        assert abs(estimate.mean - exact) < 4.5 * estimate.standard_error
        assert estimate.standard_error < 0.02
        assert 0 < estimate.effective < 1.6 * 400


def test_the_joint_distribution_adds_up_to_one_and_enumeration_is_its_share() -> None:
    network = alarm(np.random.default_rng(17))
    joint = {}
    for bits in itertools.product((0, 1), repeat=5):
        values = dict(zip("abcde", bits, strict=True))
        a, b, c, d, e = bits
        one = [network["a"].table, network["b"].table, network["c"].table[a, b], network["d"].table[c]]
        one.append(network["e"].table[c])
        joint[bits] = math.prod(p if bit else 1 - p for p, bit in zip(one, (a, b, c, d, e), strict=True))
        assert math.prod(
            float(bayesian_networks.probability(network, name, values)) for name in network
        ) == pytest.approx(joint[bits])
    assert sum(joint.values()) == pytest.approx(1.0)
    matching = {bits: p for bits, p in joint.items() if bits[3] == 1}
    expected = sum(p for bits, p in matching.items() if bits[0] == 1) / sum(matching.values())
    assert bayesian_networks.enumerate_exactly(network, "a", {"d": 1}) == pytest.approx(expected)


# 17 Explainability and fairness


def test_shapley_values_are_the_means_over_all_orders() -> None:
    rng = np.random.default_rng(18)
    game = {frozenset(s): float(rng.normal()) for size in range(5) for s in itertools.combinations(range(4), size)}
    values = explainability_fairness.shapley(game.__getitem__, 4, explainability_fairness.subset_weight)
    for player in range(4):
        gains = []
        for order in itertools.permutations(range(4)):
            before = frozenset(order[: order.index(player)])
            gains.append(game[before | {player}] - game[before])
        assert values[player] == pytest.approx(np.mean(gains))
    assert sum(values) == pytest.approx(game[frozenset(range(4))] - game[frozenset()])


def test_a_linear_model_is_explained_by_its_weights_and_an_unused_column_has_no_part() -> None:
    rng = np.random.default_rng(19)
    w, background, x = np.array([2.0, -1.0, 0.0]), rng.normal(size=(40, 3)), rng.normal(size=3)

    def linear(rows: explainability_fairness.Array) -> explainability_fairness.Array:
        return np.asarray(rows @ w)

    game = explainability_fairness.game_of(linear, x, background)
    values = explainability_fairness.shapley(game, 3, explainability_fairness.subset_weight)
    np.testing.assert_allclose(values, w * (x - background.mean(0)), atol=1e-12)
    labels = (background @ w > 0).astype(float)
    model = explainability_fairness.model_of(np.append(w, 0.0))
    importance = explainability_fairness.permutation_importance(model, background, labels, rng)
    assert importance[2] == 0
    assert importance[0] > importance[1] > 0


def test_logistic_regression_is_where_its_loss_is_lowest() -> None:
    rng = np.random.default_rng(20)
    x = rng.normal(size=(80, 2))
    y = (rng.random(80) < explainability_fairness.sigmoid(x @ np.array([1.0, -2.0]))).astype(float)
    w = explainability_fairness.logistic(x, y)
    rows = np.concatenate([x, np.ones((80, 1))], axis=1)
    gradient = rows.T @ (y - explainability_fairness.sigmoid(rows @ w)) - 1e-3 * w
    np.testing.assert_allclose(gradient, 0, atol=1e-8)
    positive = y == 1
    scores = x @ w[:2]
    pairs = [p > n for p in scores[positive] for n in scores[~positive]]
    assert explainability_fairness.auc(scores, positive) == pytest.approx(np.mean(pairs))
