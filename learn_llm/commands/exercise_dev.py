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


def _questions() -> dict[str, object]:
    from learn_llm.quizzes.bank import load_bank

    bank = load_bank(None, "en")
    return {**bank.by_id, **{str(question.number): question for question in bank.questions}}
