"""What a learner has done, kept in SQLite in the user's data folder.

Each rating is its own transaction, on disk before it is confirmed (write-ahead log, synchronous): a killed process
loses nothing that was on screen.  A card is read, reviewed and written inside one transaction, so several processes may
study at once.  The reviews are a log that is only added to; undoing one marks it and computes its card again.

What is wrong with the file never stops the quiz.  A damaged one is moved aside, one that cannot be written or is of a
newer version is copied into memory; `notices` says so, one line each, and `saving` tells whether ratings are kept.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from learn_llm.folders import progress_file
from learn_llm.quizzes.schedule import Card, Rating, Schedule, State
from learn_llm.quizzes.store import COLUMNS, open_in_memory, open_store, transaction

T = TypeVar("T")
_MARKS = ", ".join("?" * len(COLUMNS["card"].split(",")))


@dataclass(frozen=True)
class Counts:
    """How many questions wait, and how many ratings were given today."""

    due: int
    """Seen before and due now, those in their first steps included."""
    learning: int
    """Of the due ones, those in their first steps."""
    new: int
    """Never seen."""
    done_today: int


class Progress:
    """The learner's cards and reviews.

    Args:
        path: the database; by default `progress.sqlite3` in the data folder.
        schedule: what tells when a card comes back.
        busy_seconds: how long to wait for another process that is writing.
    """

    def __init__(
        self, path: Path | None = None, schedule: Schedule | None = None, *, busy_seconds: float = 5.0
    ) -> None:
        self.path = path or progress_file()
        self.schedule = schedule or Schedule()
        self._session = os.urandom(8).hex()
        self._store = open_store(self.path, busy_seconds)

    @property
    def saving(self) -> bool:
        """Whether ratings are kept; where not, the last of `notices` says why."""
        return self._store.saving

    @property
    def notices(self) -> tuple[str, ...]:
        """What is wrong with the file and what was done about it, a line each; may grow when a rating is given."""
        return self._store.notices

    @property
    def db(self) -> sqlite3.Connection:
        """The open database; another one after `keep` had to go on in memory."""
        return self._store.db

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database.  Nothing is written: everything was."""
        self.db.close()

    def card(self, question_id: str) -> Card:
        """The card of a question, a new one if it was never rated."""
        row = self.db.execute(f"SELECT {COLUMNS['card']} FROM card WHERE question_id = ?", (question_id,)).fetchone()
        return _card(row) if row else Card(question_id)

    def cards(self) -> dict[str, Card]:
        """All cards that were rated, by question."""
        return {row[0]: _card(row) for row in self.db.execute(f"SELECT {COLUMNS['card']} FROM card")}

    def rate(
        self,
        question_id: str,
        rating: Rating,
        *,
        lang: str = "en",
        content_hash: str = "",
        duration_ms: int | None = None,
    ) -> Card:
        """Rate a question now and keep it: when this returns, the rating is on disk (or `saving` is False)."""

        def write() -> Card:
            with transaction(self.db):
                before, now = self.card(question_id), self.schedule.now()
                after = self.schedule.review(before, rating, now)
                self._write(after)
                self.db.execute(
                    "INSERT INTO review (question_id, session, reviewed_at, rating, duration_ms, lang, content_hash,"
                    " card_before) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        question_id,
                        self._session,
                        _text(now),
                        int(rating),
                        duration_ms,
                        lang,
                        content_hash,
                        _json(before),
                    ),
                )
            return after

        return self.keep(write)

    def undo(self) -> str | None:
        """Take back the last rating that this object gave and that still stands; returns its question, or None."""
        return self.keep(self._undo)

    def _undo(self) -> str | None:
        with transaction(self.db):
            last = self.db.execute(
                "SELECT id, question_id, card_before FROM review WHERE session = ? AND undone_at IS NULL"
                " ORDER BY id DESC LIMIT 1",
                (self._session,),
            ).fetchone()
            if last is None:
                return None
            number, question_id, before = last
            card = _card(json.loads(before))
            now = _text(self.schedule.now())
            self.db.execute("UPDATE review SET undone_at = ? WHERE id = ?", (now, number))
            self.replay(card, number)  # what another process rated later stands, on the card as it was before
        return str(question_id)

    def replay(self, card: Card, after: int = 0) -> None:
        """Review the card again by its ratings that stand and come after this one in the log, and keep it.

        To be called inside a transaction.
        """
        later = self.db.execute(
            "SELECT id, rating, reviewed_at FROM review WHERE question_id = ? AND id > ? AND undone_at IS NULL"
            " ORDER BY id",
            (card.question_id, after),
        ).fetchall()
        for number, rating, reviewed_at in later:
            self.db.execute("UPDATE review SET card_before = ? WHERE id = ?", (_json(card), number))
            card = self.schedule.review(card, Rating(rating), datetime.fromisoformat(reviewed_at))
        self._write(card)

    def due(self, ids: Iterable[str] | None = None) -> list[str]:
        """The questions to review now, those in their first steps first, then the longest due; of `ids` if given."""
        now = self.schedule.now()
        wanted = None if ids is None else set(ids)
        cards = [
            (card.state is State.REVIEW, card.due or now, card.question_id)
            for card in self.cards().values()
            if (wanted is None or card.question_id in wanted) and self.schedule.is_due(card, now)
        ]
        return [question_id for _, _, question_id in sorted(cards)]

    def next_due(self, ids: Iterable[str] | None = None) -> datetime | None:
        """When the next card that is not due yet comes up (UTC; for a day-long interval, the begin of that day)."""
        now = self.schedule.now()
        wanted = None if ids is None else set(ids)
        moments = [
            self.schedule.day_start(card.due) if card.state is State.REVIEW else card.due
            for card in self.cards().values()
            if (wanted is None or card.question_id in wanted) and card.due and not self.schedule.is_due(card, now)
        ]
        return min(moments, default=None)

    def counts(self, ids: Iterable[str]) -> Counts:
        """How many of these questions wait, and how many ratings of any question were given today."""
        wanted = list(ids)
        cards, due = self.cards(), self.due(wanted)
        since = _text(self.schedule.day_start(self.schedule.now()))
        done = self.db.execute(
            "SELECT count(*) FROM review WHERE undone_at IS NULL AND reviewed_at >= ?", (since,)
        ).fetchone()
        return Counts(
            due=len(due),
            learning=sum(cards[question_id].state is not State.REVIEW for question_id in due),
            new=sum(question_id not in cards for question_id in wanted),
            done_today=int(done[0]),
        )

    def begun_today(self) -> int:
        """How many questions were rated today for the first time."""
        since = _text(self.schedule.day_start(self.schedule.now()))
        firsts = "SELECT min(reviewed_at) AS first FROM review WHERE undone_at IS NULL GROUP BY question_id"
        (count,) = self.db.execute(f"SELECT count(*) FROM ({firsts}) WHERE first >= ?", (since,)).fetchone()
        return int(count)

    def last_seen(self, question_id: str, lang: str) -> str | None:
        """The content hash that the question had in this language when it was last rated; None if it never was."""
        row = self.db.execute(
            "SELECT content_hash FROM review WHERE question_id = ? AND lang = ? AND undone_at IS NULL"
            " ORDER BY id DESC LIMIT 1",
            (question_id, lang),
        ).fetchone()
        return str(row[0]) if row else None

    def _write(self, card: Card) -> None:
        if card.last_review is None:
            self.db.execute("DELETE FROM card WHERE question_id = ?", (card.question_id,))
        else:
            self.db.execute(f"INSERT OR REPLACE INTO card ({COLUMNS['card']}) VALUES ({_MARKS})", _row(card))

    def keep(self, write: Callable[[], T]) -> T:
        """Write; where the file fails, go on in memory with what it holds and write there."""
        try:
            return write()
        except sqlite3.Error as error:
            if not self.saving:
                raise
            self.db.close()
            self._store = open_in_memory(self.path, str(error), self.notices)
            return write()


def _row(card: Card) -> tuple[str | int | float | None, ...]:
    """The card in the order of its columns."""
    due = _text(card.due) if card.due else None
    last_review = _text(card.last_review) if card.last_review else None
    memory = (card.stability, card.difficulty, due, last_review)
    return card.question_id, int(card.state), card.step, *memory, card.reps, card.lapses


def _card(row: Sequence[Any]) -> Card:
    question_id, state, step, stability, difficulty, due, last_review, reps, lapses = row
    return Card(
        question_id=question_id,
        state=State(state),
        step=step,
        stability=stability,
        difficulty=difficulty,
        due=datetime.fromisoformat(due) if due else None,
        last_review=datetime.fromisoformat(last_review) if last_review else None,
        reps=reps,
        lapses=lapses,
    )


def _json(card: Card) -> str:
    return json.dumps(_row(card))


def _text(moment: datetime) -> str:
    """ISO in UTC with a fixed width: such texts sort as their moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
