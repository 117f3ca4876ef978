"""FLASK by model size: `--sizes` of `minimal_impls/flask.py` asks models of one recipe, the smallest first.

A skill is saturated from the first size on behind which it gains less than half a point; one that the smallest model
has within half a point of 5 is at its ceiling, and says nothing about size.  The intervals of all skills hold together
(95 %, Bonferroni), as the verdict picks the widest gain and the narrowest.  In the paper (Ye et al.
2023, arXiv 2307.10928) logical skills rise fast from 7 to 65 billion parameters, while others stand still:
metacognition after 7, insightfulness after 13, conciseness after 30 billion.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from learn_llm.evaluation import Interval, interval
from learn_llm.events import Chart, Event, Note, Series, Table, Verdict
from learn_llm.minimal_impls.flask_asked import ABILITIES, Scores
from learn_llm.minimal_impls.flask_tables import named

HALF = 0.5
"""Points of 1 to 5: what counts as a gain."""
BEST = 5.0


@dataclass(frozen=True)
class Size:
    """A model, its parameters, and the scores of its answers, question by question the same for all models."""

    name: str
    parameters: int
    scores: Sequence[Scores]

    def of(self, skill: str) -> list[float]:
        """The scores of one skill."""
        return [some[skill] for some in self.scores if skill in some]


def gain(skill: str, small: Size, large: Size, of: int = 1) -> Interval:
    """How much higher the larger model scores, question by question; intervals `of` so many skills hold together."""
    gained = [a - b for a, b in zip(large.of(skill), small.of(skill), strict=True)]
    return interval(gained, 1 - 0.05 / of)


def at_ceiling(skill: str, sizes: Sequence[Size]) -> bool:
    """Whether the smallest model leaves less than half a point to gain."""
    return statistics.fmean(sizes[0].of(skill)) > BEST - HALF


def saturated_from(skill: str, sizes: Sequence[Size], of: int = 1) -> str:
    """The smallest model behind which the skill gains less than half a point (the whole interval); "": it rises still.

    Of a skill at its ceiling: "at its ceiling".

    >>> sizes = [Size(name, 1, [{"readability": s}] * 9) for name, s in (("small", 2), ("middle", 4), ("large", 4))]
    >>> saturated_from("readability", sizes), saturated_from("readability", sizes[::2])
    ('middle', '')
    """
    if at_ceiling(skill, sizes):
        return "at its ceiling"
    return next((size.name for size in sizes[:-1] if gain(skill, size, sizes[-1], of).high < HALF), "")


def by_size(sizes: Sequence[Size]) -> Iterator[Event]:
    """A table and a chart of the skills; the verdict says whether they rise unequally."""
    first, last = sizes[0], sizes[-1]
    known = {skill for some in first.scores for skill in some}
    skills = [skill for some in ABILITIES.values() for skill in some if skill in known]
    skills += sorted(known - set(skills))
    gains = {skill: gain(skill, first, last, len(skills)) for skill in skills}
    yield Note("; ".join(f"{size.name}: {size.parameters:,} parameters" for size in sizes))
    rows: list[tuple[str | float | int | None, ...]] = []
    for skill, grown in gains.items():
        means = (statistics.fmean(size.of(skill)) for size in sizes)
        numbers = (round(number, 2) for number in (*means, grown.mean, grown.low, grown.high))
        rows.append((named(skill), *numbers, saturated_from(skill, sizes, len(skills)) or None))
    title = "Skills by size, 1 to 5 (the gain with its interval, 95 % for all together)"
    columns = (f"{size.parameters / 1e6:.2f}M" for size in sizes)
    yield Table(title, ("skill", *columns, "gain", "low", "high", "saturated"), tuple(rows))
    for some in (skills[: len(skills) // 2], skills[len(skills) // 2 :]):
        labels = tuple(map(named, some))
        bars = (Series(size.name, labels, tuple(statistics.fmean(size.of(s)) for s in some)) for size in sizes)
        yield Chart("bar", f"{named(some[0]).capitalize()} to {named(some[-1])}", "", "score, 1 to 5", tuple(bars))
    yield verdict(gains, sizes)


def verdict(gains: Mapping[str, Interval], sizes: Sequence[Size]) -> Verdict:
    """Do skills grow unequally?  Some rise, and the whole interval of another one's gain lies below theirs."""
    rising = [skill for skill, grown in gains.items() if grown.low > 0]
    ceiling = [skill for skill in gains if at_ceiling(skill, sizes)]
    standing = [skill for skill, grown in gains.items() if grown.high < HALF and skill not in ceiling]
    overall = [statistics.fmean(statistics.fmean(some.values()) for some in size.scores) for size in sizes]
    measured = {f"{size.name}/overall": mean for size, mean in zip(sizes, overall, strict=True)}
    measured |= {"skills_rising": float(len(rising)), "skills_saturated": float(len(standing))}
    measured["skills_at_ceiling"] = float(len(ceiling))
    measured |= {f"{skill}/size_gain": grown.mean for skill, grown in gains.items()}
    claim = f"From {sizes[0].name} to {sizes[-1].name} skills grow unequally: some rise, and others less, beyond chance"
    least = min((grown.high for skill, grown in gains.items() if skill not in ceiling), default=BEST)
    unequal = max(grown.low for grown in gains.values()) > max(0, least)
    return Verdict(claim, unequal, measured)
