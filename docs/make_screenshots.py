"""Makes the pictures of the app in docs/images, the same ones at every run: fixed clocks, fixed seed, fixed size.

    python docs/make_screenshots.py [FOLDER]

Each picture is an SVG as Textual draws it.  The demo in the picture is a real run in a child process, held at a fixed
step; how long it took is not shown as measured but by a clock that stands still.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from textual.pilot import Pilot

from learn_llm.child import read_child
from learn_llm.demos.catalogue import DEMOS
from learn_llm.events import Event, Metrics
from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.schedule import Schedule
from learn_llm.tui.app import QuizApp
from learn_llm.tui.desk import Desk
from learn_llm.tui.kit import Kit
from learn_llm.tui.screens.browse import BrowseScreen
from learn_llm.tui.texts import Language, Texts
from learn_llm.tui.widgets.demo import DemoPane

DEMO = "ppo" if "ppo" in DEMOS else "perplexity"
PATIENCE = 300.0
SHOWN_SECONDS = 8.0
MORNING = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
LEARNT = {"what-is-ai": 4, "preprocessing": 3, "activations": 4, "curse-of-dimensionality": 4, "search": 4, "ppo": 1}


class Clocks:
    """The date and the seconds of the app, moved only by this script."""

    def __init__(self) -> None:
        self.date = MORNING - timedelta(days=3)
        self.now = 0.0

    def today(self) -> datetime:
        """For the schedule."""
        return self.date

    def seconds(self) -> float:
        """For everything else."""
        return self.now


Script = Callable[[QuizApp, Pilot[None], Clocks], Awaitable[None]]


async def held(argv: Sequence[str]) -> AsyncGenerator[Event, None]:
    """The events of a run up to two thirds of its steps, then nothing more until it is stopped."""
    async with aclosing(read_child(argv)) as events:
        async for event in events:
            yield event
            if isinstance(event, Metrics) and 3 * event.step >= 2 * event.steps and event.steps > 5:
                await asyncio.sleep(PATIENCE)


async def open_card(app: QuizApp, pilot: Pilot[None], id: str) -> None:
    """Moves the cursor to this question and opens its card."""
    await pilot.press("l")
    await pilot.pause()
    assert isinstance(app.screen, BrowseScreen)
    app.screen.list.point_at(id)
    await pilot.pause()
    await pilot.press("enter")
    await pilot.pause()


async def demo(app: QuizApp, pilot: Pilot[None], clocks: Clocks) -> None:
    """The list beside a demo that runs."""
    await open_card(app, pilot, DEMO)
    await pilot.press("d")
    await pilot.pause()
    pane = app.screen.query_one(DemoPane)
    for _ in range(int(PATIENCE / 0.1)):
        await pilot.pause(0.1)
        if not pane.state.running or 3 * pane.state.step >= 2 * pane.state.steps > 10:
            break
    clocks.now += SHOWN_SECONDS
    await pilot.pause(0.5)


async def answer(app: QuizApp, pilot: Pilot[None], clocks: Clocks) -> None:
    """The list beside a card with its answer."""
    await open_card(app, pilot, "attention")
    clocks.now += 1.0
    await pilot.press("space")
    await pilot.pause()


async def home(app: QuizApp, pilot: Pilot[None], clocks: Clocks) -> None:
    """What waits in the morning, and readiness for an interview in two weeks."""
    await pilot.press("o", "j", "right", "escape")
    await pilot.pause()


async def study(app: QuizApp, pilot: Pilot[None], clocks: Clocks) -> None:
    """A session in a small terminal."""
    await pilot.press("space")
    await pilot.pause()
    clocks.now += 1.0
    await pilot.press("space")
    await pilot.pause()


PICTURES: dict[str, tuple[tuple[int, int], Language, Script]] = {
    "home": ((80, 24), "en", home),
    "home.ja": ((80, 24), "ja", home),
    "quiz": ((120, 38), "en", demo),
    "card": ((120, 38), "en", answer),
    "study": ((80, 24), "en", study),
    "study.ja": ((80, 24), "ja", study),
}


async def picture(name: str, folder: Path) -> None:
    """Makes one of the pictures."""
    size, language, script = PICTURES[name]
    clocks = Clocks()
    with tempfile.TemporaryDirectory() as home:
        schedule = Schedule(clock=clocks.today, zone=UTC)
        with Progress(Path(home) / "progress.sqlite3", schedule) as progress:
            bank = load_bank(lang=language)
            for id, rating in LEARNT.items():
                Desk(bank, progress).rate(id, rating)
            clocks.date = MORNING
            desk = Desk(bank, progress)
            app = QuizApp(Kit(Texts(language), desk, follow=held, seconds=clocks.seconds))
            async with app.run_test(size=size) as pilot:
                clocks.now = 10.0
                await script(app, pilot, clocks)
                (folder / f"{name}.svg").write_text(app.export_screenshot(title="learn-llm quiz"), encoding="utf-8")
    print(folder / f"{name}.svg")


def main() -> None:
    """Makes them all."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "images"
    folder.mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        asyncio.run(picture(name, folder))


if __name__ == "__main__":
    main()
