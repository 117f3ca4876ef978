"""The report of a mock interview in Markdown: scores by question and topic, what was missed, what mends it.

The words come from outside (`words("interview.score", ...)`), so that it is written in the language of the interface.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path

from learn_llm.quizzes.interview import Answer, score
from learn_llm.quizzes.interview_history import Record
from learn_llm.quizzes.plain import wrap

Words = Callable[..., str]
WEAK = 0.6
"""A topic or a question below this share of its marks is weak."""
NO_EXERCISES: Mapping[str, Sequence[str]] = {}
WIDTH = 72
"""Columns of the learner's own answers, which keep their lines."""


def topic_scores(answers: Sequence[Answer]) -> dict[str, float]:
    """The share of the marks in each topic, the weakest first."""
    topics = dict.fromkeys(topic for answer in answers for topic in answer.topics)
    scores = {topic: score([answer for answer in answers if topic in answer.topics]) for topic in topics}
    return dict(sorted(scores.items(), key=lambda item: item[1]))


def to_mend(answers: Sequence[Answer]) -> list[Answer]:
    """The weak questions, the weakest first."""
    return sorted((answer for answer in answers if answer.score < WEAK), key=lambda answer: answer.score)


def report(
    record: Record,
    words: Words,
    built: Collection[str],
    exercises: Mapping[str, Sequence[str]] = NO_EXERCISES,
    *,
    width: int = WIDTH,
    zone: tzinfo | None = None,
) -> str:
    """The whole report.

    Args:
        record: the interview.
        words: the texts of a language by key and values.
        built: the demos that there are.
        exercises: the names of those that belong to a question, by its id.
        width: columns of the learner's own answers.
        zone: of the date; by default that of this machine.
    """
    return "\n".join(_lines(record, words, built, exercises, width, zone)).rstrip() + "\n"


def save_report(folder: Path, record: Record, text: str) -> Path:
    """Write the report to `interview-DATE-TIME.md` (UTC) in `folder`; an older one of the same interview is replaced.

    Raises OSError where that cannot be done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"interview-{record.started_at:%Y%m%d-%H%M%S}-{record.id}.md"
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def marked(text: str, spans: Sequence[tuple[int, int]], opening: str = "[", closing: str = "]") -> str:
    """The text with what was recognised in brackets.

    >>> marked("a KL penalty, clipped", [(14, 21), (2, 12), (5, 12)])
    'a [KL penalty], [clipped]'
    """
    parts, at = [], 0
    for start, end in joined(spans):
        parts += [text[at:start], opening, text[start:end], closing]
        at = end
    return "".join([*parts, text[at:]])


def joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, those that overlap as one.

    >>> joined([(14, 21), (2, 12), (5, 13)])
    [(2, 13), (14, 21)]
    """
    result: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def spans_of(answer: Answer) -> list[tuple[int, int]]:
    """What was recognised in the answer, for the points that count."""
    return joined([span for point in answer.points if point.said for span in point.spans])


def percent(share: float) -> str:
    """A share as it is shown: `62 %`."""
    return f"{100 * share:.0f} %"


