"""The bank as training data: every row is read again, right differs from wrong in no length, and the same each time."""

import doctest
import json
import random
from pathlib import Path
from typing import Any

import pytest

from learn_llm.datasets import JsonLines, Kind
from learn_llm.minimal_impls import coh
from learn_llm.minimal_impls.coh_rows import judged
from learn_llm.quizzes import export_data
from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.export_data import ASKED, KINDS, matched, rows, to_json_lines
from learn_llm.training import prepare
from tests.small_models import llama_folder, word_tokenizer
from tests.test_cli import Command, learn_llm

__all__ = ["learn_llm"]  # the fixture

LANGUAGES = ["en", "ja"]
READ_AS: dict[str, Kind] = {"sft": "demonstrations", "preferences": "pairs", "feedback": "pairs"}


def exported(kind: Any, lang: str) -> list[dict[str, str]]:
    return rows(load_bank(lang=lang).questions, kind)


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(export_data)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_row_is_read_by_what_trains_on_it(tmp_path: Path, kind: Any, lang: str) -> None:
    questions = load_bank(lang=lang).questions
    text = to_json_lines(questions, kind)
    assert text == to_json_lines(load_bank(lang=lang).questions, kind)
    (tmp_path / "data.jsonl").write_text(text, "utf-8")
    read = JsonLines(tmp_path / "data.jsonl", READ_AS[kind])
    written = rows(questions, kind)
    assert [row.fields for row in read] == written
    assert {row["question"] for row in written} == {question.id for question in questions}
    assert {tuple(row) for row in written} == {tuple(written[0])}  # one shape a file
    responses = ("completion",) if kind == "sft" else ("chosen", "rejected")
    for row in written:
        for name in ("prompt", *responses):
            assert row[name] == row[name].strip() != ""
            assert "**" not in row[name]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_demonstrations_are_everything_that_is_said_of_a_question(lang: str) -> None:
    questions = load_bank(lang=lang).questions
    expected = sum(3 + len(question.follow_ups) + len(question.mistakes) for question in questions)
    written = exported("sft", lang)
    assert len(written) == expected == 504
    assert len({(row["prompt"], row["completion"]) for row in written}) == expected
    of_ppo = [row for row in written if row["question"] == "ppo"]
    assert of_ppo[0]["prompt"] == load_bank(lang=lang).by_id["ppo"].question
    assert all("\n" not in row["completion"] for row in of_ppo if not row["prompt"].endswith(ASKED[lang][0]))
    assert "\n\n    r_t = " in of_ppo[1]["completion"]  # formulas keep their lines


@pytest.mark.parametrize("lang", LANGUAGES)
def test_there_are_300_pairs_and_length_tells_nothing(lang: str) -> None:
    written = exported("preferences", lang)
    assert len(written) == 300
    assert len({tuple(row.values()) for row in written}) == 300
    assert all(row["chosen"] != row["rejected"] for row in written)
    lengths = [(len(row["chosen"]), len(row["rejected"])) for row in written]
    longer = sum((a > b) + 0.5 * (a == b) for a, b in lengths) / len(lengths)
    assert 0.4 < longer < 0.6
    of_sentences = [pair for row, pair in zip(written, lengths, strict=True) if row["prompt"].endswith(ASKED[lang][1])]
    assert len(of_sentences) == 150
    assert all(0.8 < a / b < 1.25 for a, b in of_sentences)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_rejected_answer_holds_a_mistake_and_the_chosen_one_none(lang: str) -> None:
    for question in load_bank(lang=lang).questions:
        mistakes = [mistake.mistake for mistake in question.mistakes]
        wrong = [*mistakes, *(option.text for option in question.choices.options if not option.correct)]
        places = set()
        for row in rows([question], "preferences"):
            assert any(text in row["rejected"] for text in wrong), question.id
            assert not any(text in row["chosen"] for text in mistakes), question.id
            places |= {row["rejected"].startswith(text) for text in mistakes if text in row["rejected"]}
        assert places == {True, False}, question.id


def test_a_short_answer_of_one_sentence_stands_against_the_mistake_alone() -> None:
    assert matched(["It is."], "It is not.") == (("It is.",), ())


def test_feedback_says_why_and_is_what_coh_reads(tmp_path: Path) -> None:
    written = exported("feedback", "en")
    assert [{name: row[name] for name in ("prompt", "chosen", "rejected", "question")} for row in written] == exported(
        "preferences", "en"
    )
    assert all(row["rejected_feedback"] for row in written)
    assert sum(bool(row["chosen_feedback"]) for row in written) == 150
    data = [
        {"prompt": f"hi {word}", "chosen": "good", "rejected": "bad", "chosen_feedback": "", "rejected_feedback": "no"}
        for word in ("one", "two", "three")
    ]
    (tmp_path / "feedback.jsonl").write_text("".join(json.dumps(row) + "\n" for row in data))
    folder = llama_folder(tmp_path / "llama", word_tokenizer())
    config = coh.Config(model=folder, data=str(tmp_path / "feedback.jsonl"), device="cpu")
    pairs = coh.preference_pairs(prepare(config), config)
    found = [feedback for example in judged(pairs.train, random.Random(0)) for feedback in example.feedback]
    assert {(feedback.good, feedback.remark) for feedback in found} == {(True, ""), (False, "no")}


def test_the_command(learn_llm: Command, tmp_path: Path) -> None:
    result = learn_llm("export", "preferences", "ppo", "--lang", "ja")
    assert result.code == 0
    assert [json.loads(line)["question"] for line in result.out.splitlines()] == ["ppo"] * 6
    result = learn_llm("export", "sft", "1-40", "--out", str(tmp_path / "sft.jsonl"))
    assert (result.code, result.out) == (0, "")
    assert "40 questions written to" in result.err
    assert len({row.fields["question"] for row in JsonLines(tmp_path / "sft.jsonl", "demonstrations")}) == 40
