"""How long `learn-llm exercise watch` takes from a save to its verdict, seen from outside.

    python -m benchmarks.exercise_watch [--saves 40] [--exercise gae] [--median 300] [--p95 600]

It runs as a learner runs it, in a terminal of 80 by 24; the answer is saved again and again, right and unwritten in
turn, in place and by renaming, and the clock runs until the verdict has been written.  Prints the load of the machine
before, and the CPU time of a save (Linux), which others' load does not change.  Ends with 1 where the median or the
95th percentile is above its limit, in milliseconds.  Linux and macOS only.
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
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from learn_llm.exercises.isolation import descendants
from learn_llm.exercises.skeleton import files
from learn_llm.exercises.state import make

WATCH = "import sys; from learn_llm.cli import main; sys.argv = ['learn-llm', 'exercise', 'watch']; main()"
VERDICT = re.compile(rb"\[[#-]{10,}\] \d+/\d+")  # the bar, written behind it
START = 300.0


class Terminal:
    """A program in a terminal of its own, and how many verdicts it has written."""

    def __init__(self, folder: Path) -> None:
        self.end, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", WATCH],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.written = b""

    def wait_for_verdict(self, seconds: float) -> None:
        """Until a verdict more is there."""
        self.written = b""
        deadline = time.monotonic() + seconds
        while not VERDICT.search(self.written):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.end], [], [], left)[0]:
                raise SystemExit(f"no verdict within {seconds:g} s:\n{self.written.decode(errors='replace')}")
            self.written += os.read(self.end, 1 << 16)


def cpu_seconds(process: int) -> float:
    """CPU time of a process and all below it, those that have ended included; 0 where there is no /proc."""
    ticks = 0
    for one in descendants(process):
        with contextlib.suppress(OSError):
            values = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, values[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(name: str, saves: int) -> tuple[list[float], float]:
    """Milliseconds from each save to its verdict, and seconds of CPU time for all of them."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        desk = make(Path(folder) / "desk", None, "en")[0]
        exercise = desk.course.get(name)
        desk.move_to(exercise)
        path, text = desk.path(exercise), files(exercise)
        terminal = Terminal(desk.root)
        try:
            terminal.wait_for_verdict(START)
            used = cpu_seconds(terminal.process.pid)
            for number in range(saves):
                time.sleep(0.5)
                answer = f"{text.solution if number % 2 else text.start}# {number}\n"
                new = path.with_suffix(".new")
                begun = time.perf_counter()
                if number % 4 < 2:
                    path.write_text(answer, encoding="utf-8")
                else:
                    new.write_text(answer, encoding="utf-8")
                    os.replace(new, path)
                terminal.wait_for_verdict(30.0)
                times.append(1000 * (time.perf_counter() - begun))
            used = cpu_seconds(terminal.process.pid) - used
        finally:
            terminal.process.send_signal(signal.SIGINT)
            terminal.process.wait(START)
            os.close(terminal.end)
    return times, used


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--saves", type=int, default=40)
    parser.add_argument("--exercise", default="gae")
    parser.add_argument("--median", type=float, default=300.0)
    parser.add_argument("--p95", type=float, default=600.0)
    arguments = parser.parse_args()
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    times, used = measure(arguments.exercise, arguments.saves)
    median, p95 = statistics.median(times), statistics.quantiles(times, n=20, method="inclusive")[-1]
    print(f"{arguments.exercise}, {len(times)} saves, {os.cpu_count()} cores, load before {load}")
    print(f"save to verdict: median {median:.0f} ms, 95th percentile {p95:.0f} ms, longest {max(times):.0f} ms")
    print(f"CPU time of a save, half a second of watching included: {1000 * used / len(times):.0f} ms")
    return int(median > arguments.median or p95 > arguments.p95)


if __name__ == "__main__":
    sys.exit(main())
