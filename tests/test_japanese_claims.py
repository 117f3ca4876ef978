"""A Japanese reader gets a demo's claim, its notes and the titles of its charts in Japanese, as long as they are those
that were translated."""

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TypeGuard

import pytest
from textual.widgets import Static

from learn_llm.canvas import cells
from learn_llm.commands.plain.console import Console
from learn_llm.commands.plain.demo import run_demo
from learn_llm.demos import catalogue
from learn_llm.demos.catalogue import DEMOS, SLUGS
from learn_llm.demos.entry import Sentence
from learn_llm.demos.japanese_notes import NOTES
from learn_llm.demos.japanese_titles import TITLES
from learn_llm.events import Chart, Event, Note, Series, Table, Verdict
from learn_llm.tui.widgets.demo import DemoPane
from tests.test_tui_demo import text, until
from tests.tui_app import SMALL, make_app

CLAIMS = tuple(one for one in catalogue._japanese_sentences() if one not in (*NOTES, *TITLES))
METHODS = {
    "adapters-prompt-tuning": "prompt_tuning",
    "flask": "flask",
    "lora": "lora",
    "over-optimisation": "over_optimisation",
    "quantisation": "quantise",
    "self-instruct": "self_instruct_tables",
    "why-rl": "why_rl",
}
"""Where the verdict is said, of the demos that leave it to the file of their method."""
GIVEN = {"asked": [3, 4]}
"""What a claim is made from besides the names of its file: the reasons that the demo of why-rl measures."""
PLACE = "{}"
"""Stands for what only a run knows."""


def japanese(slug: str, text: str) -> str:
    return catalogue.told(slug, text, "ja")


def verdict_of(slug: str) -> ModuleType:
    """The file that says the demo's verdict."""
    path = f"minimal_impls.{METHODS[slug]}" if slug in METHODS else f"demos.{DEMOS[slug].module}"
    return importlib.import_module(f"learn_llm.{path}")


def claims_in(module: ModuleType) -> list[str]:
    """What the last verdict in a file claims, read from its source; with what it grows from, the whole of it last."""
    functions = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.FunctionDef)]
    said = [(call, function) for function in functions for call in ast.walk(function) if is_verdict(call)]
    call, function = max(said, key=lambda pair: pair[0].lineno)
    [claim] = call.args[:1] or [word.value for word in call.keywords if word.arg == "claim"]
    names = {**vars(module), **GIVEN}
    if not isinstance(claim, ast.Name):
        return [text_of(claim, names)]
    texts: list[str] = []
    for node in sorted((n for n in ast.walk(function) if isinstance(n, ast.stmt)), key=lambda n: n.lineno):
        value = assigned(node, claim.id)
        if value is not None:
            grown = texts[-1] if isinstance(node, ast.AugAssign) else ""
            texts.append(grown + text_of(value, {**names, claim.id: texts[-1] if texts else ""}))
    return texts


def is_verdict(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Verdict"


def assigned(statement: ast.stmt, name: str) -> ast.expr | None:
    """What the statement gives to this name, or adds to it."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=target)], value=value) | ast.AugAssign(ast.Name(id=target), value=value):
            return value if target == name else None
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
            pairs = zip(targets, values, strict=True)
            return next((value for one, value in pairs if isinstance(one, ast.Name) and one.id == name), None)
    return None


def text_of(node: ast.expr, names: Mapping[str, object]) -> str:
    """The text that an expression makes; a place where it needs a name that is not there."""
    if isinstance(node, ast.JoinedStr) and len(node.values) > 1:
        parts = (ast.JoinedStr([part]) if isinstance(part, ast.FormattedValue) else part for part in node.values)
        return "".join(text_of(part, names) for part in parts)
    try:
        made = eval(compile(ast.fix_missing_locations(ast.Expression(node)), "<claim>", "eval"), dict(names))
    except NameError:
        return PLACE
    assert isinstance(made, str)
    return made


def places(text: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", text)


@pytest.mark.parametrize("slug", SLUGS)
def test_what_was_translated_is_what_the_demo_claims(slug: str) -> None:
    """Where this fails a demo's claim has changed: look at the Japanese one, then bring the English one up to date."""
    kept = {re.sub(r"\{\w+\}", PLACE, claim.english) for claim in CLAIMS if claim.demo == slug}
    found = claims_in(verdict_of(slug))
    assert found[-1] in kept
    assert kept <= set(found)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: str(claim.demo))
