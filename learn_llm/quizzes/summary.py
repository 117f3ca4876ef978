"""Where a learner stands, in numbers: what waits, days in a row, and by topic what is recalled now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from learn_llm.quizzes.bank import Bank, Question
from learn_llm.quizzes.drill_history import DrillHistory
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.schedule import Card


@dataclass(frozen=True)
class Standing:
    """How some questions stand; a reviewed one was rated at least once, a due one is among them."""

    questions: int
    due: int
    new: int
    reviewed: int
    recall: float | None
    """Mean chance, from 0 to 1, that a reviewed question is recalled now; None where none was reviewed."""
    drilled: int
    """How many were asked in a drill."""
    drilled_right: int
    """Of these, how many were answered rightly the last time."""


@dataclass(frozen=True)
class Summary:
    """All questions, each topic in the order of the bank's topics, and the days of study."""

    all: Standing
    topics: dict[str, Standing]
    today: int
    """Ratings given today."""
    streak: int
    """Days in a row, up to today or yesterday, with a rating, a drill or an interview."""


def summarise(progress: Progress, bank: Bank) -> Summary:
    """Where the learner of `progress` stands with the questions of `bank`."""
    from learn_llm.quizzes.index import TOPICS

    cards = progress.cards()
    due = set(progress.due(bank.by_id))
    drilled = {answer.question_id: answer.correct for answer in DrillHistory(progress).answers()}

    def standing(questions: Sequence[Question]) -> Standing:
        ids = [question.id for question in questions]
        reviewed = [cards[id] for id in ids if id in cards]
        asked = [drilled[id] for id in ids if id in drilled]
        return Standing(
            questions=len(ids),
            due=len(due & set(ids)),
            new=len(ids) - len(reviewed),
            reviewed=len(reviewed),
            recall=_recall(progress, reviewed),
            drilled=len(asked),
            drilled_right=sum(asked),
        )

    topics = {topic: bank.select(topic=topic) for topic in TOPICS}
    return Summary(
        all=standing(bank.questions),
        topics={topic: standing(questions) for topic, questions in topics.items() if questions},
        today=progress.counts(bank.by_id).done_today,
        streak=streak(study_days(progress), progress.schedule.day(progress.schedule.now())),
    )


def study_days(progress: Progress) -> set[date]:
    """The learner's days on which something was answered."""
    rows = progress.db.execute(
        "SELECT reviewed_at FROM review WHERE undone_at IS NULL UNION SELECT answered_at FROM drill"
        " UNION SELECT started_at FROM interview WHERE id IN (SELECT interview_id FROM interview_answer)"
    )
    return {progress.schedule.day(datetime.fromisoformat(moment)) for (moment,) in rows}


def streak(days: set[date], today: date) -> int:
    """How many days in a row end today, or yesterday where today is still to come.

    >>> streak({date(2026, 3, 1), date(2026, 3, 3), date(2026, 3, 4)}, date(2026, 3, 5))
    2
    """
    day = today if today in days else today - timedelta(days=1)
    count = 0
    while day in days:
        count += 1
        day -= timedelta(days=1)
    return count


def _recall(progress: Progress, cards: Sequence[Card]) -> float | None:
    chances = [progress.schedule.retrievability(card) for card in cards]
    return sum(chances) / len(chances) if chances else None
