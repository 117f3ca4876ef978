"""The mock interview without a screen: choosing, grading, going on, the report, the history and its database."""

import doctest
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from learn_llm.commands.interview import interview as command
from learn_llm.demos.catalogue import DEMOS
from learn_llm.errors import UserError
from learn_llm.quizzes import interview_report
from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.interview import FOLLOW_UPS, Answer, Interview, Plan, candidates, choose, score
from learn_llm.quizzes.interview_history import Draft, History, Record
from learn_llm.quizzes.interview_report import report, row, save_report, spans_of, to_mend, topic_scores
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.schedule import Rating, Schedule
from learn_llm.quizzes.store import COLUMNS, MIGRATIONS, VERSION
from learn_llm.quizzes.texts import Texts

BANK = load_bank()
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ENGLISH = Texts("en")


def open_at(path: Path, busy_seconds: float = 20) -> Progress:
    return Progress(path, Schedule(clock=lambda: NOON, zone=UTC), busy_seconds=busy_seconds)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.sqlite3"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    with open_at(path) as progress:
        yield History(progress)


def answered(id: str, text: str, ratings: Sequence[int] = ()) -> Answer:
    """The answer to one question, with its follow-ups rated."""
    interview = Interview(BANK, Plan((id,)))
    interview.submit(text, 61.0)
    interview.go_on()
    for rating in ratings:
        interview.rate(rating)
    return interview.answer


def everything(id: str) -> str:
    """An answer that says all key points."""
    return BANK.by_id[id].full_answer


# Choosing


def test_questions_are_drawn_once_each_and_the_easier_first() -> None:
    levels = [q.level for q in BANK.questions]
    for seed in range(20):
        plan = choose(BANK, 8, seed=seed)
        assert len(set(plan.ids)) == 8
        drawn = [levels.index(BANK.by_id[id].level) for id in plan.ids]
        assert drawn == sorted(drawn)
        assert plan == choose(BANK, 8, seed=seed)
    assert len({choose(BANK, 8, seed=seed).ids for seed in range(20)}) == 20


@pytest.mark.parametrize("level", ["", "basic", "intermediate", "advanced"])
@pytest.mark.parametrize("topics", [(), ("alignment",), ("evaluation", "data")])
def test_questions_are_of_the_level_and_the_topics(level: str, topics: tuple[str, ...]) -> None:
    there = candidates(BANK, level, topics)
    if not there:
        with pytest.raises(UserError, match="choose more"):
            choose(BANK, 50, level=level, topics=topics)
        return
    plan = choose(BANK, 50, level=level, topics=topics)
    assert sorted(plan.ids) == sorted(question.id for question in there)
    for question in map(BANK.by_id.__getitem__, plan.ids):
        assert level in ("", question.level)
        assert not topics or set(topics) & set(question.topics)


@pytest.mark.parametrize(("count", "level", "topics"), [(0, "", ()), (5, "expert", ()), (5, "", ("cooking",))])
def test_what_cannot_be_chosen_is_said(count: int, level: str, topics: tuple[str, ...]) -> None:
    with pytest.raises(UserError):
        choose(BANK, count, level=level, topics=topics)


# Going through it


def test_an_interview_goes_from_question_to_follow_ups_to_the_next_question() -> None:
    interview = Interview(BANK, Plan(("ppo", "sft")))
    stages = []
    for id in ("ppo", "sft"):
        stages.append(interview.stage)
        assert interview.question == BANK.by_id[id]
        interview.submit("I do not know.", 3.0)
        stages.append(interview.stage)
        interview.go_on()
        while interview.follow_up is not None:
            stages.append(interview.stage)
            interview.rate(2)
    assert stages == ["asking", "graded", "follow_up", "follow_up"] * 2
    assert interview.stage == "done"
    assert [answer.id for answer in interview.answers] == ["ppo", "sft"]


