"""What the learner has set, kept in the database of their progress, a line for each setting that was changed."""

import contextlib
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, timedelta

from learn_llm.folders import progress_file
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.store import transaction

FARTHEST = timedelta(days=730)
"""A date further away than this is a slip."""


@dataclass(frozen=True)
class Settings:
    """An empty text means that nothing was set: the environment decides."""

    language: str = ""
    """Of interface and questions, "en" or "ja"."""
    theme: str = ""
    """A name that Textual knows."""
    interview: date | None = None
    """The day that readiness is told for."""
    new_a_day: int = 10
    """New questions that study brings in a day, until the learner asks for more."""
    two_buttons: bool = False
    """Rate by "forgot" and "got it" alone."""
    ascii: bool = False
    """Frames, charts and symbols in ASCII."""


def load(progress: Progress) -> Settings:
    """The settings as they are kept; what another program spoilt is as if it had not been set."""
    kept = dict(progress.db.execute("SELECT name, value FROM setting"))
    values: dict[str, object] = {}
    for name, read in _READERS.items():
        with contextlib.suppress(KeyError, ValueError, TypeError):
            values[name] = read(kept[name])
    return Settings(**values)  # type: ignore[arg-type]


def peek_language() -> str:
    """The language that is kept, "" where there is none: read without touching the file, whatever state it is in."""
    path = progress_file().absolute()
    with contextlib.suppress(sqlite3.Error):
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
            kept = db.execute("SELECT value FROM setting WHERE name = 'language'").fetchone()
        return str(kept[0]) if kept else ""
    return ""


def keep(progress: Progress, before: Settings, after: Settings) -> None:
    """Keep what differs: another app that runs on the same file may have changed the rest meanwhile."""
    changed = [(field.name, _text(getattr(after, field.name))) for field in fields(Settings)]
    changed = [(name, text) for name, text in changed if text != _text(getattr(before, name))]

    def write() -> None:
        with transaction(progress.db):
            progress.db.executemany("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", changed)

    if changed:
        progress.keep(write)


def read_day(text: str, today: date) -> date:
    """A day as one types it: 2026-12-05, 12-5 (the next one), 14 (days from today).

    Full-width digits, slashes and 月日 do as well.  Raises ValueError for anything else, and for a day that
    is past or beyond `FARTHEST`.

    >>> [str(read_day(text, date(2026, 11, 23))) for text in ("2026-12-05", "1/9", "14", "１２月５日")]
    ['2026-12-05', '2027-01-09', '2026-12-07', '2026-12-05']
    """
    import unicodedata  # when a day is typed, not when the app starts

    plain = unicodedata.normalize("NFKC", text).strip().removeprefix("+").removesuffix("日")
    try:
        day = _day([int(part) for part in re.split("[-/.年月]", plain)], today)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no day") from None
    if not today <= day <= today + FARTHEST:
        raise ValueError(f"{day} is past or too far away")
    return day


def _day(numbers: list[int], today: date) -> date:
    match numbers:
        case [days]:
            return today + timedelta(days)
        case [month, number]:
            day = date(today.year, month, number)
            return day if day >= today else date(today.year + 1, month, number)
        case [year, month, number]:
            return date(year, month, number)
        case _:
            raise ValueError(numbers)


def _flag(text: str) -> bool:
    return bool(("no", "yes").index(text))


def _count(text: str) -> int:
    return max(0, min(int(text), 1000))


_READERS: dict[str, Callable[[str], object]] = {
    "language": lambda text: ("en", "ja")[("en", "ja").index(text)],
    "theme": str,
    "interview": lambda text: date.fromisoformat(text) if text else None,
    "new_a_day": _count,
    "two_buttons": _flag,
    "ascii": _flag,
}


def _text(value: str | int | date | None) -> str:
    """The value as `_READERS` reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
