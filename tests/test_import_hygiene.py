"""What the app and the command line load stays light: no torch, no transformers, no numpy."""

import json
import subprocess
import sys

import pytest

LIGHT = [
    "learn_llm.errors",
    "learn_llm.events",
    "learn_llm.folders",
    "learn_llm.glossary",
    "learn_llm.charts",
    "learn_llm.running",
    "learn_llm.terminal",
    "learn_llm.demos.catalogue",
    "learn_llm.quizzes.bank",
    "learn_llm.quizzes.check",
    "learn_llm.quizzes.header",
    "learn_llm.quizzes.index",
    "learn_llm.quizzes.interview",
    "learn_llm.quizzes.interview_history",
    "learn_llm.quizzes.interview_report",
    "learn_llm.quizzes.matching",
    "learn_llm.quizzes.plain",
    "learn_llm.quizzes.progress",
    "learn_llm.quizzes.schedule",
    "learn_llm.quizzes.store",
    "learn_llm.exercises.check_client",
    "learn_llm.exercises.here",
    "learn_llm.tui.app",
    "learn_llm.tui.screens.exercises",
    "learn_llm.commands.chat",
    "learn_llm.commands.demo",
    "learn_llm.commands.doctor",
    "learn_llm.commands.interview",
    "learn_llm.commands.model",
    "learn_llm.commands.questions",
    "learn_llm.commands.plain.session",
    "learn_llm.commands.quiz",
    "learn_llm.cli",
]
HEAVY = {"torch", "transformers", "numpy"}


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after `code`."""
    script = f"{code}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    return set(json.loads(child.stdout.splitlines()[-1]))


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_load_nothing_heavy(module: str) -> None:
    modules = loaded_by(f"import {module}")
    assert module in modules
    assert not HEAVY & modules


def test_help_imports_no_command() -> None:
    code = "from learn_llm.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    modules = loaded_by(code)
    assert "learn_llm.cli" in modules
    assert not {name for name in modules if name.startswith("learn_llm.commands.")}


def test_opening_the_bundled_bank_parses_no_yaml() -> None:
    modules = loaded_by("from learn_llm.quizzes.bank import load_bank; load_bank()")
    assert not {"yaml", "fsrs", "textual"} & modules


def test_opening_progress_does_not_load_fsrs() -> None:
    code = "import pathlib, tempfile; from learn_llm.quizzes.progress import Progress\n"
    code += "Progress(pathlib.Path(tempfile.mkdtemp(), 'progress.sqlite3')).counts(['ppo'])"
    assert "fsrs" not in loaded_by(code)