def test_the_follow_ups_are_those_of_the_card_and_the_same_for_a_seed() -> None:
    asked = set()
    for seed in range(10):
        interview = Interview(BANK, Plan(("ppo",), seed=seed))
        follow_ups = interview.submit("", 0.0).follow_ups
        again = Interview(BANK, Plan(("ppo",), seed=seed)).submit("", 0.0).follow_ups
        assert follow_ups == again
        questions = [follow_up.question for follow_up in follow_ups]
        card = [follow_up.question for follow_up in BANK.by_id["ppo"].follow_ups]
        assert len(set(questions)) == FOLLOW_UPS
        assert [question for question in card if question in questions] == questions
        asked.update(questions)
    assert len(asked) > FOLLOW_UPS


def test_what_was_said_and_what_was_missed() -> None:
    text = "PPO uses a clipped ratio for its update. It needs no reward model."
    answer = answered("ppo", text)
    said = [point.text for point in answer.points if point.said]
    assert said == ["The clipped ratio of new to old probability limits each update."]
    assert [text[start:end] for start, end in spans_of(answer)] == ["clipped", "ratio", "update"]
    assert len(answer.missed) == len(answer.points) - 1
    assert answered("ppo", everything("ppo")).missed == ()
    assert all(not point.said for point in answered("ppo", "").points)


def test_a_verdict_can_be_overruled_and_taken_back() -> None:
    interview = Interview(BANK, Plan(("ppo",)))
    before = interview.submit("It has a clipped ratio.", 1.0)
    index = next(number for number, point in enumerate(before.points) if point.said)
    for number in (0, index):
        changed = interview.overrule(number)
        assert changed.points[number].said != before.points[number].said
        assert changed.points[number].found == before.points[number].found
        interview.overrule(number)
    assert interview.answer == before
    assert spans_of(interview.overrule(index)) == []  # what does not count is not marked


def test_marks() -> None:
    answer = answered("ppo", everything("ppo"))
    points = len(answer.points)
    assert answer.marks == (float(points), points)
    assert answered("ppo", "", [1, 3]).marks == (1, points + 2)
    assert answered("ppo", "", [2]).marks == (0.5, points + 1)
    assert answered("ppo", everything("ppo"), [2, 2]).score == pytest.approx((points + 1) / (points + 2))
    assert score([]) == 0
    assert score([answered("ppo", ""), answered("ppo", everything("ppo"))]) == pytest.approx(0.5)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_card_can_be_asked(lang: str) -> None:
    bank = load_bank(lang=lang)
    interview = Interview(bank, choose(bank, 50))
    while interview.stage != "done":
        question = interview.question
        assert question is not None
        answer = interview.submit("answer", 1.0)
        assert 0 < len(answer.points) <= 9  # each has a key to correct it
        assert len(answer.follow_ups) == FOLLOW_UPS
        interview.go_on()
        for _ in range(FOLLOW_UPS):
            interview.rate(3)
    assert len(interview.answers) == 50


# The report


def test_topics_are_listed_from_the_weakest() -> None:
    answers = [
        answered("ppo", "", [1, 1]),
        answered("sft", everything("sft"), [3, 3]),
        answered("kv-cache", "", [3]),
    ]
    scores = topic_scores(answers)
    assert list(scores.values()) == sorted(scores.values())
    assert set(scores) == {topic for answer in answers for topic in answer.topics}
    for topic, share in scores.items():
        assert share == pytest.approx(score([answer for answer in answers if topic in answer.topics]))
    assert [answer.id for answer in to_mend(answers)] == ["ppo", "kv-cache"]


def make_record(answers: Sequence[Answer], **changes: object) -> Record:
    plan = Plan(tuple(answer.id for answer in answers))
    return replace(Record(7, NOON, plan, tuple(answers), Draft(), True), **changes)  # type: ignore[arg-type]


