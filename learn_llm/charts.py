"""Draws a chart as text: lines, points, bars, histograms and heat maps, in braille dots or in ASCII.

One renderer serves the terminal, the app and plain text, and needs no library.  At 120 by 30 cells it takes 3 ms of CPU
for 200 points and 15 ms for 2,000 on a busy 2-core machine; the plotting widgets for Textual took 40 to 80 ms.  Values
that are not finite leave a gap.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from learn_llm.canvas import MARKS, Canvas, cells, fit, key, pad, paint, short, tick_step, tick_texts, ticks
from learn_llm.events import Chart, Series
from learn_llm.glyphs import wanted

_SMALLEST = (20, 6)
_FILLS = "⣿⠶⠒⡪⠂"
_SHADES = "⠂⠆⠖⠶⠷⠿⣿"
_ASCII_FILLS, _ASCII_SHADES = "#=-:.", ".:-=+*#"


def render(chart: Chart, width: int, height: int, *, ascii: bool | None = None, color: bool = False) -> str:
    """The chart in at most `height` lines of at most `width` cells, without a newline at the end.

    Args:
        ascii: draw with nothing but ASCII (labels keep their own characters); by default where that is asked for.
        color: tell the series apart by ANSI colours as well as by the patterns of their lines and the legend.

    >>> bars = Series("", ("SFT", "PPO"), (0.1, 0.4))
    >>> print(render(Chart("bar", "Gold score", "", "", (bars,)), 24, 6, ascii=True))
    Gold score
    SFT  ####            0.1
    PPO  ############### 0.4
    """
    ascii = wanted() if ascii is None else ascii
    title = [fit(chart.title, width)] if chart.title else []
    if width < _SMALLEST[0] or height < _SMALLEST[1] or not _finite(y for series in chart.series for y in series.y):
        lines = title + _in_words(chart.series, width)
    else:
        draw = {"bar": _bars, "heatmap": _heatmap, "hist": _histogram}.get(chart.kind, _curves)
        lines = title + draw(chart, width, height - len(title), ascii, color)
    return "\n".join(line.rstrip() for line in lines[: max(height, 1)])


def sparkline(values: Sequence[float], width: int, *, ascii: bool = False) -> str:
    """The course of the values in one row of exactly `width` cells, from the smallest to the largest.

    >>> sparkline([0, 1, 2, 3, 4, 5, 6, 7], 4)
    '⣀⠤⠒⠉'
    """
    if ascii:
        return " " * width
    canvas = Canvas(width, 1)
    finite = _finite(values)
    if finite:
        points = [(float(i), value) for i, value in enumerate(values)]
        _trace(canvas, points, _Scale(0, len(values) - 1, canvas.columns), _Scale(min(finite), max(finite), 4), 0)
    return canvas.lines()[0]


class _Scale:
    """Where the numbers from `low` to `high` lie on `size` dots; a single number lies in the middle."""

    def __init__(self, low: float, high: float, size: int) -> None:
        if high - low < max(1e-300, 1e-12 * abs(low)):
            margin = abs(low) * 0.1 if abs(low) > 1e-299 else 1.0
            low, high = low - margin, high + margin
        self.low, self.high = low, high
        self._factor = (size - 1) / (high - low)

    def __call__(self, value: float) -> int:
        return round((value - self.low) * self._factor)


def _curves(chart: Chart, width: int, height: int, ascii: bool, color: bool) -> list[str]:
    names = _labels(chart.series)
    points = [_points(series, names) for series in chart.series]
    together = [(x, y) for series in points for x, y in series if _drawable(x) and _drawable(y)]
    if not together:
        return _in_words(chart.series, width)
    frame = _Frame(chart, width, height, ascii, color)
    frame.scale_y(min(y for _, y in together), max(y for _, y in together))
    across = frame.scale_x(min(x for x, _ in together), max(x for x, _ in together))
    scatter = chart.kind == "scatter"
    for index, series in enumerate(points):
        if not scatter:
            _trace(frame.canvas, series, across, frame.up, index)
            continue
        for x, y in series:
            if _drawable(x) and _drawable(y):
                if len(points) > 1:
                    frame.canvas.mark(across(x), frame.up(y), MARKS[index % len(MARKS)], index)
                else:
                    frame.canvas.dot(across(x), frame.up(y), index)
    keys = [MARKS[i % len(MARKS)] if scatter else key(i, ascii=ascii) for i in range(len(points))]
    at = [float(i) for i in range(len(names))] if names else ticks(across.low, across.high, max(frame.width // 10, 2))
    return frame.lines(keys, at, names or tick_texts(at))


def _histogram(chart: Chart, width: int, height: int, ascii: bool, color: bool) -> list[str]:
    values = [_finite(series.y) for series in chart.series]
    together = [value for series in values for value in series]
    low, high = min(together), max(together)
    step = tick_step(low, high, min(max(round(2 * max(map(len, values)) ** (1 / 3)), 4), 40))
    first = math.floor(low / step + 1e-9)
    bins = max(math.floor(high / step + 1e-9) - first + 1, 1)
    counts = [[0] * bins for _ in values]
    for index, series in enumerate(values):
        for value in series:
            counts[index][min(max(math.floor(value / step + 1e-9) - first, 0), bins - 1)] += 1
    frame = _Frame(chart, width, height, ascii, color)
    up = frame.scale_y(0, max(max(row) for row in counts))
    across = frame.scale_x(first * step, (first + bins) * step)
    for index, row in enumerate(counts):
        corners = [(0, 0)]
        for i, count in enumerate(row):
            left, right = across((first + i) * step), across((first + i + 1) * step) - 1
            if len(counts) == 1:
                for x in range(left, right if right > left and not ascii else right + 1):
                    frame.canvas.line((x, -1), (x, up(count) if count else -1))
            corners += [(left, up(count)), (right, up(count))]
        if len(counts) > 1:
            for start, end in pairwise([*corners, (corners[-1][0], 0)]):
                frame.canvas.line(start, end, index)
    at = ticks(across.low, across.high, max(frame.width // 10, 2))
    return frame.lines([key(i, ascii=ascii) for i in range(len(values))], at, tick_texts(at))


class _Frame:
    """A canvas between its axes: y_label and legend above, numbers at the left and below."""

    def __init__(self, chart: Chart, width: int, height: int, ascii: bool, color: bool) -> None:
        self._chart, self._ascii, self._color = chart, ascii, color
        self._full_width = width
        self._plot_height = height - 2 - bool(chart.y_label or len(chart.series) > 1)

    def scale_y(self, low: float, high: float) -> _Scale:
        """Rounds the y range outwards; then the width that is left for the plot is known."""
        count = max(self._plot_height // 3, 2)
        wide = _Scale(low, high, 1)
        fine = tick_step(wide.low, wide.high, 4 * count)
        bottom, top = math.floor(wide.low / fine + 1e-9) * fine, math.ceil(wide.high / fine - 1e-9) * fine
        self._y_ticks = ticks(bottom, top, count)
        self._y_texts = tick_texts(self._y_ticks)
        self._margin = min(max(map(cells, self._y_texts)), self._full_width // 2)
        self.width = self._full_width - self._margin - 2
        self.canvas = Canvas(self.width, self._plot_height, ascii=self._ascii)
        self.up = _Scale(bottom, top, self.canvas.rows)
        return self.up

    def scale_x(self, low: float, high: float) -> _Scale:
        """The whole width, from the smallest to the largest value."""
        self._across = _Scale(low, high, self.canvas.columns)
        return self._across

    def lines(self, keys: Sequence[str], at: Sequence[float], texts: Sequence[str]) -> list[str]:
        """Everything, from the legend down to the x axis with `texts` at the values `at`."""
        numbers = {}
        dots_per_row = self.canvas.rows // self._plot_height
        for value, text in zip(self._y_ticks, self._y_texts, strict=True):
            numbers[self._plot_height - 1 - self.up(value) // dots_per_row] = text
        wall, floor, corner = ("|", "-", "+") if self._ascii else ("⢸", "⠉", "⠈")
        series = self._chart.series if len(self._chart.series) > 1 else ()
        lines = _header(self._chart.y_label, keys, series, self._full_width, self._color)
        for row, drawn in enumerate(self.canvas.lines(color=self._color)):
            lines.append(pad(numbers.get(row, ""), self._margin, right=True) + " " + wall + drawn)
        name = f" {fit(self._chart.x_label, self.width // 2)}" if self._chart.x_label else ""
        lines.append(" " * (self._margin + 1) + corner + floor * (self.width - cells(name)) + name)
        lines.append(self._below(at, texts))
        return lines

    def _below(self, at: Sequence[float], texts: Sequence[str]) -> str:
        """The numbers of the x axis, each under its value where there is room."""
        line = ""
        for value, text in zip(at, texts, strict=True):
            middle = self._margin + 2 + self._across(value) * self.width // self.canvas.columns
            start = max(min(middle - cells(text) // 2, self._full_width - cells(text)), 0)
            if start >= cells(line) + bool(line):
                line += " " * (start - cells(line)) + text
        return line


def _bars(chart: Chart, width: int, height: int, ascii: bool, color: bool) -> list[str]:
    fills = _ASCII_FILLS if ascii else _FILLS
    labels = list(dict.fromkeys(str(x) for series in chart.series for x in series.x))
    heights = [dict(zip(map(str, series.x), series.y, strict=False)) for series in chart.series]
    values = _finite(y for row in heights for y in row.values())
    numbers = [[short(row[label]) if label in row else "" for row in heights] for label in labels]
    margin = min(max(map(cells, labels)), width // 3)
    tail = max(len(number) for row in numbers for number in row)
    room = width - margin - tail - 3
    low, high = min(0.0, *values), max(0.0, *values)
    several = len(heights) > 1
    lines = _header(chart.y_label, [fill * 2 for fill in fills], chart.series if several else (), width, color)
    gap = several and len(lines) + len(labels) * (len(heights) + 1) - 1 <= height
    for position, label in enumerate(labels):
        if gap and position:
            lines.append("")
        for index, row in enumerate(heights):
            bar = _bar(row.get(label, math.nan), low, high, room, fills[index % len(fills)], ascii)
            name = pad("" if index else label, margin)
            number = numbers[position][index].rjust(tail)
            lines.append(f"{name}  {paint(bar, index) if color else bar} {number}")
    return _cut(lines, height)


def _bar(value: float, low: float, high: float, room: int, fill: str, ascii: bool) -> str:
    """A bar from 0 to the value in half cells; where bars go both ways, 0 has a mark."""
    span = high - low or 1.0
    zero, end = (round((x - low) / span * 2 * room) if _drawable(x) else None for x in (0.0, value))
    start = zero or 0
    stop = start if end is None else end
    if start == stop and _drawable(value) and value:
        stop += 1 if value > 0 else -1
    left, right = min(start, stop), max(start, stop)
    drawn = ""
    for cell in range(room):
        halves = (left <= 2 * cell < right, left <= 2 * cell + 1 < right)
        if all(halves):
            drawn += fill
        elif any(halves):
            drawn += fill if ascii else "⡇" if halves[0] else "⢸"
        else:
            drawn += "|" if low < 0 and cell == min(start // 2, room - 1) else " "
    return drawn


def _heatmap(chart: Chart, width: int, height: int, ascii: bool, color: bool) -> list[str]:
    shades = _ASCII_SHADES if ascii else _SHADES
    names = [str(x) for x in chart.series[0].x] or [str(i) for i in range(len(chart.series[0].y))]
    values = _finite(y for series in chart.series for y in series.y)
    low, high = min(values), max(values)
    margin = min(max(cells(series.name) for series in chart.series), width // 3)
    cell = max(min((width - margin - 2) // max(len(names), 1), 10), 1)
    names = names[: (width - margin - 2) // cell]
    lines = [fit(chart.y_label, width)] if chart.y_label else []
    body = []
    for series in chart.series:
        drawn = ""
        for value in series.y[: len(names)]:
            if not _drawable(value):
                drawn += pad("?", cell)
                continue
            place = (value - low) / (high - low or 1.0)
            shade = shades[min(int(place * len(shades)), len(shades) - 1)]
            block = shade * (2 if cell >= 8 else max(cell - 1, 1))
            texts = (f" {value:.2g}", f" {value:.1g}", "") if cell >= 8 else ("",)
            text = next(text for text in texts if len(block) + len(text) < cell or not text)
            drawn += (paint(block, 0) if color else block) + text.ljust(cell - len(block))
        body.append(f"{pad(series.name, margin)}  {drawn}")
    scale = f"{shades[0] * 2} {short(low)}  {shades[-1] * 2} {short(high)}"
    foot = pad(scale, width - cells(chart.x_label)) + chart.x_label if cells(chart.x_label) < width // 2 else scale
    columns = " " * (margin + 2)
    for index, name in enumerate(names):
        start = margin + 2 + index * cell
        text = fit(name, cell - 1) if cell >= 5 else name
        if start >= cells(columns) and start + cells(text) <= width:
            columns += " " * (start - cells(columns)) + text + " "
    return [*lines, *_cut(body, height - len(lines) - 2), columns, foot]


def _header(label: str, keys: Sequence[str], series: Sequence[Series], width: int, color: bool) -> list[str]:
    """One line with the label of the y axis and the legend, as far as there is room; none where there is neither."""
    line = fit(label, width)
    used = cells(line)
    for index, one in enumerate(series):
        sample = keys[index % len(keys)]
        entry = f"{sample} {one.name}"
        gap = "   " if used else ""
        if used + len(gap) + cells(entry) > width:
            break
        used += len(gap) + cells(entry)
        line += gap + (f"{paint(sample, index)} {one.name}" if color else entry)
    return [line] if line else []


def _cut(lines: list[str], height: int) -> list[str]:
    if len(lines) <= height:
        return lines
    return [*lines[: height - 1], f"... and {len(lines) - height + 1} more rows"]


def _in_words(series: Iterable[Series], width: int) -> list[str]:
    """For a chart without room or without a finite value: what each series ends with."""
    return [fit(f"{one.name or 'value'}: {short(one.y[-1]) if one.y else 'nothing measured'}", width) for one in series]


def _drawable(value: float) -> bool:
    return abs(value) < 1e300


def _finite(values: Iterable[float]) -> list[float]:
    return [value for value in values if _drawable(value)]


def _labels(series: Iterable[Series]) -> list[str]:
    """The x values as labels, each once, where they are words; nothing where all are numbers."""
    places = [x for one in series for x in one.x]
    return list(dict.fromkeys(map(str, places))) if any(isinstance(x, str) for x in places) else []


def _points(series: Series, labels: Sequence[str]) -> list[tuple[float, float]]:
    if labels:
        return [(float(labels.index(str(x))), y) for x, y in zip(series.x, series.y, strict=False)]
    return [(float(x), y) for x, y in zip(series.x, series.y, strict=False)]


def _trace(canvas: Canvas, points: Iterable[tuple[float, float]], across: _Scale, up: _Scale, index: int) -> None:
    """A line through the points.  Of many in one column of dots only the first, lowest, highest and last are drawn."""
    before: tuple[int, int] | None = None
    column: list[float] = []
    at = -1
    for x, y in [*points, (math.nan, math.nan)]:
        drawable = _drawable(x) and _drawable(y)
        place = across(x) if drawable else -1
        if column and place != at:
            for value in (column[0], min(column), max(column), column[-1]) if len(column) > 1 else column:
                dot = (at, up(value))
                if before is None:
                    canvas.dot(*dot, index)
                else:
                    canvas.line(before, dot, index)
                before = dot
            column = []
        if not drawable:
            before = None
            continue
        at = place
        column.append(y)
