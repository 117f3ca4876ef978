"""Reads training data: JSON lines in the shapes that Hugging Face datasets have.

    {"prompt": "...", "completion": "..."}                        demonstrations, for SFT
    {"messages": [{"role": "user", "content": "..."}, ...]}       the same; the last message is the assistant's
    {"prompt": "...", "chosen": "...", "rejected": "..."}         preference pairs, for a reward model or DPO
    {"prompt": "..."}                                             prompts, for PPO

A prompt is a text or a list of messages; a completion, chosen or rejected is a text or a list of one assistant message.
Other fields are kept: a reward function sees the whole row.  The file is read line by line: every line is checked once,
then only the position of each line is held in memory.
"""

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias, overload

from learn_llm.errors import UserError

Message: TypeAlias = Mapping[str, str]
Kind = Literal["demonstrations", "pairs", "prompts"]
ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True)
class Row:
    """One line of a file, its fields brought to one form."""

    prompt: str | tuple[Message, ...]
    """A text, or the messages up to the one that is to be answered."""
    responses: tuple[str, ...]
    """Demonstrations: the completion.  Pairs: the chosen one, then the rejected one.  Prompts: nothing."""
    fields: Mapping[str, Any]
    """The whole object as it stands in the file."""


class JsonLines(Sequence[Row]):
    """The rows of one file, read from disk when they are asked for.

    Raises:
        UserError: there is no such file, it holds no rows, or a line is not what `kind` needs (the line's number and
            the field are named).
    """

    def __init__(self, path: str | Path, kind: Kind) -> None:
        self.path = Path(path)
        self.kind: Kind = kind
        self._starts = array("Q")
        self._numbers = array("Q")
        with self._open() as file:
            start = 0
            for number, line in enumerate(file, 1):
                if line.strip():
                    self._row(line, number)
                    self._starts.append(start)
                    self._numbers.append(number)
                start += len(line)
        if not self._starts:
            raise UserError(f"{self.path} is empty: it needs one JSON object a line, such as {_EXAMPLES[kind]}")

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        with self._open() as file:
            file.seek(self._starts[index])
            return self._row(file.readline(), self._numbers[index])

    def line(self, index: int) -> int:
        """The number of the line that a row stands on, from 1."""
        return self._numbers[index]

    def _open(self) -> IO[bytes]:
        try:
            return self.path.open("rb")
        except FileNotFoundError:
            raise UserError(f"there is no file {self.path}") from None
        except OSError as error:
            raise UserError(f"{self.path} cannot be read: {error.strerror}") from None

    def _row(self, line: bytes, number: int) -> Row:
        try:
            fields = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError:
            raise UserError(f"{self.path}, line {number}: not UTF-8 text") from None
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "too deeply nested"
            raise UserError(f"{self.path}, line {number}: not a JSON object ({reason})") from None
        if not isinstance(fields, dict):
            raise UserError(f"{self.path}, line {number}: a JSON object is needed, this is a {type(fields).__name__}")
        try:
            return _READERS[self.kind](fields)
        except _FieldError as bad:
            raise UserError(f"{self.path}, line {number}: {bad}") from None


class _FieldError(Exception):
    """A field is missing or is not what it should be; the message names it."""


_EXAMPLES: dict[Kind, str] = {
    "demonstrations": '{"prompt": "...", "completion": "..."}',
    "pairs": '{"prompt": "...", "chosen": "...", "rejected": "..."}',
    "prompts": '{"prompt": "..."}',
}


def _demonstration(fields: dict[str, Any]) -> Row:
    if "messages" in fields:
        messages = _messages(fields["messages"], "messages")
        if len(messages) < 2 or messages[-1]["role"] != "assistant":
            raise _FieldError('the last of "messages" must be the assistant\'s, after at least one other')
        return Row(messages[:-1], (messages[-1]["content"],), fields)
    return Row(_prompt(fields), (_response(fields, "completion"),), fields)


def _pair(fields: dict[str, Any]) -> Row:
    return Row(_prompt(fields), (_response(fields, "chosen"), _response(fields, "rejected")), fields)


def _only_prompt(fields: dict[str, Any]) -> Row:
    if "prompt" not in fields and "messages" in fields:
        messages = _messages(fields["messages"], "messages")
        asked = messages[:-1] if messages[-1]["role"] == "assistant" else messages
        if not asked:
            raise _FieldError('"messages" holds nothing to answer')
        return Row(asked, (), fields)
    return Row(_prompt(fields), (), fields)


_READERS = {"demonstrations": _demonstration, "pairs": _pair, "prompts": _only_prompt}


def _prompt(fields: dict[str, Any]) -> str | tuple[Message, ...]:
    value = _field(fields, "prompt")
    return value if isinstance(value, str) else _messages(value, "prompt")


def _response(fields: dict[str, Any], name: str) -> str:
    value = _field(fields, name)
    if isinstance(value, str):
        return value
    messages = _messages(value, name)
    if len(messages) != 1 or messages[0]["role"] != "assistant":
        raise _FieldError(f'"{name}" must be a text or one assistant message')
    return messages[0]["content"]


def _field(fields: dict[str, Any], name: str) -> str | list[Any]:
    if name not in fields:
        there = ", ".join(f'"{key}"' for key in fields) or "none"
        raise _FieldError(f'the field "{name}" is missing (there are: {there})')
    value = fields[name]
    if not isinstance(value, (str, list)):
        raise _FieldError(f'"{name}" must be a text or a list of messages')
    if not value or (isinstance(value, str) and not value.strip()):
        raise _FieldError(f'"{name}" is empty')
    return value


def _messages(value: Any, name: str) -> tuple[Message, ...]:
    if not isinstance(value, list) or not value:
        raise _FieldError(f'"{name}" must be a list of messages')
    for message in value:
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            raise _FieldError(f'"{name}": each message needs "role" and "content", both texts')
        if message.get("role") not in ROLES:
            raise _FieldError(f'"{name}": the role {message.get("role")!r} is none of {", ".join(ROLES)}')
    return tuple({"role": message["role"], "content": message["content"]} for message in value)
