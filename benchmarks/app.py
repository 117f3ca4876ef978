"""How fast and how small the app is, beside the smallest possible Textual app where the machine's load counts.

    python benchmarks/app.py [--rounds 10] [--only start keys training] [--json FILE]

  start      launch until the number of due cards is on the screen, in a pseudo-terminal of 120 by 40; the two apps
             take turns, and who is first changes from round to round
  keys       from a key to the last thing that is drawn for it, headless: reveal, rate, the next card of the list,
             over all questions in both languages
  training   while PPO trains in the child of an app in a pseudo-terminal: its memory, how late its event loop is,
             how long it takes to quit beside the other app, and whether any process is left

Prints a table and, with --json, writes the same figures; ends with 1 where one is over its bar.  Linux and macOS.
"""

import argparse
import asyncio
import contextlib
import fcntl
import gc
import json
import os
import pty
import re
import resource
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.desk import Desk
from learn_llm.quizzes.filters import Filter
from learn_llm.quizzes.kit import Kit
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.texts import Language, Texts

COLUMNS, LINES = 120, 40
PATIENCE = 120.0
TRAINING_ROUNDS = 5
TRAINS_FOR = 12.0
"""Seconds for which each of these rounds watches the training."""
READS_FOR = 0.5
"""Seconds between a question and the key that reveals its answer; nobody reads faster."""
ESCAPE = re.compile(rb"\x1b\[[0-9;?<>=]*[a-zA-Z]")

HELLO = """
from textual.app import App
from textual.widgets import Static

class Hello(App):
    BINDINGS = [("q", "quit", "quit")]

    def compose(self):
        yield Static("hello")

Hello().run()
"""
QUIZ = "import sys; from learn_llm.cli import main; sys.argv = ['learn-llm', 'quiz']; main()"
WATCHED = """
import asyncio, json, sys, time
import learn_llm.tui.app
from learn_llm.cli import main

class Watched(learn_llm.tui.app.QuizApp):
    late = []

    def on_mount(self):
        self.watching = asyncio.create_task(self.watch())

    async def watch(self):
        from learn_llm.tui.widgets.demo import DemoPane
        await asyncio.sleep(1)
        while not any(pane.state.step for pane in self.screen.query(DemoPane)):
            await asyncio.sleep(0.2)
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.01)
            self.late.append(time.perf_counter() - began - 0.01)

learn_llm.tui.app.QuizApp = Watched
file, sys.argv = sys.argv[1], ["learn-llm", "quiz"]
try:
    main()
finally:
    with open(file, "w") as kept:
        json.dump(Watched.late, kept)
"""
"""The quiz, with a task in its event loop that sleeps for 10 ms again and again from the first step of a demo on."""


@dataclass(frozen=True)
class Figure:
    """One line of the table; it passes where `value` is not above `bar`."""

    name: str
    value: float
    bar: float
    unit: str
    detail: str