def test_the_report_says_what_was_missed_and_what_mends_it() -> None:
    interview = Interview(BANK, Plan(("ppo", "sft")))
    interview.submit("A clipped ratio limits the update,\n*and* <more>", 65.0)
    interview.overrule(0)
    interview.go_on()
    interview.rate(1)
    interview.rate(3)
    interview.submit(everything("sft"), 30.0)
    record = make_record(interview.answers)
    text = report(record, ENGLISH, DEMOS, zone=UTC)
    assert text.startswith("# Mock interview, 2026-03-10 12:00\n")
    assert "2 of 2 questions answered, 1:35 of answering" in text
    assert f"**Score {100 * score(interview.answers):.0f} %**" in text
    assert "`learn-llm demo ppo`, `learn-llm ask ppo`" in text
    assert "learn-llm demo sft" not in text
    assert "    A [clipped] [ratio] limits the [update],\n    *and* <more>" in text
    first, second = interview.answers
    said, missed = text.split("Said by your own judgement:")[1].split("Missed:")
    assert first.points[0].text in said
    assert all(point.text in missed for point in first.missed)
    assert f"- Forgot: {first.follow_ups[0].question} {first.follow_ups[0].answer}" in text
    assert f"- Got it: {first.follow_ups[1].question}\n" in text
    assert text.count("\n### ") == 2
    assert "learn-llm demo" not in report(record, ENGLISH, ())
    assert second.missed == ()


def test_a_row_fits_a_small_terminal_and_names_what_it_was_narrowed_down_to() -> None:
    answers = [answered("backpropagation", "")]
    plain = row(make_record(answers), ENGLISH, UTC)
    assert plain.endswith("0 %  " + ENGLISH("interview.of", answered=1, asked=len(make_record(answers).plan.ids)))
    narrowed = row(make_record(answers, plan=Plan(("backpropagation",), level="basic")), ENGLISH, UTC)
    assert ENGLISH("basic") in narrowed.removeprefix(plain[:20])


def test_the_report_names_the_exercises_of_what_is_weak() -> None:
    record = make_record([answered("ppo", ""), answered("sft", everything("sft"), [3, 3])])
    text = report(record, ENGLISH, (), {"ppo": ("gae", "whitening"), "sft": ("collate",)})
    assert "`learn-llm ask ppo`, exercises gae, whitening: `learn-llm exercise next gae`" in text
    assert "collate" not in text


def test_a_report_without_weak_topics_and_one_without_answers() -> None:
    good = report(make_record([answered("sft", everything("sft"), [3, 3])]), ENGLISH, DEMOS)
    assert "Nothing is below 60 %." in good
    assert "learn-llm" not in good
    empty = report(make_record([], plan=Plan(("ppo",))), ENGLISH, DEMOS)
    assert "0 of 1 questions" in empty
    assert "Score" not in empty


def test_the_report_in_japanese() -> None:
    bank = load_bank(lang="ja")
    interview = Interview(bank, Plan(("ppo",)))
    interview.submit("確率比をクリップする。", 5.0)
    text = report(make_record(interview.answers), Texts("ja"), DEMOS)
    assert "[確率比をクリップ]" in text or "[クリップ]" in text
    for word in ("模擬面接", "補強するところ", "抜けた点", "強化学習"):
        assert word in text


def test_a_report_is_saved_whole_and_replaced(tmp_path: Path) -> None:
    record = make_record([answered("ppo", "")])
    folder = tmp_path / "interviews"
    path = save_report(folder, record, "one\n")
    assert save_report(folder, record, "二\n") == path
    assert [found.name for found in folder.iterdir()] == ["interview-20260310-120000-7.md"]
    assert path.read_text(encoding="utf-8") == "二\n"
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r".*"):
        save_report(tmp_path / "file", record, "")


def test_the_examples_in_the_docstrings() -> None:
    result = doctest.testmod(interview_report)
    assert result.attempted > 0
    assert result.failed == 0


# The history


def test_an_interview_is_there_after_reopening(history: History, path: Path) -> None:
    plan = choose(BANK, 3, level="basic", topics=("evaluation",), seed=4)
    record = history.begin(plan)
    interview = Interview(BANK, plan)
    first = interview.submit("F1 is the harmonic mean of precision and recall. 二", 12.5)
    history.keep_answer(record.id, 0, first)
    with open_at(path) as again:
        (kept,) = History(again).records()
        assert kept == replace(record, answers=(first,))
        assert Interview(BANK, kept.plan, kept.answers).stage == "graded"
    interview.go_on()
    history.keep_answer(record.id, 0, interview.rate(3))
    history.end(record.id)
    with open_at(path) as again:
        (kept,) = History(again).records()
        assert kept.ended
        assert kept.answers == (interview.answer,)
        assert Interview(BANK, kept.plan, kept.answers).stage == "follow_up"
        assert row(kept, ENGLISH, UTC).startswith("2026-03-10 12:00")


