"""`learn-llm questions`: the questions and their check; `learn-llm ask`: one question, whole."""

from pathlib import Path

import click

from learn_llm.quizzes.bank import BUNDLED, Bank, Question, load_bank

LANG = click.option("--lang", envvar="LEARN_LLM_LANG", default="en", show_default=True, help="Language: en or ja.")
BANK = click.option("--bank", type=click.Path(path_type=Path), help="A folder with questions of your own.")


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.option("--level", help="Only this level: basic, intermediate or advanced.")
@click.option("--topic", help="Only this topic.")
@LANG
@click.pass_context
def questions(ctx: click.Context, as_json: bool, level: str | None, topic: str | None, lang: str) -> None:
    """List the questions."""
    if ctx.invoked_subcommand is not None:
        return
    import json

    bank = load_bank(lang=lang)
    say_problems(bank)
    chosen = bank.select(level, topic)
    if as_json:
        click.echo(json.dumps([_plain(question) for question in chosen], ensure_ascii=False, indent=2))
        return
    for question in chosen:
        click.echo(f"{question.number:>3}  {question.level:<12}  {question.question}")


@questions.command()
@BANK
def check(bank: Path | None) -> None:
    """Look for problems: format, lengths, key points, formulas, line lengths.  Ends with 1 if there are any."""
    from learn_llm.quizzes.check import check_bank

    folder = bank or BUNDLED
    demos = None if bank is None else {question.demo for question in load_bank().questions}
    problems = check_bank(folder, demos)
    for problem in problems:
        click.echo(str(problem))
    files = len(list(folder.glob("*.md")))
    click.echo(f"{files} files, {len(problems)} problem{'s' * (len(problems) != 1)}", err=True)
    if problems:
        click.get_current_context().exit(1)


def say_problems(bank: Bank) -> None:
    """One line on standard error for each file that could not be opened."""
    for problem in bank.problems:
        click.echo(f"learn-llm: left out {problem}", err=True)


def _plain(question: Question) -> dict[str, object]:
    return {
        "id": question.id,
        "number": question.number,
        "level": question.level,
        "topics": list(question.topics),
        "question": question.question,
        "demo": question.demo,
        "lang": question.lang,
    }