class Terminal:
    """A command in a pseudo-terminal: what it draws is read as text, and keys are typed."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self.screen, own = pty.openpty()
        fcntl.ioctl(own, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.drawn = b""
        self.process = subprocess.Popen(
            argv, env=dict(environment), stdin=own, stdout=own, stderr=own, start_new_session=True
        )
        os.close(own)

    def type(self, keys: str) -> None:
        """Presses keys."""
        self.drawn = b""
        os.write(self.screen, keys.encode())

    def read(self, seconds: float) -> None:
        """Takes in what is drawn, waiting no longer than this for it."""
        if select.select([self.screen], [], [], seconds)[0]:
            with contextlib.suppress(OSError):  # the process has ended
                self.drawn += os.read(self.screen, 65536)

    def read_until(self, text: str) -> None:
        """Until this was drawn since the last key.  Raises TimeoutError where it is not."""
        end = time.perf_counter() + PATIENCE
        while text.encode() not in ESCAPE.sub(b"", self.drawn):
            if time.perf_counter() > end:
                raise TimeoutError(f"{text!r} did not appear in {PATIENCE:.0f} s; the end was {self.drawn[-300:]!r}")
            self.read(1.0)

    def wait(self) -> float:
        """Seconds until the process has ended by itself."""
        began = time.perf_counter()
        while self.process.poll() is None:
            if time.perf_counter() - began > PATIENCE:
                raise TimeoutError(f"the app did not end in {PATIENCE:.0f} s")
            self.read(0.002)
        return time.perf_counter() - began

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.screen)


def start(rounds: int, environment: Mapping[str, str], hello: Path) -> Iterator[Figure]:
    """Both apps from launch to text."""
    apps = {"hello": ([sys.executable, str(hello)], "hello"), "quiz": ([sys.executable, "-c", QUIZ], "Due ")}
    wall: dict[str, list[float]] = {name: [] for name in apps}
    cpu: dict[str, list[float]] = {name: [] for name in apps}
    for number in range(rounds + 1):
        for name in sorted(apps, reverse=bool(number % 2)):
            argv, text = apps[name]
            used, began = _used_by_children(), time.perf_counter()
            with Terminal(argv, environment) as terminal:
                terminal.read_until(text)
                seconds = time.perf_counter() - began
            if number:  # the first round fills the caches
                wall[name].append(seconds)
                cpu[name].append(_used_by_children() - used)
    medians = [statistics.median(times[name]) for times in (wall, cpu) for name in ("quiz", "hello")]
    detail = f"{1000 * medians[0]:.0f} ms, a bare app {1000 * medians[1]:.0f} ms"
    yield Figure("due count on screen, wall clock", medians[0] / medians[1], 1.5, "x", detail)
    detail = f"{1000 * medians[2]:.0f} ms, a bare app {1000 * medians[3]:.0f} ms"
    yield Figure("due count on screen, processor time", medians[2] / medians[3], 1.5, "x", detail)


def keys() -> Iterator[Figure]:
    """The 95th percentile of each kind of key press."""
    times: dict[str, list[float]] = {"reveal": [], "rate": [], "next card": []}
    for language in ("en", "ja"):
        asyncio.run(_press_keys(language, times))
    for name, seconds in times.items():
        detail = f"{len(seconds)} presses, median {1000 * statistics.median(seconds):.0f} ms"
        yield Figure(f"{name}, 95th percentile", 1000 * _percentile(seconds, 95), 100, "ms", detail)


async def _press_keys(language: Language, times: dict[str, list[float]]) -> None:
    from learn_llm.tui.app import QuizApp

    class Timed(QuizApp):
        drawn_at = 0.0

        def post_display_hook(self) -> None:
            self.drawn_at = time.perf_counter()

    passed = iter(range(1_000_000))  # a clock by which no two presses are one that is held
    with tempfile.TemporaryDirectory() as folder, Progress(Path(folder) / "progress.sqlite3") as progress:
        desk = Desk(load_bank(lang=language), progress)
        desk.change(new_a_day=len(desk.questions))
        gc.disable()  # as the command does; the app enables it
        app = Timed(Kit(Texts(language), desk, seconds=lambda: float(next(passed))))

        async with app.run_test(size=(COLUMNS, LINES)) as pilot:

            async def press(key: str) -> float:
                began = time.perf_counter()
                async with asyncio.timeout(PATIENCE):
                    await pilot.press(key)  # comes back when nothing more is done, or the machine is busy
                    while app.drawn_at < began:
                        await pilot.pause(0.01)
                return app.drawn_at - began

            await press("space")
            for _ in desk.questions:
                await pilot.pause(READS_FOR)
                times["reveal"].append(await press("space"))
                times["rate"].append(await press("4"))
            await press("escape")
            await press("l")
            await press("enter")
            for _ in desk.questions[1:]:
                times["next card"].append(await press("right"))


def training(environment: Mapping[str, str], hello: Path, folder: Path) -> Iterator[Figure]:
    """Rounds in which PPO trains in the app's child."""
    memory: list[float] = []
    late: list[float] = []
    quits: dict[str, list[float]] = {"hello": [], "quiz": []}
    left = 0
    bank = load_bank()
    number = next(str(question.number) for question in bank.questions if question.demo == "ppo")
    standings = Desk(bank, Progress(folder / "unused.sqlite3")).standings()
    assert Filter(words=number).select(bank.questions, standings)[0].demo == "ppo"
    for turn in range(TRAINING_ROUNDS):
        for name in sorted(quits, reverse=bool(turn % 2)):
            if name == "hello":
                with Terminal([sys.executable, str(hello)], environment) as terminal:
                    terminal.read_until("hello")
                    terminal.read(0.5)
                    terminal.type("q")
                    quits[name].append(terminal.wait())
                continue
            file = folder / "late.json"
            with Terminal([sys.executable, "-c", WATCHED, str(file)], environment) as terminal:
                terminal.read_until("Due ")
                for keys, answer in (("/", "of the question"), (number, f": {number}"), ("\r", "study"), ("d", "kl")):
                    terminal.type(keys)
                    terminal.read_until(answer)  # "kl" is there with the first step
                end = time.perf_counter() + TRAINS_FOR
                while time.perf_counter() < end:
                    terminal.read(0.5)
                    memory.append(_megabytes(terminal.process.pid))
                children = list(_below(terminal.process.pid))
                assert children, "the demo had ended before it was left"
                terminal.type("q")
                quits[name].append(terminal.wait())
                left += sum(map(_lives, children))
            late += json.loads(file.read_text())
    yield Figure("memory while PPO trains, the most", max(memory), 120, "MB", f"{len(memory)} looks")
    yield Figure("event loop late, median", 1000 * statistics.median(late), 10, "ms", f"{len(late)} times")
    yield Figure("event loop late, 99th percentile", 1000 * _percentile(late, 99), 50, "ms", f"{len(late)} times")
    quiz, bare = statistics.median(quits["quiz"]), statistics.median(quits["hello"])
    detail = f"{1000 * quiz:.0f} ms, a bare app {1000 * bare:.0f} ms, medians of {TRAINING_ROUNDS}"
    yield Figure("quitting while PPO trains", quiz / bare, 1.5, "x", detail)
    yield Figure("processes left behind", left, 0, "", f"{TRAINING_ROUNDS} rounds")