def test_a_draft_is_kept_until_its_answer_is(history: History) -> None:
    record = history.begin(Plan(("ppo",)))
    history.keep_draft(record.id, Draft("half an ans", 4.5))
    assert history.records()[0].draft == Draft("half an ans", 4.5)
    history.keep_answer(record.id, 0, answered("ppo", "half an answer"))
    assert history.records()[0].draft == Draft()


def test_only_an_empty_interview_is_forgotten(history: History) -> None:
    plan = Plan(("ppo", "sft"))
    empty, drafted, done = history.begin(plan), history.begin(plan), history.begin(plan)
    history.keep_draft(drafted.id, Draft("a", 1.0))
    history.keep_answer(done.id, 0, answered("ppo", ""))
    for record in (empty, drafted, done):
        history.drop_empty(record.id)
    assert [record.id for record in history.records()] == [done.id, drafted.id]


def test_questions_that_are_gone_are_left_out_and_answers_stay(history: History) -> None:
    record = history.begin(Plan(("ppo", "no-such-question", "sft")))
    history.keep_answer(record.id, 0, replace(answered("ppo", "clip", [1, 1]), id="gone-too"))
    kept = history.records()[0]
    interview = Interview(BANK, kept.plan, kept.answers)
    assert interview.plan.ids == ("gone-too", "sft")
    assert interview.stage == "asking"
    assert "gone-too" in report(kept, ENGLISH, DEMOS)


def test_an_interview_that_cannot_be_read_is_left_out(history: History) -> None:
    good, bad = history.begin(Plan(("ppo",))), history.begin(Plan(("sft",)))
    history.progress.db.execute("INSERT INTO interview_answer VALUES (?, 0, '{\"id\": 1}')", (bad.id,))
    assert [record.id for record in history.records()] == [good.id]


# The database


def old_database(path: Path) -> None:
    """A file of version 1 with one rated card."""
    with open_at(path) as progress:
        progress.rate("ppo", Rating.EASY)
    db = sqlite3.connect(path)
    for table in set(COLUMNS) - {"card", "review"}:
        db.execute(f"DROP TABLE {table}")
    db.execute("PRAGMA user_version = 1")
    db.commit()
    db.close()


def version(path: Path) -> int:
    db = sqlite3.connect(path)
    try:
        return int(db.execute("PRAGMA user_version").fetchone()[0])
    finally:
        db.close()


def test_a_file_of_the_version_before_is_migrated_and_a_copy_kept(path: Path) -> None:
    assert len(MIGRATIONS) == VERSION
    old_database(path)
    with open_at(path) as progress:
        assert progress.saving
        assert progress.notices == ()
        assert progress.card("ppo").reps == 1
        record = History(progress).begin(Plan(("ppo",)))
    assert version(path) == VERSION
    copy = path.with_name("progress.v1.sqlite3")
    assert version(copy) == 1
    db = sqlite3.connect(copy)
    assert db.execute("SELECT question_id, reps FROM card").fetchall() == [("ppo", 1)]
    db.close()
    with open_at(path) as again:
        assert [kept.id for kept in History(again).records()] == [record.id]
    assert sorted(found.name for found in path.parent.glob("*.sqlite3")) == [path.name, copy.name]


def test_a_copy_of_before_is_not_overwritten(path: Path) -> None:
    old_database(path)
    copy = path.with_name("progress.v1.sqlite3")
    copy.write_text("mine")
    open_at(path).close()
    assert copy.read_text() == "mine"
    assert version(path.with_name("progress.v1-2.sqlite3")) == 1


