"""What an interview shows at each stage, as blocks of text."""

from collections.abc import Iterator

from textual.content import Content

from learn_llm.quizzes.bank import Question
from learn_llm.quizzes.interview import Answer, FollowUp, Point
from learn_llm.quizzes.interview_report import clock, spans_of
from learn_llm.tui import prose
from learn_llm.tui.prose import Block, heading
from learn_llm.tui.styles import QUIET
from learn_llm.tui.texts import Texts

RECOGNISED = "bold underline $text-success"
"""Seen without colour too."""


def graded_blocks(answer: Answer, question: Question | None, texts: Texts) -> Iterator[Block]:
    """The verdict, the answer with what was recognised, the key points, and the card's short answer."""
    yield Block(Content.styled(answer.question, "bold"))
    said = sum(point.said for point in answer.points)
    verdict = texts("interview.verdict", said=said, points=len(answer.points), time=clock(answer.seconds))
    yield Block(Content.styled(verdict, "bold $text-accent"))
    yield heading(texts("interview.own.marked"))
    yield Block(_marked(answer) if answer.text.strip() else Content.styled(texts("interview.unanswered"), QUIET))
    yield heading(texts("points"))
    for number, point in enumerate(answer.points, 1):
        name, style = how(point)
        judged = Content.styled(texts(f"interview.point.{name}"), f"bold $text-{style}")
        text = Content.assemble(judged, "  ", prose.inline(point.text))
        yield Block(text, lead=f"{number}. ", indent=4, gap=number == 1)
    if question is not None:
        yield heading(texts("interview.model"))
        yield from prose.blocks(question.short_answer)


def how(point: Point) -> tuple[str, str]:
    """By whom the point was judged and how, and the colour of that."""
    if point.said:
        return ("found", "success") if point.found else ("claimed", "warning")
    return ("refused", "warning") if point.found else ("missed", "error")


def follow_up_blocks(answer: Answer, follow_up: FollowUp, revealed: bool, texts: Texts) -> Iterator[Block]:
    """The follow-up below the question that it follows, and its answer once it is revealed."""
    place = answer.follow_ups.index(follow_up) + 1
    yield Block(Content.styled(answer.question, QUIET))
    yield heading(texts("interview.follow_up", place=place, of=len(answer.follow_ups)))
    yield Block(prose.inline(follow_up.question).stylize("bold"))
    if revealed:
        yield heading(texts("interview.model"))
        yield Block(prose.inline(follow_up.answer))


def _marked(answer: Answer) -> Content:
    text = Content(answer.text)
    for start, end in spans_of(answer):
        text = text.stylize(RECOGNISED, start, end)
    return text
