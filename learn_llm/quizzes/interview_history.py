"""The interviews of a learner, kept in the database of their progress.

An answer is on disk as soon as it is graded, a rating as soon as it is given, and what is being typed every few
seconds: a killed process loses no more than those seconds, and the interview goes on where it stood.
"""

import json
from collections.abc import Container
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from learn_llm.quizzes.interview import Answer, FollowUp, Plan, Point
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.store import transaction


@dataclass(frozen=True)
class Draft:
    """What has been typed of an answer, and for how many seconds."""

    text: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Record:
    """One interview as it was kept."""

    id: int
    started_at: datetime
    """UTC."""
    plan: Plan
    answers: tuple[Answer, ...]
    draft: Draft
    ended: bool

    def goes_on(self, known: Container[str]) -> bool:
        """Whether it was left and, of the questions known, some of its own are still to be asked, or none is."""
        left = self.plan.ids[len(self.answers) :]
        return not self.ended and (not left or any(id in known for id in left))


class History:
    """Keeps interviews, in memory where the database of `progress` cannot be written."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def begin(self, plan: Plan) -> Record:
        """A new interview."""
        now = self.progress.schedule.now().astimezone(UTC)
        values = (now.isoformat(timespec="microseconds"), _json(plan), _json(Draft()))
        sql = "INSERT INTO interview (started_at, plan, draft) VALUES (?, ?, ?)"
        number = self.progress.keep(lambda: self.progress.db.execute(sql, values).lastrowid)
        assert number is not None
        return Record(number, now, plan, (), Draft(), False)

    def keep_answer(self, id: int, place: int, answer: Answer) -> None:
        """Keep answer number `place` (from 0), in place of what it was before; the draft is done with."""

        def write() -> None:
            with transaction(self.progress.db):
                row = (id, place, _json(answer))
                self.progress.db.execute("INSERT OR REPLACE INTO interview_answer VALUES (?, ?, ?)", row)
                self.progress.db.execute("UPDATE interview SET draft = ? WHERE id = ?", (_json(Draft()), id))

        self.progress.keep(write)

    def keep_draft(self, id: int, draft: Draft) -> None:
        """Keep what has been typed so far."""
        self._write("UPDATE interview SET draft = ? WHERE id = ?", _json(draft), id)

    def end(self, id: int) -> None:
        """The interview is over."""
        now = self.progress.schedule.now().astimezone(UTC).isoformat(timespec="microseconds")
        self._write("UPDATE interview SET ended_at = ? WHERE id = ?", now, id)

    def drop_empty(self, id: int) -> None:
        """Forget an interview in which nothing was answered or typed."""
        empty = "id = ? AND draft = ? AND NOT EXISTS (SELECT 1 FROM interview_answer WHERE interview_id = interview.id)"
        self._write(f"DELETE FROM interview WHERE {empty}", id, _json(Draft()))

    def records(self) -> list[Record]:
        """All interviews, the newest first.  One that cannot be read (changed by another program) is left out."""
        rows = self.progress.db.execute("SELECT id, started_at, plan, draft, ended_at FROM interview ORDER BY id DESC")
        read = (self._record(row) for row in rows.fetchall())
        return [record for record in read if record is not None]

    def record(self, id: int) -> Record | None:
        """This interview as it is kept now."""
        return next((record for record in self.records() if record.id == id), None)

    def _record(self, row: tuple[int, str, str, str, str | None]) -> Record | None:
        id, started_at, plan, draft, ended_at = row
        sql = "SELECT answer FROM interview_answer WHERE interview_id = ? ORDER BY place"
        try:
            answers = tuple(_answer(json.loads(text)) for (text,) in self.progress.db.execute(sql, (id,)))
            moment = datetime.fromisoformat(started_at)
            return Record(id, moment, _plan(json.loads(plan)), answers, Draft(**json.loads(draft)), bool(ended_at))
        except (ValueError, TypeError, KeyError):
            return None

    def _write(self, sql: str, *values: str | int) -> None:
        self.progress.keep(lambda: self.progress.db.execute(sql, values))


def _json(value: Plan | Answer | Draft) -> str:
    return json.dumps(asdict(value), ensure_ascii=False)


def _plan(value: dict[str, Any]) -> Plan:
    return Plan(**{**value, "ids": tuple(value["ids"]), "topics": tuple(value["topics"])})


def _answer(value: dict[str, Any]) -> Answer:
    points = tuple(Point(**{**point, "spans": tuple(map(tuple, point["spans"]))}) for point in value["points"])
    follow_ups = tuple(FollowUp(**follow_up) for follow_up in value["follow_ups"])
    return Answer(**{**value, "topics": tuple(value["topics"]), "points": points, "follow_ups": follow_ups})
