"""The settings: kept one by one, read whatever is in the file, not reset with the progress."""

import doctest
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from learn_llm.quizzes import settings
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.schedule import Rating, Schedule
from learn_llm.quizzes.settings import FARTHEST, Settings, keep, load, read_day

TODAY = date(2026, 11, 23)
SET = Settings("ja", "nord", date(2026, 12, 5), 3, True)


def open_at(path: Path) -> Progress:
    return Progress(path, Schedule(clock=lambda: datetime(2026, 11, 23, 12, tzinfo=UTC), zone=UTC))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.sqlite3"


def test_examples() -> None:
    result = doctest.testmod(settings)
    assert result.attempted > 0
    assert result.failed == 0


def test_what_was_set_is_there_again(path: Path) -> None:
    with open_at(path) as progress:
        assert load(progress) == Settings()
        keep(progress, Settings(), SET)
    with open_at(path) as progress:
        assert load(progress) == SET
        keep(progress, SET, Settings())
        assert load(progress) == Settings()


def test_two_apps_keep_what_each_of_them_changed(path: Path) -> None:
    with open_at(path) as one, open_at(path) as other:
        keep(one, Settings(), Settings(language="ja"))
        keep(other, Settings(), Settings(new_a_day=3))
        assert load(one) == load(other) == Settings(language="ja", new_a_day=3)


@pytest.mark.parametrize(
    ("name", "value"), [("language", "fr"), ("interview", "soon"), ("new_a_day", "many"), ("two_buttons", "1")]
)
def test_what_another_program_spoilt_counts_as_not_set(path: Path, name: str, value: str) -> None:
    with open_at(path) as progress:
        keep(progress, Settings(), Settings(theme="nord"))
        progress.db.execute("INSERT INTO setting VALUES (?, ?), ('of another version', 'x')", (name, value))
        assert load(progress) == Settings(theme="nord")


def test_where_nothing_can_be_written_they_hold_for_now(tmp_path: Path) -> None:
    (tmp_path / "progress.sqlite3").mkdir()
    with open_at(tmp_path / "progress.sqlite3") as progress:
        keep(progress, Settings(), SET)
        assert not progress.saving
        assert load(progress) == SET


def test_a_database_from_before_the_settings_is_brought_up_to_date(path: Path) -> None:
    with open_at(path) as progress:
        card = progress.rate("ppo", Rating.EASY)
    db = sqlite3.connect(path)
    db.executescript("DROP TABLE setting; DROP TABLE demo_run; PRAGMA user_version = 3;")
    db.close()
    with open_at(path) as progress:
        assert progress.notices == ()
        assert progress.card("ppo") == card
        keep(progress, Settings(), SET)
        assert load(progress) == SET
    assert path.with_name("progress.v3.sqlite3").is_file()


def test_a_reset_of_the_progress_leaves_them(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from learn_llm.commands.progress import progress as command

    monkeypatch.setenv("LEARN_LLM_HOME", str(path.parent))
    with open_at(path) as progress:
        progress.rate("ppo", Rating.EASY)
        keep(progress, Settings(), SET)
    assert CliRunner().invoke(command, ["reset", "--yes"]).exit_code == 0
    with open_at(path) as progress:
        assert progress.cards() == {}
        assert load(progress) == SET


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "1-2-3-4", "9" * 30, "2/30", "--"])
def test_no_day(text: str) -> None:
    with pytest.raises(ValueError, match="is no day"):
        read_day(text, TODAY)


@pytest.mark.parametrize("text", ["2026-11-22", "2029-01-01", "2026", str(FARTHEST.days + 1)])
def test_a_day_that_cannot_be_meant(text: str) -> None:
    with pytest.raises(ValueError, match="past or too far"):
        read_day(text, TODAY)


def test_days_from_today_on() -> None:
    assert read_day("0", TODAY) == read_day("11/23", TODAY) == TODAY
    assert read_day(str(FARTHEST.days), TODAY) == TODAY + FARTHEST
    assert read_day("2026年12月5日", TODAY) == read_day("2026.12.5", TODAY) == date(2026, 12, 5)
    assert read_day("1", TODAY) == TODAY + timedelta(days=1)


def test_new_questions_of_today(path: Path) -> None:
    """One that is rated again counts once; one that was undone, or begun yesterday, does not count."""
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    with Progress(path, Schedule(clock=lambda: now, zone=UTC)) as progress:
        progress.rate("ppo", Rating.FORGOT)
        assert progress.begun_today() == 1
        now += timedelta(days=1)
        progress.rate("ppo", Rating.EASY)
        assert progress.begun_today() == 0
        for rating in (Rating.FORGOT, Rating.EASY):
            progress.rate("sft", rating)
        progress.rate("lora", Rating.EASY)
        assert progress.begun_today() == 2
        progress.undo()
        assert progress.begun_today() == 1
