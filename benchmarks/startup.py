"""How long the quiz takes to show its first question, beside the smallest possible Textual app.

Both are started as a user starts them, in a pseudo-terminal of 120 by 40, and the clock runs until the text has been
written to it: "hello" there, the first question's title here.  They alternate in one loop, so that the load of the
machine is the same for both.

    python benchmarks/startup.py [--rounds 10] [--limit 1.7]

Ends with 1 where the ratio of the medians is above the limit.  Linux and macOS only.
"""

import argparse
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from pathlib import Path

HELLO = """
from textual.app import App
from textual.widgets import Static

class Hello(App):
    def compose(self):
        yield Static("hello")

Hello().run()
"""
QUIZ = "import sys; from learn_llm.cli import main; sys.argv = ['learn-llm', 'quiz']; main()"
ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")
COLUMNS, LINES, PATIENCE = 120, 40, 60.0


def time_to_text(argv: Sequence[str], text: bytes, environment: dict[str, str]) -> float:
    """Seconds from the start of the process until `text` has been written to its terminal."""
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(argv[0], list(argv), environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    written = b""
    try:
        while text not in ESCAPE.sub(b"", written):
            if time.perf_counter() - began > PATIENCE:
                raise TimeoutError(f"{text!r} did not appear within {PATIENCE:.0f} s; the end was {written[-300:]!r}")
            if select.select([terminal], [], [], 1.0)[0]:
                written += os.read(terminal, 65536)
        return time.perf_counter() - began
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def main() -> int:
    """Measures, prints the medians and their ratio, and returns the exit code."""
    parser = argparse.ArgumentParser(description="Time until the first question is on the screen.")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--limit", type=float, default=1.7)
    options = parser.parse_args()
    from learn_llm.quizzes.bank import load_bank

    title = " ".join(load_bank().questions[0].question.split()[:3]).encode()
    hello: list[float] = []
    quiz: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "hello.py"
        script.write_text(HELLO)
        environment = os.environ | {"TERM": "xterm-256color", "LEARN_LLM_HOME": folder, "LEARN_LLM_LANG": "en"}
        for number in range(options.rounds + 1):  # the first round fills the caches and is not counted
            times = (
                time_to_text([sys.executable, str(script)], b"hello", environment),
                time_to_text([sys.executable, "-c", QUIZ], title, environment),
            )
            if number:
                hello.append(times[0])
                quiz.append(times[1])
                print(f"round {number:>2}: hello {1000 * times[0]:5.0f} ms   quiz {1000 * times[1]:5.0f} ms")
    ratio = statistics.median(quiz) / statistics.median(hello)
    print(f"median: hello {1000 * statistics.median(hello):.0f} ms, quiz {1000 * statistics.median(quiz):.0f} ms")
    print(f"ratio {ratio:.2f}, limit {options.limit}")
    return int(ratio > options.limit)


if __name__ == "__main__":
    sys.exit(main())
