"""docs/results.md: every claim beside the figure of its source, measured over several seeds.  `learn-llm results`.

A run is a method's file with its settings (`results_claims`); each of its claims is about one number of the verdict.
Its mean over the seeds has a t-interval, and the source says on which side of a bound it should lie:

    agrees            the whole interval lies there
    does not          the whole interval lies on the other side
    undecided         the bound lies inside
    not comparable    the source measured something else; what, is said

What a run measured with a seed is kept (`kept_runs.py`).  So the same command goes on where it was stopped, at the run
that was under way, and computes only what is new.
"""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from learn_llm import kept_runs
from learn_llm.errors import UserError
from learn_llm.evaluation import Interval, interval
from learn_llm.events import Event, Note, Stage, Table, Verdict
from learn_llm.kept_runs import KeptRun, Measured
from learn_llm.results_claims import RUNS, known
from learn_llm.results_claims.claim import Claim, Run
from learn_llm.running import RunConfig

WORDS = ("agrees", "does not", "undecided", "not comparable", "not measured yet")


@dataclass(frozen=True)
class Config(RunConfig):
    """What is measured, and where it goes."""

    only: tuple[str, ...] = ()
    """Which runs; none: all that there are."""
    seeds: int = 5
    """How many seeds, counted from --seed."""
    write: str = ""
    """Where to write the results; those of other runs that are kept stand there, too."""
    store: str = ""
    """Where finished runs are kept; empty: a folder of the user's data."""

    def __post_init__(self) -> None:
        for name in self.only:
            known(name)
        if self.seeds < 2:
            raise UserError(f"--seeds must be at least 2, an interval needs more than one: it is {self.seeds}")

    @property
    def folder(self) -> Path:
        """Where runs are kept."""
        return Path(self.store) if self.store else kept_runs.store()


@dataclass(frozen=True)
class Answer:
    """A claim, what was measured, and what is to be said."""

    claim: Claim
    own: Interval | None
    """Over the seeds."""
    word: str
    """One of WORDS."""


def run(config: Config) -> Iterator[Event]:
    """Run what is not kept yet, one table a run; the verdict says whether anything goes against its source."""
    names = [name for name in RUNS if name in config.only or not config.only]
    seeds = range(config.seed, config.seed + config.seeds)
    jobs = [(name, seed) for name in names for seed in seeds]
    yield Note(f"{len(jobs)} runs, those that are finished are kept in {config.folder}")
    for index, (name, seed) in enumerate(jobs, 1):
        yield Stage(f"{name}, seed {seed}", index, len(jobs))
        one = kept_run(config, name, seed)
        if one.found() is None:
            if one.outdated():
                yield Note(f"{name}, seed {seed}: kept by other code or checkpoints; measured anew")
            yield from one.measure(import_module(f"learn_llm.{one.module}").run)
    answers: list[Answer] = []
    for name in names:
        found = [some for seed in seeds if (some := kept(config, name, seed)) is not None]
        answers += [answer(claim, found) for claim in RUNS[name].claims]
        yield table(name, answers[-len(RUNS[name].claims) :], found)
    if config.write:
        write(config)
        yield Note(f"written to {config.write}")
    counts = {word: sum(one.word == word for one in answers) for word in WORDS[:4]}
    measured = {word.replace(" ", "_"): float(count) for word, count in counts.items()}
    yield Verdict("No claim that can be compared goes against its source", not counts["does not"], measured)


def kept_run(config: Config, name: str, seed: int) -> KeptRun:
    """A run with one seed."""
    one = RUNS[name]
    made = import_module(f"learn_llm.{one.module}").Config(seed=seed, break_=config.break_, **one.settings)
    return KeptRun(one.module, made, config.folder, one.also)


def kept(config: Config, name: str, seed: int) -> Measured | None:
    """What the run measured with this seed, where it is kept and nothing has changed since."""
    return kept_run(config, name, seed).found()


def value(number: str, measured: Mapping[str, float]) -> float:
    """A number of a verdict, or the difference or the share of two; NaN where it would be a share of nothing.

    >>> value("a - b", {"a": 3.0, "b": 1.0}), value("a / b", {"a": 3.0, "b": 2.0}), value("a", {"a": 3.0})
    (2.0, 1.5, 3.0)
    """
    for sign in (" - ", " / "):
        if sign in number:
            a, b = (measured[name] for name in number.split(sign))
            return a - b if sign == " - " else a / b if b else math.nan
    return measured[number]


