"""Search: in both languages whichever is shown, in any case and width, and forgiving one mistyped word."""

import re

import pytest

from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.desk import Standing
from learn_llm.quizzes.filters import Filter


def found(words: str, lang: str = "en", **chosen: str) -> list[str]:
    questions = load_bank(lang=lang).questions
    standings = {question.id: Standing("new") for question in questions}
    return [question.id for question in Filter(words=words, **chosen).select(questions, standings)]


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize(
    "words",
    ["kv cache", "KV キャッシュ", "ＫＶ　ＣＡＣＨＥ", "CACHE why faster"],
    ids=["English", "Japanese", "full width", "capitals"],
)
def test_both_languages_are_searched_whichever_is_shown(lang: str, words: str) -> None:
    assert found(words, lang)[0] == "kv-cache"


def test_a_word_is_found_in_other_forms_and_not_inside_of_other_words() -> None:
    assert "ppo" in found("clipping")
    assert set(found("clipping")) == set(found("clipped"))
    hits = found("KL")
    assert hits[0] == "kl-dpo"
    assert {"ppo", "over-optimisation", "reward-model"} & set(hits)
    assert all(re.search(r"\bkl", answer(id).lower()) for id in hits)


def test_questions_that_are_called_so_come_before_those_that_mention_it() -> None:
    hits = found("attention")
    called = [id for id in hits if "attention" in load_bank().by_id[id].question.lower()]
    assert hits[: len(called)] == called
    assert len(called) < len(hits)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_topic_is_found_by_its_name_in_both_languages(lang: str) -> None:
    of_topic = {question.id for question in load_bank().questions if "reinforcement-learning" in question.topics}
    for words in ("reinforcement learning", "reinforcement-learning", "強化学習"):
        assert of_topic <= set(found(words, lang))


@pytest.mark.parametrize(
    ("words", "id"),
    [("atention scores", "attention"), ("quantizaton", "quantisation"), ("optimizers", "optimisers")],
)
def test_a_mistyped_word_finds_what_is_spelt_nearly_so(words: str, id: str) -> None:
    assert id in found(words)
    assert len(found(words)) < 25


def test_a_mistyped_word_in_katakana() -> None:
    assert "kv-cache" in found("キャシュ", "ja")


def test_what_is_spelt_right_is_not_mixed_with_what_is_spelt_nearly_so() -> None:
    assert "kv-cache" in found("cache")
    assert all("cache" in answer(id).lower() for id in found("cache"))


def answer(id: str) -> str:
    question = load_bank().by_id[id]
    return f"{question.question} {question.short_answer} {question.full_answer}"


@pytest.mark.parametrize("words", ["xyzzy", "no such words anywhere", "キキキキキキ", "zzzz cache", "qq"])
def test_nothing_is_found_where_nothing_is_near(words: str) -> None:
    assert found(words) == []


def test_views_and_topics_still_hold() -> None:
    assert set(found("gradient", view="basic")) < set(found("gradient"))
    basic = {question.id for question in load_bank().questions if question.level == "basic"}
    assert set(found("gradient", view="basic")) <= basic
    assert found("cache", topic="search") == []
