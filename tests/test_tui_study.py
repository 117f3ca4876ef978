"""Cards: revealing, rating, undoing, and that nothing of it is lost."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from textual.pilot import Pilot

from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.settings import Settings
from learn_llm.tui.app import QuizApp
from learn_llm.tui.screens.browse import BrowseScreen
from learn_llm.tui.screens.card_screen import CardScreen
from learn_llm.tui.screens.study import StudyScreen
from learn_llm.tui.widgets.card import Card, RatingBar
from learn_llm.tui.widgets.page import Page
from learn_llm.tui.widgets.top_bar import TopBar
from tests.tui_app import LARGE, SIZES, SMALL, Clock, make_app

NEW_A_DAY = Settings().new_a_day


def screen_of(app: QuizApp) -> CardScreen:
    assert isinstance(app.screen, CardScreen)
    return app.screen


def kind_of(app: QuizApp) -> type[object]:
    return type(app.screen)


def card_of(app: QuizApp) -> Card:
    return app.screen.query_one(Card)


def shown(app: QuizApp) -> str | None:
    question = screen_of(app).question
    return None if question is None else question.id


def page(app: QuizApp) -> str:
    """The text of the card."""
    return str(app.screen.query_one("#card-page", Page).render())


def notice(app: QuizApp) -> str:
    return app.screen.query_one(TopBar).notice


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_a_card_is_revealed_and_rated(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        await press(pilot, "enter")
        assert "Short answer" not in page(app)
        assert not card_of(app).query_one(RatingBar).display
        await press(pilot, "3")  # not before the answer is seen
        assert app.kit.desk.standings()["what-is-ai"].kind == "new"
        await press(pilot, "space")
        text = page(app)
        places = [text.index(part) for part in ("Short answer", "Full answer", "What an answer must", "Follow-up")]
        assert places == sorted(places)
        for part in ("Common mistakes", "References", app.kit.desk.questions[0].key_points[0].point.split()[0]):
            assert part in text
        bar = str(card_of(app).query_one(RatingBar).render())
        for part in ("1 Forgot", "2 Partly", "3 Got it", "4 Easy", "1 min", "6 min", "10 min", " d "):
            assert part in bar
        await press(pilot, "3")
        assert app.kit.desk.standings()["what-is-ai"].kind == "later"
        assert notice(app) == "1 Got it: again in 10 min"
        assert shown(app) == "preprocessing"
        assert not card_of(app).revealed


async def test_one_press_never_reveals_and_rates(tmp_path: Path) -> None:
    clock = Clock()
    clock.step = 0.0
    app = make_app(tmp_path, clock=clock)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "enter")
        clock.now += 1.0
        await press(pilot, "space")
        assert card_of(app).revealed
        for wait in (0.03, 0.03, 0.5, 0.03, 0.03, 0.03):  # held down
            clock.now += wait
            await press(pilot, "space")
        clock.now += 0.1
        await press(pilot, "3")
        assert shown(app) == "what-is-ai"
        assert app.kit.desk.given == 0
        clock.now += 0.25
        await press(pilot, "3")
        assert app.kit.desk.given == 1


async def test_the_key_that_opens_a_card_does_not_reveal_it(tmp_path: Path) -> None:
    clock = Clock()
    clock.step = 0.0
    app = make_app(tmp_path, clock=clock)
    async with app.run_test(size=SMALL) as pilot:
        for _ in range(5):
            await press(pilot, "enter")
            clock.now += 0.03
        assert not card_of(app).revealed


async def test_space_after_the_answer_means_got_it(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "enter", "space", "space")
        assert app.kit.desk.given == 1
        assert "Got it" in notice(app)


async def test_undo_takes_back_one_rating_a_press(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "s")
        ids = []
        for rating in "3412":
            ids.append(shown(app))
            await press(pilot, "space", rating)
        assert app.kit.desk.given == 4
        for number, key in enumerate(["u", "ctrl+z", "u", "u"], 1):
            await press(pilot, key)
            assert app.kit.desk.given == 4 - number
            assert shown(app) == ids[-number]
            assert card_of(app).revealed
        assert all(standing.kind == "new" for standing in app.kit.desk.standings().values())
        await press(pilot, "u")  # nothing is left
        assert app.kit.desk.given == 0


async def test_an_undone_card_can_be_rated_anew(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "enter", "space", "1", "u")
        assert shown(app) == "what-is-ai"
        await press(pilot, "4")
        assert app.kit.desk.standings()["what-is-ai"].wait.days >= 6


async def test_a_session_shows_what_is_due_then_new_ones_then_the_end(tmp_path: Path) -> None:
    clock = Clock()
    app = make_app(tmp_path, clock=clock)
    app.kit.desk.rate("ppo", 3)
    app.kit.desk.rate("attention", 1)
    clock.pass_time(minutes=15)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "s")
        assert kind_of(app) is StudyScreen
        order = []
        while shown(app) is not None:
            order.append(shown(app))
            await press(pilot, "space", "4")
        assert set(order[:2]) == {"ppo", "attention"}
        assert order[2:] == [question.id for question in app.kit.desk.questions][: len(order) - 2]
        assert len(order) == NEW_A_DAY  # the two were new today as well
        text = str(app.screen.query_one("#done").render())
        assert "Done for now" in text
        assert f"answered {len(order)}" in text
        assert f"Easy {len(order)}" in text
        assert "next card is due in" in text
        await press(pilot, "m")
        assert shown(app) == app.kit.desk.questions[NEW_A_DAY - 2].id
        await press(pilot, "escape")
        assert kind_of(app) is BrowseScreen
        assert f"{len(order)} of 50 seen" in app.screen.query_one(TopBar).counts


async def test_a_forgotten_card_comes_again_in_the_session(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "s")
        order = []
        for _ in range(NEW_A_DAY):
            order.append(shown(app))
            await press(pilot, "space", "1" if len(order) == 3 else "4")
        assert len(set(order)) == NEW_A_DAY
        assert shown(app) == order[2]
        await press(pilot, "space", "4")
        assert shown(app) is None


async def test_after_the_last_card_of_a_view_the_list_has_the_focus(tmp_path: Path) -> None:
    clock = Clock()
    app = make_app(tmp_path, clock=clock)
    app.kit.desk.rate("ppo", 1)
    clock.pass_time(minutes=5)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "right", "enter")
        assert shown(app) == "ppo"
        await press(pilot, "space", "4")
        assert shown(app) is None
        assert app.focused is not None
        assert app.focused.id == "list"


async def test_a_card_can_be_put_aside(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    app.kit.desk.rate("ppo", 1)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "s")
        first = shown(app)
        await press(pilot, "n")
        assert shown(app) not in (None, first)
        assert app.kit.desk.given == 1


async def test_cards_that_are_put_aside_come_again_after_all_others(tmp_path: Path) -> None:
    clock = Clock()
    app = make_app(tmp_path, clock=clock)
    for id in ("ppo", "search", "lora"):
        app.kit.desk.rate(id, 3)
    clock.pass_time(minutes=11)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "s")
        seen = [shown(app)]
        for _ in range(5):
            await press(pilot, "n")
            seen.append(shown(app))
        assert set(seen[:3]) == {"ppo", "search", "lora"}
        assert len(set(seen)) == 6  # then new ones, each once


async def test_studying_the_list_keeps_to_what_is_listed(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "slash", *"bandit", "enter")
        assert isinstance(app.screen, BrowseScreen)
        listed = [row.id for row in app.screen.list.rows]
        assert 1 < len(listed) < 6
        await press(pilot, "s")
        seen = [shown(app)]
        for _ in range(7):
            await press(pilot, "n")
            seen.append(shown(app))
        assert set(seen) == set(listed)


async def test_it_is_said_when_a_card_comes_before_it_is_due(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    app.kit.desk.rate("ppo", 1)
    async with app.run_test(size=SMALL) as pilot:
        app.push_screen(StudyScreen(app.kit, among=["ppo"]))
        await pilot.pause()
        assert shown(app) == "ppo"
        assert app.screen.query_one(TopBar).counts.startswith("due in a few minutes")


async def test_ratings_are_there_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    app = make_app(tmp_path, clock=clock)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "enter", "space", "4", "space", "1")
    app.kit.desk.progress.close()
    clock.pass_time(minutes=2)
    again = make_app(tmp_path, clock=clock)
    async with again.run_test(size=LARGE) as pilot:
        await pilot.pause()
        assert isinstance(again.screen, BrowseScreen)
        marks = {row.id: row.mark for row in again.screen.list.rows}
        assert marks["what-is-ai"].endswith(" d")
        assert marks["preprocessing"] == "due"
        assert "2 of 50 seen" in again.screen.query_one(TopBar).counts
        await press(pilot, "u")  # what another session rated is not undone
        assert again.kit.desk.standings()["preprocessing"].kind == "due"


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from tests.tui_app import make_app

async def main():
    app = make_app(Path(sys.argv[1]))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter", "space", "3")
        await pilot.pause()
        from learn_llm.tui.widgets.top_bar import TopBar
        assert "Got it" in app.screen.query_one(TopBar).notice
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_rating_on_the_screen_survives_sigkill(tmp_path: Path) -> None:
    root = Path(__file__).parent.parent
    environment = os.environ | {"PYTHONPATH": str(root)}
    child = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=root, env=environment, timeout=120)
    assert child.returncode == -signal.SIGKILL
    path = tmp_path / "progress.sqlite3"
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    with Progress(path) as progress:
        assert progress.card("what-is-ai").reps == 1
        assert progress.saving


async def test_the_quiz_opens_where_progress_cannot_be_saved_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "progress.sqlite3").mkdir()  # a folder where the file should be
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        bar = app.screen.query_one(TopBar)
        assert "Progress is not saved" in bar.alarm
        (notice,) = [part.message for part in app._notifications]
        assert str(tmp_path) in notice
        assert "Progress is not saved" in str(bar.render())
        await press(pilot, "enter", "space", "3")
        assert app.kit.desk.given == 1
        assert "Progress is not saved" in str(bar.render())
        assert "Got it: again in" in str(bar.render())
        await press(pilot, "u")
        assert app.kit.desk.given == 0


async def test_a_damaged_question_file_is_named_on_its_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from learn_llm.errors import UserError
    from learn_llm.quizzes.bank import Question

    def damaged(self: Question) -> object:
        raise UserError("what-is-ai.en.md, line 7: broken YAML")

    monkeypatch.setattr(Question, "key_points", property(damaged))
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "enter", "space")
        assert "line 7: broken YAML" in page(app)
        await press(pilot, "3")
        assert app.kit.desk.given == 1


@pytest.mark.parametrize("rating", [1, 4])
async def test_a_rating_can_be_clicked(tmp_path: Path, rating: int) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "enter", "space")
        bar = card_of(app).query_one(RatingBar)
        quarter = bar.content_size.width // 4
        await pilot.click(RatingBar, offset=(3 + quarter * (rating - 1) + 3, bar.size.height - 1))
        await pilot.pause()
        assert app.kit.desk.given == 1
        assert ("Forgot" if rating == 1 else "Easy") in notice(app)


async def test_the_answer_scrolls(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "enter", "space")
        body = app.screen.query_one("#card-body")
        for key, higher in (("j", True), ("k", False), ("pagedown", True), ("G", True), ("g", False), ("ctrl+d", True)):
            before = body.scroll_y
            await press(pilot, key)
            assert (body.scroll_y > before) == higher, key