def clock(seconds: float) -> str:
    """Minutes and seconds.

    >>> clock(5), clock(125.9), clock(3600)
    ('0:05', '2:05', '60:00')
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def chosen_by(record: Record, words: Words) -> str:
    """The level and the topics of an interview in words."""
    level = words(record.plan.level or "interview.any_level")
    topics = words("plain.comma").join(words(f"topic.{topic}") for topic in record.plan.topics)
    return f"{level}{words('plain.comma')}{topics or words('topics.any')}"


def row(record: Record, words: Words, zone: tzinfo | None = None) -> str:
    """An interview in a line: when, the score, how far, and what it was narrowed down to, if to anything."""
    facts = {"answered": len(record.answers), "asked": len(record.plan.ids)}
    result = percent(score(record.answers)) if record.answers else ""
    how = words("interview.of" if record.ended else "interview.open", **facts)
    parts = [f"{record.started_at.astimezone(zone):%Y-%m-%d %H:%M}", f"{result:>5}", how]
    if record.plan.level or record.plan.topics:
        parts.append(chosen_by(record, words))
    return "  ".join(parts)


def _lines(
    record: Record,
    words: Words,
    built: Collection[str],
    exercises: Mapping[str, Sequence[str]],
    width: int,
    zone: tzinfo | None,
) -> Iterator[str]:
    answers = record.answers
    date = f"{record.started_at.astimezone(zone):%Y-%m-%d %H:%M}"
    yield from (f"# {words('interview.title')}{words('plain.comma')}{date}", "")
    seconds = clock(sum(answer.seconds for answer in answers))
    facts = {"asked": len(record.plan.ids), "answered": len(answers), "time": seconds}
    yield from (words("interview.facts", chosen=chosen_by(record, words), **facts), "")
    if not answers:
        return
    yield from (f"**{words('interview.score', score=percent(score(answers)))}** {words('interview.marks')}", "")
    yield from _topics(answers, words)
    yield from _mending(answers, words, built, exercises)
    yield from (f"## {words('interview.questions')}", "")
    for answer in answers:
        yield from _question(answer, words, width)


def _topics(answers: Sequence[Answer], words: Words) -> Iterator[str]:
    yield from (f"## {words('interview.topics')}", "")
    yield f"| {words('interview.topic')} | {words('interview.share')} | {words('interview.count')} |"
    yield "|---|---|---|"
    for topic, share in topic_scores(answers).items():
        count = sum(topic in answer.topics for answer in answers)
        yield f"| {words(f'topic.{topic}')} | {percent(share)} | {count} |"
    yield ""


def _mending(
    answers: Sequence[Answer], words: Words, built: Collection[str], exercises: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """The weak topics, and for each weak question what to run, to read and to write."""
    yield from (f"## {words('interview.mend')}", "")
    weak = [topic for topic, share in topic_scores(answers).items() if share < WEAK]
    if weak:
        named = words("plain.comma").join(words(f"topic.{topic}") for topic in weak)
        yield from (words("interview.weak", topics=named, share=percent(WEAK)), "")
    for answer in to_mend(answers):
        demo = f"`learn-llm demo {answer.demo}`, " if answer.demo in built else ""
        ways = f"{demo}`learn-llm ask {answer.id}`{_exercises(exercises.get(answer.id, ()), words)}"
        yield f"- {answer.number} ({percent(answer.score)}): {answer.question} {ways}"
    if not weak and not to_mend(answers):
        yield words("interview.nothing_weak", share=percent(WEAK))
    yield ""


def _exercises(names: Sequence[str], words: Words) -> str:
    """These exercises, and how one begins."""
    if not names:
        return ""
    return f", {words('interview.exercises')} {', '.join(names)}: `learn-llm exercise next {names[0]}`"


def _question(answer: Answer, words: Words, width: int) -> Iterator[str]:
    said = sum(point.said for point in answer.points)
    counts = words("interview.said", said=said, points=len(answer.points))
    yield from (f"### {answer.number}. {answer.question}", "")
    yield from (f"{percent(answer.score)}, {counts}, {clock(answer.seconds)}", "")
    if answer.text.strip():
        yield from (words("interview.own"), "")
        for line in marked(answer.text.strip(), _shifted(answer)).splitlines():
            yield from (f"    {part}".rstrip() for part in wrap(line.expandtabs(4), width))
        yield ""
    for heading, points in (
        ("claimed", [point for point in answer.points if point.said and not point.found]),
        ("missed", answer.missed),
    ):
        if points:
            yield from (words(f"interview.{heading}"), "")
            yield from (f"- {point.text}" for point in points)
            yield ""
    rated = [follow_up for follow_up in answer.follow_ups if follow_up.rating]
    if rated:
        yield from (words("interview.follow_ups"), "")
        for follow_up in rated:
            wanting = f" {follow_up.answer}" if follow_up.rating < 3 else ""
            yield f"- {words(f'rating.{follow_up.rating}')}: {follow_up.question}{wanting}"
        yield ""


def _shifted(answer: Answer) -> list[tuple[int, int]]:
    """The spans in the text without the blanks before it."""
    lead = len(answer.text) - len(answer.text.lstrip())
    return [(start - lead, end - lead) for start, end in spans_of(answer)]
