"""Runs that are kept: what a run of a file with its settings has measured, so that a long command can go on.

A run counts as long as nothing that it depends on has changed (`digests.py`), so commands share them: what `--full` has
measured `learn-llm results` does not measure again.
"""

import dataclasses
import hashlib
import json
import shutil
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from learn_llm import kept
from learn_llm.digests import digest
from learn_llm.events import Chart, Event, Metrics, Note, Stage, Table, Verdict, from_json, to_json
from learn_llm.folders import data_folder
from learn_llm.running import Run, RunConfig

WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Measured:
    """What a run measured."""

    holds: bool
    """Its own verdict."""
    values: Mapping[str, float]
    seconds: float
    claim: str = ""
    told: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    """What it said, as JSON: all but steps, stages and verdict, and where on this machine it keeps things."""

    def shown(self, name: str) -> Iterator[Event]:
        """What it said, tables and charts under its name."""
        for event in map(from_json, self.told):
            if isinstance(event, (Table, Chart)):
                event = dataclasses.replace(event, title=f"{name}: {event.title}")
            yield event


def store() -> Path:
    """Where runs are kept if nothing else is said."""
    return data_folder() / "results"


@dataclass(frozen=True)
class KeptRun:
    """A run of one file with its settings, and where it is kept."""

    module: str
    """Of this package: "minimal_impls.dpo"."""
    config: RunConfig
    store: Path
    also: Sequence[str] = ()
    """Modules that it imports by name."""

    @property
    def settings(self) -> str:
        """All of them, and what the files and the folders of models hold that some of them name."""
        values = dataclasses.asdict(self.config)
        named = [Path(value, end) for value in values.values() if isinstance(value, str) for end in ("", WEIGHTS)]
        held = {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in named if file.is_file()}
        return json.dumps([values, held], sort_keys=True)

    def key(self) -> str:
        """The digest of all that it depends on."""
        return digest([f"learn_llm.{name}" for name in (self.module, *self.also)], self.settings)

    @property
    def folder(self) -> Path:
        """Named by its settings, so that a run of other code takes its place."""
        short = hashlib.sha256(self.settings.encode()).hexdigest()[:8]
        return self.store / f"{self.module.rpartition('.')[2]}-seed-{self.config.seed}-{short}"

    def outdated(self) -> bool:
        """Whether what is kept there was made by other code or checkpoints."""
        return self.folder.exists() and not kept.same(self.folder, self.key())

    def found(self) -> Measured | None:
        """What it measured, where that is kept and nothing has changed since."""
        return kept.kept(self.folder, self.key(), Measured)

    def measure(self, run: Run[Any], name: str = "") -> Generator[Metrics, None, Measured]:
        """Run it; its steps are told, with `name` before each metric, what it has measured is returned and kept.

        Raises UserError where nothing can be written, before it runs.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        kept.begin(self.folder, self.key())
        started, events = time.monotonic(), list[Event]()
        for event in run(self.config):
            if isinstance(event, Metrics):
                yield Metrics(event.step, event.steps, {f"{name}{key}": value for key, value in event.values.items()})
            elif not isinstance(event, Stage) and not _names_the_store(event):
                events.append(event)
        verdict = events.pop()
        assert isinstance(verdict, Verdict)
        seconds, told = round(time.monotonic() - started, 1), [to_json(event) for event in events]
        measured = Measured(verdict.holds, dict(verdict.measured), seconds, verdict.claim, told)
        kept.keep(self.folder, measured)
        return measured


def _names_the_store(event: Event) -> bool:
    """Whether it tells where on this machine something is kept, which is true here and now only."""
    return isinstance(event, Note) and str(data_folder()) in event.text
