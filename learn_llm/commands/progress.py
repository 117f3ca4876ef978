"""`learn-llm progress`: where one stands; and what was done, written to a file, merged from one, or begun anew."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from learn_llm.commands.questions import BANK, LANG, language_of, say_problems
from learn_llm.errors import UserError

if TYPE_CHECKING:
    from learn_llm.quizzes.progress import Progress
    from learn_llm.quizzes.summary import Standing, Summary


@click.group(invoke_without_command=True)
@click.pass_context
def progress(ctx: click.Context) -> None:
    """Show, export, import or reset your progress."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(show, lang=language_of(ctx))


@progress.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@LANG
@BANK
def show(lang: str, as_json: bool = False, bank: Path | None = None) -> None:
    """Show what waits, the days in a row, recall by topic."""
    from learn_llm.quizzes.bank import load_bank
    from learn_llm.quizzes.summary import summarise

    opened = load_bank(folder=bank, lang=lang)
    say_problems(opened)
    with _opened() as own:
        summary = summarise(own, opened)
    if as_json:
        import dataclasses
        import json

        click.echo(json.dumps(dataclasses.asdict(summary), ensure_ascii=False, indent=2))
        return
    for line in table(summary):
        click.echo(line)


def table(summary: "Summary") -> Iterator[str]:
    """The summary as lines of at most 60 columns."""
    yield f"today    {summary.today} rating{'s' * (summary.today != 1)}"
    yield f"streak   {summary.streak} day{'s' * (summary.streak != 1)}"
    yield ""
    yield f"{'':<24}{'due':>5}{'new':>6}{'reviewed':>10}{'recall':>8}{'drill':>7}"
    for name, standing in (("all", summary.all), *summary.topics.items()):
        yield f"{name:<24}{_cells(standing)}"
    yield ""
    yield "recall: the chance, by FSRS, that a reviewed question is"
    yield "answered now.  drill: right the last time, of those asked."


def _cells(standing: "Standing") -> str:
    recall = "-" if standing.recall is None else f"{100 * standing.recall:.0f} %"
    drill = f"{standing.drilled_right}/{standing.drilled}" if standing.drilled else "-"
    return f"{standing.due:>5}{standing.new:>6}{standing.reviewed:>10}{recall:>8}{drill:>7}"


@progress.command()
@click.option("--out", "-o", type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
def export(out: Path | None) -> None:
    """Write all that you did as JSON, to the screen or to --out."""
    from learn_llm.quizzes.transfer import amounts, to_json

    with _opened() as own:
        text, count = to_json(own), amounts(own)
    if out is None:
        sys.stdout.write(text)
        return
    part = out.with_name(f"{out.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, out)  # the file is there whole or not at all
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError(f"{out} cannot be written: {error.strerror}; give another place with --out") from None
    click.echo(f"{count} written to {out}", err=True)


@progress.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def import_(file: Path) -> None:
    """Add what is new in FILE, which `progress export` wrote."""
    from learn_llm.quizzes.transfer import merge

    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{file}: it is no JSON file; `learn-llm progress export` writes one") from None
    with _opened(to_write=True) as own:
        try:
            merged = merge(own, text)
        except UserError as error:
            raise UserError(f"{file}: {error}") from None
    click.echo(f"added {merged.added}; there already: {merged.known}", err=True)


@progress.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(yes: bool) -> None:
    """Begin anew; a copy is kept beside the file."""
    from learn_llm.quizzes.store import COLUMNS, back_up, transaction
    from learn_llm.quizzes.transfer import Amounts, amounts

    with _opened(to_write=True) as own:
        count = amounts(own)
        if count == Amounts():
            click.echo("there is no progress to reset", err=True)
            return
        if not yes:
            if not sys.stdin.isatty():
                raise UserError("reset asks first; where nobody can answer, add --yes")
            if not click.confirm(f"Take away {count} and keep a copy?", err=True):
                click.echo("nothing was changed", err=True)
                return
        with transaction(own.db):
            count = amounts(own)  # of this moment: another app may have gone on
            copy = back_up(own.path, "before-reset")
            for name in COLUMNS.keys() - {"setting"}:  # what was set is not what was learnt
                own.db.execute(f"DELETE FROM {name}")
    click.echo(f"{count} taken away; kept in {copy}", err=True)


@contextmanager
def _opened(to_write: bool = False) -> "Iterator[Progress]":
    """The progress of this user; what is wrong with its file is said, and an error where it is to be written."""
    import sqlite3

    from learn_llm.quizzes.progress import Progress

    with Progress() as own:
        if to_write and not own.saving:
            raise UserError(own.notices[-1])
        for notice in own.notices:
            click.echo(f"learn-llm: {notice}", err=True)
        try:
            yield own
        except (sqlite3.Error, OSError) as error:
            raise UserError(f"{own.path}: {error}; nothing was changed") from None
