"""`learn-llm compare models`: the same prompts, each model's own format, and what is wrong is one line."""

import json
from pathlib import Path

import pytest

from learn_llm.comparing_arms import ARMS, START
from learn_llm.results_claims.feedback import COMPARED
from tests.small_models import llama_folder, word_tokenizer
from tests.test_cli import Command, learn_llm

__all__ = ["learn_llm"]  # the fixture


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One that converses and one that continues texts."""
    monkeypatch.chdir(tmp_path)
    llama_folder(tmp_path / "talks", seed=1)
    llama_folder(tmp_path / "continues", word_tokenizer(chat=False), seed=2)
    return ["talks", "continues"]


def file(folder: Path, *rows: object) -> str:
    path = folder / "prompts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_every_model_answers_every_prompt(learn_llm: Command, models: list[str], tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    prompts = file(tmp_path, {"prompt": "hi one"}, {"prompt": [*turns, {"role": "user", "content": "two"}]})
    command = ("compare", "models", *models, "--prompts", prompts, "--max-new-tokens", "5")
    result = learn_llm(*command, "--json")
    assert result.code == 0
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert [row["messages"][-1]["content"] for row in rows] == ["hi one", "two"]
    assert [len(row["messages"]) for row in rows] == [1, 3]
    assert all(list(row["answers"]) == models and not row["problems"] for row in rows)
    assert rows[0]["answers"][models[0]] != rows[0]["answers"][models[1]]
    shown = learn_llm(*command)
    assert shown.code == 0
    assert [line for line in shown.out.splitlines() if line.startswith(("1. ", "2. "))] == [
        f"{number}. ".ljust(max(map(len, models)) + 2) + text for number, text in ((1, "hi one"), (2, "two"))
    ]
    assert all(shown.out.count(f"{name}  ") == 2 for name in models)
    assert learn_llm(*command).out == shown.out


def test_each_model_alone_says_the_same(learn_llm: Command, models: list[str], tmp_path: Path) -> None:
    """No prompt leaves a trace in the next one."""
    options = ("--max-new-tokens", "5", "--json")
    both = learn_llm(
        "compare", "models", *models, "--prompts", file(tmp_path, {"prompt": "yes"}, {"prompt": "two"}), *options
    )
    one = learn_llm("compare", "models", *models[::-1], "--prompts", file(tmp_path, {"prompt": "two"}), *options)
    assert json.loads(both.out.splitlines()[1])["answers"] == json.loads(one.out)["answers"]


def test_a_prompt_that_does_not_fit_is_said_and_the_others_go_on(
    learn_llm: Command, models: list[str], tmp_path: Path
) -> None:
    prompts = file(tmp_path, {"prompt": "hi " * 60}, {"prompt": "one"})
    result = learn_llm("compare", "models", *models, "--prompts", prompts, "--max-new-tokens", "4", "--json")
    long, short = (json.loads(line) for line in result.out.splitlines())
    assert long["answers"] == {}
    assert all("tokens; at most" in problem for problem in long["problems"].values())
    assert list(short["answers"]) == models


@pytest.mark.parametrize(
    ("names", "row", "said"),
    [
        (1, {"prompt": "hi"}, "name two or more different models"),
        (0, {"prompt": "hi"}, "name two or more different models, not none"),
        (2, {"text": "hi"}, 'line 1: the field "prompt" is missing'),
        (2, {"prompt": [{"role": "assistant", "content": "hi"}]}, "line 1: the last message must be the user's"),
    ],
)
def test_what_is_wrong_is_one_line(
    learn_llm: Command, models: list[str], tmp_path: Path, names: int, row: object, said: str
) -> None:
    result = learn_llm("compare", "models", *models[:names], "--prompts", file(tmp_path, row))
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert result.err.count("\n") == 1


def test_the_methods_are_compared_as_before(learn_llm: Command) -> None:
    result = learn_llm("compare", "--help")
    assert result.code == 0
    assert f"ARMS are some of {', '.join(ARMS)}; without any" in " ".join(result.out.split())
    assert (START, *COMPARED) == tuple(ARMS)
    assert "compare models --help" in result.out
    assert "no arm 'pppo'" in learn_llm("compare", "pppo").err
    assert "--prompts" in learn_llm("compare", "models", "--help").out
    assert "Missing option '--prompts'" in learn_llm("compare", "models", "a", "b").err
