"""The learner's folder: one file an exercise, and a small JSON file with what was tried, hinted and passed.

An answer is never overwritten: a file is written where there is none, or where it is still what was put there.
Exercises are found by file name anywhere in the folder, so a folder from an older course, or one that was tidied up,
still works.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from learn_llm.errors import UserError
from learn_llm.exercises.courses import BUNDLED, LANGUAGES, Course, Exercise, Language, load_course
from learn_llm.exercises.skeleton import files
from learn_llm.folders import data_folder

STATE = ".learn-llm-exercises.json"
FOLDER = "learn-llm-exercises"
LAST = "exercises-folder.txt"
"""In the folder of the user's data: which folder was used last."""
SOLUTIONS = "solutions"
VERSION = 1
Kind = TypeVar("Kind", "Record", "State")


@dataclass
class Record:
    """What was done about one exercise."""

    tries: int = 0
    """Checks of a written answer until it passed."""
    hints: int = 0
    """How many of the hints were read."""
    passed: str = ""
    """When, as an ISO date and time; nothing: not yet."""
    gave_up: bool = False
    """The solution was read before the answer passed."""
    start: str = ""
    """Digest of the file that the learner began with."""


@dataclass
class State:
    """What the state file holds."""

    course: str = ""
    """The course's folder; nothing: the bundled course."""
    language: Language = "en"
    current: str = ""
    records: dict[str, Record] = field(default_factory=dict)

    def record(self, name: str) -> Record:
        return self.records.setdefault(name, Record())


class Desk:
    """A learner's folder, opened.  Raises UserError where it cannot be."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notices: list[str] = []
        """What the learner should know, in plain words."""
        self.state = self._read()
        self.course: Course = load_course(Path(self.state.course) if self.state.course else None)

    @property
    def language(self) -> Language:
        return self.state.language

    def record(self, exercise: Exercise) -> Record:
        return self.state.record(exercise.name)

    @property
    def current(self) -> Exercise | None:
        """The exercise to go on with: the one in hand until it has passed, then the first that has not."""
        named = self.course.by_name.get(self.state.current)
        if named is not None and not self.record(named).passed:
            return named
        return next((exercise for exercise in self.course.exercises if not self.record(exercise).passed), None)

    def move_to(self, exercise: Exercise) -> None:
        """Take this exercise in hand."""
        self.refresh()
        self.state.current = exercise.name
        self.save()

    def path(self, exercise: Exercise) -> Path:
        """The learner's file; where it should be, if there is none.  Raises UserError where there are two."""
        return find(self.root, exercise)

    def note_check(self, exercise: Exercise, passed: bool, begun: bool) -> None:
        """Write down a check; one of a file that nobody has begun counts for nothing."""
        self.refresh()
        record = self.record(exercise)
        if record.passed or not begun:
            return
        record.tries += 1
        if passed:
            record.passed = time.strftime("%Y-%m-%dT%H:%M:%S%z")
            self.write_solution(exercise)
        self.save()

    def next_hint(self, exercise: Exercise) -> int:
        """How many hints may be shown now: one more than before; written down."""
        self.refresh()
        record = self.record(exercise)
        record.hints = min(record.hints + 1, len(exercise.hints["en"]))
        self.save()
        return record.hints

    def give_up(self, exercise: Exercise) -> None:
        """Write down that the solution was read, and write the solution out."""
        self.refresh()
        record = self.record(exercise)
        record.gave_up = record.gave_up or not record.passed
        self.write_solution(exercise)
        self.save()

    def write_solution(self, exercise: Exercise) -> Path:
        """The solution as a file, in a folder of its own."""
        path = self.root / SOLUTIONS / exercise.file
        _write(path, files(exercise, self.language).solution)
        return path

    def reset(self, exercise: Exercise) -> Path | None:
        """Begin an exercise anew; where the old answer is kept, if there was one."""
        self.refresh()
        path, kept = self.path(exercise), None
        if self.begun(exercise):
            copies = (path.with_name(f"{exercise.name}.kept-{number}.py") for number in range(1, 10_000))
            kept = next(copy for copy in copies if not copy.exists())
            _attempt(path, lambda: os.rename(path, kept))
        self._begin(exercise, path)
        self.record(exercise).passed = ""
        self.save()
        return kept

    def lay_out(self) -> tuple[int, int]:
        """Put a file where there is none, renew those that nobody has touched: how many new, how many renewed."""
        self.refresh()
        new = renewed = 0
        for exercise in self.course.exercises:
            path, start = self.path(exercise), self.record(exercise).start
            if not path.exists():
                self._begin(exercise, path)
                new += 1
            elif start and _digest_of(path) == start and start != _digest(files(exercise, self.language).start):
                self._begin(exercise, path)
                renewed += 1
        self.save()
        return new, renewed

    def begun(self, exercise: Exercise) -> bool:
        """Whether the learner has changed the file."""
        path = self.path(exercise)
        if not path.exists():
            return False
        start, now = self.record(exercise).start, _digest_of(path)
        return now != start if start else now not in {_digest(files(exercise, lang).start) for lang in LANGUAGES}

    def _begin(self, exercise: Exercise, path: Path) -> None:
        text = files(exercise, self.language).start
        _write(path, text)
        self.record(exercise).start = _digest(text)

    def refresh(self) -> None:
        """Read the state again: another window may have gone on."""
        if (self.root / STATE).exists():
            self.state = self._read()

    def save(self) -> None:
        """Write the state, whole or not at all.  Raises UserError."""
        _write_state(self.root, self.state)

    def _read(self) -> State:
        path = self.root / STATE
        state = read_state(self.root)
        if state is not None:
            return state
        aside = next(p for n in range(1, 10_000) if not (p := self.root / f"{STATE}.damaged-{n}").exists())
        _attempt(path, lambda: os.rename(path, aside))
        state = _left_of(aside)
        _write_state(self.root, state)
        self.notices.append(f"{path} was damaged; it is now {aside.name}, your answers are untouched: check them again")
        return state


