"""A chart in words: what one would see in it first; and a text token by token."""

import math
import statistics
from collections.abc import Iterator

from learn_llm.canvas import short
from learn_llm.events import Chart, Series, Tokens
from learn_llm.quizzes.texts import Texts
from learn_llm.showing import numbers, spoken

MANY = 12
"""Bars or columns up to which every value is said."""


def described(chart: Chart, texts: Texts) -> Iterator[str]:
    """The title, then a line for each series."""
    yield chart.title or f"{chart.y_label} / {chart.x_label}"
    for number, series in enumerate(chart.series, 1):
        name = series.name or (chart.y_label if len(chart.series) == 1 else str(number))
        yield f"- {_series(chart, series, name, texts)}"


def by_token(text: Tokens) -> Iterator[str]:
    """The title, the prompt and the scores, then a line for each token with its number in each row.

    >>> from learn_llm.events import TokenRow
    >>> list(by_token(Tokens(("not",), (TokenRow("cross-entropy", (0.5,)),), "the opposite", scores={"gold": -0.25})))
    ['the opposite', 'gold -0.25', '- not: cross-entropy 0.5']
    """
    yield from (part for part in (text.title, text.prompt, numbers(text.scores)) if part)
    for i, token in enumerate(text.tokens):
        yield f"- {spoken(token)}: {numbers({row.name: row.values[i] for row in text.rows if i < len(row.values)})}"


def _series(chart: Chart, series: Series, name: str, texts: Texts) -> str:
    values = [value for value in series.y if math.isfinite(value)]
    if not values:
        return f"{name}: -"
    low, high = short(min(values)), short(max(values))
    if chart.kind in ("bar", "heatmap") and len(series.y) <= MANY:
        return f"{name}: " + ", ".join(f"{x} {short(y)}" for x, y in zip(series.x, series.y, strict=False))
    if chart.kind == "line" and series.x:
        first, last = short(series.y[0]), short(series.y[-1])
        start, end = (x if isinstance(x, str) else short(x) for x in (series.x[0], series.x[-1]))
        return texts("plain.chart.course", name=name, first=first, start=start, last=last, end=end, low=low, high=high)
    middle = short(statistics.median(values))
    return texts("plain.chart.values", name=name, count=len(series.y), low=low, middle=middle, high=high)
