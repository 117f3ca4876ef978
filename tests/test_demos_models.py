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
from learn_llm.demos import transfer_learning
from learn_llm.demos.catalogue import DEMOS
from learn_llm.events import Chart, Event, Metrics, Start, Verdict, from_json, to_json
from learn_llm.glossary import find
from learn_llm.tinyworld import tokens

OWN = (transfer_learning,)
SMALLER: dict[str, dict[str, Any]] = {
    "transfer-learning": {"steps": 6},
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
