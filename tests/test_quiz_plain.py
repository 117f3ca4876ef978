"""`learn-llm quiz --plain`: every mode of the quiz by lines alone, by the rules and with the data of the app."""

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import unicodedata
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import UTC
from pathlib import Path

import pytest

from learn_llm.commands.plain.charts import described
from learn_llm.commands.plain.console import Console, expect_japanese
from learn_llm.commands.plain.session import Session
from learn_llm.demos.catalogue import Demo
from learn_llm.errors import UserError
from learn_llm.events import Chart, ChartKind, Event, Series
from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.demo_history import DemoHistory, Value
from learn_llm.quizzes.desk import Desk
from learn_llm.quizzes.drill_history import DrillHistory
from learn_llm.quizzes.filters import Filter
from learn_llm.quizzes.interview_history import History
from learn_llm.quizzes.kit import NO_VALUES, Kit, child_events, options_of
from learn_llm.quizzes.plain import columns
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.schedule import Schedule
from learn_llm.quizzes.texts import Language, Texts
from learn_llm.tui.kinsoku import NEVER_FIRST
from tests.test_tui_demo import is_alive
from tests.tui_app import Clock, fake_demo

ROOT = Path(__file__).parent.parent
Quiz = Callable[..., str]


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    return Progress(tmp_path / "progress.sqlite3", Schedule(clock=Clock(), zone=UTC))


