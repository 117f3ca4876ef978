"""Progress: every confirmed rating is kept, whatever happens to the process, the file, the disk or the clock."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from learn_llm.folders import data_folder
from learn_llm.quizzes.progress import Counts, Progress
from learn_llm.quizzes.schedule import Card, Rating, Schedule, State
from learn_llm.quizzes.store import VERSION

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
IDS = ["what-is-ai", "search", "ppo", "sft"]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **time: float) -> None:
        self.time += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "progress.sqlite3"


@pytest.fixture
def progress(path: Path, clock: Clock) -> Iterator[Progress]:
    with open_at(path, clock) as opened:
        yield opened


def open_at(path: Path, clock: Clock) -> Progress:
    return Progress(path, Schedule(clock=clock, zone=UTC), busy_seconds=20)


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    db = sqlite3.connect(path)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


# Rating, undoing, counting


def test_a_rating_is_there_after_reopening(progress: Progress, path: Path, clock: Clock) -> None:
    card = progress.rate("ppo", Rating.GOT_IT, content_hash="abc", duration_ms=1500)
    with open_at(path, clock) as again:
        assert again.card("ppo") == card
        assert again.cards() == {"ppo": card}
        assert again.last_seen("ppo", "en") == "abc"
        assert again.saving
        assert again.notices == ()
    (review,) = rows(path, "SELECT question_id, reviewed_at, rating, duration_ms, lang, undone_at FROM review")
    assert review == ("ppo", "2026-03-10T12:00:00.000000+00:00", 3, 1500, "en", None)


def test_one_undo_takes_back_one_rating_through_many_levels(progress: Progress, clock: Clock) -> None:
    states = [progress.cards()]
    for number in range(12):
        progress.rate(IDS[number % 3], Rating(1 + number % 4))
        states.append(progress.cards())
        clock.forward(hours=5)
    for number in reversed(range(12)):
        assert progress.undo() == IDS[number % 3]
        assert progress.cards() == states[number]
    assert progress.undo() is None
    assert progress.card("ppo") == Card("ppo")


def test_a_rating_after_an_undo_is_undone_alone(progress: Progress) -> None:
    progress.rate("ppo", Rating.FORGOT)
    first = progress.card("ppo")
    progress.rate("ppo", Rating.FORGOT)
    progress.undo()
    progress.rate("ppo", Rating.EASY)
    progress.undo()
    assert progress.card("ppo") == first


def test_the_log_keeps_what_was_undone(progress: Progress, path: Path) -> None:
    progress.rate("ppo", Rating.FORGOT)
    progress.undo()
    assert rows(path, "SELECT rating, undone_at IS NOT NULL FROM review") == [(1, 1)]


def test_undo_takes_back_nothing_of_an_earlier_session(progress: Progress, path: Path, clock: Clock) -> None:
    progress.rate("ppo", Rating.GOT_IT)
    with open_at(path, clock) as again:
        assert again.undo() is None
        assert again.card("ppo").reps == 1


def test_undo_under_a_later_rating_of_another_process(progress: Progress, path: Path, clock: Clock) -> None:
    with open_at(path, clock) as other:
        other.rate("sft", Rating.EASY)
        clock.forward(days=3)
        progress.rate("sft", Rating.FORGOT)
        clock.forward(minutes=1)
        kept = other.rate("sft", Rating.PARTLY)
        progress.undo()
        card = progress.card("sft")
        assert (card.reps, card.lapses, card.last_review) == (2, 0, kept.last_review)
        assert other.undo() == "sft"
        assert progress.card("sft").reps == 1
        assert other.undo() == "sft"
        assert progress.cards() == {}


def test_counts_and_what_is_due(progress: Progress, clock: Clock) -> None:
    assert progress.counts(IDS) == Counts(due=0, learning=0, new=4, done_today=0)
    assert progress.next_due() is None
    progress.rate("ppo", Rating.EASY)
    progress.rate("sft", Rating.GOT_IT)
    assert progress.counts(IDS) == Counts(due=0, learning=0, new=2, done_today=2)
    assert progress.next_due() == NOON + timedelta(minutes=10)
    clock.forward(minutes=10)
    assert progress.due(IDS) == ["sft"]
    assert progress.counts(IDS) == Counts(due=1, learning=1, new=2, done_today=2)
    progress.undo()
    assert progress.counts(IDS) == Counts(due=0, learning=0, new=3, done_today=1)
    clock.forward(days=12)
    assert progress.due() == ["ppo"]
    assert progress.due(["sft"]) == []
    assert progress.counts(IDS) == Counts(due=1, learning=0, new=3, done_today=0)


def test_the_next_day_long_card_comes_with_its_morning(progress: Progress) -> None:
    due = progress.rate("ppo", Rating.EASY).due
    assert due is not None
    assert progress.next_due() == due.replace(hour=4, minute=0, second=0, microsecond=0)


def test_what_was_seen_is_kept_by_language(progress: Progress) -> None:
    progress.rate("ppo", Rating.GOT_IT, lang="ja", content_hash="j1")
    progress.rate("ppo", Rating.GOT_IT, lang="en", content_hash="e1")
    assert (progress.last_seen("ppo", "ja"), progress.last_seen("ppo", "en")) == ("j1", "e1")
    assert progress.card("ppo").reps == 2
    assert progress.last_seen("sft", "en") is None


def test_a_clock_set_back_loses_nothing(progress: Progress, clock: Clock) -> None:
    clock.forward(days=4000)
    progress.rate("ppo", Rating.EASY)
    clock.time = NOON
    assert progress.due() == ["ppo"]
    card = progress.rate("ppo", Rating.GOT_IT)
    assert card.reps == 2
    assert card.due is not None
    assert card.due < NOON + timedelta(days=60)
    assert [progress.undo(), progress.undo(), progress.undo()] == ["ppo", "ppo", None]


# Files


def test_a_database_that_is_no_database_is_moved_aside(path: Path, clock: Clock) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is not a database at all, and rather long " * 50)
    before = path.read_bytes()
    with open_at(path, clock) as progress:
        assert progress.saving
        (notice,) = progress.notices
        assert "damaged" in notice
        progress.rate("ppo", Rating.GOT_IT)
    (aside,) = path.parent.glob("progress.damaged-*.sqlite3")
    assert str(aside) in notice
    assert aside.read_bytes() == before
    with open_at(path, clock) as again:
        assert again.card("ppo").reps == 1
        assert again.notices == ()


def test_a_damaged_page_is_found(path: Path, clock: Clock) -> None:
    with open_at(path, clock) as progress:
        for number in range(300):
            progress.rate(f"q{number}", Rating.GOT_IT)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xaa" * (len(content) - 4096)
    path.write_bytes(content)
    with open_at(path, clock) as again:
        assert again.saving
        assert "damaged" in again.notices[0]
    assert len(list(path.parent.glob("progress.damaged-*.sqlite3"))) == 1


def test_a_second_damaged_file_does_not_overwrite_the_first(path: Path, clock: Clock) -> None:
    path.parent.mkdir()
    for content in (b"first " * 999, b"second " * 999):
        path.write_bytes(content)
        open_at(path, clock).close()
    found = {aside.read_bytes()[:5] for aside in path.parent.glob("progress.damaged-*.sqlite3")}
    assert found == {b"first", b"secon"}


def test_a_database_without_its_tables_is_damaged(progress: Progress, path: Path, clock: Clock) -> None:
    progress.rate("ppo", Rating.GOT_IT)
    progress.close()
    rows(path, "DROP TABLE card")
    with open_at(path, clock) as again:
        assert "no such table" in again.notices[0]
        assert again.saving


def test_an_empty_file_is_a_new_database(path: Path, clock: Clock) -> None:
    path.parent.mkdir()
    path.touch()
    with open_at(path, clock) as progress:
        assert progress.saving
        assert progress.notices == ()


def test_a_newer_database_is_only_read(progress: Progress, path: Path, clock: Clock) -> None:
    progress.rate("ppo", Rating.EASY)
    progress.close()
    rows(path, f"PRAGMA user_version = {VERSION + 1}")
    rows(path, "ALTER TABLE card ADD COLUMN mood TEXT")
    before = path.read_bytes()
    with open_at(path, clock) as again:
        assert not again.saving
        assert "newer" in again.notices[0]
        assert again.card("ppo").reps == 1
        assert again.rate("ppo", Rating.GOT_IT).reps == 2
        assert again.undo() == "ppo"
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").touch()
    with open_at(tmp_path / "file" / "progress.sqlite3", clock) as progress:
        assert not progress.saving
        assert "progress cannot be saved" in progress.notices[0]
        assert progress.rate("ppo", Rating.GOT_IT).reps == 1
        assert progress.counts(IDS).done_today == 1
        assert progress.undo() == "ppo"


def test_a_database_that_cannot_be_written_is_read(
    progress: Progress, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress.rate("ppo", Rating.EASY)
    progress.close()
    connect = sqlite3.connect

    def read_only(place: object, **options: object) -> sqlite3.Connection:
        if place == path:
            return connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
        return connect(place, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr("learn_llm.quizzes.store.sqlite3.connect", read_only)
    with open_at(path, clock) as again:
        assert not again.saving
        assert "readonly" in again.notices[0]
        assert again.card("ppo").reps == 1
        assert again.rate("ppo", Rating.EASY).reps == 2


def test_a_disk_that_fills_up_keeps_what_was_saved(progress: Progress, path: Path, clock: Clock) -> None:
    kept = progress.rate("ppo", Rating.EASY, content_hash="kept")
    (pages,) = progress.db.execute("PRAGMA page_count").fetchone()
    progress.db.execute(f"PRAGMA max_page_count = {pages}")
    card = progress.rate("sft", Rating.EASY, content_hash="x" * 9000)
    assert not progress.saving
    assert "full" in progress.notices[0]
    assert progress.cards() == {"ppo": kept, "sft": card}
    assert progress.undo() == "sft"
    assert progress.undo() == "ppo"
    with open_at(path, clock) as again:
        assert again.cards() == {"ppo": kept}


def test_a_locked_database_is_said_and_the_quiz_goes_on(progress: Progress, path: Path, clock: Clock) -> None:
    progress.rate("ppo", Rating.EASY)
    with Progress(path, Schedule(clock=clock), busy_seconds=0.1) as other:
        progress.db.execute("BEGIN IMMEDIATE")
        assert other.rate("ppo", Rating.EASY).reps == 2
        progress.db.execute("ROLLBACK")
        assert not other.saving
        assert "locked" in other.notices[0]
    assert progress.card("ppo").reps == 1


def test_an_interrupt_inside_a_rating_leaves_nothing_of_it(progress: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(progress, "_write", interrupt)
        with pytest.raises(KeyboardInterrupt):
            progress.rate("ppo", Rating.EASY)
    assert progress.cards() == {}
    assert progress.rate("ppo", Rating.EASY).reps == 1


def test_the_data_folder_is_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEARN_LLM_HOME", str(tmp_path / "mine"))
    assert data_folder() == tmp_path / "mine"
    with Progress() as progress:
        assert progress.path == tmp_path / "mine" / "progress.sqlite3"
        assert progress.path.is_file()
    monkeypatch.delenv("LEARN_LLM_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert "learn-llm" in data_folder().name


# Processes

RATES = """
import sys
from pathlib import Path
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.schedule import Rating
progress = Progress(Path(sys.argv[1]), busy_seconds=120)
for number in range(int(sys.argv[2])):
    progress.rate(f"q{number % 7}", Rating(1 + number % 4))
    print(number, flush=True)
