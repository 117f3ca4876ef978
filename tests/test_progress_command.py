"""`learn-llm progress`: the table, a file out and in without loss or doubling, and a new beginning with a copy."""

import io
import json
import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from learn_llm.errors import UserError
from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.drill_history import DrillHistory
from learn_llm.quizzes.interview import Answer, Plan, choose
from learn_llm.quizzes.interview_history import Draft, History
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.schedule import Rating, Schedule
from learn_llm.quizzes.store import COLUMNS
from learn_llm.quizzes.summary import summarise
from learn_llm.quizzes.transfer import Amounts, amounts, merge, to_json
from tests.test_cli import Command, learn_llm

__all__ = ["learn_llm"]  # the fixture
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
IDS = ("ppo", "sft", "what-is-ai", "search", "a-question-of-another-pack")


class Clock:
    """Set by hand."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


def open_at(folder: Path, clock: Clock) -> Progress:
    return Progress(folder / "progress.sqlite3", Schedule(clock=clock, zone=UTC))


@pytest.fixture
def one(tmp_path: Path, clock: Clock) -> Iterator[Progress]:
    with open_at(tmp_path / "one", clock) as progress:
        yield progress


@pytest.fixture
def two(tmp_path: Path, clock: Clock) -> Iterator[Progress]:
    with open_at(tmp_path / "two", clock) as progress:
        yield progress


def study(progress: Progress, clock: Clock, seed: int, count: int = 30) -> None:
    """Ratings, some of them undone, drills and an interview, over days."""
    rng = random.Random(seed)
    for _ in range(count):
        clock.time += timedelta(hours=rng.choice([1, 30]), microseconds=rng.randrange(10**6))
        progress.rate(rng.choice(IDS), Rating(rng.randint(1, 4)), lang=rng.choice(["en", "ja"]), duration_ms=5)
        if rng.random() < 0.2:
            progress.undo()
        if rng.random() < 0.3:
            DrillHistory(progress).keep(rng.choice(IDS), rng.randrange(4), rng.random() < 0.5)
    history = History(progress)
    history.keep_draft(history.begin(Plan(("ppo", "sft"))).id, Draft("as far as I know", 3.0))


def log(progress: Progress) -> list[tuple[object, ...]]:
    """The ratings as they were given, without their numbers."""
    sql = "SELECT session, question_id, reviewed_at, rating, duration_ms, lang, undone_at FROM review"
    return sorted(progress.db.execute(sql).fetchall(), key=str)


def state(progress: Progress) -> tuple[object, ...]:
    """All that was done."""
    data = json.loads(to_json(progress))
    return tuple(sorted(map(str, data[kind])) for kind in ("ratings", "drills", "interviews"))


# Out and in


@pytest.mark.parametrize("seed", range(3))
def test_a_new_database_becomes_the_same(one: Progress, two: Progress, clock: Clock, seed: int) -> None:
    study(one, clock, seed)
    merged = merge(two, to_json(one))
    assert two.cards() == one.cards()
    assert state(two) == state(one)
    assert History(two).records()[0].draft == Draft("as far as I know", 3.0)
    assert merged.added.ratings == len(log(one))
    assert merged.known == Amounts()


@pytest.mark.parametrize("seed", range(3))
def test_two_machines_end_alike_and_nothing_is_doubled(one: Progress, two: Progress, clock: Clock, seed: int) -> None:
    study(one, clock, seed, 10)
    merge(two, to_json(one))
    clock.time = START + timedelta(days=30)
    study(two, clock, seed + 10, 10)
    clock.time = START + timedelta(days=30)  # at the same time on the other
    study(one, clock, seed + 20, 10)
    for _ in range(2):
        merge(one, to_json(two))
        merge(two, to_json(one))
        assert state(one) == state(two)
        assert one.cards() == two.cards()
        assert len(log(one)) == len(set(log(one))) == 30
    assert sum(card.reps for card in one.cards().values()) == amounts(one).ratings
    assert merge(one, to_json(two)).added == Amounts()


def test_the_cards_are_those_of_all_ratings_in_the_order_of_time(one: Progress, two: Progress, clock: Clock) -> None:
    two.rate("ppo", Rating.GOT_IT)
    clock.time += timedelta(days=3)
    one.rate("ppo", Rating.EASY)
    clock.time += timedelta(days=9)
    two.rate("ppo", Rating.FORGOT)
    with open_at(one.path.parent / "three", clock) as three:
        for days, rating in ((0, Rating.GOT_IT), (3, Rating.EASY), (12, Rating.FORGOT)):
            clock.time = START + timedelta(days=days)
            expected = three.rate("ppo", rating)
    merge(one, to_json(two))
    assert one.card("ppo") == expected
    assert one.undo() == "ppo"  # its own rating, between the two that came in
    assert (one.card("ppo").reps, one.card("ppo").last_review) == (2, expected.last_review)
    assert one.undo() is None


def test_a_rating_undone_on_one_machine_is_undone_on_the_other(one: Progress, two: Progress, clock: Clock) -> None:
    one.rate("ppo", Rating.FORGOT)
    clock.time += timedelta(days=1)
    one.rate("ppo", Rating.EASY)
    merge(two, to_json(one))
    one.undo()
    before = to_json(two)
    assert merge(two, to_json(one)).added == Amounts()
    assert two.cards() == one.cards()
    merge(one, before)  # the older file does not bring it back
    assert one.card("ppo").reps == 1


def test_what_was_not_touched_stays_as_it_is(one: Progress, two: Progress) -> None:
    one.rate("sft", Rating.GOT_IT)
    two.rate("ppo", Rating.GOT_IT)
    one.db.execute("UPDATE card SET difficulty = 7.5 WHERE question_id = 'sft'")
    merge(one, to_json(two))
    assert one.card("sft").difficulty == 7.5
    assert one.card("ppo") == two.card("ppo")


def test_ratings_of_one_moment_are_all_kept(one: Progress, two: Progress) -> None:
    for rating in Rating:
        one.rate("ppo", rating)
        DrillHistory(one).keep("ppo", 1, True)
    for _ in range(2):
        merge(two, to_json(one))
        assert (amounts(two), two.cards()) == (amounts(one), one.cards())


def test_an_interview_that_went_on_gets_its_answers(one: Progress, two: Progress) -> None:
    record = History(one).begin(Plan(("ppo",)))
    merge(two, to_json(one))
    one.db.execute("INSERT INTO interview_answer VALUES (?, 0, '{}')", (record.id,))
    History(one).end(record.id)
    assert merge(two, to_json(one)).added.interviews == 0
    assert state(two) == state(one)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(program="anki"), "another program"),
        (lambda data: data.pop("program"), "another program"),
        (lambda data: data.update(version=2), "a newer learn-llm wrote it (version 2, this one knows 1)"),
        (lambda data: data.update(version="1"), "no version"),
        (lambda data: data.pop("ratings"), "ratings must be a list"),
        (lambda data: data["ratings"].append(3), "ratings[2] must have the fields question_id, "),
        (lambda data: data["ratings"][1].pop("lang"), "ratings[1] must have the fields"),
        (lambda data: data["ratings"][1].update(mood="good"), "ratings[1] must have the fields"),
        (lambda data: data["ratings"][0].update(rating=5), "ratings[0].rating: must be a whole number from 1 to 4"),
        (lambda data: data["ratings"][0].update(rating=True), "ratings[0].rating"),
        (lambda data: data["ratings"][0].update(reviewed_at="yesterday"), "ratings[0].reviewed_at"),
        (lambda data: data["ratings"][0].update(reviewed_at="2026-03-02T09:00:00"), "its time zone"),
        (lambda data: data["ratings"][0].update(reviewed_at="9999-12-31T23:00:00-05:00"), "ratings[0].reviewed_at"),
        (lambda data: data["ratings"][0].update(duration_ms=2**70), "ratings[0].duration_ms"),
        (lambda data: data["ratings"][0].update(lang="\ud800"), "ratings[0].lang"),
        (lambda data: data["drills"][0].update(chosen=4), "drills[0].chosen"),
        (lambda data: data["interviews"].append({}), "interviews[0] must have the fields"),
    ],
)
def test_what_cannot_be_imported_is_one_line_and_changes_nothing(
    one: Progress, two: Progress, clock: Clock, change: object, message: str
) -> None:
    one.rate("ppo", Rating.GOT_IT)
    clock.time += timedelta(hours=1)
    one.rate("sft", Rating.GOT_IT)
    DrillHistory(one).keep("ppo", 1, True)
    data = json.loads(to_json(one))
    assert callable(change)
    change(data)
    with pytest.raises(UserError) as error:
        merge(two, json.dumps(data))
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert amounts(two) == Amounts()


@pytest.mark.parametrize("text", ["", "[]", "3", "not json", "[" * 100_000, '{"a": 1}', "\x00"])
def test_what_is_no_such_file(one: Progress, text: str) -> None:
    with pytest.raises(UserError, match=r"no JSON file|another program"):
        merge(one, text)


# Where one stands


def test_the_numbers_of_a_learner(one: Progress, clock: Clock) -> None:
    bank = load_bank()
    summary = summarise(one, bank)
    assert (summary.all.new, summary.all.reviewed, summary.all.recall, summary.streak) == (50, 0, None, 0)
    for day in range(3):
        clock.time = START + timedelta(days=day)
        one.rate("ppo", Rating.GOT_IT)
    one.rate("sft", Rating.EASY)
    DrillHistory(one).keep("sft", 0, False)
    DrillHistory(one).keep("sft", 1, True)
    DrillHistory(one).keep("ppo", 1, False)
    summary = summarise(one, bank)
    assert (summary.today, summary.streak) == (2, 3)
    assert (summary.all.questions, summary.all.new, summary.all.reviewed, summary.all.due) == (50, 48, 2, 0)
    assert (summary.all.drilled, summary.all.drilled_right) == (2, 1)
    rl = summary.topics["reinforcement-learning"]
    assert (rl.reviewed, rl.drilled, rl.drilled_right) == (1, 1, 0)
    assert rl.recall == one.schedule.retrievability(one.card("ppo"))
    clock.time += timedelta(days=1)
    assert summarise(one, bank).streak == 3  # today is still to come
    clock.time += timedelta(days=1)
    assert summarise(one, bank).streak == 0
    history = History(one)
    record = history.begin(choose(bank, 2, seed=0))
    assert summarise(one, bank).streak == 0  # it was only opened
    history.keep_answer(record.id, 0, Answer("ppo", 43, "?", (), "", "a policy", 1.0, (), ()))
    assert summarise(one, bank).streak == 1
    clock.time += timedelta(days=300)
    later = summarise(one, bank)
    assert later.all.due == 2
    assert later.all.recall is not None
    assert summary.all.recall is not None
    assert later.all.recall < 0.9 <= summary.all.recall


# The command


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The data folder that the commands of `learn_llm` use."""
    return tmp_path / "home"


