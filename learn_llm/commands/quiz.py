"""`learn-llm quiz`: the questions in the terminal, line by line (--plain), or in a browser (--web)."""

from pathlib import Path

import click


@click.command()
@click.option("--plain", is_flag=True, help="Line by line on standard input and output: for screen readers and pipes.")
@click.option("--web", is_flag=True, help="In a browser on this machine, until Ctrl-C.  Needs learn-llm[web].")
@click.option("--ascii", "in_ascii", is_flag=True, help="Frames, charts and symbols in ASCII; also LEARN_LLM_ASCII=1.")
@click.option(
    "--keys", "list_keys", is_flag=True, help="Print the keys of the app, as a config.toml to change, and end."
)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="With --web.")
@click.option(
    "--lang",
    type=click.Choice(["en", "ja"]),
    help="Language of the interface and the questions.  By default LEARN_LLM_LANG, your setting, the locale.",
)
@click.option("--bank", type=click.Path(path_type=Path), help="A folder with questions of your own.")
def quiz(
    plain: bool, web: bool, in_ascii: bool, list_keys: bool, port: int, lang: str | None, bank: Path | None
) -> None:
    """Study the 50 questions in the terminal.

    With --plain, each line of the input is one command, one answer or one rating; `help` lists what there is.  It ends
    with 0 on `quit` or where the input ends, with 2 where the input ends inside an interview, which goes on later.
    LEARN_LLM_PLAIN=1 and TERM=dumb mean --plain, too.

    The keys are changed in config.toml, in a folder that `learn-llm doctor` names.
    """
    import gc
    import os
    import sys

    from learn_llm import glyphs
    from learn_llm.errors import UserError

    if list_keys:
        _print_keys(lang)
        return
    if in_ascii:
        glyphs.ask_for(True)
    if plain and web:
        raise UserError("--plain and --web exclude each other")
    if web:
        from learn_llm.commands.quiz_web import serve

        serve(port, lang, bank)
        return
    in_browser = "TEXTUAL_DRIVER" in os.environ  # then it is not a terminal that the app writes to
    if not in_browser:
        plain = plain or bool(os.environ.get("LEARN_LLM_PLAIN")) or os.environ.get("TERM") == "dumb"
        if not plain and not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UserError(
                "the quiz needs a terminal; `learn-llm quiz --plain` does not, "
                "nor do `learn-llm questions` and `learn-llm ask NUMBER`"
            )
    if not plain:
        gc.disable()  # nothing is thrown away while the app is put together; it goes on when the first screen is there

    from learn_llm.quizzes import settings
    from learn_llm.quizzes.bank import load_bank
    from learn_llm.quizzes.desk import Desk
    from learn_llm.quizzes.kit import Kit
    from learn_llm.quizzes.progress import Progress
    from learn_llm.quizzes.texts import Texts, choose

    with Progress() as progress:
        kept = settings.load(progress)
        language = choose(lang, os.environ, kept.language)
        if kept.ascii or (not in_browser and glyphs.wanted(sys.stdout)):
            glyphs.ask_for(True)
        if language == "ja" and not in_browser:
            from learn_llm.commands.plain.console import expect_japanese

            expect_japanese()
        kit = Kit(Texts(language), Desk(load_bank(bank, language), progress))
        if plain:
            from learn_llm.commands.plain.console import Console
            from learn_llm.commands.plain.session import Session

            Session(kit, Console()).run()
        else:
            from learn_llm.tui import keys

            chosen, problems = keys.of_user()
            keys.use(chosen)  # before the screens are imported
            from learn_llm.tui.app import QuizApp

            QuizApp(kit, [f"config.toml: {problem.text(kit.texts)}" for problem in problems]).run()


def _print_keys(lang: str | None) -> None:
    import os

    from learn_llm.quizzes.texts import Texts, choose
    from learn_llm.tui import keys

    keys.use(keys.of_user()[0])
    click.echo("\n".join(keys.listing(Texts(choose(lang, os.environ)))))
