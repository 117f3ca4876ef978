"""The keys of the app: their table, what a user's config.toml changes, and what is said about its mistakes."""

import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from textual.dom import DOMNode

import learn_llm.tui
from learn_llm.commands.doctor import doctor
from learn_llm.commands.quiz import quiz
from learn_llm.quizzes import config
from learn_llm.quizzes.texts import PRESS, TEXTS, Texts
from learn_llm.tui import keys
from learn_llm.tui.key_table import TABLE, TOGETHER, TYPING
from tests.tui_app import SMALL

if TYPE_CHECKING:
    from learn_llm.tui.app import QuizApp

MakeApp = Callable[..., "QuizApp"]


def all_classes(kind: type[DOMNode] = DOMNode) -> Iterator[type[DOMNode]]:
    """The screens and widgets of the app."""
    for module in pkgutil.walk_packages(learn_llm.tui.__path__, "learn_llm.tui."):
        importlib.import_module(module.name)
    for subclass in kind.__subclasses__():
        if subclass.__module__.startswith("learn_llm.tui"):
            yield subclass
        yield from all_classes(subclass)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's own."""
    monkeypatch.setenv("LEARN_LLM_HOME", str(tmp_path))
    monkeypatch.delenv("LEARN_LLM_LANG", raising=False)
    return tmp_path


@pytest.fixture
def with_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, object]], ModuleType]]:
    """The app's test helper, its screens imported anew with these keys; afterwards all is as before."""
    before = {name: module for name, module in sys.modules.items() if _is_app(name)}

    def anew(wanted: dict[str, object]) -> ModuleType:
        for name in [name for name in sys.modules if _is_app(name)]:
            del sys.modules[name]
        fresh = importlib.import_module("learn_llm.tui.keys")
        chosen, problems = fresh.choose(wanted)
        assert not problems
        fresh.use(chosen)
        return importlib.import_module("tests.tui_app")

    yield anew
    for name in [name for name in sys.modules if _is_app(name)]:
        del sys.modules[name]
    sys.modules.update(before)
    for name, module in before.items():
        parent, _, child = name.rpartition(".")
        setattr(sys.modules[parent], child, module)
    keys.use({})  # the names of the keys in texts


def _is_app(name: str) -> bool:
    return name == "tests.tui_app" or name == "learn_llm.tui" or name.startswith("learn_llm.tui.")


# The table


def test_every_binding_comes_from_the_table_and_every_row_is_bound() -> None:
    bound = {binding.id for owner in all_classes() for binding in owner.__dict__.get("BINDINGS", ())}
    assert bound == set(keys.DEFAULTS)


def test_every_place_is_told_and_belongs_to_a_screen() -> None:
    assert {place for group in TOGETHER for place in group} == set(TABLE)
    assert set(TYPING) <= set(TABLE)
    for language in TEXTS:
        assert {key.removeprefix("place.") for key in TEXTS[language] if key.startswith("place.")} == set(TABLE)


def test_texts_name_the_keys_of_actions_that_there_are() -> None:
    named = {
        id for texts in TEXTS.values() for text in texts.values() for id in re.findall(r"\{press\[([^]]*)\]\}", text)
    }
    assert named
    assert named <= set(keys.DEFAULTS) == set(PRESS)


def test_the_usual_keys_are_no_change_and_no_mistake() -> None:
    assert keys.choose(dict(keys.DEFAULTS)) == ({}, [])


# What config.toml changes


async def test_a_card_is_revealed_and_rated_by_other_keys(
    tmp_path: Path, with_keys: Callable[[dict[str, object]], ModuleType]
) -> None:
    """The bar, the help and the palette show them; the usual keys do nothing; the other action of space still does."""
    helper = with_keys({"card.answer": "z", "card.good": "w,comma", "list.search": "f2", "app.help": "f3"})
    from learn_llm.tui.screens.help import HelpScreen
    from learn_llm.tui.widgets.card import Card, RatingBar
    from learn_llm.tui.widgets.key_bar import KeyBar

    app = helper.make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        bar = str(app.screen.query_one(KeyBar).render())
        assert " z answer " in bar
        assert " f3 help " in bar
        assert "Then press z." in app.export_screenshot(simplify=True).replace("&#160;", " ")
        await pilot.press("space")
        card = app.screen.query_one(Card)
        assert not card.revealed
        await pilot.press("z")
        await pilot.pause()
        assert card.revealed
        bar = str(app.screen.query_one(KeyBar).render())
        assert " space got it " in bar
        assert " 1/2/w/4 rate " in bar
        assert " w Got it" in str(card.query_one(RatingBar).render())
        commands = {command.title: command.help for command in app.get_system_commands(app.screen)}
        assert commands["Rate"] == "Key: 1/2/w/4"
        await pilot.press("3")
        assert app.kit.desk.given == 0
        await pilot.press("comma")
        await pilot.pause()
        assert app.kit.desk.given == 1
        await pilot.press("f3")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        lines = ["".join(line.plain for line in block.lines(70)) for block in app.screen._blocks()]
        assert any(line.split() == ["answer", "z"] for line in lines)
        assert any(line.split() == ["rate", "1,", "2,", "w,", ",,", "4"] for line in lines)
        assert any("config.toml" in line for line in lines)


