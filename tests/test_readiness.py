"""Readiness: FSRS's own forgetting curve, on the learner's days, over all questions."""

import doctest
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import fsrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learn_llm.quizzes import readiness
from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.index import TOPICS
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.readiness import Readiness, by_topic, recall_after, recall_on
from learn_llm.quizzes.schedule import Card, Rating, Schedule

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = NOON.date()


@pytest.fixture
def schedule() -> Schedule:
    return Schedule(clock=lambda: NOON, zone=UTC)


def test_examples() -> None:
    result = doctest.testmod(readiness)
    assert result.attempted > 0
    assert result.failed == 0


@settings(deadline=None)
@given(st.integers(0, 2000), st.floats(0.01, 3000))
def test_the_curve_is_that_of_fsrs(days: int, stability: float) -> None:
    card = fsrs.Card(1, fsrs.State.Review, None, stability, 5.0, NOON, NOON)
    theirs = fsrs.Scheduler().get_card_retrievability(card, NOON + timedelta(days=days))
    assert recall_after(days, stability) == pytest.approx(theirs, rel=1e-12)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(Rating), st.integers(0, 40)), min_size=1, max_size=8), st.integers(0, 365))
def test_a_reviewed_card_is_recalled_as_its_schedule_says(reviews: list[tuple[Rating, int]], later: int) -> None:
    """Through the scheduler that the quiz uses, whatever the ratings and the days between them."""
    schedule = Schedule(clock=lambda: NOON, zone=UTC)
    card, moment = Card("ppo"), NOON
    for rating, days in reviews:
        moment += timedelta(days=days)
        card = schedule.review(card, rating, moment)
    on = moment + timedelta(days=later)
    assert recall_on(card, on.date(), schedule) == pytest.approx(schedule.retrievability(card, on), rel=1e-12)


def test_days_are_the_learners(schedule: Schedule) -> None:
    """Seen at 23:00 and asked at 09:00 of the next day: a day has gone by; until 04:00 it had not."""
    card = schedule.review(Card("ppo"), Rating.GOT_IT, datetime(2026, 3, 1, 23, tzinfo=UTC))
    assert recall_on(card, date(2026, 3, 1), schedule) == 1.0
    assert recall_on(card, date(2026, 3, 2), schedule) < 0.99
    night = schedule.review(Card("ppo"), Rating.GOT_IT, datetime(2026, 3, 2, 3, tzinfo=UTC))
    assert recall_on(night, date(2026, 3, 1), schedule) == 1.0
    assert recall_on(night, date(2026, 3, 2), schedule) == recall_on(card, date(2026, 3, 2), schedule)


def test_a_card_that_was_never_seen_counts_as_nothing(schedule: Schedule) -> None:
    assert recall_on(Card("ppo"), TODAY, schedule) == 0.0
    cards = {"ppo": schedule.review(Card("ppo"), Rating.EASY)}
    assert readiness.readiness(["ppo", "sft", "lora", "flask"], cards, TODAY, schedule) == Readiness(4, 1, 0.25)
    assert readiness.readiness([], cards, TODAY, schedule) == Readiness(0, 0, 0.0)


def test_a_clock_that_was_set_back(schedule: Schedule) -> None:
    card = schedule.review(Card("ppo"), Rating.EASY, NOON + timedelta(days=9))
    assert recall_on(card, TODAY, schedule) == 1.0


def test_topics(tmp_path: Path, schedule: Schedule) -> None:
    """A question counts in all of its topics; further away less is recalled; what is forgotten weighs more."""
    bank = load_bank()
    with Progress(tmp_path / "progress.sqlite3", schedule) as progress:
        progress.rate("search", Rating.EASY)
        progress.rate("ppo", Rating.FORGOT)
        cards = progress.cards()
    now, then = (by_topic(bank, cards, TODAY + timedelta(days=days), schedule) for days in (0, 30))
    assert list(now) == [topic for topic in TOPICS if bank.select(topic=topic)]
    for topic, ready in now.items():
        assert ready.questions == len(bank.select(topic=topic))
        seen = [question.id for question in bank.select(topic=topic) if question.id in cards]
        assert ready.seen == len(seen)
        assert ready.recall == pytest.approx(len(seen) / ready.questions)  # rated today: recalled today
        mean = sum(recall_on(cards[id], TODAY + timedelta(days=30), schedule) for id in seen) / ready.questions
        assert then[topic].recall == pytest.approx(mean)
    later = TODAY + timedelta(days=30)
    assert recall_on(cards["ppo"], later, schedule) < recall_on(cards["search"], later, schedule) < 1.0