def answer(claim: Claim, found: Sequence[Measured]) -> Answer:
    """The claim after these seeds."""
    if len(found) < 2:
        return Answer(claim, None, "not measured yet")
    numbers = [value(claim.number, one.values) for one in found]
    own = interval(numbers) if all(map(math.isfinite, numbers)) else Interval(math.nan, math.nan, math.nan)
    if claim.not_comparable:
        return Answer(claim, own, "not comparable")
    low, high = (own.low, own.high) if claim.side == "above" else (-own.high, -own.low)
    bound = claim.bound if claim.side == "above" else -claim.bound
    return Answer(claim, own, "agrees" if low > bound else "does not" if high < bound else "undecided")


def table(name: str, answers: Sequence[Answer], found: Sequence[Measured]) -> Table:
    """The claims of one run."""
    seconds = statistics.fmean(one.seconds for one in found) if found else 0.0
    held = sum(one.holds for one in found)
    title = f"{name}: {len(found)} seeds, {seconds:.0f} s each; its own verdict held for {held}"
    rows = tuple((one.claim.text, shown(one.own), one.claim.source, one.word) for one in answers)
    return Table(title, ("claim", "here, 95 % interval", "source", ""), rows)


def shown(own: Interval | None) -> str:
    """A mean with its interval, with as many digits as mean something.

    >>> shown(Interval(0.4213, 0.382, 0.46)), shown(None)
    ('0.421 [0.382, 0.460]', '')
    """
    if own is None:
        return ""
    digits = 3 if max(abs(own.mean), abs(own.high), abs(own.low)) < 10 else 1
    return f"{own.mean:.{digits}f} [{own.low:.{digits}f}, {own.high:.{digits}f}]"


HEAD = """# Results

Every claim of the method files beside the figure of its source. Written by `learn-llm results --write docs/results.md`.

The mean over the seeds stands with its 95 % t-interval; all is conditional on the bundled checkpoints. The source says
on which side of a bound the number should lie. **agrees**: the whole interval lies there; **does not**: it lies on the
other side; **undecided**: the bound lies inside; **not comparable**: the source measured something else. Models here
have about a million parameters, those of the papers up to 175 billion: what agrees is a direction, never a size.
"""


def write(config: Config) -> None:
    """The results of all runs, as far as they are kept.  Raises UserError where the file cannot be written."""
    parts = [HEAD]
    for name, one in RUNS.items():
        found = [some for i in range(config.seeds) if (some := kept(config, name, config.seed + i)) is not None]
        parts.append(section(name, one, found))
    file = Path(config.write)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(parts), "utf-8")
    except OSError as error:
        raise UserError(f"--write {config.write} cannot be written: {error.strerror}") from None


def section(name: str, one: Run, found: Sequence[Measured]) -> str:
    """One run in Markdown."""
    lines = [f"## {name}", "", one.about, "", "| Claim | Here | Source | |", "|---|---|---|---|"]
    for made in (answer(claim, found) for claim in one.claims):
        claim = made.claim
        should = f"`{claim.number}` {'>' if claim.side == 'above' else '<'} {claim.bound:g}"
        text = f"{claim.text} ({should})" if not claim.not_comparable else f"{claim.text} (`{claim.number}`)"
        why = f": {claim.not_comparable}" if made.word == "not comparable" else ""
        lines.append(f"| {text} | {shown(made.own)} | {claim.source} | **{made.word}**{why} |")
    options = " ".join(_option(option, setting) for option, setting in one.settings.items())
    command = f"python -m learn_llm.{one.module} {options}".strip() if one.command == "" else one.command
    held = f"Its own verdict held for {sum(some.holds for some in found)} of {len(found)} seeds. " if found else ""
    return "\n".join([*lines, "", f"{held}One seed: `{command} --seed 0`", ""])


def _option(name: str, setting: object) -> str:
    flag = f"--{name.replace('_', '-')}"
    if setting is True:
        return flag
    words = [str(one) for one in setting] if isinstance(setting, (tuple, list)) else [str(setting)]
    return " ".join([flag, *(f'"{word}"' if " " in word else word for word in words)])
