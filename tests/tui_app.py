"""What the app's tests share: an app on a progress file of its own, with a clock that stands still and a fake demo."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from textual.screen import Screen

from learn_llm.demos.catalogue import Demo
from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.demo_history import Value
from learn_llm.quizzes.desk import Desk
from learn_llm.quizzes.kit import NO_VALUES, Kit, options_of
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.schedule import Schedule
from learn_llm.quizzes.texts import Language, Texts
from learn_llm.tui.app import QuizApp
from learn_llm.tui.screens.browse import BrowseScreen

SMALL, LARGE = (80, 24), (120, 40)
SIZES = (SMALL, LARGE)
FAKE_DEMO = Path(__file__).parent / "fake_demo.py"
FAKE_CHECKS = FAKE_DEMO.with_name("fake_checks.py")


class Clock:
    """Both clocks of the app, moved by hand: the date of the schedule and the seconds of the key guard.

    The seconds move on by themselves at every look, by more than a held key's repeat: presses count as separate ones
    unless a test sets `step` to 0.
    """

    def __init__(self) -> None:
        self.date = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        self.now = 0.0
        self.step = 1.0

    def __call__(self) -> datetime:
        return self.date

    def seconds(self) -> float:
        """The monotonic clock."""
        self.now += self.step
        return self.now

    def pass_time(self, **time: float) -> None:
        """Moves both clocks on."""
        self.date += timedelta(**time)
        self.now += timedelta(**time).total_seconds()


def fake_demo(kind: str) -> Sequence[str]:
    """The command line of a fake demo."""
    return [sys.executable, "-u", str(FAKE_DEMO), kind]


def fake_checks(folder: Path) -> Sequence[str]:
    """The command line of a process that checks exercises without torch."""
    return [sys.executable, "-u", str(FAKE_CHECKS), str(folder)]


class ListFirst(QuizApp):
    """The app as it is after `l` at home: most tests begin with the list of questions."""

    def get_default_screen(self) -> Screen[None]:
        """The list."""
        return BrowseScreen(self.kit)


def make_app(
    folder: Path,
    *,
    clock: Clock | None = None,
    kind: str = "steady",
    language: Language = "en",
    app: type[QuizApp] = ListFirst,
) -> QuizApp:
    """An app whose progress lies in `folder` and whose demos are all of this kind."""
    clock = clock or Clock()
    progress = Progress(folder / "progress.sqlite3", Schedule(clock=clock, zone=UTC))

    def command(demo: Demo, broken: bool, values: Mapping[str, Value] = NO_VALUES) -> Sequence[str]:
        return [*fake_demo(kind), *options_of(values), *(["--break"] if broken else [])]

    desk = Desk(load_bank(lang=language), progress)
    kit = Kit(Texts(language), desk, command=command, check_command=fake_checks, seconds=clock.seconds)
    return app(kit)
