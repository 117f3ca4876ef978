"""The demos of the intermediate questions: each holds as it is, fails when broken, and agrees with a slow oracle."""

import doctest
import importlib
import itertools
import math
import random
from collections import Counter
from types import ModuleType

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from learn_llm.charts import render
from learn_llm.demos import (
    bandits,
    cnn_vs_mlp,
    decoding,
    embeddings,
    generative_vs_discriminative,
    normalisation,
    optimisers,
    q_learning,
    scaling_laws,
    tokenisation,
    transformer_masks_positions,
    vanishing_gradients,
)
from learn_llm.demos.catalogue import DEMOS, Demo
from learn_llm.events import Chart, Event, Metrics, Start, Verdict, from_json, to_json
from learn_llm.glossary import find

OWN = (
    cnn_vs_mlp,
    vanishing_gradients,
    optimisers,
    normalisation,
    q_learning,
    bandits,
    generative_vs_discriminative,
    tokenisation,
    embeddings,
    transformer_masks_positions,
    decoding,
    scaling_laws,
)
FASTER: dict[str, dict[str, int]] = {
    "cnn-vs-mlp": {"steps": 150},
    "tokenisation": {"merges": 100, "kilobytes": 40},
    "embeddings": {"sentences": 3000},
    "transformer-masks-positions": {"length": 6, "steps": 105},
    "scaling-laws": {"draws": 5},
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
    assert verdicts[0].holds is not broken, verdicts[0].measured
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


# 18 CNN and MLP


@pytest.mark.parametrize(("filters", "k"), [(1, 1), (3, 2), (5, 3)])
def test_the_convolution_is_that_of_torch(filters: int, k: int) -> None:
    torch.manual_seed(0)
    x, weight, bias = torch.randn(4, 7, 6), torch.randn(filters, k, k), torch.randn(filters)
    torch.testing.assert_close(cnn_vs_mlp.convolve(x, weight, bias), F.conv2d(x[:, None], weight[:, None], bias))


def test_a_shape_stands_where_it_was_placed_and_the_rest_is_empty() -> None:
    images = cnn_vs_mlp.place(torch.tensor([2, 0]), torch.tensor([5, 1]), torch.tensor([0, 4]))
    assert torch.equal(images[0, 5:8, 0:3], cnn_vs_mlp.shapes()[2])
    assert torch.equal(images[1, 1:4, 4:7], cnn_vs_mlp.shapes()[0])
    assert images.sum((1, 2)).tolist() == cnn_vs_mlp.shapes()[[2, 0]].sum((1, 2)).tolist()


# 19 Vanishing gradients


def test_the_gradient_of_a_linear_recurrence_is_a_product_of_its_matrix() -> None:
    torch.manual_seed(1)
    w = vanishing_gradients.with_radius(torch.randn(5, 5, dtype=torch.float64), 0.8)
    assert vanishing_gradients.spectral_radius(w) == pytest.approx(0.8)
    inputs = torch.randn(6, 5, dtype=torch.float64)
    norms = vanishing_gradients.gradient_norms(
        vanishing_gradients.linear_step(w), torch.zeros(5, dtype=torch.float64), inputs
    )
    by_hand = [float((torch.linalg.matrix_power(w.T, t) @ torch.ones(5, dtype=torch.float64)).norm()) for t in range(7)]
    assert norms == pytest.approx(by_hand)


def test_the_lstm_is_that_of_torch() -> None:
    torch.manual_seed(2)
    n, bias = 4, 0.7
    weights, x, state = torch.randn(4, n, n), torch.randn(4, n), torch.randn(2, n)
    theirs = torch.nn.LSTMCell(1, n, bias=False)
    order = [1, 0, 3, 2]  # ours: f, i, o, g; torch's: i, f, g, o
    with torch.no_grad():
        theirs.weight_hh.copy_(weights[order].flatten(0, 1))
        theirs.weight_ih.copy_((x + torch.tensor([bias, 0, 0, 0])[:, None])[order].view(4 * n, 1))
        h, c = theirs(torch.ones(1, 1), (state[1:], state[:1]))
        ours = vanishing_gradients.lstm_step(weights, bias)(state, x)
    torch.testing.assert_close(ours, torch.cat((c, h)))


# 20 Optimisers


@pytest.mark.parametrize("name", ["momentum", "Adam"])
def test_steps_are_those_of_torch(name: str) -> None:
    rng = np.random.default_rng(0)
    bowl, theta = np.diag([1.0, 5.0, 20.0]), rng.normal(size=3)
    tensor = torch.tensor(theta, requires_grad=True)
    theirs: torch.optim.Optimizer = torch.optim.SGD([tensor], lr=0.02, momentum=0.8)
    ours = optimisers.momentum(0.02, 0.8)
    if name == "Adam":
        ours = optimisers.adam(0.05)
        theirs = torch.optim.Adam([tensor], lr=0.05, betas=(optimisers.BETA1, optimisers.BETA2), eps=optimisers.EPSILON)
    for _ in range(30):
        theta = theta + ours(bowl @ theta)
        theirs.zero_grad()
        (tensor @ torch.tensor(bowl) @ tensor / 2).backward()
        theirs.step()
        np.testing.assert_allclose(theta, tensor.detach().numpy(), rtol=1e-10, atol=1e-12)


def test_the_best_momentum_cannot_be_bettered_nearby() -> None:
    """The largest eigenvalue of two steps' matrix, over all curvatures, decides the speed."""

    def speed(rate: float, beta: float) -> float:
        worst = 0.0
        for curvature in np.geomspace(1, 50, 30):
            matrix = np.array([[1 + beta - rate * curvature, -beta], [1, 0]])
            worst = max(worst, float(np.abs(np.linalg.eigvals(matrix)).max()))
        return worst

    rate, beta = optimisers.best_momentum(1.0, 50.0)
    assert speed(rate, beta) == pytest.approx((math.sqrt(50) - 1) / (math.sqrt(50) + 1), abs=1e-3)
    for r, b in itertools.product((0.9, 1.0, 1.1), (0.9, 1.0, 1.1)):
        assert speed(rate * r, beta * b) > speed(rate, beta) - 1e-3


# 21 Normalisation


def test_norms_are_those_of_torch() -> None:
    x = np.random.default_rng(0).normal(2, 3, (6, 16))
    tensor = torch.tensor(x)
    theirs = {
        normalisation.layer_norm: F.layer_norm(tensor, (16,), eps=normalisation.EPSILON),
        normalisation.rms_norm: F.rms_norm(tensor, (16,), eps=normalisation.EPSILON),
        normalisation.batch_norm: F.batch_norm(tensor, None, None, training=True, eps=normalisation.EPSILON),
    }
    for ours, expected in theirs.items():
        np.testing.assert_allclose(ours(x), expected.numpy(), atol=1e-12)


# 22 Q-learning


@pytest.mark.parametrize("slip", [0.0, 0.3])
def test_value_iteration_solves_the_equation_of_its_own_policy(slip: float) -> None:
    """Fix its greedy policy and solve the linear equation for its values: no action is worth more than they are."""
    gamma = 0.9
    q = q_learning.value_iteration(q_learning.GRID, gamma, slip)
    states = list(q)
    at = {state: i for i, state in enumerate(states)}

    def one_step(state: tuple[int, int], action: int) -> tuple[float, np.ndarray]:
        reward, after = 0.0, np.zeros(len(states))
        for probability, there in q_learning.outcomes(q_learning.GRID, state, action, slip):
            reward += probability * q_learning.REWARDS[q_learning.GRID[there[0]][there[1]]]
            if there in at:
                after[at[there]] += probability
        return reward, after

    greedy = [one_step(state, int(np.argmax(q[state]))) for state in states]
    values = np.linalg.solve(
        np.eye(len(states)) - gamma * np.array([after for _, after in greedy]), [reward for reward, _ in greedy]
    )
    for state in states:
        for action in range(4):
            reward, after = one_step(state, action)
            assert q[state][action] == pytest.approx(reward + gamma * float(after @ values), abs=1e-7)
            assert q[state][action] <= values[at[state]] + 1e-7


def test_outcomes_are_probabilities_and_a_wall_stops() -> None:
    for state in q_learning.open_states(q_learning.GRID):
        for action in range(4):
            found = q_learning.outcomes(q_learning.GRID, state, action, 0.2)
            assert sum(probability for probability, _ in found) == pytest.approx(1)
            assert all(q_learning.GRID[i][j] != "#" for _, (i, j) in found)
            assert all(abs(i - state[0]) + abs(j - state[1]) <= 1 for _, (i, j) in found)


def test_learning_agrees_with_value_iteration_in_another_discount() -> None:
    config = q_learning.Config(gamma=0.7)
    best = q_learning.value_iteration(q_learning.GRID, config.gamma, 0.0)
    q = {state: [0.0] * 4 for state in best}
    visits = {state: [0] * 4 for state in best}
    rng = random.Random(7)
    for _ in range(6000):
        q_learning.episode(q, visits, config, rng)
    assert max(q_learning.losses(q, best)) < 1e-3
    assert all(max(q[state]) <= max(best[state]) + 1e-9 for state in best)  # without slips it never overshoots


# 23 Bandits


def test_the_index_of_ucb_is_that_of_one_arm_at_a_time() -> None:
    rng = np.random.default_rng(0)
    plays = rng.integers(0, 30, (5, 4)).astype(float)
    wins = np.floor(plays * rng.random((5, 4)))
    index = bandits.ucb_index(wins, plays, 77)
    for place in np.ndindex(5, 4):
        n = plays[place]
        assert index[place] == (wins[place] / n + math.sqrt(2 * math.log(77) / n) if n else math.inf)


def test_thompson_plays_an_arm_as_often_as_it_is_the_best() -> None:
    """For two arms with posteriors Beta(3, 2) and Beta(2, 2): P(first is larger) by a sum over a fine grid."""
    rng = np.random.default_rng(1)
    wins, plays = np.tile([2.0, 1.0], (20_000, 1)), np.tile([3.0, 2.0], (20_000, 1))
    share = float((bandits.thompson_draw(wins, plays, rng).argmax(1) == 0).mean())
    x = (np.arange(2000) + 0.5) / 2000
    first, second = 12 * x**2 * (1 - x) / 2000, 6 * x * (1 - x) / 2000
    expected = float((first * np.cumsum(second)).sum())
    assert share == pytest.approx(expected, abs=4 * math.sqrt(0.25 / 20_000))


# 25 Generative and discriminative


def test_log_odds_of_the_generative_models_are_those_of_their_densities() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 60)
    x = rng.normal(size=(60, 3)) + y[:, None]

    def log_density(z: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
        rest = z - mean
        quadratic = float(rest @ np.linalg.solve(covariance, rest))
        return -(quadratic + math.log(np.linalg.det(2 * math.pi * covariance))) / 2

    means = [x[y == k].mean(0) for k in (0, 1)]
    rest = np.concatenate([x[y == k] - means[k] for k in (0, 1)])
    ridge = generative_vs_discriminative.RIDGE * np.eye(3)
    shared = {
        generative_vs_discriminative.naive_bayes: [np.diag((rest**2).mean(0))] * 2,
        generative_vs_discriminative.gda: [rest.T @ rest / 60 + ridge] * 2,
        generative_vs_discriminative.full_gaussian: [np.cov(x[y == k].T, bias=True) + ridge for k in (0, 1)],
    }
    prior = math.log(y.mean() / (1 - y.mean()))
    z = rng.normal(size=(10, 3))
    for model, covariances in shared.items():
        expected = [
            prior + log_density(row, means[1], covariances[1]) - log_density(row, means[0], covariances[0]) for row in z
        ]
        np.testing.assert_allclose(model(x, y)(z), expected, atol=1e-6)


def test_logistic_regression_is_where_its_loss_is_lowest() -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 50)
    x = rng.normal(size=(50, 2)) + y[:, None]
    fitted = generative_vs_discriminative.logistic(x, y)
    b = float(fitted(np.zeros((1, 2)))[0])
    w = fitted(np.eye(2)) - b

    def loss(weights: np.ndarray) -> float:
        odds = x @ weights[:2] + weights[2]
        likelihood = np.where(y == 1, -np.log1p(np.exp(-odds)), -np.log1p(np.exp(odds))).sum()
        return float(-likelihood + generative_vs_discriminative.RIDGE * (weights**2).sum() / 2)

    best = np.array([*w, b])
    for bump in 1e-4 * np.eye(3):
        assert (loss(best + bump) - loss(best - bump)) / 2e-4 == pytest.approx(0, abs=1e-5)


