"""FLASK: one overall score a question."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from random import Random

TARGET = "learn_llm.minimal_impls.flask:question_means"
SKILLS = ("factuality", "readability", "conciseness", "completeness", "harmlessness")


def cases(rng: Random) -> Iterator[dict[str, object]]:
    yield {"scores": [{"factuality": 5, "readability": 3, "conciseness": 3}, {"factuality": 1}]}
    for questions in (2, 5, 8):
        drawn = [rng.sample(SKILLS, rng.randint(1, 3)) for _ in range(questions)]
        yield {"scores": [{skill: rng.randint(1, 5) for skill in skills} for skills in drawn]}


def wrong_over_three(scores: Sequence[Mapping[str, float]]) -> list[float]:
    return [sum(some.values()) / 3 for some in scores]


def wrong_over_twelve(scores: Sequence[Mapping[str, float]]) -> list[float]:
    return [sum(some.values()) / 12 for some in scores]


def wrong_sums(scores: Sequence[Mapping[str, float]]) -> list[float]:
    return [float(sum(some.values())) for some in scores]


def wrong_by_skill(scores: Sequence[Mapping[str, float]]) -> list[float]:
    skills = dict.fromkeys(skill for some in scores for skill in some)
    return [statistics.fmean(some[skill] for some in scores if skill in some) for skill in skills]


def wrong_pooled(scores: Sequence[Mapping[str, float]]) -> list[float]:
    mean = statistics.fmean(score for some in scores for score in some.values())
    return [mean] * len(scores)


def wrong_lowest(scores: Sequence[Mapping[str, float]]) -> list[float]:
    return [float(min(some.values())) for some in scores]
