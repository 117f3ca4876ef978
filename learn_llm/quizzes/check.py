"""What the authors of a bank must keep to beyond the format: lengths, key points, formulas, lines for the terminal."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from learn_llm.errors import UserError
from learn_llm.quizzes.bank import Question, find_files, open_question
from learn_llm.quizzes.grading import grade_page
from learn_llm.quizzes.index import Problem
from learn_llm.quizzes.plain import columns

LENGTHS = {"en": (60, 90, 260), "ja": (120, 180, 600)}
"""By language: the least and most of a short answer, the least of a full one; words, or characters in Japanese."""
PROSE_COLUMNS = 120
"""Prose is wrapped again where it is shown; this keeps the files readable."""
CODE_COLUMNS = 76
"""A line of an indented code block is shown as it is, in a terminal of 80 columns."""
_LATEX = re.compile(r"\\[a-zA-Z]{2,}|\\[()\[\]{}]|\$[^$\n]*[\\^_{}][^$\n]*\$|[_^]\{")


def check_bank(folder: Path, demos: Collection[str] | None = None) -> list[Problem]:
    """Every problem of every file in the folder, in the order of the files.

    Args:
        folder: the bank.
        demos: the slugs of the demos that a question may name; None where each question has its own, called by its id.
    """
    files, problems = find_files(folder)
    if not files and not problems:
        raise UserError(f"there is no question in {folder}; its files are called SLUG.LANG.md, for example ppo.en.md")
    numbers: dict[tuple[int, str], Question] = {}
    versions_of: dict[str, list[Question]] = {}
    for path in sorted(path for versions in files.values() for path in versions):
        question, wrong = open_question(path, whole=True)
        problems += wrong
        if question is None:
            continue
        problems += check_question(question, demos)
        other = numbers.setdefault((question.number, question.lang), question)
        if other is not question:
            message = f"number {question.number} is that of {other.path.name}; choose another"
            problems.append(Problem(path.name, _line(question, "number:"), message))
        versions_of.setdefault(question.id, []).append(question)
    languages = {question.lang for versions in versions_of.values() for question in versions}
    for versions in versions_of.values():
        problems += _check_languages(versions, languages)
    return problems


def _check_languages(versions: list[Question], languages: set[str]) -> Iterator[Problem]:
    """Whether a question is there in every language of its bank, and says the same of itself in each."""
    first, *others = versions
    for lang in sorted(languages - {question.lang for question in versions}):
        name = f"{first.id}.{lang}.md"
        yield Problem(
            name, 1, f"there is no such file; the bank has other questions in {lang!r}, so write this one too"
        )
    for question in others:
        for field in ("number", "level", "topics", "demo"):
            if getattr(question, field) != getattr(first, field):
                message = f"the {field} is not that of {first.path.name}; make them the same"
                yield Problem(question.path.name, _line(question, f"{field}:"), message)
        for field in ("key_points", "follow_ups", "mistakes"):
            here, there = len(getattr(question, field)), len(getattr(first, field))
            if here != there:
                message = f"{here} {field.replace('_', ' ')} here, {there} in {first.path.name}; give as many"
                yield Problem(question.path.name, _line(question, f"{field}:"), message)


def check_question(question: Question, demos: Collection[str] | None = None) -> Iterator[Problem]:
    """The problems of one question that keeps to the format."""

    def problem(start: str, message: str) -> Problem:
        return Problem(question.path.name, _line(question, start), message)

    least, most, least_full = LENGTHS.get(question.lang, LENGTHS["en"])
    unit = "characters" if question.lang == "ja" else "words"
    short, full = (_length(answer, question.lang) for answer in (question.short_answer, question.full_answer))
    if not least <= short <= most:
        yield problem("## Short answer", f"the short answer has {short} {unit}; write {least} to {most}")
    if full < least_full:
        yield problem("## Full answer", f"the full answer has {full} {unit}; write at least {least_full}")
    if demos is None and question.demo != question.id:
        yield problem("demo:", f"the demo is {question.demo!r}; a question of this bank has its own, {question.id!r}")
    if demos is not None and question.demo not in demos:
        yield problem("demo:", f"there is no demo {question.demo!r}; `learn-llm demo` lists them")
    for said in grade_page(question.key_points, question.full_answer):
        if not said.made:
            yield problem("key_points:", f"the full answer does not say the key point {said.point!r}, by its words")
    yield from _check_lines(question)


def _check_lines(question: Question) -> Iterator[Problem]:
    in_body = False
    for number, line in enumerate(question.source.split("\n"), 1):
        in_body = in_body or line.startswith("## Short answer")
        is_code = in_body and line.startswith("    ")
        limit = CODE_COLUMNS if is_code else PROSE_COLUMNS
        if in_body and columns(line) > limit:
            what = "a line of an indented code block" if is_code else "the line"
            message = f"{what} has {columns(line)} columns; keep to {limit}"
            yield Problem(question.path.name, number, message)
        if in_body and line.startswith("```"):
            yield Problem(question.path.name, number, "a fenced code block; indent the code by four spaces instead")
        if match := _LATEX.search(line):
            yield Problem(question.path.name, number, f"{match[0]!r} looks like LaTeX; write it in plain Unicode")


def _length(text: str, lang: str) -> int:
    """Words that have a letter or a digit in them; in Japanese the characters that are not blank."""
    if lang == "ja":
        return len(re.sub(r"\s", "", text))
    return sum(any(char.isalnum() for char in word) for word in text.split())


def _line(question: Question, start: str) -> int:
    lines = question.source.split("\n")
    return next((number for number, line in enumerate(lines, 1) if line.startswith(start)), 1)
