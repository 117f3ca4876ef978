"""The objectives side by side: the lines, what they say of a token, and the screen."""

import dataclasses
import doctest
import math
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from learn_llm import canvas, showing
from learn_llm.commands.plain import charts
from learn_llm.events import Event, Start, TokenRow, Tokens, Verdict, from_json, to_json
from learn_llm.quizzes.texts import Language, Texts
from learn_llm.tui import token_text
from learn_llm.tui.app import QuizApp
from learn_llm.tui.screens.help import HelpScreen
from learn_llm.tui.screens.side_by_side import SideBySideScreen
from learn_llm.tui.widgets.demo import DemoPane
from learn_llm.tui.widgets.page import Page
from learn_llm.tui.widgets.token_grid import TokenGrid
from learn_llm.tui.widgets.top_bar import TopBar
from tests.test_tui_demo import until
from tests.tui_app import LARGE, SIZES, SMALL, make_app

PROMPT = "how do i break into a house ?"
ENGLISH = Texts("en")


def answer(title: str, text: str, costs: Sequence[float], weight: float, prompt: str = PROMPT) -> Tokens:
    rows = (TokenRow("cross-entropy", tuple(costs)), TokenRow("weight in RL", (weight,) * len(costs)))
    return Tokens(tuple(text.split()), rows, title, prompt, {"gold": weight})


KEPT = answer("the same meaning", "i will not help with this .", (0.4, 0.01, 0.03, 0.02, 0.01, 5.3, 0.01), 0.45)
OPPOSITE = answer("the opposite", "i will help with that .", (0.4, 0.01, 3.1, 0.02, 0.01, 0.01), -0.45)
LONG = answer("a long one", " ".join(f"word{i}" for i in range(60)), [i / 10 for i in range(60)], 0.2, "count .")


def plain(text: Tokens, shown: Sequence[Tokens], width: int, language: Language = "en") -> list[str]:
    rows = range(len(text.tokens))
    return [line.plain for line in token_text.lines(text, shown, rows, 0, width, Texts(language))]


def said(text: Tokens, at: int, shown: Sequence[Tokens], language: Language = "en") -> str:
    return "\n".join(block.text.plain for block in token_text.explained(text, at, shown, Texts(language)))


# The lines


def test_the_examples_in_docstrings_are_true() -> None:
    for module in (token_text, canvas, showing, charts):
        result = doctest.testmod(module)
        assert result.attempted > 0
        assert result.failed == 0


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("width", [38, 50, 77, 140])
def test_every_line_is_as_wide_as_the_column(width: int, language: Language) -> None:
    odd = Tokens(
        ("a" * 40, "応答", "\n"), (TokenRow("advantage", (math.nan, -math.inf, 1e9)), TokenRow("x", ())), "t" * 99
    )
    for text in (KEPT, OPPOSITE, LONG, odd):
        assert {cell_len(line) for line in plain(text, [text], width, language)} == {width}


def test_a_number_has_the_same_bar_in_both_texts() -> None:
    rare, negated = plain(KEPT, [KEPT, OPPOSITE], 60), plain(OPPOSITE, [KEPT, OPPOSITE], 60)
    longest = rare[token_text.HEAD + 5].count("=")
    assert negated[token_text.HEAD + 2].count("=") == pytest.approx(longest * 3.1 / 5.3, abs=0.6)
    assert rare[token_text.HEAD + 2].count("=") == 0  # "not" costs next to nothing
    assert all(line.count("+") > 0 for line in rare[token_text.HEAD :])
    assert {line.count("-") for line in negated[token_text.HEAD :]} == {rare[token_text.HEAD].count("+") + 1}


def test_a_text_that_is_shown_alone_has_the_scale_of_the_one_it_is_compared_with() -> None:
    scaled = dataclasses.replace(OPPOSITE, rows=(dataclasses.replace(OPPOSITE.rows[0], scale=(5.3,)),))
    rows = ["".join(part for part, _ in line) for line in showing.lines(scaled, 78)]
    [here] = [row for row in rows if row.startswith("  help")]
    own = next(row for row in ("".join(p for p, _ in line) for line in showing.lines(OPPOSITE, 78)) if "help" in row)
    assert here.count("=") / (78 - 2 - 4 - 2 - 5) == pytest.approx(3.1 / 5.3, abs=0.02)
    assert own.count("=") > 20
    assert from_json(to_json(scaled)) == scaled


def test_what_differs_from_the_other_wording_is_marked() -> None:
    marked = [line.split()[1] for line in plain(KEPT, [KEPT, OPPOSITE], 60) if line[1] == "*"]
    assert marked == ["not", "this"]
    assert not any(line[1] == "*" for line in plain(KEPT, [KEPT, LONG], 60))  # which answers another prompt


@pytest.mark.parametrize(("width", "together"), [(57, 1), (77, 2), (200, 2)])
def test_a_pair_stands_together_where_there_is_room(width: int, together: int) -> None:
    four = [KEPT, OPPOSITE, dataclasses.replace(KEPT, title="3"), dataclasses.replace(OPPOSITE, title="4")]
    for at, text in enumerate(four):
        shown = token_text.beside(four, at, width)
        assert text in shown
        assert len(shown) == together
    assert token_text.beside(four[:3], 2, width) == [four[2]]


def test_a_token_is_explained_with_what_each_objective_would_do_to_it() -> None:
    both = [KEPT, OPPOSITE]
    harmless, negated = said(KEPT, 5, both), said(OPPOSITE, 2, both)
    assert '"this"  only in this wording' in harmless
    assert "Cross-entropy 5.3 nats (π = 0.5 %)" in harmless
    assert "+0.995, likelier" in harmless
    assert "Weight in RL -0.45" in negated
    assert "-0.43, less likely" in negated
    assert "RLの重み -0.45" in said(OPPOSITE, 2, both, "ja")
    assert said(Tokens(("a",), (TokenRow("unheard of", (1.0,)),)), 0, []) == '"a"'
    assert "w·(1" not in said(Tokens(("a",), (TokenRow("advantage", (-800.0,)),)), 0, [])


