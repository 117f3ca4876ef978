"""`learn-llm questions`: the questions and their check; `learn-llm ask`: one question, whole."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from learn_llm.commands.plain.console import JAPANESE, expect_japanese
from learn_llm.errors import UserError
from learn_llm.glyphs import can_encode
from learn_llm.quizzes.bank import BUNDLED, Bank, Question, load_bank


def language_of(_: click.Context, __: click.Parameter | None = None, lang: str | None = None) -> str:
    """The language of a command: the one that is asked for, else the app's."""
    from learn_llm.quizzes.settings import peek_language
    from learn_llm.quizzes.texts import choose

    return choose(lang, os.environ, peek_language())


LANG = click.option(
    "--lang",
    type=click.Choice(["en", "ja"]),
    callback=language_of,
    help="Language; by default LEARN_LLM_LANG, then the app's, then the locale.  English where a text is missing.",
)
BANK = click.option("--bank", type=click.Path(path_type=Path), help="A folder with questions of your own.")
HEADINGS = {
    "en": (
        "In 30 seconds",
        "The full answer",
        "An answer must contain",
        "What may be asked next",
        "Common mistakes",
        "References",
        "See it run",
        "This demo is not built yet.",
    ),
    "ja": (
        "30秒の答え",
        "詳しい解答",
        "解答に欠かせない点",
        "続けて聞かれそうなこと",
        "よくある間違い",
        "参考文献",
        "デモで確かめる",
        "このデモはまだありません。",
    ),
}
"""Of the parts of a question, in the order of the page, by the language of its text."""
WIDEST = 88
NARROWEST = 20


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.option("--level", help="Only this level: basic, intermediate or advanced.")
@click.option("--topic", help="Only this topic, for example alignment.")
@LANG
@BANK
@click.pass_context
def questions(
    ctx: click.Context, as_json: bool, level: str | None, topic: str | None, lang: str, bank: Path | None
) -> None:
    """List the questions."""
    if ctx.invoked_subcommand is not None:
        return
    opened = load_bank(folder=bank, lang=lang)
    say_problems(opened)
    chosen = opened.select(level, topic)
    if as_json:
        import json

        escaped = not can_encode(sys.stdout, JAPANESE)
        click.echo(json.dumps([_plain(question) for question in chosen], ensure_ascii=escaped, indent=2))
        return
    if lang == "ja":
        expect_japanese()
    for line in _list(chosen, page_width()):
        click.echo(line)


@questions.command()
@BANK
def check(bank: Path | None) -> None:
    """Look for problems: format, lengths, key points, formulas, line lengths.  Ends with 1 if there are any."""
    from learn_llm.demos.catalogue import SLUGS
    from learn_llm.quizzes.check import check_bank

    problems = check_bank(bank or BUNDLED, None if bank is None else SLUGS)
    for problem in problems:
        click.echo(str(problem))
    files = len(list((bank or BUNDLED).glob("*.md")))
    click.echo(f"{files} files, {len(problems)} problem{'s' * (len(problems) != 1)}", err=True)
    if problems:
        click.get_current_context().exit(1)


@questions.command()
@click.argument("name", metavar="NAME")
@click.option("--bank", type=click.Path(path_type=Path), required=True, help="The folder of your own questions.")
@click.option("--demo", default="what-is-ai", show_default=True, help="The demo that goes with the question.")
@LANG
def new(name: str, bank: Path, demo: str, lang: str) -> None:
    """Begin a question of your own: a file NAME.LANG.md to fill in, in the folder of your pack."""
    from learn_llm.demos.catalogue import SLUGS
    from learn_llm.quizzes.template import write_template

    if demo not in SLUGS:
        raise UserError(f"there is no demo {demo!r}; `learn-llm demo` lists them")
    path = write_template(bank, name, lang, demo)
    click.echo(f"written: {path}", err=True)
    click.echo(f"fill it in, then: learn-llm questions check --bank {bank}", err=True)


