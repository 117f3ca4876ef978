"""The demos that measure the bundled base, or learn from rewards and pairs: their events, their breaks, their oracles.

How able the bundled checkpoints are is not asserted here: `learn-llm demo --all --check` does that.
"""

import doctest
import importlib
import math
import random
from types import ModuleType
from typing import Any

import pytest
import torch

from learn_llm.charts import render
from learn_llm.checkpoints import load
from learn_llm.demos import in_context_learning, kl_dpo, transfer_learning
from learn_llm.demos.catalogue import DEMOS
from learn_llm.events import Chart, Event, Metrics, Start, Verdict, from_json, to_json
from learn_llm.glossary import find
from learn_llm.tinyworld import lexicon, tokens
from learn_llm.training import token_logprobs

OWN = (transfer_learning, in_context_learning, kl_dpo)
SMALLER: dict[str, dict[str, Any]] = {
    "transfer-learning": {"steps": 6},
    "in-context-learning": {"length": 6, "lists": 16},
    "kl-dpo": {"steps": 80, "pairs": 20_000},
}
"""What the tests leave out of a demo for speed."""


def events_of(slug: str, broken: bool) -> list[Event]:
    module = importlib.import_module(f"learn_llm.demos.{DEMOS[slug].module}")
    return list(module.run(module.Config(break_=broken, **SMALLER[slug])))


@pytest.mark.parametrize("broken", [False, True], ids=["as it is", "broken"])
@pytest.mark.parametrize("slug", SMALLER)
def test_says_what_a_demo_says_and_fails_when_broken(slug: str, broken: bool) -> None:
    events = events_of(slug, broken)
    verdicts = [event for event in events if isinstance(event, Verdict)]
    assert verdicts == events[-1:]
    assert not (broken and verdicts[0].holds), verdicts[0].measured
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
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS).failed == 0


# 26 Transfer learning


def test_a_dialect_exchanges_the_commonest_words_and_nothing_else() -> None:
    size, fixed = len(tokens.vocabulary()), len(tokens.SPECIAL) + len(tokens.MARKS)
    text = torch.tensor([[1, 20, 30, 30, 40], [20, 30, 50, 1, 1]])
    said = transfer_learning.dialect(text, 2, random.Random(0))
    assert sorted(said.tolist()) == list(range(size))
    assert torch.equal(said[said], torch.arange(size))  # they change places, so twice is once back
    changed = {i for i in range(size) if said[i] != i}
    assert len(changed) == 4
    assert {20, 30} < changed
    assert min(changed) >= fixed  # marks and special tokens stay


def test_shuffled_weights_are_the_same_numbers_elsewhere() -> None:
    model, _ = load("tiny-base")
    before = {name: p.clone() for name, p in model.named_parameters()}
    transfer_learning.shuffle_weights(model, torch.Generator().manual_seed(0))
    for name, p in model.named_parameters():
        assert torch.equal(p.flatten().sort().values, before[name].flatten().sort().values)
    assert any(not torch.equal(p, before[name]) for name, p in model.named_parameters())


@pytest.mark.parametrize("replay", [0.0, 0.25, 0.9])
def test_a_batch_has_its_share_of_old_text(replay: float) -> None:
    new, old = torch.zeros(20, 3, dtype=torch.long), torch.ones(20, 3, dtype=torch.long)
    config = transfer_learning.Config(replay=replay)
    text = transfer_learning.batch(config, new, old, step=1)
    assert len(text) == transfer_learning.BATCH
    assert int(text[:, 0].sum()) == round(replay * transfer_learning.BATCH)


