"""What home shows, as lines for a width and a height: what waits, how one goes on, how ready one is.

Everything fits from 60 by 16 cells on: where there is little room the topics stand in two columns and the empty lines
between the parts go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from learn_llm.quizzes.readiness import Readiness
from learn_llm.quizzes.texts import PRESS, Texts
from learn_llm.tui.prose import Block
from learn_llm.tui.styles import HEADING, QUIET

KEY = 7
"""Cells of the column in which the keys stand."""
TITLE_LINES = 2
FULL, REST = "⠶", "⠒"
"""Of a bar: braille is one cell wide in every terminal."""


@dataclass(frozen=True)
class View:
    """Where the learner stands this morning."""

    due: int
    new: int
    """New questions that today's study still brings in."""
    done: int
    streak: int
    next: tuple[int, str] | None
    """Number and text of the question that study shows first."""
    wait: timedelta | None
    """Until the next card is due."""
    left: tuple[int, int] | None
    """Of the mock interview that was left: how many questions are answered, and of how many."""
    today: date
    interview: date | None
    all: Readiness
    topics: dict[str, Readiness]
    due_by_topic: dict[str, int]
    exercises: tuple[int, int] | None = None
    """How many have passed, and of how many; None where there is no folder of them."""


def lines(view: View, texts: Texts, width: int, height: int) -> list[Content]:
    """All lines, none wider than `width` cells and at most `height` of them."""
    above = [_counts(view, texts, width), _ways(view, texts, width), _ready(view, texts, width)]
    if sum(map(len, above)) + len(_short(view, texts, width)) < height:
        above[1].append(_exercises(view, texts, width))
    used = sum(map(len, above))
    roomy = used + len(view.topics) + 4 <= height
    topics = _long(view, texts, width) if roomy else _short(view, texts, width)
    if used + len(topics) > height:
        topics = topics[1:]  # the heading
    loose = used + len(topics) + 3 <= height
    found: list[Content] = []
    for part in (*above, topics):
        found += [Content(""), *part] if found and loose else part
    return found[:height]


def bar(share: float, width: int) -> Content:
    """A share from 0 to 1 as a bar of so many cells."""
    done = round(width * max(0.0, min(1.0, share)))
    return Content.styled(FULL * done, "$text-primary") + Content.styled(REST * (width - done), QUIET)


def percent(share: float) -> int:
    """A share in whole per cent; 100 and 0 only where nothing is missing and nothing is there.

    >>> percent(0.996), percent(1.0), percent(0.002), percent(0.0), percent(0.345)
    (99, 100, 1, 0, 34)
    """
    rounded = round(100 * share)
    return rounded if share in (0, 1) else max(1, min(99, rounded))


def _counts(view: View, texts: Texts, width: int) -> list[Content]:
    numbers = {"due": view.due, "new": view.new, "done": view.done, "streak": view.streak}
    parts = []
    for name, number in numbers.items():
        style = "bold $text-accent" if number and name in ("due", "new") else "bold"
        parts.append(Content.assemble((f"{texts(f'home.{name}')} ", QUIET), (str(number), style)))
    line = Content("    ").join(parts)
    return [line if line.cell_length <= width else Content("  ").join(parts).truncate(width)]


def _ways(view: View, texts: Texts, width: int) -> list[Content]:
    """How one goes on, each way behind its key."""
    if view.next is not None:
        number, title = view.next
        text = Content.assemble((texts("home.next"), QUIET), f" {number}  ", (title, "bold"))
    elif view.wait is not None:
        text = Content(texts("home.none", interval=texts.interval(view.wait)))
    else:
        text = Content(texts("home.none.ever"))
    found = _behind(PRESS["home.resume"], text, width)
    if view.left is not None:
        answered, of = view.left
        found += _behind(PRESS["home.interview"], Content(texts("home.interview", answered=answered, of=of)), width)
    return found