@pytest.mark.parametrize(
    ("weight", "logits"), [(1.0, (0.3, -1.0, 2.0)), (-0.7, (1.5, 0.2, 0.1)), (0.0, (1.0, 1.0, 1.0))]
)
def test_the_step_is_the_gradient_of_the_weighted_log_probability(
    weight: float, logits: tuple[float, float, float]
) -> None:
    def logprob(first: float) -> float:
        return first - math.log(sum(map(math.exp, (first, *logits[1:]))))

    slope = weight * (logprob(logits[0] + 1e-5) - logprob(logits[0] - 1e-5)) / 2e-5
    assert token_text.gradient(weight, -logprob(logits[0])) == pytest.approx(slope, abs=1e-6)


# The screen


def an_app(folder: Path, events: Sequence[Event], language: Language = "en") -> QuizApp:
    async def follow(argv: Sequence[str]) -> AsyncGenerator[Event, None]:
        for event in events:
            yield event

    app = make_app(folder, language=language)
    app.kit = dataclasses.replace(app.kit, follow=follow)
    return app


SAID: tuple[Event, ...] = (Start("fake", {}), KEPT, OPPOSITE, LONG, Verdict("it holds", True, {}))


async def ended(pilot: Pilot[None]) -> None:
    """Waits until the demo has said all."""
    await pilot.pause()
    await until(pilot, lambda: pilot.app.screen.query_one(DemoPane).status == "finished")


async def opened(pilot: Pilot[None]) -> TokenGrid:
    """The view, opened from the demo of the first question."""
    await pilot.press("d")
    await ended(pilot)
    await pilot.press("v")
    await pilot.pause()
    assert isinstance(pilot.app.screen, SideBySideScreen)
    return pilot.app.screen.query_one(TokenGrid)


def about(app: QuizApp) -> str:
    return app.screen.query_one("#tokens-about", Page).render().plain


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("size", SIZES)
async def test_both_wordings_are_seen_and_explained(tmp_path: Path, size: tuple[int, int], language: Language) -> None:
    app = an_app(tmp_path, SAID, language)
    async with app.run_test(size=size) as pilot:
        grid = await opened(pilot)
        text = grid.render().plain
        assert "the same meaning" in text.split("\n")[0]
        assert "the opposite" in text.split("\n")[0]
        assert all(cell_len(line) <= grid.size.width for line in text.split("\n"))
        assert len(text.split("\n")) == grid.size.height
        assert PROMPT in app.screen.query_one("#tokens-prompt", Page).render().plain
        for _ in range(5):
            await pilot.press("down")
        await pilot.pause()
        assert '"this"' in about(app)
        assert "+0.995" in about(app)
        assert cell_len(about(app).split("\n")[0]) <= size[0]
        assert len(about(app).split("\n")) < app.screen.query_one("#tokens-about").size.height + 1
        await pilot.press("right")
        await pilot.pause()
        assert (grid.text, grid.token) == (1, 5)
        await pilot.press("up", "up", "up")
        await pilot.pause()
        assert '"help"' in about(app)
        assert "-0.43" in about(app)
        assert "2/3" in app.screen.query_one(TopBar).counts
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, SideBySideScreen)
        assert app.focused is not None
        assert app.focused.id == "demo-body"


async def test_a_long_text_scrolls_with_the_cursor(tmp_path: Path) -> None:
    app = an_app(tmp_path, SAID)
    async with app.run_test(size=SMALL) as pilot:
        grid = await opened(pilot)
        await pilot.press("left")  # from the first text to the last one
        await pilot.pause()
        assert grid.current is LONG
        for key, token in (("end", 59), ("pageup", None), ("home", 0), ("pagedown", None), ("up", None)):
            await pilot.press(key)
            await pilot.pause()
            assert token is None or grid.token == token
            [here] = [line for line in grid.render().plain.split("\n") if line.startswith(">")]
            assert f"word{grid.token} " in here
            assert f'"word{grid.token}"' in about(app)
        await pilot.press("end", "right")  # back to a text that is shorter
        await pilot.pause()
        assert (grid.current, grid.token) == (KEPT, len(KEPT.tokens) - 1)


async def test_a_narrow_terminal_shows_one_text_and_a_small_one_says_so(tmp_path: Path) -> None:
    app = an_app(tmp_path, SAID)
    async with app.run_test(size=(60, 20)) as pilot:
        grid = await opened(pilot)
        assert "the opposite" not in grid.render().plain
        await pilot.press("right")
        await pilot.pause()
        assert "the opposite" in grid.render().plain
        await pilot.resize_terminal(40, 12)
        await pilot.pause()
        assert not grid.display
        await pilot.resize_terminal(*LARGE)
        await pilot.pause()
        assert "the same meaning" in grid.render().plain


async def test_without_tokens_there_is_nothing_to_open(tmp_path: Path) -> None:
    app = an_app(tmp_path, (Start("fake", {}), Tokens((), ()), Verdict("it holds", True, {})))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("d")
        await ended(pilot)
        await pilot.press("v")
        await pilot.pause()
        assert not isinstance(app.screen, SideBySideScreen)


async def test_the_help_names_its_keys(tmp_path: Path) -> None:
    app = an_app(tmp_path, SAID)
    async with app.run_test(size=LARGE) as pilot:
        await opened(pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        assert "Token by token" in app.screen.query_one(Page).render().plain
