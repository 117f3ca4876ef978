"""What the exercises show: a row of the list, and an exercise as sections of blocks."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from learn_llm.exercises.check_server import News
from learn_llm.exercises.courses import Exercise
from learn_llm.exercises.state import Record
from learn_llm.exercises.telling import flat
from learn_llm.exercises.texts import say
from learn_llm.quizzes.texts import Texts
from learn_llm.tui.prose import Block, heading
from learn_llm.tui.styles import CODE, QUIET, STRONG

SECTIONS = ("head", "verdict", "solution", "hints", "task")
"""From top to bottom."""
PRINTED = 10
"""Of what the learner's code printed, so many lines are shown."""
STYLES = {"passed": "$text-success", "todo": "$text-warning"}
"""Of a verdict; any other is an error."""


@dataclass(frozen=True)
class View:
    """An exercise as it stands."""

    exercise: Exercise
    chapter: str
    record: Record
    begun: bool
    path: str
    """The learner's file, as one would type it."""
    function: str
    """What the learner begins with, as source."""
    questions: Sequence[str]
    """The questions of the bank that it belongs to."""
    news: News | None = None
    """What the process that checks it said last; None where it is not asked."""
    solution: str = ""
    """As source; "" where it is not shown."""
    run: str = ""
    """How the learner's function trains a method; "" where it is part of none."""
    following: str = ""
    """The exercise to go on with; "" where there is none, or it is this one."""


def row(exercise: Exercise, record: Record, begun: bool, texts: Texts, width: int) -> Content:
    """A line of the list: what was done, the name, the title as far as it fits."""
    state = texts("plain.comma").join(standing(record, begun, texts))
    name = f"{'✓' if record.passed else ' '} {exercise.name}"
    room = width - cell_len(state) - 1
    title = f"{name:<22}  {exercise.title[texts.language]}"
    line = Content.styled(set_cell_size(title, max(0, room)) + " ", "" if not record.passed else "$text-success")
    return (line + Content.styled(state, QUIET)).truncate(width)


def standing(record: Record, begun: bool, texts: Texts) -> Iterator[str]:
    """What was done about an exercise, in words."""
    if record.passed:
        yield texts("exercise.passed")
    elif record.tries:
        yield texts("exercise.tried", tries=record.tries)
    elif begun:
        yield texts("exercise.begun")
    if record.hints:
        yield texts("exercise.hints", hints=record.hints)
    if record.gave_up:
        yield texts("exercise.gave_up")


def sections(view: View, texts: Texts) -> dict[str, list[Block]]:
    """The blocks of each of `SECTIONS`."""
    found = (_head(view, texts), _verdict(view, texts), _solution(view, texts), _hints(view, texts), _task(view, texts))
    return dict(zip(SECTIONS, map(list, found), strict=True))


def no_folder(texts: Texts) -> list[Block]:
    """What there is to say where no folder of exercises is found."""
    return [
        Block(Content.styled(texts("exercises.none"), STRONG)),
        Block(Content(texts("exercises.none.about"))),
        Block(Content.styled("learn-llm exercise init", CODE), indent=4),
        Block(Content.styled(texts("exercises.none.where"), QUIET)),
    ]


def own_part(source: str) -> str:
    """The function at the end of a skeleton, without what is copied above it.

    >>> own_part("import torch\\n\\ndef helper(): pass\\n\\ndef gae():\\n    raise NotImplementedError\\n")
    'def gae():\\n    raise NotImplementedError'
    """
    return "\n".join(source.splitlines()[ast.parse(source).body[-1].lineno - 1 :])


def _head(view: View, texts: Texts) -> Iterator[Block]:
    title = Content.assemble((view.exercise.name, "bold $text-primary"), f"  {view.exercise.title[texts.language]}")
    yield Block(title)
    about = "   ".join([view.chapter, texts("plain.comma").join(standing(view.record, view.begun, texts))])
    yield Block(Content.styled(about.rstrip(), QUIET), gap=False)


def _verdict(view: View, texts: Texts) -> Iterator[Block]:
    news = view.news
    if news is None:
        yield Block(Content.styled(texts("exercise.open"), "$text-accent"))
        return
    yield heading(texts("exercise.verdict"))
    match news.kind:
        case "loading" | "checking":
            yield Block(Content(texts(f"exercise.{news.kind}", name=view.exercise.name)), gap=False)
        case "failed":
            yield Block(Content.styled(texts("exercise.failed"), "bold $text-error"), gap=False)
            yield from (Block(Content(line), gap=False) for line in news.lines)
        case "checked":
            yield from _checked(news, texts)
            if news.status == "passed":
                yield from _passed(view, texts)
            else:
                yield Block(Content.styled(texts("exercise.waiting", path=view.path), QUIET))


def _checked(news: News, texts: Texts) -> Iterator[Block]:
    mark = "✓" if news.status == "passed" else "✗"
    style = STYLES.get(news.status, "$text-error")
    yield Block(Content.styled(f"{mark} {say(texts.language, news.status)}", f"bold {style}"), gap=False)
    yield from (Block(Content(line), indent=2, gap=False) for line in news.lines)
    printed = news.printed.strip()
    if printed and news.status != "passed":
        yield Block(Content.styled(say(texts.language, "judge.printed"), QUIET))
        shown = "\n".join(printed.splitlines()[-PRINTED:])
        yield Block(Content.styled(shown, CODE), indent=2, wraps=False, gap=False)


def _passed(view: View, texts: Texts) -> Iterator[Block]:
    """What one can do with an answer that is right."""
    yield Block(Content(texts("exercise.solution.more")))
    if view.run:
        yield Block(Content(view.run), gap=False)
    if view.following:
        yield Block(Content(texts("exercise.following", name=view.following)), gap=False)


def _solution(view: View, texts: Texts) -> Iterator[Block]:
    if view.solution:
        yield heading(texts("exercise.solution"))
        yield _code(view.solution)
        yield heading(texts("exercise.why"))
        yield Block(Content(flat(view.exercise.explanation[texts.language])), gap=False)


def _hints(view: View, texts: Texts) -> Iterator[Block]:
    hints = view.exercise.hints[texts.language]
    for number, text in enumerate(hints[: view.record.hints], 1):
        yield heading(say(texts.language, "hint.number", number=number, of=len(hints)))
        yield Block(Content(flat(text)), gap=False)
    if view.news is not None and view.record.hints < len(hints) and not view.record.passed:
        yield Block(Content.styled(texts("exercise.hint.more"), QUIET))


def _task(view: View, texts: Texts) -> Iterator[Block]:
    yield heading(texts("exercise.task"))
    if view.exercise.task:
        yield Block(Content(flat(view.exercise.task[texts.language])), gap=False)
    yield Block(Content.styled(view.path, "bold"), gap=False)
    yield heading(texts("exercise.function"))
    yield _code(view.function)
    if view.questions:
        yield heading(texts("exercise.questions"))
        yield from (Block(Content(question), lead="- ", indent=2, gap=False) for question in view.questions)
    if view.news is not None and view.news.isolation:
        yield Block(Content.styled(view.news.isolation, QUIET))


def _code(source: str) -> Block:
    return Block(Content.styled(source, CODE), wraps=False, gap=False)
