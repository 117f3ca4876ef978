"""The process that checks exercises, with a judge that looks for words instead of running the file: no torch needed.

The word RIGHT passes, the name of a known mistake is told as that mistake, SLOW takes until it is cancelled, DIE ends
the process.  Its process id is put beside the folder.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from learn_llm.exercises import check_server
from learn_llm.exercises.courses import Exercise, Language


class FakeWorker:
    """Runs nothing."""

    in_force: tuple[str, ...] = ()
    unprivileged = True

    def __init__(self, hidden: list[Path]) -> None:
        self.cancelled: Callable[[], bool] = lambda: False

    def __enter__(self) -> "FakeWorker":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""

    def wait_ready(self) -> None:
        """It is."""


@dataclass(frozen=True)
class FakeOutcome:
    status: str
    lines: tuple[str, ...]
    printed: str = ""

    @property
    def passed(self) -> bool:
        return self.status == "passed"


class FakeJudge:
    """Looks for words in a file."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise

    def check(self, path: Path, worker: FakeWorker, language: Language) -> FakeOutcome:
        text = path.read_text(encoding="utf-8")
        if "DIE" in text:
            sys.exit("the process was told to die")
        while "SLOW" in text:
            if worker.cancelled():
                return FakeOutcome("cancelled", ("",))
            time.sleep(0.01)
        if "RIGHT" in text:
            return FakeOutcome("passed", ("all right",))
        for name, message in self.exercise.wrong.items():
            if name in text:
                return FakeOutcome("wrong", (message[language],), "printed \x1b[31mred")
        return FakeOutcome("todo", ("not written yet",))


def main() -> None:
    """Serve with the fakes in place."""
    folder = Path(sys.argv[1])
    folder.with_suffix(".pid").write_text(str(os.getpid()))
    judge = ModuleType("learn_llm.exercises.judge")
    judge.Judge = FakeJudge  # type: ignore[attr-defined]
    sys.modules[judge.__name__] = judge
    vars(check_server)["Worker"] = FakeWorker
    check_server.main(folder)


if __name__ == "__main__":
    main()
