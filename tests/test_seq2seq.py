"""The encoder-decoder: attention against a loop, padding, masks, greedy decoding, equal sizes; then whole runs."""

import doctest
import json
import math
from collections.abc import Generator
from itertools import pairwise
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from learn_llm import glossary
from learn_llm.errors import UserError
from learn_llm.events import Event, Metrics, Table, Verdict
from learn_llm.gpt import GPT, GPTConfig
from learn_llm.minimal_impls import seq2seq, seq2seq_items
from learn_llm.minimal_impls.seq2seq import Attention, EncoderDecoder, new_models, target_logits, translated
from learn_llm.minimal_impls.seq2seq_items import BOS, EOS, PAD, Item, corpus, is_held_out, translation
from learn_llm.tinyworld import lexicon as lx

CPU = torch.device("cpu")
SHAPE = GPTConfig(
    vocab_size=12, hidden_size=8, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=2,
)  # fmt: skip
SOURCE = torch.tensor([[3, 4, 5, 6, 7], [8, 9, 10, PAD, PAD]])
TARGET = torch.tensor([[BOS, 4, 5, 6], [BOS, 9, 8, 3]])


def a_model(seed: int = 0) -> EncoderDecoder:
    torch.manual_seed(seed)
    return EncoderDecoder(SHAPE).eval()


@pytest.mark.parametrize("module", [seq2seq, seq2seq_items])
def test_the_examples_in_docstrings_are_true(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def turned_slowly(vector: list[float], position: int) -> list[float]:
    half = len(vector) // 2
    out = [0.0] * len(vector)
    for i in range(half):
        angle = position * 10000 ** (-2 * i / len(vector))
        out[i] = vector[i] * math.cos(angle) - vector[i + half] * math.sin(angle)
        out[i + half] = vector[i + half] * math.cos(angle) + vector[i] * math.sin(angle)
    return out


@pytest.mark.parametrize("kind", ["cross", "both ways", "causal"])
def test_attention_is_what_a_loop_does(kind: str) -> None:
    torch.manual_seed(1)
    attention, size = Attention(SHAPE), SHAPE.head_size
    x, memory = torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    real = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 1, 0]]).bool()
    if kind == "causal":
        memory, real = x, torch.ones(2, 3).bool()
    mask = None if kind == "causal" else real[:, None, None, :]
    expected = torch.zeros(2, 3, 8)
    q, k, v = attention.q_proj(x), attention.k_proj(memory), attention.v_proj(memory)
    for row in range(2):
        for head in range(2):
            part = slice(head * size, (head + 1) * size)
            for t in range(3):
                ours = turned_slowly(q[row, t, part].tolist(), t)
                seen = [s for s in range(memory.shape[1]) if real[row, s] and (kind != "causal" or s <= t)]
                scores = [
                    sum(a * b for a, b in zip(ours, turned_slowly(k[row, s, part].tolist(), s), strict=True))
                    / math.sqrt(size)
                    for s in seen
                ]
                total = sum(math.exp(score) for score in scores)
                for s, score in zip(seen, scores, strict=True):
                    expected[row, t, part] += math.exp(score) / total * v[row, s, part].detach()
    out = attention(x, memory, mask, causal=kind == "causal")
    torch.testing.assert_close(out, attention.o_proj(expected), atol=1e-5, rtol=0)