def test_the_loss_of_a_row_is_its_mean_over_tokens() -> None:
    model, _ = load("tiny-base")
    text = torch.randint(10, 500, (3, 9), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        logprobs = model(text).log_softmax(-1)
    for row, loss in zip(range(3), transfer_learning.row_losses(model, text), strict=True):
        expected = -sum(float(logprobs[row, t, text[row, t + 1]]) for t in range(8)) / 8
        assert loss == pytest.approx(expected, rel=1e-4)


# 37 In-context learning


@pytest.mark.parametrize("second", [in_context_learning.SAME, in_context_learning.ORDER, in_context_learning.OTHER])
def test_the_second_reading_is_what_it_is_said_to_be(second: str) -> None:
    rng = random.Random(1)
    words = lexicon.some(rng, lexicon.vocabulary(), 7)
    ids = in_context_learning.twice(rng, words, second)
    names = list(tokens.vocabulary())
    said = [names[i] for i in ids]
    assert (said[0], said[8], len(said)) == (tokens.BOS, "\n", 16)
    assert said[1:8] == words
    assert (said[9:] == words) is (second == in_context_learning.SAME)
    assert (sorted(said[9:]) == sorted(words)) is (second != in_context_learning.OTHER)


def test_each_word_has_the_loss_of_its_own_place() -> None:
    model, _ = load("tiny-base")
    text = torch.tensor([in_context_learning.twice(random.Random(i), ["hat", "sun", "red"], "") for i in range(2)])
    first, second = in_context_learning.losses(model, text)
    with torch.no_grad():
        logprobs = model(text).log_softmax(-1)
    for word in range(3):
        assert float(first[0, word]) == pytest.approx(-float(logprobs[0, word, text[0, word + 1]]), abs=1e-5)
        assert float(second[1, word]) == pytest.approx(-float(logprobs[1, word + 4, text[1, word + 5]]), abs=1e-5)


def test_a_head_switched_off_adds_nothing_and_comes_back() -> None:
    model, _ = load("tiny-base")
    text = torch.tensor([in_context_learning.twice(random.Random(0), ["hat", "sun", "red", "cow"], "")])
    before = {name: p.clone() for name, p in model.named_parameters()}
    found = in_context_learning.without_head(model, layer=1, head=2, text=text)
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())

    size = model.config.head_size

    def silence(_: torch.nn.Module, inputs: tuple[torch.Tensor]) -> torch.Tensor:
        mixed = inputs[0].clone()
        mixed[..., 2 * size : 3 * size] = 0
        return mixed

    hook = model.get_submodule("model.layers.1.self_attn.o_proj").register_forward_pre_hook(silence)
    with torch.no_grad():
        expected = float(-token_logprobs(model(text), text)[:, 5:].mean())
    hook.remove()
    assert found == pytest.approx(expected, abs=1e-5)


# 47 KL penalty and DPO


def objective(policy: torch.Tensor, reference: torch.Tensor, rewards: torch.Tensor, beta: float) -> float:
    return float(policy @ rewards) - beta * kl_dpo.kl(policy, reference)


@pytest.mark.parametrize("beta", [0.3, 1.0, 4.0])
def test_no_policy_is_better_than_the_optimum(beta: float) -> None:
    generator = torch.Generator().manual_seed(0)
    reference = torch.rand(6, generator=generator, dtype=torch.float64).softmax(0)
    rewards = torch.randn(6, generator=generator, dtype=torch.float64)
    best = kl_dpo.optimum(reference, rewards, beta)
    value = objective(best, reference, rewards, beta)
    assert value == pytest.approx(beta * math.log(float((reference * (rewards / beta).exp()).sum())))
    for size in (0.01, 0.3, 3.0):
        for _ in range(20):
            other = (best.log() + size * torch.randn(6, generator=generator, dtype=torch.float64)).softmax(0)
            assert objective(other, reference, rewards, beta) < value


def test_the_sampled_gradient_is_that_of_the_objective() -> None:
    generator = torch.Generator().manual_seed(1)
    theta = torch.tensor([0.5, -0.2, 0.1, 0.0], requires_grad=True)
    reference, rewards, beta = torch.tensor([0.4, 0.3, 0.2, 0.1]), torch.tensor([0.0, 1.0, 0.5, 2.0]), 0.7
    policy = theta.softmax(0)
    exact = torch.autograd.grad(policy @ rewards - beta * (policy * (policy / reference).log()).sum(), theta)[0]
    drawn = torch.stack(
        [
            -torch.autograd.grad(
                kl_dpo.policy_gradient_loss(theta.log_softmax(0), reference, rewards, beta, generator), theta
            )[0]
            for _ in range(200)
        ]
    )
    error = drawn.std(0) / math.sqrt(len(drawn))
    assert bool(((drawn.mean(0) - exact).abs() < 4 * error).all())


def test_at_the_optimum_no_sample_moves_the_policy() -> None:
    reference, rewards = torch.tensor([0.4, 0.3, 0.2, 0.1]), torch.tensor([0.0, 1.0, 0.5, 2.0])
    theta = kl_dpo.optimum(reference, rewards, 0.5).log().requires_grad_()
    loss = kl_dpo.policy_gradient_loss(theta.log_softmax(0), reference, rewards, 0.5, torch.Generator().manual_seed(0))
    assert float(torch.autograd.grad(loss, theta)[0].abs().max()) < 1e-5


def test_pairs_are_labelled_as_often_as_bradley_and_terry_say() -> None:
    rewards, reference = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([0.5, 0.3, 0.2])
    chosen, rejected = kl_dpo.labelled_pairs(rewards, reference, 30_000, torch.Generator().manual_seed(0))
    assert not bool((chosen == rejected).any())
    for a, b in ((0, 1), (0, 2), (1, 2)):
        wins, losses = (int(((chosen == i) & (rejected == j)).sum()) for i, j in ((a, b), (b, a)))
        expected = 1 / (1 + math.exp(float(rewards[b] - rewards[a])))
        count = wins + losses
        assert wins / count == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / count))
        share = float(2 * reference[a] * reference[b] / (1 - (reference**2).sum()))
        assert count / 30_000 == pytest.approx(share, abs=4 * math.sqrt(share / 30_000))
