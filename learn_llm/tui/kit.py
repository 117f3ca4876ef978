"""What every screen works with.  Tests put their own clock and child in place."""

import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from learn_llm.tui.desk import Desk
from learn_llm.tui.texts import Texts

if TYPE_CHECKING:
    from learn_llm.demos.catalogue import Demo
    from learn_llm.events import Event


def demo_command(demo: "Demo", broken: bool) -> Sequence[str]:
    """The command line that runs a demo with this interpreter, its events as JSON lines, broken on purpose or not."""
    argv = [sys.executable, "-u", "-m", f"learn_llm.demos.{demo.module}", "--json"]
    return [*argv, "--break"] if broken else argv


def child_events(argv: Sequence[str]) -> "AsyncGenerator[Event, None]":
    """The events of the child that a command line starts."""
    from learn_llm.child import read_child  # when the first demo starts, not when the app does

    return read_child(argv)


@dataclass(frozen=True)
class Kit:
    """The language, the learner's questions, how a demo is run and followed, and a monotonic clock in seconds."""

    texts: Texts
    desk: Desk
    command: "Callable[[Demo, bool], Sequence[str]]" = demo_command
    follow: "Callable[[Sequence[str]], AsyncGenerator[Event, None]]" = child_events
    seconds: Callable[[], float] = time.monotonic
