"""Exports: an Anki deck that updates in place, Markdown, JSON; questions of one's own; what is wrong is one line."""

import json
import re
import sqlite3
import zipfile
from pathlib import Path

import pytest

from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.check import check_bank
from learn_llm.quizzes.export import FIELDS, to_json, to_markdown, write_anki
from learn_llm.quizzes.html import to_html
from tests.test_bank import GOOD, other, write
from tests.test_cli import Command, learn_llm

__all__ = ["learn_llm"]  # the fixture


def notes(path: Path) -> dict[str, tuple[list[str], list[str]]]:
    """By the id of the note that Anki updates by: its fields and tags."""
    with zipfile.ZipFile(path) as package:
        package.extract("collection.anki2", path.parent)
    with sqlite3.connect(path.parent / "collection.anki2") as collection:
        rows = collection.execute("select guid, flds, tags from notes").fetchall()
    collection.close()
    return {guid: (fields.split("\x1f"), tags.split()) for guid, fields, tags in rows}


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_deck_has_a_note_for_each_question(tmp_path: Path, lang: str) -> None:
    pytest.importorskip("genanki")
    questions = load_bank(lang=lang).questions
    write_anki(questions, tmp_path / "one.apkg")
    first = notes(tmp_path / "one.apkg")
    write_anki(questions[::-1], tmp_path / "two.apkg")
    assert notes(tmp_path / "two.apkg") == first
    assert len(first) == 50
    by_id = {fields[FIELDS.index("Id")]: (fields, tags) for fields, tags in first.values()}
    fields, tags = by_id["ppo"]
    assert fields[0] == load_bank(lang=lang).by_id["ppo"].question
    assert tags == ["level::advanced", "topic::alignment", "topic::reinforcement-learning"]
    assert "<pre>r_t = " in fields[3]
    assert "learn-llm demo ppo" in fields[8]
    for fields, _ in by_id.values():
        assert not re.search(r"<(?!/?(?:p|pre|code|b|i|h3|h4|ul|ol|li|table|tr|td|th|br)>)", "".join(fields))


def test_languages_and_packs_have_notes_of_their_own(tmp_path: Path) -> None:
    pytest.importorskip("genanki")
    ids: list[str] = []
    for lang, pack in (("en", ""), ("ja", ""), ("en", "mine")):
        write_anki([load_bank(lang=lang).by_id["ppo"]], tmp_path / "deck.apkg", pack)
        ids += notes(tmp_path / "deck.apkg")
    assert len(set(ids)) == 3


def test_anki_itself_adds_none_the_second_time(tmp_path: Path) -> None:
    anki = pytest.importorskip("anki.collection")
    pytest.importorskip("genanki")
    collection = anki.Collection(str(tmp_path / "collection.anki2"))
    try:
        for count in (50, 50, 100, 100):
            write_anki(load_bank(lang="en" if count == 50 else "ja").questions, tmp_path / "deck.apkg")
            request = anki.ImportAnkiPackageRequest(package_path=str(tmp_path / "deck.apkg"))
            collection.import_anki_package(request)
            assert collection.note_count() == count
    finally:
        collection.close()


def test_html_of_every_kind_of_block() -> None:
    markdown = "### Two *kinds*\nOne **bold**\nline & `a<b`.\n\n1. first\n   item\n2. second\n\n    a < b\n\n    c\n\n"
    markdown += "| n | loss |\n|---|---|\n| 1 | 0.5 |"
    assert to_html(markdown) == (
        "<h4>Two <i>kinds</i></h4><p>One <b>bold</b> line &amp; <code>a&lt;b</code>.</p>"
        "<ol><li>first item</li><li>second</li></ol><pre>a &lt; b\n\nc</pre>"
        "<table><tr><th>n</th><th>loss</th></tr><tr><td>1</td><td>0.5</td></tr></table>"
    )


def test_json_and_markdown_have_everything() -> None:
    questions = load_bank(lang="ja").questions
    data = json.loads(to_json(questions))
    assert [row["id"] for row in data] == [question.id for question in questions]
    assert all(len(row["choices"]["options"]) == 4 and row["key_points"] and row["mistakes"] for row in data)
    page = to_markdown(questions)
    assert page.count("\n# ") + page.startswith("# ") == 50
    assert all(question.full_answer in page for question in questions)


def test_the_command_exports_a_selection(learn_llm: Command, tmp_path: Path) -> None:
    result = learn_llm("export", "json", "43", "1-2", "sft", "--lang", "ja")
    assert [row["number"] for row in json.loads(result.out)] == [1, 2, 36, 43]
    assert json.loads(result.out)[0]["lang"] == "ja"
    result = learn_llm("export", "json", "--level", "advanced", "--topic", "alignment")
    assert {row["level"] for row in json.loads(result.out)} == {"advanced"}
    result = learn_llm("export", "markdown", "ppo", "--out", str(tmp_path / "ppo.md"))
    assert (result.code, result.out) == (0, "")
    assert (tmp_path / "ppo.md").read_text(encoding="utf-8").startswith("# 43. ")


