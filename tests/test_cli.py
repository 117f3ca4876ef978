"""The `learn-llm` command: fast help, near names, one line for what is wrong, exit codes, output for any width."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from learn_llm import __version__
from learn_llm.cli import COMMANDS, main
from learn_llm.commands import doctor as doctor_module
from learn_llm.demos import catalogue
from learn_llm.errors import MissingError, OutOfTimeError, UserError
from learn_llm.events import Event, Verdict
from learn_llm.quizzes import settings
from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.plain import columns
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.schedule import Rating
from learn_llm.running import RunConfig


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


class Command:
    """Runs `learn-llm ARGS` in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *args: str) -> Result:
        with pytest.raises(SystemExit) as exit_:
            main(args)
        captured = self.capsys.readouterr()
        assert isinstance(exit_.value.code, int)
        return Result(exit_.value.code, captured.out, captured.err)


@pytest.fixture
def learn_llm(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    monkeypatch.setenv("LEARN_LLM_HOME", str(tmp_path / "home"))
    for name in ("LEARN_LLM_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    return Command(capsys)


# The group


def test_help_lists_every_command(learn_llm: Command) -> None:
    for args in ((), ("--help",), ("-h",)):
        result = learn_llm(*args)
        assert result.code == 0
        assert all(re.search(rf"^  {name} ", result.out, re.MULTILINE) for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(learn_llm: Command, name: str) -> None:
    result = learn_llm(name, "--help")
    assert result.code == 0
    assert f"learn-llm {name}" in result.out


def test_version(learn_llm: Command) -> None:
    result = learn_llm("--version")
    assert (result.code, __version__ in result.out) == (0, True)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["questoins"], "did you mean questions"),
        (["xyzzy"], "there are quiz, "),
        (["--colour"], "--colour"),
        (["questions", "--colour"], "--colour"),
        (["questions", "chekc"], "chekc"),
        (["questions", "--level", "expert"], "basic, intermediate, advanced"),
        (["questions", "--topic", "cats"], "alignment"),
        (["questions", "check", "--bank", "/nowhere/at/all"], "/nowhere/at/all"),
        (["ask"], "NUMBER|NAME"),
        (["ask", "99"], "numbered 1 to 50"),
        (["ask", "pp"], "ppo"),
        (["ask", "43", "--lang", "xx"], "'en', 'ja'"),
        (["demo", "atention"], "attention"),
        (["demo", "--check"], "learn-llm demo SLUG --check"),
        (["demo", "--points", "9"], "come after its name"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(learn_llm: Command, args: list[str], said: str) -> None:
    result = learn_llm(*args)
    assert result.code == 2
    assert result.out == ""
    assert said in result.err
    assert re.fullmatch(r"learn-llm: [^\n]+\n", result.err)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UserError("no"), 2),
        (MissingError("no"), 3),
        (OutOfTimeError("no"), 4),
        (KeyboardInterrupt(), 130),
    ],
)
def test_what_a_command_raises_sets_the_exit_code(
    learn_llm: Command, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr("learn_llm.commands.questions.load_bank", fail)
    result = learn_llm("questions")
    assert result.code == code
    assert result.err.strip().count("\n") == 0


def cpu_seconds(*command: str) -> float:
    """The least processor time of five runs: what a busy machine does not change."""

    def once() -> float:
        before = os.times()
        subprocess.run(command, check=True, capture_output=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    return min(once() for _ in range(5))


def test_help_is_about_as_fast_as_importing_click() -> None:
    click = cpu_seconds(sys.executable, "-c", "import click")
    assert cpu_seconds(sys.executable, "-m", "learn_llm.cli", "--help") < 2.5 * click


def test_a_console_that_cannot_show_a_letter_gets_it_spelled() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-m", "learn_llm.cli", "ask", "attention"]
    child = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert child.returncode == 0, child.stderr
    assert b"divided by sqrt d?" in child.stdout


def test_a_data_folder_that_may_not_be_looked_into_is_a_warning(
    learn_llm: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEARN_LLM_HOME", "/dev/null/inside")
    assert "warn  data folder: /dev/null/inside cannot be written" in learn_llm("doctor").out


def test_a_closed_pipe_is_no_traceback() -> None:
    command = f"{sys.executable} -m learn_llm.cli ask ppo | head -1"
    child = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert child.stdout.count("\n") == 1
    assert "Traceback" not in child.stderr


# questions and ask


def test_questions_prints_one_json_array_of_all(learn_llm: Command) -> None:
    result = learn_llm("questions", "--json")
    questions = json.loads(result.out)
    assert result.code == 0
    assert [question["number"] for question in questions] == list(range(1, 51))
    assert questions[42]["id"] == questions[42]["demo"] == "ppo"
    assert set(questions[0]) >= {"id", "number", "level", "topics", "question", "demo", "lang"}


def test_questions_are_chosen_by_level_and_topic(learn_llm: Command) -> None:
    basic = json.loads(learn_llm("questions", "--json", "--level", "basic").out)
    assert [question["number"] for question in basic] == list(range(1, 18))
    aligned = json.loads(learn_llm("questions", "--json", "--topic", "alignment").out)
    assert aligned
    assert all("alignment" in question["topics"] for question in aligned)


@pytest.mark.parametrize("width", [40, 60, 80])
def test_the_table_of_questions_fits(learn_llm: Command, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    result = learn_llm("questions")
    lines = result.out.splitlines()
    assert all(columns(line) <= width for line in lines)
    assert sum(bool(re.match(r" *\d+  ", line)) for line in lines) == 50
    assert [line for line in lines if line and line[0].isalpha()] == ["Basic", "Intermediate", "Advanced"]


def test_ask_prints_all_that_belongs_to_a_question(learn_llm: Command) -> None:
    result = learn_llm("ask", "43")
    assert result.code == 0
    assert learn_llm("ask", "ppo").out == result.out
    text = " ".join(result.out.split())
    question = load_bank().find("43")
    expected = [question.question, question.short_answer, question.references[0]]
    expected += [point.point for point in question.key_points]
    expected += [part for follow_up in question.follow_ups for part in (follow_up.question, follow_up.answer)]
    expected += [part for mistake in question.mistakes for part in (mistake.mistake, mistake.why)]
    for part in expected:
        assert " ".join(part.split()) in text
    assert "learn-llm demo ppo" in text


@pytest.mark.parametrize("width", [40, 60, 80])
def test_ask_reads_well_at_any_width_and_in_a_pipe(
    learn_llm: Command, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for number in range(1, 51):
        out = learn_llm("ask", str(number)).out
        assert "\x1b" not in out
        assert "\n\n\n" not in out
        assert "**" not in out
        for line in out.splitlines():
            assert line == line.rstrip()
            assert columns(line) <= width or line.startswith("    learn-llm demo "), line  # a command stays whole


def test_ask_in_japanese_falls_back_to_english(learn_llm: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert learn_llm("ask", "1", "--lang", "ja").code == 0
    monkeypatch.setenv("LEARN_LLM_LANG", "ja")
    assert learn_llm("ask", "1").code == 0


def test_what_is_printed_is_in_the_language_of_the_app(
    learn_llm: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """--lang comes first, then LEARN_LLM_LANG, then what is set in the app; its file is neither made nor touched."""
    file = tmp_path / "home" / "progress.sqlite3"
    english = learn_llm("ask", "43").out
    assert "In 30 seconds" in english
    assert not file.parent.exists()
    with Progress(file) as progress:
        settings.keep(progress, settings.Settings(), settings.Settings(language="ja"))
    assert "30秒の答え" in learn_llm("ask", "43").out
    assert json.loads(learn_llm("questions", "--json").out)[0]["lang"] == "ja"
    assert learn_llm("progress").code == 0
    assert learn_llm("ask", "43", "--lang", "en").out == english
    monkeypatch.setenv("LEARN_LLM_LANG", "en")
    assert learn_llm("ask", "43").out == english
    monkeypatch.delenv("LEARN_LLM_LANG")
    file.write_bytes(b"no database" * 100)
    assert learn_llm("ask", "43").out == english
    assert file.read_bytes() == b"no database" * 100


def test_the_bundled_bank_passes_its_check(learn_llm: Command) -> None:
    result = learn_llm("questions", "check")
    assert (result.out, result.code) == ("", 0)


def test_the_check_says_one_line_a_problem(learn_llm: Command, tmp_path: Path) -> None:
    (tmp_path / "ppo.en.md").write_text("hello")
    (tmp_path / "b b.en.md").write_text("hello")
    result = learn_llm("questions", "check", "--bank", str(tmp_path))
    assert result.code == 1
    assert result.out.splitlines() == [
        "b b.en.md, line 1: call the file SLUG.LANG.md, for example ppo.en.md",
        "ppo.en.md, line 1: the first line must be ---, the start of the header",
    ]


# demo


@dataclass(frozen=True)
class FakeConfig(RunConfig):
    points: int = 3
    """How many."""


def fake_run(config: FakeConfig) -> Iterator[Event]:
    """A demo whose claim holds unless it is broken."""
    yield Verdict("it works", not config.break_, {"points": config.points, "seed": config.seed})


@pytest.fixture
def fake_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """`kl-dpo` built as a demo that only says its verdict, and `flask` not built."""
    module = ModuleType("learn_llm.demos.kl_dpo")
    module.run, module.Config = fake_run, FakeConfig  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(catalogue.DEMOS, "kl-dpo", SimpleNamespace(module="kl_dpo", title="A title"))
    monkeypatch.delitem(catalogue.DEMOS, "flask", raising=False)


@pytest.mark.usefixtures("fake_demo")
@pytest.mark.parametrize(
    ("args", "code", "holds"),
    [
        ([], 0, True),
        (["--break"], 0, False),
        (["--check"], 0, True),
        (["--check", "--break"], 0, False),
        (["--points", "7", "--seed=5"], 0, True),
    ],
)
def test_a_demo_runs_with_its_options(learn_llm: Command, args: list[str], code: int, holds: bool) -> None:
    result = learn_llm("demo", "kl-dpo", "--json", *args)
    events = [json.loads(line) for line in result.out.splitlines()]
    assert result.code == code
    assert (events[0]["event"], events[0]["run"]) == ("start", "kl-dpo")
    assert events[-1]["holds"] is holds
    assert events[-1]["measured"] == ({"points": 7, "seed": 5} if "--points" in args else {"points": 3, "seed": 0})


@pytest.mark.usefixtures("fake_demo")
def test_a_demo_reads_well_without_json(learn_llm: Command) -> None:
    result = learn_llm("demo", "kl-dpo", "--break")
    assert result.code == 0
    assert "it works" in result.out
    assert "\x1b" not in result.out


@pytest.mark.usefixtures("fake_demo")
def test_a_wrong_option_of_a_demo_is_bad_usage(learn_llm: Command) -> None:
    result = learn_llm("demo", "kl-dpo", "--pionts", "7")
    assert result.code == 2
    assert "--points" in result.err
    assert "Traceback" not in result.err


@pytest.mark.usefixtures("fake_demo")
def test_help_after_a_demo_is_that_of_the_demo(learn_llm: Command) -> None:
    result = learn_llm("demo", "kl-dpo", "--help")
    assert result.code == 0
    assert "How many" in result.out


@pytest.mark.usefixtures("fake_demo")
def test_a_demo_that_is_not_built_says_so(learn_llm: Command) -> None:
    result = learn_llm("demo", "flask")
    assert result.code == 3
    assert re.fullmatch(r"learn-llm: the demo 'flask' is not built yet;[^\n]+\n", result.err)


@pytest.mark.usefixtures("fake_demo")
def test_the_list_of_demos_says_which_are_built(learn_llm: Command) -> None:
    lines = learn_llm("demo").out.splitlines()
    assert len(lines) >= 50
    assert re.search(r" 47  kl-dpo +A title", "\n".join(lines))
    assert re.search(r" 48  flask +\(not built yet\)", "\n".join(lines))
    listed = json.loads(learn_llm("demo", "--json").out)
    assert [row["slug"] for row in listed] == list(catalogue.SLUGS)
    assert (listed[46]["built"], listed[47]["built"]) == (True, False)


# doctor


def test_doctor_says_one_line_a_finding(learn_llm: Command, tmp_path: Path) -> None:
    with Progress(tmp_path / "home" / "progress.sqlite3") as progress:
        progress.rate("ppo", Rating.GOT_IT)
    lines = learn_llm("doctor").out.splitlines()
    assert all(re.match(r"(ok  |warn|fail)  [a-zA-Z -]+: ", line) for line in lines)
    text = "\n".join(lines)
    assert f"learn-llm: {__version__}, Python 3." in text
    assert f"data folder: {tmp_path / 'home'}, writable" in text
    assert "progress: 1 ratings" in text
    assert "questions: 50 questions" in text
    assert "textual " in text
    assert "devices: not looked at" in text


def test_doctor_as_json(learn_llm: Command) -> None:
    findings = json.loads(learn_llm("doctor", "--json").out)
    assert {"name", "status", "text", "advice"} == set(findings[0])
    assert all(finding["advice"] for finding in findings if finding["status"] != "ok")


def test_doctor_mends_nothing_and_says_what_is_wrong(
    learn_llm: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "progress.sqlite3").write_bytes(b"no database " * 99)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    out = learn_llm("doctor").out
    assert re.search(r"^warn  progress: .*not a database", out, re.MULTILINE)
    assert "TERM is 'dumb'" in out
    assert "as NO_COLOR asks" in out
    assert "TEXTUAL_ANIMATIONS=none" in out
    assert (home / "progress.sqlite3").read_bytes() == b"no database " * 99
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setenv("LINES", "30")
    monkeypatch.setenv("LEARN_LLM_HOME", str(home / "progress.sqlite3" / "inside"))
    out = learn_llm("doctor").out
    assert "too small for the app" in out
    assert re.search(r"^warn  data folder: .*cannot be written", out, re.MULTILINE)


def test_doctor_ends_with_1_where_something_needed_is_missing(
    learn_llm: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_module, "BUNDLED_MODELS", ("tiny-unicorn",))
    result = learn_llm("doctor")
    assert result.code == 1
    assert re.search(r"^fail  bundled models: tiny-unicorn missing", result.out, re.MULTILINE)


def test_doctor_asks_torch_in_another_process(learn_llm: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module, "_ASK_TORCH", 'print(\'{"version": "9", "devices": [], "threads": 2}\')')
    assert "devices: torch 9, no GPU, CPU with 2 threads" in learn_llm("doctor", "--torch").out
    monkeypatch.setattr(doctor_module, "_ASK_TORCH", "import a_package_that_is_not_there")
    result = learn_llm("doctor", "--torch")
    assert result.code == 1
    assert "No module named 'a_package_that_is_not_there'" in result.out
