"""What the quiz asks about the exercises: which belong to a question, and how many have passed.

The learner's folder is the one that the command line finds from the folder one is in; without one, the bundled course
counts.  A course is read once.
"""

import functools
from collections.abc import Sequence
from pathlib import Path

from learn_llm.errors import UserError
from learn_llm.exercises.courses import Course, Exercise, load_course
from learn_llm.exercises.state import find_root, read_state
from learn_llm.quizzes.bank import Question

MOST = 6
"""Of the exercises of a question, so many are named."""


def about(question: Question) -> Sequence[Exercise]:
    """The exercises that belong to a question, in the order of the course."""
    return _course(Path.cwd()).about(question.id, question.number)


def names_about(question: Question) -> tuple[str, ...]:
    """The names of the first exercises that belong to a question; ".." stands for the others."""
    names = tuple(exercise.name for exercise in about(question))
    return (*names[:MOST], "..") if len(names) > MOST else names


def names_by_question(questions: Sequence[Question]) -> dict[str, tuple[str, ...]]:
    """The names of the first exercises that belong to each of these questions, by its id."""
    return {question.id: names_about(question) for question in questions}


def tally() -> tuple[int, int] | None:
    """How many exercises have passed, and of how many; None where there is no folder that can be read."""
    exercises = _course(Path.cwd()).exercises
    try:
        state = read_state(find_root(Path.cwd()))
    except UserError:
        return None
    if state is None:
        return None
    return sum(bool(state.record(exercise.name).passed) for exercise in exercises), len(exercises)


@functools.lru_cache(maxsize=1)
def _course(place: Path) -> Course:
    try:
        state = read_state(find_root(place))
        return load_course(Path(state.course) if state is not None and state.course else None)
    except UserError:
        return load_course()
