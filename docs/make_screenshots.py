"""Makes the pictures of the app in docs/images: every screen in both languages and two sizes, as Textual draws it.

    python docs/make_screenshots.py [FOLDER] [--png FOLDER]

The keys are pressed as a learner presses them, on a clock that stands still between them, after nine days of study that
are the same each time: so the pictures are the same at every run.  The demo is a real run in a child process, made once
and played back; how long it took is told by the same clock.

The pictures are SVG.  Where Chromium is installed, those that the README shows are made into PNG as well, and with
`--png` all of them, into a folder of their own.
"""

import argparse
import asyncio
import contextlib
import os
import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from itertools import groupby
from pathlib import Path

from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from learn_llm.child import read_child
from learn_llm.events import Event, Metrics, Tokens
from learn_llm.exercises.skeleton import files, mistaken
from learn_llm.exercises.state import FOLDER, make
from learn_llm.quizzes.bank import Bank, load_bank
from learn_llm.quizzes.desk import Desk
from learn_llm.quizzes.kit import Kit
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.schedule import Schedule
from learn_llm.quizzes.texts import Language, Texts
from learn_llm.tui.app import QuizApp
from learn_llm.tui.screens.browse import BrowseScreen
from learn_llm.tui.screens.exercises import ExercisesScreen
from learn_llm.tui.screens.interview import InterviewScreen
from learn_llm.tui.widgets.demo import DemoPane

DEMO, SIDE_BY_SIDE = "policy-gradient", "chain-of-hindsight"
SIZES = ((80, 24), (120, 40))
LANGUAGES: tuple[Language, ...] = ("en", "ja")
README = {"home.png": "en-80x24/home.svg", "home.ja.png": "ja-80x24/home.svg"}
DAYS = 9
MORNING = datetime(2026, 3, 12, 7, 30, tzinfo=UTC)
FONTS = '"Fira Code", "DejaVu Sans Mono", "Noto Sans Mono CJK JP", monospace'
CELL = 12.2
"""Width of a cell in the picture."""
PATIENCE = 600.0
WORDS: dict[Language, str] = {"en": "reward", "ja": "報酬"}
"""That are searched for."""


class Clocks:
    """The date and the seconds of the app, moved only by this script."""

    def __init__(self) -> None:
        self.date = MORNING - timedelta(days=DAYS)
        self.now = 0.0

    def today(self) -> datetime:
        """For the schedule."""
        return self.date

    def seconds(self) -> float:
        """For everything else."""
        return self.now


class Runs:
    """Runs of demos, each made once and played back; held while `go_on` is not set."""

    def __init__(self) -> None:
        self.made: dict[tuple[str, ...], list[Event]] = {}
        self.begin()

    def begin(self) -> None:
        """Another session."""
        self.go_on = asyncio.Event()
        self.tokens_are_enough = False

    async def follow(self, argv: Sequence[str]) -> AsyncGenerator[Event, None]:
        """The events of a run, up to two thirds of its steps as long as it is held."""
        key = tuple(argv)
        if key not in self.made:
            self.made[key] = [event async for event in self._make(argv)]
        for event in self.made[key]:
            yield event
            if isinstance(event, Metrics) and 3 * event.step >= 2 * event.steps > 10:
                await self.go_on.wait()

    async def _make(self, argv: Sequence[str]) -> AsyncGenerator[Event, None]:
        """All events, or those up to the first one after the texts token by token."""
        has_tokens = False
        async with contextlib.aclosing(read_child(argv)) as events:
            async for event in events:
                yield event
                if has_tokens and self.tokens_are_enough:
                    return
                has_tokens = isinstance(event, Tokens)


class Camera:
    """Presses keys and takes pictures of one session."""

    def __init__(self, app: QuizApp, pilot: Pilot[None], clocks: Clocks, runs: Runs, folder: Path) -> None:
        self.app, self.pilot, self.clocks, self.runs, self.folder = app, pilot, clocks, runs, folder

    async def press(self, *keys: str) -> None:
        """Presses keys, a second between two of them."""
        for key in keys:
            self.clocks.now += 1.0
            await self.pilot.press(key)
            await self.pilot.pause()

    async def until(self, reached: Callable[[], bool]) -> None:
        """Waits for a child."""
        async with asyncio.timeout(PATIENCE):
            while not reached():
                await self.pilot.pause(0.05)

    async def point_at(self, id: str) -> None:
        """Moves the cursor of the list to a question."""
        assert isinstance(self.app.screen, BrowseScreen)
        self.app.screen.list.point_at(id)
        await self.pilot.pause()

    async def take(self, name: str) -> None:
        """Writes a picture of the screen, the cursor not blinking."""
        for widget in self.app.screen.query("Input, TextArea").results():
            assert isinstance(widget, (Input, TextArea))
            widget.cursor_blink = False
        await self.pilot.pause()
        drawn = self.app.export_screenshot(title="learn-llm quiz", simplify=True)
        (self.folder / f"{name}.svg").write_text(slim(drawn), encoding="utf-8")


