"""A file in the learner's own editor, while the app waits."""

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from textual.app import App, SuspendNotSupported

from learn_llm.quizzes.texts import Texts


def edit(path: Path, app: App[None], texts: Texts) -> str:
    """Opens a file in VISUAL or EDITOR until that is closed; why it cannot be, or ""."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        return texts("exercise.editor.none", path=path)
    try:
        with app.suspend():  # an error that leaves this block would leave the app suspended
            return _run(editor, path, texts)
    except SuspendNotSupported:
        return texts("exercise.editor.here", path=path)


def _run(editor: str, path: Path, texts: Texts) -> str:
    try:
        with _deaf_to_ctrl_c():
            subprocess.run([*shlex.split(editor), str(path)], check=False)
    except (OSError, ValueError) as error:
        return texts("exercise.editor.failed", editor=editor, reason=error)
    return ""


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Ctrl+C is the editor's: it must not end the app.  (SIG_IGN would be inherited; a handler is not.)"""
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