def read_state(root: Path) -> State | None:
    """The state in a folder, or None where it is damaged.  Raises UserError where there is none, or a newer one."""
    path = root / STATE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        version = document.pop("version")
        if isinstance(version, int) and version > VERSION:
            raise UserError(f"{path} was written by a newer learn-llm; update this one")
        records = {name: _checked(Record, record) for name, record in document.pop("records").items()}
        state = _checked(State, {**document, "records": {}})
        state.records = records
        if state.language not in LANGUAGES:
            raise ValueError("language")
    except FileNotFoundError:
        raise UserError(f"there are no exercises in {root}; `learn-llm exercise init` makes a folder of them") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return state


def _left_of(damaged: Path) -> State:
    """A new state, of the course and in the language that a damaged one still names."""
    text = damaged.read_text(encoding="utf-8", errors="replace")
    found = dict(re.findall(r'"(course|language)": "([^"\\\n]+)"', text))
    course, language = found.get("course", ""), found.get("language")
    is_there = course and Path(course, "info.toml").is_file()
    return State(course if is_there else "", "ja" if language == "ja" else "en")


def _checked(kind: "type[Kind]", values: dict[str, Any]) -> "Kind":
    """A dataclass from JSON; unknown names are left out.  Raises TypeError where a value is of another type."""
    known = {item.name: item for item in dataclasses.fields(kind)}
    result = kind(**{name: value for name, value in values.items() if name in known})
    default = kind()
    for name in known:
        if type(getattr(result, name)) is not type(getattr(default, name)):
            raise TypeError(name)
    return result


def find_root(start: Path) -> Path:
    """The learner's folder: here, above, below, else the one that was used last.  Raises UserError."""
    folder = folder_from(start)
    if (folder / STATE).exists():
        _remember(folder)
        return folder
    with contextlib.suppress(OSError):
        folder = Path((data_folder() / LAST).read_text("utf-8"))
        if (folder / STATE).exists():
            return folder
    raise UserError("there are no exercises here; `learn-llm exercise init` makes a folder of them")


def _remember(folder: Path) -> None:
    """As the one that was used last.  Where nothing can be written, the exercises go on all the same."""
    with contextlib.suppress(OSError):
        data_folder().mkdir(parents=True, exist_ok=True)
        (data_folder() / LAST).write_text(str(folder), "utf-8")


def folder_from(start: Path) -> Path:
    """The learner's folder: here, above, or below; where `init` makes one, if there is none."""
    start = start.resolve()
    places = (start, *start.parents, start / FOLDER)
    return next((folder for folder in places if (folder / STATE).exists()), start / FOLDER)


def make(root: Path, course: Path | None, language: Language) -> tuple[Desk, int, int]:
    """A learner's folder, new or brought up to date; how many files are new, how many were renewed."""
    opened = None if course is None and (root / STATE).exists() else load_course(course)
    if opened is not None and not (root / STATE).exists():
        for exercise in opened.exercises:
            files(exercise, language)  # nothing is written for a course that cannot be laid out
        _write_state(root, State(course="" if opened.folder == BUNDLED else str(opened.folder), language=language))
    desk = Desk(root)
    _remember(root.resolve())
    if opened is not None and opened.folder != desk.course.folder:
        raise UserError(f"{root} is of the course in {desk.course.folder}; make another folder for {opened.folder}")
    new, renewed = desk.lay_out()
    return desk, new, renewed


def find(root: Path, exercise: Exercise) -> Path:
    """The file of an exercise anywhere in a folder; where it should be, if there is none.  Raises UserError for two."""
    expected = root / exercise.file
    if expected.is_file():
        return expected
    found = sorted(_files_named(root, f"{exercise.name}.py"))
    if len(found) > 1:
        raise UserError(f"{exercise.name}.py is there twice: {found[0]} and {found[1]}; keep one of them")
    return found[0] if found else expected


def _files_named(root: Path, name: str) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [item for item in folders if item != SOLUTIONS and not item.startswith((".", "__"))]
        if name in names:
            yield Path(folder) / name


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _digest_of(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()[:16]
    except OSError:
        return ""


def _write_state(root: Path, state: State) -> None:
    document = {"version": VERSION, **dataclasses.asdict(state)}
    _write(root / STATE, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _write(path: Path, text: str) -> None:
    def write() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_text(text, encoding="utf-8", newline="\n")
        os.replace(part, path)

    _attempt(path, write)


def _attempt(path: Path, action: Callable[[], object]) -> None:
    try:
        action()
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None
