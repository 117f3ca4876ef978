"""Shows a run to a person: a live view in a terminal, plain lines anywhere else."""

import sys
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Protocol

from learn_llm.events import Chart, Event, Metrics, Note, Sample, Stage, Start, Table, Tokens, Verdict

if TYPE_CHECKING:
    from rich.console import Console


class Reader(Protocol):
    """Takes the events of one run, one after the other."""

    def show(self, event: Event) -> None:
        """Shows one event."""

    def close(self) -> None:
        """Shows what was held back; called once, after the last event or when the run is cut short."""


def reader(console: "Console | None") -> Reader:
    """The reader that fits where the output goes."""
    return Plain(console.file if console is not None else sys.stdout)


class Plain:
    """One line or block an event, in order, without any escape sequence."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out

    def show(self, event: Event) -> None:
        """Prints the event."""
        match event:
            case Start(run=run, config=config):
                self._print(f"run {run}: " + ", ".join(f"{name} {value}" for name, value in config.items()))
            case Stage(name=name, index=index, of=of):
                self._print(f"\nstage {index} of {of}: {name}")
            case Metrics(step=step, steps=steps, values=values):
                self._print(f"step {step}/{steps}  {_pairs(values)}")
            case Sample(prompt=prompt, response=response, scores=scores):
                self._print(f"sample: {prompt}\n    -> {response}  {_pairs(scores)}")
            case Tokens(tokens=tokens, rows=rows):
                self._print(" ".join(tokens))
                for row in rows:
                    self._print(f"{row.name}: " + " ".join(f"{value:.2f}" for value in row.values))
            case Chart(title=title):
                self._print(f"\n{title}")
            case Table(title=title, columns=columns, rows=lines):
                self._print(f"\n{title}\n" + "  ".join(columns))
                for line in lines:
                    self._print("  ".join("-" if cell is None else str(cell) for cell in line))
            case Note(text=text):
                self._print(text)
            case Verdict(claim=claim, holds=holds, measured=measured):
                self._print(
                    f"\n{'The claim holds' if holds else 'The claim does not hold'}: {claim}\n{_pairs(measured)}"
                )

    def close(self) -> None:
        """Nothing is held back."""

    def _print(self, text: str) -> None:
        print(text, file=self._out, flush=True)


def _pairs(values: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in values.items())
