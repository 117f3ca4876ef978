"""The source of a demo, one key from it; and what a question that is forgotten again and again is offered."""

import ast
import doctest
import importlib
from datetime import timedelta
from pathlib import Path

import pytest

from learn_llm.demos.catalogue import DEMOS
from learn_llm.events import Verdict
from learn_llm.quizzes.desk import LEECH, Desk
from learn_llm.quizzes.schedule import Rating
from learn_llm.quizzes.texts import Language, Texts
from learn_llm.tui import source_text
from learn_llm.tui.screens.source import ABOVE, SourceScreen
from learn_llm.tui.source_text import blocks, formula, height, sources
from learn_llm.tui.widgets.card import CardBody
from learn_llm.tui.widgets.demo import DemoPane
from learn_llm.tui.widgets.page import Page
from learn_llm.tui.widgets.top_bar import TopBar
from tests.tui_app import LARGE, SIZES, Clock, make_app


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(source_text)
    assert result.attempted >= 1
    assert result.failed == 0


@pytest.mark.parametrize("slug", DEMOS)
def test_every_demo_has_its_file_and_a_formula_in_the_docstring(slug: str) -> None:
    demo = DEMOS[slug]
    files = sources(demo)
    assert files[0].name.endswith(f"demos/{demo.module}.py")
    for file in files:
        end = ast.parse("\n".join(file.lines)).body[0].end_lineno
        assert end is not None
        assert file.formula.stop <= end, "it stands in the docstring"
        if file.formula == range(1) and file is not files[0]:
            continue  # a part of a method, without a formula of its own
        marked = [file.lines[number] for number in file.formula]
        assert marked
        assert all(line.startswith("    ") for line in marked)
        assert not any("python -m" in line for line in marked)
    assert len({file.name for file in files}) == len(files)


@pytest.mark.parametrize("slug", ["ppo", "chain-of-hindsight", "lora", "reward-model", "icil"])
def test_the_methods_that_a_demo_runs_stand_behind_it(slug: str) -> None:
    module = importlib.import_module(f"learn_llm.demos.{DEMOS[slug].module}")
    methods = [file.name for file in sources(DEMOS[slug])[1:]]
    assert methods
    named = {getattr(value, "__module__", getattr(value, "__name__", "")) for value in vars(module).values()}
    named |= {getattr(value, "__name__", "") for value in vars(module).values()}
    assert all(Path(name).stem in {str(one).rpartition(".")[2] for one in named} for name in methods)


def test_a_file_without_a_formula_opens_at_its_top() -> None:
    assert formula('"""Only words."""\nx = 1\n') == range(1)
    assert formula("") == range(1)
    assert formula('"""Words.\n\n    python -m x\n\n    a = b\n    c = d\n"""\n    ') == range(4, 6)


def test_lines_that_are_folded_keep_their_indent() -> None:
    file = source_text.Source("x.py", ("a = 1", "b = " + "1 + " * 30, "c = 3"), range(2, 3))
    shown = blocks(file)
    assert height(shown[:1], 60) == 1
    assert height(shown, 60) > 3
    assert all(line.cell_length <= 60 for block in shown for line in block.lines(60))


@pytest.mark.parametrize("size", SIZES)
async def test_one_key_from_the_demo_to_its_formula_and_back(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        number = next(i for i, question in enumerate(app.kit.desk.questions) if question.demo == "ppo")
        await pilot.press(*["j"] * number)
        await pilot.press("d")
        await pilot.pause()
        pane = app.screen.query_one(DemoPane)
        await pilot.press("c")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, SourceScreen)
        files = sources(DEMOS["ppo"])
        for file in files:
            assert screen.query_one(TopBar).title == file.name
            body, page = screen.query_one(CardBody), screen.query_one(Page)
            above = height(blocks(file)[: file.formula.start], page.size.width)
            assert body.scroll_y <= above < body.scroll_y + body.size.height
            assert body.scroll_y == max(0, above - ABOVE)
            await pilot.press("right")
            await pilot.pause()
        assert screen.at == 0
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, SourceScreen)
        assert app.focused is not None
        assert app.focused.id == "demo-body"
        pane.stop()


def forget(app_clock: Clock, desk: Desk, id: str, times: int) -> None:
    """Learns a question and forgets it so often."""
    for _ in range(times):
        desk.rate(id, int(Rating.EASY), 1000)
        app_clock.pass_time(days=40)
        desk.refresh()
        desk.rate(id, int(Rating.FORGOT), 1000)
        app_clock.pass_time(days=1)
        desk.refresh()


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_what_is_forgotten_again_and_again_is_offered_its_demo(tmp_path: Path, language: Language) -> None:
    clock, texts = Clock(), Texts(language)
    app = make_app(tmp_path, clock=clock, language=language)
    desk = app.kit.desk
    id = desk.questions[0].id
    leech = texts("card.leech", count=LEECH)[:12]

    async def hint() -> str:
        async with app.run_test(size=LARGE) as pilot:
            await pilot.press("enter")
            await pilot.pause()
            return app.screen.query_one("#card-hint", Page).render().plain

    forget(clock, desk, id, LEECH - 1)
    assert desk.forgotten(id) == 0
    forget(clock, desk, id, 1)
    assert desk.forgotten(id) == LEECH == desk.progress.card(id).lapses
    assert leech in await hint()


def test_after_its_demo_was_run_a_question_is_asked_as_ever(tmp_path: Path) -> None:
    clock = Clock()
    desk = make_app(tmp_path, clock=clock).kit.desk
    question = desk.questions[0]
    forget(clock, desk, question.id, LEECH)
    assert desk.forgotten(question.id) == LEECH

    def run_demo() -> None:
        desk.keep_run(question.demo, Verdict("it holds", True, {}), broken=False, options={})

    clock.date -= timedelta(days=30)
    run_demo()
    clock.date += timedelta(days=30)
    assert desk.forgotten(question.id) == LEECH, "that was before it was forgotten"
    run_demo()
    assert desk.forgotten(question.id) == 0
    forget(clock, desk, question.id, 1)
    assert desk.forgotten(question.id) == LEECH + 1
