"""`learn-llm exercise run`: a method trained twice with one seed, with our function and with the learner's."""

import contextlib
import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from learn_llm.errors import UserError
from learn_llm.events import Chart, Event, Metrics, Note, Sample, Series, Table, Verdict, from_json
from learn_llm.exercises.courses import Exercise
from learn_llm.exercises.skeleton import method_of, run_options

SHOWN = ("gold", "reward", "loss")
"""The metric that is drawn: the first of these that the run has."""
CALLS = "calls "
"""A run with a learner's function ends with a line of this and how often it was called."""


@dataclass(frozen=True)
class Step:
    """The metrics of one step, ours and theirs."""

    step: int
    steps: int
    ours: dict[str, float]
    theirs: dict[str, float]

    @property
    def differing(self) -> list[str]:
        """The metrics that are not the same, bit for bit."""
        return [name for name, value in self.ours.items() if repr(value) != repr(self.theirs.get(name))]


class SideBySide:
    """Two runs in two processes, read step by step."""

    def __init__(self, exercise: Exercise, path: Path, arguments: Sequence[str]) -> None:
        self.method, self.target = method_of(exercise)
        self.path, self.arguments = path, [*run_options(exercise), *arguments]
        self.steps: list[Step] = []
        self.results: tuple[list[Event], list[Event]] = ([], [])
        """What else came of the two: tables, charts, samples, verdicts."""
        self.calls = 0
        """How often the learner's function was called."""

    def run(self) -> Iterator[Step]:
        """The steps as they come.  Raises UserError where one of the runs fails."""
        with contextlib.ExitStack() as stack:
            readers = []
            for side, file in enumerate(("", str(self.path))):
                errors = stack.enter_context(tempfile.TemporaryFile())
                readers.append(self._metrics(self._start(stack, file, errors), errors, side))
            for ours, theirs in itertools.zip_longest(*readers):
                longer: Metrics = theirs if ours is None else ours
                values = [dict(metrics.values) if metrics else {} for metrics in (ours, theirs)]
                step = Step(longer.step, longer.steps, *values)
                self.steps.append(step)
                yield step

    def _start(self, stack: contextlib.ExitStack, file: str, errors: IO[bytes]) -> subprocess.Popen[str]:
        command = [sys.executable, "-u", "-m", "learn_llm.exercises.replaced", self.method, self.target, file]
        process = stack.enter_context(
            subprocess.Popen(
                [*command, "--json", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
            )
        )
        stack.callback(process.kill)
        return process

    def _metrics(self, process: subprocess.Popen[str], errors: IO[bytes], side: int) -> Iterator[Metrics]:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(CALLS):
                self.calls = max(self.calls, int(line.removeprefix(CALLS)))
                continue
            event = from_json(json.loads(line))
            if isinstance(event, Metrics):
                yield event
            else:
                self.results[side].append(event)
        if process.wait() != 0:
            errors.seek(0)
            told = errors.read().decode(errors="replace").strip().splitlines() or [f"exit code {process.returncode}"]
            if told[-1] == "NotImplementedError":
                told.append(f"it is not written yet: {self.path.name} raises NotImplementedError")
            raise UserError(f"the run with {'our' if side == 0 else 'your'} function failed: {told[-1]}")

    @property
    def parting(self) -> Step | None:
        """The first step at which the two are not the same."""
        return next((step for step in self.steps if step.differing), None)

    @property
    def other_result(self) -> str:
        """The first other result that is not the same, in a word or two, or nothing."""
        for ours, theirs in itertools.zip_longest(*self.results):
            if ours != theirs:
                return _title(theirs if ours is None else ours)
        return ""

    @property
    def verdicts(self) -> tuple[Verdict | None, ...]:
        """What each of the two claims."""
        return tuple(next((e for e in events if isinstance(e, Verdict)), None) for events in self.results)

    @property
    def shown(self) -> str:
        """The metric that is drawn."""
        names = self.steps[0].ours if self.steps else {}
        return next((name for name in SHOWN if name in names), next(iter(names), ""))

    def chart(self, ours: str, theirs: str) -> Chart:
        """Both curves of the metric that is drawn."""
        name, x = self.shown, [step.step for step in self.steps]
        series = (
            Series(ours, tuple(x), tuple(step.ours[name] for step in self.steps)),
            Series(theirs, tuple(x), tuple(step.theirs.get(name, float("nan")) for step in self.steps)),
        )
        return Chart("line", name, "step", name, series)


def _title(event: Event) -> str:
    match event:
        case Table() | Chart():
            return event.title
        case Sample():
            return event.prompt
        case Note():
            return event.text
        case _:
            return type(event).__name__.lower()