assert progress.saving, progress.notices
"""


def rater(path: Path, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RATES, str(path), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_lose_nothing_and_double_nothing(path: Path, clock: Clock) -> None:
    raters = [rater(path, 200), rater(path, 200)]  # both also make the file
    for process in raters:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    assert rows(path, "SELECT count(*), count(DISTINCT session) FROM review") == [(400, 2)]
    with open_at(path, clock) as progress:
        assert sum(card.reps for card in progress.cards().values()) == 400
    # each review saw its card as the review before it had left it
    seen = rows(path, "SELECT question_id, json_extract(card_before, '$[7]') FROM review ORDER BY question_id, id")
    counts: dict[object, int] = {}
    for question_id, reps in seen:
        assert reps == counts.get(question_id, 0)
        counts[question_id] = counts.get(question_id, 0) + 1


@pytest.mark.parametrize("confirmed", [1, 5, 23])
def test_a_killed_process_keeps_every_confirmed_rating(path: Path, clock: Clock, confirmed: int) -> None:
    process = rater(path, 10_000)
    assert process.stdout is not None
    for _ in range(confirmed):
        last = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    with open_at(path, clock) as progress:
        assert progress.saving
        assert progress.notices == ()
        assert sum(card.reps for card in progress.cards().values()) >= last + 1
        assert {card.state for card in progress.cards().values()} <= set(State)
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