async def home(camera: Camera) -> None:
    """What waits in the morning, and what one key opens from there."""
    await camera.take("home")
    for key, name in (("t", "topics"), ("o", "settings"), ("question_mark", "help")):
        await camera.press(key)
        await camera.take(name)
        await camera.press("escape")


async def browse(camera: Camera) -> None:
    """The list, with the card beside it where there is room, and a search."""
    await camera.press("l")
    await camera.point_at("attention")
    await camera.take("list")
    await camera.press("slash", *WORDS[camera.app.kit.texts.language])
    await camera.take("search")


async def study(camera: Camera) -> None:
    """A card with its answer; the next one after it was rated."""
    await camera.press("space", "space")
    await camera.take("card")
    await camera.press("3")
    await camera.take("rated")


async def drill(camera: Camera) -> None:
    """A question, and what is said about its options."""
    await camera.press("x")
    await camera.take("drill")
    await camera.press("2")
    await camera.take("drill-explained")


async def interview(camera: Camera) -> None:
    """Three questions: the first answered in part, the others worse and better."""
    await camera.press("i", "j", "j", "left", "k", "k")
    await camera.take("interview-start")
    await camera.press("enter")
    screen = camera.app.screen
    assert isinstance(screen, InterviewScreen)
    for place in range(3):
        question = screen.interview.question
        assert question is not None
        sentences = re.split(r"(?<=[.。])\s*", " ".join(question.short_answer.split()))
        screen.area.text = ("" if question.lang == "ja" else " ").join(sentences[: (2, 1, 4)[place]])
        screen.area.move_cursor(screen.area.document.end)
        camera.clocks.now += (71, 34, 95)[place]
        if place == 0:
            await camera.pilot.pause(1.2)  # the timer on the screen
            await camera.take("interview-asking")
        await camera.press("ctrl+d")
        if place == 0:
            await camera.take("interview-graded")
        await camera.press("space")
        while screen.stage == "follow_up":
            await camera.press("space", "2")
    await camera.take("interview-report")


async def demo(camera: Camera) -> None:
    """A demo that runs, that has ended, with another parameter, and broken; then its source."""
    await camera.press("l")
    await camera.point_at(DEMO)
    await camera.press("d")
    pane = camera.app.screen.query_one(DemoPane)

    async def run_to_its_end(name: str, running: str = "") -> None:
        await camera.until(lambda: 3 * pane.state.step >= 2 * pane.state.steps > 10)
        camera.clocks.now += 4
        await camera.pilot.pause(0.5)
        if running:
            await camera.take(running)
        camera.runs.go_on.set()
        await camera.until(lambda: pane.state.status == "finished")
        camera.runs.go_on.clear()
        await camera.pilot.pause(0.5)
        await camera.take(name)

    await run_to_its_end("demo", "demo-running")
    await camera.press("p", "j", "right", "right")
    await camera.take("parameters")
    await camera.press("r")
    await run_to_its_end("demo-compared")
    await camera.press("b")
    await run_to_its_end("demo-broken")
    await camera.press("c")
    await camera.take("source")


async def side_by_side(camera: Camera) -> None:
    """What two objectives make of the tokens of a text."""
    camera.runs.tokens_are_enough = True
    camera.runs.go_on.set()
    await camera.press("l")
    await camera.point_at(SIDE_BY_SIDE)
    await camera.press("d")
    pane = camera.app.screen.query_one(DemoPane)
    await camera.until(lambda: not pane.state.running)
    await camera.press("v", "down", "down", "down")
    await camera.take("side-by-side")


async def exercises(camera: Camera) -> None:
    """The list, a mistake that is named with a hint below it, and the solution after passing."""
    language = camera.app.kit.texts.language
    work, _, _ = make(Path(FOLDER), None, language)
    gae = work.course.get("gae")
    work.move_to(gae)
    work.path(gae).write_text(mistaken(gae, "decay_gamma_only", language), encoding="utf-8")
    await camera.press("e")
    await camera.take("exercises")
    await camera.press("enter")
    screen = camera.app.screen
    assert isinstance(screen, ExercisesScreen)
    bench = screen.bench
    assert bench is not None
    await camera.until(lambda: bench.news is not None and bench.news.status == "wrong")
    await camera.press("h")
    await camera.take("exercise")
    work.path(gae).write_text(files(gae, language).solution, encoding="utf-8")
    await camera.until(lambda: bench.passed)
    await camera.press("s")
    await camera.take("exercise-solution")


SESSIONS: tuple[Callable[[Camera], Awaitable[None]], ...] = (
    home,
    browse,
    study,
    drill,
    exercises,
    interview,
    demo,
    side_by_side,
)