def test_the_japanese_has_the_places_and_the_numbers_of_the_english(claim: Sentence) -> None:
    assert claim.demo in DEMOS
    assert sorted(places(claim.japanese)) == sorted(places(claim.english))
    assert re.search("[ぁ-ん]", claim.japanese)
    assert claim.japanese.endswith(("。", "。)"))
    english, ours = (set(re.findall(r"\d+(?:\.\d+)?", text)) for text in (claim.english, claim.japanese))
    assert english <= ours
    assert claim.translated(claim.english.format_map(dict.fromkeys(places(claim.english), 7))) is not None


@pytest.mark.parametrize(
    ("slug", "claim", "start"),
    [
        (
            "adapters-prompt-tuning",
            "32 trained soft tokens raise the gold score of a frozen model by at least 0.1, more than 1 does",
            "訓練した32個のソフトトークンは、凍結したモデルのゴールドスコアを0.1以上上げ、その上げ幅は1個の",
        ),
        (
            "adapters-prompt-tuning",
            "1 trained soft tokens raise the gold score of a frozen model by at least 0.1",
            "訓練した1個のソフトトークンは、凍結したモデルのゴールドスコアを0.1以上上げます。",
        ),
        ("q-learning", "In most states the greedy action is optimal", "In most states"),
    ],
)
def test_numbers_of_a_run_are_kept_and_another_claim_stays_english(slug: str, claim: str, start: str) -> None:
    assert japanese(slug, claim).startswith(start)
    assert catalogue.told(slug, claim, "en") == claim


# Notes

WRITTEN_IN = {
    "adapters-prompt-tuning": "prompt_tuning",
    "chain-of-hindsight": "coh",
    "icil": "icil",
    "lora": "lora",
    "over-optimisation": "over_optimisation",
    "reward-model": "reward_model",
    "self-instruct": "self_instruct_tables",
    "why-rl": "why_rl_negation",
}
"""Where notes are written, of the demos that leave some to a file of their method."""
AS_RUN = (
    ("tokenisation", "English in tokens: what| is| b"),
    ("ppo", "512 prompts, 512 held out, 0 too long"),
    ("over-optimisation", "the proxy on held-out pairs: accuracy 61.5%, ceiling 78.9%"),
    ("flask", "A: tiny-sft at temperature 0; B: tiny-sft at temperature 1.48, the best of 4 by the reward model"),
    (
        "flask",
        "Made wordier: 99% of the scores stay, conciseness moves by -1.58; the reward model's one score rises for 12% "
        "of the answers",
    ),
)
"""Notes that are put together while a run goes on, as a run says them."""


def notes_in(module: ModuleType) -> list[str]:
    """What a file notes, read from its source, with a 7 wherever only a run knows what stands there."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call)]
    noted = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Note"]
    texts = [text_of(text, vars(module)).replace(PLACE, "7") for text in noted]
    return [text for text in texts if text != "7"]  # more than a name


@pytest.mark.parametrize("slug", SLUGS)
def test_every_note_of_a_demo_is_translated_and_nothing_else_is(slug: str) -> None:
    """Where this fails a demo's note has changed: look at the Japanese one, then bring the English one up to date."""
    own = notes_in(importlib.import_module(f"learn_llm.demos.{DEMOS[slug].module}"))
    assert [text for text in own if japanese(slug, text) == text] == []
    method = WRITTEN_IN.get(slug)
    others = notes_in(importlib.import_module(f"learn_llm.minimal_impls.{method}")) if method else []
    texts = [*own, *others, *(text for name, text in AS_RUN if name == slug)]
    idle = [one.english for one in NOTES if one.demo == slug and not any(map(one.translated, texts))]
    assert idle == []


