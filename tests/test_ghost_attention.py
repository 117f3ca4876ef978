"""Ghost Attention: where the instruction stands, what carries loss, what is kept; then whole runs."""

import doctest
import json
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from learn_llm import glossary
from learn_llm.errors import UserError
from learn_llm.events import Chart, Event, Metrics, Table, Verdict
from learn_llm.examples import Encoder, Prompt, World, collate
from learn_llm.minimal_impls import ghost_attention
from learn_llm.minimal_impls.ghost_attention import Config, Conversation, converse, drawn, messages, obeys, rows
from learn_llm.rollouts import Response
from learn_llm.tinyworld import rubric
from learn_llm.tinyworld.tasks import OPENERS
from learn_llm.training import Setup
from tests.small_models import WORDS, little_llama, llama_folder, word_tokenizer, world_tokenizer


def a_setup(config: Config) -> Setup:
    tokenizer = world_tokenizer()
    model = little_llama(tokenizer, context=256)
    return Setup(config, model, Encoder(tokenizer, model.config), torch.device("cpu"))


def talks(count: int = 3, turns: int = 3) -> tuple[Setup, list[Conversation]]:
    config = Config(max_new_tokens=4)
    setup = a_setup(config)
    prompts = World(setup.encoder, 0).prompts(200, 4).train
    return setup, drawn(config, prompts, count, turns, "test")


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(ghost_attention)
    assert result.attempted >= 3
    assert result.failed == 0


class TestWhereTheInstructionStands:
    def test_in_every_turn_to_sample_and_in_the_first_to_train(self) -> None:
        _, made = talks()
        for talk in made:
            talk = Conversation(talk.users, talk.word, ("the hen .",) * 3)
            for every_turn in (True, False):
                said = messages(talk, 2, every_turn)
                assert [m["role"] for m in said] == ["user", "assistant", "user", "assistant", "user"]
                told = [f"begin with {talk.word} ." in m["content"] for m in said[::2]]
                assert told == ([True] * 3 if every_turn else [True, False, False])

    def test_it_is_the_one_that_the_rubric_judges(self) -> None:
        _, made = talks(20, 1)
        for talk in made:
            item = talk.users[0].item
            assert item is not None
            for answer in (f"{talk.word} , {item.reference}", item.reference, ""):
                asked = replace(item, start_with=talk.word)
                assert obeys(answer, talk.word) == (rubric.comprehension(asked, answer) == 5)

    def test_prompts_with_an_instruction_of_their_own_and_long_ones_are_left_out(self) -> None:
        _, made = talks(50, 2)
        users = [user for talk in made for user in talk.users]
        assert all(len(user.ids) <= 24 and user.item is not None and not user.item.start_with for user in users)
        assert {talk.word for talk in made} == set(OPENERS)
        with pytest.raises(UserError, match="longer than --longest-turn 1 tokens"):
            drawn(Config(longest_turn=1), users, 3, 2, "test")


class TestRows:
    def made(self) -> tuple[Setup, list[Conversation]]:
        setup, made = talks(2, 3)
        return setup, [
            Conversation(made[0].users, "ok", ("ok, red.", "ok, blue.", "green.")),
            Conversation(made[1].users, "so", ("", "so, red.", "so, hot.")),
        ]

    def test_the_loss_is_on_the_last_answer_alone(self) -> None:
        setup, made = self.made()
        kept = rows(made, setup.encoder)
        assert [setup.encoder.text(row.response) for row in kept] == ["ok, red.", "ok, blue.", "so, red.", "so, hot."]
        last = kept[-1]
        batch = collate([last.prompt.ids], [last.response])
        assert setup.encoder.text(batch.tokens[0][batch.mask[0].bool()].tolist()) == "so, hot."
        before = setup.encoder.tokenizer.decode(batch.tokens[0][~batch.mask[0].bool()].tolist())
        assert before.count("begin with so") == 1
        assert "so, red." in before
        assert before.index("begin with so") < before.index("so, red.")

    def test_broken_another_word_is_asked_for(self) -> None:
        setup, made = self.made()
        wrong = rows(made * 20, setup.encoder, Random(0))
        asked = [setup.encoder.tokenizer.decode(row.prompt.ids) for row in wrong]
        assert len(asked) == 80
        matching = sum(
            f"begin with {setup.encoder.text(row.response)[:2]}" in text for row, text in zip(wrong, asked, strict=True)
        )
        assert 5 < matching < 40