def test_the_command_writes_a_deck(learn_llm: Command, tmp_path: Path) -> None:
    pytest.importorskip("genanki")
    for _ in range(2):
        result = learn_llm("export", "anki", "1-3", "--out", str(tmp_path / "deck.apkg"))
        assert (result.code, result.out) == (0, "")
        assert "3 questions written to" in result.err
    assert len(notes(tmp_path / "deck.apkg")) == 3


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["json", "99"], "1 to 50"),
        (["json", "60-70"], "no question from 60 to 70"),
        (["json", "../ppo"], "there is no question"),
        (["json", "--level", "x"], "there is no level"),
        (["json", "ppo", "--level", "basic"], "no question is left"),
        (["json", "--bank", "/nowhere/at/all"], "cannot be opened"),
        (["anki", "--out", "/nowhere/at/all.apkg"], "cannot be written"),
        (["markdown", "--out", "/nowhere/at/all.md"], "cannot be written"),
        (["pdf"], "'pdf' is not one of"),
    ],
)
def test_what_is_wrong_is_one_line(learn_llm: Command, args: list[str], message: str) -> None:
    if args[0] == "anki":
        pytest.importorskip("genanki")
    result = learn_llm("export", *args)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1


def test_without_genanki_it_says_so(learn_llm: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "genanki", None)
    result = learn_llm("export", "anki", "1")
    assert result.code == 3
    assert "pip install 'learn-llm[anki]'" in result.err


# Questions of one's own


def test_a_new_question_opens_at_once(learn_llm: Command, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    for name, lang in (("gqa", "en"), ("gqa", "ja"), ("mla", "en")):
        assert learn_llm("questions", "new", name, "--lang", lang, "--bank", str(pack)).code == 0
    assert [(q.id, q.number) for q in load_bank(pack).questions] == [("gqa", 1), ("mla", 2)]
    assert learn_llm("ask", "gqa", "--bank", str(pack), "--lang", "ja").code == 0
    assert learn_llm("questions", "--bank", str(pack)).out.count("\n") == 3
    assert json.loads(learn_llm("export", "json", "--bank", str(pack)).out)[1]["id"] == "mla"
    result = learn_llm("questions", "check", "--bank", str(pack))
    assert result.code == 1
    assert "mla.ja.md, line 1: there is no such file; the bank has other questions in 'ja'" in result.out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["../up"], "is no name for a question"),
        (["a/b"], "is no name for a question"),
        (["Ppo"], "is no name for a question"),
        (["ppo", "--demo", "nothing"], "there is no demo 'nothing'"),
        (["ppo"], "is there already"),
    ],
)
def test_a_new_question_that_cannot_be(learn_llm: Command, tmp_path: Path, args: list[str], message: str) -> None:
    write(tmp_path)
    result = learn_llm("questions", "new", *args, "--bank", str(tmp_path))
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1
    assert [path.name for path in tmp_path.glob("*.md")] == ["ppo.en.md"]


def test_the_languages_of_a_question_are_kept_in_step(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, GOOD.replace("level: advanced", "level: basic").replace("demo: ppo", "demo: sft"), "ppo.ja.md")
    messages = [
        str(problem) for problem in check_bank(tmp_path, {"ppo", "sft"}) if "make them the same" in problem.message
    ]
    assert messages == [
        "ppo.ja.md, line 4: the level is not that of ppo.en.md; make them the same",
        "ppo.ja.md, line 7: the demo is not that of ppo.en.md; make them the same",
    ]


def test_a_bad_pack_says_one_line_each_and_the_rest_opens(learn_llm: Command, tmp_path: Path) -> None:
    write(tmp_path)
    broken, name = other(7)
    write(tmp_path, broken.replace("level: advanced", "level: [advanced"), name)
    tabbed, name = other(8)
    write(tmp_path, tabbed.replace("    words", "\twords"), name)
    huge, name = other(9)
    write(tmp_path, huge + "x" * 10_000_000, name)
    escaped, name = other(10)
    write(tmp_path, escaped.replace("id: q10", "id: ../q10"), name)
    result = learn_llm("ask", "ppo", "--bank", str(tmp_path))
    assert (result.code, result.out.startswith("43. ")) == (0, True)
    lines = result.err.splitlines()
    assert len(lines) == 4
    assert all(re.match(r"learn-llm: left out q\d+\.en\.md, line \d+: .+", line) for line in lines)
