"""A question's card as blocks of text: the question alone, or with everything that its answer has."""

from collections.abc import Iterator

from textual.content import Content

from learn_llm.quizzes.bank import Question
from learn_llm.tui import prose
from learn_llm.tui.prose import Block
from learn_llm.tui.styles import HEADING, QUIET
from learn_llm.tui.texts import Texts


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


def _heading(text: str, note: str = "") -> Block:
    aside = Content.styled(f"  {note}", QUIET) if note else Content("")
    return Block(Content.styled(text, HEADING) + aside)
