"""Makes the pictures of the exercises in docs/images from what `learn-llm exercise` writes into a terminal.

    python docs/make_exercise_pictures.py [FOLDER]

A learner's folder is made, answers are saved into it, and the screen of `watch` is drawn as it then stands, 80 columns
wide; so is `run` with a wrong answer.  Times are shown as 40 ms: the only thing that differs from run to run.
"""

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from learn_llm.exercises.skeleton import mistaken
from learn_llm.exercises.state import Desk, make

WIDTH, HEIGHT = 80, 24
PATIENCE = 900.0
CLEAR = "\x1b[2J"
MISTAKE = "decay_gamma_only"
STEPS = "4"


class Terminal:
    """`learn-llm exercise ...` in a terminal of its own, and what it has written."""

    def __init__(self, desk: Desk, *words: str) -> None:
        code = "import sys; from learn_llm.cli import main; sys.argv[0] = 'learn-llm'; main()"
        self.end, theirs = pty.openpty()
        size = {"COLUMNS": str(WIDTH), "LINES": str(HEIGHT), "LEARN_LLM_LANG": desk.language}
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "exercise", *words],
            cwd=desk.root,
            env={**os.environ, "TERM": "xterm-256color", **size},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.written = ""

    def read_until(self, pattern: str) -> str:
        """The screen once this has been written since the last time."""
        new, deadline = "", time.monotonic() + PATIENCE
        while not re.search(pattern, new):
            if not select.select([self.end], [], [], deadline - time.monotonic())[0]:
                raise SystemExit(f"{pattern!r} did not come:\n{self.written}{new}")
            try:
                new += os.read(self.end, 1 << 16).decode(errors="replace").replace("\r\n", "\n")
            except OSError:  # the program has ended
                break
        self.written += new
        return self.written.rpartition(CLEAR)[2].removeprefix("\x1b[1;1H")

    def press(self, key: str) -> None:
        """One key."""
        os.write(self.end, key.encode())

    def close(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        os.close(self.end)


def draw(text: str, path: Path, title: str) -> None:
    """A screen as an SVG."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    console.print(Text.from_ansi(re.sub(r"\b\d+ ms\b", "40 ms", text).rstrip()), soft_wrap=False)
    path.write_text(console.export_svg(title=title, unique_id=path.stem), encoding="utf-8")
    print(path)


def main(arguments: Sequence[str]) -> None:
    """Make the pictures in a folder."""
    folder = Path(arguments[0]) if arguments else Path(__file__).parent / "images"
    with tempfile.TemporaryDirectory() as temporary:
        desk = make(Path(temporary) / "learn-llm-exercises", None, "en")[0]
        exercise = desk.course.get("gae")
        desk.move_to(exercise)
        path = desk.path(exercise)
        watch = Terminal(desk, "watch")
        watch.read_until(r"q\] quit")
        path.write_text(mistaken(exercise, MISTAKE), encoding="utf-8")
        watch.read_until(r"q\] quit")
        watch.press("h")
        screen = watch.read_until(r"hint 1 of|Hint 1 of[^\n]*\n[^\n]*\n")
        draw(screen, folder / "exercise-watch.svg", "learn-llm exercise watch")
        watch.close()
        words = ["run", exercise.name, "--steps", STEPS, "--batch-size", "48"]
        run = Terminal(desk, *words)
        draw(
            run.read_until(r"(?s)They part.*\n.*\n.*\n"),
            folder / "exercise-run.svg",
            f"learn-llm exercise {' '.join(words)}",
        )
        run.process.wait(PATIENCE)


if __name__ == "__main__":
    main(sys.argv[1:])
