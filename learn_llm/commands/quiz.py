"""`learn-llm quiz`: the questions in the terminal."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--lang",
    type=click.Choice(["en", "ja"]),
    help="Language of the interface and the questions.  By default LEARN_LLM_LANG, then the locale.",
)
@click.option("--bank", type=click.Path(path_type=Path), help="A folder with questions of your own.")
def quiz(lang: str | None, bank: Path | None) -> None:
    """Study the 50 questions in the terminal."""
    import os
    import sys

    from learn_llm.errors import UserError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError("the quiz needs a terminal; without one use `learn-llm questions` and `learn-llm ask NUMBER`")
    from learn_llm.quizzes.bank import load_bank
    from learn_llm.quizzes.progress import Progress
    from learn_llm.tui.app import QuizApp
    from learn_llm.tui.desk import Desk
    from learn_llm.tui.kit import Kit
    from learn_llm.tui.texts import Texts, choose

    texts = Texts(choose(lang, os.environ))
    with Progress() as progress:
        QuizApp(Kit(texts, Desk(load_bank(bank, texts.language), progress))).run()
