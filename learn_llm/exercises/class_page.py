"""The grades of a class as a table, as CSV, as JSON, and as one HTML page that needs nothing else."""

import csv
import dataclasses
import html
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from learn_llm.errors import UserError
from learn_llm.exercises.courses import Course, Language
from learn_llm.exercises.grading import Row
from learn_llm.exercises.similarity import Pair
from learn_llm.exercises.texts import say

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem }
body { color: #222; background: #fff }
table { border-collapse: collapse } th, td { border: 1px solid #ccc; padding: .2rem .5rem; text-align: left }
.grid td { text-align: center } .grid th.exercise { writing-mode: vertical-rl; font-weight: normal }
.passed { background: #d7f0dc } .todo, .missing { background: #f2f2f2; color: #555 } .bad { background: #fbdcdc }
.wrap { overflow-x: auto } summary { cursor: pointer } code { white-space: pre-wrap }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #181818 } th, td { border-color: #444 }
  .passed { background: #1f4d2b } .todo, .missing { background: #2a2a2a; color: #aaa } .bad { background: #5c2323 }
}
"""
_MARKS = {"passed": "✓", "todo": "·", "missing": "-"}


def table(rows: Sequence[Row], language: Language) -> Iterator[str]:
    """One line a student: how many passed, tries and hints where they are known."""
    passed, tries, hints = (say(language, f"grade.{key}") for key in ("passed", "tries", "hints"))
    yield f"{say(language, 'grade.student'):<30}{passed:>10}{tries:>8}{hints:>8}"
    for student, own in by_student(rows).items():
        known = [row for row in own if row.tries is not None]
        cells = [str(sum(getattr(row, key) or 0 for row in known)) if known else "-" for key in ("tries", "hints")]
        score = f"{sum(row.passed for row in own)}/{len(own)}"
        yield f"{student:<30}{score:>10}{cells[0]:>8}{cells[1]:>8}"


def by_student(rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    """The rows of each student."""
    result: dict[str, list[Row]] = {}
    for row in rows:
        result.setdefault(row.student, []).append(row)
    return result


def as_csv(rows: Sequence[Row]) -> str:
    """All rows; a cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([field.name for field in dataclasses.fields(Row)])
    for row in rows:
        writer.writerow([_cell(value) for value in dataclasses.astuple(row)])
    return file.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def as_json(rows: Sequence[Row], pairs: Sequence[Pair], about: Mapping[str, object]) -> str:
    """One JSON object: what the batch was, all rows, the pairs alike."""
    document = {
        **about,
        "rows": [dataclasses.asdict(row) for row in rows],
        "similar": [dataclasses.asdict(pair) for pair in pairs],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def page(course: Course, rows: Sequence[Row], pairs: Sequence[Pair], notes: Sequence[str], language: Language) -> str:
    """The class on one page: a grid of students and exercises, what was wrong, who is like whom."""
    return "".join(_page(course, rows, pairs, notes, language))


def _page(
    course: Course, rows: Sequence[Row], pairs: Sequence[Pair], notes: Sequence[str], language: Language
) -> Iterator[str]:
    e = html.escape
    title = e(say(language, "grade.title"))
    yield f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
    yield f"<style>{_STYLE}</style></head><body>\n<h1>{title}: {e(course.title[language])}</h1>\n"
    yield "".join(f"<p>{e(note)}</p>\n" for note in notes)
    yield f'<div class="wrap"><table class="grid"><tr><th>{e(say(language, "grade.student"))}</th>'
    yield f"<th>{e(say(language, 'grade.passed'))}</th>"
    for exercise in course.exercises:
        yield f'<th class="exercise" title="{e(exercise.title[language])}">{e(exercise.name)}</th>'
    yield "</tr>\n"
    for student, own in by_student(rows).items():
        yield f"<tr><th>{e(student)}</th><td>{sum(row.passed for row in own)}/{len(own)}</td>"
        for row in own:
            kind = row.status if row.status in _MARKS else "bad"
            label = f"{row.exercise}: {say(language, row.status)}"
            yield f'<td class="{kind}" title="{e(label)}">{_MARKS.get(row.status, "✗")}</td>'
        yield "</tr>\n"
    yield f"</table></div>\n<h2>{e(say(language, 'grade.messages'))}</h2>\n"
    for student, own in by_student(rows).items():
        wrong = [row for row in own if row.status not in _MARKS]
        if wrong:
            yield f"<details><summary>{e(student)} ({len(wrong)})</summary><table>"
            for row in wrong:
                yield f"<tr><th>{e(row.exercise)}</th><td>{e(say(language, row.status))}</td>"
                yield f"<td><code>{e(row.message)}</code></td></tr>\n"
            yield "</table></details>\n"
    yield f"<h2>{e(say(language, 'grade.similar'))}</h2>\n<p>{e(say(language, 'grade.similar.note'))}</p>\n<ul>"
    for line in similar(pairs, language):
        yield f"<li>{e(line)}</li>\n"
    yield "</ul></body></html>\n"


def similar(pairs: Sequence[Pair], language: Language) -> Iterator[str]:
    """One line a pair."""
    if not pairs:
        yield say(language, "grade.none")
    for pair in pairs:
        none = say(language, "grade.none")
        same = say(
            language, "grade.same", text=", ".join(pair.same_text) or none, code=", ".join(pair.same_code) or none
        )
        yield f"{say(language, 'grade.pair', one=pair.one, other=pair.other)}: {same}"


def write(path: Path, text: str) -> None:
    """Write a report.  Raises UserError."""
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None