@pytest.fixture
def quiz(progress: Progress, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Quiz:
    """Types the lines into a session and returns what it printed on standard output."""

    def run(
        *lines: str,
        language: Language = "en",
        kind: str = "garbage",
        own: Progress | None = None,
        follow: Callable[[Sequence[str]], AsyncGenerator[Event, None]] = child_events,
    ) -> str:
        def command(demo: Demo, broken: bool, values: Mapping[str, Value] = NO_VALUES) -> Sequence[str]:
            return [*fake_demo(kind), *options_of(values), *(["--break"] if broken else [])]

        desk = Desk(load_bank(lang=language), own or progress)
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        capsys.readouterr()
        kit = Kit(Texts(language), desk, command=command, follow=follow, seconds=Clock().seconds)
        Session(kit, Console()).run()
        return capsys.readouterr().out

    return run


def standing_ratings(progress: Progress) -> list[tuple[str, int]]:
    """The ratings that stand, in the order in which they were given."""
    rows = progress.db.execute("SELECT question_id, rating FROM review WHERE undone_at IS NULL ORDER BY id")
    return [(id, rating) for id, rating in rows]


def ids() -> list[str]:
    return [question.id for question in load_bank().questions]


# Study


def test_cards_are_revealed_by_an_empty_line_and_rated_by_digit_or_word(quiz: Quiz, progress: Progress) -> None:
    output = quiz("study", "", "3", "", "Partly", "", "got", "", "Ｆorgot", "", "４", "quit")
    assert output.splitlines()[0].endswith("0 due, 10 new today, 0 of 50 seen.")
    assert standing_ratings(progress) == list(zip(ids(), (3, 2, 3, 1, 4), strict=False))
    assert output.count("Saved. ") == 5
    assert "Ratings in this session: 5, today: 5. Waiting: 0 due, 5 new today." in output


def test_an_answer_names_its_exercises(quiz: Quiz, progress: Progress) -> None:
    Desk(load_bank(), progress).rate("ppo", 1)
    progress.schedule.clock.pass_time(minutes=2)  # type: ignore[attr-defined]
    output = quiz("study", "", "quit")
    assert "learn-llm exercise next" in output
    Desk(load_bank(), progress).rate("ppo", 4)
    assert "learn-llm exercise" not in quiz("study", "", "quit")  # the first of all has none


def test_the_next_card_is_the_apps(quiz: Quiz, progress: Progress) -> None:
    desk = Desk(load_bank(), progress)
    last = ids()[-1]
    desk.rate(last, 1)
    progress.schedule.clock.pass_time(minutes=2)  # type: ignore[attr-defined]
    first = desk.next(1)
    assert first == last  # what is due comes before what is new
    quiz("", "", "4", "", "4")
    assert standing_ratings(progress)[1:] == [(last, 4), (ids()[0], 4)]


def test_new_questions_end_where_the_learner_set_it_and_more_brings_more(quiz: Quiz, progress: Progress) -> None:
    Desk(load_bank(), progress).change(new_a_day=2)
    output = quiz("study", "", "4", "", "4", "quit")
    assert len(standing_ratings(progress)) == 2
    assert "Done for now" in output
    assert "You answered 2 in this session: Easy 2." in output
    assert "Type more for 5 new questions." in output
    quiz("study", "more", *["", "4"] * 5, "study", "quit")
    assert len(standing_ratings(progress)) == 7


@pytest.mark.parametrize(
    "lines", [("3",), ("3", "got it"), ("", "", ""), ("", "", "", ""), ("x",), ("", "5", "0", "ok")]
)
def test_no_line_both_reveals_and_rates(quiz: Quiz, progress: Progress, lines: tuple[str, ...]) -> None:
    output = quiz("study", *lines)
    assert standing_ratings(progress) == []
    assert "Saved" not in output


def test_the_answer_is_not_shown_before_it_is_asked_for(quiz: Quiz) -> None:
    question = load_bank().questions[0]
    words = question.short_answer.split()[:6]
    assert " ".join(words) not in " ".join(quiz("study", "3", "help", "back").split())
    shown = " ".join(quiz("study", "", "full", "back").split())
    assert " ".join(words) in shown
    assert question.mistakes[0].why.split(".")[0].replace("`", "") in shown.replace("`", "")


def test_each_rating_shows_when_the_card_comes_back(quiz: Quiz, progress: Progress) -> None:
    waits = [Texts().interval(wait) for wait in Desk(load_bank(), progress).previews(ids()[0])]
    prompt = f"1 Forgot ({waits[0]}), 2 Partly ({waits[1]}), 3 Got it ({waits[2]}), 4 Easy ({waits[3]}):"
    assert prompt in " ".join(quiz("study", "").split())


def test_two_ratings_where_the_learner_wants_two(quiz: Quiz, progress: Progress) -> None:
    Desk(load_bank(), progress).change(two_buttons=True)
    output = quiz("study", "", "2", "4", "easy", "3")
    assert "Partly" not in output
    assert standing_ratings(progress) == [(ids()[0], 3)]


def test_undo_goes_back_rating_by_rating_and_each_is_rated_anew(quiz: Quiz, progress: Progress) -> None:
    first, second, third = ids()[:3]
    output = quiz("study", "", "1", "", "2", "undo", "undo", "4", "", "3", "", "2", "back", "undo", "undo", "quit")
    assert standing_ratings(progress) == [(first, 4)]
    assert output.count("Undone: ") == 4
    assert progress.card(second).last_review is None
    assert progress.card(third).last_review is None
    rows = progress.db.execute("SELECT count(*), count(undone_at) FROM review").fetchone()
    assert rows == (5, 4)


def test_nothing_of_an_earlier_session_is_undone(quiz: Quiz, progress: Progress) -> None:
    with Progress(progress.path, progress.schedule) as earlier:
        Desk(load_bank(), earlier).rate("ppo", 3)
    assert "There is no rating of this session to undo." in quiz("undo", "study", "undo")
    assert standing_ratings(progress) == [("ppo", 3)]


def test_skipping_and_going_back_rate_nothing(quiz: Quiz, progress: Progress) -> None:
    output = quiz("study", "skip", "", "skip", "back", "quit")
    shown = [f"{question.number}. {question.question[:40]}" in output for question in load_bank().questions[:4]]
    assert shown == [True, True, True, False]
    assert standing_ratings(progress) == []


def test_the_end_of_the_input_keeps_everything_and_sums_up(quiz: Quiz, progress: Progress) -> None:
    assert "Ratings in this session: 1, today: 1." in quiz("study", "", "3", "")
    with Progress(progress.path) as again:
        assert standing_ratings(again) == [(ids()[0], 3)]


def test_a_rating_that_cannot_be_kept_is_not_confirmed(quiz: Quiz, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Progress(tmp_path / "file" / "progress.sqlite3") as lost:
        output = quiz("study", "", "3", own=lost)
    assert "Saved" not in output
    assert "Not saved. 1 Got it" in output
    assert "Progress is not saved." in output


# Browsing


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("browse", Filter()),
        ("browse advanced", Filter("advanced")),
        ("list new alignment", Filter("new", "alignment")),
        ("search clip ratio", Filter(words="clip ratio")),
        ("browse basic gradient", Filter("basic", "", "gradient")),
    ],
)
def test_browsing_finds_what_the_list_of_the_app_shows(
    quiz: Quiz, progress: Progress, typed: str, wanted: Filter
) -> None:
    desk = Desk(load_bank(), progress)
    numbers = [question.number for question in wanted.select(desk.questions, desk.standings())]
    output = quiz(typed)
    assert numbers
    assert [int(number) for number in re.findall(r"^ *(\d+)\. ", output, re.MULTILINE)] == numbers
    assert f"Questions: {len(numbers)}." in output


