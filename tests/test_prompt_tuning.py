"""Soft prompts and adapters: what they compute, what is frozen, what is kept; then the whole files on random models."""

import doctest
import json
import math
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from learn_llm import glossary
from learn_llm.errors import UserError
from learn_llm.events import Chart, Event, Metrics, Table, Verdict
from learn_llm.examples import Demonstration, Prompt
from learn_llm.gpt import GPT
from learn_llm.minimal_impls import adapters, lora, prompt_tuning
from learn_llm.minimal_impls.prompt_tuning import behind, fingerprint, load_prompt, random_words, soft_prompt, write
from learn_llm.rollouts import Response
from tests.small_models import WORDS, little_llama, llama_folder, word_tokenizer, world_tokenizer

ROWS = [{"prompt": f"hi {a}", "completion": f"hello {a} {b}"} for a, b in pairwise(WORDS)]
TOKENS = torch.tensor([[9, 10, 11, 12, 13], [8, 9, 14, 11, 10]])


def model(seed: int = 0) -> GPT:
    return little_llama(word_tokenizer(), seed)


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("module", [prompt_tuning, adapters], ids=["prompt_tuning", "adapters"])
def test_the_examples_in_docstrings_are_true(module: ModuleType) -> None:
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0


class TestSoftPrompt:
    @torch.no_grad()
    def test_words_as_vectors_are_the_words_themselves(self) -> None:
        """Soft tokens that are the embeddings of 9, 10, 11 act as the text 9, 10, 11."""
        plain = model()
        size = plain.config.vocab_size
        expected = plain(torch.cat((torch.tensor([[9, 10, 11]] * 2), TOKENS), dim=1))
        soft = soft_prompt(plain, plain.model.embed_tokens.weight[[9, 10, 11]])
        virtual = torch.arange(size, size + 3).expand(2, 3)
        logits = soft(torch.cat((virtual, TOKENS), dim=1))
        torch.testing.assert_close(logits[..., :size], expected)
        torch.testing.assert_close(logits.log_softmax(-1)[..., :size], expected.log_softmax(-1))
        assert float(logits.softmax(-1)[..., size:].max()) == 0  # never sampled

    def test_without_virtual_tokens_it_is_the_base(self) -> None:
        expected = model()(TOKENS)
        assert torch.equal(soft_prompt(model(), drawn(4, 16))(TOKENS)[..., :-4], expected)

    def test_the_gradient_reaches_the_vectors_and_nothing_else(self) -> None:
        soft = soft_prompt(model(), drawn(2, 16))
        size = soft.config.vocab_size
        soft(torch.tensor([[size, size + 1, 9, 10]]))[..., :size].square().sum().backward()
        for name, weight in soft.named_parameters():
            assert (weight.grad is not None) is name.endswith("vectors"), name
            assert weight.grad is None or bool((weight.grad.abs().amax(1) > 0).all())
        assert lora.trained(soft) == 2 * 16

    def test_it_stands_before_the_prompt(self) -> None:
        prompt = Prompt((9, 10), "nine ten")
        size = model().config.vocab_size
        assert behind(soft_prompt(model(), drawn(2, 16)), prompt) == Prompt((size, size + 1, 9, 10), "nine ten")
        assert behind(model(), prompt) == prompt

    def test_sampling_with_padding_is_sampling_without(self) -> None:
        soft = soft_prompt(model(), drawn(2, 16))
        size = soft.config.vocab_size
        short, long = [size, size + 1, 9], [size, size + 1, 9, 10, 11]
        alone = soft.generate(torch.tensor([short]), max_new_tokens=4, temperature=0, eos_token_id=())
        padded = torch.tensor([[0, 0, *short], long])
        mask = torch.tensor([[0, 0, 1, 1, 1], [1] * 5])
        both = soft.generate(padded, mask, max_new_tokens=4, temperature=0, eos_token_id=())
        assert torch.equal(both[0], alone[0])

    def test_it_starts_as_words(self) -> None:
        words = random_words(model(), 5, torch.Generator().manual_seed(0))
        table = model().model.embed_tokens.weight
        assert all(bool((table == word).all(1).any()) for word in words)


