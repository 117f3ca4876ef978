"""The catalogue of demos says the same as the demos themselves, and loads without them."""

import ast
import dataclasses
import doctest
import importlib
import inspect
import itertools
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

import pytest
from textual.widgets import Static

from learn_llm.commands.plain.console import Console
from learn_llm.commands.plain.demo import run_demo
from learn_llm.demos import catalogue, entry
from learn_llm.demos.catalogue import DEMOS, SLUGS, Demo, Parameter
from learn_llm.errors import UserError
from learn_llm.events import Event, Verdict
from learn_llm.running import RunConfig
from learn_llm.tui.widgets.demo import DemoPane
from learn_llm.tui.widgets.page import Page
from tests.test_tui_demo import until
from tests.tui_app import SMALL, make_app

COMMON = {field.name for field in dataclasses.fields(RunConfig)}


def config_class(demo: Demo) -> type[RunConfig]:
    found: type[RunConfig] = importlib.import_module(f"learn_llm.demos.{demo.module}").Config
    assert issubclass(found, RunConfig)
    return found


def field_docs(config: type[RunConfig]) -> dict[str, str]:
    """The line of documentation under each field of a Config."""
    [body] = [node.body for node in ast.parse(inspect.getsource(config)).body if isinstance(node, ast.ClassDef)]
    docs = {}
    for field, doc in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(doc, ast.Expr):
            assert isinstance(doc.value, ast.Constant)
            docs[field.target.id] = str(doc.value.value)
    return docs


def test_all_fifty_slugs_are_known_in_order() -> None:
    assert len(SLUGS) == len(set(SLUGS)) == 50
    assert (SLUGS[4], SLUGS[5], SLUGS[42], SLUGS[49]) == ("curse-of-dimensionality", "search", "ppo", "llama2")
    assert all(SLUGS[demo.question - 1] == demo.slug == slug for slug, demo in DEMOS.items())


def test_built_and_not_yet_built() -> None:
    assert catalogue.is_built("search")
    missing = [slug for slug in SLUGS if not catalogue.is_built(slug)]
    assert len(missing) + len(DEMOS) == len(SLUGS)
    with pytest.raises(UserError, match="no question is called 'serch'"):
        catalogue.is_built("serch")


@pytest.mark.parametrize("demo", DEMOS.values(), ids=lambda demo: str(demo.slug))
def test_parameters_are_the_fields_of_the_config(demo: Demo) -> None:
    config = config_class(demo)
    fields = {field.name: field.default for field in dataclasses.fields(config)}
    assert fields.keys() >= COMMON
    assert {p.name: p.default for p in demo.parameters} == {n: d for n, d in fields.items() if n not in COMMON}
    assert {p.name: p.meaning for p in demo.parameters} == field_docs(config)
    assert all(type(p.default) is type(getattr(config(), p.name)) for p in demo.parameters)


@pytest.mark.parametrize("demo", DEMOS.values(), ids=lambda demo: str(demo.slug))
def test_ranges_hold_the_default_and_refuse_the_rest(demo: Demo) -> None:
    make: Callable[..., RunConfig] = config_class(demo)
    make()
    for parameter in demo.parameters:
        assert parameter.fault(parameter.default) is None
        flag = "--" + parameter.name.replace("_", "-")
        for value in (10**9, -(10**9), float("nan")):
            with pytest.raises(UserError, match=flag):
                make(**{parameter.name: value})


@pytest.mark.parametrize("demo", DEMOS.values(), ids=lambda demo: str(demo.slug))
def test_every_demo_says_what_to_look_at(demo: Demo) -> None:
    for text in (demo.title, demo.breaks, demo.look_at, *demo.try_this):
        assert text.strip() == text != ""
    names = {"--break", *("--" + p.name.replace("_", "-") for p in demo.parameters)}
    flags = {word.rstrip(":,.") for text in demo.try_this for word in text.split() if word.startswith("--")}
    assert flags
    assert flags <= names