def test_show(learn_llm: Command, home: Path) -> None:
    with Progress(home / "progress.sqlite3") as own:
        own.rate("ppo", Rating.EASY)
    result = learn_llm("progress", "show")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[:2] == ["today    1 rating", "streak   1 day"]
    assert lines[3].split() == ["due", "new", "reviewed", "recall", "drill"]
    rows = {line[:24].strip(): line[24:].split() for line in lines[4:20]}
    assert rows["all"] == ["0", "49", "1", "100", "%", "-"]
    assert rows["alignment"][2] == "1"
    assert rows["search"][2:] == ["0", "-", "-"]
    assert len(rows) == 16
    assert max(map(len, lines)) <= 60
    assert learn_llm("progress").out == result.out
    data = json.loads(learn_llm("progress", "show", "--json").out)
    assert (data["all"]["reviewed"], data["streak"], data["topics"]["alignment"]["reviewed"]) == (1, 1, 1)


def test_export_and_import(learn_llm: Command, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    with Progress(home / "progress.sqlite3") as own:
        own.rate("ppo", Rating.EASY)
        DrillHistory(own).keep("ppo", 1, True)
        cards = own.cards()
    result = learn_llm("progress", "export", "--out", str(file))
    assert (result.code, result.out, result.err) == (0, "", f"1 rating, 1 drill answer written to {file}\n")
    printed = json.loads(learn_llm("progress", "export").out)
    assert printed["ratings"] == json.loads(file.read_text(encoding="utf-8"))["ratings"]
    assert [path.name for path in tmp_path.glob("mine*")] == ["mine.json"]
    result = learn_llm("progress", "import", str(file))
    assert result.err == "added nothing; there already: 1 rating, 1 drill answer\n"
    assert learn_llm("progress", "reset", "--yes").code == 0
    result = learn_llm("progress", "import", str(file))
    assert (result.code, result.err) == (0, "added 1 rating, 1 drill answer; there already: nothing\n")
    with Progress(home / "progress.sqlite3") as own:
        assert own.cards() == cards


def test_reset_keeps_a_copy_and_says_where(learn_llm: Command, home: Path, clock: Clock) -> None:
    path = home / "progress.sqlite3"
    for copy in ("progress.before-reset.sqlite3", "progress.before-reset-2.sqlite3"):
        with Progress(path) as own:
            study(own, clock, 0, 5)
            before, count = state(own), amounts(own)
        result = learn_llm("progress", "reset", "--yes")
        assert (result.code, result.out) == (0, "")
        assert result.err == f"{count} taken away; kept in {home / copy}\n"
        with Progress(path) as own:
            assert amounts(own) == Amounts()
            assert all(own.db.execute(f"SELECT count(*) FROM {name}").fetchone() == (0,) for name in COLUMNS)
        with Progress(home / copy) as kept:
            assert state(kept) == before
    result = learn_llm("progress", "reset", "--yes")
    assert (result.code, result.err) == (0, "there is no progress to reset\n")


class Keyboard(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "code", "left"), [("n\n", 0, 1), ("\n", 0, 1), ("y\n", 0, 0), ("", 130, 1)])
def test_reset_asks(
    learn_llm: Command, home: Path, monkeypatch: pytest.MonkeyPatch, typed: str, code: int, left: int
) -> None:
    with Progress(home / "progress.sqlite3") as own:
        own.rate("ppo", Rating.EASY)
    monkeypatch.setattr("sys.stdin", Keyboard(typed))
    result = learn_llm("progress", "reset")
    assert result.code == code
    assert "Take away 1 rating and keep a copy? [y/N]" in result.err + result.out
    with Progress(home / "progress.sqlite3") as own:
        assert amounts(own).ratings == left