# 27 Tokenisation


def test_every_merge_is_of_a_most_frequent_pair() -> None:
    text = b"the cat and the bat ate the hat that the rat had at the mat " * 3 + b"then they sat there , gnat and cat"
    learnt = list(tokenisation.train(text, 12))
    pieces = [list(word) for word in tokenisation.words(text)]
    for new, (pair, frequency) in enumerate(learnt, 256):
        pairs = Counter(p for piece in pieces for p in itertools.pairwise(piece))
        assert pairs[pair] == max(pairs.values())
        assert frequency == pairs[pair]
        pieces = [tokenisation.merge(piece, pair, new) for piece in pieces]
    assert len(learnt) == 12


@pytest.mark.parametrize("seed", range(5))
def test_any_bytes_come_back_and_no_merge_makes_a_text_longer(seed: int) -> None:
    rng = random.Random(seed)
    pairs = [pair for pair, _ in tokenisation.train(b"one two three one two one " * 5 + bytes(range(256)), 20)]
    spelled = tokenisation.spell(pairs)
    text = bytes(rng.choice([rng.randrange(256), *b"one two "]) for _ in range(200))
    lengths = []
    for count in range(len(pairs) + 1):
        tokens = tokenisation.encode(text, dict(zip(pairs[:count], range(256, 256 + count), strict=True)))
        assert tokenisation.decode(tokens, spelled) == text
        lengths.append(len(tokens))
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] == len(text)
    assert b"".join(tokenisation.words(text)) == text


