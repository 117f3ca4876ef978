"""`learn-llm exercise dev`: for who writes a course."""

from pathlib import Path

import click

COURSE = click.option(
    "--course", type=click.Path(path_type=Path), help="A folder with a course of your own (info.toml)."
)


@click.group()
def dev() -> None:
    """For who writes a course."""


@dev.command()
@click.argument("names", nargs=-1)
@COURSE
def check(names: tuple[str, ...], course: Path | None) -> int:
    """Check a course: every start fails, every solution passes, every known mistake is told as itself."""
    from learn_llm.exercises.courses import load_course
    from learn_llm.exercises.workers import Worker

    opened = load_course(course)
    chosen = [opened.get(name) for name in names] if names else opened.exercises
    with Worker([opened.folder]) as worker:
        from learn_llm.exercises.authoring import check_course, unlisted

        bad = variants = 0
        for found in check_course(opened, chosen, worker, _questions()):
            bad += bool(found.problems)
            variants += found.variants
            state = "problem" if found.problems else f"ok, {found.variants} known mistakes"
            click.echo(f"{found.exercise.name:<32}  {state}")
            for problem in found.problems:
                click.echo(f"    {problem}")
        for name in () if names else unlisted(opened):
            bad += 1
            click.echo(f"{name:<32}  not in info.toml")
    click.echo(f"{len(chosen)} exercises, {variants} known mistakes, {bad} with problems", err=True)
    return 1 if bad else 0


@dev.command()
@click.argument("name")
@click.argument("target", metavar="MODULE:FUNCTION")
@click.option("--course", type=click.Path(path_type=Path), required=True, help="The folder of your course.")
def new(name: str, target: str, course: Path) -> None:
    """Begin an exercise of your own about a real function: its two files, with what is still to be written."""
    from learn_llm.exercises.new_course import new as begin

    written = begin(course, name, target)
    for path in written:
        click.echo(path)
    if course / "info.toml" not in written:
        click.echo(f"add {name!r} to a chapter in {course / 'info.toml'}", err=True)


@dev.command()
@click.argument("names", nargs=-1)
@click.option("--course", type=click.Path(path_type=Path), required=True, help="The folder of your course.")
def update(names: tuple[str, ...], course: Path) -> None:
    """Add an empty message for each known mistake that has none yet."""
    from learn_llm.exercises.courses import load_course
    from learn_llm.exercises.new_course import update as bring_up_to_date

    opened = load_course(course)
    for item in [opened.get(name) for name in names] or opened.exercises:
        for variant in bring_up_to_date(item):
            click.echo(f"{item.name}: [wrong.{variant}] is to be written")


def _questions() -> dict[str, object]:
    from learn_llm.quizzes.bank import load_bank

    bank = load_bank(None, "en")
    return {**bank.by_id, **{str(question.number): question for question in bank.questions}}