def _exercises(view: View, texts: Texts, width: int) -> Content:
    """One line, where there is room for it: the key bar names the key as well."""
    if view.exercises is None:
        text = texts("home.exercises.none")
    else:
        text = texts("home.exercises", done=view.exercises[0], of=view.exercises[1])
    return _behind(PRESS["home.exercises"], Content(text), width)[0]


def _behind(key: str, text: Content, width: int) -> list[Content]:
    block = Block(text, indent=KEY).lines(width)
    cut = block[:TITLE_LINES]
    if len(block) > TITLE_LINES:
        cut[-1] = cut[-1].truncate(width - 2) + Content("..")
    return [Content.styled(set_cell_size(key, KEY), "bold $text-primary") + cut[0][KEY:], *cut[1:]]


def _ready(view: View, texts: Texts, width: int) -> list[Content]:
    """For which day, how much, and what that rests on."""
    recall = percent(view.all.recall)
    day, note = view.interview, ""
    unseen = view.all.questions - view.all.seen
    if unseen:
        note = texts("home.unseen", unseen=unseen, all=view.all.questions)
    if day is None:
        head = texts("home.nodate", recall=recall)
    elif day < view.today:
        head = texts("home.past", date=day, recall=recall)
    else:
        head = texts("home.date", date=day, when=when(day, view.today, texts), recall=recall)
        note = texts("home.if", note=note).strip()
    blocks = [Block(Content.styled(head, HEADING)), *([Block(Content.styled(note, QUIET))] if note else [])]
    return [line for block in blocks for line in block.lines(width)]


def when(day: date, today: date, texts: Texts) -> str:
    """How far away the day is, in words."""
    days = (day - today).days
    return texts(("home.today", "home.tomorrow")[days]) if days < 2 else texts("home.in", days=days)


def _ranked(view: View) -> list[str]:
    """The topics, the weakest first; among equals in the order of the bank."""
    return sorted(view.topics, key=lambda topic: view.topics[topic].recall)


def _name(texts: Texts, topics: Sequence[str]) -> int:
    """How wide the longest name is."""
    return max((cell_len(texts(f"topic.{topic}")) for topic in topics), default=0)


def _long(view: View, texts: Texts, width: int) -> list[Content]:
    """One topic a line, with how many of its questions were seen and are due."""
    name = _name(texts, list(view.topics))
    found = [Content.styled(texts("home.topics"), HEADING)]
    for topic in _ranked(view):
        ready, due = view.topics[topic], view.due_by_topic.get(topic, 0)
        seen = f"{ready.seen}/{ready.questions}"
        tail = f" {percent(ready.recall):>3}   {texts('topics.seen')} {seen:<7}"
        tail += f"{texts('topics.due')} {due}" if due else ""
        room = max(6, min(40, width - name - 2 - 4 - 24))
        row = Content.assemble(set_cell_size(texts(f"topic.{topic}"), name), "  ", bar(ready.recall, room), tail)
        found.append(row.truncate(width))
    return found


def _short(view: View, texts: Texts, width: int) -> list[Content]:
    """Two columns, to be read downwards."""
    ranked = _ranked(view)
    half = (len(ranked) + 1) // 2
    gap = 2 if width < 64 else 4
    column = (width - gap) // 2
    name = min(_name(texts, ranked), column - 4)
    room = column - name - 5
    cells = []
    for topic in ranked:
        recall = view.topics[topic].recall
        drawn = Content(" ") + bar(recall, room) if room >= 4 else Content(" " * max(0, room + 1))
        cells.append(Content(set_cell_size(texts(f"topic.{topic}"), name)) + drawn + Content(f"{percent(recall):>4}"))
    found = [Content.styled(texts("home.topics"), HEADING)]
    for place in range(half):
        right = cells[place + half] if place + half < len(cells) else Content("")
        found.append(cells[place] + Content(" " * gap) + right)
    return found
