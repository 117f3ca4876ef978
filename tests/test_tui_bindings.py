"""Every key that is shown does something: its action exists, has a label in both languages, and does not fail."""

import random
from pathlib import Path

import pytest
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.pilot import Pilot

from learn_llm.quizzes.texts import TEXTS
from learn_llm.tui.app import QuizApp
from learn_llm.tui.screens.browse import BrowseScreen
from learn_llm.tui.screens.drill import DrillScreen
from learn_llm.tui.screens.exercises import ExercisesScreen
from learn_llm.tui.screens.help import HelpScreen
from learn_llm.tui.screens.home import HomeScreen
from learn_llm.tui.screens.interview import InterviewScreen
from learn_llm.tui.screens.interview_start import InterviewStart, SetupList, TopicChoice, TopicsPicker
from learn_llm.tui.screens.line import Line, LineScreen
from learn_llm.tui.screens.parameters import ParametersScreen
from learn_llm.tui.screens.question_picker import QuestionPicker
from learn_llm.tui.screens.settings import SettingsList, SettingsScreen
from learn_llm.tui.screens.side_by_side import SideBySideScreen
from learn_llm.tui.screens.source import SourceScreen
from learn_llm.tui.screens.study import StudyScreen
from learn_llm.tui.screens.topics import TopicList, TopicPicker
from learn_llm.tui.widgets.answer_area import AnswerArea
from learn_llm.tui.widgets.card import Card, CardBody
from learn_llm.tui.widgets.choice_list import ChoiceList
from learn_llm.tui.widgets.demo import DemoPane
from learn_llm.tui.widgets.key_bar import KeyBar, action_name, bindings_of
from learn_llm.tui.widgets.question_list import QuestionList
from learn_llm.tui.widgets.search_box import SearchBox
from learn_llm.tui.widgets.token_grid import TokenGrid
from tests.tui_app import LARGE, SMALL, make_app