@pytest.mark.parametrize("note", NOTES, ids=lambda note: str(note.demo))
def test_a_japanese_note_has_the_places_of_the_english_one(note: Sentence) -> None:
    assert note.demo in DEMOS
    assert sorted(places(note.japanese)) == sorted(places(note.english))
    assert re.search("[ぁ-んァ-ヶ]", note.japanese)
    assert note.english.startswith("--break: ") == note.japanese.startswith("--break: ")
    assert note.translated(note.english.format_map(dict.fromkeys(places(note.english), 7))) is not None


def test_a_note_that_nobody_has_translated_stays_english() -> None:
    text = "--break: something else is broken."
    assert japanese("attention", text) == text
    assert catalogue.told("attention", NOTES[0].english, "en") == NOTES[0].english


# Titles of charts and tables

DRAWN_IN = {
    "adapters-prompt-tuning": ("prompt_tuning",),
    "flask": ("flask_tables", "flask"),
    "icil": ("icil_scores",),
    "lora": ("lora",),
    "over-optimisation": ("over_optimisation", "reward_model"),
    "ppo": ("ppo",),
    "quantisation": ("quantise",),
    "reward-model": ("reward_model",),
    "self-instruct": ("self_instruct_tables",),
    "why-rl": ("why_rl_negation", "why_rl_samples"),
}
"""Where titles are written, of the demos that leave some to files of their method."""
TITLES_AS_RUN = (
    ("flask", "Skills, 1 to 5"),
    ("flask", "Domain"),
    ("flask", "Difficulty, 1 to 5"),
    ("flask", "Hard questions (difficulty 4, 5) minus easy ones (1, 2)"),
    ("flask", "Logical thinking and background knowledge"),
    ("flask", "Problem handling and user alignment"),
    ("generative-vs-discriminative", "Test error, features independent"),
    ("generative-vs-discriminative", "Test error, features correlated"),
    ("chain-of-hindsight", "Loss of conditional-sft"),
    ("chain-of-hindsight", "Gold score when asked for good and for bad answers, held-out prompts"),
    ("icil", "Held-out tasks, with options and with free answers"),
    ("llama2", "Serving in 16 bits: caches of 4,096 tokens that fit in 80 GB"),
    ("over-optimisation", "Loss and accuracy on the pairs of each step"),
    ("ppo", "Reward and gold score of each round"),
    ("ppo", "KL to the start"),
    ("ppo", "Skills, 1 to 5, on held-out prompts"),
    ("reward-model", "Loss and accuracy on the pairs of each step"),
    ("search", "breadth-first: 46 steps, cost 74 (optimum 70)"),
    ("search", "A*: 46 steps, cost 70 (optimum 70)"),
    ("self-instruct", "ROUGE-L of at least 0.7 against planted near-duplicates"),
    ("self-instruct", "SFT on 48 tasks of each kind, then 253 new questions"),
    ("sft", "Loss on response tokens"),
    ("transfer-learning", "Loss on held-out rows of the dialect"),
    ("transfer-learning", "Loss on the old text"),
    ("why-rl", "Share of pairs where the opposite comes out worse; nats a token"),
    ("why-rl", "Gold score: the opposite minus the same meaning"),
    ("why-rl", "Cross-entropy: the opposite minus the same meaning"),
)
"""Titles that are put together while a run goes on, or handed on, as a run says them."""