@click.command()
@click.argument("question", metavar="NUMBER|NAME")
@LANG
@BANK
def ask(question: str, lang: str, bank: Path | None) -> None:
    """Print a question with its answers, by its number or its name: `learn-llm ask 43`, `learn-llm ask ppo`."""
    opened = load_bank(folder=bank, lang=lang)
    say_problems(opened)
    found = opened.find(question)
    if found.lang == "ja":
        expect_japanese()
    styled = sys.stdout.isatty()
    for line in answer_lines(found, page_width()):
        is_heading = line.startswith("# ")
        text = line.removeprefix("# ")
        click.echo(click.style(text, bold=True) if is_heading and styled else text)


def answer_lines(question: Question, width: int) -> Iterator[str]:
    """All that belongs to a question in lines of at most `width` columns; headings begin with "# "."""
    from learn_llm.quizzes.plain import columns, page, wrap

    def heading(text: str) -> Iterator[str]:
        yield from ("", f"# {text}", "")

    def items(pairs: list[tuple[str, str]]) -> Iterator[str]:
        for number, (first, second) in enumerate(pairs, 1):
            lead = f"{number}. "
            yield from wrap(first, width, lead, " " * len(lead))
            yield from wrap(second, width, " " * len(lead), " " * len(lead)) if second else ()

    short, full, must, then, wrong, sources, demo, missing = HEADINGS.get(question.lang, HEADINGS["en"])
    title = wrap(f"{question.number}. {question.question}", width)
    yield from (f"# {line}" for line in title)
    yield "=" * max(columns(line) for line in title)
    yield from wrap(f"{question.level} · {', '.join(question.topics)} · {question.id}", width)
    yield from heading(short)
    yield from page(question.short_answer, width)
    yield from heading(full)
    yield from page(question.full_answer, width)
    yield from heading(must)
    yield from items([(point.point, "") for point in question.key_points])
    yield from heading(then)
    yield from items([(follow_up.question, follow_up.answer) for follow_up in question.follow_ups])
    yield from heading(wrong)
    yield from items([(f'"{mistake.mistake}"', mistake.why) for mistake in question.mistakes])
    if question.references:
        yield from heading(sources)
        for reference in question.references:
            yield from wrap(reference, width, "- ", "  ")
    yield from heading(demo)
    yield from _demo_lines(question.demo, missing, width)


def page_width() -> int:
    """Columns to print in: those of the terminal (or COLUMNS; 80 in a pipe), within what is good to read."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((80, 24)).columns))


def say_problems(bank: Bank) -> None:
    """One line on standard error for each file that could not be opened."""
    for problem in bank.problems:
        click.echo(f"learn-llm: left out {problem}", err=True)


def _demo_lines(slug: str, missing: str, width: int) -> Iterator[str]:
    from learn_llm.demos.catalogue import DEMOS
    from learn_llm.quizzes.plain import wrap

    yield f"    learn-llm demo {slug}"
    if slug in DEMOS:
        yield f"    learn-llm demo {slug} --break"
    else:
        yield ""
        yield from wrap(missing, width)


def _list(chosen: tuple[Question, ...], width: int) -> Iterator[str]:
    """The questions as a table; below 60 columns without the names."""
    from learn_llm.quizzes.plain import wrap

    if not chosen:
        return
    size = max(len(question.id) for question in chosen) if width >= 60 else -2
    level = ""
    for question in chosen:
        if question.level != level:
            level = question.level
            yield from ("", level.capitalize()) if question is not chosen[0] else (level.capitalize(),)
        lead = f"{question.number:>3}  " + (f"{question.id:<{size}}  " if size > 0 else "")
        yield from wrap(question.question, width, lead, " " * len(lead))


def _plain(question: Question) -> dict[str, object]:
    from learn_llm.demos.catalogue import DEMOS

    return {
        "id": question.id,
        "number": question.number,
        "level": question.level,
        "topics": list(question.topics),
        "question": question.question,
        "demo": question.demo,
        "demo_built": question.demo in DEMOS,
        "lang": question.lang,
        "short_answer": question.short_answer,
    }
