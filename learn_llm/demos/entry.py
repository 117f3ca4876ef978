"""What the catalogue holds: an entry for each demo, with the parameters worth playing with."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace


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
class Words:
    """What a demo says of itself in another language than English."""

    title: str
    breaks: str
    look_at: str
    try_this: tuple[str, ...]
    """In the order of the demo's own, without the options that these begin with."""
    meanings: Mapping[str, str]
    """Of each parameter, by name."""


@dataclass(frozen=True)
class Sentence:
    """What a demo's run can claim or note, in the run's own words and in Japanese.

    In both `{name}` stands for what only a run knows: numbers, as a rule.
    """

    demo: str
    """Its slug."""
    english: str
    japanese: str

    def translated(self, text: str) -> str | None:
        """What a run says, in Japanese; None where it is another sentence than this one.

        >>> one = Sentence("quantisation", "A base of {bits} bits will do", "{bits}ビットのベースで足ります。")
        >>> one.translated("A base of 4 bits will do")
        '4ビットのベースで足ります。'
        >>> one.translated("A base of 4 bits will not do") is None
        True
        """
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(self.english))
        found = re.fullmatch(pattern, text)
        return self.japanese.format(**found.groupdict()) if found else None


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

    def said_in(self, words: Words) -> "Demo":
        """The same demo with its texts in these words.  KeyError or ValueError where there is not one for each text."""
        options = (text.partition(": ")[0] for text in self.try_this)
        return replace(
            self,
            title=words.title,
            breaks=words.breaks,
            look_at=words.look_at,
            try_this=tuple(f"{option}: {text}" for option, text in zip(options, words.try_this, strict=True)),
            parameters=tuple(replace(one, meaning=words.meanings[one.name]) for one in self.parameters),
        )
