"""The learner's folder as the screen of the exercises sees it: what is listed, and the exercise that is shown."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from textual.content import Content

from learn_llm.errors import UserError
from learn_llm.exercises.check_server import News
from learn_llm.exercises.courses import Chapter, Exercise
from learn_llm.exercises.skeleton import files, method_of
from learn_llm.exercises.state import Desk, find_root
from learn_llm.exercises.telling import near
from learn_llm.exercises.texts import say
from learn_llm.quizzes.bank import Question
from learn_llm.quizzes.kit import Kit
from learn_llm.tui.exercise_text import View, own_part, row


class Bench:
    """An opened folder.  What can go wrong with its files raises UserError.

    Args:
        kit: what every screen works with.
        work: the learner's folder.
        question: only the exercises that belong to it are listed; None for all.
    """

    def __init__(self, kit: Kit, work: Desk, question: Question | None = None) -> None:
        self.texts = kit.texts
        self.bank = kit.desk.questions
        self.work = work
        course = work.course
        self.listed = course.exercises if question is None else course.about(question.id, question.number)
        self.exercise = work.current if work.current in self.listed else next(iter(self.listed), None)
        """What is shown; None where nothing is listed."""
        self.news: News | None = None
        """What was said of it last; None while it is not in hand."""
        self.solution = False
        """Whether its solution is shown."""

    def show(self, exercise: Exercise) -> None:
        """Turns to this exercise."""
        self.exercise, self.news, self.solution = exercise, None, False

    def take_in_hand(self) -> None:
        """The exercise that is shown is written now, here and on the command line."""
        if self.exercise is not None:
            self.work.move_to(self.exercise)
            self.news, self.solution = News("loading"), False

    def take_hint(self) -> None:
        """One more hint; that it was read is written down."""
        if self.exercise is not None:
            self.work.next_hint(self.exercise)

    def chapters(self) -> Iterator[tuple[Chapter, list[Exercise]]]:
        """The chapters with those of their exercises that are listed."""
        for chapter in self.work.course.chapters:
            listed = [exercise for exercise in chapter.exercises if exercise in self.listed]
            if listed:
                yield chapter, listed

    def row(self, exercise: Exercise, width: int) -> Content:
        """Its line in the list."""
        return row(exercise, self.work.record(exercise), self._begun(exercise), self.texts, width)

    def _begun(self, exercise: Exercise) -> bool:
        try:
            return self.work.begun(exercise)
        except UserError:  # the file is there twice: said when it is checked
            return False

    @property
    def done(self) -> int:
        """How many of those listed have passed."""
        return sum(bool(self.work.record(exercise).passed) for exercise in self.listed)

    @property
    def passed(self) -> bool:
        """Whether the exercise that is shown has passed."""
        return self.exercise is not None and bool(self.work.record(self.exercise).passed)

    @property
    def following(self) -> Exercise | None:
        """The next exercise of the list that has not passed, else the first such."""
        if self.exercise is None:
            return None
        place = self.listed.index(self.exercise)
        others = (*self.listed[place + 1 :], *self.listed[:place])
        return next((exercise for exercise in others if not self.work.record(exercise).passed), None)

    @property
    def questions(self) -> list[Question]:
        """The questions that the exercise shown belongs to, the closest first."""
        names = self.exercise.questions if self.exercise else ()
        return [question for name in names for question in self.bank if name in (question.id, str(question.number))]

    def view(self) -> View:
        """All that there is to show of the exercise."""
        exercise, work, language = self.exercise, self.work, self.texts.language
        assert exercise is not None
        source, run = files(exercise, language), ""
        with contextlib.suppress(UserError):
            method = method_of(exercise)[0].rpartition(".")[2]
            run = say(language, "run.try", name=exercise.name, method=method)
        return View(
            exercise,
            next(chapter.title[language] for chapter in work.course.chapters if exercise in chapter.exercises),
            work.record(exercise),
            self._begun(exercise),
            near(work.path(exercise)),
            own_part(source.start),
            [f"{question.number}  {question.question}" for question in self.questions],
            self.news,
            own_part(source.solution) if self.solution else "",
            run,
            following.name if (following := self.following) else "",
        )


def read_folder(text: str) -> Path:
    """A folder as it was typed.  Raises ValueError where nothing was."""
    if not text:
        raise ValueError(text)
    return Path(text).expanduser()


def open_bench(kit: Kit, question: Question | None = None) -> Bench | None:
    """The folder that the command line finds from here; None where there is none."""
    try:
        root = find_root(Path.cwd())
    except UserError:
        return None
    return Bench(kit, Desk(root), question)
