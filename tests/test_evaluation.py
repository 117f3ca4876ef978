"""Intervals against tables, win rates, and the verdict that compares with the start."""

import doctest
import math
import random

import pytest
import torch

from learn_llm import evaluation
from learn_llm.evaluation import compare_with_start, curves, difference, interval, skill_table, t_quantile, win_rate
from learn_llm.events import Sample, Table, Verdict
from learn_llm.examples import Encoder, Prompt, World
from learn_llm.gpt import GPT
from learn_llm.rollouts import Response
from learn_llm.tinyworld.writers import write
from learn_llm.training import Setup, TrainConfig
from tests.small_models import little_llama, world_tokenizer


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(evaluation, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.attempted >= 3
    assert result.failed == 0


TABLE = {
    (1, 0.975): 12.706,
    (2, 0.975): 4.303,
    (3, 0.975): 3.182,
    (4, 0.95): 2.132,
    (9, 0.975): 2.262,
    (30, 0.995): 2.75,
}


@pytest.mark.parametrize(("df", "p"), TABLE)
def test_t_quantiles_are_those_of_the_tables(df: int, p: float) -> None:
    assert t_quantile(p, df) == pytest.approx(TABLE[df, p], abs=5e-4)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    rng = random.Random(0)
    covered = 0
    for _ in range(2000):
        found = interval([rng.gauss(1.0, 2.0) for _ in range(5)])
        covered += found.low <= 1.0 <= found.high
    assert covered / 2000 == pytest.approx(0.95, abs=0.015)


def test_a_single_value_says_nothing_about_its_spread() -> None:
    assert interval([3.0]).low == -math.inf


def test_paired_differences_and_wins() -> None:
    assert difference([2.0, 3.0], [1.0, 2.0]).mean == 1.0
    assert difference([2.0, 3.0], [1.0, 2.0]).low == pytest.approx(1.0)
    assert win_rate([1, 1, 0, 0], [0, 1, 1, 0]) == 0.5
    with pytest.raises(ValueError, match="longer"):
        win_rate([1.0], [1.0, 2.0])


def test_curves_of_what_was_measured() -> None:
    chart = curves("t", {"a": [1.0, 2.0], "b": []}, ["a", "b", "c"], "y")
    assert [series.name for series in chart.series] == ["a"]
    assert chart.series[0].x == (1.0, 2.0)


class TestComparison:
    """The verdict on responses whose quality is known."""

    tokenizer = world_tokenizer()
    encoder = Encoder(tokenizer, little_llama(tokenizer, context=128).config)
    prompts = World(encoder, 0).prompts(1, 8).held_out[:120]

    def verdict(self, monkeypatch: pytest.MonkeyPatch, before: str, after: str, cooled: str = "") -> Verdict:
        model, start = little_llama(self.tokenizer, 0, 128), little_llama(self.tokenizer, 1, 128)
        setup = Setup(TrainConfig(), model, self.encoder, torch.device("cpu"))
        rng = random.Random(0)

        def respond(_: Setup, who: GPT, prompts: list[Prompt], limit: int, temperature: float = 1.0) -> list[Response]:
            quality = after if who is model else before if temperature == 1 or not cooled else cooled
            texts = [write(p.item, quality, rng) for p in prompts if p.item is not None]
            return [Response(p, self.encoder.response(text), True) for p, text in zip(prompts, texts, strict=True)]

        monkeypatch.setattr(evaluation, "respond", respond)
        *said, verdict = compare_with_start(setup, "it", start, self.prompts, 8, "it helps", lambda _: [])
        assert isinstance(verdict, Verdict)
        assert sum(isinstance(event, Table) for event in said) == 1
        assert sum(isinstance(event, Sample) for event in said) == 6
        return verdict

    def test_better_in_every_way_holds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.verdict(monkeypatch, before="logical_correctness", after="good")
        assert found.holds
        assert found.measured["ci_low"] > 0
        assert found.measured["win_rate"] > 0.7
        assert found.measured["kl"] > 0

    def test_the_same_does_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert not self.verdict(monkeypatch, before="readability", after="readability").holds

    def test_only_as_good_as_the_start_when_cooled_does_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.verdict(monkeypatch, before="logical_correctness", after="good", cooled="good")
        assert not found.holds
        assert found.measured["best_temperature"] < 1

    def test_better_style_at_the_price_of_correctness_does_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.verdict(monkeypatch, before="good", after="logical_correctness")
        assert found.measured["correctness_difference"] < 0
        assert not found.holds


def test_the_table_has_a_row_for_every_tagged_skill_and_gold_last() -> None:
    tokenizer = world_tokenizer()
    encoder = Encoder(tokenizer, little_llama(tokenizer, context=128).config)
    prompts = World(encoder, 0).prompts(1, 8).held_out[:60]
    good = [Response(p, encoder.response(p.item.reference), True) for p in prompts if p.item is not None]
    table = skill_table("t", {"good": good})
    assert table.columns == ("skill", "items", "good")
    assert table.rows[-2] == ("gold, -1 to 1", 60, 1.0)
    assert all(row[2] == 5 for row in table.rows[:-2])
    assert {row[0] for row in table.rows[:-2]} == {skill.replace("_", " ") for r in good for skill in r.skills}