class TestKept:
    def test_a_prompt_comes_back(self, tmp_path: Path) -> None:
        file = tmp_path / "some" / prompt_tuning.FILE
        soft = soft_prompt(model(), drawn(3, 16))
        write(soft, file)
        assert file.stat().st_size < 1000  # 3 x 16 numbers and a header: nothing of the base
        again = load_prompt(model(), file)
        ids = torch.tensor([[soft.config.vocab_size + i for i in range(3)] + [9, 10]])
        assert torch.equal(again(ids), soft(ids))

    def test_adapters_come_back(self, tmp_path: Path) -> None:
        adapted = moved(adapters.insert(model(), 3))
        write(adapted, tmp_path / adapters.FILE)
        again = adapters.load_adapters(model(), tmp_path / adapters.FILE)
        assert torch.equal(again(TOKENS), adapted(TOKENS))
        assert lora.trained(again) == lora.trained(adapted)

    def test_another_base_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / prompt_tuning.FILE
        write(soft_prompt(model(), drawn(3, 16)), file)
        assert fingerprint(model()) != fingerprint(model(seed=1))
        with pytest.raises(UserError, match="was trained on another base"):
            load_prompt(model(seed=1), file)
        file.write_bytes(b"no tensors")
        with pytest.raises(UserError, match="cannot be read"):
            load_prompt(model(), file)
        with pytest.raises(UserError, match="cannot be read"):
            load_prompt(model(), tmp_path / "missing")


def moved(adapted: GPT) -> GPT:
    """Adapters that are not zero."""
    for name, weight in adapted.named_parameters():
        if ".up." in name:
            weight.data.normal_(0.0, 0.3, generator=torch.Generator().manual_seed(1))
    return adapted


class TestAdapters:
    def test_they_start_as_the_base_and_train_what_they_should(self) -> None:
        expected = model()(TOKENS)
        adapted = adapters.insert(model(), 3)
        assert torch.equal(adapted(TOKENS), expected)
        assert lora.trained(adapted) == 2 * 2 * (2 * 16 * 3 + 3 + 16)
        adapted(TOKENS).square().sum().backward()
        for name, weight in adapted.named_parameters():
            assert (weight.grad is not None) is (".up." in name or ".down." in name), name

    def test_the_formula_behind_each_sublayer(self) -> None:
        base, x = torch.nn.Linear(16, 16), drawn(2, 5, 16)
        layer = adapters.Adapted(base, 16, 3)
        layer.up.weight.data.normal_()
        h = base(x)
        inner = h @ layer.down.weight.T + layer.down.bias
        gelu = inner * (1 + torch.erf(inner / math.sqrt(2))) / 2
        torch.testing.assert_close(layer(x), h + gelu @ layer.up.weight.T + layer.up.bias)

    @torch.no_grad()
    def test_they_change_what_is_said(self) -> None:
        assert float((moved(adapters.insert(model(), 3))(TOKENS) - model()(TOKENS)).abs().max()) > 0.01

    @torch.no_grad()
    def test_cached_is_uncached(self) -> None:
        adapted = moved(adapters.insert(model(), 3))
        cache = adapted.new_cache(2, 5)
        first, rest = adapted(TOKENS[:, :3], cache=cache), adapted(TOKENS[:, 3:], cache=cache)
        torch.testing.assert_close(torch.cat((first, rest), 1), adapted(TOKENS), atol=1e-5, rtol=1e-5)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    folder, data = llama_folder(tmp_path / "llama"), str(tmp_path / "data.jsonl")
    return {"model": folder, "data": data, "steps": 40, "batch_size": 6, "device": "cpu"}


def run(module: ModuleType, **settings: Any) -> list[Event]:
    return list(module.run(module.Config(**settings)))


def verdict(events: list[Event]) -> Verdict:
    found = events[-1]
    assert isinstance(found, Verdict)
    assert [name for name in found.measured if glossary.find(name) is None] == []
    assert all(glossary.find(name) for event in events if isinstance(event, Metrics) for name in event.values)
    return found


