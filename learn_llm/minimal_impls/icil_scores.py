"""How icil.py judges answers, its chart and its tables.

Three numbers of an answer say different things: right, one of the options at all, and whether the right option is the
likeliest.  A model that scores low on the first and high on the last knows more than it says.
"""

import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from learn_llm.events import Chart, Series, Table
from learn_llm.minimal_impls.icil_tasks import Question


@dataclass(frozen=True)
class Judged:
    """One answer."""

    text: str
    right: bool
    rouge: float
    """Longest common subsequence with the nearest reference, as an F-measure."""
    valid: bool | None = None
    """Whether it is one of the options; None where there are none."""
    likeliest: bool | None = None
    """Whether the right option is the likeliest one; None where there are none."""


def plain(text: str) -> str:
    """Words and marks in lower case, without marks at the ends (detail 4).

    >>> plain(" Bird."), plain("hammer , saw")
    ('bird', 'hammer , saw')
    """
    return " ".join(re.findall(r"\w+|[^\w\s]", text.casefold())).strip(" .,:;!?\"'")


def rouge_l(text: str, reference: str) -> float:
    """F1 of the longest common subsequence of words (Lin 2004), without stemming.

    >>> rouge_l("the red hat", "red hat")
    0.8
    """
    a, b = plain(text).split(), plain(reference).split()
    longest = [0] * (len(b) + 1)
    for word in a:
        before = 0
        for j, other in enumerate(b, 1):
            before, longest[j] = longest[j], before + 1 if word == other else max(longest[j], longest[j - 1])
    return 2 * longest[-1] / (len(a) + len(b)) if a and b else 0.0


class Scores:
    """What one arm scored on each task, the mean over prefixes and questions."""

    def __init__(self, questions: Sequence[Question], judged: Sequence[Sequence[Judged]]) -> None:
        self.by_task: dict[str, list[Judged]] = {}
        choices: dict[str, list[int]] = {}
        for answers in judged:
            for question, answer in zip(questions, answers, strict=True):
                self.by_task.setdefault(question.task, []).append(answer)
                if question.options:
                    choices.setdefault(question.task, []).append(len(question.options))
        self.chance = {task: statistics.fmean(1 / n for n in numbers) for task, numbers in choices.items()}
        """Of guessing among the options, for the tasks that have some."""

    def of(self, name: str, options: bool | None = None) -> list[float]:
        """A field of `Judged` for each task: all tasks, those with options, or those without."""
        return [
            statistics.fmean(float(getattr(answer, name)) for answer in answers)
            for task, answers in self.by_task.items()
            if options is None or options == (task in self.chance)
        ]


COLUMNS = (
    ("exact match", "right", True), ("valid", "valid", True), ("by likelihood", "likeliest", True),
    ("free: exact match", "right", False), ("free: ROUGE-L", "rouge", False), ("ROUGE-L", "rouge", None),
)  # fmt: skip


def arm_chart(scores: Mapping[str, Scores]) -> Chart:
    """Exact matches over all tasks and valid answers over those with options, a pair of bars for each arm."""
    bars: list[tuple[str, str, bool | None]] = [("exact match", "right", None)]
    if next(iter(scores.values())).chance:
        bars.append(("valid answer", "valid", True))
    series = tuple(
        Series(name, tuple(scores), tuple(statistics.fmean(found.of(field, options)) for found in scores.values()))
        for name, field, options in bars
    )
    return Chart("bar", "Held-out tasks behind each prefix", "", "share", series)


def arm_table(scores: Mapping[str, Scores]) -> Table:
    """Every arm, tasks with options and free answers apart; last, over all tasks, the paper's metric."""
    rows: list[tuple[str | float | None, ...]] = []
    for arm, found in scores.items():
        rows.append((arm, *(mean(found.of(field, options)) for _, field, options in COLUMNS)))
        chance = mean(list(found.chance.values()))
    rows.append(("guessing", chance, None, chance, None, None, None))
    title = "Held-out tasks, with options and with free answers"
    return Table(title, ("arm", *(title for title, _, _ in COLUMNS)), tuple(rows))


def task_table(scores: Mapping[str, Scores]) -> Table:
    """Exact match of every task, one column an arm."""
    first = next(iter(scores.values()))
    chances = (mean([first.chance[task]]) if task in first.chance else None for task in first.by_task)
    columns = ([round(value, 2) for value in found.of("right")] for found in scores.values())
    rows = zip((task.replace("_", " ") for task in first.by_task), chances, *columns, strict=True)
    return Table("Exact match by task", ("task", "guessing", *scores), tuple(rows))


def size_table(found: Mapping[str, tuple[int, Scores, Scores]]) -> Iterator[Table | Chart]:
    """Models of several sizes: their parameters and exact matches, zero-shot and behind the prefix."""
    rows: list[tuple[str | float | int | None, ...]] = []
    for name, (parameters, *scores) in found.items():
        rows.append((name, parameters, *(mean(some.of("right")) for some in scores)))
    yield Table("Exact match by size", ("model", "parameters", "zero-shot", "ICIL"), tuple(rows))
    arms = ("zero-shot", "ICIL")
    bars = (Series(arm, tuple(found), tuple(float(row[2 + i] or 0) for row in rows)) for i, arm in enumerate(arms))
    yield Chart("bar", "A prefix, or more parameters", "", "exact match", tuple(bars))


def mean(values: Sequence[float]) -> float | None:
    """Rounded for a table; None where there is nothing."""
    return round(statistics.fmean(values), 3) if values else None
