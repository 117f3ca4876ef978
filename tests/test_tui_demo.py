"""Demos in the app: live, stopped, crashing, hanging, flooding; and that no process is left behind."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from learn_llm.demos.catalogue import DEMOS
from learn_llm.quizzes.kit import demo_command
from learn_llm.tui.app import QuizApp
from learn_llm.tui.demo_state import Status
from learn_llm.tui.screens.browse import BrowseScreen
from learn_llm.tui.screens.study import StudyScreen
from learn_llm.tui.widgets.demo import DemoPane
from learn_llm.tui.widgets.question_list import QuestionList
from learn_llm.tui.widgets.top_bar import TopBar
from tests.tui_app import LARGE, SIZES, SMALL, make_app

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the children of these tests need POSIX signals")
PATIENCE = 60.0


def pane(app: QuizApp) -> DemoPane:
    return app.screen.query_one(DemoPane)


def text(app: QuizApp) -> str:
    """Everything in the demo's pane that is to be seen."""
    parts = [part for part in pane(app).query(Static) if part.display]
    return "\n".join(str(part.render()) for part in parts)


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Waits until something has happened."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not happen"
        await pilot.pause(0.02)


async def open_demo(app: QuizApp, pilot: Pilot[None], wait_for: Status | None = "finished") -> None:
    """Runs the demo of the first question that has one."""
    number = next(i for i, question in enumerate(app.kit.desk.questions) if question.demo in DEMOS)
    await pilot.press(*["j"] * number)
    await pilot.press("d")
    await pilot.pause()
    if wait_for is not None:
        await until(pilot, lambda: pane(app).status == wait_for)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not yet waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        if Path("/proc").is_dir():
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True
    return state != "Z"


