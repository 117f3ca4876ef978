"""Shows a run to a person: a live view in a terminal, plain lines anywhere else."""

import os
import sys
import time
from typing import IO, TYPE_CHECKING, Protocol

from learn_llm import showing
from learn_llm.canvas import fit, pad, short
from learn_llm.charts import render, sparkline
from learn_llm.events import Chart, Event, Metrics, Note, Stage, Start, Verdict, from_json, to_json
from learn_llm.glossary import find
from learn_llm.glyphs import spelled, wanted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text


class Reader(Protocol):
    """Takes the events of one run, one after the other."""

    def show(self, event: Event) -> None:
        """Shows one event."""

    def close(self) -> None:
        """Shows what was held back; called once, after the last event or when the run is cut short."""


def reader(console: "Console | None") -> Reader:
    """The live view where the output is a terminal that can show it, else plain lines."""
    if console is None and not _can_live(sys.stdout):
        return Plain(sys.stdout)
    if console is None:
        from rich.console import Console

        console = Console(highlight=False)
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveView(console)
    return Plain(console.file)


def _can_live(out: IO[str]) -> bool:
    return out.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("LEARN_LLM_PLAIN")


def _in_ascii(event: Event) -> Event:
    """The event with its symbols in words."""

    def read(value: object) -> object:
        match value:
            case str():
                return spelled(value)
            case list() | tuple():
                return [read(item) for item in value]
            case dict():
                return {spelled(key): read(item) for key, item in value.items()}
        return value

    return from_json({key: read(value) for key, value in to_json(event).items()})


class Course:
    """The course of one metric in at most `LIMIT` values at equal distances, however many there were."""

    LIMIT = 200

    def __init__(self) -> None:
        self.values: list[float] = []
        self._every = 1
        self._seen = 0

    def add(self, value: float) -> None:
        """Takes the value in, or leaves it out where the values are further apart by now."""
        if self._seen % self._every == 0:
            self.values.append(value)
        self._seen += 1
        if len(self.values) > self.LIMIT:
            self.values = self.values[::2]
            self._every *= 2


class Clock:
    """How long a stage takes, from the steps that it has done."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._first: tuple[float, int] | None = None
        self._last = (self._begin, 0)
        self._steps = 0

    def tick(self, metrics: Metrics) -> None:
        """A step is done."""
        self._last = (time.monotonic(), metrics.step)
        self._first = self._first or self._last
        self._steps = metrics.steps

    def __str__(self) -> str:
        if self._first is None:
            return ""
        (now, step), (then, first) = self._last, self._first
        if step >= self._steps:
            return f"done in {_duration(now - self._begin)}"
        if step <= first:
            return ""
        return f"{_duration((now - then) / (step - first) * (self._steps - step))} left"


def _duration(seconds: float) -> str:
    """Seconds in words, as exactly as one cares.

    >>> [_duration(seconds) for seconds in (0.4, 12.3, 75, 4000)]
    ['0 s', '12 s', '1 min 15 s', '1 h 6 min']
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole < 600 and whole % 60 else "")
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Plain:
    """Lines in order, without any escape sequence; of the metrics about twenty lines a stage."""

    LINES = 20

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._ascii = wanted(out)
        self._broken = False
        self._last: Metrics | None = None
        self._values: dict[str, float] = {}
        self._printed = False
        self._share = 0

    def show(self, event: Event) -> None:
        """Prints the event, or holds it back where there are many like it."""
        event = _in_ascii(event) if self._ascii else event
        if isinstance(event, Metrics):
            share = event.step * self.LINES // max(event.steps, 1)
            self._values.update(event.values)
            self._last, self._printed = event, share != self._share or event.step in (1, event.steps)
            if self._printed:
                self._metrics(event)
            self._share = share
            return
        if isinstance(event, (Stage, Verdict)) or (self._last is not None and self._last.step >= self._last.steps):
            self.close()
        if isinstance(event, Start):
            self._broken = bool(event.config.get("break"))
        if not isinstance(event, (Start, Note)):
            self._print("")
        for line in showing.lines(event, 10**6, ascii=self._ascii, broken=self._broken):
            self._print("".join(text for text, _ in line))

    def close(self) -> None:
        """Ends the stage: prints its last metrics where they were left out, and what they mean where not healthy."""
        if self._last is not None:
            if not self._printed:
                self._metrics(self._last)
            for text in showing.advice(self._values):
                self._print(f"  {text}")
        self._last, self._values, self._share = None, {}, 0

    def _metrics(self, event: Metrics) -> None:
        pairs = [_pair(name, value) for name, value in event.values.items()]
        self._print(f"step {event.step}/{event.steps}  " + "  ".join(pairs))

    def _print(self, text: str) -> None:
        encoding = getattr(self._out, "encoding", None) or "utf-8"
        self._out.write(text.encode(encoding, errors="replace").decode(encoding) + "\n")
        self._out.flush()


def _pair(name: str, value: float) -> str:
    trouble = showing.warning(name, value)
    return f"{name} {short(value)}" + (f" ({trouble.partition(',')[0]})" if trouble else "")


