"""Row 35, 40 and 41: what the demos say, at reduced size; how able the bundled models are is not asserted here."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from learn_llm.charts import render
from learn_llm.demos import adapters_prompt_tuning, quantisation, ways_of_training
from learn_llm.demos.sft import questions
from learn_llm.demos.ways_of_training import ADAPTERS, FULL, LORA, PLAIN, PROMPT_TUNING, PROMPTING, Config, Outcome
from learn_llm.events import Chart, Event, Metrics, Table, Verdict
from learn_llm.examples import Encoder
from learn_llm.glossary import find
from learn_llm.minimal_impls import lora, prompt_tuning, quantise
from learn_llm.training import TrainConfig, generator
from tests.small_models import little_llama, world_tokenizer


def few(monkeypatch: pytest.MonkeyPatch, broken: bool = False) -> list[Event]:
    for name, value in (("BATCH", 4), ("ASKED", 8)):
        monkeypatch.setattr(ways_of_training, name, value)
    return list(ways_of_training.run(Config(steps=10, break_=broken)))


@pytest.fixture
def encoder() -> Encoder:
    return Encoder(world_tokenizer(), little_llama(world_tokenizer()).config)


def test_every_way_stands_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    events = few(monkeypatch)
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert all(math.isfinite(value) and find(name) for name, value in verdict.measured.items())
    assert all(find(name) for event in events if isinstance(event, Metrics) for name in event.values)
    [table] = [event for event in events if isinstance(event, Table)]
    assert [row[0] for row in table.rows] == [PLAIN, PROMPTING, PROMPT_TUNING, ADAPTERS, LORA, FULL]
    counts = [row[1] for row in table.rows]
    assert counts[:3] == [0, 0, 16 * 128]
    assert counts == sorted(counts, key=lambda count: float(count or 0))
    assert [row[3] for row in table.rows] == [0, 8, 40, 40, 40, 40]
    charts = [event for event in events if isinstance(event, Chart)]
    assert [len(chart.series) for chart in charts] == [2, 6]
    assert all(max(map(len, render(chart, 78, 16).split("\n"))) <= 78 for chart in charts)


def test_broken_everyone_gets_somebody_elses_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    items = questions(generator(Config(), "x"), 40, held_out=True)
    same, other = (ways_of_training.dealt(items, Config(break_=broken)) for broken in (False, True))
    assert same == items
    assert sorted(i.answer for i in other) == sorted(i.answer for i in items)
    assert sum(a.answer != b.answer for a, b in zip(other, items, strict=True)) > 20
    assert [i.prompt for i in other] == [i.prompt for i in items]
    verdict = few(monkeypatch, broken=True)[-1]
    assert isinstance(verdict, Verdict)
    assert not verdict.holds


def test_exact_is_what_greedy_decoding_answers(encoder: Encoder) -> None:
    """With and without soft tokens, on a model that has learnt some answers by heart."""
    items = questions(generator(Config(), "x"), 6, held_out=True)
    model = prompt_tuning.soft_prompt(little_llama(world_tokenizer(), context=128), torch.randn(2, 16)).requires_grad_()
    data = prompt_tuning.all_behind(model, [ways_of_training.demonstration(encoder, item) for item in items])
    adam = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(60):
        for row in data[:3]:
            ids = torch.tensor([[*row.prompt.ids, *row.response]])
            torch.nn.functional.cross_entropy(model(ids)[0, -3:-1], ids[0, -2:]).backward()
        adam.step()
        adam.zero_grad()
    found = ways_of_training.exact(model, encoder, items)
    expected = []
    for row in data:
        said = model.generate(torch.tensor([row.prompt.ids]), max_new_tokens=4, temperature=0)[0].tolist()
        expected.append(said[: len(row.response)] == list(row.response))
    assert found == expected
    assert 3 <= sum(found) < 6


def test_the_ways_train_what_they_should() -> None:
    counts = {
        way: lora.trained(ways_of_training.changed(Config(), way, little_llama(world_tokenizer())))
        for way in ways_of_training.RATES
    }
    everything = little_llama(world_tokenizer()).num_parameters()
    assert counts[PROMPT_TUNING] == 16 * 16
    assert counts[ADAPTERS] == 4 * (2 * 16 * 8 + 8 + 16)
    assert counts[LORA] == 2 * 4 * (32 + 24 + 24 + 32 + 3 * 40)
    assert counts[FULL] == everything


def test_the_scores_decide() -> None:
    def holds(**right: int) -> bool:
        counts = {PLAIN: 0, PROMPTING: 0, PROMPT_TUNING: 200, ADAPTERS: 2_000, LORA: 4_000, FULL: 100_000}
        given = {PLAIN: 0, PROMPTING: 80, PROMPT_TUNING: 60, ADAPTERS: 90, LORA: 88, FULL: 92}
        given |= {way: right[way.split()[0]] for way in given if way.split()[0] in right}
        outcomes = {w: Outcome(counts[w], 0, 0.0, [i < given[w] for i in range(100)]) for w in counts}
        return ways_of_training.verdict(outcomes, 100_000).holds

    assert holds()
    assert not holds(asked=20)
    assert not holds(prompting=40)
    assert not holds(prompt=95)
    assert not holds(LoRA=80)
    assert not holds(full=40, LoRA=45, prompt=30)


@pytest.mark.parametrize(
    ("module", "method"),
    [(adapters_prompt_tuning, prompt_tuning), (quantisation, quantise)],
    ids=["adapters-prompt-tuning", "quantisation"],
)
@pytest.mark.parametrize("broken", [False, True])
def test_the_demo_runs_the_methods_file(
    module: Any, method: Any, broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def record(config: TrainConfig) -> Iterator[Event]:
        given.append(config)
        return iter(())

    monkeypatch.setattr(method, "run", record)
    assert list(module.run(module.Config(seed=3, steps=11, break_=broken))) == []
    [config] = given
    assert (config.seed, config.steps, config.break_, config.device) == (3, 11, broken, "cpu")
    if module is adapters_prompt_tuning:
        assert (config.soft_tokens, config.other_lengths) == (16, (1, 4))
        list(adapters_prompt_tuning.run(adapters_prompt_tuning.Config(soft_tokens=3)))
        assert given[1].other_lengths == (1,)
