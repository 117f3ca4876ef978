"""`learn-llm chat`: talk to a model in the terminal, or through a pipe, one message a line."""

import sys
from typing import TYPE_CHECKING

import click

from learn_llm.errors import UserError

if TYPE_CHECKING:
    from learn_llm.chatting import Conversation

HELP = "/reset forgets the conversation, /quit ends it, Ctrl-C stops an answer"


@click.command()
@click.argument("model", default="tiny-sft")
@click.option("--system", default="", help="A system message, said before everything else.")
@click.option("--temperature", default=0.6, show_default=True, help="0 always takes the likeliest token.")
@click.option(
    "--top-p", default=0.9, show_default=True, help="Sample among the likeliest tokens up to this probability."
)
@click.option("--top-k", default=0, show_default=True, help="Sample among this many tokens; 0: all.")
@click.option("--max-new-tokens", default=256, show_default=True, help="The longest answer.")
@click.option("--seed", type=int, help="Makes the answers reproducible.")
@click.option("--device", type=click.Choice(["auto", "cuda", "mps", "cpu"]), default="auto", show_default=True)
def chat(
    model: str,
    system: str,
    temperature: float,
    top_p: float,
    top_k: int,
    max_new_tokens: int,
    seed: int | None,
    device: str,
) -> None:
    """Talk to MODEL: a bundled or added name, a folder, a .gguf file, or OWNER/NAME on the hub.

    Messages are read from standard input, one a line, and answers written to standard output as they are sampled.
    """
    from learn_llm.chatting import Conversation
    from learn_llm.sampling import Sampling
    from learn_llm.training import choose_device

    sampling = Sampling(temperature, top_k, top_p)
    conversation = Conversation.open(model, str(choose_device(device)), system, sampling, max_new_tokens, seed)
    interactive = sys.stdin.isatty()
    if interactive:
        click.echo(f"{model}, {conversation.model.num_parameters() / 1e6:.1f}M parameters. {HELP}", err=True)
    if not conversation.is_chat:
        click.echo(f"{model} was not trained to converse: it continues what you write", err=True)
    while (line := _read(interactive)) is not None:
        text = line.strip()
        if text == "/quit":
            break
        if text == "/reset":
            conversation.reset()
            click.echo("the conversation begins anew", err=True)
        elif text.startswith("/") and text.split()[0] in ("/help", "/?"):
            click.echo(HELP, err=True)
        elif text:
            _answer(conversation, text, interactive)


def _read(interactive: bool) -> str | None:
    """The next message; None at the end of the input."""
    if not interactive:
        return sys.stdin.readline() or None
    try:
        return input("> ")
    except EOFError:
        click.echo(err=True)
        return None


def _answer(conversation: "Conversation", text: str, interactive: bool) -> None:
    unknown = conversation.tokenizer.unknown(text.lower())
    if unknown:
        click.echo(f"(this model does not know: {', '.join(dict.fromkeys(unknown))})", err=True)
    try:
        for piece in conversation.say(text):
            click.echo(piece, nl=False)
            sys.stdout.flush()
    except KeyboardInterrupt:
        if not interactive:
            raise
    except UserError as error:  # this message cannot be answered, the next one may
        if not interactive:
            raise
        click.echo(f"({error})", err=True)
        return
    click.echo()
    if conversation.dropped:
        click.echo(f"(the context is full: the {conversation.dropped} oldest messages were dropped)", err=True)
