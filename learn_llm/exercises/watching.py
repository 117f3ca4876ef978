"""`learn-llm exercise watch`: check the exercise in hand whenever its file is saved, with hints under a key.

A worker with torch loaded waits for each check, and a new save ends a check that still runs.
"""

import contextlib
import os
import select
import sys
import time
from collections.abc import Iterator

import click

from learn_llm.errors import UserError
from learn_llm.exercises import telling
from learn_llm.exercises.checking import EVERY, Checker, SavedFile
from learn_llm.exercises.courses import Exercise, Language
from learn_llm.exercises.skeleton import files
from learn_llm.exercises.state import Desk
from learn_llm.exercises.texts import say
from learn_llm.exercises.workers import Worker

BAR = 30


class Watch:
    """The exercise in hand, watched until q or Ctrl-C."""

    def __init__(self, desk: Desk, language: Language) -> None:
        self.desk, self.language = desk, language
        self.passed = False

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
            checker = Checker(self.desk, worker)
            while exercise is not None:
                self.desk.move_to(exercise)
                exercise = self._follow(exercise, checker)

    def _follow(self, exercise: Exercise, checker: Checker) -> Exercise | None:
        """Watch one exercise; the next one when the learner asks for it, None at the end."""
        file = SavedFile(self.desk.path(exercise))
        self._check(exercise, file, checker)
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
                    self._check(exercise, file, checker)
                case _:
                    pass
            if file.saved():
                self._check(exercise, file, checker)

    def _check(self, exercise: Exercise, file: SavedFile, checker: Checker) -> None:
        outcome = checker.check(exercise, file, self.language)
        if outcome is None:
            return
        self.passed = outcome.passed
        if sys.stdout.isatty():
            click.clear()
        first, *rest = telling.verdict(exercise, outcome, self.language)
        click.secho(first, fg="green" if outcome.passed else "yellow" if outcome.status == "todo" else "red")
        self._say(*rest)
        if outcome.status == "todo":
            self._say("", *telling.about(exercise, self.language))
        if outcome.passed:
            self._say(*telling.after_passing(self.desk, exercise, self.language))
        else:
            self._say("", say(self.language, "watch.waiting", path=telling.near(file.path)))
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
