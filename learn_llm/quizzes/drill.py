"""The drill: multiple choice, the weak and the new questions first, the options each time in another order.

A drill is a session of a few questions.  What is asked, and where the right option stands, depends on the seed and on
the answers given before, on nothing else.  It never touches the review schedule: recognising an answer among four is
easier than giving it.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

SESSION = 10
"""Questions in one drill."""
OPTIONS = 4


@dataclass(frozen=True)
class Answer:
    """One answer that was given and kept.  `chosen` counts the options from 0 in the order of the question's file."""

    question_id: str
    chosen: int
    correct: bool
    answered_at: datetime


def strength(results: Sequence[bool]) -> float:
    """How well a question is known: it starts at 0.5, and each result goes half the way to 1 (right) or 0 (wrong).

    So a question missed the last time is below a new one, and one answered rightly the last time above it.

    >>> [strength(results) for results in ((False,), (True, False), (), (False, True), (True,))]
    [0.25, 0.375, 0.5, 0.625, 0.75]
    """
    value = 0.5
    for correct in results:
        value = (value + correct) / 2
    return value


def choose(ids: Iterable[str], answers: Iterable[Answer], count: int, seed: int) -> tuple[str, ...]:
    """The questions of a drill in order: the weakest first, never asked ones before those answered rightly.

    Args:
        ids: the questions there are.
        answers: what was answered before, in the order of time.
        count: at most so many are chosen.
        seed: decides among those that are equally strong.
    """
    results: dict[str, list[bool]] = {}
    for answer in answers:
        results.setdefault(answer.question_id, []).append(answer.correct)
    shuffled = sorted(set(ids))
    random.Random(f"questions {seed}").shuffle(shuffled)
    return tuple(sorted(shuffled, key=lambda id: strength(results.get(id, ())))[:count])


def option_order(question_id: str, seed: int) -> tuple[int, ...]:
    """In what order the options of a question are shown: the place in the file of the first, the second and so on."""
    order = list(range(OPTIONS))
    random.Random(f"options {seed} {question_id}").shuffle(order)
    return tuple(order)


@dataclass
class Drill:
    """One session: the questions in order, what was chosen so far, and which question it stands at."""

    ids: tuple[str, ...]
    seed: int
    results: list[tuple[str, int, bool]] = field(default_factory=list)
    """Question, option chosen (counted as in the file) and whether it was right, in the order of answering."""
    place: int = 0

    @property
    def question_id(self) -> str | None:
        """The question it stands at; None at the end."""
        return self.ids[self.place] if self.place < len(self.ids) else None

    @property
    def order(self) -> tuple[int, ...]:
        """How the options of this question are ordered."""
        return option_order(self.question_id or "", self.seed)

    @property
    def chosen(self) -> int | None:
        """The option that was chosen for this question, counted as in the file; None before."""
        given = self.results[-1:]
        return given[0][1] if given and given[0][0] == self.question_id else None

    @property
    def right(self) -> int:
        """How many answers were right."""
        return sum(correct for _, _, correct in self.results)

    @property
    def missed(self) -> list[tuple[str, int]]:
        """The questions answered wrongly, each with the option that was chosen."""
        return [(question_id, chosen) for question_id, chosen, correct in self.results if not correct]

    def answer(self, chosen: int, correct: bool) -> None:
        """Takes the answer to the question it stands at; the first one counts."""
        if self.question_id is not None and self.chosen is None:
            self.results.append((self.question_id, chosen, correct))

    def go_on(self) -> None:
        """On to the next question."""
        self.place += 1

    def stop(self) -> None:
        """Leaves out the questions that are left."""
        self.place = len(self.ids)
