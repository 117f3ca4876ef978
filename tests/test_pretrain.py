"""Pretraining: the text it reads, the loss, the probes, and that a new model really learns to copy."""

import dataclasses
import functools
import json
import math
from pathlib import Path
from random import Random

import pytest
import torch

from learn_llm.checkpoints import load
from learn_llm.errors import UserError
from learn_llm.events import Metrics, Verdict
from learn_llm.gpt import GPT, GPTConfig
from learn_llm.minimal_impls import pretrain
from learn_llm.minimal_impls.pretrain import Config, exact, next_token_loss, rows
from learn_llm.tinyworld import documents, probes, tokens


def _tiny(seed: int = 0) -> GPT:
    torch.manual_seed(seed)
    return GPT(
        GPTConfig(
            len(tokens.vocabulary()),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
        )
    )


def test_each_row_holds_documents_between_bos_and_eos_from_its_start() -> None:
    text = rows(Random(0), {"short_pairs": 1.0}, batch=4, context=64)
    assert text.shape == (4, 65)
    stream = documents.stream(Random(0), {"short_pairs": 1.0})
    bos, eos = tokens.vocabulary()["<bos>"], tokens.vocabulary()["<eos>"]
    for row in text.tolist():
        expected: list[int] = []
        while len(expected) < 65:
            expected += [bos, *tokens.encode(next(stream)), eos]
        assert row == expected[:65]  # what does not fit is dropped, and the next row begins anew


def test_the_loss_is_the_mean_of_a_plain_loop() -> None:
    text = rows(Random(2), documents.EVERYTHING, batch=3, context=20)
    logits = torch.randn(3, 20, len(tokens.vocabulary()), dtype=torch.float64)
    nats = [-logits[b, t].log_softmax(-1)[text[b, t + 1]].item() for b in range(3) for t in range(20)]
    # The loss is computed in fp32 whatever comes in.
    assert next_token_loss(logits, text).item() == pytest.approx(math.fsum(nats) / len(nats), rel=1e-6)


def test_exact_says_what_greedy_decoding_gives() -> None:
    model = _tiny()
    questions = [probes.Question(p, a) for p, a in (("the hat", "red"), ("mia", "tom tom"), ("one two", "three"))]
    bos = tokens.vocabulary()["<bos>"]
    greedy = []
    for question in questions:
        ids = torch.tensor([[bos, *tokens.encode(question.prompt)]])
        out = model.generate(ids, max_new_tokens=3, temperature=0.0)[0].tolist()
        greedy.append(out)
    made = [
        dataclasses.replace(q, answer=" ".join(list(tokens.vocabulary())[i] for i in out[:2]))
        for q, out in zip(questions, greedy, strict=True)
        if all(i >= len(tokens.SPECIAL) + 1 for i in out[:2])
    ]
    assert made, "no question is left to compare"
    assert exact(model, made) == [True] * len(made)
    assert exact(model, questions) == [
        out[: len(a)] == a for out, a in zip(greedy, (tokens.encode(q.answer) for q in questions), strict=True)
    ]


def test_with_options_the_answer_need_only_be_the_most_likely_of_them() -> None:
    model = _tiny()
    options = ("hot", "red", "three")
    ids = torch.tensor([[tokens.vocabulary()["<bos>"], *tokens.encode("the hat")]])
    likely = model(ids)[0, -1, tokens.encode(" ".join(options))]
    best = options[int(likely.argmax())]
    assert int(model(ids)[0, -1].argmax()) not in tokens.encode(" ".join(options))
    asked = [probes.Question("the hat", word, options=options) for word in options]
    assert exact(model, asked) == [word == best for word in options]


def test_a_new_model_learns_and_broken_text_teaches_nothing() -> None:
    """A small budget: the loss on the second reading falls well below the first, and without repeats it does not."""
    config = Config(size="nano", steps=500, batch_size=32, probe_every=1000)
    shares = {}
    for broken in (False, True):
        events = list(pretrain.run(dataclasses.replace(config, break_=broken)))
        verdict = events[-1]
        assert isinstance(verdict, Verdict)
        shares[broken] = verdict.measured["second_loss"] / verdict.measured["first_loss"]
    assert shares[False] < 0.6
    assert shares[True] > 0.95


