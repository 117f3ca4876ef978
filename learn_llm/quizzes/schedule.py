"""When a question comes back: FSRS through the `fsrs` package, with days as a learner counts them.

FSRS is loaded at the first review, not when the app starts.  What this wrapper settles:

  1. A day begins at 04:00 local time.  FSRS counts whole 24 hours, so a card seen at 23:00 and again at 08:00 would
     count as seen within the day, and one due at 23:00 could not be studied in the morning.
  2. Intervals have fuzz, so that cards do not stay in clumps, and are shown as they will be.  The fuzz depends on the
     seed, the question and its number of reviews alone: two processes, or an undone and repeated rating, agree.
  3. A clock that was set back: a review from the future counts as one of now.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import fsrs

DAY_BEGINS = timedelta(hours=4)
CLOCK_SLIP = timedelta(hours=12)
"""A review further in the future than this shows that the clock was wrong."""


class Rating(IntEnum):
    """How an answer went; the numbers are the keys that give it."""

    FORGOT = 1
    PARTLY = 2
    GOT_IT = 3
    EASY = 4

    @property
    def label(self) -> str:
        """The word on the button."""
        return ("Forgot", "Partly", "Got it", "Easy")[self - 1]


class State(IntEnum):
    """Where a card is in FSRS: in its first steps, on day-long intervals, or back in steps after it was forgotten."""

    LEARNING = 1
    REVIEW = 2
    RELEARNING = 3


@dataclass(frozen=True)
class Card:
    """The memory of one question.  It is new until its first review: then `last_review` is None."""

    question_id: str
    state: State = State.LEARNING
    step: int | None = 0
    stability: float | None = None
    """Days until the chance of recall has fallen to 90 %."""
    difficulty: float | None = None
    """From 1 to 10."""
    due: datetime | None = None
    last_review: datetime | None = None
    reps: int = 0
    lapses: int = 0
    """How often it was forgotten after it had been learnt."""


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


class Schedule:
    """Reviews cards and tells when they are due.  All moments are aware datetimes; those it returns are in UTC.

    Args:
        seed: of the fuzz on intervals.
        clock: gives the time where a method is not given `now`.
        zone: the learner's time zone, None for the machine's.
        retention: the chance of recall at which a card comes back.
        maximum_days: the longest interval.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        clock: Callable[[], datetime] = utc_now,
        zone: tzinfo | None = None,
        retention: float = 0.9,
        maximum_days: int = 365,
    ) -> None:
        self.seed = seed
        self.clock = clock
        self.zone = zone
        self.retention = retention
        self.maximum_days = maximum_days

    def now(self) -> datetime:
        """The time of the clock, in UTC."""
        return self.clock().astimezone(UTC)

    def day(self, moment: datetime) -> date:
        """The learner's day in which the moment lies: it begins at 04:00 local time."""
        return (moment.astimezone(self.zone) - DAY_BEGINS).date()

    def day_start(self, moment: datetime) -> datetime:
        """When the learner's day in which the moment lies began, in UTC."""
        midnight = datetime.combine(self.day(moment), datetime.min.time())
        return (midnight + DAY_BEGINS).replace(tzinfo=self.zone).astimezone(UTC)

    def review(self, card: Card, rating: Rating, now: datetime | None = None) -> Card:
        """The card after it was rated."""
        return self._review(card, rating, now or self.now())

    def preview(self, card: Card, now: datetime | None = None) -> dict[Rating, timedelta]:
        """What each rating would bring: the time until the card comes back, the fuzz as `review` will draw it."""
        now = now or self.now()
        dues = {rating: self._review(card, rating, now).due for rating in Rating}
        return {rating: due - now for rating, due in dues.items() if due is not None}

    def retrievability(self, card: Card, now: datetime | None = None) -> float:
        """The chance, from 0 to 1, that the card is recalled now; 0 for a new card."""
        now = (now or self.now()).astimezone(UTC)
        return float(self._scheduler.get_card_retrievability(self._to_fsrs(card, now), now))

    def is_due(self, card: Card, now: datetime | None = None) -> bool:
        """Whether a card that was reviewed before comes up: in its first steps to the minute, later by the day."""
        now = now or self.now()
        if card.due is None or card.last_review is None:
            return False
        if card.last_review > now + CLOCK_SLIP:
            return True
        return self.day(card.due) <= self.day(now) if card.state is State.REVIEW else card.due <= now

    def _review(self, card: Card, rating: Rating, now: datetime) -> Card:
        import fsrs

        now = now.astimezone(UTC)
        state = random.getstate()  # fsrs draws its fuzz from the global generator
        random.seed(f"{self.seed} {card.question_id} {card.reps}")
        try:
            after, _ = self._scheduler.review_card(self._to_fsrs(card, now), fsrs.Rating(rating), now)
        finally:
            random.setstate(state)
        forgotten = rating is Rating.FORGOT and card.state is State.REVIEW
        return Card(
            question_id=card.question_id,
            state=State(after.state),
            step=after.step,
            stability=after.stability,
            difficulty=after.difficulty,
            due=after.due,
            last_review=now,
            reps=card.reps + 1,
            lapses=card.lapses + forgotten,
        )

    def _to_fsrs(self, card: Card, now: datetime) -> "fsrs.Card":
        """FSRS's form of the card, its last review moved so that the days gone by are the learner's days."""
        import fsrs

        last = card.last_review
        if last is not None:
            days = max((now - last).days, (self.day(now) - self.day(last)).days, 0)
            last = min(last, now - timedelta(days=days))
        return fsrs.Card(
            card_id=1,
            state=fsrs.State(card.state),
            step=card.step,
            stability=card.stability,
            difficulty=card.difficulty,
            due=card.due,
            last_review=last,
        )

    @cached_property
    def _scheduler(self) -> "fsrs.Scheduler":
        import fsrs

        return fsrs.Scheduler(desired_retention=self.retention, maximum_interval=self.maximum_days)


def describe(interval: timedelta) -> str:
    """An interval as a button shows it.

    >>> [describe(timedelta(**time)) for time in ({"seconds": 20}, {"minutes": 5.5}, {"hours": 26}, {"days": 75})]
    ['<1 min', '6 min', '26 h', '2.5 months']
    """
    minutes = interval.total_seconds() / 60
    if minutes < 1:
        return "<1 min"
    if minutes < 59.5:
        return f"{minutes:.0f} min"
    if minutes < 36 * 60:
        return f"{minutes / 60:.0f} h"
    days = minutes / (24 * 60)
    if days < 30:
        return f"{days:.0f} days"
    count, unit = (f"{days / 30:.2g}", "month") if days < 720 else (f"{days / 365:.2g}", "year")
    return f"{count} {unit}{'s' * (count != '1')}"
