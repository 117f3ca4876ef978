"""The text of a learner's file.  Light: it loads no torch."""

import stat
from pathlib import Path

LARGEST_FILE = 1 << 20
"""Bytes."""


class UnreadableError(Exception):
    """A learner's file that is no text; the message is a text's key, the values fill it."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key, self.values = key, values


def read(path: Path) -> str:
    """The text of a learner's file, whatever its line ends.  Raises UnreadableError."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableError("judge.unreadable", reason="no plain file")
        if found.st_size > LARGEST_FILE:
            raise UnreadableError("judge.large")
        data = path.read_bytes()
    except FileNotFoundError:
        raise UnreadableError("judge.missing", file=path) from None
    except OSError as error:
        raise UnreadableError("judge.unreadable", reason=error.strerror) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError("judge.utf8", byte=error.start + 1) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
