"""How likely the answers are to come to mind on the day of the interview.

The chance of recall is FSRS's forgetting curve, from each card's last review to that day, as if nothing were reviewed
in between:

    R(t, S) = (1 + F·t/S)^-w,   F = 0.9^(-1/w) - 1      (FSRS-6; t days, S the card's stability in days, w = 0.1542)

so that R(S, S) = 0.9.  It is written out here because loading the `fsrs` package takes longer than the app may take to
start; a test holds it equal to the package's own.

  1. A card that was never seen counts as 0: what one has not learnt cannot be counted on.
  2. Days are the learner's days (see `schedule`); a card of today, or of a clock that was set back, counts as recalled.
  3. Chance of recall is by the learner's own ratings.  It says nothing about how an interviewer grades.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from learn_llm.quizzes.bank import Bank
from learn_llm.quizzes.index import TOPICS
from learn_llm.quizzes.schedule import Card, Schedule

W = 0.1542
"""How fast the curve falls: the last of FSRS-6's 21 default parameters."""
F = 0.9 ** (-1 / W) - 1


@dataclass(frozen=True)
class Readiness:
    """How some questions stand for a day."""

    questions: int
    seen: int
    """How many were rated at least once."""
    recall: float
    """Mean chance of recall over all of the questions, from 0 to 1; one that was never seen counts as 0."""


def recall_after(days: float, stability: float) -> float:
    """The chance, from 0 to 1, that a card is recalled so many days after its last review.

    >>> round(recall_after(0, 8.0), 3), round(recall_after(8, 8.0), 3), round(recall_after(30, 8.0), 3)
    (1.0, 0.9, 0.788)
    """
    return float((1 + F * days / stability) ** -W)


def recall_on(card: Card, day: date, schedule: Schedule) -> float:
    """The chance, from 0 to 1, that the card is recalled on this day of the learner; 0 where it was never seen."""
    if card.last_review is None or not card.stability:
        return 0.0
    return recall_after(max(0, (day - schedule.day(card.last_review)).days), card.stability)


def readiness(ids: Iterable[str], cards: Mapping[str, Card], day: date, schedule: Schedule) -> Readiness:
    """How these questions stand for the day, with `cards` by question."""
    wanted = list(ids)
    seen = [cards[id] for id in wanted if id in cards]
    recall = sum(recall_on(card, day, schedule) for card in seen)
    return Readiness(len(wanted), len(seen), recall / len(wanted) if wanted else 0.0)


def by_topic(bank: Bank, cards: Mapping[str, Card], day: date, schedule: Schedule) -> dict[str, Readiness]:
    """Each topic that has a question, in the order of the bank's topics; a question counts in all of its topics."""
    topics = {topic: [question.id for question in bank.select(topic=topic)] for topic in TOPICS}
    return {topic: readiness(ids, cards, day, schedule) for topic, ids in topics.items() if ids}