def test_only_answers_that_do_not_obey_are_sampled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    setup, made = talks(3, 2)
    made = [Conversation(talk.users, word) for talk, word in zip(made, ("ok", "so", "fine"), strict=True)]
    said = iter([["ok red", "red", "blue"], ["so red", "blue"], ["green"], ["ok", "so", "fine"]])
    asked: list[int] = []

    def respond(_: object, __: object, prompts: Sequence[Prompt], *___: object, **____: object) -> list[Response]:
        asked.append(len(prompts))
        return [Response(p, setup.encoder.response(t), True) for p, t in zip(prompts, next(said), strict=True)]

    monkeypatch.setattr(ghost_attention, "respond", respond)
    got = converse(Config(), setup, setup.model, made, "test", every_turn=True, tries=3)
    assert asked == [3, 2, 1, 3]
    assert [talk.answers for talk in got] == [("ok red", "ok"), ("so red", "so"), ("green", "fine")]


def test_a_model_sees_its_own_earlier_answers() -> None:
    setup, made = talks(4, 3)
    whole = converse(Config(max_new_tokens=4), setup, setup.model, made, "test")
    assert [len(talk.answers) for talk in whole] == [3] * 4
    again = converse(Config(max_new_tokens=4), setup, setup.model, made, "test")
    assert whole == again
    setup = replace(setup, config=Config(seed=1))
    other = converse(Config(max_new_tokens=4), setup, setup.model, made, "test")
    assert other != whole


SMALL: dict[str, Any] = {
    "steps": 2,
    "batch_size": 4,
    "conversations": 5,
    "turns": 2,
    "asked_turns": 3,
    "held_out_conversations": 6,
    "tries": 2,
    "max_new_tokens": 4,
    "device": "cpu",
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A random model obeys nobody: here whatever it says obeys, where it says anything."""
    monkeypatch.setattr(ghost_attention, "obeys", lambda answer, word: len(answer) % 3 > 0)
    return {"model": llama_folder(tmp_path / "llama", world_tokenizer(), context=256), **SMALL}


def run(**settings: Any) -> list[Event]:
    return list(ghost_attention.run(Config(**settings)))


def metrics(events: list[Event]) -> list[dict[str, float]]:
    return [dict(event.values) for event in events if isinstance(event, Metrics)]


@pytest.mark.parametrize("broken", [False, True])
def test_two_steps_in_the_tiny_world(settings: dict[str, Any], broken: bool) -> None:
    events = run(**settings, break_=broken)
    found = events[-1]
    assert isinstance(found, Verdict)
    names = {*found.measured, *(name for values in metrics(events) for name in values)}
    assert [name for name in names if glossary.find(name) is None] == []
    [chart] = [event for event in events if isinstance(event, Chart)]
    assert {series.name: series.x for series in chart.series} == dict.fromkeys(("start", "without", "with"), (1, 2, 3))
    [table] = [event for event in events if isinstance(event, Table)]
    assert [row[0] for row in table.rows] == ["start", "without", "with"]
    assert 0 <= found.measured["right"] <= 1


def test_bf16_autocast_on_the_cpu(settings: dict[str, Any]) -> None:
    assert len(metrics(run(**settings, dtype="bf16"))) == 4


def test_an_interrupted_run_ends_with_the_same_verdict(settings: dict[str, Any], tmp_path: Path) -> None:
    settings |= {"steps": 4, "save_every": 2}
    whole = run(**settings)
    stopped = ghost_attention.run(Config(**settings, out=str(tmp_path / "out")))
    for event in stopped:
        if isinstance(event, Metrics) and event.step == 3 and "with/loss" in event.values:
            break
    assert isinstance(stopped, Generator)
    stopped.close()
    again = run(**settings, out=str(tmp_path / "out"), resume=True)
    assert metrics(again)[4:] == metrics(whole)[7:]
    assert again[-1] == whole[-1]


def test_prompts_of_a_file(settings: dict[str, Any], tmp_path: Path) -> None:
    data = tmp_path / "prompts.jsonl"
    data.write_text("".join(json.dumps({"prompt": f"hello {word}"}) + "\n" for word in WORDS))
    settings |= {"model": llama_folder(tmp_path / "chat", word_tokenizer(), context=256), "data": str(data)}
    found = run(**settings)[-1]
    assert isinstance(found, Verdict)
    assert "right" not in found.measured


def test_a_model_that_never_obeys_is_refused(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ghost_attention, "obeys", lambda answer, word: False)
    with pytest.raises(UserError, match="never begins as it is asked to"):
        run(**settings)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(UserError, match="--asked-turns must be at least 2"):
        Config(asked_turns=1)