async def test_a_held_key_that_was_chosen_reveals_and_does_not_rate(
    tmp_path: Path, with_keys: Callable[[dict[str, object]], ModuleType]
) -> None:
    helper = with_keys({"card.answer": "z", "card.got_it": "z"})
    from learn_llm.tui.widgets.card import Card

    clock = helper.Clock()
    app = helper.make_app(tmp_path, clock=clock)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        clock.step = 0.0
        clock.now += 1.0
        for _ in range(5):
            await pilot.press("z")
            clock.now += 0.05
        assert app.screen.query_one(Card).revealed
        assert app.kit.desk.given == 0
        clock.now += 1.0
        await pilot.press("z")
        await pilot.pause()
        assert app.kit.desk.given == 1


def test_the_keys_can_be_swapped_and_given_by_any_of_their_names() -> None:
    assert keys.choose({"home.list": "x", "home.drill": "l"}) == ({"home.list": "x", "home.drill": "l"}, [])
    chosen, problems = keys.choose({"card.answer": " Ctrl+E ,.", "cards.undo": "shift+w", "demo.run": "F5"})
    assert (chosen, problems) == ({"card.answer": "ctrl+e,full_stop", "cards.undo": "W", "demo.run": "f5"}, [])


@pytest.mark.parametrize(
    ("entry", "kind", "said"),
    [
        ({"card.anwser": "z"}, "action", "did you mean card.answer"),
        ({"home.list": "spcae"}, "key", "did you mean space"),
        ({"home.list": ""}, "type", "quotation marks"),
        ({"home.list": 3}, "type", "quotation marks"),
        ({"home.list": "ctrl+q"}, "reserved", "ctrl+q"),
        ({"search.drop": "a"}, "typing", "typing"),
        ({"window.back": "backspace"}, "typing", "typing"),
        ({"home.list": "x"}, "conflict", "home.drill"),
        ({"app.quit": "x"}, "conflict", "It stays q"),
        ({"card.partly": "question_mark"}, "conflict", "app.help"),
        ({"card.partly": "?"}, "conflict", "app.help"),
    ],
)
def test_a_mistake_is_one_line_and_the_rest_holds(entry: dict[str, object], kind: str, said: str) -> None:
    chosen, problems = keys.choose({"demo.run": "w", **entry, "study.skip": "z"})
    assert chosen == {"demo.run": "w", "study.skip": "z"}
    assert [problem.kind for problem in problems] == [kind]
    assert said in problems[0].text(Texts("en"))
    for texts in (Texts("en"), Texts("ja")):
        assert "\n" not in problems[0].text(texts)


def test_of_two_entries_that_clash_the_first_holds() -> None:
    chosen, problems = keys.choose({"demo.run": "w", "demo.break": "w", "study.more": "w"})
    assert chosen == {"demo.run": "w"}
    assert {(problem.kind, problem.facts["id"]) for problem in problems} == {
        ("conflict", "demo.break"),
        ("conflict", "study.more"),
    }


def test_whatever_a_file_asks_for_no_two_actions_fight() -> None:
    """Random wishes: in what is taken no screen has a key twice that was not shared before."""
    import random

    drawn, wishes = random.Random(0), ["a", "z", "space", "enter", "1", "f5", "escape", "?", "question_mark", "left"]
    for _ in range(60):
        wanted: dict[str, object] = {id: drawn.choice(wishes) for id in drawn.sample(list(keys.DEFAULTS), 12)}
        chosen, problems = keys.choose(wanted)
        same = {id for id in wanted if wanted[id] == keys.DEFAULTS[id]}
        assert set(chosen) | {problem.facts["id"] for problem in problems} | same == set(wanted)
        assert keys.choose(dict(chosen)) == (chosen, [])


async def test_while_typing_the_bar_shows_the_keys_that_work(tmp_path: Path) -> None:
    from learn_llm.tui.widgets.key_bar import KeyBar
    from tests.tui_app import make_app

    app = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        assert str(app.screen.query_one(KeyBar).render()).endswith(" ? help  q quit ")
        await pilot.press("slash")
        await pilot.pause()
        bar = str(app.screen.query_one(KeyBar).render())
        assert bar.startswith(" enter to the list  esc all ")
        assert bar.endswith(" f1 help ")


# The file


def test_no_file_is_fine(home: Path) -> None:
    assert config.load() == config.Config(home / "config.toml")
    assert keys.of_user() == ({}, [])


