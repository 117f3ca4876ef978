"""What an interview shows at each stage, as blocks of text."""

from collections.abc import Iterator

from textual.content import Content

from learn_llm.quizzes.bank import Question
from learn_llm.quizzes.interview import Answer, FollowUp
from learn_llm.quizzes.interview_report import clock, spans_of
from learn_llm.quizzes.texts import Texts
from learn_llm.tui import prose
from learn_llm.tui.prose import Block, heading
from learn_llm.tui.styles import QUIET

RECOGNISED = "bold underline $text-success"
"""Seen without colour too."""
JUDGED = {"found": "$text-success", "claimed": "$text-warning", "refused": "$text-warning", "missed": "$text-error"}


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
        judged = Content.styled(texts(f"interview.point.{point.judged}"), f"bold {JUDGED[point.judged]}")
        text = Content.assemble(judged, "  ", prose.inline(point.text))
        yield Block(text, lead=f"{number}. ", indent=4, gap=number == 1)
    if question is not None:
        yield heading(texts("interview.model"))
        yield from prose.blocks(question.short_answer)


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
