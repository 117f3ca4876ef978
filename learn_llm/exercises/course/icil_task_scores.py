"""The score of each task, the number that ICIL reports."""

import statistics
from collections.abc import Iterator
from random import Random
from types import SimpleNamespace
from typing import Any

TARGET = "learn_llm.minimal_impls.icil_scores:Scores.of"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for tasks in (3, 4, 6):
        scores = _scores(rng, tasks)
        for name, options in (("right", None), ("valid", True), ("rouge", False), ("likeliest", True)):
            yield {"self": scores, "name": name, "options": options}
    yield {"self": _scores(rng, 4), "name": "rouge"}


def _scores(rng: Random, tasks: int) -> SimpleNamespace:
    by_task, chance = {}, {}
    for number in range(tasks):
        task, choice = f"task {number}", number % 2 == 0
        by_task[task] = [_answer(rng, choice) for _ in range(rng.randint(1, 3) + 3 * number)]
        if choice:
            chance[task] = 0.5
    return SimpleNamespace(by_task=by_task, chance=chance)


def _answer(rng: Random, choice: bool) -> SimpleNamespace:
    drawn = [rng.random() < p for p in (0.3, 0.7, 0.5)]
    return SimpleNamespace(
        text="", right=drawn[0], rouge=rng.random(), valid=drawn[1] if choice else None,
        likeliest=drawn[2] if choice else None,
    )  # fmt: skip


def _chosen(self: Any, options: bool | None) -> list[list[Any]]:
    return [a for task, a in self.by_task.items() if options is None or options == (task in self.chance)]


def _mean(answers: list[Any], name: str) -> float:
    return statistics.fmean(float(getattr(answer, name) or 0) for answer in answers)


def wrong_pooled(self: Any, name: str, options: bool | None = None) -> list[float]:
    return [_mean([answer for answers in _chosen(self, options) for answer in answers], name)]


def wrong_every_answer(self: Any, name: str, options: bool | None = None) -> list[float]:
    return [float(getattr(answer, name)) for answers in _chosen(self, options) for answer in answers]


def wrong_sums(self: Any, name: str, options: bool | None = None) -> list[float]:
    return [_mean(answers, name) * len(answers) for answers in _chosen(self, options)]


def wrong_always_right(self: Any, name: str, options: bool | None = None) -> list[float]:
    return [_mean(answers, "right") for answers in _chosen(self, options)]


def wrong_none_is_false(self: Any, name: str, options: bool | None = None) -> list[float]:
    return [_mean(answers, name) for answers in _chosen(self, bool(options))]


def wrong_all_tasks(self: Any, name: str, options: bool | None = None) -> list[float]:
    return [_mean(answers, name) for answers in self.by_task.values()]


def wrong_overall(self: Any, name: str, options: bool | None = None) -> list[float]:
    return [statistics.fmean(_mean(answers, name) for answers in _chosen(self, options))]


def wrong_false_is_none(self: Any, name: str, options: bool | None = None) -> list[float]:
    return [_mean(answers, name) for answers in _chosen(self, options or None)]
