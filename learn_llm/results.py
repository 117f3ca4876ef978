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

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from learn_llm import kept_runs
from learn_llm.errors import UserError
from learn_llm.events import Event, Note, Stage, Table, Verdict
from learn_llm.kept_runs import KeptRun, Measured
from learn_llm.results_claims import RUNS, known
from learn_llm.results_claims.answer import WORDS, Answer, answer, shown
from learn_llm.results_page import page
from learn_llm.running import RunConfig


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


def table(name: str, answers: Sequence[Answer], found: Sequence[Measured]) -> Table:
    """The claims of one run."""
    seconds = statistics.fmean(one.seconds for one in found) if found else 0.0
    held = sum(one.holds for one in found)
    title = f"{name}: {len(found)} seeds, {seconds:.0f} s each; its own verdict held for {held}"
    rows = tuple((one.claim.text, shown(one.own), one.claim.source, one.word) for one in answers)
    return Table(title, ("claim", "here, 95 % interval", "source", ""), rows)


def write(config: Config) -> None:
    """The results of all runs, as far as they are kept.  Raises UserError where the file cannot be written."""
    seeds = range(config.seed, config.seed + config.seeds)
    found = {name: [some for seed in seeds if (some := kept(config, name, seed)) is not None] for name in RUNS}
    file = Path(config.write)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page(RUNS, found), "utf-8")
    except OSError as error:
        raise UserError(f"--write {config.write} cannot be written: {error.strerror}") from None