def _used_by_children() -> float:
    """Processor seconds of the children that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _megabytes(pid: int) -> float:
    """Memory of one process that is in use (resident set)."""
    shown = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True)
    return int(shown.stdout) / 1024


def _below(pid: int) -> Iterator[int]:
    """The processes that this one started, and what they started."""
    shown = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    parents = [tuple(map(int, line.split())) for line in shown.stdout.splitlines()]

    def below(parent: int) -> Iterator[int]:
        for child, its_parent in parents:
            if its_parent == parent:
                yield child
                yield from below(child)

    return below(pid)


def _lives(pid: int) -> bool:
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(shown.stdout.strip()) and not shown.stdout.startswith("Z")


def main() -> int:
    """Measures, prints the table, and returns the exit code."""
    parts = ("start", "keys", "training")
    parser = argparse.ArgumentParser(description="How fast and how small the app is.")
    parser.add_argument("--rounds", type=int, default=10, help="of the start")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--json", type=Path, help="file to write")
    options = parser.parse_args()
    loads = [os.getloadavg()[0]]
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hello = folder / "hello.py"
        hello.write_text(HELLO)
        environment = os.environ | {"TERM": "xterm-256color", "LEARN_LLM_HOME": name, "LEARN_LLM_LANG": "en"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has its byte code; Textual always has it
        measured: dict[str, Callable[[], Iterator[Figure]]] = {
            "start": lambda: start(options.rounds, environment, hello),
            "keys": keys,
            "training": lambda: training(environment, hello, folder),
        }
        for part in options.only:
            for figure in measured[part]():
                figures.append(figure)
                verdict = "ok" if figure.value <= figure.bar else "OVER"
                value, bar = (f"{number:.4g} {figure.unit}".rstrip() for number in (figure.value, figure.bar))
                print(f"{figure.name:<36} {value:>9}  bar {bar:>7}  {verdict:<5} {figure.detail}", flush=True)
            loads.append(os.getloadavg()[0])
    print(f"{os.cpu_count()} processors, load {' '.join(f'{load:.1f}' for load in loads)}")
    if options.json:
        found = {"processors": os.cpu_count(), "loads": loads, "figures": [asdict(figure) for figure in figures]}
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return int(any(figure.value > figure.bar for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
