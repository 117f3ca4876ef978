"""What `learn-llm quiz --plain` has confirmed is on disk: killed at any moment, or beside another one on the same file.

    SAFETY_ROUNDS=200 SAFETY_RATINGS=1000 pytest tests/test_quiz_safety.py      # the long form, some minutes

The sessions are scripted and real: the command in a process of its own, its standard input a file, its standard output
another, so that what it had printed when it was killed can be read.
"""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.progress import Progress

ROUNDS = int(os.environ.get("SAFETY_ROUNDS", "24"))
RATINGS = int(os.environ.get("SAFETY_RATINGS", "100"))
ROOT = Path(__file__).parent.parent
SAVED = re.compile(r"^Saved\. (\d+) (Forgot|Partly): ", re.MULTILINE)
UNDONE = re.compile(r"^Undone: (\d+) is as it was$", re.MULTILINE)
PROMPT = "press enter:"
NUMBERS = {question.id: question.number for question in load_bank().questions}
LABELS = {"Forgot": 1, "Partly": 2}

if sys.platform == "win32":
    pytest.skip("there is no SIGKILL", allow_module_level=True)


@dataclass
class Rated:
    """A rating: which question, how, and whether it was taken back."""

    number: int
    rating: int
    undone: bool = False


class Script:
    """A session of study in a process of its own.  Ratings 1 and 2 keep its cards coming, so that it does not end."""

    def __init__(self, home: Path, name: str, lines: list[str]) -> None:
        (home / f"{name}.in").write_text("".join(f"{line}\n" for line in ["study", *lines]))
        self.path = home / f"{name}.out"
        environment = os.environ | {"LEARN_LLM_HOME": str(home), "LEARN_LLM_LANG": "en", "PYTHONIOENCODING": "utf-8"}
        with (home / f"{name}.in").open() as typed, self.path.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "learn_llm.cli", "quiz", "--plain"],
                cwd=ROOT,
                env=environment,
                stdin=typed,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def printed(self) -> str:
        """What it has printed so far."""
        return self.path.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, ratings: int) -> None:
        """Until it has printed the first card, and confirmed so many ratings."""
        end = time.monotonic() + 120
        while PROMPT not in (printed := self.printed()) or len(SAVED.findall(printed)) < ratings:
            assert self.process.poll() is None, printed
            assert time.monotonic() < end
            time.sleep(0.001)

    def kill(self) -> None:
        """SIGKILL: nothing runs in it after this."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)


def confirmed(printed: str) -> list[Rated]:
    """The ratings that these lines confirm, in order; one that was taken back is marked."""
    ratings: list[Rated] = []
    whole = printed[: printed.rfind("\n") + 1]
    for line in whole.split("\n"):
        if match := SAVED.match(line + "\n"):
            ratings.append(Rated(int(match[1]), LABELS[match[2]]))
        elif match := UNDONE.match(line):
            last = next(rated for rated in reversed(ratings) if not rated.undone)
            assert last.number == int(match[1])
            last.undone = True
    return ratings


def kept(path: Path) -> list[list[Rated]]:
    """The ratings of each session in the database, in the order of the sessions; the file is sound."""
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = db.execute("SELECT session, question_id, rating, undone_at IS NOT NULL FROM review ORDER BY id")
        sessions: dict[str, list[Rated]] = {}
        for session, id, rating, undone in rows:
            sessions.setdefault(session, []).append(Rated(NUMBERS[id], rating, bool(undone)))
    return list(sessions.values())


def is_one_ahead(there: list[Rated], said: list[Rated]) -> bool:
    """Whether one thing was done that was not confirmed any more: another rating, or the last one taken back."""
    if there[:-1] == said:
        return not there[-1].undone
    changed = [old for old, new in zip(said, there, strict=False) if old != new]
    standing = [rated for rated in said if not rated.undone]
    return len(there) == len(said) and len(changed) == 1 and changed[0] is standing[-1]


def expect_chain(path: Path) -> int:
    """Each rating that stands saw its card as the one before had left it, and each card is as its last rating left it.

    Returns how many stand.
    """
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT question_id, card_before FROM review WHERE undone_at IS NULL ORDER BY id").fetchall()
        reps = dict(db.execute("SELECT question_id, reps FROM card").fetchall())
    counts: dict[str, int] = {}
    for id, before in rows:
        assert json.loads(before)[7] == counts.get(id, 0)
        counts[id] = counts.get(id, 0) + 1
    assert counts == reps
    return len(rows)


def test_a_session_killed_at_any_moment_keeps_what_it_confirmed(tmp_path: Path) -> None:
    """One file through all rounds; in the script, every fifth rating is taken back and given anew."""
    draw = random.Random(6)
    path = tmp_path / "progress.sqlite3"
    lines = ["", "1", "", "2", "", "1", "", "2", "", "1", "undo", "2"] * 500
    total, ahead, moments = 0, 0, []
    for _ in range(ROUNDS):
        before = len(kept(path)) if path.exists() else 0
        script = Script(tmp_path, "killed", lines)
        script.wait_for(draw.randrange(12))
        time.sleep(draw.uniform(0, 0.03))  # a card takes about as long
        script.kill()
        said = confirmed(script.printed())
        sessions = kept(path)
        there = sessions[-1] if len(sessions) > before else []
        if there != said:
            assert is_one_ahead(there, said), (there[-3:], said[-3:])
            ahead += 1
        with Progress(path) as progress:  # opens as ever, and goes on
            assert progress.saving
            assert progress.notices == ()
        total += len(said)
        moments.append(len(said))
    assert expect_chain(path) == sum(not rated.undone for session in kept(path) for rated in session)
    assert total > 2 * ROUNDS, moments
    assert len(set(moments)) > 3, moments
    print(f"{ROUNDS} kills, {total} confirmed ratings, none lost; {ahead} times one more was kept than confirmed")


def test_two_sessions_at_once_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    lines = ["", "1", "", "2"] * (RATINGS // 4)
    scripts = [Script(tmp_path, name, lines) for name in ("one", "other")]
    for script in scripts:
        assert script.process.wait(1200) == 0, script.printed()[-2000:]
    said = [confirmed(script.printed()) for script in scripts]
    assert [len(ratings) for ratings in said] == [RATINGS // 2, RATINGS // 2]
    there = kept(tmp_path / "progress.sqlite3")
    assert there in (said, said[::-1])
    assert expect_chain(tmp_path / "progress.sqlite3") == RATINGS // 2 * 2


def test_ctrl_c_ends_with_130_and_keeps_what_was_confirmed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "learn_llm.cli", "quiz", "--plain"],
        cwd=ROOT,
        env=os.environ | {"LEARN_LLM_HOME": str(tmp_path), "LEARN_LLM_LANG": "en"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("study\n\n1\n")
        process.stdin.flush()
        while not SAVED.match(process.stdout.readline()):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr is not None
        assert process.stderr.read().strip() == "learn-llm: stopped"
    assert kept(tmp_path / "progress.sqlite3") == [[Rated(1, 1)]]
