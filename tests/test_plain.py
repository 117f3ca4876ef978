"""How an answer is laid out in lines of a terminal."""

import doctest
import importlib
import re
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learn_llm.commands.questions import answer_lines
from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.plain import columns, page, wrap

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Lines for the terminal

TEXT = st.text(st.sampled_from("abc 、。）（「」方策ー(),.-θ"), max_size=120)


@PATIENT
@given(TEXT, st.integers(20, 60))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = wrap(text, width, "- ", "  ")
    assert all(columns(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "").removeprefix("-") == text.replace(" ", "")


@PATIENT
@given(st.text(st.sampled_from("方策勾配、。）（「」ー"), max_size=120), st.integers(20, 60))
def test_no_japanese_line_begins_with_a_closing_mark(text: str, width: int) -> None:
    if re.search("[、。）」ー（「]{6}", text):
        return  # a run of marks has no good place to be broken
    lines = wrap(text, width)
    assert not [line for line in lines[1:] if line[0] in "、。）」ー"]
    assert not [line for line in lines[:-1] if line[-1] in "（「"]


@pytest.mark.parametrize("width", [40, 60, 76])
def test_every_answer_fits_every_width(width: int) -> None:
    for question in load_bank().questions:
        for line in page(question.full_answer, width):
            assert columns(line) <= width, (question.id, line)
            assert line == line.rstrip()


def test_a_page_of_every_kind_of_block() -> None:
    markdown = "### Two *kinds*\nOne **bold**\nline.\n\n1. first\n   item\n2. second\n\n    a = b\n\n    c = d\n\n"
    markdown += "| n | loss |\n|---|---|\n| 1 | 0.5 |\n| 20 | 0.25 |"
    assert page(markdown, 40) == [
        "Two kinds",
        "",
        "One bold line.",
        "",
        "1. first item",
        "2. second",
        "",
        "    a = b",
        "",
        "    c = d",
        "",
        "n    loss",
        "1    0.5",
        "20   0.25",
    ]
    assert page("| name | meaning |\n|---|---|\n| kl | how far the policy has moved |", 20) == [
        "- name: kl",
        "  meaning: how far",
        "  the policy has",
        "  moved",
    ]


@pytest.mark.parametrize("module", ["bank", "grading", "matching", "negation", "plain", "schedule"])
def test_the_examples_in_the_docstrings(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"learn_llm.quizzes.{module}"))
    assert result.attempted > 0
    assert result.failed == 0


CLOSING = "、。，．・：；！？」』）］｝】〉》〕ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ)]},.;:!?"


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_printed_question_reads_well(width: int, lang: str) -> None:
    for question in load_bank(lang=lang).questions:
        lines = list(answer_lines(question, width))
        for before, line in pairwise(lines):
            place = (question.id, before, line)
            assert columns(line) <= width + 2, place  # "# " leads a heading and is not printed
            start = line.lstrip()[:1]
            assert (
                not start
                or start not in "、。，．・：；！？」』）］｝】〉》〕ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ)]},.;:!?"
            ), place
            assert before[-1:] not in "「『（［｛【〈《〔" or not before, place
            if before and line and not before.startswith(("#", "=", "    ")) and not line.startswith("    "):
                whole = before[-1] + line.lstrip()[:1]
                assert not re.fullmatch(r"[\u30a1-\u30fa\u30fc]{2}", whole), place


def test_no_word_of_an_answer_is_broken() -> None:
    for question in load_bank().questions:
        words = set(re.findall(r"[A-Za-z]{4,}", question.full_answer))
        for width in (60, 80):
            printed = set(re.findall(r"[A-Za-z]{4,}", "\n".join(page(question.full_answer, width))))
            assert printed == words, question.id
