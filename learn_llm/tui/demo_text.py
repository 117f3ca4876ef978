"""The parts of a demo's pane as text, each from the state and a width in cells."""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.content import Content

from learn_llm.canvas import fit
from learn_llm.charts import render
from learn_llm.events import Chart, Sample, Table, Tokens, Verdict
from learn_llm.glossary import find, mark
from learn_llm.quizzes.demo_history import verdict_key
from learn_llm.quizzes.texts import Texts
from learn_llm.showing import clean, spoken
from learn_llm.tui.card_text import run_options
from learn_llm.tui.demo_state import DemoState, Status
from learn_llm.tui.prose import Block, lay_out
from learn_llm.tui.styles import QUIET

CURVE_HEIGHT = 7
CURVE_WIDTH = 28  # the narrowest curve that still reads well
CHART_WIDTH, CHART_HEIGHT = 100, 15
FEW = {"line": 3, "bar": 1}
"""A chart of another kind, or of more series, is not drawn together with that of the run before."""
_BRAILLE = re.compile("[\u2801-\u28ff]+")
_STATUS_STYLES: Mapping[Status, str] = {
    "starting": QUIET,
    "running": "$text-accent",
    "finished": "$text-success",
    "failed": "$text-error",
    "stopped": "$text-warning",
}


def status_lines(state: DemoState, texts: Texts, now: float, width: int) -> Content:
    """Two lines: how the run stands and how long it takes; the stage and a bar."""
    times = _seconds(texts, state.elapsed(now))
    left = state.left(now)
    if left is not None:
        times = texts("demo.left", elapsed=times, left=_seconds(texts, left))
    word = texts(f"demo.{state.status}")
    first = Content.assemble((word, f"bold {_STATUS_STYLES[state.status]}"))
    if state.broken:
        first += Content.styled(f"  {texts('demo.broken')}", "bold $text-warning")
    first += Content(" " * max(2, width - first.cell_length - cell_len(times))) + Content.styled(times, QUIET)
    return Content("\n").join([first.truncate(width), _progress(state, width)])


def _progress(state: DemoState, width: int) -> Content:
    stage = f"{state.stage.index}/{state.stage.of} {state.stage.name}  " if state.stage else ""
    steps = f" {state.step}/{state.steps}" if state.steps else ""
    room = max(4, width - cell_len(stage) - cell_len(steps))
    share = state.step / state.steps if state.steps else 0.0
    done = round(room * min(1.0, share)) if state.running or state.steps else room
    bar = Content.styled("⠶" * done, "$text-primary") + Content.styled("⠒" * (room - done), QUIET)
    return (Content(stage) + bar + Content.styled(steps, QUIET)).truncate(width)


def compared(state: DemoState, before: DemoState, texts: Texts, width: int) -> Content:
    """Which two runs are drawn together."""
    now = run_options(state.options, state.broken, texts)
    text = texts("runs.compare", now=now, before=run_options(before.options, before.broken, texts))
    return Content("\n").join(lay_out([Block(Content.styled(text, "$text-accent"))], width))


