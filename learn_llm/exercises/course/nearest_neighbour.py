"""How much each instruction is like the one most like it."""

import statistics
from collections.abc import Iterator, Sequence
from random import Random
from types import SimpleNamespace
from typing import Any

from learn_llm.minimal_impls.icil_scores import rouge_l

TARGET = "learn_llm.minimal_impls.self_instruct_filters:nearest"
WORDS = ("say", "the", "last", "first", "word", "is", "it", "hot", "or", "cold", "name", "a", "bird")


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for count in (2, 3, 5, 8):
        yield {"tasks": [_task(rng) for _ in range(count)]}
    again = _task(rng)
    yield {"tasks": [_task(rng), again, _task(rng), again, _task(rng)]}
    yield {"tasks": [_task(rng)]}


def _task(rng: Random) -> SimpleNamespace:
    instruction = " ".join(rng.choice(WORDS) for _ in range(rng.randint(4, 7)))
    return SimpleNamespace(instruction=instruction, input=" ".join(rng.sample(WORDS, 2)), output="", again=None)


def _table(tasks: Sequence[Any]) -> list[list[float]]:
    return [[rouge_l(a.instruction, b.instruction) for j, b in enumerate(tasks) if j != i] for i, a in enumerate(tasks)]


def wrong_itself_too(tasks: Sequence[Any]) -> list[float]:
    return [max(rouge_l(a.instruction, b.instruction) for b in tasks) for a in tasks]


def wrong_earlier_only(tasks: Sequence[Any]) -> list[float]:
    return [max((rouge_l(a.instruction, b.instruction) for b in tasks[:i]), default=0.0) for i, a in enumerate(tasks)]


def wrong_mean(tasks: Sequence[Any]) -> list[float]:
    return [statistics.fmean(row) if row else 0.0 for row in _table(tasks)]


def wrong_farthest(tasks: Sequence[Any]) -> list[float]:
    return [min(row, default=0.0) for row in _table(tasks)]


def wrong_exact(tasks: Sequence[Any]) -> list[float]:
    return [float(1.0 in row) for row in _table(tasks)]


def wrong_distance(tasks: Sequence[Any]) -> list[float]:
    return [1 - max(row, default=0.0) for row in _table(tasks)]


def wrong_next_one(tasks: Sequence[Any]) -> list[float]:
    texts = [task.instruction for task in tasks]
    return [
        max((rouge_l(text, texts[j]) for j in (i - 1, i + 1) if 0 <= j < len(texts)), default=0.0)
        for i, text in enumerate(texts)
    ]


def wrong_itself_too__unless_alone(tasks: Sequence[Any]) -> list[float]:
    return wrong_itself_too(tasks) if len(tasks) > 1 else [0.0] * len(tasks)
