"""A mock interview: which questions are asked, what was answered, and what comes next.

A question is asked, the answer graded against its key points, then some of its follow-up questions are asked, and so
on to the next question:

    asking -> graded -> follow_up (none or more) -> asking ... -> done

The grader reads words and can err, so the learner may overrule it point by point; both verdicts are kept.  Nothing here
knows a screen or a database.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from learn_llm.errors import UserError
from learn_llm.quizzes.bank import Bank, Question
from learn_llm.quizzes.grading import grade
from learn_llm.quizzes.index import LEVELS

FOLLOW_UPS = 2
"""How many follow-up questions are asked after each answer."""
RATINGS = (1, 2, 3)
"""Of an answer to a follow-up, by the learner: forgot, partly, got it."""
Stage = Literal["asking", "graded", "follow_up", "done"]


@dataclass(frozen=True)
class Plan:
    """The questions of an interview in their order, and what they were chosen by ("" and () for any)."""

    ids: tuple[str, ...]
    level: str = ""
    topics: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Point:
    """A key point: whether the grader found it in the answer and where (`text[start:end]`), and whether it counts."""

    text: str
    found: bool
    said: bool
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def judged(self) -> Literal["found", "claimed", "refused", "missed"]:
        """How it was judged: by the grader, or by the learner, who corrects it."""
        if self.said:
            return "found" if self.found else "claimed"
        return "refused" if self.found else "missed"


@dataclass(frozen=True)
class FollowUp:
    """A follow-up question with its answer, and how the learner rated their own (0: not asked yet)."""

    question: str
    answer: str
    rating: int = 0


@dataclass(frozen=True)
class Answer:
    """What was answered to one question.  It holds all that a report needs, so that a later bank does not change it."""

    id: str
    number: int
    question: str
    topics: tuple[str, ...]
    demo: str
    text: str
    seconds: float
    """From the question to the end of the answer."""
    points: tuple[Point, ...]
    follow_ups: tuple[FollowUp, ...]

    @property
    def marks(self) -> tuple[float, int]:
        """Marks reached and marks possible: one for each key point and each follow-up that was rated.

        A follow-up that was answered partly is half a mark.
        """
        rated = [follow_up.rating for follow_up in self.follow_ups if follow_up.rating]
        reached = sum(point.said for point in self.points) + sum((rating - 1) / 2 for rating in rated)
        return reached, len(self.points) + len(rated)

    @property
    def score(self) -> float:
        """The share of the marks, 0 to 1."""
        return score([self])

    @property
    def missed(self) -> tuple[Point, ...]:
        """The key points that were not said."""
        return tuple(point for point in self.points if not point.said)


def score(answers: Sequence[Answer]) -> float:
    """The share of all marks of these answers, 0 to 1; 0 where there is none to be had."""
    marks = [answer.marks for answer in answers]
    possible = sum(most for _, most in marks)
    return sum(reached for reached, _ in marks) / possible if possible else 0.0


def candidates(bank: Bank, level: str = "", topics: Sequence[str] = ()) -> list[Question]:
    """The questions of this level that have one of these topics at least."""
    return [q for q in bank.select(level or None) if not topics or set(topics) & set(q.topics)]


def choose(bank: Bank, count: int, *, level: str = "", topics: Sequence[str] = (), seed: int = 0) -> Plan:
    """Draw questions at random, none twice, the easier levels first; fewer than `count` where there are no more.

    Raises UserError where none fits or `count` is below 1.
    """
    if count < 1:
        raise UserError(f"an interview has at least one question, not {count}")
    for topic in topics:
        bank.select(topic=topic)  # raises for an unknown one
    fitting = candidates(bank, level, topics)
    if not fitting:
        raise UserError(f"no question of the level {level!r} has one of the topics {', '.join(topics)}; choose more")
    drawn = random.Random(seed).sample(fitting, min(count, len(fitting)))
    drawn.sort(key=lambda question: LEVELS.index(question.level))
    return Plan(tuple(question.id for question in drawn), level, tuple(topics), seed)


class Interview:
    """Where an interview stands.  `answers` may hold those of an interview that was left, and it goes on there."""

    def __init__(self, bank: Bank, plan: Plan, answers: Sequence[Answer] = ()) -> None:
        self.bank = bank
        self.answers = list(answers)
        rest = [id for id in plan.ids[len(self.answers) :] if id in bank.by_id]
        self.plan = replace(plan, ids=(*(answer.id for answer in self.answers), *rest))
        self._reading = bool(answers) and not any(follow_up.rating for follow_up in answers[-1].follow_ups)

    @property
    def stage(self) -> Stage:
        """What the learner does now."""
        if self._reading:
            return "graded"
        if self.follow_up is not None:
            return "follow_up"
        return "asking" if len(self.answers) < len(self.plan.ids) else "done"

    @property
    def place(self) -> int:
        """The number of the question at hand, from 1."""
        return len(self.answers) + (self.stage == "asking")

    @property
    def question(self) -> Question | None:
        """The question that is asked; None in the other stages."""
        return self.bank.by_id[self.plan.ids[len(self.answers)]] if self.stage == "asking" else None

    @property
    def answer(self) -> Answer:
        """The last answer."""
        return self.answers[-1]

    @property
    def follow_up(self) -> FollowUp | None:
        """The follow-up question that is asked next; None where all of the last answer were rated."""
        asked = self.answers[-1].follow_ups if self.answers else ()
        return next((follow_up for follow_up in asked if not follow_up.rating), None)

    def submit(self, text: str, seconds: float) -> Answer:
        """Grade the answer to the question that is asked."""
        question = self.question
        assert question is not None
        points = tuple(Point(said.point, said.made, said.made, said.spans) for said in grade(question.key_points, text))
        drawn = random.Random(f"{self.plan.seed} {question.id}")
        asked = sorted(drawn.sample(range(len(question.follow_ups)), min(FOLLOW_UPS, len(question.follow_ups))))
        follow_ups = [question.follow_ups[number] for number in asked]
        answer = Answer(
            id=question.id,
            number=question.number,
            question=question.question,
            topics=question.topics,
            demo=question.demo,
            text=text,
            seconds=seconds,
            points=points,
            follow_ups=tuple(FollowUp(follow_up.question, follow_up.answer) for follow_up in follow_ups),
        )
        self.answers.append(answer)
        self._reading = True
        return answer

    def overrule(self, number: int) -> Answer:
        """The learner says of key point `number` (from 0) of the last answer that it was said, or that it was not."""
        points = list(self.answer.points)
        points[number] = replace(points[number], said=not points[number].said)
        return self._change(replace(self.answer, points=tuple(points)))

    def go_on(self) -> None:
        """The graded answer was read."""
        self._reading = False

    def rate(self, rating: int) -> Answer:
        """Rates the learner's answer to the follow-up that is asked."""
        follow_ups = list(self.answer.follow_ups)
        number = next(number for number, follow_up in enumerate(follow_ups) if not follow_up.rating)
        follow_ups[number] = replace(follow_ups[number], rating=rating)
        return self._change(replace(self.answer, follow_ups=tuple(follow_ups)))

    def _change(self, answer: Answer) -> Answer:
        self.answers[-1] = answer
        return answer
