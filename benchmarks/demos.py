"""All demos, seeds 0 to 4, as they are and broken: seconds, and whether the claim holds, as a Markdown table.

    python benchmarks/demos.py [--seeds 5] [SLUG ...]

Every run is a fresh process, as a reader starts it, so the seconds include the imports.
"""

import argparse
import json
import subprocess
import sys
import time
from statistics import median
from typing import NamedTuple

from learn_llm.demos.catalogue import DEMOS, Demo


class Outcome(NamedTuple):
    """One run: the verdict, and how long the process took."""

    holds: bool
    seconds: float
    cpu_seconds: float


def measure(demo: Demo, seed: int, broken: bool) -> Outcome:
    """Run a demo in a process of its own; a demo that ends without a verdict raises."""
    argv = [sys.executable, "-m", f"learn_llm.demos.{demo.module}", "--json", "--seed", str(seed)]
    started, cpu = time.perf_counter(), children_cpu()
    done = subprocess.run(argv + ["--break"] * broken, capture_output=True, text=True, check=True)
    verdict = json.loads(done.stdout.splitlines()[-1])
    return Outcome(verdict["holds"], time.perf_counter() - started, children_cpu() - cpu)


def children_cpu() -> float:
    """CPU seconds of all child processes that have ended; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0.0
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Print the table; 1 where a claim did not come out as it should or a demo took longer than its limit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("slugs", nargs="*", metavar="SLUG", help="by default all that are built")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    print("| demo | seconds (median, worst) | CPU seconds | held | held when broken |\n|---|---|---|---|---|")
    right = True
    for slug in arguments.slugs or DEMOS:
        demo = DEMOS[slug]
        as_is, broken = ([measure(demo, seed, b) for seed in range(arguments.seeds)] for b in (False, True))
        seconds = [run.seconds for run in as_is + broken]
        cpu = median(run.cpu_seconds for run in as_is + broken)
        held, held_broken = (sum(run.holds for run in runs) for runs in (as_is, broken))
        right &= held == len(as_is) and held_broken == 0 and max(seconds) <= demo.seconds
        times = f"{median(seconds):.1f}, {max(seconds):.1f}"
        print(f"| {slug} | {times} | {cpu:.1f} | {held}/{len(as_is)} | {held_broken}/{len(broken)} |", flush=True)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