@pytest.mark.parametrize(
    ("text", "chosen", "said"),
    [
        ('[keys]\ncard.answer = "z"\n"demo.run" = "w"\n', {"card.answer": "z", "demo.run": "w"}, []),
        ('[keys]\ncard.answer = "z"\n\ncard.good = \n', {}, ["line 4 is not TOML"]),
        ('[keys]\ncard.answer = "z', {}, ["line 2 is not TOML"]),
        ('[key]\ncard.answer = "z"\n', {}, ["no section [key], did you mean keys?"]),
        ("keys = 3\n[other]\n[keyz]\n", {}, ["[keys]", "[other]", "[keyz]"]),
        ('\ufeff[keys]\r\ncard.answer = "z"\r\n', {"card.answer": "z"}, []),
    ],
)
def test_a_file_is_read_as_far_as_it_goes(home: Path, text: str, chosen: dict[str, str], said: list[str]) -> None:
    (home / "config.toml").write_text(text, encoding="utf-8", newline="")
    taken, problems = keys.of_user()
    assert taken == chosen
    lines = [problem.text(Texts("en")) for problem in problems]
    assert len(lines) == len(said)
    assert all(part in line for part, line in zip(said, lines, strict=True))


def test_a_file_that_is_no_text_or_no_file_is_told(home: Path) -> None:
    (home / "config.toml").write_bytes(b"\xff\xfe\x00")
    assert [problem.kind for problem in keys.of_user()[1]] == ["unreadable"]
    (home / "config.toml").unlink()
    (home / "config.toml").mkdir()
    assert [problem.kind for problem in keys.of_user()[1]] == ["unreadable"]


async def test_the_app_opens_and_says_what_is_wrong(tmp_path: Path) -> None:
    from learn_llm.tui.app import QuizApp
    from tests.tui_app import make_app

    class Told(QuizApp):
        def __init__(self, kit: object) -> None:
            super().__init__(kit, ["config.toml: [one] line"])  # type: ignore[arg-type]

    app = make_app(tmp_path, app=Told)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await pilot.pause()
        assert [notification.message for notification in app._notifications] == ["config.toml: [one] line"]


def test_quiz_prints_the_keys_as_a_file_that_changes_nothing(home: Path) -> None:
    for language in ("en", "ja"):
        result = CliRunner().invoke(quiz, ["--keys", "--lang", language])
        assert result.exit_code == 0
        (home / "config.toml").write_text(result.output, encoding="utf-8")
        taken, problems = keys.of_user()
        assert (taken, problems) == ({}, [])
        assert str(home / "config.toml") in result.output
        assert tomllib.loads(result.output)["keys"]["card"]["answer"] == "space,enter"


def test_the_doctor_names_the_file_and_its_mistakes(home: Path) -> None:
    def found() -> list[dict[str, str]]:
        result = CliRunner().invoke(doctor, ["--json"])
        return [finding for finding in json.loads(result.output) if finding["name"] == "config"]

    assert [(one["status"], str(home / "config.toml") in one["text"]) for one in found()] == [("ok", True)]
    (home / "config.toml").write_text('[keys]\ncard.answer = "z"\n')
    assert [(one["status"], one["text"]) for one in found()] == [("ok", f"{home / 'config.toml'}, keys changed: 1")]
    (home / "config.toml").write_text('[keys]\ncard.anwser = "z"\nhome.list = "x"\n')
    assert [one["status"] for one in found()] == ["warn", "warn"]
    assert all("\n" not in one["text"] and str(home) in one["advice"] for one in found())


def test_the_command_takes_the_keys_of_the_file(home: Path) -> None:
    """From the file to the bindings, as `learn-llm quiz` does it, in a process of its own."""
    (home / "config.toml").write_text('[keys]\nhome.drill = "z"\nhome.nothing = "w"\n')
    script = """
import sys
import learn_llm.tui.keys as keys
from learn_llm.commands import quiz
def run(self):
    bindings = type(self.get_default_screen()).BINDINGS
    print([binding.key for binding in bindings if binding.id == "home.drill"], self.notices)
class Terminal:
    def __init__(self, stream): self.stream = stream
    def __getattr__(self, name): return getattr(self.stream, name)
    def isatty(self): return True
sys.stdin, sys.stdout = Terminal(sys.stdin), Terminal(sys.stdout)
assert "learn_llm.tui.app" not in sys.modules
import textual.app
textual.app.App.run = run
quiz.quiz(["--lang", "en"], standalone_mode=False)
"""
    environment = {**os.environ, "LEARN_LLM_HOME": str(home), "TERM": "xterm"}
    environment.pop("LEARN_LLM_PLAIN", None)
    result = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("['z'] ['config.toml: there is no action home.nothing")