def curves(state: DemoState, before: DemoState | None, texts: Texts, width: int) -> Content:
    """Every metric with its value, its mark, and its course over the steps, in as many columns as fit.

    The course of the run before is drawn into the same frame.
    """
    drawn = [name for name, curve in state.curves.items() if len(curve.x) > 1]
    single = [name for name in state.curves if name not in drawn]
    columns = max(1, min(3, (width + 2) // (CURVE_WIDTH + 2), len(drawn)))
    cell = (width - 2 * (columns - 1)) // columns
    lines: list[Content] = []
    for start in range(0, len(drawn), columns):
        row = [_curve(state, before, texts, name, cell) for name in drawn[start : start + columns]]
        lines += [Content("  ").join(parts) for parts in zip(*row, strict=True)]
        lines.append(Content(""))
    lines += [_metric(name, state.latest[name], texts, width) for name in single]
    return Content("\n").join(lines)


def _curve(state: DemoState, before: DemoState | None, texts: Texts, name: str, width: int) -> list[Content]:
    height = CURVE_HEIGHT + (before is not None)  # a line more for the legend
    if before is not None and name in before.curves:
        series = (state.curves[name].series(texts("runs.now")), before.curves[name].series(texts("runs.before")))
        plot = render(Chart("line", "", "", "", series), width, height, color=True).split("\n")
        lines = [_metric(name, state.latest[name], texts, width), *map(_coloured, plot)]
    else:
        plot = render(Chart("line", "", "", "", (state.curves[name].series(name),)), width, CURVE_HEIGHT).split("\n")
        lines = [_metric(name, state.latest[name], texts, width), *map(_dots, plot)]
    lines += [Content("")] * (height + 1 - len(lines))
    return [line.truncate(width, pad=True) for line in lines]


def _metric(name: str, value: float, texts: Texts, width: int) -> Content:
    """The name, the value, whether it is outside its healthy range, and that range where there is room."""
    where, entry = mark(name, value), find(name)
    title, number = name.replace("_", " "), f"  {value:.4g}"
    if len(title) + len(number) > width:
        title = title[: width - len(number) - 2].rstrip() + ".."  # the name is cut off, never the number
    line = Content.assemble((title, "bold"), number)
    if where:
        line += Content.styled(f"  {texts(f'metric.{where}')}", "bold $text-warning")
    if entry is not None and entry.healthy:
        for note in (f"  {texts('metric.healthy', range=entry.healthy)}", f"  [{entry.healthy}]"):
            if line.cell_length + cell_len(note) <= width:
                line += Content.styled(note, QUIET)
                break
    return line.truncate(width)


def charts(
    state: DemoState, before: DemoState | None, texts: Texts, width: int, say: Callable[[str], str] = str
) -> Content:
    """The charts that the demo drew, one below the other, with lines and bars of the run before where these are few.

    Args:
        say: gives a title in the reader's language.
    """
    parts = []
    for own in state.charts.values():
        chart = own if before is None else _with_former(own, before.charts.get(own.title), texts)
        drawn = render(
            replace(chart, title=say(chart.title)), min(width, CHART_WIDTH), _height(chart), color=len(chart.series) > 1
        )
        lines = [_dots(line) if len(chart.series) == 1 else _coloured(line) for line in drawn.split("\n")]
        parts.append(Content("\n").join([lines[0].stylize("bold") if chart.title else lines[0], *lines[1:]]))
    return Content("\n\n").join(parts)


def _with_former(chart: Chart, former: Chart | None, texts: Texts) -> Chart:
    """The chart with the series of the run before, named so."""
    if former is None or former.kind != chart.kind or len(chart.series) > FEW.get(chart.kind, 0):
        return chart
    names = (("runs.now", chart.series), ("runs.before", former.series))
    both = (replace(one, name=f"{one.name} ({texts(key)})".strip()) for key, series in names for one in series)
    return replace(chart, series=tuple(both))


def _height(chart: Chart) -> int:
    """Lines for a chart: bars and heat maps need one for each of their rows."""
    if chart.kind == "bar":
        labels = {str(x) for series in chart.series for x in series.x}
        return max(6, min(60, len(labels) * (len(chart.series) + (len(chart.series) > 1)) + 2))
    return max(CHART_HEIGHT, min(60, len(chart.series) + 4)) if chart.kind == "heatmap" else CHART_HEIGHT


def _dots(line: str) -> Content:
    return Content(line).highlight_regex(_BRAILLE, style="$text-primary")


def _coloured(line: str) -> Content:
    return Content.from_rich_text(Text.from_ansi(line)) if "\x1b" in line else Content(line)


def tables(state: DemoState, width: int, say: Callable[[str], str] = str) -> Content:
    """The tables that the demo made, their titles as `say` gives them."""
    named = (replace(table, title=say(table.title)) for table in state.tables.values())
    return Content("\n\n").join(_table(table, width) for table in named)


def _table(table: Table, width: int) -> Content:
    rows = [[_cell(cell) for cell in row] for row in table.rows]
    numeric = [
        all(isinstance(row[i], (int, float, type(None))) for row in table.rows) for i in range(len(table.columns))
    ]
    sizes = _sizes(table.columns, rows, width)

    def line(cells: list[str]) -> str:
        parts = [
            " " * (size - cell_len(cell)) + cell if right else set_cell_size(cell, size)
            for cell, size, right in zip(cells, sizes, numeric, strict=True)
        ]
        return "  ".join(parts).rstrip()

    head = [Content.styled(table.title, "bold")] if table.title else []
    names = [
        textwrap.wrap(name, max(size, 1), break_on_hyphens=False)
        for name, size in zip(table.columns, sizes, strict=True)
    ]
    high = max(map(len, names), default=0)
    above = zip(*([""] * (high - len(name)) + name for name in names), strict=True)
    lines = [*head, *(Content.styled(line(list(row)), QUIET) for row in above), *(Content(line(row)) for row in rows)]
    return Content("\n").join(part for entry in lines for part in (entry.fold(width) if entry.plain else [entry]))


def _sizes(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Of the columns, in cells; where there is no room for all, names of several words give way."""
    sizes = [max(map(cell_len, column)) for column in zip(columns, *rows, strict=True)]
    words = [max(map(cell_len, name.split()), default=0) for name in columns]
    least = [max(map(cell_len, column)) for column in zip([" " * size for size in words], *rows, strict=True)]
    while sum(sizes) + 2 * (len(sizes) - 1) > width and sizes != least:
        widest = max((i for i in range(len(sizes)) if sizes[i] > least[i]), key=lambda i: sizes[i])
        sizes[widest] -= 1
    return sizes


def _cell(cell: str | float | int | None) -> str:
    if cell is None:
        return "-"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def tokens(texts: Iterable[Tokens], width: int) -> Content:
    """The texts one below the other: each token above its numbers, in as many bands as the width asks for."""
    return Content("\n\n").join(_tokens(text, width) for text in texts)


def _tokens(row: Tokens, width: int) -> Content:
    names = max((cell_len(part.name) for part in row.rows), default=0)
    columns = [
        [spoken(token), *(f"{part.values[i]:.2f}" for part in row.rows)]
        for i, token in enumerate(row.tokens)
        if all(i < len(part.values) for part in row.rows)
    ]
    sizes = [max(map(cell_len, column)) for column in columns]
    lines = [Content.styled(fit(clean(row.title), width), "bold")] if row.title else []
    start = 0
    while start < len(columns):
        end, used = start, names
        while end < len(columns) and (end == start or used + sizes[end] + 2 <= width):
            used += sizes[end] + 2
            end += 1
        for number in range(len(row.rows) + 1):
            name = "" if number == 0 else row.rows[number - 1].name
            cells = (set_cell_size(columns[i][number], sizes[i]) for i in range(start, end))
            lines.append(Content.styled(set_cell_size(name, names), QUIET) + Content("  " + "  ".join(cells)))
        start = end
    return Content("\n").join(lines)


def samples(state: DemoState, texts: Texts, width: int) -> Content:
    """The last samples, the newest first."""
    return Content("\n").join(line for sample in reversed(state.samples) for line in _sample(sample, texts, width))


def _sample(sample: Sample, texts: Texts, width: int) -> list[Content]:
    scores = "  ".join(f"{name} {value:.3g}" for name, value in sample.scores.items())
    names = max(cell_len(texts("prompt")), cell_len(texts("response"))) + 2
    blocks = [
        Block(Content(sample.prompt), lead=set_cell_size(texts("prompt"), names), indent=names),
        Block(Content(sample.response), lead=set_cell_size(texts("response"), names), indent=names, gap=False),
    ]
    if scores:
        blocks.append(Block(Content.styled(scores, QUIET), indent=names, gap=False))
    return [*lay_out(blocks, width), Content("")]


def notes(texts: Iterable[str], width: int) -> Content:
    """What the demo remarked."""
    return Content("\n").join(lay_out((Block(Content(text), gap=False) for text in texts), width))


def verdict(said: Verdict, broken: bool, texts: Texts, width: int, before: Verdict | None = None) -> Content:
    """The claim, whether it holds, and what was measured, now and in the run before."""
    holds = said.holds
    key = verdict_key(holds, broken)
    style = "bold $text-success" if holds != broken else "bold $text-error"
    head = Content.styled(f"{'✓' if holds else '✗'} {texts(key)}", style)
    return Content("\n").join(
        [head, *lay_out([Block(Content(said.claim))], width), *_measured(said.measured, before, texts, width)]
    )


def _measured(measured: Mapping[str, float], before: Verdict | None, texts: Texts, width: int) -> Iterator[Content]:
    """The numbers in columns, named as the run named them; behind each, that of the run before."""
    if not measured:
        return
    names = max(map(cell_len, measured)) + 1
    entries, tail = [], 0
    for name, value in measured.items():
        entry = Content.styled(set_cell_size(name, names), QUIET) + Content(f" {value:<10.4g}  ")
        if before is not None:
            former = f"{before.measured[name]:.4g}" if name in before.measured else "-"
            note = f"{texts('runs.before')} {former}"
            tail = cell_len(texts("runs.before")) + 14
            entry += Content.styled(set_cell_size(note, tail), QUIET)
        entries.append(entry)
    count = max(1, width // (names + 14 + tail))
    yield Content("")
    for start in range(0, len(entries), count):
        yield Content("").join(entries[start : start + count]).truncate(width)


def _seconds(texts: Texts, seconds: float) -> str:
    if seconds < 90:
        return texts("unit.s", n=round(seconds))
    return texts.interval(timedelta(seconds=seconds))
