"""The verdicts of the demos that a learner ran, kept in the database of their progress."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from learn_llm.quizzes.progress import Progress

Value = int | float | str | bool
"""Of a demo's parameter."""


@dataclass(frozen=True)
class DemoRun:
    """A demo that came to its verdict."""

    demo: str
    """Its slug."""
    ended_at: datetime
    """UTC."""
    options: Mapping[str, Value]
    """The parameters that were not at their defaults."""
    broken: bool
    holds: bool
    claim: str
    measured: Mapping[str, float]


def verdict_key(holds: bool, broken: bool) -> str:
    """The text that says whether the claim held, and whether it should have."""
    return ("demo.holds" if holds else "demo.fails") + (".broken" if broken else "")


class DemoHistory:
    """Keeps runs, in memory where the database of `progress` cannot be written."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def keep(
        self,
        demo: str,
        *,
        options: Mapping[str, Value],
        broken: bool,
        holds: bool,
        claim: str,
        measured: Mapping[str, float],
    ) -> None:
        """Keep a run that has just ended."""
        now = self.progress.schedule.now().isoformat(timespec="microseconds")
        values = (demo, now, json.dumps(dict(options)), broken, holds, claim, json.dumps(dict(measured)))
        sql = (
            "INSERT INTO demo_run (demo, ended_at, options, broken, holds, claim, measured)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        self.progress.keep(lambda: self.progress.db.execute(sql, values))

    def last(self, demo: str) -> DemoRun | None:
        """The newest run of this demo; None where there is none that can be read."""
        row = self.progress.db.execute(
            "SELECT ended_at, options, broken, holds, claim, measured FROM demo_run WHERE demo = ?"
            " ORDER BY id DESC LIMIT 1",
            (demo,),
        ).fetchone()
        if row is None:
            return None
        ended_at, options, broken, holds, claim, measured = row
        try:
            moment = datetime.fromisoformat(ended_at)
            return DemoRun(demo, moment, json.loads(options), bool(broken), bool(holds), claim, json.loads(measured))
        except (ValueError, TypeError):  # changed by another program
            return None
