"""Grading a class: one folder a student, one row a student and exercise; a bad submission is a row, never an end.

All students get the same inputs, drawn anew for each batch.  Several workers run at once, each shut in; see worker.py.
"""

import os
import queue
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from learn_llm.errors import UserError
from learn_llm.exercises.courses import Course, Language
from learn_llm.exercises.judge import Judge, Outcome
from learn_llm.exercises.reading import UnreadableError, read
from learn_llm.exercises.state import STATE, Record, State, find, read_state
from learn_llm.exercises.texts import say
from learn_llm.exercises.workers import Worker


@dataclass(frozen=True)
class Row:
    """One student and one exercise."""

    student: str
    chapter: str
    exercise: str
    status: str
    passed: bool
    mistake: str
    """The known mistake that it is, or nothing."""
    tries: int | None
    """None: there is no state file; tries and hints are what the student's own file says."""
    hints: int | None
    solution_read: bool | None
    seconds: float
    message: str


@dataclass(frozen=True)
class Student:
    """A student's folder."""

    name: str
    folder: Path
    state: State | None


def students(folder: Path) -> list[Student]:
    """The students of a class: one folder each.  Raises UserError where there is none."""
    try:
        folders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}") from None
    if not folders:
        raise UserError(f"{folder} holds no folders; it must hold one for each student")
    return [Student(path.name, path, _state(path)) for path in folders]


def _state(folder: Path) -> State | None:
    """What the student's state file says, where there is a readable one at most one level down."""
    for path in (folder, *sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())):
        if (path / STATE).is_file():
            try:
                return read_state(path)
            except UserError:
                return None
    return None


class Batch:
    """The grading of a class.  `rows` grows while `run` goes on, so that a batch that was stopped has what was done."""

    def __init__(self, course: Course, class_: Sequence[Student], seconds: float, seed: int | None, language: Language):
        self.course, self.students, self.seconds, self.language = course, class_, seconds, language
        self.seed = random.SystemRandom().randrange(2**31) if seed is None else seed
        self.rows: list[Row] = []
        self.sources: dict[tuple[str, str], str] = {}
        """The submitted texts, by student and exercise."""

    def run(self, workers: Sequence[Worker], tell: Callable[[Student], None]) -> None:
        """Check everything; `tell` hears of each student who is done."""
        judges = [Judge(exercise, self.seed) for exercise in self.course.exercises]
        for judge in judges:
            _ = judge.answers_of_variants  # once, before the threads begin
        waiting: queue.SimpleQueue[tuple[Student, Judge]] = queue.SimpleQueue()
        for student in self.students:
            for judge in judges:
                waiting.put((student, judge))
        left = {student.name: len(judges) for student in self.students}
        lock, stop = threading.Lock(), threading.Event()

        def work(worker: Worker) -> None:
            while not stop.is_set():
                try:
                    student, judge = waiting.get_nowait()
                except queue.Empty:
                    return
                row = self._row(student, judge, worker)
                with lock:
                    if row.status == "cancelled":
                        return
                    self.rows.append(row)
                    left[student.name] -= 1
                    done = not left[student.name]
                if done:
                    tell(student)

        threads = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in workers]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2)
        finally:
            stop.set()
            for worker in workers:
                worker.cancelled = lambda: True
            for thread in threads:
                thread.join()
            order = {judge.exercise.name: place for place, judge in enumerate(judges)}
            self.rows.sort(key=lambda row: (row.student, order[row.exercise]))

    def _row(self, student: Student, judge: Judge, worker: Worker) -> Row:
        exercise = judge.exercise
        try:
            outcome = self._outcome(student, judge, worker)
        except UserError as error:
            outcome = Outcome("unreadable", (str(error),))
        except Exception as error:  # whatever one submission does, the others are graded
            outcome = Outcome("failed", (f"{type(error).__name__}: {error}",))
        record = None if student.state is None else student.state.records.get(exercise.name, Record())
        return Row(
            student.name,
            exercise.chapter,
            exercise.name,
            outcome.status,
            outcome.passed,
            outcome.variant,
            None if record is None else record.tries,
            None if record is None else record.hints,
            None if record is None else record.gave_up,
            round(outcome.seconds, 3),
            _plain(" / ".join(outcome.lines)),
        )

    def _outcome(self, student: Student, judge: Judge, worker: Worker) -> Outcome:
        path = find(student.folder, judge.exercise)
        if path.is_symlink():
            return Outcome("unreadable", (say(self.language, "judge.link"),))
        try:
            source = read(path)
        except UnreadableError as error:
            missing = error.key == "judge.missing"
            values = {**error.values, **({"file": judge.exercise.file} if missing else {})}
            return Outcome("missing" if missing else "unreadable", (say(self.language, error.key, **values),))
        self.sources[student.name, judge.exercise.name] = source
        return judge.check_source(source, path.name, worker, self.language, self.seconds)


def allowed(worker: Worker, trusted: bool) -> None:
    """Raises UserError where strangers' code would run with root's rights and nobody said that this is all right."""
    if os.geteuid() == 0 and not worker.unprivileged and not trusted:
        raise UserError(
            "this is root, and the system does not let it drop to an unprivileged user: submissions would run as root; "
            "grade as another user, or add --i-trust-these"
        )


def _plain(text: str, most: int = 600) -> str:
    """One line without control characters."""
    return "".join(char if char.isprintable() else " " for char in text)[:most]
