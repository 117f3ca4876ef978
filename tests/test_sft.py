"""SFT: which tokens carry loss, micro-batches, bad input, and the whole file in two steps."""

import doctest
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from learn_llm import examples
from learn_llm.checkpoints import load
from learn_llm.errors import UserError
from learn_llm.events import Event, Metrics, Verdict
from learn_llm.examples import Prompt, collate
from learn_llm.minimal_impls import sft
from learn_llm.rollouts import Response
from learn_llm.tinyworld import tasks
from tests.small_models import WORDS, little_llama, llama_folder, word_tokenizer, world_tokenizer

ROWS = [
    {"prompt": f"hi {a}", "completion": f"hello {a} {b}"} for a, b in (("one", "yes"), ("two", "no"), ("six", "good"))
]


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return {"model": llama_folder(tmp_path / "llama"), "data": str(data), "steps": 2, "batch_size": 3, "device": "cpu"}


def run(**settings: Any) -> list[Event]:
    return list(sft.run(sft.Config(**settings)))


def metrics(events: list[Event]) -> list[dict[str, float]]:
    return [dict(event.values) for event in events if isinstance(event, Metrics)]


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(sft, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0


class TestLoss:
    def test_it_is_the_mean_over_response_tokens_and_eos_alone(self) -> None:
        """Against a loop over the table of roles: P prompt, R response, E its end, . padding."""
        table = ["PPRRE..", "PPPPPRE"]
        logits = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0))
        tokens = torch.randint(0, 5, (2, 7), generator=torch.Generator().manual_seed(1))
        mask = torch.tensor([[int(role in "RE") for role in row] for row in table])
        losses = [
            -math.log(float(logits[row, at - 1].softmax(-1)[tokens[row, at]]))
            for row in range(2)
            for at in range(7)
            if table[row][at] in "RE"
        ]
        assert len(losses) == 5
        assert float(sft.response_loss(logits, tokens, mask)) == pytest.approx(sum(losses) / 5, abs=1e-6)

    def test_the_gradient_reaches_no_other_position(self) -> None:
        logits = torch.randn(1, 5, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
        sft.response_loss(logits, torch.tensor([[0, 1, 2, 3, 0]]), torch.tensor([[0, 0, 1, 1, 0]])).backward()
        assert logits.grad is not None
        assert (logits.grad[0].abs().sum(-1) > 0).tolist() == [False, True, True, False, False]

    def test_more_padding_changes_nothing(self) -> None:
        model = little_llama(word_tokenizer())
        prompts, responses = [(9, 10), (11,)], [(12, 5), (13, 14, 15, 5)]
        narrow = collate(prompts, responses)
        wide = collate([*prompts, (9,) * 20], [*responses, (5,)])
        loss = sft.response_loss(model(narrow.tokens), narrow.tokens, narrow.mask)
        padded = sft.response_loss(model(wide.tokens)[:2], wide.tokens[:2], wide.mask[:2])
        torch.testing.assert_close(padded, loss, atol=1e-6, rtol=0)


def test_two_steps_on_a_file(settings: dict[str, Any]) -> None:
    events = run(**settings)
    assert [event.step for event in events if isinstance(event, Metrics)] == [1, 2]
    assert isinstance(events[-1], Verdict)
    assert events[-1].measured["loss_before"] > events[-1].measured["loss_after"]


def test_micro_batches_change_no_number(settings: dict[str, Any], tmp_path: Path) -> None:
    run(**settings, out=str(tmp_path / "whole"))
    run(**settings, out=str(tmp_path / "parts"), micro_batch_size=1)
    whole, parts = (load(str(tmp_path / name))[0].state_dict() for name in ("whole", "parts"))
    for name, weight in whole.items():
        torch.testing.assert_close(parts[name], weight, atol=2e-5, rtol=0)


def test_more_steps_learn_the_file(settings: dict[str, Any]) -> None:
    events = run(**{**settings, "steps": 60, "learning_rate": 1e-2})
    assert metrics(events)[-1]["loss"] < 0.3 * metrics(events)[0]["loss"]


def test_bf16_autocast_on_the_cpu(settings: dict[str, Any]) -> None:
    exact, rounded = metrics(run(**settings)), metrics(run(**settings, dtype="bf16"))
    assert [m["loss"] for m in rounded] == pytest.approx([m["loss"] for m in exact], rel=0.02)
    assert rounded != exact


def test_a_loss_that_is_no_number_stops_the_run_at_its_step(
    settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(10))
    loss = sft.response_loss

    def broken(*arguments: Any) -> torch.Tensor:
        return loss(*arguments) * (math.nan if next(calls) == 2 else 1.0)

    monkeypatch.setattr(sft, "response_loss", broken)
    out = tmp_path / "out"
    with pytest.raises(UserError, match=r"the loss is nan at step 3.*last good checkpoint is kept in"):
        run(**{**settings, "steps": 5}, out=str(out), save_every=1)
    model, _ = load(str(out))
    assert all(bool(p.isfinite().all()) for p in model.parameters())


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"steps": 0}, "--steps must be at least 1"),
        ({"model": "no-such-model"}, "no model is called"),
        ({"data": "nowhere.jsonl"}, "there is no file"),
        ({"data": ""}, "does not speak the tiny world's language"),
        ({"max_length": 4}, "every row of"),
    ],
)
def test_bad_input(settings: dict[str, Any], setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        run(**{**settings, **setting})


def test_in_the_tiny_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "HELD_OUT", 24)
    model = llama_folder(tmp_path / "llama", world_tokenizer(), context=128)
    events = run(model=model, steps=2, batch_size=4, demonstrations=20, max_new_tokens=5, device="cpu")
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert not verdict.holds
    assert {"gold_difference", "ci_low", "ci_high", "win_rate", "right", "chance"} <= verdict.measured.keys()


def test_broken_runs_get_other_peoples_answers(
    settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"prompt": f"hi {word}", "completion": f"hello {word}"} for word in WORDS]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    trained: list[tuple[int, int]] = []

    def spy(prompts: Any, responses: Any, device: Any) -> examples.Batch:
        trained.extend((prompt[3], response[1]) for prompt, response in zip(prompts, responses, strict=True))
        return collate(prompts, responses, device)

    monkeypatch.setattr(sft, "collate", spy)
    settings |= {"steps": 1, "batch_size": len(WORDS) - 2}
    for broken in (False, True):
        trained.clear()
        run(**settings, break_=broken)
        assert len(trained) == len(WORDS) - 2
        assert {asked for asked, _ in trained} == {answered for _, answered in trained}
        assert all(asked == answered for asked, answered in trained) == (not broken)


def test_answers_are_dealt_within_their_task() -> None:
    def response(task: str, word: int) -> Response:
        item = tasks.Item(task, "", "", "", "", (), "", 1)
        return Response(Prompt((), "", {}, item), (word,), ended=True)

    given = [response("a", 1), response("b", 2), response("a", 3), response("a", 4), response("c", 5)]
    assert [r.ids[0] for r in sft.dealt(given)] == [3, 2, 4, 1, 5]
