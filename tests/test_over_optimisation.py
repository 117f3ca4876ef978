"""Over-optimisation: the fits find what they were made from, the fall is unbiased, and the whole file runs small.

How able the bundled checkpoints are is not asserted here: `learn-llm demo --all --check` does that.
"""

import doctest
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from learn_llm import examples
from learn_llm.errors import UserError
from learn_llm.events import Chart, Event, Metrics, Table, Verdict
from learn_llm.glossary import find
from learn_llm.minimal_impls import over_optimisation, over_optimisation_forms, over_optimisation_rounds
from learn_llm.minimal_impls.best_of_n import best_of_n_kl, best_of_n_value
from learn_llm.minimal_impls.over_optimisation import Config, Curves, fall, judged_fits
from learn_llm.minimal_impls.over_optimisation_forms import FORMS, Form, best_of_n_form, fit, peak, predicted, rl_form
from learn_llm.minimal_impls.over_optimisation_rounds import fall_of_rounds, judged_rounds
from tests.small_models import llama_folder, world_tokenizer

SIZES = [2**i for i in range(9)]
DISTANCES = [math.sqrt(best_of_n_kl(n)) for n in SIZES]


@pytest.mark.parametrize("module", [over_optimisation, over_optimisation_forms, over_optimisation_rounds])
def test_the_examples_in_docstrings_are_true(module: Any) -> None:
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.attempted >= 1
    assert result.failed == 0


@pytest.mark.parametrize("form", FORMS.values(), ids=["best of n", "RL"])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.2), (0.3, 0.5), (2.0, 1.0)])
class TestForms:
    def test_a_curve_of_this_form_is_found_again(self, form: Form, alpha: float, beta: float) -> None:
        x = DISTANCES[1:7]
        gains = torch.tensor([alpha * form(d)[0] + beta * form(d)[1] for d in x], dtype=torch.float64)
        found = fit(form, x, gains)
        assert found.tolist() == pytest.approx([alpha, beta])
        d = DISTANCES[-1]
        assert float(predicted(form, found, d)) == pytest.approx(alpha * form(d)[0] + beta * form(d)[1])

    def test_no_distance_is_higher_than_the_peak(self, form: Form, alpha: float, beta: float) -> None:
        def height(d: float) -> float:
            return alpha * form(d)[0] + beta * form(d)[1]

        top = peak(form, alpha, beta)
        assert all(height(d / 100) <= height(top) + 1e-12 for d in range(1, 2000))


