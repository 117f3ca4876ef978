"""The rubric: a flawless response scores 5 everywhere, and each perturbation moves its own skill alone."""

from random import Random

import pytest

from learn_llm.tinyworld import rubric, writers
from learn_llm.tinyworld.tasks import Item, families


def _items(per_task: int = 60) -> list[Item]:
    rng = Random(0)
    return [task.sample(rng) for task in families() for _ in range(per_task)]


def test_a_reference_scores_five_on_every_tagged_skill() -> None:
    for item in _items():
        assert set(rubric.score(item, item.reference).values()) == {5}, item
        assert rubric.gold(item, item.reference) == 1.0


@pytest.mark.parametrize("quality", rubric.SKILLS)
def test_a_perturbation_moves_its_own_skill_and_no_other(quality: str) -> None:
    rng = Random(1)
    items = [item for item in _items() if quality in item.skills]
    assert len(items) >= 50
    moved = 0
    for item in items:
        response = writers.write(item, quality, rng)
        scores = rubric.score(item, response)
        others = {skill: value for skill, value in scores.items() if skill != quality and value != 5}
        assert not others, (item.prompt, response, scores)
        moved += scores[quality] < 5
    assert moved / len(items) >= 0.95, quality


def test_spaces_before_marks_make_no_difference() -> None:
    rng = Random(2)
    for item in _items(10):
        text = writers.demonstration(item, rng)
        assert rubric.score(item, text) == rubric.score(item, text.replace(" .", ".").replace(" ,", ","))


def test_an_empty_response_is_bad_and_no_error() -> None:
    for item in _items(5):
        assert rubric.gold(item, "") <= 0.5
        assert all(1 <= value <= 5 for value in rubric.score(item, "").values())


def test_rules_stay_in_range_on_random_words() -> None:
    rng = Random(3)
    for item in _items(5):
        words = item.prompt.split() + item.reference.split()
        text = " ".join(words[int(rng.random() * len(words))] for _ in range(12))
        assert all(1 <= value <= 5 for value in rubric.score(item, text).values())


def test_demonstrations_mix_good_and_flawed() -> None:
    rng = Random(4)
    scores = [rubric.gold(item, writers.demonstration(item, rng)) for item in _items(20)]
    assert 0.05 < sum(score == 1.0 for score in scores) / len(scores) < 0.5
    assert min(scores) < -0.4