# 28 Embeddings


def test_pairs_are_counted_like_loops_count_them() -> None:
    rng = np.random.default_rng(0)
    sentences = rng.integers(0, 6, (20, 7))
    slow = np.zeros((6, 6))
    for sentence in sentences:
        for i, j in itertools.permutations(range(7), 2):
            slow[sentence[i], sentence[j]] += abs(i - j) <= 3
    np.testing.assert_array_equal(embeddings.count_pairs(sentences, 6, window=3), slow)
    chance = np.outer(slow.sum(1), slow.sum(0)) / slow.sum()
    with np.errstate(divide="ignore"):
        expected = np.maximum(np.log2(slow / chance), 0)
    np.testing.assert_allclose(embeddings.ppmi(slow), expected, atol=1e-12)


def test_vectors_of_all_dimensions_give_the_matrix_back_up_to_signs() -> None:
    rng = np.random.default_rng(1)
    root = rng.normal(size=(5, 5))
    matrix = root @ root.T  # with positive eigenvalues U and V are the same
    vectors = embeddings.embed(matrix, 5)
    np.testing.assert_allclose(vectors @ vectors.T, matrix, atol=1e-9)


def test_analogies_are_solved_where_offsets_are_exact() -> None:
    vocabulary, _ = embeddings.corpus(1, 0.0, np.random.default_rng(0))
    questions = embeddings.analogies(vocabulary)
    assert len(questions) == len(set(questions)) == 8 * 7 * 3 * 2
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(len(vocabulary), 40))
    assert embeddings.solved(vectors, questions) < 0.2
    family, form = rng.normal(size=(8, 40)), rng.normal(size=(3, 40))
    for i, names in enumerate(embeddings.FAMILIES):
        for j, name in enumerate(names.split()):
            vectors[vocabulary.index(name)] = family[i] + form[j]
    assert embeddings.solved(vectors, questions, exclude=False) == 1


