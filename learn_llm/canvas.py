"""A grid of braille dots to draw on, and text measured in terminal cells.

A braille character holds 2 by 4 dots and is one cell wide in every terminal.  Box-drawing and block characters are not
used: some East Asian terminals make them two cells wide.  In ASCII a cell holds one mark.
"""

import functools
import itertools
import math
import unicodedata
from collections.abc import Sequence

_BITS = (
    (0x40, 0x04, 0x02, 0x01),
    (0x80, 0x20, 0x10, 0x08),
)  # of the dot in column x and row y, counted from the bottom
_BRAILLE = [" ", *map(chr, range(0x2801, 0x2900))]
_PATTERNS = ((1,), (1, 0, 0), (1, 1, 1, 1, 0, 0, 0), (1, 1, 1, 0, 1, 0))  # which dots along a line are drawn
_COLORS = (36, 33, 35, 32, 34, 31)  # cyan, yellow, magenta, green, blue, red
MARKS = "*o+x#@%&"
"""What stands for each series where a cell cannot be divided: in ASCII, and for points of several series."""


class Canvas:
    """`width` by `height` cells; dots are counted from the bottom left, `columns` by `rows` of them."""

    def __init__(self, width: int, height: int, *, ascii: bool = False) -> None:
        self.width, self.height = width, height
        self.ascii = ascii
        self.columns, self.rows = (width, height) if ascii else (2 * width, 4 * height)
        self._cells = [[0] * width for _ in range(height)]
        self._marks: dict[tuple[int, int], str] = {}
        self._owners: dict[tuple[int, int], int] = {}
        self._drawn: dict[int, int] = {}

    def dot(self, x: int, y: int, series: int = 0) -> None:
        """Sets one dot; outside the canvas nothing happens."""
        if not (0 <= x < self.columns and 0 <= y < self.rows):
            return
        if self.ascii:
            self.mark(x, y, MARKS[series % len(MARKS)], series)
            return
        column, row = x // 2, self.height - 1 - y // 4
        self._cells[row][column] |= _BITS[x % 2][y % 4]
        self._owners[row, column] = series

    def mark(self, x: int, y: int, character: str, series: int = 0) -> None:
        """Puts a character into the cell of a dot, over whatever is there."""
        column, row = (x, self.height - 1 - y) if self.ascii else (x // 2, self.height - 1 - y // 4)
        self._marks[row, column] = character
        self._owners[row, column] = series

    def line(self, start: tuple[int, int], end: tuple[int, int], series: int = 0) -> None:
        """Draws from `start` (not drawn itself) to `end`, in the pattern of the series: solid, dotted, dashed."""
        pattern = (1,) if self.ascii else _PATTERNS[series % len(_PATTERNS)]
        across, up = end[0] - start[0], end[1] - start[1]
        length = max(abs(across), abs(up))
        for i in range(1, length + 1):
            drawn = self._drawn[series] = self._drawn.get(series, 0) + 1
            if pattern[drawn % len(pattern)]:
                self.dot(start[0] + _rounded(across * i, length), start[1] + _rounded(up * i, length), series)

    def lines(self, *, color: bool = False) -> list[str]:
        """The canvas as text, row by row from the top, each exactly `width` cells wide."""
        rows = [[_BRAILLE[bits] for bits in row] for row in self._cells]
        for (row, column), character in self._marks.items():
            rows[row][column] = character
        if color:
            for (row, column), series in self._owners.items():
                rows[row][column] = paint(rows[row][column], series)
        return ["".join(row) for row in rows]


def paint(text: str, series: int) -> str:
    """The text in the colour of a series."""
    return f"\x1b[{_COLORS[series % len(_COLORS)]}m{text}\x1b[0m"


def key(series: int, *, ascii: bool = False) -> str:
    """A piece of the line of a series, four cells wide, for the legend.

    >>> key(0), key(1), key(0, ascii=True)
    ('⠒⠒⠒⠒', ' ⠂⠐ ', '****')
    """
    canvas = Canvas(4, 1, ascii=ascii)
    middle = canvas.rows // 2
    canvas.line((-1, middle), (canvas.columns - 1, middle), series)
    return canvas.lines()[0]


@functools.lru_cache(maxsize=4096)
def cells(text: str) -> int:
    """How many terminal cells the text takes: two for East Asian wide characters, none for combining ones.

    >>> cells("gold"), cells("方策")
    (4, 4)
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def fit(text: str, width: int) -> str:
    """The text on one line, cut to at most `width` cells, with two dots where something was cut.

    >>> fit("explained variance", 12), fit("方策勾配", 6)
    ('explained..', '方策..')
    """
    text = " ".join(text.split())
    if cells(text) <= width:
        return text
    while text and cells(text) > width - 2:
        text = text[:-1]
    return (text.rstrip() + "..")[: max(width, 0)]


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text cut or filled to exactly `width` cells."""
    text = fit(text, width)
    gap = " " * (width - cells(text))
    return gap + text if right else text + gap


def short(value: float) -> str:
    """A number in at most seven characters, with three significant digits.

    >>> [short(value) for value in (0.31415, -2.0, 8123.4, 1234567.0, 0.00002, float("nan"))]
    ['0.314', '-2', '8123', '1.23M', '2e-05', 'nan']
    """
    if not math.isfinite(value):
        return str(value)
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit * 0.9995:
            return f"{value / (1e3 if letter == 'k' else limit):.3g}{letter}"
    if abs(value) >= 999.5:
        return f"{value:.0f}"
    return f"{value:.3g}"


def bars(values: Sequence[float], width: int) -> list[str]:
    """A bar of `width` cells for each value, all on one scale: from the left end, or from the middle if one is below 0.

    >>> bars([1.0, 2.0], 4), bars([0.5, -1.0], 5)
    (['==  ', '===='], ['  |+ ', '--|  '])
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0) or 1.0
    half = max(width - 1, 0) // 2

    def size(value: float, room: int) -> int:
        return 0 if math.isnan(value) else int(room * min(abs(value) / largest, 1.0) + 0.5)

    if not any(value < 0 for value in values):
        return [("=" * size(value, width)).ljust(width) for value in values]
    drawn = []
    for value in values:
        done = size(value, half)
        left, right = ("-" * done, "") if value < 0 else ("", "+" * done)
        drawn.append(f"{left:>{half}}|{right}".ljust(width)[:width])
    return drawn


def ticks(low: float, high: float, count: int) -> list[float]:
    """About `count` round numbers (steps of 1, 2 or 5 times a power of ten) from `low` to `high`, at least one of them.

    >>> ticks(0.0, 39.0, 5), ticks(-0.13, 0.42, 4)
    ([0.0, 10.0, 20.0, 30.0], [0.0, 0.2, 0.4])
    """
    step = tick_step(low, high, count)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)] or [low]


def tick_step(low: float, high: float, count: int) -> float:
    """The smallest round step of which at most `count` fit between two numbers, the lower first."""
    raw = (high - low) / max(count, 1) or 1.0
    power = float(f"1e{math.floor(math.log10(raw))}")
    return next((power * factor for factor in (1, 2, 5) if power * factor >= raw * 0.999), power * 10)


def tick_texts(values: Sequence[float]) -> list[str]:
    """The numbers of an axis, all with as many decimals as their distance needs.

    >>> tick_texts([0.0, 0.05, 0.1]), tick_texts([0.0, 20000.0]), tick_texts([1e-5, 2e-5])
    (['0.00', '0.05', '0.10'], ['0', '20k'], ['1e-05', '2e-05'])
    """
    step = min((b - a for a, b in itertools.pairwise(values)), default=0.0)
    largest = max(map(abs, values), default=0.0)
    if largest >= 1e4 or 0 < step < 1e-4 or not step:
        return ["0" if value == 0 else short(value) for value in values]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{value:.{decimals}f}" for value in values]


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