def test_reset_without_anybody_to_ask(learn_llm: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Progress(home / "progress.sqlite3") as own:
        own.rate("ppo", Rating.EASY)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    result = learn_llm("progress", "reset")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "--yes" in result.err


def test_an_open_app_goes_on_after_a_reset(learn_llm: Command, home: Path) -> None:
    with Progress(home / "progress.sqlite3") as own:
        own.rate("ppo", Rating.EASY)
        assert learn_llm("progress", "reset", "--yes").code == 0
        assert own.cards() == {}
        assert own.undo() is None
        own.rate("sft", Rating.EASY)
    with Progress(home / "progress.sqlite3") as again:
        assert list(again.cards()) == ["sft"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["import", "/nowhere/at/all.json"], "cannot be read"),
        (["import", "."], "cannot be read"),
        (["import", __file__], "no JSON file"),
        (["export", "--out", "/nowhere/at/all.json"], "cannot be written"),
        (["undo"], "No such command"),
    ],
)
def test_what_is_wrong_is_one_line(learn_llm: Command, args: list[str], message: str) -> None:
    result = learn_llm("progress", *args)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1


def test_a_newer_database_is_neither_changed_nor_reset(learn_llm: Command, home: Path, tmp_path: Path) -> None:
    path, file = home / "progress.sqlite3", tmp_path / "mine.json"
    with Progress(path) as own:
        own.rate("ppo", Rating.EASY)
        file.write_text(to_json(own), encoding="utf-8")
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    for args in (["reset", "--yes"], ["import", str(file)]):
        result = learn_llm("progress", *args)
        assert (result.code, result.err.count("\n")) == (2, 1)
        assert "newer" in result.err
    result = learn_llm("progress", "show")
    assert ["all", "0", "49", "1"] in [line.split()[:4] for line in result.out.splitlines()]
    assert "newer" in result.err
    assert path.read_bytes() == before
