"""What a run can say.

A training loop or a demo is `run(config) -> Iterator[Event]`.  It prints nothing: the terminal, the app, a JSON-lines
pipe and the tests read the same events.  `to_json` and `from_json` are exact inverses; the JSON form is a public
interface: one object a line, `event` first.  A run says exactly one `Verdict`, last.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

VERSION = 1
ChartKind = Literal["line", "bar", "scatter", "heatmap", "hist"]


@dataclass(frozen=True)
class Start:
    """The first event: which run this is, and the whole configuration that it runs with."""

    run: str
    config: Mapping[str, Any]
    version: int = VERSION


@dataclass(frozen=True)
class Stage:
    """A named part of the run begins: number `index` of `of`, counted from 1."""

    name: str
    index: int
    of: int


@dataclass(frozen=True)
class Metrics:
    """Measured after step `step` of `steps`.  Every name in `values` has an entry in the glossary."""

    step: int
    steps: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class Sample:
    """A prompt and what the model answered, with its scores by name."""

    prompt: str
    response: str
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TokenRow:
    """One number per token, for example the cross-entropy or the advantage.

    Where bars are drawn, they are on one scale with the numbers in `scale`: those of a text to be compared with.
    """

    name: str
    values: tuple[float, ...]
    scale: tuple[float, ...] = ()


@dataclass(frozen=True)
class Tokens:
    """A text token by token with rows of numbers: objectives side by side.

    `title` tells it from the run's other texts, `prompt` is what it answers, `scores` are of the whole text by name.
    """

    tokens: tuple[str, ...]
    rows: tuple[TokenRow, ...]
    title: str = ""
    prompt: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Series:
    """One line, set of bars or points.

    line, scatter: `x` and `y` are numbers of equal length.  bar: `x` are labels, `y` the heights.
    hist: `y` are the raw values, `x` is empty.  heatmap: one series per row, named by it; `x` are the column labels.
    """

    name: str
    x: tuple[float | str, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Chart:
    """Data for a chart; how it is drawn is the reader's affair (`learn_llm.charts`)."""

    kind: ChartKind
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Table:
    """A table of cells that are text, numbers, or None where nothing was measured."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | None, ...], ...]


@dataclass(frozen=True)
class Note:
    """A sentence for the reader: what to look at, what was held fixed, what was left out."""

    text: str


@dataclass(frozen=True)
class Verdict:
    """The claim of the run, whether it holds, and what was measured.  The last event of every run."""

    claim: str
    holds: bool
    measured: Mapping[str, float]


Event = Start | Stage | Metrics | Sample | Tokens | Chart | Table | Note | Verdict

_NAMES: dict[type[Any], str] = {kind: kind.__name__.lower() for kind in typing.get_args(Event)}
_KINDS = {name: kind for kind, name in _NAMES.items()}
_HINTS = {kind: typing.get_type_hints(kind) for kind in (*_NAMES, TokenRow, Series)}
_NOT_FINITE = ("nan", "inf", "-inf")


def to_json(event: Event) -> dict[str, Any]:
    """The event as plain JSON values.  Not-a-number and infinities become the strings "nan", "inf" and "-inf".

    (So a cell or label with exactly that text comes back as the number.)

    >>> to_json(Stage("reward model", 2, 3))
    {'event': 'stage', 'name': 'reward model', 'index': 2, 'of': 3}
    """
    values = {f.name: _plain(getattr(event, f.name)) for f in dataclasses.fields(event)}
    if isinstance(event, Start):
        values = {"version": values.pop("version"), **values}
    return {"event": _NAMES[type(event)], **values}


def from_json(data: Mapping[str, Any]) -> Event:
    """The event that `to_json` wrote.  Raises ValueError where the object is no event of this version.

    >>> from_json({"event": "note", "text": "hello"})
    Note(text='hello')
    """
    kind = _KINDS.get(str(data.get("event")))
    if kind is None:
        raise ValueError(f"no event is called {data.get('event')!r}; there are {', '.join(_KINDS)}")
    try:
        event: Event = _build(kind, {name: value for name, value in data.items() if name != "event"})
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"not a {data['event']} event of version {VERSION}: {error}") from None
    if isinstance(event, Start) and event.version != VERSION:
        raise ValueError(f"the stream has version {event.version}, this program reads version {VERSION}")
    return event


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _build(kind: type[Any], values: Mapping[str, Any]) -> Any:
    hints = _HINTS[kind]
    for name in values:
        if name not in hints:
            raise ValueError(f"there is no field {name!r}")
    for field_ in dataclasses.fields(kind):
        needed = field_.default is dataclasses.MISSING and field_.default_factory is dataclasses.MISSING
        if needed and field_.name not in values:
            raise ValueError(f"the field {field_.name!r} is missing")
    return kind(**{name: _typed(name, value, hints[name]) for name, value in values.items()})


def _typed(name: str, value: Any, hint: Any) -> Any:
    """The value as the type of its field; ValueError or TypeError where it is something else."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if hint is float and (isinstance(value, (int, float)) or value in _NOT_FINITE) and not isinstance(value, bool):
        return float(value)
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(_typed(name, item, args[0]) for item in value)
    if origin is Mapping and isinstance(value, Mapping):
        return {key: _typed(f"{name}.{key}", item, args[1]) for key, item in value.items()}
    if origin is types.UnionType and isinstance(value, (*args, int) if float in args else args):
        return float(value) if value in _NOT_FINITE else value
    if origin is Literal and value in args:
        return value
    if hint in _HINTS and isinstance(value, Mapping):
        return _build(hint, value)
    if hint in (str, int, bool) and type(value) is hint:
        return value
    wanted = hint.__name__ if isinstance(hint, type) else str(hint)
    raise ValueError(f"{name} is {value!r}, expected {wanted}")
