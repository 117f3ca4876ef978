"""`learn-llm exercise watch`: check the exercise in hand whenever its file is saved, with hints under a key.

The file is looked at every 20 ms rather than reported by the system: that costs nothing for one file, and works on
network mounts, in containers and under WSL, where reports do not arrive.  A worker with torch loaded waits for each
check, and a new save ends a check that still runs.
"""

import contextlib
import os
import select
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from learn_llm.errors import UserError
from learn_llm.exercises import telling
from learn_llm.exercises.courses import Exercise, Language
from learn_llm.exercises.skeleton import files
from learn_llm.exercises.state import Desk
from learn_llm.exercises.texts import say
from learn_llm.exercises.workers import Worker

if TYPE_CHECKING:
    from learn_llm.exercises.judge import Judge

EVERY = 0.02
"""Seconds between two looks at the file."""
SETTLED = 0.01
"""A file that has not changed for so long is written to its end."""
BAR = 30
_Stamp = tuple[int, int, int] | None


class Watch:
    """The exercise in hand, watched until q or Ctrl-C."""

    def __init__(self, desk: Desk, language: Language) -> None:
        self.desk, self.language = desk, language
        self.passed = False
        self._judges: dict[str, Judge] = {}

    def run(self) -> None:
        """Watch.  Raises UserError where a worker cannot be started."""
        exercise = self.desk.current
        if exercise is None:
            click.echo(say(self.language, "next.all"))
            return
        click.echo(say(self.language, "watch.loading"), err=True)
        with Worker([self.desk.course.folder]) as worker, _keys():
            import learn_llm.exercises.judge  # noqa: F401 - loads torch while the worker does

            worker.wait_ready()
            click.echo(telling.isolation(worker, self.language), err=True)
            while exercise is not None:
                self.desk.move_to(exercise)
                exercise = self._follow(exercise, worker)

    def _follow(self, exercise: Exercise, worker: Worker) -> Exercise | None:
        """Watch one exercise; the next one when the learner asks for it, None at the end."""
        path = self.desk.path(exercise)
        stamp = _settled(path)
        self._check(exercise, path, worker, stamp)
        seen = _content(path)
        while True:
            match _key(EVERY):
                case "q":
                    return None
                case "n" if self.passed:
                    return self.desk.current
                case "h":
                    self._say(*telling.hints(exercise, self.desk.next_hint(exercise), self.language))
                case "l":
                    self._say(*telling.listing(self.desk, self.language))
                case "s":
                    self._solution(exercise)
                case "c":
                    self._check(exercise, path, worker, stamp)
                case _:
                    pass
            if _stamp(path) == stamp:
                continue
            stamp = _settled(path)
            if stamp is not None and (content := _content(path)) != seen:  # a save that changed nothing is none
                seen = content
                self._check(exercise, path, worker, stamp)

    def _check(self, exercise: Exercise, path: Path, worker: Worker, stamp: _Stamp) -> None:
        from learn_llm.exercises.judge import Judge

        judge = self._judges.get(exercise.name)
        if judge is None:
            judge = self._judges[exercise.name] = Judge(exercise)
        worker.cancelled = lambda: _stamp(path) != stamp
        outcome = judge.check(path, worker, self.language)
        if outcome.status == "cancelled":
            return
        self.passed = outcome.passed
        self.desk.note_check(exercise, outcome.passed, self.desk.begun(exercise) and outcome.status != "missing")
        if sys.stdout.isatty():
            click.clear()
        first, *rest = telling.verdict(exercise, outcome, self.language)
        click.secho(first, fg="green" if outcome.passed else "yellow" if outcome.status == "todo" else "red")
        self._say(*rest)
        if outcome.passed:
            self._say(*telling.after_passing(self.desk, exercise, self.language))
        else:
            self._say("", say(self.language, "watch.waiting", path=telling.near(path)))
        self._say(self._bar(), say(self.language, "watch.keys.done" if outcome.passed else "watch.keys"))

    def _solution(self, exercise: Exercise) -> None:
        if self.desk.record(exercise).passed:
            self._say(files(exercise, self.language).solution)
            self._say(*telling.explanation(exercise, self.language))
        else:
            self._say(say(self.language, "watch.closed", name=exercise.name))

    def _bar(self) -> str:
        exercises = self.desk.course.exercises
        done = sum(bool(self.desk.record(exercise).passed) for exercise in exercises)
        filled = BAR * done // max(1, len(exercises))
        return f"[{'#' * filled}{'-' * (BAR - filled)}] {done}/{len(exercises)}"

    def _say(self, *lines: str) -> None:
        for line in lines:
            click.echo(line)


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _settled(path: Path) -> _Stamp:
    """The file's stamp once it has stood still for a moment."""
    stamp = _stamp(path)
    while True:
        time.sleep(SETTLED)
        later = _stamp(path)
        if later == stamp:
            return stamp
        stamp = later


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


@contextlib.contextmanager
def _keys() -> Iterator[None]:
    """Single keys without Enter, where there is a terminal; it is as before afterwards."""
    if not sys.stdin.isatty():
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(0)
    tty.setcbreak(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def _key(seconds: float) -> str:
    """The key that was pressed within some seconds, or nothing."""
    if not sys.stdin.isatty():
        time.sleep(seconds)
        return ""
    if not select.select([0], [], [], seconds)[0]:
        return ""
    data = os.read(0, 32)
    if not data:
        raise UserError("the terminal is gone")
    return data.decode(errors="replace")[0].lower()