def test_the_fit_is_linear_so_prompts_may_be_fitted_one_by_one() -> None:
    gains = torch.randn(7, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for form in (best_of_n_form, rl_form):
        alone = fit(form, DISTANCES[1:6], gains).mean(0)
        assert alone.tolist() == pytest.approx(fit(form, DISTANCES[1:6], gains.mean(0)).tolist())


def test_a_form_that_only_rises_has_no_peak() -> None:
    assert peak(best_of_n_form, 1.0, -0.1) == math.inf
    assert peak(best_of_n_form, -1.0, 0.1) == 0


def test_where_nothing_falls_the_fall_is_0_in_the_mean() -> None:
    """Pure noise: the highest of 9 means lies above the last one, on the prompts that it was chosen on."""
    generator = torch.Generator().manual_seed(0)
    honest, naive = [], []
    for _ in range(300):
        gold = torch.randn(20, 9, generator=generator, dtype=torch.float64)
        honest.append(sum(fall(gold)) / 20)
        naive.append(float(gold.mean(0).max() - gold.mean(0)[-1]))
    assert sum(naive) / 300 > 0.2
    assert abs(sum(honest) / 300) < 0.05


def test_curves_rise_with_n_in_what_chooses_and_count_ties() -> None:
    scores = [[0.1, 0.9, 0.5, 0.5], [1.0, 2.0, 3.0, 4.0]]
    golds = [[0.0, -1.0, 1.0, 1.0], [4.0, 3.0, 2.0, 1.0]]
    curves = Curves.of(scores, golds, [1, 2, 4])
    assert curves.proxy[:, 0].tolist() == pytest.approx([0.5, 2.5])
    assert curves.proxy[:, -1].tolist() == pytest.approx([0.9, 4.0])
    assert curves.gold[:, -1].tolist() == pytest.approx([-1.0, 1.0])
    assert curves.ties == pytest.approx((1 / 6 + 0) / 2)
    for row, (some, known) in enumerate(zip(scores, golds, strict=True)):
        for column, n in enumerate((1, 2, 4)):
            assert float(curves.gold[row, column]) == pytest.approx(best_of_n_value(some, known, n))


def told(gold: torch.Tensor, proxy: torch.Tensor) -> tuple[list[Event], bool, dict[str, float]]:
    """What `judged_fits` says of these curves, (P, K) each."""
    asked = judged_fits(Config(), SIZES, DISTANCES, Curves(proxy, gold, 0.0))
    events = []
    while True:
        try:
            events.append(next(asked))
        except StopIteration as done:
            return events, *done.value


def noisy(alpha: float, beta: float, size: float = 0.05, seed: int = 0) -> torch.Tensor:
    """Gold scores of 40 prompts around a parabola."""
    mean = torch.tensor([d * (alpha - beta * d) for d in DISTANCES], dtype=torch.float64)
    return 0.2 + mean + size * torch.randn(40, 9, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


RISING = torch.arange(9, dtype=torch.float64) + torch.rand(40, 1, dtype=torch.float64)


def test_a_parabola_that_falls_is_seen_to_fall() -> None:
    events, holds, measured = told(noisy(0.32, 0.19), RISING)
    assert holds
    assert measured["predicted_error_low"] < measured["predicted_error"] < measured["predicted_error_high"]
    assert abs(measured["predicted_error"]) < 0.05
    assert measured["predicted_peak"] == pytest.approx(0.32 / 0.38, abs=0.1)
    assert [row[0] for event in events if isinstance(event, Table) for row in event.rows] == list(FORMS)


@pytest.mark.parametrize("seed", range(5))
def test_gold_that_goes_on_rising_does_not_hold(seed: int) -> None:
    assert not told(noisy(0.5, 0.05, seed=seed), RISING)[1]
    assert not told(noisy(0.0, 0.0, seed=seed), RISING)[1]


def test_a_proxy_that_does_not_rise_does_not_hold() -> None:
    assert not told(noisy(0.32, 0.19), torch.rand(40, 9, dtype=torch.float64))[1]


# PPO against the proxy


def judged(distances: Sequence[float], gold: Sequence[float], share: float = 0.8) -> tuple[Table, dict[str, float]]:
    """The table of both forms, and what was measured."""
    rounds = judged_rounds(distances, gold, share)
    table = next(rounds)
    assert isinstance(table, Table)
    with pytest.raises(StopIteration) as ended:
        next(rounds)
    return table, ended.value.value


def test_rounds_that_follow_a_form_are_foreseen_and_its_peak_is_found() -> None:
    distances = [0.0, *(0.1 * i for i in range(1, 31))]
    gold = [0.2 + (d * (0.6 - 0.5 * math.log(d)) if d else 0.0) for d in distances]
    table, measured = judged(distances, gold)
    assert [row[0] for row in table.rows] == list(FORMS)
    assert abs(measured["ppo_predicted_error"]) < 1e-12
    assert measured["ppo_predicted_peak"] == round(math.exp(0.6 / 0.5 - 1), 3)
    assert measured["ppo_measured_peak"] == pytest.approx(1.2)
    assert measured["ppo_gold_fall"] == pytest.approx((gold[13] + gold[12]) / 2 - gold[-1], abs=0.01)
    other = next(row for row in table.rows if row[0] == "d·(α - β·d)")
    assert other[-1] is not None
    assert abs(float(other[-1])) > 0.01  # the wrong form errs


def test_noise_alone_is_no_fall() -> None:
    """The highest of twenty rounds less the last one is always above 0; this is so in no more than half of them."""
    torch.manual_seed(0)
    falls = [fall_of_rounds((0.6 + 0.02 * torch.randn(20)).tolist()) for _ in range(400)]
    assert abs(statistics.fmean(falls)) < 0.003
    assert 0.4 < statistics.fmean(fall > 0 for fall in falls) < 0.6


def test_of_few_rounds_only_the_last_is_told() -> None:
    with pytest.raises(StopIteration) as ended:
        next(judged_rounds([0.0, 0.5], [0.1, 0.2], 0.8))
    assert ended.value.value == {"ppo_gold": 0.2}


# The whole file


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A random little model in place of the bundled one."""
    monkeypatch.setattr(examples, "HELD_OUT", 24)
    monkeypatch.setattr(over_optimisation, "HELD_OUT_PAIRS", 24)
    model = llama_folder(tmp_path / "llama", world_tokenizer(), context=128)
    sizes = {"pairs": 24, "prompts": 6, "samples": 16, "fit_up_to": 8, "max_new_tokens": 4}
    return {"model": model, "compare": "", "device": "cpu", **sizes}


@pytest.mark.parametrize("broken", [False, True], ids=["as it is", "broken"])
def test_the_run_ends_in_one_verdict(settings: dict[str, Any], broken: bool) -> None:
    events = list(over_optimisation.run(Config(**settings, ppo_steps=2, break_=broken)))
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert all(math.isfinite(value) for value in verdict.measured.values())
    names = [name for event in events if isinstance(event, Metrics) for name in event.values]
    assert [name for name in (*names, *verdict.measured) if find(name) is None] == []
    assert ("ppo_gold" in verdict.measured) is not broken
    best = next(event for event in events if isinstance(event, Table))
    assert [row[0] for row in best.rows] == [1, 2, 4, 8, 16]
    assert any(isinstance(event, Chart) and event.title == "Gain of gold over one sample" for event in events)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"samples": 100}, "--samples is a power of 2"),
        ({"fit_up_to": 256}, "--fit-up-to is at least 4 and below --samples"),
        ({"pairs": 3}, "--pairs must be at least 24"),
        ({"temperature": 0.0}, "--temperature must be above 0"),
    ],
)
def test_bad_input(setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Config(**setting)
