"""FLASK: the scores of each skill."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from random import Random

TARGET = "learn_llm.minimal_impls.flask:by_skill"
SKILLS = ("factuality", "readability", "conciseness", "completeness", "harmlessness")


def cases(rng: Random) -> Iterator[dict[str, object]]:
    yield {"scores": [{"factuality": 5, "readability": 3}, {"factuality": 1}, {"conciseness": 2, "readability": 4}]}
    for questions in (1, 4, 8):
        yield {
            "scores": [
                {skill: rng.randint(1, 5) for skill in rng.sample(SKILLS, rng.randint(1, 3))} for _ in range(questions)
            ]
        }
    yield {"scores": []}


def _found(scores: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for some in scores:
        for skill, score in some.items():
            found.setdefault(skill, []).append(score)
    return found


def wrong_zero_where_untagged(scores: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    return {skill: [some.get(skill, 0) for some in scores] for skill in _found(scores)}


def wrong_means(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {skill: statistics.fmean(some) for skill, some in _found(scores).items()}


def wrong_last_only(scores: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    return {skill: some[-1:] for skill, some in _found(scores).items()}


def wrong_first_only(scores: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    return {skill: some[:1] for skill, some in _found(scores).items()}


def wrong_overall(scores: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    return _found([dict.fromkeys(some, statistics.fmean(some.values())) for some in scores])


def wrong_first_question_only(scores: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    kept = scores[0] if scores else {}
    return {skill: some for skill, some in _found(scores).items() if skill in kept}
