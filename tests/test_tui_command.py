"""`learn-llm quiz`: what it needs, what it refuses, what it does not load."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def quiz(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command with pipes for a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "learn_llm.cli", "quiz", *arguments],
        cwd=ROOT,
        env=os.environ | {"LEARN_LLM_HOME": str(home)} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_without_a_terminal_it_names_the_plain_commands(tmp_path: Path) -> None:
    result = quiz(home=tmp_path)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    for command in ("learn-llm questions", "learn-llm ask"):
        assert command in result.stderr
    assert not (tmp_path / "progress.sqlite3").exists()


@pytest.mark.parametrize("arguments", [("--no-such-option",), ("stray",), ("--lang", "fr")])
def test_bad_usage(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = quiz(*arguments, home=tmp_path)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_the_app_loads_neither_torch_nor_transformers_nor_numpy() -> None:
    """Not even while a card is read, a session studied and a demo watched: that is the child's affair."""
    script = """
import asyncio, sys, tempfile
from pathlib import Path
from tests.tui_app import make_app
import learn_llm.cli, learn_llm.commands.quiz

async def main():
    app = make_app(Path(tempfile.mkdtemp()))
    async with app.run_test(size=(120, 40)) as pilot:
        for key in ("enter", "space", "3", "question_mark", "escape", "escape", "j", "j", "j", "d", "s", "space", "d"):
            await pilot.press(key)
            await pilot.pause()

asyncio.run(main())
heavy = {"torch", "transformers", "numpy"} & set(sys.modules)
assert not heavy, heavy
assert "learn_llm.tui.widgets.demo" in sys.modules
"""
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=120, check=False
    )
    assert result.returncode == 0


def test_starting_the_app_loads_no_more_than_it_shows() -> None:
    """What the first screen does not need is imported later: this is what keeps the start fast."""
    script = """
import sys
import learn_llm.commands.quiz, learn_llm.quizzes.bank, learn_llm.quizzes.progress, learn_llm.tui.app
late = {"learn_llm.charts", "learn_llm.events", "learn_llm.glossary", "learn_llm.running", "learn_llm.tui.widgets.card",
        "learn_llm.tui.screens.browse", "learn_llm.quizzes.grading", "fsrs", "markdown_it", "textual.widgets._markdown"}
loaded = late & set(sys.modules)
assert not loaded, loaded
"""
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60, check=False)
    assert result.returncode == 0
