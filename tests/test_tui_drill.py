"""The drill in the app: answers by number and by cursor, explanations, the summary and the way to a card."""

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from learn_llm.quizzes.drill import SESSION
from learn_llm.quizzes.drill_history import DrillHistory
from learn_llm.tui.app import QuizApp
from learn_llm.tui.screens.browse import BrowseScreen
from learn_llm.tui.screens.drill import DrillScreen
from learn_llm.tui.screens.help import HelpScreen
from learn_llm.tui.screens.look import LookScreen
from learn_llm.tui.widgets.choice_list import ChoiceList
from learn_llm.tui.widgets.key_bar import KeyBar
from learn_llm.tui.widgets.page import Page
from learn_llm.tui.widgets.top_bar import TopBar
from tests.tui_app import LARGE, SMALL, Clock, make_app

TINY = (60, 20)
SIZES = (SMALL, LARGE, TINY)


def drill_of(app: QuizApp) -> DrillScreen:
    assert isinstance(app.screen, DrillScreen)
    return app.screen


def kind_of(app: QuizApp) -> type[object]:
    return type(app.screen)


def text(app: QuizApp) -> str:
    return str(app.screen.query_one("#choice-page", Page).render())


def words(app: QuizApp) -> str:
    """The text without its line breaks and indents."""
    return " ".join(text(app).split())


def bar(app: QuizApp) -> str:
    return str(app.screen.query_one(KeyBar).render())


def right_key(app: QuizApp) -> str:
    """The key of the right option of the question that is shown."""
    screen = drill_of(app)
    assert screen.question is not None
    options = screen.question.choices.options
    return str(next(place for place, option in enumerate(screen.drill.order, 1) if options[option].correct))


def wrong_key(app: QuizApp) -> str:
    return str(int(right_key(app)) % 4 + 1)


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_the_explanation_of_every_option_follows_the_answer(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        await press(pilot, "x")
        question = drill_of(app).question
        assert question is not None
        choices = question.choices
        shown = words(app)
        assert choices.question in shown
        assert all(option.text in shown and option.why not in shown for option in choices.options)
        places = [shown.index(option.text) for option in choices.options]
        assert sorted(range(4), key=lambda place: places[place]) == list(drill_of(app).drill.order)
        key = wrong_key(app)
        await press(pilot, key)
        shown = words(app)
        assert all(option.text in shown and option.why in shown for option in choices.options)
        assert f"Not right: it is {right_key(app)}." in shown
        assert (shown.count("✗"), shown.count("✓")) == (4, 1)  # the verdict and three options
        assert shown.count("(right)") == shown.count("(your choice)") == 1
        assert question.question in shown
        await press(pilot, "space")
        await press(pilot, right_key(app))
        assert "✓ Right." in words(app)
        assert "(right, your choice)" in words(app)
        assert app.screen.query_one(TopBar).counts == "2 of 10   1 right"


async def test_an_answer_by_the_arrows(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=TINY) as pilot:
        await press(pilot, "x")
        await press(pilot, "enter")  # the cursor stands nowhere: nothing is chosen by chance
        assert drill_of(app).drill.results == []
        await press(pilot, "down", "down", "down", "down", "up")
        assert "> " in text(app)
        body = app.screen.query_one(ChoiceList)
        lines = text(app).split("\n")
        line = next(number for number, line in enumerate(lines) if line.startswith(">"))
        assert body.scroll_y <= line < body.scroll_y + body.size.height
        await press(pilot, "enter")
        assert drill_of(app).drill.results[0][1] == drill_of(app).drill.order[2]
        await press(pilot, "1")  # the first answer counts
        assert len(drill_of(app).drill.results) == 1
        await press(pilot, "enter")
        assert drill_of(app).drill.place == 1


async def test_a_held_key_neither_goes_on_nor_answers(tmp_path: Path) -> None:
    clock = Clock()
    clock.step = 0.0
    app = make_app(tmp_path, clock=clock)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "x", "down")
        clock.now += 1.0
        for wait in (0.0, 0.5, 0.03, 0.03, 0.03):
            clock.now += wait
            await press(pilot, "enter")
        assert (drill_of(app).drill.place, len(drill_of(app).drill.results)) == (0, 1)
        clock.now += 1.0
        await press(pilot, "enter")
        assert drill_of(app).drill.place == 1


@pytest.mark.parametrize("size", SIZES)
async def test_the_summary_shows_what_was_missed_and_leads_to_its_card(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        await press(pilot, "x")
        missed = []
        for number in range(SESSION):
            question = drill_of(app).question
            assert question is not None
            if number in (2, 5):
                missed.append(question)
                await press(pilot, wrong_key(app), "space")
            else:
                await press(pilot, right_key(app), "space")
        shown = words(app)
        assert "8 of 10 right" in shown
        for question in missed:
            right = next(option for option in question.choices.options if option.correct)
            assert question.choices.question in shown
            assert f"right: {right.text}" in shown
        await press(pilot, "down", "down", "enter")
        assert isinstance(app.screen, LookScreen)
        assert app.screen.question == missed[1]
        assert "Short answer" in str(app.screen.query_one("#card-page", Page).render())
        await press(pilot, "escape")
        assert "8 of 10 right" in words(app)
        await press(pilot, "x")  # another drill: what was missed comes first
        assert set(drill_of(app).drill.ids[:2]) == {question.id for question in missed}
        await press(pilot, "escape")
        assert kind_of(app) is BrowseScreen


async def test_the_card_of_a_question_just_answered(tmp_path: Path) -> None:
    clock = Clock()
    app = make_app(tmp_path, clock=clock)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "x", "o")  # not before the answer
        question = drill_of(app).question
        await press(pilot, wrong_key(app), "o")
        assert isinstance(app.screen, LookScreen)
        assert app.screen.question == question
        await press(pilot, "3")  # rated on its card, as anywhere else
        assert kind_of(app) is DrillScreen
        assert question is not None
        assert app.kit.desk.standings()[question.id].kind == "later"
        await press(pilot, "space")
        assert drill_of(app).drill.place == 1