# 30 Masks and positions


def test_rope_is_a_rotation_of_complex_numbers() -> None:
    torch.manual_seed(0)
    x, positions = torch.randn(4, 8, dtype=torch.float64), torch.tensor([0, 1, 5, 300])
    turned = torch.view_as_complex(x.view(4, 4, 2)) * torch.polar(
        torch.ones(4, 4, dtype=torch.float64),
        positions[:, None] * 10_000.0 ** (-torch.arange(4, dtype=torch.float64) / 4),
    )
    torch.testing.assert_close(transformer_masks_positions.rope(x, positions), torch.view_as_real(turned).flatten(1))


def test_the_answer_of_the_order_task_is_what_comes_first() -> None:
    tokens, answers = transformer_masks_positions.order_task(50, 7, torch.Generator().manual_seed(0))
    a, b = transformer_masks_positions.A, transformer_masks_positions.B
    for row, answer in zip(tokens.tolist(), answers.tolist(), strict=True):
        assert (row.count(a), row.count(b), row[-1]) == (1, 1, transformer_masks_positions.QUESTION)
        assert answer == next(token for token in row if token in (a, b))


@pytest.mark.parametrize("mask", [True, False])
def test_only_the_mask_keeps_the_past_as_it_was(mask: bool) -> None:
    torch.manual_seed(0)
    model = transformer_masks_positions.Transformer(2, mask=mask, positions=True)
    changes = transformer_masks_positions.edits(model, torch.randint(0, 12, (6,)))
    past = changes.tril(-1)  # row: what was edited; column: where the logits changed
    assert bool(past.max() < 1e-6) is mask
    assert changes.diagonal().min() > 1e-6


