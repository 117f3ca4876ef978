"""The exercises in the app: the list, hints, verdicts as a file is saved, the way from a question and back."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from learn_llm.exercises.check_client import CheckClient
from learn_llm.exercises.check_server import News, Request
from learn_llm.exercises.courses import BUNDLED
from learn_llm.exercises.isolation import descendants
from learn_llm.exercises.skeleton import files
from learn_llm.exercises.state import FOLDER, STATE, Desk, make
from learn_llm.quizzes.kit import check_command
from learn_llm.quizzes.texts import Language, Texts
from learn_llm.tui.app import QuizApp
from learn_llm.tui.editor import edit
from learn_llm.tui.screens.browse import BrowseScreen
from learn_llm.tui.screens.exercises import ExercisesScreen
from learn_llm.tui.screens.home import HomePanel, HomeScreen
from learn_llm.tui.screens.line import LineScreen
from learn_llm.tui.screens.look import LookScreen
from learn_llm.tui.screens.question_picker import QuestionPicker
from learn_llm.tui.screens.study import StudyScreen
from learn_llm.tui.widgets.card import Card
from learn_llm.tui.widgets.exercise import ExercisePane
from learn_llm.tui.widgets.key_bar import KeyBar
from learn_llm.tui.widgets.page import Page
from learn_llm.tui.widgets.top_bar import TopBar
from tests.tui_app import LARGE, SMALL, make_app

LEAST = (60, 18)
HEAD = 'format = 1\ntitle = { en = "T", ja = "T" }\n[[chapters]]\nname = "ppo"\ntitle = { en = "Chapter", ja = "章" }\n'


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Two exercises, of one question and of two."""
    folder = tmp_path / "course"
    folder.mkdir()
    for name in ("gae", "reward_placement"):
        for suffix in ("py", "toml"):
            shutil.copy(BUNDLED / f"{name}.{suffix}", folder)
    path = folder / "reward_placement.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines = ['questions = ["ppo", "kl-dpo"]' if line.startswith("questions") else line for line in lines]
    path.write_text("\n".join(lines), encoding="utf-8")
    (folder / "info.toml").write_text(HEAD + 'exercises = ["gae", "reward_placement"]\n', encoding="utf-8")
    return folder


