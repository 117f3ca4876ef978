"""A question's card as blocks of text: the question alone, or with everything that its answer has."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from textual.content import Content

from learn_llm.quizzes.bank import Question
from learn_llm.quizzes.demo_history import DemoRun, Value, verdict_key
from learn_llm.quizzes.kit import options_of
from learn_llm.quizzes.texts import Texts
from learn_llm.tui import prose
from learn_llm.tui.prose import Block
from learn_llm.tui.styles import HEADING, QUIET

MINUTE = timedelta(minutes=1)
NUMBERS = 3
"""Of a verdict's numbers, so many are shown on the card."""


def question_block(question: Question) -> Block:
    """The question itself."""
    return Block(Content.styled(question.question, "bold"))


def answer_blocks(question: Question, texts: Texts) -> Iterator[Block]:
    """The answer in the order of an interview: what to say, the details, what must not be missed, what comes next."""
    if question.lang != texts.language:
        yield Block(Content.styled(texts("untranslated"), QUIET))
    yield _heading(texts("short"), texts("short.note"))
    yield from prose.blocks(question.short_answer)
    yield _heading(texts("full"))
    yield from prose.blocks(question.full_answer)
    yield _heading(texts("points"))
    for number, point in enumerate(question.key_points, 1):
        yield Block(prose.inline(point.point), lead=f"{number}. ", indent=4, gap=number == 1)
    yield _heading(texts("follow_ups"))
    for follow_up in question.follow_ups:
        yield Block(prose.inline(follow_up.question).stylize("bold"), lead="? ", indent=4)
        yield Block(prose.inline(follow_up.answer), indent=4, gap=False)
    yield _heading(texts("mistakes"))
    for mistake in question.mistakes:
        yield Block(prose.inline(mistake.mistake).stylize("$text-error"), lead="✗ ", indent=4)
        yield Block(prose.inline(mistake.why), indent=4, gap=False)
    if question.references:
        yield _heading(texts("references"))
        for number, reference in enumerate(question.references):
            yield Block(Content(reference), lead="- ", indent=4, gap=number == 0)


def ran_block(run: DemoRun, now: datetime, texts: Texts) -> Block:
    """What the demo said when it ran last: with which options, how long ago, the verdict, the first numbers."""
    soon = now - run.ended_at < MINUTE
    ago = texts("ago.soon") if soon else texts("ago", interval=texts.interval(now - run.ended_at))
    head = texts("card.ran", options=run_options(run.options, run.broken, texts), ago=ago)
    verdict = f"{'✓' if run.holds else '✗'} {texts(verdict_key(run.holds, run.broken))}"
    numbers = "  ".join(f"{name} {value:.4g}" for name, value in list(run.measured.items())[:NUMBERS])
    style = "$text-success" if run.holds != run.broken else "$text-error"
    return Block(Content.assemble((f"{head} ", QUIET), (verdict, style), (f"  {numbers}", QUIET)), gap=False)


def run_options(options: Mapping[str, Value], broken: bool, texts: Texts) -> str:
    """With which options a demo was run."""
    words = [*options_of(options), *(["--break"] if broken else [])]
    return " ".join(words) or texts("runs.defaults")


def _heading(text: str, note: str = "") -> Block:
    aside = Content.styled(f"  {note}", QUIET) if note else Content("")
    return Block(Content.styled(text, HEADING) + aside)
