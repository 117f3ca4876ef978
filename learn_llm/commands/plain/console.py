"""Lines in and lines out.

Nothing is drawn: no escape sequence, no colour, no line of a box, so there is nothing for NO_COLOR to turn off.
"""

import io
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import click

from learn_llm.errors import UserError
from learn_llm.glyphs import can_encode, spelled, wanted
from learn_llm.quizzes.plain import wrap

JAPANESE = "質問と解答"


class Console:
    """Standard input and output, at the width of the terminal."""

    def __init__(self) -> None:
        from learn_llm.commands.questions import page_width

        self.width = page_width()
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")

    def say(self, *paragraphs: str) -> None:
        """Each paragraph wrapped, Japanese by its rules."""
        for paragraph in paragraphs:
            self.show(wrap(spelled(paragraph) if wanted(sys.stdout) else paragraph, self.width))

    def show(self, lines: Iterable[str]) -> None:
        """Lines as they are, on their way when this returns."""
        click.echo("\n".join(lines))

    def warn(self, notices: Iterable[str]) -> None:
        """A line on standard error for each."""
        for notice in notices:
            click.echo(f"learn-llm: {notice}", err=True)

    def ask(self, prompt: str) -> str:
        """What is typed after the prompt.  Raises EOFError where the input has ended."""
        *before, last = wrap(prompt, self.width)
        if before:
            self.show(before)
        click.echo(f"{last} ", nl=False)
        try:
            return unicodedata.normalize("NFKC", self.read()).strip()  # digits as an input method may leave them
        finally:
            if not sys.stdin.isatty():
                click.echo()  # the line break that a terminal would have shown

    def read(self) -> str:
        """The next line.  Raises EOFError where there is none."""
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line


class Words:
    """Which words give which command, in the language of the learner and in English.

    >>> words = Words({"undo": "undo u", "quit": "quit q"})
    >>> words.command("U"), words.command("4"), words.known
    ('undo', None, ['undo', 'quit'])
    """

    def __init__(self, *languages: Mapping[str, str]) -> None:
        self._commands = {
            word.casefold(): name for texts in languages for name, text in texts.items() for word in text.split()
        }
        self.known: Sequence[str] = [text.split()[0] for text in languages[0].values()]

    def command(self, typed: str) -> str | None:
        """The command that was typed; None where it is none of these."""
        return self._commands.get(typed.strip().casefold())


def expect_japanese() -> None:
    """Raises UserError where standard output cannot show Japanese."""
    if not can_encode(sys.stdout, JAPANESE):
        raise UserError(
            f"this console ({sys.stdout.encoding}) cannot show Japanese: set a UTF-8 locale or "
            "PYTHONIOENCODING=utf-8, or ask for English with --lang en"
        )
