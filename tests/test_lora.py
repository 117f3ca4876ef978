"""LoRA: the change and its gradient, merging, what is frozen; then the whole file on random models."""

import doctest
import json
import math
from collections.abc import Generator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from learn_llm import glossary
from learn_llm.checkpoints import load
from learn_llm.errors import UserError
from learn_llm.events import Chart, Event, Metrics, Table, Verdict
from learn_llm.gpt import GPT
from learn_llm.minimal_impls import lora
from learn_llm.minimal_impls.lora import TARGETS, LoRALinear, adapt, adapters, furthest, low_rank, merged, trained
from learn_llm.rollouts import Response
from tests.small_models import WORDS, little_llama, llama_folder, word_tokenizer, world_tokenizer

ROWS = [{"prompt": f"hi {a}", "completion": f"hello {a} {b}"} for a, b in pairwise(WORDS)]
TOKENS = torch.tensor([[9, 10, 11, 12, 13]])


def model() -> GPT:
    return little_llama(word_tokenizer())


def moved(adapted: GPT) -> GPT:
    """The adapted model with changes that are not zero."""
    for layer in adapters(adapted).values():
        layer.lora_B.data.normal_(0.0, 0.1, generator=torch.Generator().manual_seed(1))
    return adapted


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(lora, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0


class TestChange:
    def test_it_is_the_product_of_both_factors_times_alpha_over_r(self) -> None:
        base = torch.nn.Linear(6, 4, bias=False)
        layer = LoRALinear(base, (4, 6), rank=3, alpha=12.0)
        layer.lora_B.data.normal_()
        x = torch.randn(2, 5, 6)
        expected = x @ base.weight.T + 4.0 * x @ layer.lora_A.T @ layer.lora_B.T
        torch.testing.assert_close(layer(x), expected)
        torch.testing.assert_close(x @ (base.weight + layer.change()).T, expected)
        assert torch.linalg.matrix_rank(layer.change().detach()) == 3
        torch.testing.assert_close(
            low_rank(x, layer.lora_A, layer.lora_B, 4.0), 4.0 * x @ layer.lora_A.T @ layer.lora_B.T
        )

    def test_at_the_start_only_b_gets_a_gradient(self) -> None:
        layer = LoRALinear(torch.nn.Linear(6, 4, bias=False), (4, 6), rank=2, alpha=4.0)
        layer(torch.randn(3, 6)).square().sum().backward()
        assert layer.lora_A.grad is not None
        assert layer.lora_B.grad is not None
        assert float(layer.lora_A.grad.abs().max()) == 0 < float(layer.lora_B.grad.abs().max())

    def test_with_both_factors_at_zero_neither_does(self) -> None:
        adapted = adapt(model(), 2, both_zero=True)
        adapted(TOKENS).square().sum().backward()
        for layer in adapters(adapted).values():
            for weight in (layer.lora_A, layer.lora_B):
                assert weight.grad is not None
                assert float(weight.grad.abs().max()) == 0

    def test_a_is_drawn_as_in_the_authors_code(self) -> None:
        layer = LoRALinear(torch.nn.Linear(64, 8, bias=False), (8, 64), rank=8, alpha=1.0)
        drawn = layer.lora_A.detach()
        assert float(drawn.abs().max()) <= 1 / 8
        assert float(drawn.std()) == pytest.approx(1 / 8 / math.sqrt(3), rel=0.15)


class TestModel:
    @pytest.mark.parametrize("targets", sorted(TARGETS))
    def test_it_starts_as_the_base_to_the_last_bit_and_trains_what_it_should(self, targets: Any) -> None:
        plain = model()
        expected = plain(TOKENS)
        adapted = adapt(plain, 2, targets=targets)
        assert torch.equal(adapted(TOKENS), expected)
        assert len(adapters(adapted)) == 2 * len(TARGETS[targets])  # two layers
        sides = {
            "q_proj": 32,
            "k_proj": 24,
            "v_proj": 24,
            "o_proj": 32,
            "gate_proj": 40,
            "up_proj": 40,
            "down_proj": 40,
        }
        assert trained(adapted) == 2 * 2 * sum(sides[name] for name in TARGETS[targets])
        free = [name for name, weight in adapted.named_parameters() if weight.requires_grad]
        assert all(".lora_" in name for name in free)

    def test_merged_it_is_a_plain_model_that_says_the_same(self) -> None:
        adapted = moved(adapt(model(), 2))
        before = adapted(TOKENS)
        whole = merged(adapted)
        torch.testing.assert_close(whole(TOKENS), before, atol=1e-5, rtol=0)
        assert whole.state_dict().keys() == model().state_dict().keys()
        assert torch.equal(adapted(TOKENS), before)  # the adapted model itself is left as it was
        assert furthest(whole, model(), TOKENS) > 0.01
        assert furthest(whole, adapted, TOKENS) < 1e-5
        assert all(weight.requires_grad for weight in whole.parameters())

    def test_a_rank_above_the_smaller_side_is_refused(self) -> None:
        with pytest.raises(UserError, match="rank 9 is more than the smaller side of k_proj, 8"):
            adapt(model(), 9)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    folder, data = llama_folder(tmp_path / "llama"), str(tmp_path / "data.jsonl")
    return {"model": folder, "data": data, "steps": 4, "batch_size": 6, "rank": 2, "device": "cpu"}


def run(**settings: Any) -> list[Event]:
    return list(lora.run(lora.Config(**settings)))


def metrics(events: list[Event]) -> list[dict[str, float]]:
    return [dict(event.values) for event in events if isinstance(event, Metrics)]


def verdict(events: list[Event]) -> Verdict:
    assert isinstance(events[-1], Verdict)
    return events[-1]


def test_on_a_file_the_loss_falls_and_the_base_stays(settings: dict[str, Any], tmp_path: Path) -> None:
    events = run(**{**settings, "steps": 60, "learning_rate": 3e-2}, out=str(tmp_path / "out"))
    measured = verdict(events).measured
    assert measured["moved_at_start"] == 0
    assert measured["moved_by_merging"] < 1e-5
    assert measured["loss_after"] < measured["loss_before"] - 0.3
    assert metrics(events)[-1]["lora/loss"] < metrics(events)[0]["lora/loss"]
    base, tuned = load(settings["model"])[0], load(str(tmp_path / "out"))[0]
    for name, weight in base.state_dict().items():
        projection = any(target in name for target in TARGETS["all"])
        assert torch.equal(tuned.state_dict()[name], weight) is not projection, name


def test_with_both_factors_at_zero_nothing_is_learnt(settings: dict[str, Any]) -> None:
    found = verdict(run(**settings, break_=True))
    assert not found.holds
    assert found.measured["loss_after"] == found.measured["loss_before"]


def test_micro_batches_change_no_number(settings: dict[str, Any]) -> None:
    for whole, parts in zip(metrics(run(**settings)), metrics(run(**settings, micro_batch_size=2)), strict=True):
        assert parts == pytest.approx(whole, rel=1e-3, abs=1e-4)


def test_an_interrupted_run_goes_on_with_the_same_numbers(settings: dict[str, Any], tmp_path: Path) -> None:
    settings |= {"steps": 5, "save_every": 2}
    whole = run(**settings)
    stopped = lora.run(lora.Config(**settings, out=str(tmp_path / "out")))
    for event in stopped:
        if isinstance(event, Metrics) and event.step == 3:
            break
    assert isinstance(stopped, Generator)
    stopped.close()
    again = run(**settings, out=str(tmp_path / "out"), resume=True)
    assert metrics(again) == metrics(whole)[3:]
    assert again[-1] == whole[-1]


def test_in_the_tiny_world(tmp_path: Path) -> None:
    folder = llama_folder(tmp_path / "llama", world_tokenizer(), context=128)
    events = run(
        model=folder, steps=2, batch_size=4, rank=1, other_ranks=(2,), demonstrations=20, held_out_prompts=12,
        max_new_tokens=5, device="cpu",
    )  # fmt: skip
    found = verdict(events)
    assert not found.holds
    assert [name for name in found.measured if glossary.find(name) is None] == []
    assert all(glossary.find(name) for values in metrics(events) for name in values)
    table = next(event for event in events if isinstance(event, Table))
    assert [row[0] for row in table.rows] == ["start", "rank 1", "rank 2", "full"]
    [chart] = [event for event in events if isinstance(event, Chart)]
    assert chart.series[0].x == (1, 2)


def test_the_share_of_the_gain_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    def holds(start: float, ours: float, full: float, **measured: float) -> bool:
        golds = {"start": start, "full": full, "rank 4": ours}
        monkeypatch.setattr(Response, "gold", property(lambda self: self.prompt))
        answers: Any = {name: [Response(gold, (), True)] * 3 for name, gold in golds.items()}  # type: ignore[arg-type]
        counts = {"start": 0, "full": 1000, "rank 4": 40}
        small = {"trained_share": 0.04, "moved_at_start": 0.0, "moved_by_merging": 1e-7, **measured}
        return verdict(list(lora.compared(lora.Config(), counts, answers, small))).holds

    assert holds(0.2, 0.9, 0.9)
    assert holds(0.0, 0.96, 1.0)
    assert not holds(0.0, 0.94, 1.0)
    assert not holds(0.5, 0.5, 0.5)
    assert not holds(0.2, 0.9, 0.9, trained_share=0.06)
    assert not holds(0.2, 0.9, 0.9, moved_at_start=1e-9)
    assert not holds(0.2, 0.9, 0.9, moved_by_merging=1e-3)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"rank": 0}, "--rank must be at least 1"),
        ({"rank": 9}, "rank 9 is more than the smaller side"),
        ({"alpha": -1.0}, "--alpha must not be negative"),
        ({"full_learning_rate": 0.0}, "--full-learning-rate must be above 0"),
        ({"other_ranks": (0,)}, "--other-ranks must be at least 1"),
    ],
)
def test_bad_input(settings: dict[str, Any], setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        run(**{**settings, **setting})
