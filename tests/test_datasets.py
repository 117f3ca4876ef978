"""JSON-lines data in the Hugging Face shapes: what is read, and what each bad line is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from learn_llm.datasets import JsonLines, Kind
from learn_llm.errors import UserError


def write(folder: Path, *lines: Any) -> Path:
    file = folder / "data.jsonl"
    file.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines), "utf-8")
    return file


USER, ANSWER = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}


def test_demonstrations_as_text_and_as_messages(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        {"prompt": "hi", "completion": "hello"},
        {"prompt": [USER], "completion": [ANSWER]},
        {"messages": [USER, ANSWER], "source": "x"},
    )
    rows = JsonLines(file, "demonstrations")
    assert len(rows) == 3
    assert [row.responses for row in rows] == [("hello",)] * 3
    assert [row.prompt for row in rows] == ["hi", (USER,), (USER,)]
    assert rows[-1].fields["source"] == "x"
    assert rows[1:] == [rows[1], rows[2]]


def test_pairs_and_prompts(tmp_path: Path) -> None:
    file = write(tmp_path, {"prompt": "hi", "chosen": "hello", "rejected": [ANSWER], "topic": 7})
    assert JsonLines(file, "pairs")[0].responses == ("hello", "hello")
    assert JsonLines(file, "prompts")[0].fields["topic"] == 7
    conversation = write(tmp_path, {"messages": [USER, ANSWER]}, {"messages": [USER]})
    assert [row.prompt for row in JsonLines(conversation, "prompts")] == [(USER,), (USER,)]


def test_blank_lines_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"prompt": "a"}\r\n\r\n{"prompt": "\xe7\x8c\xab"}')
    assert [row.prompt for row in JsonLines(file, "prompts")] == ["a", "猫"]


GOOD = {"prompt": "a", "completion": "b", "chosen": "c", "rejected": "d"}


@pytest.mark.parametrize(
    ("kind", "line", "said"),
    [
        ("demonstrations", '{"prompt": "a"', "line 2: not a JSON object"),
        ("demonstrations", "[1]", "line 2: a JSON object is needed, this is a list"),
        ("demonstrations", {"prompt": "a"}, 'line 2: the field "completion" is missing (there are: "prompt")'),
        ("demonstrations", {"completion": "a"}, 'line 2: the field "prompt" is missing'),
        ("demonstrations", {"prompt": "", "completion": "a"}, 'line 2: "prompt" is empty'),
        ("demonstrations", {"prompt": 3, "completion": "a"}, 'line 2: "prompt" must be a text or a list of messages'),
        ("demonstrations", {"prompt": "a", "completion": [USER]}, 'line 2: "completion" must be a text or one assist'),
        ("demonstrations", {"messages": [USER]}, 'line 2: the last of "messages" must be the assistant'),
        ("demonstrations", {"messages": [{"role": "boss", "content": "x"}]}, "line 2: \"messages\": the role 'boss'"),
        ("demonstrations", {"messages": [{"role": "user"}]}, 'line 2: "messages": each message needs'),
        ("demonstrations", {"messages": "x"}, 'line 2: "messages" must be a list of messages'),
        ("pairs", {"prompt": "a", "chosen": "b"}, 'line 2: the field "rejected" is missing'),
        ("prompts", {"text": "a"}, 'line 2: the field "prompt" is missing (there are: "text")'),
        ("prompts", {"messages": [ANSWER]}, 'line 2: "messages" holds nothing to answer'),
        ("prompts", "[" * 100_000, "line 2: not a JSON object"),
    ],
)
def test_a_bad_line_is_named_with_its_field(tmp_path: Path, kind: Kind, line: Any, said: str) -> None:
    with pytest.raises(UserError) as error:
        JsonLines(write(tmp_path, GOOD, line), kind)
    assert said in str(error.value)
    assert "data.jsonl" in str(error.value)
    assert "\n" not in str(error.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no file"):
        JsonLines(tmp_path / "none.jsonl", "prompts")
    with pytest.raises(UserError, match="cannot be read"):
        JsonLines(tmp_path, "prompts")
    with pytest.raises(UserError, match="is empty"):
        JsonLines(write(tmp_path, ""), "prompts")
    (tmp_path / "bytes.jsonl").write_bytes(b'{"prompt": "\xff\xfe"}\n')
    with pytest.raises(UserError, match="line 1: not UTF-8"):
        JsonLines(tmp_path / "bytes.jsonl", "prompts")
