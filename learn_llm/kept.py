"""Results of long commands on disk, each in a folder of its own, with the digest of all that it depends on."""

import dataclasses
import json
from pathlib import Path
from typing import Any, TypeVar

from learn_llm.errors import UserError

T = TypeVar("T")


def same(folder: Path, key: str) -> bool:
    """Whether what is there was begun under this key."""
    try:
        return (folder / "key").read_text("ascii") == key
    except (OSError, UnicodeDecodeError):
        return False


def begin(folder: Path, key: str) -> None:
    """Write the key of a result that is to come.  Raises UserError where it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "key").write_text(key, "ascii")
    except OSError as error:
        raise UserError(f"{folder.parent} cannot be written: {error.strerror}") from None


def kept(folder: Path, key: str, kind: type[T]) -> T | None:
    """The result of this kind, a dataclass, if there is one under this key."""
    if not same(folder, key):
        return None
    try:
        return kind(**json.loads((folder / "result.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def keep(folder: Path, result: Any) -> None:
    """Write a result: beside, and then moved into place."""
    waiting = folder / "result.part"
    waiting.write_text(json.dumps(dataclasses.asdict(result)) + "\n", "utf-8")
    waiting.replace(folder / "result.json")
