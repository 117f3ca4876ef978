"""The schedule: FSRS's own numbers, and the learner's days, fuzz and clock around them."""

import dataclasses
import random
import time
from datetime import UTC, datetime, timedelta, timezone

import fsrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learn_llm.quizzes.schedule import Card, Rating, Schedule, State, describe

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TOKYO = timezone(timedelta(hours=9))


@pytest.fixture
def schedule() -> Schedule:
    return Schedule(clock=lambda: NOON, zone=UTC)


def learnt(schedule: Schedule, question_id: str = "ppo", at: datetime = NOON) -> Card:
    """A card on day-long intervals, last reviewed at `at`."""
    return schedule.review(Card(question_id), Rating.EASY, at)


def test_a_new_card_previews_the_first_steps_of_fsrs(schedule: Schedule) -> None:
    minutes = [interval.total_seconds() / 60 for interval in schedule.preview(Card("ppo")).values()]
    assert minutes[:3] == [1, 5.5, 10]
    assert minutes[3] in [days * 24 * 60 for days in range(5, 12)]  # 8 days, with fuzz


def test_ratings_have_meanings_and_their_keys() -> None:
    assert [(int(rating), rating.label) for rating in Rating] == [
        (1, "Forgot"),
        (2, "Partly"),
        (3, "Got it"),
        (4, "Easy"),
    ]


