"""An event as lines of text, each a row of pieces with a style: what the terminal prints in colour and a pipe without.

A piece is `(text, style)`, the style one that Rich knows, "" for none.  No meaning rests on the style alone.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import TypeGuard

from learn_llm import charts, glossary
from learn_llm.canvas import bars, cells, fit, pad, short
from learn_llm.events import Chart, Event, Note, Sample, Stage, Start, Table, Tokens, Verdict

Line = list[tuple[str, str]]

CHART_WIDTH, CHART_HEIGHT = 78, 16
_CLAUSE = re.compile(r"[.;:] ")
_SIMPLE = re.compile(r"-?\d+(\.\d{1,4})?")
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]"
)


def lines(event: Event, width: int, *, ascii: bool = False, broken: bool = False) -> list[Line]:
    """The event for a person.  Metrics are not here: how they are shown depends on the reader.

    Args:
        width: where text is wrapped; tables and charts are at most `CHART_WIDTH` wide.
        broken: the run was started with `--break`, so that its claim should fail.

    >>> lines(Stage("reward model", 2, 3), 80)
    [[('2/3  reward model', 'bold')]]
    """
    narrow = min(width, CHART_WIDTH)
    match event:
        case Start(run=run, config=config):
            settings = ", ".join(f"{name} {_setting(value)}" for name, value in config.items())
            return [[(run, "bold")], *_paragraph(settings, width, "  ", "dim")]
        case Stage(name=name, index=index, of=of):
            return [[(f"{index}/{of}  {clean(name)}", "bold")]]
        case Sample():
            return _sample(event, width)
        case Tokens():
            return _tokens(event, narrow)
        case Chart():
            drawn = charts.render(event, narrow, CHART_HEIGHT, ascii=ascii).split("\n")
            return [[(line, "bold" if event.title and not row else "")] for row, line in enumerate(map(clean, drawn))]
        case Table():
            return _table(event, narrow)
        case Note(text=text):
            return _paragraph(text, width, "", "")
        case Verdict():
            return _verdict(event, width, ascii, broken)
    return []


def clean(text: str) -> str:
    """The text without escape sequences and control characters, which could move the cursor or hide what follows.

    >>> clean("a \\x1b[31mred\\x1b[0m word\\r")
    'a red word'
    """
    return _CONTROL.sub("", text)


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken between words; a word that is longer is cut.  Newlines stay.

    >>> wrap("one two three\\nfour", 8)
    ['one two', 'three', 'four']
    """
    rows: list[str] = []
    for paragraph in clean(text).split("\n"):
        row = ""
        for word in paragraph.split():
            while cells(word) > width:
                head = next(n for n in range(len(word), 0, -1) if cells(word[:n]) <= width or n == 1)
                rows += [row, word[:head]] if row else [word[:head]]
                row, word = "", word[head:]
            if row and cells(row) + 1 + cells(word) > width:
                rows.append(row)
                row = word
            else:
                row = f"{row} {word}".strip()
        rows.append(row)
    return rows


def column(values: Sequence[float | str | int | None]) -> list[str]:
    """The cells of one column: numbers with the same number of decimals, `-` where nothing was measured.

    >>> column([0.125, 12.5, None, 3]), column([512, 64]), column([1e-5, 2.0]), column(["SFT", 0.5])
    (['0.125', '12.500', '-', '3.000'], ['512', '64'], ['1e-05', '2'], ['SFT', '0.5'])
    """
    texts = ["-" if value is None else short(value) if _is_number(value) else clean(str(value)) for value in values]
    numbers = [text for text, value in zip(texts, values, strict=True) if _is_number(value)]
    decimals = max((len(text.partition(".")[2]) for text in numbers), default=0)
    if not all(_SIMPLE.fullmatch(text) for text in numbers):
        return texts
    return [f"{value:.{decimals}f}" if _is_number(value) else text for text, value in zip(texts, values, strict=True)]


def _is_number(value: float | str | int | None) -> TypeGuard[float]:
    return isinstance(value, (int, float))


def warning(name: str, value: float) -> str:
    """What is wrong with a metric's value, "" where nothing is.

    >>> warning("clip_fraction", 0.5), warning("clip_fraction", 0.1), warning("loss", float("nan"))
    ('high, healthy: 0 to 0.3', '', 'not a number')
    """
    if math.isnan(value):
        return "not a number"
    side, metric = glossary.mark(name, value), glossary.find(name)
    return f"{side}, healthy: {metric.healthy}" if side and metric else ""