class TestModel:
    def test_padding_of_the_source_changes_nothing(self) -> None:
        model = a_model()
        logits = model(SOURCE, SOURCE != PAD, TARGET)
        alone = model(SOURCE[1:, :3], torch.ones(1, 3), TARGET[1:])
        torch.testing.assert_close(logits[1:], alone, atol=1e-5, rtol=0)
        other = torch.where(SOURCE == PAD, 11, SOURCE)  # what stands on the padding is not looked at
        torch.testing.assert_close(model(other, SOURCE != PAD, TARGET), logits, atol=1e-5, rtol=0)

    @torch.no_grad()
    def test_the_encoder_reads_both_ways_and_the_decoder_what_was_written(self) -> None:
        model, real = a_model(), SOURCE != PAD
        states, logits = model.encode(SOURCE, real), model(SOURCE, real, TARGET)
        source, target = SOURCE.clone(), TARGET.clone()
        source[0, 4], target[0, 2] = 9, 9
        assert float((model.encode(source, real) - states)[0, 0].abs().max()) > 1e-3  # the first knows of the last
        changed = (model(SOURCE, real, target) - logits)[0].abs().amax(-1)
        assert bool((changed[:2] < 1e-6).all())
        assert bool((changed[2:] > 1e-3).all())
        assert float((model(source, real, TARGET) - logits)[0, 0].abs().max()) > 1e-4

    def test_the_memory_is_all_that_the_decoder_has_of_the_source(self) -> None:
        model, real = a_model(), SOURCE != PAD
        memory = model.encode(SOURCE, real)
        torch.testing.assert_close(model.decode(TARGET, memory, real), model(SOURCE, real, TARGET))

    def test_greedy_decoding_is_the_likeliest_word_again_and_again(self) -> None:
        model, real = a_model(3), SOURCE != PAD
        written = model.generate(SOURCE, real, 6)
        for row in range(2):
            target = [BOS]
            for step in range(written.shape[1]):
                if EOS in target:
                    break
                logits = model(SOURCE[row : row + 1], real[row : row + 1], torch.tensor([target]))
                target.append(int(logits[0, -1].argmax()))
                assert int(written[row, step]) == target[-1]

    def test_every_weight_learns(self) -> None:
        model = a_model()
        model(SOURCE, SOURCE != PAD, TARGET).square().sum().backward()
        assert [name for name, p in model.named_parameters() if p.grad is None or not bool(p.grad.any())] == []

    @pytest.mark.parametrize("width", [48, 64, 96])
    def test_both_arms_are_of_one_size(self, width: int) -> None:
        models = new_models(seq2seq.Config(width=width), words=46)
        sizes = [sum(p.numel() for p in model.parameters()) for model in models.values()]
        assert [type(model) for model in models.values()] == [EncoderDecoder, GPT]
        assert abs(sizes[0] / sizes[1] - 1) < 0.002


class TestItems:
    def test_each_thing_gets_the_next_color_behind_it(self) -> None:
        rng, longest = Random(0), 0
        for _ in range(200):
            source, target = (text.split() for text in translation(rng))
            longest = max(longest, len(source))
            expected: list[str] = []
            for i, word in enumerate(source):
                if word not in lx.COLORS:
                    expected += [next(w for w in source[i:] if w in lx.COLORS), word]
            assert target == expected
            assert source[-1] in lx.COLORS
        assert longest == 12

    def test_what_is_held_out_was_never_trained_on_whatever_the_seed(self) -> None:
        first, second = (corpus(seed, 800, "", 0) for seed in (0, 1))
        trained = {first.text(item.source) for item in first.train}
        held_out = {second.text(item.source) for item in second.held_out}
        assert len(held_out) > 30
        assert not trained & held_out
        assert not any(is_held_out(text) for text in trained)

    def test_a_file_is_split_into_words(self, tmp_path: Path) -> None:
        rows = [{"prompt": f"a b{i}", "completion": f"c{i}"} for i in range(25)]
        (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        made = corpus(0, 0, str(tmp_path / "rows.jsonl"), 0)
        assert [made.text(item.source) for item in made.held_out] == ["a b0", "a b10", "a b20"]
        assert [len(made.train), len(made.words)] == [22, 3 + 1 + 25 + 25]
        assert made.text(made.train[0].target) == "c1"
        with pytest.raises(UserError, match="has 5 words with BOS and EOS: at most 4 fit"):
            corpus(0, 0, str(tmp_path / "rows.jsonl"), 4)


@pytest.mark.parametrize("name", ["encoder-decoder", "causal"])
def test_the_logits_are_those_of_the_target(name: str) -> None:
    model = new_models(seq2seq.Config(width=16), words=12)[name]
    items = [Item((3, 4, 5), (6, 7)), Item((8,), (9, 10, 11, 3))]
    logits, batch = target_logits(model, items, False, CPU)
    for row, item in enumerate(items):
        alone, one = target_logits(model, [item], False, CPU)
        at = batch.mask[row, 1:].bool()
        torch.testing.assert_close(logits[row, :-1][at], alone[0, :-1][one.mask[0, 1:].bool()], atol=1e-5, rtol=0)
        assert batch.tokens[row, 1:][at].tolist() == [*item.target, EOS]
    likeliest = translated(model, items, False, CPU)
    first = logits[0, :-1][batch.mask[0, 1:].bool()][0].argmax()
    assert [int(first)] == [*likeliest[0][:1]] or int(first) == EOS


def test_broken_the_encoder_reads_the_next_items_source_and_the_causal_model_its_own() -> None:
    items = [Item((3, 4), (5,)), Item((6,), (7, 8)), Item((9, 10), (11,))]
    dealt = [Item(b.source, a.target) for a, b in zip(items, [*items[1:], items[0]], strict=True)]

    def of(name: str, some: list[Item], broken: bool) -> Tensor:
        return target_logits(new_models(seq2seq.Config(width=16), words=12)[name], some, broken, CPU)[0]

    torch.testing.assert_close(of("encoder-decoder", items, True), of("encoder-decoder", dealt, False))
    torch.testing.assert_close(of("causal", items, True), of("causal", items, False))


SMALL: dict[str, Any] = {"steps": 2, "batch_size": 6, "width": 16, "items": 60, "device": "cpu"}


@pytest.fixture(autouse=True)
def _few_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seq2seq_items, "HELD_OUT", 40)


