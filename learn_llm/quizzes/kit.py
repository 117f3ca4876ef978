"""What every screen works with.  Tests put their own clock and child in place."""

import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from learn_llm.quizzes.desk import Desk
from learn_llm.quizzes.texts import Texts

if TYPE_CHECKING:
    from learn_llm.demos.catalogue import Demo
    from learn_llm.events import Event
    from learn_llm.quizzes.demo_history import Value


NO_VALUES: "Mapping[str, Value]" = {}


class Command(Protocol):
    """Makes the command line that runs a demo."""

    def __call__(self, demo: "Demo", broken: bool, values: "Mapping[str, Value]" = NO_VALUES) -> Sequence[str]:
        """Broken on purpose or not, with these parameters."""


def options_of(values: "Mapping[str, Value]") -> list[str]:
    """Parameters as options of a command line.

    >>> options_of({"step_size": 0.1, "centre": False})
    ['--step-size', '0.1', '--no-centre']
    """
    options: list[str] = []
    for name, value in values.items():
        flag = name.replace("_", "-")
        options += [f"--{flag}" if value else f"--no-{flag}"] if isinstance(value, bool) else [f"--{flag}", str(value)]
    return options


def demo_command(demo: "Demo", broken: bool, values: "Mapping[str, Value]" = NO_VALUES) -> Sequence[str]:
    """The command line that runs a demo with this interpreter, its events as JSON lines."""
    argv = [sys.executable, "-u", "-m", f"learn_llm.demos.{demo.module}", "--json", *options_of(values)]
    return [*argv, "--break"] if broken else argv


def check_command(folder: Path) -> Sequence[str]:
    """The command line of the process that checks the exercises in a learner's folder."""
    return [sys.executable, "-u", "-m", "learn_llm.exercises.check_server", str(folder)]


def child_events(argv: Sequence[str]) -> "AsyncGenerator[Event, None]":
    """The events of the child that a command line starts."""
    from learn_llm.child import read_child  # when the first demo starts, not when the app does

    return read_child(argv)


@dataclass(frozen=True)
class Kit:
    """The language, the learner's questions, how demos are run and exercises checked, a monotonic clock in seconds."""

    texts: Texts
    desk: Desk
    command: Command = demo_command
    follow: "Callable[[Sequence[str]], AsyncGenerator[Event, None]]" = child_events
    check_command: Callable[[Path], Sequence[str]] = check_command
    seconds: Callable[[], float] = time.monotonic
