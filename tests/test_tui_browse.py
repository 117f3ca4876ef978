"""The list: every question reachable by keyboard, views, topics, search, help, sizes."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from learn_llm.tui.app import QuizApp
from learn_llm.tui.screens.browse import BrowseScreen
from learn_llm.tui.screens.help import HelpScreen
from learn_llm.tui.screens.study import StudyScreen
from learn_llm.tui.screens.topics import TopicPicker
from learn_llm.tui.widgets.card import Card
from learn_llm.tui.widgets.key_bar import KeyBar
from learn_llm.tui.widgets.question_list import QuestionList
from learn_llm.tui.widgets.too_small import TooSmall
from learn_llm.tui.widgets.top_bar import TopBar, ViewBar
from tests.tui_app import LARGE, SIZES, SMALL, Clock, make_app


def browse(app: QuizApp) -> BrowseScreen:
    assert isinstance(app.screen, BrowseScreen)
    return app.screen


def shown(app: QuizApp) -> str | None:
    """The question on the card."""
    card = browse(app).query_one(Card).card
    return None if card is None else card.question.id


def displayed(app: QuizApp) -> list[type[object]]:
    """What stands on the screen at the top level."""
    return [type(widget) for widget in app.screen.children if widget.display]


def focus(app: QuizApp) -> str | None:
    """The id of the widget that has the focus."""
    return None if app.focused is None else app.focused.id


def kind_of(app: QuizApp) -> type[object]:
    return type(app.screen)


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_all_questions_are_reachable_by_keyboard(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        seen = []
        for _ in range(50):
            await press(pilot, "j")
            seen.append(shown(app))
        await press(pilot, "g")
        first = shown(app)
        assert [first, *seen[:-1]] == [question.id for question in app.kit.desk.questions]
        assert seen[-1] == seen[-2] == "llama2"  # the end of the list is its end
        await press(pilot, "G")
        assert shown(app) == "llama2"
        await press(pilot, "k", "up")
        assert shown(app) == app.kit.desk.questions[47].id
        await press(pilot, "home", "pagedown")
        assert browse(app).list.cursor > 10
        await press(pilot, "pageup")
        assert browse(app).list.cursor == 0


@pytest.mark.parametrize("size", SIZES)
async def test_the_row_under_the_cursor_is_always_on_the_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        for key in ("G", *["k"] * 8, "g", *["j"] * 8, "pagedown", "j", "pagedown", "pageup", "k"):
            await press(pilot, key)
            rows = browse(app).list
            lines = [rows.render_line(y).text for y in range(rows.size.height)]
            assert sum(line.startswith("> ") for line in lines) == 1


@pytest.mark.parametrize("size", SIZES)
async def test_search_narrows_as_one_types(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        await press(pilot, "slash", *"kv cache")
        found = [row.id for row in browse(app).list.rows]
        assert found[0] == "kv-cache"
        assert len(found) < 10
        assert focus(app) == "search"
        await press(pilot, "enter")
        assert focus(app) == "list"
        await press(pilot, "enter")
        assert shown(app) == "kv-cache"
        await press(pilot, "escape", "escape")
        assert len(browse(app).list.rows) == 50
        assert shown(app) == "kv-cache"  # the cursor stays where it was


async def test_the_cursor_goes_to_the_first_question_that_is_found(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "G", "slash", *"gradient")
        rows = browse(app).list
        assert len(rows.rows) > 1
        assert rows.cursor == 0


async def test_a_search_without_a_result_says_so_and_is_left_with_escape(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "slash", *"xyzzy")
        rows = browse(app).list
        assert "No question matches" in rows.render_line(1).text
        assert shown(app) is None
        await press(pilot, "escape")
        assert len(rows.rows) == 50
        assert focus(app) == "list"
        assert shown(app) == "what-is-ai"


async def test_views_are_changed_with_the_arrows(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        counts = []
        for _ in range(6):
            await press(pilot, "right")
            counts.append((browse(app).filter.view, len(browse(app).list.rows)))
        assert counts == [("due", 0), ("new", 50), ("basic", 17), ("intermediate", 17), ("advanced", 16), ("all", 50)]
        await press(pilot, "left")
        assert browse(app).filter.view == "advanced"
        assert "[Advanced 16]" in str(browse(app).query_one(ViewBar).render())


async def test_a_topic_is_chosen_from_a_list(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "t")
        assert kind_of(app) is TopicPicker
        await press(pilot, "j", "enter")
        topic = browse(app).filter.topic
        assert topic
        assert all(topic in app.kit.desk.question(row.id).topics for row in browse(app).list.rows)
        await press(pilot, "t", "escape")
        assert browse(app).filter.topic == topic
        await press(pilot, "escape")
        assert browse(app).filter.is_open


@pytest.mark.parametrize("size", SIZES)
async def test_escape_goes_back_and_the_keys_shown_fit_the_pane(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        bar = browse(app).query_one(KeyBar)
        assert "study" in str(bar.render())
        assert "answer" not in str(bar.render())
        await press(pilot, "enter")
        assert focus(app) == "card-body"
        assert "answer" in str(bar.render())
        await press(pilot, "escape")
        assert focus(app) == "list"
        await press(pilot, "escape", "escape")
        assert app.is_running


async def test_the_arrows_turn_the_cards(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "enter", "right", "right", "left")
        assert shown(app) == "preprocessing"
        assert browse(app).pane == "card"


async def test_due_questions_are_marked_and_come_with_one_key(tmp_path: Path) -> None:
    clock = Clock()
    app = make_app(tmp_path, clock=clock)
    app.kit.desk.rate("ppo", 3)
    app.kit.desk.rate("search", 4)
    clock.pass_time(minutes=11)
    app.kit.desk.refresh()
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        marks = {row.id: row.mark for row in browse(app).list.rows}
        assert marks["ppo"] == "due"
        assert marks["search"].endswith(" d")
        assert marks["attention"] == "new"
        assert "1 due" in browse(app).query_one(TopBar).counts
        await press(pilot, "n")
        assert shown(app) == "ppo"
        assert browse(app).pane == "card"


async def test_help_lists_the_keys_and_closes(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        for key in ("question_mark", "f1"):
            await press(pilot, key)
            assert kind_of(app) is HelpScreen
            await press(pilot, "escape")
            assert kind_of(app) is BrowseScreen


async def test_a_terminal_that_is_too_small_says_so_and_goes_on_when_it_is_larger(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        note = browse(app).query_one(TooSmall)
        assert displayed(app) == [TooSmall]
        assert "40 x 10" in str(note.render())
        assert "60 x 18" in str(note.render())
        await pilot.resize_terminal(60, 18)
        await pilot.pause()
        assert TooSmall not in displayed(app)
        assert app.screen.query_one(QuestionList).region.height > 10
        await press(pilot, "j")
        assert shown(app) == "preprocessing"


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (99, 30), (100, 30), (120, 40), (160, 50), (200, 60)])
async def test_layouts(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        await press(pilot, "enter")
        screen = browse(app)
        card, rows = screen.query_one(Card), screen.list
        assert card.region.width > 40
        assert rows.display == (size[0] >= 100)
        if rows.display:
            assert rows.region.right == card.region.x
            assert rows.region.width >= 46
        assert card.region.right == size[0]


async def test_japanese_interface_shows_english_questions_where_none_is_translated(tmp_path: Path) -> None:
    app = make_app(tmp_path, language="ja")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "enter")
        assert "戻る" in str(browse(app).query_one(KeyBar).render())
        assert "未学習 50" in browse(app).query_one(TopBar).counts


async def test_colours_can_be_changed_and_keys_found_in_the_palette(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        commands = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Study", "Search", "Topic", "Theme", "Quit"} <= commands
        for theme in ("learn-llm-light", "textual-light", "ansi-dark", "learn-llm-dark"):
            app.theme = theme
            await press(pilot, "enter", "escape")
        await press(pilot, "ctrl+p")
        assert app.screen is not app.screen_stack[0]
        await press(pilot, *"study")
        await pilot.pause(0.5)
        await press(pilot, "enter", "enter")
        await pilot.pause()
        assert kind_of(app) is StudyScreen


async def test_next_goes_through_the_new_questions_one_after_another(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        shown = []
        for _ in range(3):
            await pilot.press("n")
            await pilot.pause()
            assert isinstance(app.screen, BrowseScreen)
            assert app.screen.question is not None
            shown.append(app.screen.question.number)
        assert shown == [2, 3, 4]