def _setting(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else "none" if value in (None, "") else str(value)


def _paragraph(text: str, width: int, indent: str, style: str) -> list[Line]:
    return [[(indent + row, style)] for row in wrap(text, width - len(indent))]


def _labelled(label: str, text: str, width: int, style: str) -> list[Line]:
    """A label of ten cells and the text beside it, wrapped."""
    rows = wrap(text, width - 12)
    return [[(f"  {label if i == 0 else '':<10}", "dim"), (row, style)] for i, row in enumerate(rows)]


def _sample(sample: Sample, width: int) -> list[Line]:
    scores = numbers(sample.scores)
    rows = _labelled("prompt", sample.prompt, width, "dim") + _labelled("response", sample.response, width, "")
    return rows + (_labelled("scores", scores, width, "cyan") if scores else [])


def numbers(values: Mapping[str, float]) -> str:
    """Numbers by name in a line."""
    return ", ".join(f"{name} {short(value)}" for name, value in values.items())


def _table(table: Table, width: int) -> list[Line]:
    columns = [[row[i] if i < len(row) else None for row in table.rows] for i in range(len(table.columns))]
    rows = list(zip(*map(column, columns), strict=True))
    words = [any(isinstance(cell, str) for cell in cells_) for cells_ in columns]
    title: list[Line] = [[(fit(clean(table.title), width), "bold")]] if table.title else []
    head, *body = _grid([[clean(name) for name in table.columns], *rows], words, width)
    return [*title, [(head, "dim")], *([(row, "")] for row in body)]


def _grid(rows: Sequence[Sequence[str]], left: Sequence[bool], width: int) -> list[str]:
    """Rows of cells in aligned columns; the widest columns give way where there is no room."""
    widths = [max((cells(row[i]) for row in rows if i < len(row)), default=0) for i in range(len(left))]
    while sum(widths) + 2 * len(widths) > width and max(widths, default=0) > 6:
        widths[widths.index(max(widths))] -= 1
    aligned = (
        "  ".join(pad(cell, widths[i], right=not left[i]) for i, cell in enumerate(row[: len(widths)])) for row in rows
    )
    return [f"  {row}".rstrip() for row in aligned]


def spoken(token: str) -> str:
    """A token as it can be shown in a line.

    >>> spoken("\\n"), spoken(" ")
    ('\\\\n', '_')
    """
    return clean(token.replace("\n", "\\n")).replace(" ", "_")


def bar_style(value: float, values: Sequence[float]) -> str:
    """The colour of a bar among those of `values`: what is below 0 is told from what is above."""
    return "red" if value < 0 else "green" if any(other < 0 for other in values) else "cyan"


def _tokens(event: Tokens, width: int) -> list[Line]:
    """A line for each token, with a number and a bar for each objective beside it."""
    tokens = [spoken(token) for token in event.tokens]
    margin = min(max(map(cells, tokens), default=0), width // 4)
    room = max((width - 2 - margin) // max(len(event.rows), 1) - 2, 6)
    columns = []
    for row in event.rows:
        told = column(row.values)
        size = min(max(map(cells, told), default=0), room)
        scale = (*row.values, *row.scale)
        drawn = bars(scale, room - size - 1)
        styles = [bar_style(value, scale) for value in row.values]
        columns.append([(pad(n, size, right=True), bar, s) for n, bar, s in zip(told, drawn, styles, strict=False)])
    found: list[Line] = [[(fit(clean(event.title), width), "bold")]] if event.title else []
    found += _labelled("prompt", event.prompt, width, "dim") if event.prompt else []
    found += _labelled("scores", numbers(event.scores), width, "cyan") if event.scores else []
    heads = "".join("  " + pad(row.name, room) for row in event.rows)
    found.append([(" " * (2 + margin) + heads.rstrip(), "dim")])
    for i, token in enumerate(tokens):
        line: Line = [("  " + pad(token, margin), "bold")]
        for parts in columns:
            number, bar, style = parts[i] if i < len(parts) else ("", " " * room, "")
            line += [(f"  {number} ", ""), (bar, style)]
        line[-1] = (line[-1][0].rstrip(), line[-1][1])
        found.append(line)
    return found


def _verdict(verdict: Verdict, width: int, ascii: bool, broken: bool) -> list[Line]:
    good = verdict.holds != broken
    sign = ("+" if good else "!") if ascii else ("✓" if good else "✗")
    said = "The claim holds" if verdict.holds else "The claim does not hold"
    if broken:
        said += ", although the method was broken" if verdict.holds else ", as it should with --break"
    heading: Line = [(f"{sign} {said}", "bold green" if good else "bold red")]
    return [heading, *_paragraph(verdict.claim, width, "  ", ""), *measured(verdict.measured, width)]


def measured(values: Mapping[str, float], width: int) -> list[Line]:
    """Numbers by name, each with what it means, or what is wrong with it."""
    rows: list[Line] = []
    room = max(map(cells, values), default=0)
    for name, value in values.items():
        metric, trouble = glossary.find(name), warning(name, value)
        text = trouble or (metric.meaning if metric else "")
        if cells(text) > width - room - 14:
            text = _CLAUSE.split(text, maxsplit=1)[0]
        text = fit(text, width - room - 14)
        rows.append([(f"  {pad(name, room)}  {short(value):>8}  ", ""), (text, "yellow" if trouble else "dim")])
    return rows


def advice(values: Mapping[str, float]) -> list[str]:
    """For each metric outside its healthy range, what that means.

    >>> advice({"kl": 2.0, "advantage_std": 0.0})
    ['advantage_std 0 (healthy: at least 1e-06). Near 0: all responses are paid alike, there is nothing to learn from.']
    """
    found = []
    for name, value in values.items():
        metric = glossary.find(name)
        if metric is not None and glossary.mark(name, value):
            found.append(f"{name} {short(value)} (healthy: {metric.healthy}). {metric.outside}")
    return found
