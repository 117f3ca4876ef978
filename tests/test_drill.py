"""The drill without a screen: what is asked, in what order, and what is kept."""

import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.desk import Desk
from learn_llm.quizzes.drill import OPTIONS, Answer, Drill, choose, option_order, strength
from learn_llm.quizzes.drill_history import DrillHistory
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.schedule import Rating, Schedule

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
IDS = [f"q{number}" for number in range(50)]


def answers(results: dict[str, str]) -> list[Answer]:
    """By question a text of r (right) and w (wrong), in the order of time."""
    return [
        Answer(id, 0, letter == "r", NOON + timedelta(minutes=place))
        for id, letters in results.items()
        for place, letter in enumerate(letters)
    ]


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    return Progress(tmp_path / "progress.sqlite3", Schedule(clock=lambda: NOON, zone=UTC))


# What is asked


def test_weak_questions_come_first_then_new_ones_then_those_answered_rightly() -> None:
    known = answers({"q1": "r", "q2": "w", "q3": "rrrw", "q4": "wwwrrr", "q5": "ww", "q6": "wrr"})
    for seed in range(5):
        assert choose([*IDS[1:7], "q9"], known, 10, seed) == ("q5", "q2", "q3", "q9", "q1", "q6", "q4")


def test_strength_rises_with_right_answers_and_the_last_one_weighs_most() -> None:
    order = [(False, False, False), (False, False), (False,), (), (True,), (True, True), (True, True, True)]
    values = [strength(results) for results in order]
    assert values == sorted(values)
    assert len(set(values)) == len(values)
    assert strength((True,) * 20 + (False,)) < strength(()) < strength((False,) * 20 + (True,))


def test_the_order_depends_on_the_seed_alone() -> None:
    assert choose(IDS, [], 10, 3) == choose(reversed(IDS), [], 10, 3)
    orders = {choose(IDS, [], 10, seed) for seed in range(20)}
    assert len(orders) == 20
    assert all(len(order) == len(set(order)) == 10 for order in orders)
    assert choose(["a"], [], 10, 0) == ("a",)
    assert choose([], answers({"q1": "w"}), 10, 0) == ()


def test_every_question_has_its_turn() -> None:
    known: list[Answer] = []
    for _ in range(5):
        asked = choose(IDS, known, 10, len(known))
        known += answers(dict.fromkeys(asked, "r"))
    assert {answer.question_id for answer in known} == set(IDS)


def test_the_right_option_stands_everywhere_equally_often() -> None:
    """Of the bundled bank over 20 seeds: 1,000 places, each of the four within 5 standard deviations of 250."""
    right = {q.id: [option.correct for option in q.choices.options].index(True) for q in load_bank().questions}
    places = Counter(option_order(id, seed).index(place) for id, place in right.items() for seed in range(20))
    assert sum(places.values()) == 1000
    assert all(abs(places[place] - 250) < 5 * (1000 * 0.25 * 0.75) ** 0.5 for place in range(OPTIONS))
    for seed in range(5):  # nor is it always the same within one drill
        drill = choose(right, [], 10, seed)
        assert len({option_order(id, seed).index(right[id]) for id in drill}) > 1
    assert all(sorted(option_order(id, seed)) == [0, 1, 2, 3] for id in right for seed in range(5))


# A session


def test_a_session_takes_one_answer_each() -> None:
    drill = Drill(("a", "b", "c"), seed=1)
    assert (drill.question_id, drill.chosen) == ("a", None)
    drill.answer(2, False)
    drill.answer(0, True)
    assert (drill.chosen, drill.right, drill.missed) == (2, 0, [("a", 2)])
    drill.go_on()
    assert (drill.question_id, drill.chosen) == ("b", None)
    drill.answer(1, True)
    drill.stop()
    assert (drill.question_id, drill.chosen, drill.right) == (None, None, 1)
    drill.answer(1, True)
    assert drill.results == [("a", 2, False), ("b", 1, True)]


# What is kept


def test_answers_are_kept_as_they_are_given(progress: Progress, tmp_path: Path) -> None:
    history = DrillHistory(progress)
    history.keep("ppo", 2, False, lang="ja", content_hash="abc", duration_ms=900)
    history.keep("ppo", 1, True)
    with Progress(tmp_path / "progress.sqlite3") as other:  # while the first is open: each is on disk
        assert DrillHistory(other).answers() == [Answer("ppo", 2, False, NOON), Answer("ppo", 1, True, NOON)]
        row = other.db.execute("SELECT lang, content_hash, duration_ms FROM drill ORDER BY id").fetchone()
    assert row == ("ja", "abc", 900)


def test_a_drill_leaves_the_schedule_alone(progress: Progress) -> None:
    desk = Desk(load_bank(), progress)
    progress.rate("ppo", Rating.GOT_IT)
    cards, counts = progress.cards(), desk.counts()
    drill = desk.drill(["ppo", "sft"])
    for _ in drill.ids:
        desk.answer_drill(drill, 3)
        drill.go_on()
    desk.refresh()
    assert progress.cards() == cards
    assert desk.counts() == counts
    assert len(DrillHistory(progress).answers()) == 2
    correct = [desk.question(id).choices.options[3].correct for id, _, _ in drill.results]
    assert [result for _, _, result in drill.results] == correct


def test_the_next_drill_asks_what_was_missed(progress: Progress) -> None:
    desk = Desk(load_bank(), progress)
    drill = desk.drill(desk.bank.by_id)
    for number, id in enumerate(drill.ids):
        options = desk.question(id).choices.options
        right = next(place for place, option in enumerate(options) if option.correct)
        desk.answer_drill(drill, right if number % 2 else (right + 1) % OPTIONS)
        drill.go_on()
    following = desk.drill(desk.bank.by_id)
    assert set(following.ids[:5]) == {id for id, _ in drill.missed}
    assert not set(following.ids) & {id for id, _, right in drill.results if right}
    assert following.seed != drill.seed


def test_a_full_disk_is_said_and_the_drill_goes_on(progress: Progress) -> None:
    history = DrillHistory(progress)
    history.keep("sft", 0, True)
    (pages,) = progress.db.execute("PRAGMA page_count").fetchone()
    progress.db.execute(f"PRAGMA max_page_count = {pages}")
    history.keep("ppo", 0, True, content_hash="x" * 9000)
    assert not progress.saving
    assert "full" in progress.notices[0]
    assert [answer.question_id for answer in history.answers()] == ["sft", "ppo"]


def test_a_database_from_before_the_drill_is_brought_up_to_date(progress: Progress, tmp_path: Path) -> None:
    path = tmp_path / "progress.sqlite3"
    card = progress.rate("ppo", Rating.EASY)
    progress.close()
    db = sqlite3.connect(path)
    db.executescript("DROP TABLE drill; DROP TABLE setting; DROP TABLE demo_run; PRAGMA user_version = 2;")
    db.close()
    with Progress(path, Schedule(clock=lambda: NOON, zone=UTC)) as again:
        assert again.notices == ()
        assert again.card("ppo") == card
        DrillHistory(again).keep("ppo", 0, True)
        assert len(DrillHistory(again).answers()) == 1
    assert path.with_name("progress.v2.sqlite3").is_file()