@pytest.mark.parametrize("demo", DEMOS.values(), ids=lambda demo: str(demo.slug))
def test_every_demo_says_it_in_japanese_too(demo: Demo) -> None:
    """Text by text, with the options and the numbers of the English."""
    ours = catalogue.find(demo.slug, "ja")
    assert ours is not None
    assert [option(text) for text in ours.try_this] == [option(text) for text in demo.try_this]
    for english, japanese in zip(texts_of(demo), texts_of(ours), strict=True):
        assert japanese.strip() == japanese
        assert re.search("[ぁ-んァ-ヶ一-龠]", japanese), japanese
        assert set(re.findall(r"\d+(?:\.\d+)?", english)) <= set(re.findall(r"\d+(?:\.\d+)?", japanese)), japanese
    for japanese in texts_of(ours)[1:]:
        assert japanese.endswith(("。", "。)")), japanese
    unchanged = [dataclasses.replace(one, meaning="") for one in ours.parameters]
    assert unchanged == [dataclasses.replace(one, meaning="") for one in demo.parameters]
    assert (ours.question, ours.seconds, ours.module) == (demo.question, demo.seconds, demo.module)


def option(text: str) -> str:
    """What is to be tried."""
    assert ": " in text
    return text.partition(": ")[0]


def texts_of(demo: Demo) -> list[str]:
    return [demo.title, demo.breaks, demo.look_at, *demo.try_this, *(one.meaning for one in demo.parameters)]


def test_no_japanese_text_without_its_demo() -> None:
    words = catalogue._japanese()
    assert words.keys() == DEMOS.keys()
    for slug, said in words.items():
        assert said.meanings.keys() == {parameter.name for parameter in DEMOS[slug].parameters}


def test_what_a_translation_lacks_is_not_made_up() -> None:
    demo, words = DEMOS["search"], catalogue._japanese()["search"]
    with pytest.raises(ValueError, match="zip"):
        demo.said_in(dataclasses.replace(words, try_this=words.try_this[1:]))
    with pytest.raises(KeyError):
        demo.said_in(dataclasses.replace(words, meanings={}))


def test_a_demo_is_found_in_both_languages() -> None:
    assert catalogue.find("search") is DEMOS["search"]
    japanese = catalogue.find("search", "ja")
    assert japanese is not None
    assert japanese.title == "ぬかるんだ迷路を抜ける六つの方法"
    assert catalogue.find("serch", "ja") is None


async def at_once(argv: Sequence[str]) -> AsyncGenerator[Event, None]:
    """A demo that says its verdict and no more."""
    yield Verdict("it holds", True, {})


async def test_the_app_shows_a_demo_in_the_language_of_the_session(tmp_path: Path) -> None:
    demo = catalogue.find("what-is-ai", "ja")
    assert demo is not None
    app = make_app(tmp_path, language="ja")
    app.kit = dataclasses.replace(app.kit, follow=at_once)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("d")
        await pilot.pause()
        pane = app.screen.query_one(DemoPane)
        assert pane.demo == demo
        assert demo.title.split() == str(pane.query_one("#demo-head").render()).split()[1:]
        await until(pilot, lambda: demo.try_this[0][:20] in str(pane.query_one("#demo-try", Static).render()))
        await pilot.press("p")
        await pilot.pause()
        assert demo.parameters[0].meaning[:10] in str(app.screen.query_one("#parameters-note", Page).render())


def test_the_plain_quiz_says_a_demo_in_the_language_of_the_session(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = catalogue.find("what-is-ai", "ja")
    assert demo is not None
    kit = dataclasses.replace(make_app(tmp_path, language="ja").kit, follow=at_once)
    run_demo(kit, Console(), kit.desk.questions[0], [], broken=True)
    said = "".join(capsys.readouterr().out.split())
    for text in (demo.title, demo.breaks, demo.look_at):
        assert "".join(text.split()) in said


def test_choices_and_switches() -> None:
    heads = Parameter("kv_heads", 8, "Heads.", choices=(1, 8))
    assert heads.fault(8) is None
    assert heads.fault(3) == "--kv-heads must be one of 1, 8, not 3"
    assert Parameter("scale", True, "A switch.").fault(False) is None


def test_the_catalogue_loads_nothing_heavy() -> None:
    unwanted = {"torch", "numpy", "learn_llm.demos.japanese_basic", "learn_llm.demos.japanese_claims_basic"}
    code = f"import sys, learn_llm.demos.catalogue; print(sorted({unwanted} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_examples_in_docstrings_are_true() -> None:
    assert doctest.testmod(entry) == doctest.TestResults(failed=0, attempted=4)