@pytest.mark.parametrize("size", SIZES)
async def test_a_demo_is_watched_live_and_ends_in_its_verdict(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        await open_demo(app, pilot, wait_for=None)
        await until(pilot, lambda: pane(app).state.step > 5)
        await until(pilot, lambda: "gold" in text(app))
        assert pane(app).state.verdict is None
        live = text(app)
        assert "running" in live
        assert "What to look at" in live
        assert any("\u2801" <= char <= "\u28ff" for char in live)
        await until(pilot, lambda: pane(app).status == "finished")
        await pilot.pause(0.3)
        end = text(app)
        for part in ("✓ The claim holds", "PPO raises the gold score", "gold_difference", "Gold score", "correctness"):
            assert part in end
        for part in ("sort the words", "ant cat dog", "advantage", "same for both arms", "What to try"):
            assert part in end
        assert end.index("The claim holds") < end.index("Gold score") < end.index("correctness")


@pytest.mark.parametrize("size", SIZES)
async def test_the_list_is_used_while_the_demo_runs(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path, kind="endless")
    async with app.run_test(size=size) as pilot:
        await open_demo(app, pilot, wait_for="running")
        await pilot.press("tab")
        await pilot.pause()
        rows = app.screen.query_one(QuestionList)
        assert app.focused is rows
        assert rows.display
        assert pane(app).display
        assert pane(app).region.height >= 8
        before = rows.cursor
        await pilot.press("j", "j", "k", "j")
        await pilot.pause()
        assert rows.cursor == before + 2
        assert pane(app).status == "running"
        await pilot.press("enter")  # another card: the demo is left
        await until(pilot, lambda: pane(app).status == "stopped")
        assert not pane(app).display


async def test_broken_on_purpose(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await open_demo(app, pilot)
        await pilot.press("b")
        await until(pilot, lambda: pane(app).state.broken and pane(app).status == "finished")
        await pilot.pause(0.3)
        assert "does not hold, as it should" in text(app)
        assert "What is broken" in text(app)
        assert "broken on purpose" in text(app)
        await pilot.press("r")
        await until(pilot, lambda: not pane(app).state.broken and pane(app).status == "finished")
        await pilot.pause(0.3)
        assert "The claim holds" in text(app)


async def test_garbage_is_shown_as_it_is_and_the_run_goes_on(tmp_path: Path) -> None:
    app = make_app(tmp_path, kind="garbage")
    async with app.run_test(size=LARGE) as pilot:
        await open_demo(app, pilot)
        await pilot.pause(0.3)
        assert "The claim holds" in text(app)
        assert "broken json" in " ".join(text(app).split())
        assert "warning [b]not markup[/b]" in text(app)
        assert "\x1b" not in text(app)


@pytest.mark.parametrize(
    ("kind", "said"), [("crash", "the demo broke down"), ("silent", "without a verdict"), ("nonsense", "exit code")]
)
async def test_a_demo_that_fails_says_why_and_the_app_lives(tmp_path: Path, kind: str, said: str) -> None:
    app = make_app(tmp_path, kind=kind)
    async with app.run_test(size=LARGE) as pilot:
        await open_demo(app, pilot, wait_for="failed")
        await pilot.pause(0.3)
        assert "ended without a verdict" in text(app)
        assert said in text(app)
        await pilot.press("escape", "escape", "j")
        await pilot.pause()
        assert app.screen.query_one(QuestionList).cursor > 0


async def test_an_interpreter_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await open_demo(app, pilot, wait_for="failed")
        await pilot.pause(0.3)
        assert "could not be started" in text(app)


@pytest.mark.parametrize("keys", [("x",), ("escape",), ("q",), ("tab", "j", "enter")], ids="-".join)
async def test_leaving_ends_the_child_and_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> None:
    """The child ignores SIGTERM and has a child of its own; keys are answered all the same while it is ended."""
    file = tmp_path / "pids"
    monkeypatch.setenv("FAKE_DEMO_PIDS", str(file))
    app = make_app(tmp_path, kind="hang")
    async with app.run_test(size=SMALL) as pilot:
        await open_demo(app, pilot, wait_for="running")
        pids = [int(pid) for pid in file.read_text().split()]
        assert len(pids) == 2
        assert all(map(is_alive, pids))
        began = time.monotonic()
        await pilot.press(*keys)
        if keys != ("q",):
            assert time.monotonic() - began < 1.5
            assert pane(app).status == "stopped"
            await until(pilot, lambda: not any(map(is_alive, pids)))
    end = time.monotonic() + 5
    while any(map(is_alive, pids)) and time.monotonic() < end:
        await asyncio.sleep(0.02)
    assert not any(map(is_alive, pids))


@pytest.mark.parametrize("keys", [("x", "q"), ("r", "q"), ("r", "r", "q")], ids="-".join)
async def test_leaving_while_a_demo_is_being_ended_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> None:
    """Stopped, or started again, it has 2 seconds to end; the app that is left meanwhile leaves no process behind."""
    file = tmp_path / "pids"
    monkeypatch.setenv("FAKE_DEMO_PIDS", str(file))
    app = make_app(tmp_path, kind="hang")
    async with app.run_test(size=SMALL) as pilot:
        await open_demo(app, pilot, wait_for="running")
        first, _ = [int(pid) for pid in file.read_text().split()]
        await pilot.press(*keys)
    with pytest.raises(ProcessLookupError):  # one that is not yet reaped still has its number
        os.kill(first, 0)


async def test_closing_the_study_screen_ends_its_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "pids"
    monkeypatch.setenv("FAKE_DEMO_PIDS", str(file))
    app = make_app(tmp_path, kind="hang")
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("s")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, StudyScreen)
        while screen.question is not None and screen.question.demo not in DEMOS:
            await pilot.press("space", "4")
            await pilot.pause()
        await pilot.press("d")
        await until(pilot, lambda: pane(app).status == "running")
        pids = [int(pid) for pid in file.read_text().split()]
        await pilot.press("tab", "escape")
        await pilot.pause()
        assert isinstance(app.screen, BrowseScreen)
        await until(pilot, lambda: not any(map(is_alive, pids)))


@pytest.mark.parametrize("keys", [("n",), ("tab", "j", "enter"), ("tab", "j", "tab", "space", "3")], ids="-".join)
async def test_going_on_to_another_card_leaves_the_demo(tmp_path: Path, keys: tuple[str, ...]) -> None:
    app = make_app(tmp_path, kind="endless")
    async with app.run_test(size=LARGE) as pilot:
        await open_demo(app, pilot, wait_for="running")
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await until(pilot, lambda: pane(app).status == "stopped")
        assert not pane(app).display
        assert app.focused is not None
        assert app.focused.id == "card-body"


async def test_the_app_answers_while_a_child_floods_it(tmp_path: Path) -> None:
    """However much the child says, the event loop is late by little, and the cursor moves."""
    app = make_app(tmp_path, kind="flood")
    async with app.run_test(size=LARGE) as pilot:
        await open_demo(app, pilot, wait_for="running")
        await pilot.press("tab")
        late: list[float] = []

        async def watch() -> None:
            while True:
                began = time.perf_counter()
                await asyncio.sleep(0.01)
                late.append(time.perf_counter() - began - 0.01)

        watching = asyncio.create_task(watch())
        rows = app.screen.query_one(QuestionList)
        before = rows.cursor
        for _ in range(20):
            await asyncio.sleep(0.1)
            app.simulate_key("j")
        await asyncio.sleep(0.3)
        watching.cancel()
        assert rows.cursor == before + 20
        assert pane(app).state.step > 100
        late.sort()
        assert late[len(late) // 2] < 0.03  # a bound for a busy machine
        assert late[int(len(late) * 0.95)] < 0.3
        await pilot.press("escape")


async def test_a_demo_that_is_not_built_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(DEMOS, "what-is-ai", raising=False)
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert "not built yet" in str(app.screen.query_one("#card-hint").render())
        await pilot.press("d")
        await pilot.pause()
        assert app.screen.query_one(TopBar).notice == "The demo of question 1 is not built yet."
        assert not app.screen.query(DemoPane)


def test_the_command_line_of_a_demo() -> None:
    demo = DEMOS["curse-of-dimensionality"]
    assert demo_command(demo, False) == [
        *(sys.executable, "-u", "-m", "learn_llm.demos.curse_of_dimensionality", "--json")
    ]
    assert demo_command(demo, True)[-1] == "--break"
