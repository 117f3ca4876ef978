"""`learn-llm exercise run`: a method trained twice with one seed, with our function and with the learner's."""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from learn_llm.errors import UserError
from learn_llm.events import Chart, Metrics, Series, Verdict, from_json
from learn_llm.exercises.courses import Exercise
from learn_llm.exercises.skeleton import method_of

SHOWN = ("gold", "reward", "loss")
"""The metric that is drawn: the first of these that the run has."""


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
        self.path, self.arguments = path, list(arguments)
        self.steps: list[Step] = []
        self.verdicts: list[Verdict | None] = [None, None]

    def run(self) -> Iterator[Step]:
        """The steps as they come.  Raises UserError where one of the runs fails."""
        with contextlib.ExitStack() as stack:
            readers = []
            for side, file in enumerate(("", str(self.path))):
                errors = stack.enter_context(tempfile.TemporaryFile())
                readers.append(self._metrics(self._start(stack, file, errors), errors, side))
            for ours, theirs in zip(*readers, strict=True):
                step = Step(ours.step, ours.steps, dict(ours.values), dict(theirs.values))
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
            if not line.startswith("{"):
                continue
            event = from_json(json.loads(line))
            if isinstance(event, Metrics):
                yield event
            elif isinstance(event, Verdict):
                self.verdicts[side] = event
        if process.wait() != 0:
            errors.seek(0)
            told = errors.read().decode(errors="replace").strip().splitlines() or [f"exit code {process.returncode}"]
            raise UserError(f"the run with {'our' if side == 0 else 'your'} function failed: {told[-1]}")

    @property
    def parting(self) -> Step | None:
        """The first step at which the two are not the same."""
        return next((step for step in self.steps if step.differing), None)

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
