"""The demo of question 50: counts against closed formulas, cache bytes, and that it holds and can be broken."""

import doctest
import math
from dataclasses import replace

import pytest
import torch

from learn_llm.demos import llama2
from learn_llm.demos.llama2 import CONTEXT, MODELS, configuration, count
from learn_llm.events import Chart, Event, Metrics, Table, Verdict
from learn_llm.glossary import find
from learn_llm.gpt import GPT, GPTConfig


def run(broken: bool = False) -> list[Event]:
    return list(llama2.run(llama2.Config(break_=broken)))


@pytest.mark.parametrize("broken", [False, True], ids=["as it is", "broken"])
def test_holds_as_it_is_and_fails_when_broken(broken: bool) -> None:
    events = run(broken)
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert verdict.holds is not broken, verdict.measured
    assert all(math.isfinite(value) for value in verdict.measured.values())
    metrics = [event for event in events if isinstance(event, Metrics)]
    assert len(metrics) >= 5
    assert all(find(name) for event in metrics for name in event.values)
    assert any(isinstance(event, Chart) for event in events)
    if broken:  # each part of the claim fails by itself
        assert verdict.measured["parameters_7b"] != MODELS["7B"].published
        assert verdict.measured["cache_cut"] == 1
        assert verdict.measured["loss"] > 0.5 * verdict.measured["loss_of_guessing"]


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(llama2)
    assert result.attempted >= 2
    assert result.failed == 0


@pytest.mark.parametrize("name", sorted(MODELS))
def test_the_count_is_the_published_one_and_the_sum_of_the_parts_by_hand(name: str) -> None:
    size = MODELS[name]
    shape = configuration(size)
    counts, d = count(shape), size.dim
    assert counts["attention"] == size.layers * (2 * d * d + 2 * d * d * size.kv_heads // size.heads)
    assert counts["MLP"] == size.layers * 3 * d * shape.intermediate_size
    assert counts["norms"] == (2 * size.layers + 1) * d
    assert counts["embeddings"] == counts["head"] == 32_000 * d
    assert counts.total() == shape.num_parameters == size.published


def test_shared_heads_cut_the_cache_by_heads_over_kv_heads() -> None:
    shape = configuration(MODELS["70B"])
    assert shape.kv_cache_bytes(CONTEXT) == 2 * 80 * 8 * 128 * 2 * CONTEXT
    assert replace(shape, num_key_value_heads=64).kv_cache_bytes(100) == 8 * shape.kv_cache_bytes(100)


def test_what_is_counted_is_what_a_real_model_and_its_cache_hold() -> None:
    shape = GPTConfig(40, 16, 24, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2)
    model = GPT(shape)
    assert count(shape).total() == model.num_parameters()
    cache = model.new_cache(1, 20)
    held = sum(tensor.numel() * tensor.element_size() for tensor in (*cache.keys, *cache.values))
    assert shape.kv_cache_bytes(20, bytes_per_number=4) == held


def test_lists_repeat_and_only_what_can_be_known_is_scored() -> None:
    tokens = llama2.lists(5, torch.Generator().manual_seed(0))
    assert tokens.shape == (5, 24)
    assert torch.equal(tokens[:, 8:16], tokens[:, :8])
    shape = llama2.small_block(llama2.Config())
    assert (shape.num_key_value_heads, shape.intermediate_size) == (2, 176)
    model = GPT(shape)
    loss, right = llama2.losses(model, tokens, None)
    logits = model(tokens).detach()
    each = [-float(logits[0, t].log_softmax(-1)[tokens[0, t + 1]]) for t in range(7, 23)]
    alone, _ = llama2.losses(model, tokens[:1], None)
    assert alone.item() == pytest.approx(sum(each) / 16, rel=1e-5)
    assert loss.isfinite()
    assert 0 <= float(right) <= 1


def test_a_larger_machine_holds_more_and_a_small_one_nothing() -> None:
    def fits(memory: float) -> list[tuple[object, object]]:
        shapes = {name: configuration(size) for name, size in MODELS.items()}
        counts = {name: count(shape) for name, shape in shapes.items()}
        events = llama2.serving(llama2.Config(memory=memory), shapes, counts)
        table = next(event for event in events if isinstance(event, Table))
        return [(row[-2], row[-1]) for row in table.rows]

    assert fits(80)[2] == (0, 33)
    assert fits(4)[1:] == [(0, 0)] * 3
    assert fits(4)[0] == (0, math.floor((4e9 - MODELS["7B"].published / 2) / (2 * 2**30)))
