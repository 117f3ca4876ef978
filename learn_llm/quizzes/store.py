"""The SQLite file of a learner's progress, opened whatever its state.

A sound file is opened for writing.  A damaged one is moved aside, never overwritten, and a new one begun.  Where the
file cannot be written, or was written by a newer version, what can be read of it is copied into memory.  Each time
something is wrong there is a line to show.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

VERSION = 4
"""Of the schema, in the file as `PRAGMA user_version`."""
MIGRATIONS = (
    """
    CREATE TABLE card (
        question_id TEXT PRIMARY KEY,
        state INTEGER NOT NULL,
        step INTEGER,
        stability REAL,
        difficulty REAL,
        due TEXT NOT NULL,
        last_review TEXT NOT NULL,
        reps INTEGER NOT NULL,
        lapses INTEGER NOT NULL
    );
    CREATE TABLE review (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        question_id TEXT NOT NULL,
        session TEXT NOT NULL,
        reviewed_at TEXT NOT NULL,
        rating INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 4),
        duration_ms INTEGER,
        lang TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        card_before TEXT NOT NULL,
        undone_at TEXT
    );
    CREATE INDEX review_by_question ON review (question_id, id);
    """,
    """
    CREATE TABLE interview (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        started_at TEXT NOT NULL,
        plan TEXT NOT NULL,
        draft TEXT NOT NULL,
        ended_at TEXT
    );
    CREATE TABLE interview_answer (
        interview_id INTEGER NOT NULL,
        place INTEGER NOT NULL,
        answer TEXT NOT NULL,
        PRIMARY KEY (interview_id, place)
    );
    """,
    """
    CREATE TABLE drill (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        question_id TEXT NOT NULL,
        answered_at TEXT NOT NULL,
        chosen INTEGER NOT NULL CHECK (chosen BETWEEN 0 AND 3),
        correct INTEGER NOT NULL CHECK (correct IN (0, 1)),
        duration_ms INTEGER,
        lang TEXT NOT NULL,
        content_hash TEXT NOT NULL
    );
    """,
    """
    CREATE TABLE setting (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    );
    CREATE TABLE demo_run (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        demo TEXT NOT NULL,
        ended_at TEXT NOT NULL,
        options TEXT NOT NULL,
        broken INTEGER NOT NULL CHECK (broken IN (0, 1)),
        holds INTEGER NOT NULL CHECK (holds IN (0, 1)),
        claim TEXT NOT NULL,
        measured TEXT NOT NULL
    );
    CREATE INDEX demo_run_by_demo ON demo_run (demo, id);
    """,
)
"""Number n leads from version n of the schema to n + 1; the file as it was before is kept beside it."""
COLUMNS = {
    "card": "question_id, state, step, stability, difficulty, due, last_review, reps, lapses",
    "review": "id, question_id, session, reviewed_at, rating, duration_ms, lang, content_hash, card_before, undone_at",
    "interview": "id, started_at, plan, draft, ended_at",
    "interview_answer": "interview_id, place, answer",
    "drill": "id, question_id, answered_at, chosen, correct, duration_ms, lang, content_hash",
    "setting": "name, value",
    "demo_run": "id, demo, ended_at, options, broken, holds, claim, measured",
}
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class _DamagedError(Exception):
    """The file is no sound database of this program."""


class _NewerError(Exception):
    """The file was written by a newer version of this program."""


@dataclass(frozen=True)
class Store:
    """An open database in autocommit mode; `saving` is False where it lies in memory."""

    db: sqlite3.Connection
    saving: bool
    notices: tuple[str, ...]


def open_store(path: Path, busy_seconds: float) -> Store:
    """Open the file, or stand in for it in memory.  Another process that writes is waited for `busy_seconds`."""
    notices: list[str] = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(3):
            identity = _identity(path)
            try:
                return Store(_open(path, busy_seconds), True, tuple(notices))
            except _DamagedError as error:
                if identity == _identity(path):  # else another process has moved it already
                    aside = _move_aside(path)
                    notices.append(f"the progress file was damaged ({error}); it was moved to {aside}, a new one begun")
        reason = "it is damaged again and again"
    except _NewerError as error:
        reason = f"{error}; update learn-llm"
    except OSError as error:
        reason = error.strerror or str(error)
    except sqlite3.Error as error:
        reason = str(error)
    return open_in_memory(path, reason, tuple(notices))


def open_in_memory(path: Path, reason: str, notices: tuple[str, ...] = ()) -> Store:
    """A database in memory with what can be read of the file, and the notice that nothing is saved."""
    db = sqlite3.connect(":memory:", isolation_level=None, uri=True)
    _migrate(db, 0)
    copied = False
    for mode in ("mode=ro", "immutable=1"):  # the second where even the log's index cannot be made
        if not copied and os.path.isfile(path):
            with contextlib.suppress(sqlite3.Error):
                copied = _copy(db, f"{path.absolute().as_uri()}?{mode}")
    return Store(db, False, (*notices, f"progress cannot be saved in {path}: {reason}"))


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; takes the write lock at once, so that what is read inside is what is written upon."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _open(path: Path, busy_seconds: float) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
    try:
        verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise _DamagedError("the integrity check failed")
        _use_log(db, busy_seconds)
        with transaction(db):
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
            if version > VERSION:
                raise _NewerError(f"a newer learn-llm wrote it (version {version}, this one knows {VERSION})")
            if 0 < version < VERSION:
                back_up(path, f"v{version}")
            _migrate(db, max(version, 0))
        _expect_tables(db)
        _try_to_write(db)
    except sqlite3.Error as error:
        db.close()
        if error.sqlite_errorcode & 0xFF in _DAMAGED:
            raise _DamagedError(str(error)) from None
        raise
    except BaseException:
        db.close()
        raise
    return db


def _use_log(db: sqlite3.Connection, busy_seconds: float) -> None:
    """Write-ahead log, on disk at every commit.  SQLite does not wait for another process that is switching to it."""
    db.execute("PRAGMA synchronous = FULL")
    give_up = time.monotonic() + busy_seconds
    while db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return  # or the file system has no log: then the journal that there is
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)


def _migrate(db: sqlite3.Connection, version: int) -> None:
    for script in MIGRATIONS[version:]:
        for statement in script.split(";"):
            db.execute(statement)
    if version < VERSION:
        db.execute(f"PRAGMA user_version = {VERSION}")


def back_up(path: Path, word: str) -> Path:
    """Copy the file as it is to one beside it, for "v1" to `progress.v1.sqlite3`; an earlier copy is not overwritten.

    Called while the write lock is held, so that nothing changes meanwhile.  Returns the copy.
    """
    more = ("", *(f"-{number}" for number in range(2, 1000)))
    names = (path.with_name(f"{path.stem}.{word}{ending}{path.suffix}") for ending in more)
    copy = next(name for name in names if not name.exists())
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as old,
            contextlib.closing(sqlite3.connect(copy)) as new,
        ):
            old.backup(new)
    except sqlite3.Error:
        copy.unlink(missing_ok=True)
        raise
    return copy


def _expect_tables(db: sqlite3.Connection) -> None:
    for table, columns in COLUMNS.items():
        try:
            db.execute(f"SELECT {columns} FROM {table} LIMIT 0")
        except sqlite3.OperationalError as error:
            raise _DamagedError(str(error)) from None


def _try_to_write(db: sqlite3.Connection) -> None:
    """Raises sqlite3.OperationalError where the file is read-only: opening and BEGIN IMMEDIATE do not."""
    db.execute("BEGIN IMMEDIATE")
    try:
        db.execute(f"PRAGMA user_version = {VERSION}")
    finally:
        db.execute("ROLLBACK")


def _copy(db: sqlite3.Connection, uri: str) -> bool:
    db.execute("ATTACH ? AS old", (uri,))
    try:
        there = {name for (name,) in db.execute("SELECT name FROM old.sqlite_master WHERE type = 'table'")}
        with transaction(db):
            for table, columns in COLUMNS.items():
                if table in there:  # a file of an older version lacks some
                    db.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM old.{table}")
    finally:
        db.execute("DETACH old")
    return True


def _identity(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(FileNotFoundError):
        status = os.stat(path)
        return status.st_dev, status.st_ino
    return None


def _move_aside(path: Path) -> Path:
    """Rename the file and its log; the name is new, so nothing is overwritten."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    names = (path.with_name(f"{path.stem}.damaged-{stamp}{more}{path.suffix}") for more in ("", *map(str, range(1000))))
    aside = next(name for name in names if not name.exists())
    for ending in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{path}{ending}", f"{aside}{ending}")
    return aside
