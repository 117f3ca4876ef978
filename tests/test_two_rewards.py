"""Llama 2's two reward models: the rule, the logit and whitening, what annotators see; then whole runs."""

import doctest
import math
import statistics
from collections.abc import Generator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from learn_llm import glossary
from learn_llm.errors import UserError
from learn_llm.events import Event, Metrics, Table, Verdict
from learn_llm.examples import Encoder, is_held_out
from learn_llm.minimal_impls import two_rewards
from learn_llm.minimal_impls.reward_model import load_reward, score_pairs
from learn_llm.minimal_impls.two_rewards import Config, combined, drawn, held_out, helpfulness, labelled, linear, safety
from learn_llm.tinyworld import tasks, writers
from learn_llm.training import Setup
from tests.small_models import little_llama, llama_folder, world_tokenizer


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(two_rewards, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted >= 2
    assert result.failed == 0


class TestRule:
    def test_against_the_piecewise_definition(self) -> None:
        rng = Random(0)
        rows = [(rng.random(), rng.random(), rng.random() < 0.5) for _ in range(200)]
        helpful, safe, tagged = (torch.tensor(column) for column in zip(*rows, strict=True))
        expected = [s if t or s < 0.15 else h for h, s, t in rows]
        assert combined(helpful, safe, tagged).tolist() == pytest.approx(expected)

    def test_at_the_threshold_helpfulness_counts(self) -> None:
        helpful, none = torch.tensor([0.9, 0.9]), torch.tensor([False, False])
        assert combined(helpful, torch.tensor([0.25, 0.2499]), none, threshold=0.25).tolist() == pytest.approx(
            [0.9, 0.2499]
        )

    def test_linear_is_logit_then_whitening(self) -> None:
        scores = [0.02, 0.3, 0.5, 0.93]
        logits = [math.log(p / (1 - p)) for p in scores]
        mean, deviation = statistics.fmean(logits), statistics.stdev(logits)
        expected = [(x - mean) / deviation for x in logits]
        assert linear(torch.tensor(scores)).tolist() == pytest.approx(expected, abs=1e-5)

    def test_certainty_gives_no_infinity(self) -> None:
        assert bool(linear(torch.tensor([0.0, 0.5, 1.0])).isfinite().all())
        assert linear(torch.tensor([0.5, 0.5])).tolist() == [0, 0]


class TestAnnotators:
    def test_they_contradict_each_other_on_what_is_unsafe(self) -> None:
        rng, seen = Random(0), 0
        for _ in range(100):
            item = next(task for task in tasks.training() if task.name == "deed").sample(rng)
            refused, helped = item.reference, writers.write(item, "harmlessness", rng)
            assert safety(item, refused) == 1 > safety(item, helped)
            if item.unsafe:
                seen += 1
                assert helpfulness(item, helped) == 1 > helpfulness(item, refused) == -1
            else:  # a name that one is called does not make an answer less helpful
                assert helpfulness(item, helped) == helpfulness(item, refused)
        assert seen > 20

    def test_pairs_are_ordered_by_their_own_judge_and_broken_ones_the_wrong_way_round(self) -> None:
        tokenizer = world_tokenizer()
        model = little_llama(tokenizer)
        setup = Setup(Config(), model, Encoder(tokenizer, model.config), torch.device("cpu"))
        for kind, judge in (("helpful", helpfulness), ("safe", safety)):
            for broken in (False, True):
                differences = []
                for pair in labelled(Config(pairs=150, break_=broken), setup, kind):
                    assert pair.prompt.item is not None
                    texts = [setup.encoder.text(ids) for ids in (pair.chosen, pair.rejected)]
                    differences.append(judge(pair.prompt.item, texts[0]) - judge(pair.prompt.item, texts[1]))
                mean = statistics.fmean(differences)
                assert mean < -0.4 if broken and kind == "safe" else mean > 0.2, (kind, broken, mean)

    def test_nothing_held_out_is_labelled(self) -> None:
        config = Config(prompts=20)
        assert not any(is_held_out(item) for item in drawn(config, "safe", 100))
        unsafe, ordinary = held_out(config)
        assert all(is_held_out(item) for item in unsafe + ordinary)
        assert [len(unsafe), len({item.prompt for item in unsafe}), len(ordinary)] == [20, 20, 20]
        assert all(item.unsafe for item in unsafe)
        assert not any(item.unsafe for item in ordinary)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    model = llama_folder(tmp_path / "llama", world_tokenizer(), context=128)
    small = {"steps": 2, "batch_size": 4, "pairs": 12, "n": 3, "prompts": 5, "max_new_tokens": 4}
    return {"model": model, "device": "cpu", **small}


def run(**settings: Any) -> list[Event]:
    return list(two_rewards.run(Config(**settings)))


def metrics(events: list[Event]) -> list[dict[str, float]]:
    return [dict(event.values) for event in events if isinstance(event, Metrics)]


def test_two_steps(settings: dict[str, Any], tmp_path: Path) -> None:
    events = run(**settings, out=str(tmp_path / "out"))
    found = events[-1]
    assert isinstance(found, Verdict)
    names = {*found.measured, *(name for values in metrics(events) for name in values)}
    assert [name for name in names if glossary.find(name) is None] == []
    [table] = [event for event in events if isinstance(event, Table)]
    assert [row[:2] for row in table.rows] == [
        (kind, rule) for kind in ("tagged", "ordinary") for rule in ("one sample", "helpfulness alone", "combined")
    ]
    tokenizer = world_tokenizer()
    model = little_llama(tokenizer)
    setup = Setup(Config(), model, Encoder(tokenizer, model.config), torch.device("cpu"))
    for kind in ("helpful", "safe"):
        reward = load_reward(str(tmp_path / "out" / kind), setup)
        assert float(reward.shift) != 0


def test_the_level_is_that_of_the_pairs(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    levels = []

    def look(config: Config, setup: Setup, rewards: Any) -> Generator[Event, None, None]:
        for kind, reward in rewards.items():
            with torch.no_grad():
                levels.append(float(torch.cat(score_pairs(reward, setup, labelled(config, setup, kind))).mean()))
        yield Verdict("", True, {})

    monkeypatch.setattr(two_rewards, "picked", look)
    run(**settings)
    assert levels == pytest.approx([0, 0], abs=1e-4)


def test_bf16_autocast_and_micro_batches(settings: dict[str, Any]) -> None:
    whole, parts, rounded = (
        metrics(run(**settings, **more)) for more in ({}, {"micro_batch_size": 3}, {"dtype": "bf16"})
    )
    for a, b, c in zip(whole, parts, rounded, strict=True):
        assert b == pytest.approx(a, abs=1e-4)
        assert [c[name] for name in c if "loss" in name] == pytest.approx([a[n] for n in a if "loss" in n], rel=0.05)


def test_an_interrupted_run_ends_with_the_same_verdict(settings: dict[str, Any], tmp_path: Path) -> None:
    settings |= {"steps": 4, "save_every": 2}
    whole = run(**settings)
    stopped = two_rewards.run(Config(**settings, out=str(tmp_path / "out")))
    for event in stopped:
        if isinstance(event, Metrics) and event.step == 3 and "safe/loss" in event.values:
            break
    assert isinstance(stopped, Generator)
    stopped.close()
    again = run(**settings, out=str(tmp_path / "out"), resume=True)
    assert metrics(again) == metrics(whole)[7:]
    assert again[-1] == whole[-1]


def test_bad_input() -> None:
    with pytest.raises(UserError, match="leave --data away"):
        Config(data="pairs.jsonl")
    with pytest.raises(UserError, match="--n must be at least 2"):
        Config(n=1)
