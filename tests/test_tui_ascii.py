"""The app in ASCII: no character that a terminal may show two cells wide, on any screen, in either language."""

import unicodedata
from pathlib import Path

import pytest
from textual.pilot import Pilot

from learn_llm.glyphs import SWITCH, wanted
from learn_llm.quizzes.texts import Language
from learn_llm.tui.app import QuizApp
from learn_llm.tui.widgets.demo import DemoPane
from tests.tui_app import LARGE, SMALL, make_app

SCREENS: dict[str, tuple[str, ...]] = {
    "home": (),
    "topics": ("t",),
    "settings": ("o",),
    "help": ("question_mark",),
    "list and search": ("l", "slash", "k", "l"),
    "card": ("l", *"jjjj", "enter", "space"),
    "study": ("space", "space"),
    "drill": ("x", "1"),
    "interview": ("i", "enter", "k", "l", "ctrl+d"),
    "palette": ("ctrl+p",),
}


@pytest.fixture(autouse=True)
def asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "1")


def rows(app: QuizApp) -> list[str]:
    """What the terminal gets, line by line."""
    return ["".join(text for text, _, _ in strip) for strip in app.screen._compositor.render_strips()]


def doubtful(app: QuizApp) -> set[str]:
    """The characters that are neither ASCII nor wide in every terminal."""
    return {
        char
        for row in rows(app)
        for char in row
        if not char.isascii() and unicodedata.east_asian_width(char) not in "WFH"
    }


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", SCREENS)
async def test_every_screen_is_ascii_and_japanese(tmp_path: Path, name: str, language: Language) -> None:
    app = make_app(tmp_path, language=language, app=QuizApp)
    async with app.run_test(size=LARGE if name == "list and search" else SMALL) as pilot:
        await press(pilot, *SCREENS[name])
        assert not doubtful(app)
        assert any(row.strip() for row in rows(app))
        assert (language == "ja") == any(not char.isascii() for row in rows(app) for char in row) or name == "settings"


async def test_a_demo_draws_in_ascii(tmp_path: Path) -> None:
    app = make_app(tmp_path, app=QuizApp)
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "l", *"jjjj", "d")
        pane = app.screen.query_one(DemoPane)
        for _ in range(600):
            await pilot.pause(0.1)
            if pane.state.status == "finished":
                break
        await pilot.pause(0.5)
        assert pane.state.status == "finished"
        assert not doubtful(app)
        assert any("***" in row or "ooo" in row for row in rows(app))  # a curve


async def test_a_formula_is_spelled_where_there_is_room(tmp_path: Path) -> None:
    app = make_app(tmp_path, app=QuizApp)
    async with app.run_test(size=(120, 60)) as pilot:
        await press(pilot, "l", "slash", *"kl-dpo", "enter", "enter", "space")
        text = "\n".join(rows(app))
        assert "beta" in text
        assert "pi" in text


async def test_ascii_is_a_setting_that_holds_at_once_and_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SWITCH, "")
    app = make_app(tmp_path, app=QuizApp)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "t")
        drawn = rows(app)
        assert doubtful(app)  # the map of topics has bars of dots
        await press(pilot, "escape", "o", *"jjjjj", "right")
        assert (wanted(), app.kit.desk.settings.ascii) == (True, True)
        assert not doubtful(app)
        await press(pilot, "escape")
        assert not doubtful(app)
        await press(pilot, "t")
        assert not doubtful(app)
        await press(pilot, "escape", "o", *"jjjjj", "left")
        assert (wanted(), app.kit.desk.settings.ascii) == (False, False)
        await press(pilot, "escape", "t")
        assert rows(app) == drawn
