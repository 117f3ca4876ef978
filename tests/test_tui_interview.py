"""The mock interview in the app: by keyboard from set-up to report, kept, gone on with, at all sizes, in Japanese."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from textual.pilot import Pilot

from learn_llm.quizzes.interview_history import History, Record
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.texts import Language
from learn_llm.tui.app import QuizApp
from learn_llm.tui.interview_text import RECOGNISED
from learn_llm.tui.screens.browse import BrowseScreen
from learn_llm.tui.screens.help import HelpScreen
from learn_llm.tui.screens.interview import InterviewScreen
from learn_llm.tui.screens.interview_start import InterviewStart, SetupList, TopicsPicker
from learn_llm.tui.widgets.answer_area import AnswerArea
from learn_llm.tui.widgets.demo import DemoPane
from learn_llm.tui.widgets.key_bar import KeyBar
from learn_llm.tui.widgets.page import Page
from learn_llm.tui.widgets.too_small import TooSmall
from learn_llm.tui.widgets.top_bar import TopBar
from tests.tui_app import LARGE, SMALL, Clock, make_app

TINY = (60, 20)


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def type_text(pilot: Pilot[None], text: str) -> None:
    """Typed at once, as a paste is."""
    pilot.app.screen.query_one(AnswerArea).insert(text)
    await pilot.pause()


def kind_of(app: QuizApp) -> type[object]:
    return type(app.screen)


def interview_of(app: QuizApp) -> InterviewScreen:
    assert isinstance(app.screen, InterviewScreen)
    return app.screen


def page(app: QuizApp) -> str:
    return str(app.screen.query_one("#interview-page", Page).render())


def bar(app: QuizApp) -> str:
    return str(app.screen.query_one(KeyBar).render())


def rows(app: QuizApp) -> list[str]:
    return [str(option.prompt) for option in app.screen.query_one(SetupList).options]


def records(app: QuizApp) -> list[Record]:
    return History(app.kit.desk.progress).records()


async def begin(pilot: Pilot[None], number: int = 1) -> None:
    """An interview of so many questions (1 or 5)."""
    await press(pilot, "i")
    if number == 1:
        await press(pilot, "down", "down", "left", "left")
        assert "< 1 >" in "".join(rows(pilot.app))  # type: ignore[arg-type]
        await press(pilot, "up", "up")
    await press(pilot, "enter")


async def answer_one(pilot: Pilot[None], text: str = "I do not know.") -> None:
    """One question with its two follow-ups."""
    await type_text(pilot, text)
    await press(pilot, "ctrl+d")
    for key in ("space", "space", "1", "space", "3"):
        await press(pilot, key)


@pytest.mark.parametrize(("size", "language"), [(TINY, "en"), (SMALL, "ja"), (LARGE, "en")])
async def test_a_whole_interview_by_keyboard(tmp_path: Path, size: tuple[int, int], language: Language) -> None:
    app = make_app(tmp_path, language=language)
    texts = app.kit.texts
    async with app.run_test(size=size) as pilot:
        await press(pilot, "i")
        assert kind_of(app) is InterviewStart
        assert texts("interview.first") in rows(app)
        await press(pilot, "down", "down", "left", "up", "up", "enter")
        screen = interview_of(app)
        question = screen.interview.question
        assert question is not None
        assert question.question.split()[0][:5] in page(app)
        assert "1" in app.screen.query_one(TopBar).counts
        await type_text(pilot, question.key_points[0].point)
        await press(pilot, "ctrl+d")
        assert screen.stage == "graded"
        assert records(app)[0].answers[0].text == question.key_points[0].point  # kept when it is seen
        content = app.screen.query_one("#interview-page", Page).render()
        assert any(span.style == RECOGNISED for span in content.spans)
        text = page(app)
        for word in ("interview.point.found", "interview.point.missed", "points", "interview.model"):
            assert texts(word) in text
        await press(pilot, "2")
        assert texts("interview.point.claimed") in page(app)
        assert records(app)[0].answers[0].points[1].said
        await press(pilot, "space")
        assert screen.stage == "follow_up"
        follow_up = screen.interview.follow_up
        assert follow_up is not None
        assert follow_up.answer[:8] not in page(app)
        await press(pilot, "3")  # not before it is revealed
        assert records(app)[0].answers[0].follow_ups[0].rating == 0
        await press(pilot, "space")
        assert follow_up.answer[:8] in page(app)
        await press(pilot, "3")
        assert records(app)[0].answers[0].follow_ups[0].rating == 3
        await press(pilot, "enter", "1")
        for _ in range(2):
            assert screen.interview.question is not None
            await answer_one(pilot)
        assert records(app)[0].ended
        assert texts("interview.mend") in page(app)
        (path,) = (tmp_path / "interviews").glob("*.md")
        assert question.question in path.read_text(encoding="utf-8")
        await press(pilot, "escape")
        assert kind_of(app) is InterviewStart
        assert any("3" in row and "%" in row for row in rows(app)[-1:])
        await press(pilot, "end", "enter")  # the report again
        assert interview_of(app).stage == "done"
        assert texts("interview.mend") in page(app)
        await press(pilot, "escape", "escape")
        assert kind_of(app) is BrowseScreen


async def test_what_is_typed_is_typed(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await begin(pilot)
        await press(pilot, *"q? 1 j", "enter", "d", "slash")
        assert app.screen.query_one(AnswerArea).text == "q? 1 j\nd/"
        assert "ctrl+d end answer" in bar(app)
        assert "q quit" not in bar(app)
        await press(pilot, "escape")
        assert "e end answer" in bar(app)
        assert "q quit" in bar(app)
        await press(pilot, "enter", "x")
        assert app.screen.query_one(AnswerArea).text == "q? 1 j\nd/x"
        await press(pilot, "escape", "e")
        assert interview_of(app).interview.answer.text == "q? 1 j\nd/x"


async def test_the_time_is_shown_and_never_ends_anything(tmp_path: Path) -> None:
    clock = Clock()
    app = make_app(tmp_path, clock=clock)
    async with app.run_test(size=SMALL) as pilot:
        await begin(pilot)
        screen = interview_of(app)
        assert screen.query_one(TopBar).counts.startswith("question 1 of 1   0:0")
        clock.pass_time(hours=2, minutes=3)
        screen._tick()
        assert "123:0" in screen.query_one(TopBar).counts
        await type_text(pilot, "late")
        await press(pilot, "ctrl+d")
        assert 7380 < records(app)[0].answers[0].seconds < 7400


async def test_a_held_key_does_not_run_through_the_stages(tmp_path: Path) -> None:
    clock = Clock()
    app = make_app(tmp_path, clock=clock)
    async with app.run_test(size=SMALL) as pilot:
        await begin(pilot)
        await press(pilot, "ctrl+d")
        await press(pilot, "space")
        screen = interview_of(app)
        clock.step = 0.03
        for _ in range(30):
            await press(pilot, "space")
        assert not interview_of(app).revealed
        clock.step = 1.0
        await press(pilot, "space")
        assert interview_of(app).revealed
        clock.step = 0.03
        for _ in range(30):
            await press(pilot, "space", "3")
        assert screen.interview.answer.follow_ups[1].rating == 0


async def test_level_length_and_topics_are_chosen(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "i", "down", "right", "right", "right")
        assert "< Advanced >" in rows(app)[1]
        assert "left/right change" in bar(app)
        await press(pilot, "down", "right", "down")
        assert "< 8 >" in rows(app)[2]
        assert "change" not in bar(app)
        await press(pilot, "enter")
        assert kind_of(app) is TopicsPicker
        await press(pilot, "down", "space", "space", "up", "space", "enter")
        assert kind_of(app) is InterviewStart
        chosen = rows(app)[3].split("  ")[-1].strip()
        await press(pilot, "enter")
        record = records(app)[0]
        assert record.plan.level == "advanced"
        assert [app.kit.texts(f"topic.{topic}") for topic in record.plan.topics] == [chosen]
        for question in map(app.kit.desk.question, record.plan.ids):
            assert question.level == "advanced"
            assert record.plan.topics[0] in question.topics


async def test_where_no_question_fits_nothing_starts(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "i")
        start = app.screen
        assert isinstance(start, InterviewStart)
        start.level, start.topics = "advanced", ("search",)
        start._list("start")
        await press(pilot, "enter")
        assert kind_of(app) is InterviewStart
        assert "no question fits" in rows(app)[0]
        assert records(app) == []


async def test_an_interview_that_is_left_goes_on(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await begin(pilot, number=5)
        first = interview_of(app).interview.plan.ids
        await answer_one(pilot)
        await type_text(pilot, "half an")
        await press(pilot, "escape", "escape")
        assert rows(app)[0].startswith("Go on")
        assert "left after 1 of 5" in rows(app)[0]
    again = make_app(tmp_path)
    async with again.run_test(size=LARGE) as pilot:
        await press(pilot, "i", "enter")
        screen = interview_of(again)
        assert screen.interview.plan.ids == first
        assert screen.interview.place == 2
        assert screen.query_one(AnswerArea).text == "half an"
        await press(pilot, *" answer", "ctrl+d")
        assert screen.interview.answer.text == "half an answer"


async def test_an_interview_without_a_word_leaves_nothing(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await begin(pilot)
        await press(pilot, "escape", "escape")
        await asyncio.sleep(0.05)
        assert records(app) == []
        await begin(pilot)
        await press(pilot, "escape", "q")
    with Progress(tmp_path / "progress.sqlite3") as progress:
        assert History(progress).records() == []


async def test_quitting_while_one_types_keeps_the_draft(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await begin(pilot)
        await type_text(pilot, "so far")
        app.exit()
    with Progress(tmp_path / "progress.sqlite3") as progress:
        assert History(progress).records()[0].draft.text == "so far"


async def test_the_demo_that_mends(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await begin(pilot)
        await answer_one(pilot)
        id = interview_of(app).interview.answer.id
        assert "d demo" in bar(app)
        await press(pilot, "d")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, BrowseScreen)
        assert screen.question is not None
        assert screen.question.id == id
        assert screen.query_one(DemoPane).display
        await press(pilot, "escape")


async def test_resizing_loses_nothing(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await begin(pilot)
        await type_text(pilot, "before")
        await pilot.resize_terminal(30, 10)
        await pilot.pause()
        assert [type(part) for part in app.screen.children if part.display] == [TooSmall]
        await pilot.resize_terminal(*TINY)
        await pilot.pause()
        await press(pilot, *" after")
        assert app.screen.query_one(AnswerArea).text == "before after"
        for widget in app.screen.query("TopBar, CardBody, AnswerArea, KeyBar"):
            assert widget.size.height > 0
            assert widget.region.right <= TINY[0]
        await press(pilot, "ctrl+d")
        for size in ((30, 10), SMALL, TINY, LARGE):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        await press(pilot, "space")
        assert interview_of(app).stage == "follow_up"


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_the_help_lists_the_keys_of_each_screen(tmp_path: Path, language: Language) -> None:
    app = make_app(tmp_path, language=language)
    texts = app.kit.texts
    async with app.run_test(size=LARGE) as pilot:
        assert texts("key.interview") in bar(app)
        await press(pilot, "i", "question_mark")
        assert kind_of(app) is HelpScreen
        assert texts("help.setup") in str(app.screen.query_one(Page).render())
        await press(pilot, "escape", "enter", "f1")
        text = str(app.screen.query_one(Page).render())
        assert texts("help.interview") in text
        assert texts("help.answer_area") in text
        assert "ctrl+d" in text
        await press(pilot, "escape")
        assert interview_of(app).focused is app.screen.query_one(AnswerArea)


async def test_the_command_palette_has_it(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE):
        assert "Interview" in [command.title for command in app.get_system_commands(app.screen)]


async def test_a_report_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "interviews").touch()
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await begin(pilot)
        await answer_one(pilot)
        assert "could not be written" in page(app)
        assert records(app)[0].ended


async def test_where_nothing_can_be_saved_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "progress.sqlite3").mkdir()
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await begin(pilot)
        assert "not saved" in app.screen.query_one(TopBar).alarm
        await answer_one(pilot)
        assert interview_of(app).stage == "done"


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from tests.tui_app import make_app
from tests.test_tui_interview import begin, interview_of, press, type_text

async def main():
    app = make_app(Path(sys.argv[1]))
    async with app.run_test(size=(80, 24)) as pilot:
        await begin(pilot, number=5)
        await type_text(pilot, "The answer that was graded.")
        await press(pilot, "ctrl+d")
        await press(pilot, "space", "space", "2", "space", "3")
        assert interview_of(app).interview.place == 2
        await type_text(pilot, "The draft")
        app.kit.seconds.__self__.pass_time(seconds=5)
        app.screen._tick()
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
async def test_a_killed_interview_goes_on_where_it_stood(tmp_path: Path) -> None:
    root = Path(__file__).parent.parent
    environment = os.environ | {"PYTHONPATH": str(root)}
    child = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=root, env=environment, timeout=120)
    assert child.returncode == -signal.SIGKILL
    with sqlite3.connect(tmp_path / "progress.sqlite3") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "i", "enter")
        screen = interview_of(app)
        (answer,) = screen.interview.answers
        assert answer.text == "The answer that was graded."
        assert [follow_up.rating for follow_up in answer.follow_ups] == [2, 3]
        assert screen.query_one(AnswerArea).text == "The draft"
        await answer_one(pilot)
        assert screen.interview.place == 3