async def test_the_demo_beside_the_card(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "slash", *"ppo", "enter", "x", "1", "o", "d")
        assert isinstance(app.screen, LookScreen)
        assert app.screen.pane == "demo"
        assert app.screen.query_one("#demo").display
        assert not app.screen.query_one("#card").display
        await press(pilot, "escape")
        assert app.screen.query_one("#card").display
        await press(pilot, "escape")
        assert kind_of(app) is DrillScreen


async def test_a_question_whose_file_was_damaged_is_passed_over(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        first = app.kit.desk.question(app.kit.desk.drill(app.kit.desk.bank.by_id).ids[0])
        app.kit.desk.bank.by_id[first.id] = replace(first, source=first.source.replace("choices:", "choice:", 1))
        await press(pilot, "x")
        assert drill_of(app).drill.place == 1
        assert drill_of(app).question != first


async def test_a_drill_never_changes_the_schedule_and_each_answer_is_kept(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        before = app.kit.desk.standings()
        await press(pilot, "x", "1", "space", "2", "space", "3")
        given = drill_of(app).drill.results
        app.kit.desk.refresh()
        assert app.kit.desk.standings() == before
        assert app.kit.desk.progress.cards() == {}
        kept = DrillHistory(make_app(tmp_path).kit.desk.progress).answers()
        assert [(answer.question_id, answer.chosen, answer.correct) for answer in kept] == given
        assert len(given) == 3


async def test_leaving_early(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "x", "escape")
        assert kind_of(app) is BrowseScreen
        await press(pilot, "x")
        await press(pilot, right_key(app), "space", "escape")
        assert "1 of 1 right" in words(app)
        assert "Missed" not in words(app)
        await press(pilot, "escape")
        assert kind_of(app) is BrowseScreen


async def test_it_drills_what_is_listed(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "slash", *"ppo", "enter")
        screen = app.screen
        assert isinstance(screen, BrowseScreen)
        listed = {row.id for row in screen.list.rows}
        assert 0 < len(listed) < 10
        await press(pilot, "x")
        assert set(drill_of(app).drill.ids) == listed
        await press(pilot, "escape", "slash", *"zzzz", "enter", "x")
        assert kind_of(app) is BrowseScreen


async def test_the_keys_that_are_shown_change_with_what_can_be_done(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        assert "x drill" in bar(app)
        await press(pilot, "x")
        assert "1-4 choose" in bar(app)
        assert not any(key in bar(app) for key in ("enter", "next", "card", "drill"))
        await press(pilot, "down")
        assert "enter choose" in bar(app)
        await press(pilot, "1")
        assert all(key in bar(app) for key in ("space next", "o card", "esc back", "? help", "q quit"))
        assert "choose" not in bar(app)
        await press(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        assert "In a drill" in str(app.screen.query_one(Page).render())
        await press(pilot, "escape")
        await press(pilot, "escape")
        assert "x drill" in bar(app)


async def test_the_command_palette_has_it(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        commands = {command.title: command.callback for command in app.get_system_commands(app.screen)}
        await commands["Drill"]()
        await pilot.pause()
        assert kind_of(app) is DrillScreen


@pytest.mark.parametrize("size", SIZES)
async def test_no_line_is_wider_than_the_screen_in_japanese(tmp_path: Path, size: tuple[int, int]) -> None:
    from rich.cells import cell_len

    from learn_llm.tui.kinsoku import NEVER_FIRST

    app = make_app(tmp_path, language="ja")
    async with app.run_test(size=size) as pilot:
        await press(pilot, "x")
        for _ in range(SESSION):
            await press(pilot, "1")
            page = app.screen.query_one("#choice-page", Page)
            lines = text(app).split("\n")
            assert max(cell_len(line) for line in lines) <= page.size.width <= size[0]
            assert not any(line.strip()[:1] in NEVER_FIRST for line in lines if line.strip())
            assert "正解" in text(app)
            await press(pilot, "space")
        assert "問中" in text(app)


async def test_a_small_terminal_and_back(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "x")
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert not app.screen.query_one(ChoiceList).display
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        await press(pilot, "1")
        assert len(drill_of(app).drill.results) == 1


async def test_a_click_chooses(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "x")
        page = app.screen.query_one("#choice-page", Page)
        lines = text(app).split("\n")
        line = next(number for number, line in enumerate(lines) if line.lstrip().startswith("3  "))
        await pilot.click(page, offset=(12, line))
        await pilot.pause()
        assert drill_of(app).drill.results[0][1] == drill_of(app).drill.order[2]
