"""Progress as one JSON file: written whole, and merged into another database without loss or doubling.

The file holds what was done (ratings, answers of drills, interviews), not what follows from it: the cards are computed
again from the ratings.  What is merged is ordered by time, as if it had been done on one machine.
"""

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from learn_llm.errors import UserError
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.schedule import Card
from learn_llm.quizzes.store import transaction

PROGRAM = "learn-llm progress"
VERSION = 1
"""Of the file."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Amounts:
    """How many of each kind."""

    ratings: int = 0
    drills: int = 0
    interviews: int = 0

    def __str__(self) -> str:
        """
        >>> str(Amounts(ratings=1, drills=2)), str(Amounts())
        ('1 rating, 2 drill answers', 'nothing')
        """
        names = (("rating", self.ratings), ("drill answer", self.drills), ("interview", self.interviews))
        return ", ".join(f"{count} {name}{'s' * (count != 1)}" for name, count in names if count) or "nothing"


@dataclass(frozen=True)
class Merged:
    """What a file brought, and how much of it there was already."""

    added: Amounts
    known: Amounts


# Writing


def to_json(progress: Progress) -> str:
    """Everything that was done, undone ratings too."""
    with transaction(progress.db):
        data = {
            "program": PROGRAM,
            "version": VERSION,
            "written_at": progress.schedule.now().isoformat(timespec="seconds"),
            "ratings": _select(progress, "review", _RATING),
            "drills": _select(progress, "drill", _DRILL),
            "interviews": _interviews(progress),
        }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def amounts(progress: Progress) -> Amounts:
    """How much there is, without the ratings that were undone."""
    sql = "SELECT (SELECT count(*) FROM review WHERE undone_at IS NULL), (SELECT count(*) FROM drill), count(*)"
    return Amounts(*progress.db.execute(f"{sql} FROM interview").fetchone())


def _select(progress: Progress, table: str, columns: Mapping[str, object]) -> list[Row]:
    rows = progress.db.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY id")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _interviews(progress: Progress) -> list[Row]:
    rows = []
    for id, started_at, plan, draft, ended_at in progress.db.execute(
        "SELECT id, started_at, plan, draft, ended_at FROM interview ORDER BY id"
    ).fetchall():
        answers = progress.db.execute("SELECT place, answer FROM interview_answer WHERE interview_id = ?", (id,))
        with contextlib.suppress(ValueError):  # changed by another program: it cannot be opened in the app either
            rows.append(
                {
                    "started_at": started_at,
                    "ended_at": ended_at,
                    "plan": json.loads(plan),
                    "draft": json.loads(draft),
                    "answers": {str(place): json.loads(answer) for place, answer in answers},
                }
            )
    return rows


# Reading


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    value.encode()  # raises UnicodeEncodeError, a ValueError, for half a character
    return value


def _moment(value: object) -> str:
    """ISO in UTC with a fixed width, as in the database."""
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None or not 2000 <= moment.year < 2200:
        raise ValueError("must be a moment with its time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _whole(least: int, most: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return value

    return check


def _or_none(check: Callable[[object], Any]) -> Callable[[object], Any]:
    return lambda value: None if value is None else check(value)


def _as_json(value: object) -> str:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return _text(json.dumps(value, ensure_ascii=False))


def _answers(value: object) -> dict[int, str]:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return {_whole(0, 10_000)(int(place)): _as_json(answer) for place, answer in value.items()}


_RATING: Mapping[str, Callable[[object], Any]] = {
    "question_id": _text,
    "session": _text,
    "reviewed_at": _moment,
    "rating": _whole(1, 4),
    "duration_ms": _or_none(_whole(0, 2**53)),
    "lang": _text,
    "content_hash": _text,
    "undone_at": _or_none(_moment),
}
_DRILL: Mapping[str, Callable[[object], Any]] = {
    "question_id": _text,
    "answered_at": _moment,
    "chosen": _whole(0, 3),
    "correct": _whole(0, 1),
    "duration_ms": _or_none(_whole(0, 2**53)),
    "lang": _text,
    "content_hash": _text,
}
_INTERVIEW: Mapping[str, Callable[[object], Any]] = {
    "started_at": _moment,
    "ended_at": _or_none(_moment),
    "plan": _as_json,
    "draft": _as_json,
    "answers": _answers,
}


def merge(progress: Progress, text: str) -> Merged:
    """Add what `text` (of `to_json`) holds and the database does not: all of it or nothing.

    Raises UserError where it is no such text, or a newer version's.
    """
    data = _read(text)
    ratings, drills, interviews = (
        _rows(data, name, columns)
        for name, columns in (("ratings", _RATING), ("drills", _DRILL), ("interviews", _INTERVIEW))
    )
    with transaction(progress.db):
        added = Amounts(
            _merge_ratings(progress, ratings), _merge_drills(progress, drills), _merge_interviews(progress, interviews)
        )
    known = Amounts(len(ratings) - added.ratings, len(drills) - added.drills, len(interviews) - added.interviews)
    return Merged(added, known)


def _read(text: str) -> Row:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise UserError("it is no JSON file; `learn-llm progress export` writes one") from None
    if not isinstance(data, dict) or data.get("program") != PROGRAM:
        raise UserError("another program wrote it; `learn-llm progress export` writes what can be imported")
    version = data.get("version")
    if not isinstance(version, int) or version < 1:
        raise UserError("it has no version; export it again")
    if version > VERSION:
        raise UserError(f"a newer learn-llm wrote it (version {version}, this one knows {VERSION}); update learn-llm")
    return data


def _rows(data: Row, name: str, columns: Mapping[str, Callable[[object], Any]]) -> list[Row]:
    """The rows of one kind, checked.  Raises UserError with the place of the first thing that is wrong."""
    rows = data.get(name)
    if not isinstance(rows, list):
        raise UserError(f"it is damaged: {name} must be a list")
    checked = []
    for number, row in enumerate(rows):
        place = f"{name}[{number}]"
        if not isinstance(row, dict) or row.keys() != columns.keys():
            raise UserError(f"it is damaged: {place} must have the fields {', '.join(columns)}")
        values = {}
        for column, check in columns.items():
            try:
                values[column] = check(row[column])
            except (ValueError, OverflowError, RecursionError) as error:
                raise UserError(f"it is damaged: {place}.{column}: {error}") from None
        checked.append(values)
    return checked


# Merging


def _merge_ratings(progress: Progress, rows: list[Row]) -> int:
    """Two ratings are the same where session, question and moment are; one that was undone anywhere stays undone."""
    there: dict[tuple[str, str, str], list[tuple[int, str | None]]] = {}
    sql = "SELECT session, question_id, reviewed_at, id, undone_at FROM review ORDER BY id"
    for *key, id, undone_at in progress.db.execute(sql).fetchall():
        there.setdefault((key[0], key[1], key[2]), []).append((id, undone_at))
    added, changed = 0, set()
    for row in rows:
        known = there.get((row["session"], row["question_id"], row["reviewed_at"]))
        if not known:
            added += 1
            changed.add(row["question_id"])
            _insert(progress, "review", {**row, "card_before": "null"})  # written by `replay`
            continue
        id, undone_at = known.pop(0)
        if row["undone_at"] is not None and undone_at is None:
            changed.add(row["question_id"])
            progress.db.execute("UPDATE review SET undone_at = ? WHERE id = ?", (row["undone_at"], id))
    if added:
        _order_by_time(progress)
    for question_id in sorted(changed):
        progress.replay(Card(question_id))
    return added


def _order_by_time(progress: Progress) -> None:
    """Number the ratings anew, so that their numbers follow their moments."""
    ids = [id for (id,) in progress.db.execute("SELECT id FROM review ORDER BY reviewed_at, id")]
    last = max(ids)
    progress.db.executemany(
        "UPDATE review SET id = ? WHERE id = ?", [(last + number, id) for number, id in enumerate(ids, 1)]
    )


def _merge_drills(progress: Progress, rows: list[Row]) -> int:
    """An answer never changes: two are the same where all their fields are."""
    there = Counter(tuple(row.values()) for row in _select(progress, "drill", _DRILL))
    added = 0
    for row in rows:
        key = tuple(row.values())
        if there[key]:
            there[key] -= 1
        else:
            added += 1
            _insert(progress, "drill", row)
    return added


def _merge_interviews(progress: Progress, rows: list[Row]) -> int:
    """Two interviews are the same where start and plan are; then answers that are missing are added."""
    added = 0
    for row in rows:
        found = progress.db.execute(
            "SELECT id FROM interview WHERE started_at = ? AND plan = ?", (row["started_at"], row["plan"])
        ).fetchone()
        if found is None:
            added += 1
            id = _insert(progress, "interview", {key: value for key, value in row.items() if key != "answers"})
        else:
            (id,) = found
            progress.db.execute(
                "UPDATE interview SET ended_at = coalesce(ended_at, ?) WHERE id = ?", (row["ended_at"], id)
            )
        progress.db.executemany(
            "INSERT OR IGNORE INTO interview_answer (interview_id, place, answer) VALUES (?, ?, ?)",
            [(id, place, answer) for place, answer in row["answers"].items()],
        )
    return added


def _insert(progress: Progress, table: str, row: Row) -> int:
    marks = ", ".join("?" * len(row))
    done = progress.db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))
    assert done.lastrowid is not None
    return done.lastrowid
