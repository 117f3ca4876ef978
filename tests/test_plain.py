"""How an answer is laid out in lines of a terminal."""

import doctest
import importlib
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
