"""Grading typed answers: which key points are said, where, and that a negated point is not counted."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.grader import measure, summary
from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.grading import grade
from learn_llm.quizzes.header import KeyPoint
from tests.paraphrases import read_paraphrases


def made(point: str, words: list[list[str]], answer: str) -> bool:
    (said,) = grade([KeyPoint(point, tuple(tuple(group) for group in words))], answer)
    assert said.made == bool(said.spans)
    assert all(0 <= start < end <= len(answer) for start, end in said.spans)
    return said.made


@pytest.mark.parametrize(
    ("words", "text", "expected"),
    [
        ([["kl", "penalty"]], "A penalty on the KL divergence.", True),
        ([["kl", "penalty"]], "The KL divergence.", False),
        ([["kl", "penalty"], ["reference"]], "close to the Reference", True),
        ([["on policy"]], "PPO is on-policy.", True),
        ([["on policy"]], "It depends on the policy.", False),
        ([["clip"]], "clipping", True),
        ([["clip"]], "clipboard", False),
        ([["clip*"]], "clipboard", True),
        ([["regularise"]], "regularized", True),
        ([["gradient"]], "the gradeint", True),
        ([["√d"]], "divided by √d", True),
        ([["√d"]], "divided by d", False),
        ([["x²"]], "the term x2", True),
        ([["報酬モデル"]], "学習済みの報酬モデルを使う", True),
        ([["報酬モデル"]], "報酬のモデル", False),
        ([["報酬モデル"]], "報酬ﾓﾃﾞﾙ", True),
        ([["ppo"]], "ＰＰＯは方策勾配法", True),
        ([["kl", "reference"]], "KL. Two. Three sentences on. The reference.", False),
        ([[""]], "anything", False),
        ([["*"]], "anything", False),
        ([["kl"]], "", False),
        ([], "anything", False),
    ],
)
def test_words_are_found(words: list[list[str]], text: str, expected: bool) -> None:
    assert made("A point with other terms.", words, text) is expected


NEEDS = "PPO needs a reward model."
NO_NEED = "DPO does not need a reward model."
OVER = "The heuristic never overestimates the cost."


@pytest.mark.parametrize(
    ("point", "words", "text", "expected"),
    [
        (NEEDS, [["reward model"]], "It needs a reward model.", True),
        (NEEDS, [["reward model"]], "It does not need a reward model.", False),
        (NEEDS, [["reward model"]], "It doesn't need a reward model.", False),
        (NEEDS, [["reward model"]], "It works without a reward model.", False),
        (NEEDS, [["reward model"]], "It needs no reward model.", False),
        (NEEDS, [["reward model"]], "It needs not only labels but a reward model.", True),
        (NEEDS, [["reward model"]], "Labels are not needed, but it needs a reward model.", True),
        (NO_NEED, [["reward model"]], "DPO does not need a reward model.", True),
        (NO_NEED, [["reward model"]], "DPO needs no reward model.", True),
        (NO_NEED, [["reward model"]], "DPO works without a reward model.", True),
        (NO_NEED, [["reward model"]], "DPO needs a reward model.", False),
        (OVER, [["overestimat*"]], "An admissible heuristic never overestimates.", True),
        (OVER, [["overestimat*"]], "An admissible heuristic overestimates.", False),
        ("確率比をクリップする。", [["クリップ"]], "確率比をクリップします。", True),
        ("確率比をクリップする。", [["クリップ"]], "確率比をクリップしません。", False),
        ("確率比をクリップする。", [["クリップ"]], "確率比をクリップしないわけではない。", True),
        ("重みは変わらない。", [["重み"]], "重みは変わりません。", True),
        ("重みは変わらない。", [["重み"]], "重みは変わる。", False),
        ("報酬しか得られない。", [["報酬"]], "得られるのは報酬だけだ。", True),
    ],
)
def test_a_negated_point_is_not_made(point: str, words: list[list[str]], text: str, expected: bool) -> None:
    assert made(point, words, text) is expected


def test_the_span_is_what_was_said() -> None:
    answer = "First. The ＫＬ-penalties keep it close."
    (said,) = grade([KeyPoint("A KL penalty.", (("kl penalty",),))], answer)
    assert [answer[start:end] for start, end in said.spans] == ["ＫＬ-penalties"]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200))
def test_any_text_is_graded(text: str) -> None:
    points = load_bank().questions[42].key_points
    for said in grade(points, text):
        assert all(0 <= start < end <= len(text) for start, end in said.spans)


def test_every_point_has_three_paraphrases() -> None:
    for lang in ("en", "ja"):
        bank = load_bank(lang=lang)
        found = read_paraphrases(lang)
        styles = [(paraphrase.id, paraphrase.style) for paraphrase in found]
        assert styles == [(q.id, style) for q in bank.questions for style in ("terse", "spoken", "synonyms")]
        for paraphrase in found:
            assert len(paraphrase.said) == len(bank.by_id[paraphrase.id].key_points)
            assert all(said != negated for said, negated in zip(paraphrase.said, paraphrase.negated, strict=True))
            assert not any("{" in line for line in paraphrase.said)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_bars(lang: str) -> None:
    rows = measure(lang)
    result = summary(rows)
    assert rows["full"][0] == rows["full"][1]
    assert rows["short"][0] >= 0.9 * rows["short"][1]
    assert rows["mistake"][0] <= 0.01 * rows["mistake"][1]
    assert rows["next"][0] + rows["far"][0] <= 0.05 * (rows["next"][1] + rows["far"][1])
    assert result["precision"] >= 0.9
    assert result["recall"] >= 0.9
    assert result["paraphrases"] >= 0.8
    assert result["negated"] <= 0.1