@pytest.mark.parametrize("module", [prompt_tuning, adapters], ids=["prompt_tuning", "adapters"])
def test_on_a_file_the_loss_falls_and_only_what_is_new_is_kept(
    module: ModuleType, settings: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    measured = verdict(run(module, **settings, learning_rate=0.1, out=str(out))).measured
    assert measured["loss_after"] < measured["loss_before"] - 0.1
    kept = prompt_tuning.read(out / module.FILE, model())
    assert sum(tensor.numel() for tensor in kept.values()) < model().num_parameters() / 2
    assert all("vectors" in name or ".up." in name or ".down." in name for name in kept)


def test_broken_no_vector_is_trained(settings: dict[str, Any]) -> None:
    events = run(prompt_tuning, **settings, break_=True)
    assert not any(isinstance(event, Metrics) for event in events)
    assert not verdict(events).holds


def test_broken_adapters_learn_from_other_answers(settings: dict[str, Any]) -> None:
    plain, broken = (run(adapters, **{**settings, "steps": 1}, break_=broken) for broken in (False, True))
    losses = [next(e.values["adapters/loss"] for e in some if isinstance(e, Metrics)) for some in (plain, broken)]
    assert losses[0] != losses[1]


@pytest.fixture
def world(tmp_path: Path) -> dict[str, Any]:
    folder = llama_folder(tmp_path / "llama", world_tokenizer(), context=128)
    small = {"steps": 2, "batch_size": 4, "demonstrations": 12, "held_out_prompts": 8, "max_new_tokens": 4}
    return {"model": folder, "device": "cpu", **small}


def test_in_the_tiny_world(world: dict[str, Any]) -> None:
    events = run(prompt_tuning, **world, soft_tokens=4, other_lengths=(1, 2))
    found = verdict(events)
    assert not found.holds
    assert all(math.isfinite(value) for value in found.measured.values())
    [table] = [event for event in events if isinstance(event, Table)]
    assert [row[:2] for row in table.rows] == [("none", 0), ("1", 16), ("2", 32), ("4", 64)]
    [chart] = [event for event in events if isinstance(event, Chart)]
    assert list(chart.series[0].x) == [0, 1, 2, 4]
    steps = [event for event in events if isinstance(event, Metrics)]
    assert {name for event in steps for name in event.values} >= {"k 1/loss", "k 2/loss", "k 4/loss"}
    assert not verdict(run(adapters, **world)).holds


def test_more_than_the_start_and_more_than_the_fewest_decides(
    world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def holds(none: float, one: float, four: float) -> bool:
        told = iter([none, one, four])
        monkeypatch.setattr(Response, "gold", property(lambda self: self.ids[0]))

        def respond(setup: Any, model: Any, prompts: list[Prompt], most: int) -> list[Response]:
            value: Any = next(told)
            return [Response(p, (value + 0.01 * i,), True) for i, p in enumerate(prompts)]

        monkeypatch.setattr(prompt_tuning, "respond", respond)
        monkeypatch.setattr(prompt_tuning, "side_by_side", lambda *_: iter(()))
        return verdict(run(prompt_tuning, **world, soft_tokens=4, other_lengths=(1,), break_=True)).holds

    assert holds(0.1, 0.2, 0.3)
    assert not holds(0.25, 0.2, 0.3)
    assert not holds(0.3, 0.1, 0.2)
    assert not holds(0.1, 0.3, 0.2)


def test_the_prompt_has_room_for_the_vectors(settings: dict[str, Any]) -> None:
    rows = [Demonstration(Prompt((9,), "x"), (10, 3))]
    soft = soft_prompt(model(), drawn(2, 16))
    [row] = prompt_tuning.all_behind(soft, rows)
    assert len(row.prompt.ids) == 3
    assert row.response == (10, 3)


@pytest.mark.parametrize(
    ("module", "setting", "said"),
    [
        (prompt_tuning, {"soft_tokens": 0}, "--soft-tokens must be at least 1"),
        (prompt_tuning, {"other_lengths": (0,)}, "--other-lengths must be at least 1"),
        (adapters, {"bottleneck": 0}, "--bottleneck must be at least 1"),
    ],
)
def test_bad_input(module: ModuleType, settings: dict[str, Any], setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        run(module, **{**settings, **setting})
