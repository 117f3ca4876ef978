"""The report of a comparison: one HTML file that needs nothing else, to read or to project."""

import html
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from learn_llm.errors import UserError
from learn_llm.evaluation import Interval
from learn_llm.events import Chart, Table, Verdict

STYLE = """
body { font: 18px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1b1b1b; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.verdict { border-left: .4rem solid #2a6f4e; padding: .3rem 1rem; background: #eef5f1; }
.verdict.no { border-color: #a33b2e; background: #f8eeec; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #ddd; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; max-width: 48rem; display: block; } svg text { font: 14px system-ui, sans-serif; }
"""
WIDTH, LEFT, RIGHT, ROW = 760, 170, 60, 34


def write_report(
    file: Path,
    tables: Sequence[Table],
    gains: Mapping[str, Interval],
    charts: Sequence[Chart],
    verdict: Verdict,
    title: str = "Methods side by side",
    start: str = "SFT",
    note: str = "",
) -> None:
    """Write the report of what was gained over `start`, with a note below it.

    Raises UserError where the file cannot be written.
    """
    parts = [
        f"<p class='verdict{'' if verdict.holds else ' no'}'><b>{'Holds' if verdict.holds else 'Does not hold'}:</b> "
        f"{html.escape(verdict.claim)}.</p>",
        f"<h2>Gold score over {start}, with its 95 % interval</h2>",
        intervals(gains),
        *(
            part
            for chart in charts
            if chart.kind == "scatter"
            for part in (f"<h2>{_text(chart.title)}</h2>", scatter(chart))
        ),
        *(f"<h2>{_text(shown.title)}</h2>{table(shown)}" for shown in tables),
        f"<p>Nothing had the gold score for its reward. {_text(note)}</p>",
        "<p>Made by <code>learn-llm compare</code>.</p>",
    ]
    page = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style></head>"
        f"<body><h1>{title}</h1>{''.join(parts)}</body></html>\n"
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page, "utf-8")
    except OSError as error:
        raise UserError(f"--report {file} cannot be written: {error.strerror}") from None


def intervals(gains: Mapping[str, Interval]) -> str:
    """A bar for each mean with a line from its low to its high end, as SVG."""
    ends = [0.0, *(end for own in gains.values() for end in (own.low, own.high, own.mean))]
    place = _scale(min(ends), max(ends), LEFT, WIDTH - RIGHT)
    shapes = []
    for row, (name, own) in enumerate(gains.items()):
        y, zero, mean = row * ROW + 8, place(0.0), place(own.mean)
        colour = "#2a6f4e" if own.low > 0 else "#a33b2e" if own.high < 0 else "#888"
        shapes += [
            f"<text x='{LEFT - 10}' y='{y + 16}' text-anchor='end'>{_text(name)}</text>",
            f"<rect x='{min(zero, mean):.1f}' y='{y}' width='{abs(mean - zero):.1f}' height='22' "
            f"fill='{colour}' fill-opacity='.35'/>",
            f"<path d='M{place(own.low):.1f} {y + 11}H{place(own.high):.1f}' stroke='{colour}' stroke-width='3'/>",
            f"<text x='{max(place(own.high), zero) + 6:.1f}' y='{y + 16}'>{own.mean:+.2f}</text>",
        ]
    height = len(gains) * ROW + 10
    axis = f"<path d='M{place(0.0):.1f} 0V{height}' stroke='#1b1b1b'/>"
    return f"<svg viewBox='0 0 {WIDTH} {height}' role='img' aria-label='gold gained'>{''.join(shapes)}{axis}</svg>"


def scatter(chart: Chart) -> str:
    """One named point a series, as SVG."""
    points = [(s.name, float(s.x[0]), s.y[0]) for s in chart.series]
    far = max(x for _, x, _ in points) or 1.0
    across = _scale(0.0, far, 60, WIDTH - 150)
    up = _scale(min(y for *_, y in points), max(y for *_, y in points), 300, 30)
    shapes = [
        f"<circle cx='{across(x):.1f}' cy='{up(y):.1f}' r='6' fill='#2a4f6f'/>"
        f"<text x='{across(x) + 10:.1f}' y='{up(y) + 5:.1f}'>{_text(name)} {y:.2f}</text>"
        for name, x, y in points
    ]
    frame = f"<path d='M60 10V330H{WIDTH - 20}' fill='none' stroke='#1b1b1b'/>"
    ticks = (f"<text x='{across(x):.1f}' y='350' text-anchor='middle'>{x:.1f}</text>" for x in (0.0, far / 2, far))
    labels = "".join(ticks) + (
        f"<text x='{WIDTH // 2}' y='372' text-anchor='middle'>{_text(chart.x_label)}</text>"
        f"<text x='16' y='170' transform='rotate(-90 16 170)' text-anchor='middle'>{_text(chart.y_label)}</text>"
    )
    inside = frame + "".join(shapes) + labels
    return f"<svg viewBox='0 0 {WIDTH} 380' role='img' aria-label='{_text(chart.title)}'>{inside}</svg>"


def table(shown: Table) -> str:
    """A table; numbers to the right, an empty cell where nothing was measured."""
    head = "".join(f"<th>{_text(column)}</th>" for column in shown.columns)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in shown.rows)
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def _cell(value: str | float | int | None) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, str):
        return f"<td>{_text(value)}</td>"
    return f"<td class='number'>{value:,}</td>"


def _text(text: str) -> str:
    return html.escape(text, quote=True)


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Maps low .. high to the places start .. end."""
    factor = (end - start) / ((high - low) or 1.0)
    return lambda value: start + (value - low) * factor