class LiveView:
    """What has happened stays above; below it the stage in progress is redrawn in place: bar, time left, metrics."""

    WIDTH = 100
    REDRAW = 0.2

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._ascii = wanted(console.file)
        self._broken = False
        self._live: Live | None = None
        self._stage: Stage | None = None
        self._metrics: Metrics | None = None
        self._values: dict[str, float] = {}
        self._courses: dict[str, Course] = {}
        self._clock = Clock()
        self._drawn = 0.0

    @property
    def _width(self) -> int:
        return min(self._console.width, self.WIDTH)

    def show(self, event: Event) -> None:
        """Prints the event above the stage in progress, or updates that."""
        event = _in_ascii(event) if self._ascii else event
        if isinstance(event, Start):
            self._broken = bool(event.config.get("break"))
        if isinstance(event, Stage):
            self.close()
            self._begin(event)
        elif isinstance(event, Metrics):
            if self._live is None or (self._metrics is not None and event.step <= self._metrics.step):
                self.close()
                self._begin(self._stage)
            self._update(event)
        else:
            if isinstance(event, Verdict) or self._metrics is None or self._metrics.step >= self._metrics.steps:
                self.close()
            self._print(event)

    def close(self) -> None:
        """Leaves the stage in progress as it is, with what its last metrics mean where they are not healthy."""
        if self._live is None:
            return
        self._live.update(self._picture(), refresh=True)
        self._live.stop()
        self._live = None
        if self._metrics is not None:
            for text in showing.advice(self._values):
                for row in showing.wrap(text, self._width - 4):
                    self._console.print(_text([(f"  {row}", "yellow")]))
        self._metrics = None
        self._values, self._courses = {}, {}

    def _begin(self, stage: Stage | None) -> None:
        from rich.live import Live

        self._stage = stage
        self._clock = Clock()
        self._console.print()
        self._live = Live(
            self._picture(), console=self._console, auto_refresh=False, redirect_stderr=sys.stderr.isatty()
        )
        self._live.start(refresh=True)

    def _update(self, event: Metrics) -> None:
        self._metrics = event
        self._clock.tick(event)
        self._values.update(event.values)  # what is not measured at every step stays as it was
        for name, value in event.values.items():
            self._courses.setdefault(name, Course()).add(value)
        now = time.monotonic()
        if self._live is not None and (now - self._drawn >= self.REDRAW or event.step >= event.steps):
            self._drawn = now
            self._live.update(self._picture(), refresh=True)

    def _print(self, event: Event) -> None:
        if self._live is None or not isinstance(event, Note):
            self._console.print()
        if isinstance(event, Chart) and self._console.color_system and not self._console.no_color:
            self._console.print(_colored(event, min(self._width, showing.CHART_WIDTH), self._ascii))
            return
        for line in showing.lines(event, self._width, ascii=self._ascii, broken=self._broken):
            self._console.print(_text(line))

    def _picture(self) -> "Text":
        rows = [self._progress()]
        room = max(self._console.height - 4, 3)
        rows += [self._metric(name, value) for name, value in list(self._values.items())[:room]]
        if len(self._values) > room:
            rows.append([(f"  and {len(self._values) - room} more", "dim")])
        return _text([piece for row in rows for piece in (*row, ("\n", ""))][:-1])

    def _progress(self) -> showing.Line:
        stage, metrics = self._stage, self._metrics
        place = f"{stage.index}/{stage.of}  " if stage else ""
        name = showing.clean(stage.name) if stage else ""
        if metrics is None:
            return [(place + fit(name, self._width - 10), "bold")]
        size = min(max(self._width - 58, 10), 24)
        done = min(metrics.step * size // max(metrics.steps, 1), size)
        full, rest = ("=", ".") if self._ascii else ("⠶", "⠂")
        return [
            (place + pad(name, 29 - len(place)) + "   ", "bold"),
            (full * done, "cyan"),
            (rest * (size - done), "dim"),
            (f"   {metrics.step}/{metrics.steps}   {self._clock}", ""),
        ]

    def _metric(self, name: str, value: float) -> showing.Line:
        trouble, metric = showing.warning(name, value), find(name)
        course = sparkline(self._courses[name].values, 16, ascii=self._ascii)
        healthy = "" if metric is None or not metric.healthy else "ok" if self._ascii else "✓"
        return [
            (f"  {pad(name, 20)}  {short(value):>8}   ", ""),
            (course, "cyan"),
            (f"   {fit(trouble, self._width - 56)}" if trouble else f"   {healthy}", "yellow" if trouble else "green"),
        ]


def _text(line: showing.Line) -> "Text":
    from rich.text import Text

    return Text.assemble(*line, no_wrap=True, overflow="crop")


def _colored(chart: Chart, width: int, ascii: bool) -> "Text":
    from rich.text import Text

    text = Text.from_ansi(render(chart, width, showing.CHART_HEIGHT, ascii=ascii, color=True), no_wrap=True)
    if chart.title:
        text.stylize("bold", 0, text.plain.find("\n"))
    return text
