"""The `learn-llm` command.

Thin and lazy: the table below holds all that `learn-llm --help` shows, and a command's module is imported when the
command is run.  What the user did wrong (`UserError`) ends in one line and its exit code, Ctrl-C in 130.  A command's
function returns None, or a number that becomes the exit code.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from learn_llm import __version__
from learn_llm.errors import UserError
from learn_llm.glyphs import lenient

COMMANDS = {
    "quiz": ("learn_llm.commands.quiz:quiz", "Study the 50 questions in the terminal."),
    "interview": ("learn_llm.commands.interview:interview", "A mock interview line by line, with a report."),
    "ask": ("learn_llm.commands.questions:ask", "Print a question with its answers, by number or name."),
    "questions": ("learn_llm.commands.questions:questions", "List the questions; `check` looks for problems."),
    "export": ("learn_llm.commands.export:export", "Export questions: an Anki deck, Markdown or JSON."),
    "progress": ("learn_llm.commands.progress:progress", "Show, export, import or reset your progress."),
    "exercise": (
        "learn_llm.commands.exercise:exercise",
        "Write the functions that train a model; checked.",
    ),
    "demo": ("learn_llm.commands.demo:demo", "Run a question's demo, or list the demos."),
    "compare": ("learn_llm.commands.compare:compare", "Train methods side by side, or ask models the same prompts."),
    "results": ("learn_llm.commands.results:results", "Measure every claim and set it beside its source."),
    "model": ("learn_llm.commands.model:model", "List, add and show models."),
    "chat": ("learn_llm.commands.chat:chat", "Talk to a model."),
    "doctor": ("learn_llm.commands.doctor:doctor", "Check this installation and this terminal."),
}


class LazyGroup(click.Group):
    """Imports a subcommand when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            raise UserError(f"there is no command {args[0]!r}; {_hint(args[0])}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _hint(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, COMMANDS, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(COMMANDS)}"


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 a check failed, 2 bad usage or input, 3 something optional is missing, "
    "4 out of time, 130 stopped by Ctrl-C.",
)
@click.version_option(__version__, prog_name="learn-llm")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Learn how language models are trained by running it, and prepare for AI interviews with it."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """The entry point.  A console that cannot show a character gets a stand-in, not an error."""
    lenient(sys.stdout, sys.stderr)
    try:
        code = cli.main(argv, prog_name="learn-llm", standalone_mode=False)
    except (UserError, click.ClickException) as error:
        text = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo(f"learn-llm: {text}", err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("learn-llm: stopped", err=True)
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
