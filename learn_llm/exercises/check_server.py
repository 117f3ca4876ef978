"""The process that checks exercises for the app, which loads no torch: requests and news are JSON lines.

    python -m learn_llm.exercises.check_server FOLDER

A request names an exercise, `{"exercise": "gae", "language": "en"}`: it is checked at once, and again whenever its file
is saved, until the next request.  The process ends with its standard input, or on SIGTERM; its worker ends with it.
"""

import contextlib
import json
import os
import select
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from learn_llm.errors import UserError
from learn_llm.exercises.checking import EVERY, Checker, SavedFile
from learn_llm.exercises.courses import Exercise, Language
from learn_llm.exercises.state import Desk
from learn_llm.exercises.telling import harmless, isolation
from learn_llm.exercises.workers import Worker

LONGEST = 2000
"""Characters of a line that is told."""


@dataclass(frozen=True)
class Request:
    """What the app asks for."""

    exercise: str
    language: Language


@dataclass(frozen=True)
class News:
    """What the process says: it is loading, it is checking, it has checked, or it could not."""

    kind: Literal["loading", "checking", "checked", "failed"]
    exercise: str = ""
    status: str = ""
    """That of the outcome."""
    lines: tuple[str, ...] = ()
    """What is wrong, in the language of the request."""
    printed: str = ""
    """By the learner's code."""
    isolation: str = ""
    """What was in force."""


def main(folder: Path) -> None:
    """Serve the app until it is gone."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with contextlib.redirect_stdout(sys.stderr):  # a course's own code may print
            desk = Desk(folder)
            _tell(News("loading"))
            with Worker([desk.course.folder]) as worker:
                import learn_llm.exercises.judge  # noqa: F401 - loads torch while the worker does

                worker.wait_ready()
                _serve(desk, worker, _Requests(sys.stdin.fileno()))
    except UserError as error:
        _tell(News("failed", lines=(str(error),)))


def _serve(desk: Desk, worker: Worker, requests: "_Requests") -> None:
    checker = Checker(desk, worker)
    watched: tuple[Exercise, SavedFile, Language] | None = None
    while not requests.ended:
        request = requests.next(EVERY)
        try:
            if request is not None:
                watched = None
                exercise = desk.course.get(request.exercise)
                watched = exercise, SavedFile(desk.path(exercise)), request.language
            elif watched is None or not watched[1].saved():
                continue
            exercise, file, language = watched
            _tell(News("checking", exercise.name))
            outcome = checker.check(exercise, file, language, requests.waiting)
            if outcome is not None:
                lines = tuple(harmless(line)[:LONGEST] for line in outcome.lines if line)
                printed, steps = harmless(outcome.printed), isolation(worker, language)
                _tell(News("checked", exercise.name, outcome.status, lines, printed, steps))
        except UserError as error:
            _tell(News("failed", request.exercise if request else "", lines=(str(error),)))


def _tell(news: News) -> None:
    assert sys.__stdout__ is not None
    print(json.dumps(asdict(news)), file=sys.__stdout__, flush=True)


class _Requests:
    """The lines of a pipe; of several that wait, the last one counts."""

    def __init__(self, pipe: int) -> None:
        self.ended = False
        self._pipe = pipe
        self._data = b""

    def waiting(self, seconds: float = 0.0) -> bool:
        """Whether a request waits, or the end of them all."""
        return bool(select.select([self._pipe], [], [], seconds)[0])

    def next(self, seconds: float) -> Request | None:
        """The request that comes within some seconds, or None."""
        if not self.waiting(seconds):
            return None
        data = os.read(self._pipe, 1 << 16)
        self.ended = not data
        *lines, self._data = (self._data + data).split(b"\n")
        return Request(**json.loads(lines[-1])) if lines else None


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except SystemExit as ending:
        if ending.code:
            raise
    os._exit(0)  # at once: there is nothing to save, and torch is slow to take itself apart
