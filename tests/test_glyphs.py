"""ASCII in place of what a terminal may not have or may show too wide: in text, on a grid, on an output that cannot."""

import io
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from rich.console import Console

from learn_llm.canvas import cells
from learn_llm.charts import render
from learn_llm.events import Chart, Note, Sample, Series, Start, Table, TokenRow, Tokens, Verdict
from learn_llm.glyphs import SWITCH, ask_for, cell_by_cell, lenient, spelled, wanted
from learn_llm.quizzes.bank import load_bank
from learn_llm.terminal import LiveView, Plain

ROOT = Path(__file__).parent.parent
DRAWN = "".join(map(chr, [*range(0x2190, 0x2200), *range(0x2500, 0x25A0), *range(0x2801, 0x2900)]))


def is_plain(char: str) -> bool:
    """ASCII, or of a width that no terminal doubts: wide in all of them."""
    return char.isascii() or unicodedata.east_asian_width(char) in "WFH"


@pytest.fixture(autouse=True)
def not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "")


def all_text() -> str:
    """Everything that a question says, in both languages."""
    parts = []
    for language in ("en", "ja"):
        for question in load_bank(lang=language).questions:
            parts += [question.question, question.short_answer, question.full_answer]
    return "\n".join(parts)


def test_frames_dots_arrows_and_blocks_are_ascii_and_one_cell_wide() -> None:
    assert cell_by_cell(DRAWN).isascii()
    assert len(cell_by_cell(DRAWN)) == len(DRAWN)
    assert cell_by_cell("┌─┬┐│╰═╯") == "+-++|+-+"


def test_the_questions_keep_their_width_cell_by_cell_and_all_their_japanese() -> None:
    text = all_text()
    assert cells(cell_by_cell(text)) == cells(text)
    for changed in (cell_by_cell(text), spelled(text)):
        assert all(map(is_plain, changed))
        assert [char for char in changed if not char.isascii()] == [
            char for char in text if unicodedata.east_asian_width(char) in "WFH"
        ]


def test_nothing_of_the_questions_is_unknown() -> None:
    """No symbol of the bank has to do with a question mark."""
    unknown = {char for char in all_text() if spelled(char) == "?" != char or cell_by_cell(char) == "?" != char}
    assert not unknown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("L = -log σ(β·Δ)", "L = -log sigma(beta*Delta)"),
        ("Σᵢ pᵢ² ≤ 1", "sum_i p_i^2 <= 1"),
        ("∂L/∂w → 0", "dL/dw -> 0"),
        ("10⁻³ × 2½", "10^-3 x 2 1/2"),
        ("方策π(a|s)の「勾配」", "方策pi(a|s)の「勾配」"),
        ("2πθ café", "2 pi theta cafe"),
    ],
)
def test_symbols_are_spelled(text: str, said: str) -> None:
    assert spelled(text) == said


def test_who_asks_for_ascii_gets_it() -> None:
    utf8, latin = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for encoding in ("utf-8", "latin-1"))
    assert not wanted()
    assert not wanted(utf8)
    assert wanted(latin)
    assert wanted(io.TextIOWrapper(io.BytesIO(), encoding="shift_jis"))  # no braille
    ask_for(True)
    assert wanted()
    assert wanted(utf8)
    ask_for(False)
    assert SWITCH not in os.environ


def test_an_output_that_cannot_gets_words_and_no_error() -> None:
    binary = io.BytesIO()
    out = io.TextIOWrapper(binary, encoding="latin-1", errors="strict")
    lenient(out, io.StringIO())  # a stream without an encoding stays as it is
    print("π → 方策, café", file=out, flush=True)
    assert binary.getvalue().decode("latin-1") == "pi -> ??, café\n"


EVENTS = (
    Start("fake", {"seed": 0}),
    Note("The policy π_θ → better. 方策。"),
    Sample("β = 1?", "√2 ≤ 2", {"gold": 0.5}),
    Table("Δ by arm", ("arm", "Δ"), (("π", 0.1), ("方策", 0.2))),
    Tokens(("a", "…"), (TokenRow("∇", (0.1, 0.2)),)),
    Chart("line", "KL over β", "β", "KL", (Series("π", (0.0, 1.0), (0.0, 1.0)), Series("ρ", (0.0, 1.0), (1.0, 0.0)))),
    Chart("bar", "", "", "", (Series("", ("α", "β"), (0.1, 0.4)),)),
    Chart("heatmap", "", "", "", (Series("α", ("a", "b"), (0.1, 0.4)),)),
    Verdict("E[Δ] ≥ 0", True, {"gold_difference": 0.3}),
)


@pytest.mark.parametrize("live", [False, True])
def test_a_run_is_shown_in_ascii_where_that_is_asked_for(live: bool) -> None:
    ask_for(True)
    out = io.StringIO()
    view = LiveView(Console(file=out, force_terminal=True, width=80, no_color=True)) if live else Plain(out)
    for event in EVENTS:
        view.show(event)
    view.close()
    text = out.getvalue()
    assert "方策" in text
    assert all(map(is_plain, text)), {char for char in text if not is_plain(char)}
    assert "pi_theta -> better" in text
    assert "E[Delta] >= 0" in text


def test_a_chart_is_drawn_in_ascii_where_that_is_asked_for() -> None:
    assert not render(EVENTS[5], 40, 10).isascii()
    ask_for(True)
    drawn = render(EVENTS[5], 40, 10)
    assert drawn == render(EVENTS[5], 40, 10, ascii=True)
    assert drawn != render(EVENTS[5], 40, 10, ascii=False)


@pytest.mark.parametrize("arguments", [("ask", "ppo"), ("ask", "ppo", "--lang", "ja"), ("demo",), ("questions",)])
def test_a_console_that_has_few_characters_gets_every_command(arguments: tuple[str, ...]) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "learn_llm.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        timeout=120,
    )
    text = result.stdout.decode("latin-1")
    if "ja" in arguments:
        assert (result.returncode, result.stdout) == (2, b"")
        assert result.stderr.count(b"\n") == 1
        assert b"cannot show Japanese" in result.stderr
    else:
        assert result.returncode == 0, result.stderr
        assert text
        assert not re.search(r"\?(?!\s|\))", text)  # what stands for an unknown character, not the end of a question
