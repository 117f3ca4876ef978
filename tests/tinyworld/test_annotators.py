"""Annotators: their noise is what was asked for, and the ceiling that follows from it."""

from random import Random

import pytest

from learn_llm.tinyworld import annotators
from learn_llm.tinyworld.tasks import families


@pytest.mark.parametrize("noise", [0.1, 0.25, 1.0])
@pytest.mark.parametrize("difference", [0.0, 0.2, 0.7])
def test_labels_are_bradley_terry_draws(noise: float, difference: float) -> None:
    rng = Random(0)
    n = 20_000
    share = sum(annotators.prefers(difference, 0.0, rng, noise) for _ in range(n)) / n
    wanted = annotators.preference(difference, 0.0, noise)
    assert abs(share - wanted) <= 4 * (wanted * (1 - wanted) / n) ** 0.5 + 1e-9


def test_without_noise_the_better_one_wins() -> None:
    rng = Random(1)
    assert all(annotators.prefers(0.1, 0.0, rng, 0.0) for _ in range(100))
    assert not any(annotators.prefers(0.0, 0.1, rng, 0.0) for _ in range(100))


def test_a_grade_costs_no_draw_and_changes_no_label() -> None:
    plain, graded, drawn = Random(4), Random(4), Random(5)
    for _ in range(2000):
        a, b, noise = drawn.uniform(-1, 1), drawn.uniform(-1, 1), drawn.choice((0.0, 0.1, 0.5))
        first, _ = annotators.compare(a, b, graded, noise)
        assert first == (plain.random() < annotators.preference(a, b, noise))
    assert plain.getstate() == graded.getstate()


def test_the_clearer_the_preference_the_higher_the_grade_and_the_surer_the_label() -> None:
    rng, right = Random(6), [[0, 0] for _ in annotators.GRADES]
    for _ in range(20_000):
        difference = rng.uniform(-1, 1)
        first, grade = annotators.compare(difference, 0.0, rng)
        right[grade][0] += first == (difference > 0)
        right[grade][1] += 1
    shares = [hits / count for hits, count in right]
    assert shares == sorted(shares)
    assert shares[0] < 0.7 < 0.95 < shares[3]
    assert min(count for _, count in right) > 1000
    without = [annotators.compare(d, 0.0, rng, 0.0) for d in (0.2, -0.25, 0.6, -1.0)]
    assert without == [(True, 0), (False, 1), (True, 2), (False, 3)]


def test_the_ceiling_is_the_accuracy_of_the_true_order() -> None:
    rng = Random(2)
    differences = [rng.uniform(-1, 1) for _ in range(30_000)]
    hits = sum(annotators.prefers(d, 0.0, rng) == (d > 0) for d in differences) / len(differences)
    assert abs(hits - annotators.ceiling(differences)) < 0.01


def test_feedback_names_a_flaw_where_there_is_one() -> None:
    rng = Random(3)
    good = {remark for remark, _ in annotators.REMARKS.values()}
    for task in families():
        item = task.sample(rng)
        assert annotators.feedback(item, item.reference, rng).removesuffix(" .") in good
        assert annotators.feedback(item, "", rng).removesuffix(" .") not in good
