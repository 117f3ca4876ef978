"""The tables and the chart of `minimal_impls/flask.py`: two models, A and B, beside each other."""

import statistics
from collections.abc import Iterator, Mapping, Sequence

from learn_llm.evaluation import Interval
from learn_llm.events import Chart, Series, Table
from learn_llm.minimal_impls.flask_asked import ABILITIES

Cell = str | float | int | None
FIRST, LAST = tuple(ABILITIES)[:2], tuple(ABILITIES)[2:]


def named(skill: str) -> str:
    """A skill as one reads it."""
    return skill.replace("_", " ")


def skill_table(skills: Mapping[str, Mapping[str, Sequence[float]]], means: Mapping[str, Sequence[float]]) -> Table:
    """The mean of each skill, in the order of FLASK's abilities, skills of a file behind them; then of all questions.

    Args:
        skills: for A and for B the scores of each skill.
        means: for A and for B the mean of each question.
    """
    a, b = skills["A"], skills["B"]
    known = [(ability, skill) for ability, some in ABILITIES.items() for skill in some if skill in a]
    known += [("", skill) for skill in a if skill not in {skill for _, skill in known}]
    lines = [(ability, named(skill), a[skill], b[skill]) for ability, skill in known]
    lines.append(("", "mean over questions", means["A"], means["B"]))
    rows: list[tuple[Cell, ...]] = []
    for ability, skill, ours, theirs in lines:
        x, y = statistics.fmean(ours), statistics.fmean(theirs)
        rows.append((ability, skill, len(ours), round(x, 2), round(y, 2), round(y - x, 2)))
    return Table("Skills, 1 to 5", ("ability", "skill", "items", "A", "B", "B - A"), tuple(rows))


def label_table(title: str, labels: Sequence[str], means: Mapping[str, Sequence[float]]) -> Table:
    """The mean over the questions of each label: domains, or difficulties."""
    rows: list[tuple[Cell, ...]] = []
    for label in sorted(set(labels)):
        of = [[mean for mean, at in zip(some, labels, strict=True) if at == label] for some in means.values()]
        rows.append((label, len(of[0]), *(round(statistics.fmean(some), 2) for some in of)))
    return Table(title, (title.partition(",")[0].lower(), "items", *means), tuple(rows))


def fall_table(falls: Mapping[str, Mapping[str, Interval]]) -> Iterator[Table]:
    """What the hard subset costs, where it was asked."""
    rows: list[tuple[Cell, ...]] = []
    for skill in (skill for some in ABILITIES.values() for skill in some if skill in falls["A"]):
        cells = (falls[name].get(skill) for name in ("A", "B"))
        said = (f"{f.mean:+.2f} ({f.low:+.2f} to {f.high:+.2f})" if f is not None else None for f in cells)
        rows.append((named(skill), *said))
    if rows:
        title = "Hard questions (difficulty 4, 5) minus easy ones (1, 2)"
        yield Table(title, ("skill", "A (95 % interval)", "B (95 % interval)"), tuple(rows))


def profile_charts(profiles: Mapping[str, Mapping[str, float]]) -> Iterator[Chart]:
    """The skills of both models as bars, in two charts that fit a screen."""
    known = {skill for some in ABILITIES.values() for skill in some}
    others = tuple(skill for skill in profiles["A"] if skill not in known)
    for abilities, more in ((FIRST, ()), (LAST, others)):
        skills = [s for ability in abilities for s in ABILITIES[ability] if s in profiles["A"]] + list(more)
        labels = tuple(map(named, skills))
        bars = tuple(Series(name, labels, tuple(some[s] for s in skills)) for name, some in profiles.items())
        title = " and ".join(abilities).capitalize()
        if skills:
            yield Chart("bar", title, "", "score, 1 to 5", bars)
