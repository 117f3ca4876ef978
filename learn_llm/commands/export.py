"""`learn-llm export`: questions as an Anki deck, a Markdown page, JSON, or data to train on."""

import re
import sys
from pathlib import Path

import click

from learn_llm.commands.questions import BANK, LANG, say_problems
from learn_llm.errors import UserError
from learn_llm.quizzes.bank import Bank, Question, load_bank

FORMS = ("anki", "markdown", "json", "sft", "preferences", "feedback")


@click.command()
@click.argument("form", metavar="|".join(FORMS), type=click.Choice(FORMS))
@click.argument("chosen", nargs=-1, metavar="[NUMBER|NAME|FROM-TO]...")
@click.option("--level", help="Only this level: basic, intermediate or advanced.")
@click.option("--topic", help="Only this topic, for example alignment.")
@click.option("--out", "-o", type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
@LANG
@BANK
def export(
    form: str,
    chosen: tuple[str, ...],
    level: str | None,
    topic: str | None,
    out: Path | None,
    lang: str,
    bank: Path | None,
) -> None:
    """Export questions, all or the chosen ones: `learn-llm export anki 1-17 ppo --lang ja`.

    An Anki deck is written to learn-llm-LANG.apkg unless --out says otherwise; importing a later one updates the
    notes in place.  Everything else goes to the standard output without --out.

    sft, preferences and feedback are JSON lines to train a model on: --data of sft, of reward_model and dpo, of coh.
    """
    from learn_llm.quizzes.export import to_json, to_markdown, write_anki
    from learn_llm.quizzes.export_data import KINDS, to_json_lines

    opened = load_bank(folder=bank, lang=lang)
    say_problems(opened)
    questions = select(opened, chosen, level, topic)
    if form == "anki":
        path = out or Path(f"learn-llm-{lang}.apkg")
        write_anki(questions, path, pack="" if bank is None else bank.resolve().name)
    else:
        kind = next((kind for kind in KINDS if kind == form), None)
        if kind is not None:
            text = to_json_lines(questions, kind)
        else:
            text = to_json(questions) if form == "json" else to_markdown(questions)
        if out is None:
            sys.stdout.write(text)
            return
        path = out
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror}; give another place with --out") from None
    click.echo(f"{len(questions)} question{'s' * (len(questions) != 1)} written to {path}", err=True)


def select(bank: Bank, chosen: tuple[str, ...], level: str | None, topic: str | None) -> list[Question]:
    """The chosen questions in the order of the bank, or all.  Raises UserError where that leaves none."""
    wanted: set[str] = set()
    for key in chosen:
        if span := re.fullmatch(r"(\d{1,4})-(\d{1,4})", key):
            first, last = int(span[1]), int(span[2])
            inside = {question.id for question in bank.questions if first <= question.number <= last}
            if not inside:
                raise UserError(f"there is no question from {first} to {last}; `learn-llm questions` lists them")
            wanted |= inside
        else:
            wanted.add(bank.find(key).id)
    questions = [q for q in bank.select(level, topic) if not chosen or q.id in wanted]
    if not questions:
        raise UserError("no question is left; choose another level or topic")
    return questions
