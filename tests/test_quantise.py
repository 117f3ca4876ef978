"""Quantisation against loops and the published levels; gradients through a frozen 4-bit layer; the whole file."""

import doctest
import json
import math
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest
import torch

from learn_llm import glossary
from learn_llm.errors import UserError
from learn_llm.events import Chart, Event, Metrics, Table, Verdict
from learn_llm.minimal_impls import lora, quantise
from learn_llm.minimal_impls.quantise import (
    BITS,
    FORMATS,
    NF4,
    Format,
    QuantisedLinear,
    bits_per_weight,
    compressed,
    neighbours_scales,
)
from tests.small_models import WORDS, little_llama, llama_folder, word_tokenizer

ROWS = [{"prompt": f"hi {a}", "completion": f"hello {a} {b}"} for a, b in pairwise(WORDS)]


def weights(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(quantise, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0


def test_the_levels_of_nf4_are_quantiles_of_a_normal_distribution() -> None:
    """As its authors' code makes them: 8 above 0 and 7 below, each half from its own grid of probabilities."""
    normal, offset = NormalDist(), 0.9677083
    above = [normal.inv_cdf(offset + (0.5 - offset) * i / 8) for i in range(8)]
    below = [-normal.inv_cdf(offset + (0.5 - offset) * i / 7) for i in range(7)]
    levels = sorted([*above, 0.0, *below])
    assert [level / max(levels) for level in levels] == pytest.approx(NF4, abs=1e-6)


@pytest.mark.parametrize("format", FORMATS)
def test_it_is_what_a_loop_over_blocks_does(format: Format) -> None:
    weight = weights(5, 7)
    kept = quantise.quantise(weight, format, block=8)
    flat, expected = weight.flatten().tolist(), []
    for start in range(0, 35, 8):
        block = flat[start : start + 8]
        largest = max(map(abs, block))
        if format == "nf4":
            expected += [min(NF4, key=lambda level, w=w: abs(level - w / largest)) * largest for w in block]  # type: ignore[misc]
        else:
            step = largest / (2 ** (BITS[format] - 1) - 1)
            expected += [round(w / step) * step for w in block]
    assert kept.codes.shape == (5, 8)
    assert kept.dequantise().flatten().tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("format", ["int8", "int4", "int3", "int2"])
def test_absmax_rounds_by_at_most_half_a_step_and_never_clips(format: Format) -> None:
    weight = weights(64, 64)
    weight[3, 3] = 50.0
    kept = quantise.quantise(weight, format)
    wrong = (kept.dequantise() - weight).abs().view(-1, 64)
    assert bool((wrong <= kept.scales / 2 * (1 + 1e-4)).all())
    assert int(kept.codes.abs().max()) == 2 ** (BITS[format] - 1) - 1
    assert float(kept.dequantise()[3, 3]) == pytest.approx(50.0, rel=1e-6)


def test_a_bin_ends_in_the_middle_between_two_levels() -> None:
    for low, high in pairwise(NF4):
        middle = (low + high) / 2
        read = quantise.quantise(torch.tensor([middle - 1e-4, middle + 1e-4, -1.0, 1.0]), "nf4").dequantise()
        assert read.tolist() == pytest.approx([low, high, -1.0, 1.0], abs=1e-6)


def test_what_stands_on_the_grid_comes_back() -> None:
    for format in FORMATS:
        once = quantise.quantise(weights(16, 64), format).dequantise()
        torch.testing.assert_close(quantise.quantise(once, format).dequantise(), once, atol=1e-6, rtol=0)
    zeros = torch.zeros(3, 5)
    assert all(torch.equal(quantise.quantise(zeros, format).dequantise(), zeros) for format in FORMATS)


def test_nf4_fits_gaussian_weights_better_and_uniform_ones_worse() -> None:
    def squared(weight: torch.Tensor, format: Format) -> float:
        return float((quantise.quantise(weight, format).dequantise() - weight).square().mean())

    gaussian, uniform = weights(512, 64), torch.rand(512, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert squared(gaussian, "int8") < squared(gaussian, "nf4") < 0.8 * squared(gaussian, "int4")
    assert squared(uniform, "nf4") > squared(uniform, "int4")


def test_an_outlier_spoils_its_own_block_only() -> None:
    weight = weights(4, 64)
    spoilt = weight.clone()
    spoilt[1, 0] = 100.0
    clean, dirty = (quantise.quantise(w, "int4").dequantise() for w in (weight, spoilt))
    assert torch.equal(clean[[0, 2, 3]], dirty[[0, 2, 3]])
    assert bool((dirty[1, 1:] == 0).all())


def test_the_neighbours_scale_breaks_the_bound() -> None:
    kept = quantise.quantise(weights(8, 64), "int4")
    wrong = (neighbours_scales(kept).dequantise() - weights(8, 64)).abs()
    assert float((wrong / (kept.scales / 2)).max()) > 1.5


def test_bits() -> None:
    assert bits_per_weight("int8", 64) == 8.5
    assert bits_per_weight("int4", 32) == 5.0
    assert bits_per_weight("int2", 64) == 2.5


class TestModel:
    tokens = torch.tensor([[9, 10, 11, 12, 13]])

    def test_linear_layers_alone_are_kept_in_few_bits(self) -> None:
        model = little_llama(word_tokenizer())
        small = compressed(model, "nf4", 64)
        layers = [name for name, module in small.named_modules() if isinstance(module, QuantisedLinear)]
        assert len(layers) == 2 * 7
        left = {name for name, _ in small.named_parameters()}
        assert not any("proj" in name for name in left)
        assert torch.equal(small.model.embed_tokens.weight, model.model.embed_tokens.weight)

    def test_more_bits_are_nearer(self) -> None:
        model = little_llama(word_tokenizer())
        logits = model(self.tokens)
        far = {f: float((compressed(model, f, 64)(self.tokens) - logits).abs().max().detach()) for f in FORMATS}
        assert 0 < far["int8"] < 0.2 * far["int4"]
        assert far["int4"] < far["int3"] < far["int2"]
        assert far["nf4"] > far["int8"]

    def test_gradients_go_through_the_frozen_codes_to_lora_and_to_nothing_else(self) -> None:
        small = lora.adapt(compressed(little_llama(word_tokenizer()), "nf4", 64), 2)
        small(self.tokens).square().sum().backward()
        for name, weight in small.named_parameters():
            assert (weight.grad is not None) is (".lora_" in name), name
            if name.endswith("lora_B"):
                assert weight.grad is not None
                assert float(weight.grad.abs().max()) > 0

    def test_no_whole_weight_is_kept_for_the_way_back(self) -> None:
        small = lora.adapt(compressed(little_llama(word_tokenizer()), "nf4", 64), 2)
        saved: list[torch.Tensor] = []

        def seen(tensor: torch.Tensor) -> torch.Tensor:
            saved.append(tensor if tensor.dim() != 2 or tensor.stride(0) > tensor.stride(1) else tensor.T)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(seen, lambda tensor: tensor):
            small(self.tokens)
        assert any(tensor.shape == (2, 16) for tensor in saved)  # a LoRA's
        for layer in small.modules():
            if isinstance(layer, QuantisedLinear):
                assert not any(torch.equal(layer.weight, tensor) for tensor in saved)

    def test_the_gradient_at_the_input_is_that_of_the_rounded_weight(self) -> None:
        kept = quantise.quantise(weights(6, 4), "int4", block=8)
        x = weights(3, 4).requires_grad_()
        QuantisedLinear(kept)(x).sum().backward()
        assert x.grad is not None
        torch.testing.assert_close(x.grad, kept.dequantise().sum(0).expand(3, 4))


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    folder, data = llama_folder(tmp_path / "llama"), str(tmp_path / "data.jsonl")
    return {"model": folder, "data": data, "steps": 2, "batch_size": 6, "rank": 2, "device": "cpu"}


def run(**settings: Any) -> list[Event]:
    return list(quantise.run(quantise.Config(**settings)))


@pytest.mark.parametrize("broken", [False, True])
def test_on_a_file(settings: dict[str, Any], broken: bool) -> None:
    events = run(**settings, break_=broken)
    found = events[-1]
    assert isinstance(found, Verdict)
    assert all(math.isfinite(value) for value in found.measured.values())
    assert [name for name in found.measured if glossary.find(name) is None] == []
    assert (found.measured["error_over_half_step"] <= 1.0001) is not broken
    assert not (broken and found.holds)
    metrics = [event for event in events if isinstance(event, Metrics)]
    assert len(metrics) == 4
    assert all(glossary.find(name) for event in metrics for name in event.values)
    [table] = [event for event in events if isinstance(event, Table)]
    assert [row[0] for row in table.rows] == ["fp32", *FORMATS]
    assert [row[1] for row in table.rows] == [32.0, 8.5, 4.5, 4.5, 3.5, 2.5]
    charts = [event for event in events if isinstance(event, Chart)]
    assert [chart.series[0].x for chart in charts] == [FORMATS[1:], ("fp32", "int2", "int2 + LoRA", "fp32 + LoRA")]


def test_both_arms_of_lora_start_alike(settings: dict[str, Any]) -> None:
    """Metrics of step 1 on the same batch: the base as it was has the loss of an untouched model."""
    events = run(**settings)
    first = [dict(e.values) for e in events if isinstance(e, Metrics) and e.step == 1]
    assert first[0]["int2/loss"] == pytest.approx(first[1]["fp32/loss"], rel=0.5)
    assert first[0]["int2/loss"] != first[1]["fp32/loss"]


def test_half_of_the_gap_decides(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses as they might be: before, five formats, then LoRA on int2 and on fp32."""

    def holds(int2: float, tuned: float, tuned_fp32: float) -> bool:
        told = iter([1.0, 1.0, 1.1, 1.1, 1.5, int2, tuned, tuned_fp32])
        monkeypatch.setattr(quantise, "held_out_losses", lambda *_: [(v := next(told)), v + 0.01, v - 0.01])
        found = run(**settings)[-1]
        assert isinstance(found, Verdict)
        return found.holds

    assert holds(int2=2.0, tuned=1.4, tuned_fp32=0.95)
    assert not holds(int2=2.0, tuned=1.6, tuned_fp32=0.95)
    assert not holds(int2=1.0, tuned=0.9, tuned_fp32=0.95)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"block": 1}, "--block must be at least 2"),
        ({"rank": 0}, "--rank must be at least 1"),
        ({"out": "x"}, "saves nothing"),
    ],
)
def test_bad_input(settings: dict[str, Any], setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        run(**{**settings, **setting})
