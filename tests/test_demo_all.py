"""`learn-llm demo --all`: every demo, as it is and broken, in one table."""

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from learn_llm.cli import cli
from learn_llm.demos import checking
from learn_llm.demos.catalogue import DEMOS
from learn_llm.demos.checking import Checked, Run, check_all, run, write_table
from learn_llm.demos.entry import Demo
from learn_llm.errors import UserError
from learn_llm.events import Verdict
from learn_llm.folders import data_folder

ONE = DEMOS["perplexity"]


def ran(seed: int, broken: bool, holds: bool | None = None, seconds: float = 1.0) -> Run:
    holds = not broken if holds is None else holds
    return Run(seed, broken, seconds, Verdict("a | b", holds, {"gap": 0.12345, "pairs": 400.0}))


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Callable[[int, bool], Run]]:
    """What each demo comes to, by its name; as it should where nothing is said.  Two demos in all."""
    monkeypatch.setenv("LEARN_LLM_HOME", str(tmp_path / "home"))
    said: dict[str, Callable[[int, bool], Run]] = {}
    monkeypatch.setattr(checking, "run", lambda demo, seed, broken: said.get(demo.slug, ran)(seed, broken))
    monkeypatch.setattr(checking, "DEMOS", {slug: DEMOS[slug] for slug in ("attention", "perplexity")})
    return said


def test_a_demo_that_holds_and_breaks_has_no_fault() -> None:
    one = Checked(ONE, [ran(seed, broken) for seed in range(2) for broken in (False, True)])
    assert (one.faults, one.held(False), one.held(True)) == ([], "yes", "no")


def test_every_fault_is_named() -> None:
    one = Checked(ONE, [ran(0, False), ran(0, True, holds=True), ran(1, False, holds=False, seconds=99.0)])
    assert one.faults == [
        "seed 0, broken: the claim holds although it is broken",
        "seed 1: the claim does not hold",
        f"99 s, the limit is {ONE.seconds:g} s",
    ]
    assert one.held(False) == "1 of 2"


def test_the_table_is_printed_and_check_ends_with_0(outcomes: dict[str, Callable[[int, bool], Run]]) -> None:
    result = CliRunner().invoke(cli, ["demo", "--all", "--check"])
    assert result.exit_code == 0, result.output
    assert "held: yes" in result.stdout
    assert "gap 0.1235" in result.stdout
    assert "2 demos" in result.stderr


def test_one_fault_ends_check_with_1(outcomes: dict[str, Callable[[int, bool], Run]]) -> None:
    outcomes["perplexity"] = lambda seed, broken: ran(seed, broken, holds=True)
    assert CliRunner().invoke(cli, ["demo", "--all", "--check"]).exit_code == 1
    result = CliRunner().invoke(cli, ["demo", "--all"])
    assert result.exit_code == 0
    assert "although it is broken" in result.stdout


def test_json_has_an_object_a_demo_with_every_run(outcomes: dict[str, Callable[[int, bool], Run]]) -> None:
    result = CliRunner().invoke(cli, ["demo", "--all", "--json", "--seeds", "3"])
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["slug"] for row in rows] == ["attention", "perplexity"]
    assert [(r["seed"], r["broken"]) for r in rows[0]["runs"]] == [(s, b) for s in range(3) for b in (False, True)]


def test_the_markdown_table_has_a_row_a_demo(outcomes: dict[str, Callable[[int, bool], Run]], tmp_path: Path) -> None:
    file = tmp_path / "docs" / "demos.md"
    result = CliRunner().invoke(cli, ["demo", "--all", "--seeds", "2", "--write", str(file)])
    assert result.exit_code == 0
    rows = [line for line in file.read_text("utf-8").splitlines() if line.startswith("| ")][1:]
    assert [row.count("|") for row in rows] == [8, 8]
    assert "seeds 0 to 1" in file.read_text("utf-8")


def test_a_table_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(UserError, match=r"--write .* cannot be written"):
        write_table(tmp_path / "file" / "demos.md", [], [0])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["perplexity", "--all"], "takes no name"),
        (["--all", "--break"], "takes no name"),
        (["--seeds", "2"], "go with --all"),
        (["--resume"], "go with --all"),
    ],
)
def test_bad_usage_gets_one_line(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(cli, ["demo", *arguments])
    assert isinstance(result.exception, UserError)
    assert said in str(result.exception)


def test_resumed_only_what_is_not_kept_is_run(
    outcomes: dict[str, Callable[[int, bool], Run]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int, bool]] = []

    def recorded(demo: Demo, seed: int, broken: bool) -> Run:
        asked.append((demo.slug, seed, broken))
        return ran(seed, broken)

    monkeypatch.setattr(checking, "run", recorded)
    first = list(check_all([0]))
    again = list(check_all([0, 1], resume=True))
    assert again[0].runs[:2] == first[0].runs
    assert asked == [(s, n, b) for n in (0, 1) for s in ("attention", "perplexity") for b in (False, True)]
    list(check_all([0]))
    assert len(asked) == 12  # not resumed: everything anew
    monkeypatch.setattr(checking, "digest", lambda modules: "other code")
    list(check_all([0], resume=True))
    assert len(asked) == 16


def test_a_run_without_a_verdict_and_a_damaged_file_are_not_kept(
    outcomes: dict[str, Callable[[int, bool], Run]],
) -> None:
    outcomes["attention"] = lambda seed, broken: Run(seed, broken, 1.0, None, "killed")
    list(check_all([0]))
    folders = sorted(folder.name for folder in (data_folder() / "demos").iterdir())
    assert folders == ["perplexity-seed-0", "perplexity-seed-0-broken"]
    (data_folder() / "demos" / folders[1] / "result.json").write_text("{", "utf-8")
    assert checking.before(ONE, 0, True) is None
    assert checking.before(ONE, 0, False) is not None


@pytest.mark.parametrize("broken", [False, True])
def test_a_real_demo_comes_to_its_verdict(broken: bool) -> None:
    found = run(DEMOS["curse-of-dimensionality"], 0, broken)
    assert found.verdict is not None
    assert found.verdict.holds != broken
    assert found.seconds > 0


def script(folder: Path, text: str) -> str:
    file = folder / "python"
    file.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return str(file)


@pytest.mark.parametrize(
    ("text", "said"), [("echo no such file >&2; exit 1", "no such file"), ("echo '{}'", "it said nothing")]
)
def test_a_demo_that_fails_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, said: str) -> None:
    monkeypatch.setattr(sys, "executable", script(tmp_path, text))
    found = run(ONE, 0, False)
    assert (found.verdict, found.trouble) == (None, said)
    assert Checked(ONE, [found]).faults == [f"seed 0: no verdict ({said})"]


def test_a_demo_without_end_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", script(tmp_path, "exec sleep 60"))
    hurried = Demo("perplexity", "", 1, "", "", (), (), seconds=0.1)
    found = run(hurried, 0, False)
    assert found.seconds < 10
    assert "ended after 4 times its limit" in found.trouble


def test_only_what_is_built_is_run(outcomes: dict[str, Callable[[int, bool], Run]]) -> None:
    assert [one.demo.slug for one in check_all([0])] == ["attention", "perplexity"]
