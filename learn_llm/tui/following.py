"""How the app runs a demo: the command line, and the reader of what the child says.  Tests put their own in place."""

import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from learn_llm.demos.catalogue import Demo
    from learn_llm.events import Event

Command = Callable[["Demo", bool], Sequence[str]]
"""The command line of a demo; the second argument says whether it is broken on purpose."""
Follow = Callable[[Sequence[str]], "AsyncGenerator[Event, None]"]
"""The events of the child that a command line starts."""


def demo_command(demo: "Demo", broken: bool) -> Sequence[str]:
    """Runs the demo's module with this interpreter; it writes its events as JSON lines."""
    argv = [sys.executable, "-u", "-m", f"learn_llm.demos.{demo.module}", "--json"]
    return [*argv, "--break"] if broken else argv


def child_events(argv: Sequence[str]) -> "AsyncGenerator[Event, None]":
    """Follows a real child process."""
    from learn_llm.child import read_child  # when the first demo starts, not when the app does

    return read_child(argv)