@pytest.fixture
def work(tmp_path: Path, course: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The learner's folder; the app is started beside it."""
    monkeypatch.chdir(tmp_path)
    return make(tmp_path / FOLDER, course, "en")[0]


def app_in(folder: Path, language: Language = "en") -> QuizApp:
    return make_app(folder, language=language, app=QuizApp)


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


def kind_of(app: QuizApp) -> type[object]:
    return type(app.screen)


def text(app: QuizApp) -> str:
    """What is shown of the exercise, its lines joined."""
    pages = app.screen.query_one(ExercisePane).query(Page)
    return " ".join(" ".join(str(page.render()) for page in pages if page.display).split())


def rows(app: QuizApp) -> list[str]:
    options = app.screen.query_one("#exercise-list", OptionList).options
    return [" ".join(str(option.prompt).split()) for option in options]


async def until(pilot: Pilot[None], there: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline, text(pilot.app)  # type: ignore[arg-type]
        await pilot.pause(0.02)


def record(work: Desk, name: str = "gae") -> tuple[int, int, bool]:
    """Tries, hints, whether it has passed: as the file says."""
    found = Desk(work.root).record(work.course.get(name))
    return found.tries, found.hints, bool(found.passed)


def told(work: Desk, variant: str, language: Language) -> str:
    """The beginning of what is said to this mistake about GAE."""
    return work.course.get("gae").wrong[variant][language][:20]


def write(work: Desk, words: str) -> None:
    """Saves the answer to GAE at one blow, as editors do."""
    path = work.path(work.course.get("gae"))
    part = path.with_suffix(".part")
    part.write_text(words, encoding="utf-8")
    part.replace(path)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class TestList:
    @pytest.mark.parametrize("size", [LEAST, SMALL, LARGE])
    async def test_it_says_what_was_done(self, work: Desk, tmp_path: Path, size: tuple[int, int]) -> None:
        gae = work.course.get("gae")
        work.next_hint(gae)
        work.note_check(gae, passed=False, begun=True)
        work.note_check(gae, passed=True, begun=True)
        app = app_in(tmp_path)
        async with app.run_test(size=size) as pilot:
            await press(pilot, "e")
            chapter, first, second = rows(app)
            assert chapter == "Chapter"
            assert first.startswith("✓ gae")
            assert first.endswith("passed, hints 1")
            assert second.startswith("reward_placement")
            assert app.screen.query_one(TopBar).counts == "1 of 2 passed"
            assert app.screen.query_one("#exercise-list", OptionList).highlighted == 2  # what is to be done next
            await press(pilot, "escape")
            assert kind_of(app) is HomeScreen
            assert "1 of 2 passed" in str(app.screen.query_one(HomePanel).render())

    async def test_the_one_under_the_cursor_is_shown_where_there_is_room(self, work: Desk, tmp_path: Path) -> None:
        app = app_in(tmp_path)
        async with app.run_test(size=LARGE) as pilot:
            await press(pilot, "e")
            assert "Generalised advantage estimation" in text(app)
            assert "def gae" in text(app)
            await press(pilot, "j")
            assert "def gae" not in text(app)
            assert work.course.get("reward_placement").title["en"] in text(app)
            assert not app.screen.query_one(ExercisePane).has_focus

    async def test_a_course_that_cannot_be_read_is_said(self, work: Desk, course: Path, tmp_path: Path) -> None:
        (course / "info.toml").write_text("format = 1\n")
        app = app_in(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "e")
            assert "it needs [[chapters]]" in str(app.screen.query_one("#exercises-none", Page).render())
            await press(pilot, "escape")
            assert kind_of(app) is HomeScreen


class TestFolder:
    async def test_without_one_a_key_makes_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        app = app_in(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "e")
            assert "learn-llm exercise init" in str(app.screen.query_one("#exercises-none", Page).render())
            assert "make a folder" in str(app.screen.query_one(KeyBar).render())
            await press(pilot, "m", "escape")
            assert not (tmp_path / FOLDER).exists()
            await press(pilot, "m")
            assert kind_of(app) is LineScreen
            await press(pilot, "enter")
            await until(pilot, lambda: bool(rows(app)))
            made = Desk(tmp_path / FOLDER)
            assert len(rows(app)) == len(made.course.exercises) + len(made.course.chapters)
            assert made.path(made.course.get("gae")).exists()

    async def test_where_nothing_can_be_made_one_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / FOLDER).write_text("a file")
        app = app_in(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "e", "m", "enter")
            await until(pilot, lambda: bool(app._notifications))
            assert kind_of(app) is ExercisesScreen
            assert not rows(app)


class TestExercise:
    @pytest.mark.parametrize("language", ["en", "ja"])
    async def test_it_is_checked_when_it_is_saved(self, work: Desk, tmp_path: Path, language: Language) -> None:
        message = told(work, "padding", language)
        app = app_in(tmp_path, language)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "e", "enter")
            assert app.screen.query_one(ExercisePane).has_focus
            await until(pilot, lambda: "not written yet" in text(app))
            assert record(work)[0] == 0

            write(work, "padding")
            await until(pilot, lambda: message in text(app))
            assert "printed [31mred" in text(app)
            assert "\x1b" not in text(app)
            assert record(work) == (1, 0, False)

            write(work, "SLOW")
            await until(pilot, lambda: message not in text(app))
            write(work, "RIGHT")  # ends the check that still runs
            await until(pilot, lambda: "all right" in text(app))
            assert record(work) == (2, 0, True)
            assert rows(app)[1].startswith("✓ gae")

            await press(pilot, "s")
            assert "reversed(range(" in text(app)
            assert work.course.get("gae").explanation[language].split()[0] in text(app)
            await press(pilot, "s")
            assert "reversed(range(" not in text(app)
            await press(pilot, "n")
            assert "reward_placement" in text(app)
            await until(pilot, lambda: "not written yet" in text(app))
            assert Desk(work.root).state.current == "reward_placement"

    async def test_hints_come_one_by_one_and_are_written_down(self, work: Desk, tmp_path: Path) -> None:
        hints = work.course.get("gae").hints["en"]
        app = app_in(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "e", "h")
            assert record(work)[1] == 0  # only for the one in hand
            await press(pilot, "enter")
            for number in (1, 2, 3, 3):
                await press(pilot, "h")
                assert record(work)[1] == number
                shown = [hint[:30] in text(app) for hint in hints]
                assert shown == [place < number for place in range(3)]
            assert "hints 3" in rows(app)[1]

    async def test_there_is_no_solution_before_it_has_passed(self, work: Desk, tmp_path: Path) -> None:
        app = app_in(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "e", "enter", "s", "n")
            assert "reversed(range(" not in text(app)
            assert "def gae" in text(app)
            assert "solution" not in str(app.screen.query_one(KeyBar).render())

    async def test_c_checks_now_and_starts_the_process_again_if_it_died(self, work: Desk, tmp_path: Path) -> None:
        app = app_in(tmp_path)
        write(work, "DIE")
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "e", "enter")
            await until(pilot, lambda: "told to die" in text(app))
            write(work, "RIGHT")
            await press(pilot, "c")
            await until(pilot, lambda: "all right" in text(app))

    async def test_leaving_ends_the_process(self, work: Desk, tmp_path: Path) -> None:
        app = app_in(tmp_path)
        write(work, "SLOW")
        pid = work.root.with_suffix(".pid")
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "e", "enter")
            await until(pilot, lambda: "Checking gae" in text(app) and pid.exists())
            assert is_alive(int(pid.read_text()))
            await press(pilot, "escape", "escape")
            assert kind_of(app) is HomeScreen
            deadline = time.monotonic() + 60
            while is_alive(int(pid.read_text())) and time.monotonic() < deadline:
                await pilot.pause(0.02)
            assert not is_alive(int(pid.read_text()))

    async def test_quitting_ends_the_process(self, work: Desk, tmp_path: Path) -> None:
        app = app_in(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "e", "enter")
            await until(pilot, lambda: "not written yet" in text(app))
            await press(pilot, "q")
        assert not is_alive(int(work.root.with_suffix(".pid").read_text()))

    async def test_another_language_from_the_settings_on(self, work: Desk, tmp_path: Path) -> None:
        app = app_in(tmp_path)
        write(work, "padding")
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "o", "right", "escape", "e", "enter")
            await until(pilot, lambda: told(work, "padding", "ja") in text(app))
            assert "不正解" in text(app)
            assert "ヒント" in str(app.screen.query_one(KeyBar).render())

    @pytest.mark.parametrize("editor", ["", "no-such-editor-here"])
    async def test_without_an_editor_the_file_is_named(
        self, work: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, editor: str
    ) -> None:
        monkeypatch.setenv("EDITOR", editor)
        monkeypatch.delenv("VISUAL", raising=False)
        app = app_in(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "e", "enter", "e")
            said = [notice.message for notice in app._notifications]
            assert any("gae.py" in message for message in said)

    @pytest.mark.parametrize(("editor", "said"), [("no-such-editor-here", "no-such-editor-here"), ("'open", "'open")])
    def test_an_editor_that_cannot_start_leaves_no_app_behind_that_waits(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, editor: str, said: str
    ) -> None:
        """`App.suspend` ends in good order, which it would not if an error passed through it."""
        app = SuspendingApp()
        monkeypatch.setenv("EDITOR", editor)
        monkeypatch.delenv("VISUAL", raising=False)
        assert said in edit(tmp_path / "gae.py", app, Texts())  # type: ignore[arg-type]
        assert app.went == ["out", "in"]

    def test_ctrl_c_is_for_the_editor(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Pressed while an editor has the terminal it reaches this process, too."""
        monkeypatch.setenv("EDITOR", f"{sys.executable} -c 'import os, signal; os.kill(os.getppid(), signal.SIGINT)'")
        monkeypatch.delenv("VISUAL", raising=False)
        assert edit(tmp_path / "gae.py", SuspendingApp(), Texts()) == ""  # type: ignore[arg-type]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


class SuspendingApp:
    """An app that can be suspended; what happened to it."""

    def __init__(self) -> None:
        self.went: list[str] = []

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        self.went.append("out")
        yield
        self.went.append("in")  # as in Textual, not in a `finally`


class TestQuestions:
    async def test_from_a_card_to_its_exercises_and_back(self, work: Desk, tmp_path: Path) -> None:
        app = app_in(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            app.push_screen(LookScreen(app.kit, "kl-dpo", ""))
            await pilot.pause()
            assert app.screen.query_one(Card).card is not None
            assert "exercises" in str(app.screen.query_one(KeyBar).render())
            await press(pilot, "e")
            assert kind_of(app) is ExercisesScreen
            assert [row.split()[0] for row in rows(app)] == ["Chapter", "reward_placement"]
            await press(pilot, "enter", "escape", "escape")
            assert kind_of(app) is LookScreen

    async def test_from_an_exercise_to_its_question_and_back(self, work: Desk, tmp_path: Path) -> None:
        app = app_in(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "e", "enter", "o")
            assert isinstance(app.screen, LookScreen)
            assert app.screen.looked_at == "ppo"
            await press(pilot, "e")  # from here the way back is esc
            assert isinstance(app.screen, LookScreen)
            await press(pilot, "escape")
            assert kind_of(app) is ExercisesScreen
            await press(pilot, "escape", "j", "o")
            assert kind_of(app) is QuestionPicker
            await press(pilot, "j", "enter")
            assert isinstance(app.screen, LookScreen)
            assert app.screen.looked_at == "kl-dpo"

    async def test_a_card_without_exercises_has_no_key_for_them(self, work: Desk, tmp_path: Path) -> None:
        app = app_in(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "space")
            assert isinstance(app.screen, StudyScreen)
            assert app.screen.question is not None
            assert app.screen.question.id == "what-is-ai"
            await press(pilot, "e")
            assert kind_of(app) is StudyScreen

    async def test_a_card_says_that_it_has_exercises(self, work: Desk, tmp_path: Path) -> None:
        app = make_app(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            assert isinstance(app.screen, BrowseScreen)
            for id, said in (("ppo", "Its exercises: 2. Press e"), ("search", "Its demo")):
                app.screen.list.point_at(id)
                await pilot.pause()
                hint = " ".join(str(app.screen.query_one("#card-hint", Page).render()).split())
                assert said in hint
                assert ("exercises" in hint) == (id == "ppo")


async def test_the_real_process_judges_and_leaves_nothing_behind(work: Desk) -> None:
    """With torch and a worker: the mistake is named, the right answer passes, both processes are gone afterwards."""
    solution = files(work.course.get("gae")).solution
    write(work, solution.replace("gamma * lam * advantage", "gamma * advantage"))
    client = CheckClient(check_command(work.root))
    client.ask(Request("gae", "en"))
    heard: list[News] = []
    before = _children()
    async with aclosing(client.news()) as all_news, asyncio.timeout(300):
        async for news in all_news:
            heard.append(news)
            if news.status == "wrong":
                write(work, solution)
            elif news.status == "passed" or news.kind == "failed":
                break
        started = _children() - before
        assert len(started) >= 2 or not sys.platform.startswith("linux")
    assert [news.status for news in heard if news.kind == "checked"] == ["wrong", "passed"]
    wrong = next(news for news in heard if news.status == "wrong")
    assert told(work, "decay_gamma_only", "en") in " ".join(wrong.lines)
    assert not [pid for pid in started if is_alive(pid)]
    assert record(work) == (2, 0, True)
    assert (work.root / STATE).exists()


def _children() -> set[int]:
    return set(descendants(os.getpid())[1:])
