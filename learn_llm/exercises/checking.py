"""What `watch` and the app share: a file that is looked at for saves, and checks by a worker that stays warm.

The file is looked at rather than reported by the system: that costs nothing for one file, and works on network mounts,
in containers and under WSL, where reports do not arrive.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from learn_llm.exercises.courses import Exercise, Language
from learn_llm.exercises.state import Desk
from learn_llm.exercises.workers import Worker

if TYPE_CHECKING:
    from learn_llm.exercises.judge import Judge, Outcome

EVERY = 0.02
"""Seconds between two looks at the file."""
SETTLED = 0.01
"""A file that has not changed for so long is written to its end."""
_Stamp = tuple[int, int, int] | None


class SavedFile:
    """The file of an exercise, from one look at it to the next."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp = self._settled()
        self._content = self._read()

    def touched(self) -> bool:
        """Whether something was done to it since the last look."""
        return self._now() != self._stamp

    def saved(self) -> bool:
        """Look at it: whether it is there with another content.  A save that changed nothing is none."""
        if not self.touched():
            return False
        self._stamp = self._settled()
        content = self._read()
        if content is None or content == self._content:
            return False
        self._content = content
        return True

    def forget(self) -> None:
        """The next time it is touched counts, whatever it holds."""
        self._content = None

    def _now(self) -> _Stamp:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _settled(self) -> _Stamp:
        """The file's stamp once it has stood still for a moment."""
        stamp = self._now()
        while True:
            time.sleep(SETTLED)
            later = self._now()
            if later == stamp:
                return stamp
            stamp = later

    def _read(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except OSError:
            return None


class Checker:
    """Checks the exercises of a learner's folder; what was drawn for one is kept for its next check."""

    def __init__(self, desk: Desk, worker: Worker) -> None:
        self.desk, self.worker = desk, worker
        self._judges: dict[str, Judge] = {}

    def check(
        self, exercise: Exercise, file: SavedFile, language: Language, unwanted: Callable[[], bool] = lambda: False
    ) -> "Outcome | None":
        """Check a file and write the check down; None where it was saved meanwhile, or the answer is `unwanted`.

        Raises UserError where the course is wrong, or the state cannot be written.
        """
        from learn_llm.exercises.judge import Judge

        judge = self._judges.get(exercise.name)
        if judge is None:
            judge = self._judges[exercise.name] = Judge(exercise)
        self.worker.cancelled = lambda: file.touched() or unwanted()
        outcome = judge.check(file.path, self.worker, language)
        if outcome.status == "cancelled":
            file.forget()
            return None
        begun = self.desk.begun(exercise) and outcome.status != "missing"
        self.desk.note_check(exercise, outcome.passed, begun)
        return outcome
