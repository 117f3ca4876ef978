"""All demos, as they are and broken, for one or more seeds: does every claim come out as it should, and in time?

Each run is a process of its own, one after the other, so that its seconds are those that a reader waits.  What it came
to is kept under the digest of all that it depends on, so that a check of hours can go on where it was stopped.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from learn_llm import kept
from learn_llm.demos.catalogue import DEMOS, SLUGS
from learn_llm.demos.entry import Demo
from learn_llm.digests import digest
from learn_llm.errors import UserError
from learn_llm.events import Verdict, from_json, to_json
from learn_llm.folders import data_folder

PATIENCE = 4
"""A demo is ended after so many times its limit."""


@dataclass(frozen=True)
class Run:
    """One demo, run once."""

    seed: int
    broken: bool
    seconds: float
    verdict: Verdict | None
    """None where the run did not come to one."""
    trouble: str = ""
    """Why not: the last line that it wrote on standard error."""


@dataclass(frozen=True)
class Checked:
    """One demo with all its runs."""

    demo: Demo
    runs: Sequence[Run] = field(default_factory=tuple)

    @property
    def seconds(self) -> float:
        """Of the slowest run."""
        return max(run.seconds for run in self.runs)

    @property
    def faults(self) -> list[str]:
        """What did not come out as it should; empty where all is well."""
        found = []
        for run in self.runs:
            name = f"seed {run.seed}{', broken' * run.broken}"
            if run.verdict is None:
                found.append(f"{name}: no verdict ({run.trouble})")
            elif run.verdict.holds == run.broken:
                found.append(f"{name}: the claim {'holds although it is broken' if run.broken else 'does not hold'}")
        if self.seconds > self.demo.seconds:
            found.append(f"{self.seconds:.0f} s, the limit is {self.demo.seconds:g} s")
        return found

    def held(self, broken: bool) -> str:
        """In how many of these runs the claim held: "yes", "no", or "4 of 5"."""
        verdicts = [run.verdict is not None and run.verdict.holds for run in self.runs if run.broken == broken]
        return {0: "no", len(verdicts): "yes"}.get(sum(verdicts), f"{sum(verdicts)} of {len(verdicts)}")

    @property
    def verdict(self) -> Verdict | None:
        """Of the first run as it is."""
        return next((run.verdict for run in self.runs if not run.broken), None)


def check_all(seeds: Sequence[int], slugs: Sequence[str] = SLUGS, resume: bool = False) -> Iterator[Checked]:
    """Every demo that is built, in the order of the questions; with `resume` what is kept is not run again."""
    for slug in slugs:
        if slug in DEMOS:
            yield Checked(DEMOS[slug], tuple(_runs(DEMOS[slug], seeds, resume)))


def _runs(demo: Demo, seeds: Sequence[int], resume: bool) -> Iterator[Run]:
    for seed in seeds:
        for broken in (False, True):
            found = before(demo, seed, broken) if resume else None
            if found is None:
                found = run(demo, seed, broken)
                keep(demo, found)
            yield found


@dataclass(frozen=True)
class _Kept:
    """What is kept of a run that came to a verdict."""

    seconds: float
    verdict: Mapping[str, Any]
    """As JSON."""


def before(demo: Demo, seed: int, broken: bool) -> Run | None:
    """What this run came to earlier, where that is kept and nothing that it depends on has changed since."""
    found = kept.kept(_folder(demo, seed, broken), _key(demo), _Kept)
    try:
        verdict = from_json(found.verdict) if found else None
    except ValueError:
        return None
    return Run(seed, broken, found.seconds, verdict) if found and isinstance(verdict, Verdict) else None


def keep(demo: Demo, done: Run) -> None:
    """Keep a run that came to a verdict.  Raises UserError where the folder of the user's data cannot be written."""
    if done.verdict is not None:
        folder = _folder(demo, done.seed, done.broken)
        kept.begin(folder, _key(demo))
        kept.keep(folder, _Kept(round(done.seconds, 2), to_json(done.verdict)))


def _folder(demo: Demo, seed: int, broken: bool) -> Path:
    return data_folder() / "demos" / f"{demo.slug}-seed-{seed}{'-broken' * broken}"


def _key(demo: Demo) -> str:
    return digest([f"learn_llm.demos.{demo.module}"])


def run(demo: Demo, seed: int, broken: bool) -> Run:
    """Run one demo in a process of its own and read its verdict."""
    argv = [sys.executable, "-m", f"learn_llm.demos.{demo.module}", "--json", "--seed", str(seed)]
    started = time.monotonic()
    try:
        done = subprocess.run(
            [*argv, *(["--break"] if broken else [])],
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE * demo.seconds,
        )
    except subprocess.TimeoutExpired:
        return Run(seed, broken, time.monotonic() - started, None, f"ended after {PATIENCE} times its limit")
    seconds = time.monotonic() - started
    try:
        last = from_json(json.loads(done.stdout.splitlines()[-1]))
    except (IndexError, ValueError):
        last = None
    if isinstance(last, Verdict):
        return Run(seed, broken, seconds, last)
    return Run(seed, broken, seconds, None, (done.stderr.strip().splitlines() or ["it said nothing"])[-1])


def measured(verdict: Verdict, count: int = 4) -> str:
    """The first few numbers of a verdict in words."""
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in list(verdict.measured.items())[:count])


def write_table(file: Path, checked: Sequence[Checked], seeds: Sequence[int]) -> None:
    """The table of docs/demos.md.  Raises UserError where it cannot be written."""
    among = f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"
    lines = [
        "# The demos",
        "",
        f"Each demo as it is and with `--break`, {among}, one process each. The numbers are those of seed {seeds[0]};",
        f"the seconds are those of the slowest run. Made by `learn-llm demo --all --seeds {len(seeds)} --write FILE`.",
        "",
        "| # | demo | claim | measured | held | broken held | seconds (limit) |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in checked:
        claim, numbers = (one.verdict.claim, measured(one.verdict)) if one.verdict else ("", "; ".join(one.faults))
        cells = (
            one.demo.question, f"`{one.demo.slug}`", claim, numbers, one.held(False), one.held(True),
            f"{one.seconds:.1f} ({one.demo.seconds:g})",
        )  # fmt: skip
        lines.append(f"| {' | '.join(str(cell).replace('|', '¦') for cell in cells)} |")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", "utf-8")
    except OSError as error:
        raise UserError(f"--write {file} cannot be written: {error.strerror}") from None


def as_json(one: Checked) -> Mapping[str, object]:
    """One demo as a JSON object."""
    return {
        "slug": one.demo.slug,
        "limit": one.demo.seconds,
        "faults": one.faults,
        "runs": [
            {
                "seed": r.seed, "broken": r.broken, "seconds": round(r.seconds, 2),
                "holds": r.verdict.holds if r.verdict else None,
                "claim": r.verdict.claim if r.verdict else None,
                "measured": dict(r.verdict.measured) if r.verdict else None,
            }
            for r in one.runs
        ],
    }  # fmt: skip
