"""What the catalogue holds: an entry for each demo, with the parameters worth playing with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """An option worth playing with.

    Numbers in a range have `low` and `high` (both allowed), a few values have `choices`, switches neither.
    """

    name: str
    default: int | float | str | bool
    meaning: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str | int, ...] = ()

    def fault(self, value: object) -> str | None:
        """What is wrong with `value`, as a line for the reader; None where it is allowed.

        >>> Parameter("points", 500, "Points drawn.", low=50, high=2000).fault(9)
        '--points must be between 50 and 2000, not 9'
        """
        flag = "--" + self.name.replace("_", "-")
        if self.choices and value not in self.choices:
            return f"{flag} must be one of {', '.join(map(str, self.choices))}, not {value}"
        if self.low is not None and self.high is not None:
            in_range = isinstance(value, (int, float)) and self.low <= value <= self.high
            return None if in_range else f"{flag} must be between {self.low:g} and {self.high:g}, not {value}"
        return None


@dataclass(frozen=True)
class Demo:
    """One question's demo, as shown before it runs."""

    slug: str
    title: str
    question: int
    """Its number among the 50."""
    breaks: str
    """What `--break` takes away, as a sentence."""
    look_at: str
    try_this: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    seconds: float = 10
    """The time limit on 2 CPU cores, imports included; most need less than half of it."""

    @property
    def module(self) -> str:
        """The file's name: `python -m learn_llm.demos.MODULE`."""
        return self.slug.replace("-", "_")
