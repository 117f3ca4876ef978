"""A file in the learner's own editor, while the app waits."""

import os
import shlex
import subprocess
from pathlib import Path

from textual.app import App, SuspendNotSupported

from learn_llm.quizzes.texts import Texts


def edit(path: Path, app: App[None], texts: Texts) -> str:
    """Opens a file in VISUAL or EDITOR until that is closed; why it cannot be, or ""."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        return texts("exercise.editor.none", path=path)
    try:
        with app.suspend():
            subprocess.run([*shlex.split(editor), str(path)], check=False)
    except SuspendNotSupported:
        return texts("exercise.editor.here", path=path)
    except (OSError, ValueError) as error:
        return texts("exercise.editor.failed", editor=editor, reason=error)
    return ""
