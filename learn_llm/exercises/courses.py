"""Reading a course: a folder with info.toml (the order) and two files an exercise, NAME.toml and NAME.py (the judge).

Light: NAME.py is not run here.  What is wrong with a course is said in one line (`UserError`): file, place, remedy.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from learn_llm.errors import UserError

Language = Literal["en", "ja"]
Text = Mapping[str, str]
LANGUAGES: tuple[Language, ...] = ("en", "ja")
BUNDLED = Path(__file__).parent / "course"
FORMAT = 1
HINTS = 3
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True)
class Exercise:
    """One exercise as its NAME.toml tells of it; every text in English and Japanese."""

    name: str
    folder: Path
    chapter: str
    """The folder of the learner's file: "06_ppo"."""
    title: Text
    task: Text | None
    """What the docstring does not say."""
    hints: Mapping[str, tuple[str, ...]]
    explanation: Text
    questions: tuple[str, ...]
    wrong: Mapping[str, Text]
    """The message for each known-wrong variant."""

    @property
    def code(self) -> Path:
        """NAME.py, the judge's side."""
        return self.folder / f"{self.name}.py"

    @property
    def file(self) -> Path:
        """Where the learner's file lies, within the learner's folder."""
        return Path(self.chapter) / f"{self.name}.py"


@dataclass(frozen=True)
class Chapter:
    """Some exercises under one title."""

    name: str
    title: Text
    exercises: tuple[Exercise, ...]


@dataclass(frozen=True)
class Course:
    """All chapters in the order in which they are learnt."""

    folder: Path
    title: Text
    chapters: tuple[Chapter, ...]

    @cached_property
    def exercises(self) -> tuple[Exercise, ...]:
        return tuple(exercise for chapter in self.chapters for exercise in chapter.exercises)

    @cached_property
    def by_name(self) -> Mapping[str, Exercise]:
        return {exercise.name: exercise for exercise in self.exercises}

    def about(self, question: str, number: int) -> tuple[Exercise, ...]:
        """The exercises that belong to a question of the quiz, which a course names by its id or its number."""
        return tuple(item for item in self.exercises if question in item.questions or str(number) in item.questions)

    def get(self, name: str) -> Exercise:
        """The exercise of this name.  Raises UserError, with the nearest names."""
        name = name.removesuffix(".py")
        if name in self.by_name:
            return self.by_name[name]
        import difflib

        near = difflib.get_close_matches(name, self.by_name, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "`learn-llm exercise list` shows them"
        raise UserError(f"there is no exercise {name!r}; {hint}")


def mistake_of(variant: str) -> str:
    """The mistake that a known-wrong variant makes: "padding" and "padding__values" are two forms of one."""
    return variant.partition("__")[0]


def load_course(folder: Path | None = None) -> Course:
    """The course in a folder, by default the bundled one.  Raises UserError where something is wrong with it."""
    folder = BUNDLED if folder is None else folder.expanduser().resolve()
    path = folder / "info.toml"
    info = _read(path)
    if info.get("format") != FORMAT:
        raise UserError(f"{path}: format = {info.get('format')!r}; this version of learn-llm reads format = {FORMAT}")
    chapters = tuple(_chapters(folder, path, info))
    course = Course(folder, _text(info, "title", path), chapters)
    names = [exercise.name for exercise in course.exercises]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"{path}: {twice[0]} is there twice; a name must be unique in the course")
    return course


def _chapters(folder: Path, path: Path, info: Mapping[str, Any]) -> Iterator[Chapter]:
    chapters = info.get("chapters")
    if not isinstance(chapters, list) or not all(isinstance(chapter, dict) for chapter in chapters):
        raise UserError(f"{path}: it needs [[chapters]], each with name, title and exercises")
    for number, chapter in enumerate(chapters, 1):
        name = checked_name(chapter.get("name"), path, "a chapter")
        listed = chapter.get("exercises")
        if not isinstance(listed, list):
            raise UserError(f"{path}: chapter {name} needs exercises = [names]")
        place = f"{number:02}_{name}"
        exercises = tuple(_exercise(folder, place, checked_name(item, path, "an exercise")) for item in listed)
        yield Chapter(name, _text(chapter, "title", path), exercises)


def _exercise(folder: Path, chapter: str, name: str) -> Exercise:
    path = folder / f"{name}.toml"
    if not path.with_suffix(".py").is_file():
        raise UserError(f"{folder / 'info.toml'} names {name}, and there is no {path.with_suffix('.py')}")
    texts = _read(path)
    hints = texts.get("hints")
    if not isinstance(hints, dict) or not all(_is_texts(hints.get(language)) for language in LANGUAGES):
        raise UserError(f"{path}: it needs [hints] with {HINTS} texts in en and in ja")
    wrong = texts.get("wrong", {})
    if not isinstance(wrong, dict):
        raise UserError(f"{path}: the messages for wrong answers stand under [wrong.VARIANT], en and ja")
    return Exercise(
        name,
        folder,
        chapter,
        title=_text(texts, "title", path),
        task=_text(texts, "task", path) if "task" in texts else None,
        hints={language: tuple(hints[language]) for language in LANGUAGES},
        explanation=_text(texts, "explanation", path),
        questions=tuple(str(question) for question in texts.get("questions", ())),
        wrong={variant: _text(wrong, variant, path) for variant in wrong},
    )


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and len(value) == HINTS and all(isinstance(text, str) and text for text in value)


def _text(table: Mapping[str, Any], key: str, path: Path) -> Text:
    value = table.get(key)
    if not isinstance(value, dict) or not all(isinstance(value.get(lang), str) and value[lang] for lang in LANGUAGES):
        raise UserError(f"{path}: {key} needs a text in en and one in ja")
    return {language: value[language].strip() for language in LANGUAGES}


def checked_name(name: object, path: Path, what: str) -> str:
    """A name that a course may use.  Raises UserError."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UserError(f"{path}: {name!r} is no name for {what}: lower-case letters, digits and _, at most 32")
    return name


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no valid TOML: {error}") from None