def test_a_number_or_a_name_opens_a_card(quiz: Quiz, progress: Progress) -> None:
    quiz("43", "", "2", "PPO", "", "3", "undo", "quit")
    assert standing_ratings(progress) == [("ppo", 2)]


@pytest.mark.parametrize("typed", ["99", "no-such-thing", "browse zzzz", "drill zzzz", "interview zzzz", "interview 0"])
def test_what_is_not_there_is_said_and_the_session_goes_on(quiz: Quiz, progress: Progress, typed: str) -> None:
    output = quiz(typed, "43", "", "1")
    assert re.search("There is no|No question|there is no|at least one", output)
    assert standing_ratings(progress) == [("ppo", 1)]


# Drill


def test_a_drill_explains_every_option_and_leaves_the_schedule_alone(quiz: Quiz, progress: Progress) -> None:
    output = quiz("drill", "9", "1", "", "2", "", "back", "quit")
    answers = DrillHistory(progress).answers()
    assert len(answers) == 2
    flat = " ".join(output.split())
    for answer in answers:
        for option in load_bank().by_id[answer.question_id].choices.options:
            assert " ".join(option.why.replace("**", "").split()) in flat
        assert answer.correct == load_bank().by_id[answer.question_id].choices.options[answer.chosen].correct
    assert output.count("Right.") + output.count("Not right: it is ") == 2
    assert f"{sum(answer.correct for answer in answers)} of 2 right" in output
    assert standing_ratings(progress) == []


def test_a_drill_over_a_topic_and_its_card(quiz: Quiz, progress: Progress) -> None:
    output = quiz("drill search", "1", "card", "", "1", "", "study")
    asked = {answer.question_id for answer in DrillHistory(progress).answers()}
    assert asked == {question.id for question in load_bank().select(topic="search")}
    assert "What an answer must contain" in output
    assert "of 2 right" in output


# Demo


def test_a_demo_runs_beside_the_card_and_what_it_prints_is_plain(quiz: Quiz, progress: Progress) -> None:
    output = quiz("ppo", "demo", "break steps=12", "", "demo seed=5", "3", kind="garbage")
    assert output.count("Gold score\n- PPO: 0.1 at 0, 0.475 at 3; lowest 0.1, highest 0.475\n- SFT: 0.1 at 0") == 3
    assert output.count("The claim holds") == 2
    assert "The claim does not hold, as it should" in output
    assert "\x1b" not in output
    assert not re.search("[\u2800-\u28ff]", output)
    assert "Saved. 43" in output
    last = DemoHistory(progress).last("ppo")
    assert last is not None
    assert (last.options, last.broken, last.holds) == ({"seed": 5}, False, True)


@pytest.mark.parametrize("typed", ["demo steps=1000000", "demo steps", "demo steps=few", "break nothing=1"])
def test_a_wrong_parameter_is_said_and_nothing_runs(quiz: Quiz, progress: Progress, typed: str) -> None:
    output = quiz("ppo", typed, "", "3")
    assert re.search("must be between|is no parameter|does not fit", output)
    assert DemoHistory(progress).last("ppo") is None
    assert "Saved. 43" in output


def test_a_demo_that_crashes_is_said_and_the_session_goes_on(quiz: Quiz, progress: Progress) -> None:
    assert "the demo broke down" in quiz("43", "demo", "", "3", kind="crash")
    assert standing_ratings(progress) == [("ppo", 3)]


