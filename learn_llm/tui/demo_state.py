"""What a running demo has said so far, kept small however much it says.  Knows no screen."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from learn_llm.events import Chart, Event, Metrics, Note, Sample, Series, Stage, Start, Table, Tokens, Verdict
from learn_llm.quizzes.demo_history import Value

Status = Literal["starting", "running", "finished", "failed", "stopped"]
LONGEST = 1024  # points kept of a curve: five times what the widest chart can show


@dataclass
class Curve:
    """One metric over the steps.  Beyond `LONGEST` points every second one is dropped, again and again."""

    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    every: int = 1
    seen: int = 0

    def add(self, step: float, value: float) -> None:
        """Takes the next point."""
        if self.x and step < self.x[-1]:  # a new stage counts its steps from the start again
            self.x, self.y, self.every, self.seen = [], [], 1, 0
        if self.seen % self.every == 0:
            self.x.append(step)
            self.y.append(value)
        self.seen += 1
        if len(self.x) > LONGEST:
            self.x, self.y, self.every = self.x[::2], self.y[::2], self.every * 2

    def series(self, name: str) -> Series:
        """The curve for a chart."""
        return Series(name, tuple(self.x), tuple(self.y))


@dataclass
class DemoState:
    """The reducer of a demo's events: `take` each of them, then read the fields.

    `now` is a monotonic clock in seconds.  `changed` names the sections of the pane that have something new; who shows
    them empties it.
    """

    status: Status = "starting"
    broken: bool = False
    options: Mapping[str, Value] = field(default_factory=dict)
    """The parameters that are not at their defaults."""
    started: float = 0.0
    ended: float | None = None
    changed: set[str] = field(default_factory=set)
    start: Start | None = None
    stage: Stage | None = None
    stage_started: float = 0.0
    step: int = 0
    steps: int = 0
    latest: dict[str, float] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    charts: dict[str, Chart] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    tokens: dict[str, Tokens] = field(default_factory=dict)
    """By title."""
    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=6))
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=40))
    verdict: Verdict | None = None

    def take(self, event: Event, now: float) -> None:
        """Takes one event that was read at the time `now`."""
        if self.status == "starting":
            self.status = "running"
            self.changed.add("about")
        match event:
            case Start():
                self.start = event
            case Stage():
                self.stage, self.stage_started, self.step, self.steps = event, now, 0, 0
            case Metrics():
                self._metrics(event)
                self.changed.update(("first", "second"))
            case Sample():
                self.samples.append(event)
                self.changed.add("samples")
            case Tokens():
                self.tokens[event.title] = event
                self.changed.add("tokens")
            case Chart():
                self.charts[event.title] = event
                self.changed.update(("first", "second"))
            case Table():
                self.tables[event.title] = event
                self.changed.add("tables")
            case Note():
                self.notes.append(event.text)
                self.changed.add("notes")
            case Verdict():
                self.verdict = event
                self.changed.add("verdict")

    def end(self, status: Status, now: float) -> None:
        """The child is gone."""
        self.changed.update(("about", "verdict", "first", "second", "try"))
        self.status = status
        self.ended = now

    @property
    def running(self) -> bool:
        """Whether the child still lives, as far as one knows."""
        return self.status in ("starting", "running")

    def elapsed(self, now: float) -> float:
        """Seconds since the start, up to the end where it ended."""
        return (now if self.ended is None else self.ended) - self.started

    def left(self, now: float) -> float | None:
        """Seconds until the end of this stage at its pace so far; None where that cannot be told."""
        if not self.running or not self.step or self.step >= self.steps:
            return None
        since = self.stage_started or self.started
        return (now - since) / self.step * (self.steps - self.step)

    def _metrics(self, event: Metrics) -> None:
        self.step, self.steps = event.step, event.steps
        for name, value in event.values.items():
            self.latest[name] = value
            self.curves.setdefault(name, Curve()).add(event.step, value)