def run(**settings: Any) -> list[Event]:
    return list(seq2seq.run(seq2seq.Config(**{**SMALL, **settings})))


def metrics(events: list[Event]) -> list[dict[str, float]]:
    return [dict(event.values) for event in events if isinstance(event, Metrics)]


def test_two_steps_of_both() -> None:
    events = run()
    found = events[-1]
    assert isinstance(found, Verdict)
    assert found.measured["held_out"] == 40
    assert 0.3 < found.measured["flops_share"] < 0.8
    names = {*found.measured, *(name for values in metrics(events) for name in values)}
    assert [name for name in names if glossary.find(name) is None] == []
    [table] = [event for event in events if isinstance(event, Table)]
    assert [row[0] for row in table.rows] == ["encoder-decoder", "causal"]
    assert metrics(run()) == metrics(events)


def test_micro_batches_change_no_number() -> None:
    for whole, parts in zip(metrics(run()), metrics(run(micro_batch_size=4)), strict=True):
        assert parts == pytest.approx(whole, abs=1e-4)


def test_bf16_autocast_on_the_cpu() -> None:
    exact, rounded = metrics(run()), metrics(run(dtype="bf16"))
    assert [m[n] for m in rounded for n in m if "loss" in n] == pytest.approx(
        [m[n] for m in exact for n in m if "loss" in n], rel=0.05
    )
    assert rounded != exact


@pytest.mark.parametrize("arm", ["encoder-decoder", "causal"])
def test_an_interrupted_run_ends_with_the_same_verdict(arm: str, tmp_path: Path) -> None:
    settings = {**SMALL, "steps": 4, "save_every": 2}
    whole = run(**settings)
    stopped = seq2seq.run(seq2seq.Config(**settings, out=str(tmp_path)))
    for event in stopped:
        if isinstance(event, Metrics) and event.step == 3 and f"{arm}/loss" in event.values:
            break
    assert isinstance(stopped, Generator)
    stopped.close()
    again = run(**settings, out=str(tmp_path), resume=True)
    assert metrics(again) == metrics(whole)[3 if arm == "encoder-decoder" else 7 :]
    assert again[-1] == whole[-1]


def test_both_learn_a_file_by_heart(tmp_path: Path) -> None:
    words = "one two three four five six".split()
    rows = [{"prompt": f"{a} {b}", "completion": f"{b} {a}"} for a, b in pairwise(words * 2)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = run(data=str(tmp_path / "rows.jsonl"), steps=60, batch_size=10, learning_rate=1e-2)[-1]
    assert isinstance(found, Verdict)
    assert found.measured["exact_match"] == found.measured["exact_match_causal"] == 1
    broken = run(data=str(tmp_path / "rows.jsonl"), steps=60, batch_size=10, learning_rate=1e-2, break_=True)[-1]
    assert isinstance(broken, Verdict)
    assert not broken.holds


def test_bad_input() -> None:
    with pytest.raises(UserError, match="leave --model away"):
        seq2seq.Config(model="tiny-sft")
    with pytest.raises(UserError, match="--layers must be at least 1"):
        seq2seq.Config(layers=0)
    with pytest.raises(UserError, match="multiple of num_attention_heads"):
        run(width=18, heads=4)