def prepare(bank: Bank, progress: Progress, clocks: Clocks) -> None:
    """Nine days of study, four new questions a day, and an interview twelve days ahead."""
    desk, drawn = Desk(bank, progress), random.Random(1)
    ids = [question.id for question in bank.questions]
    for day in range(DAYS):
        for id in (*ids[4 * day : 4 * day + 4], *desk.due()):
            desk.rate(id, drawn.choice((1, 2, 3, 3, 4)))
        clocks.date += timedelta(minutes=15)
        for id in desk.due():
            desk.rate(id, drawn.choice((3, 3, 4)))
        clocks.date = MORNING - timedelta(days=DAYS - day - 1)
    desk.change(interview=desk.today() + timedelta(days=12))


async def take_session(
    session: Callable[[Camera], Awaitable[None]], language: Language, size: tuple[int, int], runs: Runs, folder: Path
) -> None:
    """Takes the pictures of one session, on a progress file of its own."""
    clocks, bank = Clocks(), load_bank(lang=language)
    runs.begin()
    with (
        tempfile.TemporaryDirectory() as elsewhere,
        contextlib.chdir(elsewhere),  # so that the paths on the screen are short
        Progress(Path("learn-llm", "progress.sqlite3"), Schedule(clock=clocks.today, zone=UTC)) as progress,
    ):
        prepare(bank, progress, clocks)
        app = QuizApp(Kit(Texts(language), Desk(bank, progress), follow=runs.follow, seconds=clocks.seconds))
        async with app.run_test(size=size) as pilot:
            clocks.now = 10.0
            await pilot.pause()
            await session(Camera(app, pilot, clocks, runs, folder))


def slim(svg: str) -> str:
    """The picture in a third of its bytes: no font from elsewhere, short names, no indentation, no clipping by line."""
    svg = re.sub(r"@font-face \{.*?\}\s*(?=@font-face|\.terminal)", "", svg, flags=re.S)
    svg = re.sub(r"<clipPath id=\"terminal-\d+-line-.*?</clipPath>\s*", "", svg, flags=re.S)
    svg = re.sub(r" clip-path=\"url\(#terminal-\d+-line-\d+\)\"", "", svg)
    svg = re.sub(r"terminal-\d+", "t", svg).replace("font-family: Fira Code, monospace", f"font-family: {FONTS}")
    svg = svg.replace("&#160;", "\u00a0").replace(' shape-rendering="crispEdges"', "")
    svg = svg.replace('<g transform="translate(9, 41)"', '<g shape-rendering="crispEdges" transform="translate(9, 41)"')
    svg = re.sub(r"(\d+\.\d)\d{5,}", r"\1", svg)
    svg = re.sub(r'<text class="(t-r\d+)" x="([\d.]+)" y="([\d.]+)" textLength="[\d.]+">([^<]*)</text>', by_width, svg)
    return re.sub(r"\n\s*", "\n", svg)


def by_width(text: re.Match[str]) -> str:
    """A text as one element for each run of narrow and of wide characters, as wide as its cells are."""
    style, start, y, shown = text.groups()
    at, parts = float(start), []
    for _, run in groupby(unescape(shown), key=lambda char: cell_len(char) > 1):
        characters = "".join(run)
        width = CELL * cell_len(characters)
        parts.append(f'<text class="{style}" x="{at:g}" y="{y}" textLength="{width:g}">{escape(characters)}</text>')
        at += width
    return "".join(parts)


def draw(chromium: str, svg: Path, png: Path) -> None:
    """Makes the PNG of a picture.  Raises CalledProcessError where Chromium cannot."""
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg.read_text(encoding="utf-8"))
    assert found is not None
    width, height = (round(float(number)) for number in found.groups())
    png.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
        options += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}"]
        options += ["--hide-scrollbars", "--force-device-scale-factor=1", f"--window-size={width},{height}"]
        subprocess.run(
            [chromium, *options, f"--screenshot={png.absolute()}", svg.absolute().as_uri()],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


async def take_all(folder: Path) -> list[Path]:
    """All pictures, in a folder for each language and size."""
    runs = Runs()
    pictures: list[Path] = []
    for language in LANGUAGES:
        for size in SIZES:
            own = folder / f"{language}-{size[0]}x{size[1]}"
            own.mkdir(parents=True, exist_ok=True)
            for session in SESSIONS:
                await take_session(session, language, size, runs, own.absolute())
            pictures += sorted(own.glob("*.svg"))
            print(own)
    return pictures


def main() -> None:
    """Makes them all."""
    parser = argparse.ArgumentParser(description="Makes the pictures of the app.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent / "images")
    parser.add_argument("--png", type=Path, metavar="FOLDER", help="every picture as PNG, into this folder")
    options = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "COLUMNS": "100"}  # the demo is the same on any number of processors
    pictures = asyncio.run(take_all(options.folder))
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("no PNG: Chromium is not installed")
        return
    for name, shown in README.items():
        draw(chromium, options.folder / shown, options.folder / name)
    for svg in pictures if options.png else ():
        draw(chromium, svg, options.png / svg.relative_to(options.folder).with_suffix(".png"))


if __name__ == "__main__":
    main()