def titles_in(module: ModuleType) -> list[str]:
    """What a file writes above charts and tables, read from its source, with a 7 wherever only a run knows."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call)]
    places = {"Chart": 1, "Table": 0}
    drawn = [
        (call, places[call.func.id]) for call in calls if isinstance(call.func, ast.Name) and call.func.id in places
    ]
    texts = [text_of(call.args[place], vars(module)).replace(PLACE, "7") for call, place in drawn]
    return [text for text in texts if text != "7"]  # more than a name


@pytest.mark.parametrize("slug", SLUGS)
def test_every_title_of_a_demo_is_translated_and_nothing_else_is(slug: str) -> None:
    """Where this fails a title has changed: look at the Japanese one, then bring the English one up to date."""
    own = titles_in(importlib.import_module(f"learn_llm.demos.{DEMOS[slug].module}"))
    run = [text for name, text in TITLES_AS_RUN if name == slug]
    own = [text for text in own if not any(re.fullmatch(re.escape(text).replace("7", ".+"), one) for one in run)] + run
    assert [text for text in own if japanese(slug, text) == text] == []
    files = [importlib.import_module(f"learn_llm.minimal_impls.{name}") for name in DRAWN_IN.get(slug, ())]
    texts = [*own, *(text for file in files for text in titles_in(file))]
    assert [one.english for one in TITLES if one.demo == slug and not any(map(one.translated, texts))] == []


@pytest.mark.parametrize("title", TITLES, ids=lambda title: str(title.demo))
def test_a_japanese_title_has_the_places_of_the_english_one_and_fits(title: Sentence) -> None:
    assert title.demo in DEMOS
    assert sorted(places(title.japanese)) == sorted(places(title.english))
    assert cells(title.japanese.format_map(dict.fromkeys(places(title.english), 1000))) <= 76
    assert not title.japanese.endswith("。")


# In the app and in the plain quiz

SAID = Verdict(CLAIMS[0].english, True, {"minimax_lost": 0.0})

NOTED = NOTES[1].english
CHART = Chart(
    *("line", "The learner's share of lost games against the rules", "games learnt from", "lost"),
    (Series("", (0.0, 1.0, 2.0), (1.0, 0.5, 0.2)),),
)
TABLE = Table("Won / drawn / lost in 200 games", ("player", "won"), (("minimax", 1),))
DRAWN = ("ルールとの対局で学習器が負けた割合", "200局の勝ち／引き分け／負け")


async def claiming(argv: Sequence[str]) -> AsyncGenerator[Event, None]:
    """The first demo, which says a note, its verdict and no more."""
    yield Note(NOTED)
    yield CHART
    yield TABLE
    yield SAID


async def test_the_app_says_the_claim_in_japanese_and_keeps_it_as_it_was(tmp_path: Path) -> None:
    app = make_app(tmp_path, language="ja")
    app.kit = dataclasses.replace(app.kit, follow=claiming)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("d")
        await pilot.pause()
        shown = app.screen.query_one(DemoPane).query_one("#demo-verdict", Static)
        await until(pilot, lambda: "minimax_lost" in str(shown.render()))
        assert japanese("what-is-ai", SAID.claim) in "".join(str(shown.render()).split())
        notes = str(app.screen.query_one(DemoPane).query_one("#demo-notes", Static).render())
        assert japanese("what-is-ai", NOTED).replace(" ", "") in "".join(notes.split())
        await until(pilot, lambda: all(title in text(app) for title in DRAWN))
        kept = app.kit.desk.last_run("what-is-ai")
        assert kept is not None
        assert kept.claim == SAID.claim


def test_the_plain_quiz_says_the_claim_in_japanese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kit = dataclasses.replace(make_app(tmp_path, language="ja").kit, follow=claiming)
    run_demo(kit, Console(), kit.desk.questions[0], [])
    out = "".join(capsys.readouterr().out.split())
    assert japanese("what-is-ai", SAID.claim) in out
    assert japanese("what-is-ai", NOTED).replace(" ", "") in out
    assert all(title in out for title in DRAWN)
    kept = kit.desk.last_run("what-is-ai")
    assert kept is not None
    assert kept.claim == SAID.claim