def test_without_a_copy_nothing_is_migrated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_database(path)

    def full(*_: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr("learn_llm.quizzes.store.back_up", full)
    with open_at(path) as progress:
        assert not progress.saving
        assert "full" in progress.notices[0]
        assert progress.card("ppo").reps == 1  # read from a file without the new tables
        history = History(progress)
        record = history.begin(Plan(("ppo",)))
        assert [kept.id for kept in history.records()] == [record.id]
    assert version(path) == 1


def test_a_newer_database_is_only_read(path: Path) -> None:
    with open_at(path) as progress:
        history = History(progress)
        record = history.begin(Plan(("ppo", "sft")))
        history.keep_answer(record.id, 0, answered("ppo", "clip", [1, 2]))
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    before = path.read_bytes()
    with open_at(path) as progress:
        assert not progress.saving
        history = History(progress)
        assert history.records()[0].answers == (answered("ppo", "clip", [1, 2]),)
        history.keep_answer(record.id, 1, answered("sft", "x"))
        assert len(history.records()[0].answers) == 2
    assert path.read_bytes() == before


def test_a_damaged_database_is_moved_aside_and_interviews_go_on(path: Path) -> None:
    path.write_bytes(b"no database at all, and rather long " * 99)
    with open_at(path) as progress:
        assert "damaged" in progress.notices[0]
        history = History(progress)
        history.begin(Plan(("ppo",)))
        assert len(history.records()) == 1
        assert progress.saving


def test_a_disk_that_fills_up_in_an_interview_loses_no_answer(history: History, path: Path) -> None:
    record = history.begin(Plan(("ppo", "sft")))
    history.keep_answer(record.id, 0, answered("ppo", "kept"))
    (pages,) = history.progress.db.execute("PRAGMA page_count").fetchone()
    history.progress.db.execute(f"PRAGMA max_page_count = {pages}")
    history.keep_answer(record.id, 1, answered("sft", "x " * 20_000))
    assert not history.progress.saving
    assert [answer.id for answer in history.records()[0].answers] == ["ppo", "sft"]
    with open_at(path) as again:
        assert [answer.id for answer in History(again).records()[0].answers] == ["ppo"]


def test_two_processes_keep_their_interviews_apart(history: History, path: Path) -> None:
    with open_at(path) as progress:
        other = History(progress)
        one, two = history.begin(Plan(("ppo",))), other.begin(Plan(("sft",)))
        history.keep_answer(one.id, 0, answered("ppo", "a"))
        other.keep_answer(two.id, 0, answered("sft", "b"))
        assert history.records() == other.records()
        assert [record.answers[0].text for record in history.records()] == ["b", "a"]


# Line by line


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEARN_LLM_HOME", str(tmp_path))
    monkeypatch.delenv("LEARN_LLM_LANG", raising=False)
    return tmp_path


def run(*arguments: str, typed: str = "") -> tuple[str, BaseException | None]:
    result = CliRunner().invoke(command, ["--lang", "en", *arguments], input=typed)
    return result.output, result.exception


ONE = "I clip.\nThe ratio too.\n\n1, 8\n1\n\n9\n3\n\n1\n"
"""An answer of two lines, a wrong and a right correction, two follow-ups with one wrong rating."""


def test_an_interview_line_by_line(home: Path) -> None:
    output, error = run("--questions", "1", "--level", "basic", "--seed", "3", typed=ONE)
    assert error is None
    for part in (
        "question 1 of 1",
        "Type one of 1, 2",
        "Type one of 1, 2, 3.",
        "Follow-up 2 of 2",
        "Score",
        "Report: ",
    ):
        assert part in output
    assert "1. missed: " in output
    (written,) = (home / "interviews").glob("*.md")
    text = written.read_text(encoding="utf-8")
    assert "    I clip.\n    The ratio too." in text
    assert "Said by your own judgement:" in text
    assert run("--history")[0].startswith(f"{datetime.now() - timedelta(minutes=5):%Y-%m}")


def test_input_that_ends_early_is_kept_and_goes_on(home: Path) -> None:
    output, error = run("--questions", "1", "--level", "basic", "--seed", "3", typed="I clip.\n")
    assert isinstance(error, UserError)
    assert error.exit_code == 2
    output, error = run("--continue", typed="\n\n\n2\n")
    assert isinstance(error, UserError)
    assert "I clip." in output
    output, error = run("--continue", typed="\n3\n")
    assert error is None
    assert "Got it" in output
    assert "question 1 of 1" not in output  # it is not asked again
    assert isinstance(run("--continue")[1], UserError)


def test_an_interview_without_a_word_is_not_kept(home: Path) -> None:
    assert isinstance(run(typed="")[1], UserError)
    assert "no interviews" in run("--history")[0]