@given(st.lists(st.tuples(st.sampled_from(Rating), st.integers(0, 40)), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_at_the_same_hour_of_each_day_it_is_plain_fsrs(reviews: list[tuple[Rating, int]]) -> None:
    schedule, scheduler = Schedule(zone=UTC, maximum_days=36500), fsrs.Scheduler()
    ours, theirs, now = Card("ppo"), fsrs.Card(card_id=1), NOON
    for rating, days in reviews:
        now += timedelta(days=days)
        assert schedule.retrievability(ours, now) == pytest.approx(scheduler.get_card_retrievability(theirs, now))
        previewed = schedule.preview(ours, now)[rating]
        ours = schedule.review(ours, rating, now)
        random.seed(f"0 ppo {ours.reps - 1}")  # the same draw
        theirs, _ = scheduler.review_card(theirs, fsrs.Rating(rating), now)
        assert previewed == theirs.due - now
        assert (int(ours.state), ours.step) == (int(theirs.state), theirs.step)
        assert ours.stability == pytest.approx(theirs.stability)
        assert ours.difficulty == pytest.approx(theirs.difficulty)


def test_late_evening_to_early_morning_is_a_day(schedule: Schedule) -> None:
    evening, morning = NOON.replace(hour=23), NOON.replace(day=11, hour=8)
    card = learnt(schedule, at=evening)
    assert schedule.retrievability(card, morning) < 1
    same_day = schedule.review(card, Rating.GOT_IT, evening + timedelta(minutes=30))
    next_day = schedule.review(card, Rating.GOT_IT, morning)
    assert same_day.stability != next_day.stability


def test_a_card_is_due_from_the_morning_of_its_day(schedule: Schedule) -> None:
    card = dataclasses.replace(learnt(schedule), due=NOON.replace(day=12, hour=23))
    assert not schedule.is_due(card, NOON.replace(day=12, hour=3, minute=59))
    assert schedule.is_due(card, NOON.replace(day=12, hour=4))


def test_the_learners_day_follows_the_learners_zone() -> None:
    schedule = Schedule(zone=TOKYO)
    assert schedule.day(datetime(2026, 3, 10, 18, 59, tzinfo=UTC)).day == 10  # 03:59 on the 11th in Tokyo
    assert schedule.day(datetime(2026, 3, 10, 19, 0, tzinfo=UTC)).day == 11
    assert schedule.day_start(datetime(2026, 3, 10, 20, tzinfo=UTC)) == datetime(2026, 3, 10, 19, tzinfo=UTC)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of the process cannot be set here")
def test_without_a_zone_it_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "JST-9")
    time.tzset()
    try:
        schedule = Schedule()
        assert schedule.day(datetime(2026, 3, 10, 19, 0, tzinfo=UTC)).day == 11
        assert schedule.day_start(datetime(2026, 3, 10, 20, tzinfo=UTC)) == datetime(2026, 3, 10, 19, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_first_steps_are_due_to_the_minute(schedule: Schedule) -> None:
    card = schedule.review(Card("ppo"), Rating.GOT_IT)
    assert card.state is State.LEARNING
    assert not schedule.is_due(card, NOON + timedelta(minutes=9))
    assert schedule.is_due(card, NOON + timedelta(minutes=10))


def test_a_new_card_is_not_due(schedule: Schedule) -> None:
    assert not schedule.is_due(Card("ppo"))
    assert schedule.retrievability(Card("ppo")) == 0


def test_moments_of_other_zones_are_taken_and_utc_comes_back(schedule: Schedule) -> None:
    card = schedule.review(Card("ppo"), Rating.GOT_IT, NOON.astimezone(TOKYO))
    assert card.last_review == NOON
    assert card.last_review.tzinfo is UTC
    assert card.due is not None
    assert card.due.tzinfo is UTC


def test_a_preview_says_the_interval_that_is_given(schedule: Schedule) -> None:
    ids = [f"question-{number}" for number in range(30)]
    given = [(learnt(schedule, name).due or NOON) - NOON for name in ids]
    assert [schedule.preview(Card(name))[Rating.EASY] for name in ids] == given
    assert len(set(given)) > 1
    assert all(timedelta(days=5) <= interval <= timedelta(days=11) for interval in given)


def test_fuzz_depends_on_the_seed_alone_and_leaves_the_global_generator_alone() -> None:
    random.seed(1)
    expected = random.random()
    random.seed(1)
    first = [learnt(Schedule(seed=5, zone=UTC), f"q{number}").due for number in range(20)]
    assert random.random() == expected
    assert [learnt(Schedule(seed=5, zone=UTC), f"q{number}").due for number in range(20)] == first
    assert [learnt(Schedule(seed=6, zone=UTC), f"q{number}").due for number in range(20)] != first


def test_a_clock_that_was_set_back_is_tolerated(schedule: Schedule) -> None:
    future = learnt(schedule, at=NOON + timedelta(days=4000))
    assert schedule.is_due(future, NOON)
    assert schedule.retrievability(future, NOON) == 1
    mended = schedule.review(future, Rating.GOT_IT, NOON)
    assert mended.last_review == NOON
    assert mended.due is not None
    assert NOON < mended.due < NOON + timedelta(days=30)


def test_a_small_step_back_does_not_make_a_card_due(schedule: Schedule) -> None:
    card = learnt(schedule, at=NOON + timedelta(hours=1))
    assert not schedule.is_due(card, NOON)


def test_only_forgetting_what_was_learnt_is_a_lapse(schedule: Schedule) -> None:
    assert schedule.review(Card("ppo"), Rating.FORGOT).lapses == 0
    forgotten = schedule.review(learnt(schedule), Rating.FORGOT, NOON + timedelta(days=9))
    assert (forgotten.lapses, forgotten.reps, forgotten.state) == (1, 2, State.RELEARNING)


def test_intervals_end_at_the_maximum() -> None:
    schedule, card, now = Schedule(zone=UTC, maximum_days=60), Card("ppo"), NOON
    for _ in range(12):
        card = schedule.review(card, Rating.EASY, now)
        assert card.due is not None
        assert card.due - now <= timedelta(days=60)
        now = card.due


def test_memory_fades_towards_the_day_of_the_interview(schedule: Schedule) -> None:
    card = learnt(schedule)
    chances = [schedule.retrievability(card, NOON + timedelta(days=days)) for days in (0, 8, 30, 120)]
    assert chances == sorted(chances, reverse=True)
    assert chances[1] == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (timedelta(0), "<1 min"),
        (timedelta(seconds=59), "<1 min"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=59.6), "1 h"),
        (timedelta(hours=35), "35 h"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=46), "1.5 months"),
        (timedelta(days=30), "1 month"),
        (timedelta(days=365), "12 months"),
        (timedelta(days=1000), "2.7 years"),
    ],
)
def test_intervals_in_words(interval: timedelta, text: str) -> None:
    assert describe(interval) == text