def test_the_rate_rises_again_at_a_restart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = pretrain.Part("first", {"short_pairs": 1.0}, 8, 1, 100)
    monkeypatch.setattr(pretrain, "TINY_BASE", (first, dataclasses.replace(first, restart=True)))
    config = Config(recipe="tiny-base", probe_every=1000, out=str(tmp_path), save_every=120)

    def rates(config: Config, until: int) -> list[float]:
        found = []
        events = pretrain.run(config)
        for event in events:
            if isinstance(event, Metrics):
                found.append(event.values["learning_rate"])
                if event.step == until:
                    break
        events.close()  # type: ignore[attr-defined]
        return found

    found = rates(config, 130)
    found += rates(dataclasses.replace(config, resume=True), 200)  # stopped in the second round, and gone on there
    assert len(found) == 200
    assert found[:100] == found[100:]
    assert found[0] == pytest.approx(config.learning_rate / 50)
    assert max(found) == config.learning_rate
    assert found[99] < config.learning_rate / 10


def test_a_resumed_run_gives_the_numbers_of_an_uninterrupted_one(tmp_path: Path) -> None:
    config = Config(size="nano", steps=8, probe_every=3, save_every=1)
    whole = [e for e in pretrain.run(config) if isinstance(e, Metrics)]
    folder = str(tmp_path / "run")
    run = pretrain.run(dataclasses.replace(config, out=folder))
    first = []
    for event in run:
        if isinstance(event, Metrics):
            first.append(event)
        if len(first) == 5:
            break
    run.close()  # type: ignore[attr-defined]
    again = pretrain.run(dataclasses.replace(config, out=folder, resume=True))
    second = [e for e in again if isinstance(e, Metrics)]
    values = [e.values for e in first[: second[0].step - 1] + second]
    assert values == [e.values for e in whole]


def test_what_is_saved_loads_with_its_tokenizer(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    list(pretrain.run(Config(size="nano", steps=2, out=str(folder))))
    model, tokenizer = load(str(folder))
    assert tokenizer is not None
    assert tokenizer.encode("the hat belongs to mia.") == tokens.encode("the hat belongs to mia .")
    assert model.config.eos_token_id == tokens.vocabulary()["<eos>"]
    assert json.loads((folder / "config.json").read_text())["model_type"] == "llama"


def test_two_steps_under_bf16_autocast() -> None:
    events = list(pretrain.run(Config(size="nano", steps=2, dtype="bf16")))
    assert all(math.isfinite(e.values["loss"]) for e in events if isinstance(e, Metrics))


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # by torch's own tracing
def test_compiled_it_takes_the_same_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced by torch.compile, but with its eager backend, which needs no compiler."""
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))

    def losses(compiled: bool) -> list[float]:
        config = Config(size="nano", steps=3, batch_size=4, micro_batch_size=2, device="cpu", compile=compiled)
        return [event.values["loss"] for event in pretrain.run(config) if isinstance(event, Metrics)]

    assert losses(True) == pytest.approx(losses(False), abs=1e-5)


def test_where_torch_cannot_compile_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(text: torch.Tensor) -> None:
        raise RuntimeError("No working C++ compiler found\nin 3 places")

    monkeypatch.setattr(torch, "compile", lambda model: none)
    with pytest.raises(UserError, match=r"--compile: .*: No working C\+\+ compiler found\. Leave it away$"):
        list(pretrain.run(Config(size="nano", steps=1, compile=True, device="cpu")))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "--steps"),
        ({"context": 1}, "--context"),
        ({"data": "x.jsonl"}, "--data"),
        ({"model": "m"}, "--model"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Config(**settings)  # type: ignore[arg-type]