def test_ctrl_c_ends_a_demo_with_all_its_processes_but_not_the_session(
    quiz: Quiz, progress: Progress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo neither speaks nor goes when asked to."""
    monkeypatch.setenv("FAKE_DEMO_PIDS", str(tmp_path / "pids"))

    async def interrupted(argv: Sequence[str]) -> AsyncGenerator[Event, None]:
        async with contextlib.aclosing(child_events(argv)) as events:
            async for event in events:
                yield event
                signal.raise_signal(signal.SIGINT)

    output = quiz("43", "demo", "", "3", kind="hang", follow=interrupted)
    assert "The demo was stopped." in output
    assert standing_ratings(progress) == [("ppo", 3)]
    assert not any(is_alive(int(pid)) for pid in (tmp_path / "pids").read_text().split())


@pytest.mark.parametrize("kind", ["line", "bar", "scatter", "heatmap", "hist"])
def test_every_kind_of_chart_has_words(kind: ChartKind) -> None:
    x = {"hist": (), "bar": ("a", "b"), "heatmap": ("a", "b")}.get(kind, (1.0, 2.0))
    title, line, empty = described(
        Chart(kind, "Title", "x", "y", (Series("one", x, (0.25, float("nan"))), Series("", (), ()))), Texts()
    )
    assert (title, empty) == ("Title", "- 2: -")
    assert line.startswith("- one: ")
    assert "0.25" in line


# Interview


def test_an_interview_from_the_menu_is_the_one_of_its_command(quiz: Quiz, progress: Progress, tmp_path: Path) -> None:
    output = quiz("interview basic 1", "I clip.", "", "", "", "3", "", "1", "quit")
    assert "question 1 of 1" in output
    assert "Score" in output
    (record,) = History(progress).records()
    assert record.ended
    assert list((tmp_path / "interviews").glob("*.md"))


def test_an_interview_that_the_input_leaves_goes_on_later(quiz: Quiz, progress: Progress) -> None:
    with pytest.raises(UserError, match="kept") as error:
        quiz("interview basic 1", "I clip.")
    assert error.value.exit_code == 2
    output = quiz("interview", "", "", "", "", "3", "", "1", "quit")
    assert "An interview was left" in output
    assert "I clip." in output
    assert [record.ended for record in History(progress).records()] == [True]


# What is printed


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("width", [40, 80])
def test_lines_fit_and_nothing_is_drawn(
    quiz: Quiz, monkeypatch: pytest.MonkeyPatch, language: Language, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    cards = [line for number in (1, 12, 43) for line in (str(number), "", "full", "1")]
    output = quiz("help", "browse", *cards, "drill", "1", "card", "", "back", "study", language=language)
    code = {line for question in load_bank(lang=language).questions for line in question.full_answer.split("\n")}
    for line in output.split("\n"):
        assert columns(line.rstrip()) <= width, line
        if language == "ja" and line not in code and not line.startswith(" " * 4):
            assert line.lstrip()[:1] not in NEVER_FIRST - set("([{") or line.strip() == "", line
    assert not [char for char in output if unicodedata.category(char) == "Cc" and char != "\n"]
    assert not re.search("[\u2500-\u259f]", output)  # lines, boxes and blocks


@pytest.mark.parametrize(
    ("typed", "rating"), [("忘れた", 1), ("曖昧", 2), ("言えた", 3), ("余裕", 4), ("３", 3), ("got", 3), ("Easy", 4)]
)
def test_japanese_words_and_english_ones(quiz: Quiz, progress: Progress, typed: str, rating: int) -> None:
    output = quiz("学習", "", typed, "取消", typed, "終了", language="ja")
    assert standing_ratings(progress) == [(ids()[0], rating)]
    assert "保存しました。1 " in output
    assert "今回の評価 1 件、今日の評価 1 件" in output


def test_a_console_without_japanese_gets_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding, fine in (
        ("ascii", False),
        ("latin-1", False),
        ("utf-8", True),
        ("shift_jis", True),
        ("euc_jp", True),
    ):
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
        if fine:
            expect_japanese()
        else:
            with pytest.raises(UserError, match=encoding):
                expect_japanese()


def run_command(*arguments: str, home: Path, typed: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command itself, its standard input a file."""
    (home / "typed").write_text(typed, encoding="utf-8")
    with (home / "typed").open() as file:
        return subprocess.run(
            [sys.executable, "-m", "learn_llm.cli", "quiz", *arguments],
            cwd=ROOT,
            env=os.environ | {"LEARN_LLM_HOME": str(home), "PYTHONIOENCODING": "utf-8"} | environment,
            stdin=file,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )


def test_the_command_studies_from_a_file(tmp_path: Path) -> None:
    result = run_command("--plain", "--lang", "en", home=tmp_path, typed="study\n\n3\n\n2\n", NO_COLOR="1")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("Saved. ") == 2
    with Progress(tmp_path / "progress.sqlite3") as progress:
        assert standing_ratings(progress) == [(ids()[0], 3), (ids()[1], 2)]


def test_the_command_says_what_it_cannot_do(tmp_path: Path) -> None:
    result = run_command("--lang", "ja", home=tmp_path, typed="", PYTHONIOENCODING="ascii", LEARN_LLM_PLAIN="1")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert "cannot show Japanese" in result.stderr
    result = run_command("--plain", "--web", home=tmp_path, typed="")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
