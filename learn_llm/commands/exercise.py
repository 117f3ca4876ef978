"""`learn-llm exercise`: write the functions that train a language model, and have them checked."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from learn_llm.commands.exercise_dev import COURSE, dev
from learn_llm.commands.exercise_grade import grade
from learn_llm.errors import UserError

if TYPE_CHECKING:
    from learn_llm.exercises.courses import Exercise, Language
    from learn_llm.exercises.state import Desk

LANG = click.option(
    "--lang", type=click.Choice(["en", "ja"]), help="Language; by default LEARN_LLM_LANG, then that of `init`."
)


@click.group()
def exercise() -> None:
    """Write the functions that train a language model; each answer is checked, and a mistake named."""


exercise.add_command(dev)
exercise.add_command(grade)


@exercise.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False, metavar="[DIR]")
@COURSE
@LANG
def init(folder: Path | None, course: Path | None, lang: str | None) -> None:
    """Make a folder of exercises, or bring one up to date; answers are never overwritten.

    Without DIR it is the folder in which you are, or learn-llm-exercises.
    """
    from learn_llm.exercises.state import STATE, folder_from, make
    from learn_llm.exercises.telling import near
    from learn_llm.exercises.texts import say
    from learn_llm.quizzes.texts import choose

    folder = folder_from(Path.cwd()) if folder is None else folder
    is_new = not (folder / STATE).exists()
    desk, new, renewed = make(folder, course, choose(lang, os.environ))
    _say_notices(desk)
    key = "init.made" if is_new else "init.again"
    count = len(desk.course.exercises)
    click.echo(say(desk.language, key, count=count, folder=near(folder), new=new, renewed=renewed))


@exercise.command("list")
@LANG
def list_(lang: str | None) -> None:
    """List the exercises and what was done of them."""
    from learn_llm.exercises.telling import listing

    desk, language = _opened(lang)
    click.echo("\n".join(listing(desk, language)))


@exercise.command("next")
@click.argument("name", required=False)
@LANG
def next_(name: str | None, lang: str | None) -> None:
    """Say what is to be done now, or take the exercise NAME in hand."""
    from learn_llm.exercises.telling import task
    from learn_llm.exercises.texts import say

    desk, language = _opened(lang)
    if name is not None:
        desk.move_to(desk.course.get(name))
    current = desk.course.get(name) if name is not None else desk.current
    click.echo(say(language, "next.all") if current is None else "\n".join(task(desk, current, language)))


@exercise.command()
@click.argument("names", nargs=-1)
@LANG
def check(names: tuple[str, ...], lang: str | None) -> int:
    """Check the exercises named, or all that were begun.  Ends with 1 where one is not right."""
    from learn_llm.exercises.texts import say
    from learn_llm.exercises.workers import Worker

    desk, language = _opened(lang)
    chosen = [desk.course.get(name) for name in names] or [e for e in desk.course.exercises if desk.begun(e)]
    if not chosen:
        raise UserError(say(language, "check.none"))
    paths = {item.name: desk.path(item) for item in chosen}
    with Worker([desk.course.folder]) as worker:
        from learn_llm.exercises.judge import Judge
        from learn_llm.exercises.telling import after_passing, isolation, verdict

        right = 0
        for item in chosen:
            outcome = Judge(item).check(paths[item.name], worker, language)
            desk.note_check(item, outcome.passed, desk.begun(item) and outcome.status != "missing")
            right += outcome.passed
            click.echo("\n".join(verdict(item, outcome, language)))
            if outcome.passed and len(chosen) == 1:
                click.echo("\n".join(after_passing(desk, item, language)))
        worker.wait_ready()  # it may have had nothing to do
        click.echo(isolation(worker, language), err=True)
    return 0 if right == len(chosen) else 1


@exercise.command()
@LANG
def watch(lang: str | None) -> None:
    """Check an exercise whenever its file is saved."""
    from learn_llm.exercises.watching import Watch

    desk, language = _opened(lang)
    Watch(desk, language).run()


@exercise.command()
@click.argument("name", required=False)
@LANG
def hint(name: str | None, lang: str | None) -> None:
    """Show one more hint; how many were read is written down."""
    from learn_llm.exercises.telling import hints

    desk, language = _opened(lang)
    item = _named(desk, name, language)
    click.echo("\n".join(hints(item, desk.next_hint(item), language)))


@exercise.command()
@click.argument("name", required=False)
@click.option("--give-up", is_flag=True, help="Show it although the exercise has not passed; that is written down.")
@LANG
def solution(name: str | None, give_up: bool, lang: str | None) -> None:
    """Show the solution of an exercise that has passed, and why it is so."""
    from learn_llm.exercises.skeleton import files
    from learn_llm.exercises.telling import explanation
    from learn_llm.exercises.texts import say

    desk, language = _opened(lang)
    item = _named(desk, name, language)
    if not desk.record(item).passed and not give_up:
        raise UserError(say(language, "solution.closed", name=item.name))
    desk.give_up(item)
    click.echo(files(item, language).solution)
    click.echo("\n".join(explanation(item, language)))


@exercise.command()
@click.argument("name")
@LANG
def reset(name: str, lang: str | None) -> None:
    """Begin an exercise anew; the old answer is kept beside it."""
    from learn_llm.exercises.telling import near
    from learn_llm.exercises.texts import say

    desk, language = _opened(lang)
    item = desk.course.get(name)
    kept = desk.reset(item)
    values = {"name": item.name, "path": near(desk.path(item)), "kept": kept and kept.name}
    click.echo(say(language, "reset.kept" if kept else "reset.done", **values))


@exercise.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@LANG
def run(name: str, options: tuple[str, ...], lang: str | None) -> None:
    """Train the method twice, with our function and with yours, and show where the curves part.

    OPTIONS are those of the method, for example --seed 1 --steps 5.
    """
    from learn_llm.exercises.reading import UnreadableError, read
    from learn_llm.exercises.side_by_side import SideBySide
    from learn_llm.exercises.telling import compared
    from learn_llm.exercises.texts import say

    desk, language = _opened(lang)
    item = desk.course.get(name)
    pair = SideBySide(item, desk.path(item), options)
    try:
        read(pair.path)
    except UnreadableError as error:
        raise UserError(say(language, error.key, **error.values)) from None
    for line in compared(pair, language):
        click.echo(line)


def _opened(lang: str | None) -> "tuple[Desk, Language]":
    """The learner's folder here or above, and the language to speak."""
    from learn_llm.commands.plain.console import expect_japanese
    from learn_llm.exercises.state import Desk, find_root
    from learn_llm.quizzes.texts import choose

    desk = Desk(find_root(Path.cwd()))
    _say_notices(desk)
    named = lang or os.environ.get("LEARN_LLM_LANG")
    language = choose(named, {}) if named else desk.language
    if language == "ja":
        expect_japanese()
    return desk, language


def _say_notices(desk: "Desk") -> None:
    for notice in desk.notices:
        click.echo(f"learn-llm: {notice}", err=True)


def _named(desk: "Desk", name: str | None, language: "Language") -> "Exercise":
    from learn_llm.exercises.texts import say

    item = desk.course.get(name) if name is not None else desk.current
    if item is None:
        raise UserError(say(language, "next.all"))
    return item
