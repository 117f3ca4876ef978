"""The app in a real (pseudo-)terminal: it starts, draws, and takes its demo with it however it is ended."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.test_tui_demo import is_alive

if sys.platform == "win32":
    pytest.skip("there is no pseudo-terminal", allow_module_level=True)

import fcntl
import pty
import struct
import termios

ROOT = Path(__file__).parent.parent
ESCAPE = re.compile(rb"\x1b\[[0-9;?<>=]*[a-zA-Z]")
PATIENCE = 60.0
HANGING = """
import sys
from pathlib import Path
from tests.tui_app import make_app

make_app(Path(sys.argv[1]), kind="hang").run()
"""


class Terminal:
    """An app in a pseudo-terminal of 80 by 24."""

    def __init__(self, *argv: str, home: Path) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "LEARN_LLM_HOME": str(home), "PYTHONPATH": str(ROOT)}
        environment |= {"FAKE_DEMO_PIDS": str(home / "pids"), "LEARN_LLM_LANG": "en"}
        self.process = subprocess.Popen(
            argv, cwd=ROOT, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self.written = b""

    def read_until(self, true: Callable[[], bool]) -> None:
        """Reads what the app draws until something has happened."""
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, self.text()[-2000:]
            if select.select([self.master], [], [], 0.05)[0]:
                try:
                    self.written += os.read(self.master, 65536)
                except OSError:  # the app has closed its end
                    time.sleep(0.05)

    def text(self) -> str:
        """All that was ever drawn, without the escape sequences."""
        return ESCAPE.sub(b"", self.written).decode(errors="replace")

    def press(self, keys: str) -> None:
        """Types."""
        os.write(self.master, keys.encode())

    def close(self) -> None:
        """Closes the terminal's window."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[tuple[Terminal, list[int]]]:
    """An app that runs a demo which neither speaks nor goes when asked to, and the demo's processes."""
    terminal = Terminal(sys.executable, "-c", HANGING, str(tmp_path), home=tmp_path)
    try:
        terminal.read_until(lambda: "What is" in terminal.text())
        for _ in range(4):
            terminal.press("j")
        terminal.press("d")
        pids = tmp_path / "pids"
        terminal.read_until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        terminal.read_until(lambda: "running" in terminal.text())
        yield terminal, [int(pid) for pid in pids.read_text().split()]
    finally:
        terminal.process.kill()
        terminal.process.wait()
        terminal.close()


def wait_for_end(terminal: Terminal, pids: list[int]) -> None:
    """All processes are gone within a few seconds."""
    end = time.monotonic() + 20
    while terminal.process.poll() is None or any(map(is_alive, pids)):
        assert time.monotonic() < end
        if terminal.master >= 0 and select.select([terminal.master], [], [], 0.05)[0]:
            try:
                os.read(terminal.master, 65536)
            except OSError:
                time.sleep(0.05)


def test_the_command_shows_the_first_question_and_quits(tmp_path: Path) -> None:
    terminal = Terminal(sys.executable, "-m", "learn_llm.cli", "quiz", home=tmp_path)
    terminal.read_until(lambda: "What is artificial intelligence" in terminal.text())
    terminal.press("q")
    terminal.read_until(lambda: terminal.process.poll() is not None)
    assert terminal.process.returncode == 0
    assert "Traceback" not in terminal.text()
    assert (tmp_path / "progress.sqlite3").exists()
    terminal.close()


def test_quitting_takes_the_demo_along(hanging: tuple[Terminal, list[int]]) -> None:
    terminal, pids = hanging
    terminal.press("q")
    wait_for_end(terminal, pids)
    assert terminal.process.returncode == 0


def test_sigterm_takes_the_demo_along(hanging: tuple[Terminal, list[int]]) -> None:
    terminal, pids = hanging
    terminal.process.send_signal(signal.SIGTERM)
    wait_for_end(terminal, pids)


def test_closing_the_window_takes_the_demo_along(hanging: tuple[Terminal, list[int]]) -> None:
    terminal, pids = hanging
    terminal.process.send_signal(signal.SIGHUP)
    terminal.close()
    wait_for_end(terminal, pids)