OWNERS: tuple[type[DOMNode], ...] = (
    *(QuizApp, BrowseScreen, StudyScreen, HelpScreen, TopicPicker, TopicList, Card, CardBody),
    *(DemoPane, QuestionList, SearchBox, SideBySideScreen, SourceScreen, TokenGrid),
    *(DrillScreen, ChoiceList),
    *(HomeScreen, SettingsScreen, SettingsList, LineScreen, Line, ParametersScreen),
    *(ExercisesScreen, QuestionPicker),
    *(InterviewStart, SetupList, TopicsPicker, TopicChoice, InterviewScreen, AnswerArea),
)
SITUATIONS: dict[str, tuple[str, ...]] = {
    "list": (),
    "list after a rating": ("enter", "space", "3", "escape"),
    "search": ("slash",),
    "searched": ("slash", "k", "l", "enter"),
    "topics": ("t",),
    "help": ("question_mark",),
    "card": ("enter",),
    "answer": ("enter", "space"),
    "study": ("s",),
    "study, answered": ("s", "space"),
    "study, rated": ("s", "space", "3"),
    "demo": (*"jjjj", "enter", "d"),
    "demo from the list": (*"jjjj", "d", "tab"),
    "demo, stopped": (*"jjjj", "d", "x"),
    "demo, parameters": (*"jjjj", "d", "p"),
    "demo, its source": (*"jjjj", "d", "c"),
    "demo, a parameter typed": (*"jjjj", "d", "p", "enter"),
    "demo while studying": ("s", *"nnnn", "d"),
    "drill": ("x",),
    "drill, at an option": ("x", "down"),
    "drill, answered": ("x", "1"),
    "drill, at its end": ("x", "1", "space", "2", "space", "escape"),
    "interview, before": ("i",),
    "interview, at the level": ("i", "down"),
    "interview, topics": ("i", "up", "enter", "space"),
    "interview": ("i", "enter"),
    "interview, away from typing": ("i", "enter", "escape"),
    "interview, graded": ("i", "enter", "ctrl+d"),
    "interview, follow-up": ("i", "enter", "ctrl+d", "space"),
    "interview, follow-up answered": ("i", "enter", "ctrl+d", "space", "space"),
    "interview, at its end": (
        "i",
        "j",
        "j",
        *("left",) * 2,
        "k",
        "k",
        "enter",
        "ctrl+d",
        *("space",) * 2,
        "1",
        "space",
        "1",
    ),
    "card of a drill": ("x", "1", "o"),
}
AT_HOME: dict[str, tuple[str, ...]] = {
    "home": (),
    "home, study": ("space",),
    "home, study done": ("space", *("space", "4") * 10),
    "home, list": ("l",),
    "home, drill": ("x",),
    "home, interview": ("i",),
    "home, exercises": ("e",),
    "home, exercises made": ("e", "m", "enter"),
    "home, topics": ("t",),
    "home, one topic": ("t", "j", "enter"),
    "home, search": ("slash",),
    "settings": ("o",),
    "settings, day": ("o", "j", "enter"),
    "two ratings": ("o", *"jjj", "right", "escape", "space", "space"),
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of exercises is made where the app was started."""
    monkeypatch.chdir(tmp_path)


def all_bindings() -> list[tuple[type[DOMNode], Binding]]:
    return [(owner, binding) for owner in OWNERS for binding in bindings_of(owner)]


@pytest.mark.parametrize(("owner", "binding"), all_bindings(), ids=lambda part: getattr(part, "__name__", ""))
def test_every_binding_has_an_action_and_a_label(owner: type[DOMNode], binding: Binding) -> None:
    name = action_name(binding)
    assert hasattr(owner, f"action_{name}") or hasattr(App, f"action_{name}"), f"{owner.__name__} has no {name}"
    for language in TEXTS:
        assert f"key.{name}" in TEXTS[language]


def test_every_label_belongs_to_a_binding() -> None:
    names = {action_name(binding) for _, binding in all_bindings()}
    inherited = {
        action_name(binding)
        for owner in (BrowseScreen, StudyScreen)
        for base in owner.__mro__[1:2]
        for binding in bindings_of(base)
    }
    labels = {key.removeprefix("key.") for key in TEXTS["en"] if key.startswith("key.")}
    assert labels == names | inherited


def test_keys_are_safe_in_every_terminal() -> None:
    """Letters, digits, arrows, F keys, and the few names that tmux, SSH and VS Code let through."""
    safe = {"enter", "space", "tab", "shift+tab", "escape", "backspace", "up", "down", "left", "right", "home", "end"}
    safe |= {"pageup", "pagedown", "slash", "question_mark", "f1", *(f"ctrl+{letter}" for letter in "bdfuz")}
    for _, binding in all_bindings():
        for key in binding.key.split(","):
            assert key in safe or (len(key) == 1 and key.isalnum()), key


async def situation(pilot: Pilot[None], keys: tuple[str, ...]) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("keys", SITUATIONS.values(), ids=SITUATIONS.keys())
async def test_every_key_shown_does_something(tmp_path: Path, keys: tuple[str, ...], size: tuple[int, int]) -> None:
    """In each situation: each binding in the key bar resolves to a method, and pressing its key handles it."""
    await every_key_does_something(make_app(tmp_path), keys, size)


@pytest.mark.parametrize("keys", AT_HOME.values(), ids=AT_HOME.keys())
async def test_every_key_shown_from_home_on_does_something(tmp_path: Path, keys: tuple[str, ...]) -> None:
    await every_key_does_something(make_app(tmp_path, app=QuizApp), keys, SMALL)


async def every_key_does_something(app: QuizApp, keys: tuple[str, ...], size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        await situation(pilot, keys)
        shown = list(app.screen.active_bindings.values())
        assert shown
        for node, binding, enabled, _ in shown:
            if binding.show and enabled:
                name = f"action_{action_name(binding)}"
                assert any(callable(getattr(owner, name, None)) for owner in (node, app)), f"{node} lacks {name}"
        bar = str(app.screen.query_one(KeyBar).render())
        assert bar.strip()


@pytest.mark.parametrize("seed", range(3))
async def test_no_sequence_of_keys_brings_the_app_down(tmp_path: Path, seed: int) -> None:
    """A few hundred keys at random, of all that are bound anywhere but quit."""
    keys = sorted({key for _, binding in all_bindings() for key in binding.key.split(",")} - {"q"})
    rng = random.Random(seed)
    app = make_app(tmp_path, app=QuizApp)
    async with app.run_test(size=rng.choice([SMALL, LARGE])) as pilot:
        for _ in range(100):
            await pilot.press(rng.choice(keys))
            assert app.is_running


@pytest.mark.parametrize("keys", [("q",), ("enter", "q"), ("s", "q"), ("s", "space", "q"), (*"jjjj", "d", "q")])
async def test_q_quits(tmp_path: Path, keys: tuple[str, ...]) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await situation(pilot, keys)
    assert not app.is_running
    assert app.return_code == 0
