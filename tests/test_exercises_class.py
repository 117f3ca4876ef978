"""What needs a worker of its own: grading a class, `dev check`, watching a file."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from learn_llm.commands.exercise import exercise as command
from learn_llm.errors import UserError
from learn_llm.exercises import grading
from learn_llm.exercises.courses import BUNDLED, load_course
from learn_llm.exercises.skeleton import files
from learn_llm.exercises.state import Desk, make
from learn_llm.exercises.workers import Worker

HEAD = 'format = 1\ntitle = { en = "T", ja = "T" }\n[[chapters]]\nname = "ppo"\ntitle = { en = "P", ja = "P" }\n'


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A course with two exercises."""
    folder = tmp_path / "course"
    folder.mkdir()
    for name in ("gae", "bug_kl_sign"):
        for suffix in ("py", "toml"):
            shutil.copy(BUNDLED / f"{name}.{suffix}", folder)
    (folder / "info.toml").write_text(HEAD + 'exercises = ["gae", "bug_kl_sign"]\n')
    return folder


def test_a_class_is_graded_whatever_is_submitted(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    homes = tmp_path / "homes"
    homes.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(homes))
    course = load_course(own)
    gae, bug = course.exercises
    class_ = tmp_path / "class"
    right = files(gae).solution
    submitted: dict[str, bytes | None] = {
        "anna": right.encode(),
        "=ben": right.replace("deltas", "d").encode(),
        "exits": b"raise SystemExit(0)",
        "loops": b"while True: pass",
        "latin": b"# caf\xe9\n" + right.encode(),
        "nothing": None,
    }
    for student, data in submitted.items():
        desk = make(class_ / student / "work", own, "en")[0]
        path = desk.path(gae)
        path.unlink() if data is None else path.write_bytes(data)
        desk.next_hint(bug)
    (class_ / "exits" / "work" / gae.file).with_name("link.py").symlink_to("/etc/passwd")
    (class_ / "twice" / "a").mkdir(parents=True)
    (class_ / "twice" / "b").mkdir()
    for place in ("a", "b"):
        (class_ / "twice" / place / "gae.py").write_text(right)
    out = tmp_path / "grades"
    options = [f"--{kind}={out}.{kind}" for kind in ("csv", "json", "html")]
    result = CliRunner().invoke(
        command, ["grade", str(class_), f"--course={own}", "--seconds=1.5", "--jobs=1", *options]
    )
    assert result.exit_code == 0, result.output

    rows = list(csv.DictReader(Path(f"{out}.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 7 * 2
    status = {row["student"]: row["status"] for row in rows if row["exercise"] == "gae"}
    assert status == {
        "anna": "passed",
        "'=ben": "passed",
        "exits": "error",
        "loops": "time",
        "latin": "unreadable",
        "nothing": "missing",
        "twice": "unreadable",
    }
    bugs = [row for row in rows if row["exercise"] == "bug_kl_sign" and row["student"] != "twice"]
    assert {(row["status"], row["mistake"], row["hints"]) for row in bugs} == {("wrong", "reversed", "1")}
    document = json.loads(Path(f"{out}.json").read_text(encoding="utf-8"))
    assert document["similar"] == [{"one": "=ben", "other": "anna", "same_text": [], "same_code": ["gae"]}]
    assert document["isolation"]
    page = Path(f"{out}.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "http" not in page
    assert "anna" in page
    assert not list(homes.iterdir()), "no folder is left"


def test_a_folder_without_students_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="one for each student"):
        grading.students(tmp_path)


def test_root_that_cannot_be_dropped_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = object.__new__(Worker)
    worker.unprivileged = False
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UserError, match="--i-trust-these"):
        grading.allowed(worker, trusted=False)
    grading.allowed(worker, trusted=True)


def test_dev_check_finds_what_is_wrong_with_a_course(own: Path) -> None:
    toml, code = own / "gae.toml", own / "gae.py"
    toml.write_text(toml.read_text().replace("[wrong.padding]", "[wrong.paddding]"))
    code.write_text(code.read_text() + "\n\nwrong_twin = wrong_forwards\n\n\ndef wrong_right(**k):\n    return None\n")
    code.write_text(code.read_text().replace("    deltas = rewards + gamma", "    deltas = 2 * rewards + gamma", 1))
    result = CliRunner().invoke(command, ["dev", "check", f"--course={own}"], standalone_mode=False)
    assert result.return_value == 1
    assert "wrong_padding has no message" in result.output
    assert "[wrong.paddding] has no function" in result.output
    assert "wrong_right takes" in result.output
    assert "cannot be told: its answers are those of forwards" in result.output
    assert "bug_kl_sign                       ok, 4 known mistakes" in result.output


def test_watch_checks_on_save_and_stops_on_ctrl_c(own: Path, tmp_path: Path) -> None:
    desk = make(tmp_path / "desk", own, "en")[0]
    gae = desk.course.get("gae")
    out = tmp_path / "out"
    with out.open("wb") as stream:
        watching = subprocess.Popen(
            [sys.executable, "-u", "-c", "from learn_llm.cli import main; main(['exercise', 'watch'])"],
            cwd=desk.root,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )

    def wait_for(text: str) -> None:
        deadline = time.monotonic() + 300
        while text not in out.read_text(encoding="utf-8"):
            assert time.monotonic() < deadline, out.read_text(encoding="utf-8")
            assert watching.poll() is None, out.read_text(encoding="utf-8")
            time.sleep(0.05)

    try:
        wait_for("not written yet")
        solution = files(gae).solution
        desk.path(gae).write_text(solution.replace("gamma * lam * advantage", "gamma * advantage"))
        wait_for("The sum decays by γ alone")
        desk.path(gae).write_text(solution)
        wait_for("passed on all")
        wait_for("Next: bug_kl_sign")
    finally:
        watching.send_signal(signal.SIGINT)
        assert watching.wait(60) == 130
    record = Desk(desk.root).record(gae)
    assert (record.tries, bool(record.passed)) == (2, True)
