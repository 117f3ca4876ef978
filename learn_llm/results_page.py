"""docs/results.md as text: the claims with their answers, and the tables of the runs as means over the seeds."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from learn_llm.evaluation import interval
from learn_llm.events import Table, from_json
from learn_llm.kept_runs import Measured
from learn_llm.results_claims.answer import WORDS, Answer, answer, shown
from learn_llm.results_claims.claim import Run

HEAD = """# Results

Every claim of the method files beside the figure of its source. Written by `learn-llm results --write docs/results.md`.

The mean over the seeds stands with its 95 % t-interval; all is conditional on the bundled checkpoints. The source says
on which side of a bound the number should lie. **agrees**: the whole interval lies there; **does not**: it lies on the
other side; **undecided**: the bound lies inside; **not comparable**: the source measured something else. Models here
have about a million parameters, those of the papers up to 175 billion: what agrees is a direction, never a size.

Below the claims of a run stand its tables, every number a mean over the seeds, ± half of its 95 % interval.
"""
OF_ONE_SEED = ("low", "high", "ci low", "ci high", "its interval", "95 % interval", "seconds")
"""Columns that mean nothing over seeds."""
Cell: TypeAlias = str | float | int | None
Row: TypeAlias = tuple[Cell, ...]


def page(runs: Mapping[str, Run], found: Mapping[str, Sequence[Measured]]) -> str:
    """The whole page, from what every run measured."""
    answers = {name: [answer(claim, found[name]) for claim in one.claims] for name, one in runs.items()}
    sections = [section(name, one, answers[name], found[name]) for name, one in runs.items()]
    return "\n".join([HEAD, summary(answers), *sections])


def summary(answers: Mapping[str, Sequence[Answer]]) -> str:
    """How many claims agree, and those that do not."""
    all_of_them = [one for some in answers.values() for one in some]
    counts = {word: sum(one.word == word for one in all_of_them) for word in WORDS}
    lines = [", ".join(f"{count} × {word}" for word, count in counts.items() if count) + ".", ""]
    for word, title in (("does not", "What does not agree:"), ("undecided", "Undecided:")):
        if counts[word]:
            named = [(name, one) for name, some in answers.items() for one in some if one.word == word]
            lines += [title, "", *(f"- [{name}](#{name}): {_text(one)}: {shown(one.own)}" for name, one in named), ""]
    return "\n".join(lines)


def section(name: str, one: Run, answers: Sequence[Answer], found: Sequence[Measured]) -> str:
    """One run: its claims, its tables, and the command for one seed."""
    lines = [f"## {name}", "", one.about, "", "| Claim | Here | Source | |", "|---|---|---|---|"]
    for made in answers:
        why = f": {made.claim.not_comparable}" if made.word == "not comparable" else ""
        lines.append(f"| {_text(made)} | {shown(made.own)} | {made.claim.source} | **{made.word}**{why} |")
    options = " ".join(_option(option, setting) for option, setting in one.settings.items())
    command = f"python -m learn_llm.{one.module} {options}".strip() if one.command == "" else one.command
    held = f"Its own verdict held for {sum(some.holds for some in found)} of {len(found)} seeds. " if found else ""
    for title in one.tables if len(found) > 1 else ():
        lines += ["", *markdown(over_seeds(title, [table(title, some) for some in found]))]
    return "\n".join([*lines, "", f"{held}One seed: `{command} --seed 0`", ""])


def _text(made: Answer) -> str:
    claim = made.claim
    should = f" {'>' if claim.side == 'above' else '<'} {claim.bound:g}" if not claim.not_comparable else ""
    return f"{claim.text} (`{claim.number}`{should})"


def _option(name: str, setting: object) -> str:
    flag = f"--{name.replace('_', '-')}"
    if setting is True:
        return flag
    words = [str(one) for one in setting] if isinstance(setting, (tuple, list)) else [str(setting)]
    return " ".join([flag, *(f'"{word}"' if " " in word else word for word in words)])


# Tables


def table(title: str, measured: Measured) -> Table:
    """The first table of a run whose title begins like this.  Raises StopIteration where there is none."""
    told = map(from_json, measured.told)
    return next(event for event in told if isinstance(event, Table) and event.title.startswith(title))


def over_seeds(title: str, tables: Sequence[Table]) -> Table:
    """One table from those of all seeds; rows are the same where their first cell is.

    Where one table has several rows with the same first cell, their words must be the same, too.

    >>> one, two = (Table("Scores, one seed", ("arm", "gold", "n"), (("a", gold, 512),)) for gold in (0.25, 0.75))
    >>> over_seeds("Scores", [one, two])
    Table(title='Scores ...', columns=('arm', 'gold', 'n'), rows=(('a', '0.500 ± 3.177', '512'),))
    """
    columns = [i for i, column in enumerate(tables[0].columns) if column not in OF_ONE_SEED]
    one_row_each = all(len({row[0] for row in some.rows}) == len(some.rows) for some in tables)
    rows: dict[tuple[object, ...], list[Row]] = {}
    for row in (tuple(row[i] for i in columns) for some in tables for row in some.rows):
        rows.setdefault((row[0], *(() if one_row_each else _words(row))), []).append(row)
    cells = tuple(tuple(_cell(column) for column in zip(*same, strict=True)) for same in rows.values())
    title += " ..." if any(some.title != title for some in tables) else ""
    return Table(title, tuple(tables[0].columns[i] for i in columns), cells)


def _words(cells: Iterable[Cell]) -> list[str]:
    return [cell for cell in cells if isinstance(cell, str)]


def _cell(values: Sequence[Cell]) -> str:
    """Of all seeds: the text that is the same in all, how many say what, or the mean of the numbers.

    >>> _cell(["61%", "71%"]), _cell(["small", "small"]), _cell(["small", None, "small"])
    ('66 ± 64 %', 'small', 'small: 2 of 3')
    """
    if all(isinstance(one, str) and one.endswith("%") for one in values):
        return f"{_cell([float(text.rstrip('%')) for text in _words(values)])} %"
    numbers = [float(one) for one in values if isinstance(one, (int, float))]
    if len(numbers) < len(values):
        if len(set(values)) == 1:
            return "" if values[0] is None else str(values[0])
        if numbers:
            return f"{_cell(numbers)}, {len(numbers)} of {len(values)}"
        counts = Counter(_words(values))
        return ", ".join(f"{text}: {count} of {len(values)}" for text, count in counts.items())
    mean = statistics.fmean(numbers)
    digits = 0 if all(number.is_integer() for number in numbers) and mean >= 10 else 3 if abs(mean) < 10 else 1
    if len(set(numbers)) == 1:
        return f"{mean:,.0f}" if mean.is_integer() else f"{numbers[0]:g}"
    return f"{mean:,.{digits}f} ± {interval(numbers).high - mean:,.{digits}f}"


def markdown(made: Table) -> list[str]:
    """Its title and its lines."""
    rows = ([str(cell).replace("|", "\\|") for cell in row] for row in (made.columns, *made.rows))
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return [f"{made.title}:", "", head, "|---" * len(made.columns) + "|", *body]
