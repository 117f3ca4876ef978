"""What every metric is, its unit, the range a healthy run shows, and what a value outside means.

The terminal, the app and the docs read this one list, whose entries stand in the files beside this one.  Ranges are
rules of thumb for the runs of this package: a value outside is a reason to look, not an error.  A metric that is not
here is shown all the same, without a mark.

An entry is `name | unit | low .. high`, where unit and range may be missing and the range may be open at one end; then
what it means; then, after `outside:`, what a value outside the range means.
"""

from dataclasses import dataclass

from learn_llm.glossary import demos, methods, preferences, training


@dataclass(frozen=True)
class Metric:
    """One entry: `low` and `high` bound the healthy range, None where there is no bound on that side."""

    name: str
    meaning: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    outside: str = ""

    @property
    def healthy(self) -> str:
        """The healthy range in words.

        >>> METRICS["clip_fraction"].healthy, METRICS["margin"].healthy, METRICS["loss"].healthy
        ('0 to 0.3', 'at least 0', '')
        """
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"at least {self.low:g}"
        return "" if self.high is None else f"at most {self.high:g}"


def find(name: str) -> Metric | None:
    """The entry of a metric, None where there is none.  A qualified name (`sft/gold`) is found by its last part.

    >>> find("sft/gold") is METRICS["gold"], find("no such metric")
    (True, None)
    """
    return METRICS.get(name) or METRICS.get(name.rpartition("/")[2])


def mark(name: str, value: float) -> str:
    """Where the value lies: "low" or "high" outside the healthy range, "" inside or where no range is known.

    >>> mark("clip_fraction", 0.45), mark("clip_fraction", 0.1), mark("no such metric", 7.0)
    ('high', '', '')
    """
    metric = find(name)
    if metric is None:
        return ""
    if metric.low is not None and value < metric.low:
        return "low"
    return "high" if metric.high is not None and value > metric.high else ""


def _read(entries: str) -> dict[str, Metric]:
    metrics: dict[str, Metric] = {}
    head, text = "", ""
    for line in [*entries.splitlines(), "end"]:
        if line.startswith(" "):
            text += " " + line.strip()
        elif line and not line.startswith("#"):
            if head:
                metric = _metric(head, text)
                metrics[metric.name] = metric
            head, text = line, ""
    return metrics


def _metric(head: str, text: str) -> Metric:
    name, unit, bounds = (part.strip() for part in (head + " | |").split("|")[:3])
    low, _, high = (bound.strip() for bound in bounds.partition(".."))
    meaning, _, outside = (part.strip() for part in text.partition("outside:"))
    return Metric(name, meaning, unit, float(low) if low else None, float(high) if high else None, outside)


_ENTRIES = "".join(room.ENTRIES for room in (training, preferences, methods, demos))
METRICS: dict[str, Metric] = _read(_ENTRIES)