# 32 Decoding


def test_the_nucleus_is_the_smallest_of_all_sets_that_reach_p() -> None:
    rng = np.random.default_rng(0)
    for p in (0.1, 0.5, 0.9, 1.0):
        probs = rng.dirichlet(np.ones(6))
        kept = decoding.nucleus(probs, p)
        assert probs[kept].sum() >= p - 1e-9
        smaller = itertools.combinations(range(6), len(kept) - 1)
        assert all(probs[list(some)].sum() < p for some in smaller)
        np.testing.assert_allclose(decoding.top_p(probs, p)[kept], probs[kept] / probs[kept].sum())


def test_a_beam_as_wide_as_all_texts_finds_the_most_probable_one() -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        table = rng.dirichlet(np.full(3, 0.5), size=3)
        best = max(
            ([0, *text] for text in itertools.product(range(3), repeat=4)), key=lambda t: decoding.log_prob(table, t)
        )
        assert decoding.beam_search(table, 0, 4, width=81) == best
        assert decoding.log_prob(table, decoding.beam_search(table, 0, 4, width=1)) <= decoding.log_prob(table, best)


def test_a_text_is_drawn_from_its_distribution() -> None:
    table = np.array([[0.2, 0.8], [0.5, 0.5]])
    text = decoding.write(table, lambda probs: probs, 0, 20_000, np.random.default_rng(0))
    after_0 = [b for a, b in itertools.pairwise(text) if a == 0]
    assert float(np.mean(after_0)) == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / len(after_0)))


# 34 Scaling laws


def test_what_a_model_leaves_over_is_what_least_squares_leaves_over() -> None:
    """The demo's random features again, and ordinary least squares on endless data, by the normal equations."""
    variance, sizes = scaling_laws.variances(30, 0.8), (2, 5, 11)
    found = scaling_laws.reducible_losses(variance, sizes, np.random.default_rng(4))
    rng = np.random.default_rng(4)
    w = rng.choice([-1.0, 1.0], size=30)
    features = rng.normal(size=(30, 11))
    for size, loss in zip(sizes, found, strict=True):
        f = features[:, :size]  # φ = fᵀ·x with E[x·xᵀ] = diag(variance)
        theta = np.linalg.solve(f.T @ (variance[:, None] * f), f.T @ (variance * w))
        left = w - f @ theta
        assert loss == pytest.approx(float((variance * left**2).sum()))


def test_a_known_law_is_found_and_with_a_wrong_floor_it_is_less_straight() -> None:
    n = np.array([8.0, 16.0, 32.0, 64.0, 128.0])
    loss = 0.2 + 1.5 * n**-0.7
    law, pure = scaling_laws.fit_power_law(n, loss), scaling_laws.fit_power_law(n, loss, floor=0.0)
    assert (law.floor, law.alpha) == pytest.approx((0.2, 0.7), abs=0.01)
    assert law(256) == pytest.approx(0.2 + 1.5 * 256**-0.7, rel=1e-3)
    assert pure.r_squared < law.r_squared
    assert abs(pure(1024) - (0.2 + 1.5 * 1024**-0.7)) > 10 * abs(law(1024) - (0.2 + 1.5 * 1024**-0.7))
