"""Reads a run: shows it in the terminal, writes it as JSON lines, or follows it in a child process.

A run is `run(config) -> Iterator[Event]` and prints nothing.  `main` makes a program of it, with a command line from
the fields of its Config; `execute` reads it to the end and returns the exit code; `read_child` follows one in another
process, for the app.
"""

import contextlib
import dataclasses
import json
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

from learn_llm import parallel, terminal
from learn_llm.child import read_child
from learn_llm.errors import UserError
from learn_llm.events import Event, Metrics, Start, Verdict, to_json
from learn_llm.glyphs import lenient
from learn_llm.tensorboard_log import TensorBoardLog

__all__ = ["Run", "RunConfig", "execute", "main", "read_child", "steps_of"]

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class RunConfig:
    """What every run can be told.  A run's own Config inherits from it, with a line of help under each field."""

    seed: int = 0
    """Draws the prompts, the pairs, new weights and the samples: the same seed gives the same run."""
    break_: bool = False
    """Break the method on purpose: its claim must then fail."""


C = TypeVar("C", bound=RunConfig)
Run = Callable[[C], Iterator[Event]]


def main(run: Run[C], config_type: type[C], argv: Sequence[str] | None = None, *, name: str | None = None) -> NoReturn:
    """The program of a run: reads the command line into its Config, executes it, and exits with its code.

    Args:
        run: the generator function.
        config_type: its frozen dataclass; each field is an option, the docstring below it the help.
        argv: the arguments without the program's name; by default those of this process.
        name: the run's name in its Start event; by default the last part of its module's name.
    """
    lenient(sys.stdout, sys.stderr)
    module = sys.modules[run.__module__]
    path = module.__spec__.name if module.__spec__ else module.__name__
    lecture = (module.__doc__ or "").strip().partition("\n\n")[0]
    if parallel.started_alone():
        _say("note: accelerate launch started one process only; add --multi_gpu for several, on CPUs, too")
    try:
        config, how = _parse(config_type, sys.argv[1:] if argv is None else argv, f"python -m {path}", lecture)
        code = execute(run, config, name=name or path.rpartition(".")[2], **how)
    except UserError as error:
        _say(f"error: {error}")
        code = error.exit_code
    sys.exit(code)


def execute(
    run: Run[C],
    config: C,
    *,
    name: str,
    json_output: bool = False,
    check: bool = False,
    log_dir: str = "",
    console: "Console | None" = None,
) -> int:
    """Reads a run to its end and returns the exit code.

    Args:
        name: said in the Start event, which is emitted here, before the run's own events.
        json_output: one JSON object a line on standard output instead of the view for people.
        check: end with 1 where the claim did not come out as it should: held without `break_`, not held with it.
        log_dir: a folder for TensorBoard logs besides.
        console: the Rich console to show on; by default standard output.
    Returns:
        0 finished, 1 failed the check, 2 or 3 a UserError (its message goes to standard error), 130 after Ctrl-C.
    Raises:
        RuntimeError: the run does not end in exactly one Verdict; a defect of the run.

    Of several processes (`parallel`) all go through the run, and the first one shows it.
    """
    out: IO[str] = console.file if console is not None else sys.stdout
    stream = _stream(run, config, name)
    verdict: Verdict | None = None
    try:
        readers = [JsonLines(out) if json_output else terminal.reader(console)] if parallel.is_first() else []
        readers += [TensorBoardLog(log_dir)] if log_dir and parallel.is_first() else []
        with _Interrupt() as interrupt, contextlib.ExitStack() as open_, contextlib.closing(stream):
            for reader in readers:
                open_.callback(reader.close)
            for event in stream:
                interrupt.at_event()
                for reader in readers:
                    reader.show(event)
                if isinstance(event, Verdict):
                    verdict = event
        out.flush()
    except KeyboardInterrupt:
        _say("interrupted")
        return 130
    except UserError as error:
        _say(f"error: {error}")
        return error.exit_code
    except BrokenPipeError:
        _give_up_stdout()
        return int(check)
    if verdict is None:
        raise RuntimeError(f"the run {name} ended without a verdict")
    if check and verdict.holds == config.break_:
        wrong = "the claim held although the method was broken" if config.break_ else "the claim did not hold"
        _say(f"check failed: {wrong}: {verdict.claim}")
        return 1
    return 0


def _say(line: str) -> None:
    """One line on standard error; of several processes only the first one says it."""
    if parallel.is_first():
        print(line, file=sys.stderr)


def steps_of(events: Iterator[Event]) -> Iterator[Metrics]:
    """The steps of a training run, which ends behind its last one: what it has trained is saved, but not evaluated.

    For a run inside another one, whose evaluation is the other one's.
    """
    last = False
    try:
        for event in events:
            if isinstance(event, Metrics):
                last = event.step == event.steps
                yield event
            elif last:
                return
    finally:
        if isinstance(events, Generator):
            events.close()


class JsonLines:
    """Writes each event as one line of JSON, at once."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._ascii = (getattr(out, "encoding", None) or "utf-8").lower().replace("_", "-") != "utf-8"

    def show(self, event: Event) -> None:
        """One line, flushed."""
        line = _dumps(to_json(event), self._ascii)
        if not line.isprintable():  # a lone surrogate cannot be encoded, its escape can
            line = _dumps(to_json(event), True)
        self._out.write(line + "\n")
        self._out.flush()

    def close(self) -> None:
        """Nothing is held back."""


def _dumps(value: Mapping[str, Any], ascii_only: bool) -> str:
    return json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, separators=(",", ":"))


def _stream(run: Run[C], config: C, name: str) -> Generator[Event, None, None]:
    """The run's events behind its Start; a RuntimeError where it says something after its verdict."""
    yield Start(name, _values(config))
    said_verdict = False
    events = run(config)
    try:
        for event in events:
            if said_verdict or isinstance(event, Start):
                place = "after its verdict" if said_verdict else "by itself"
                raise RuntimeError(f"the run {name} said {type(event).__name__} {place}")
            said_verdict = isinstance(event, Verdict)
            yield event
    except BrokenPipeError as error:  # not to be taken for a reader of ours that went away
        raise RuntimeError(f"the run {name} lost a pipe of its own") from error
    finally:
        if isinstance(events, Generator):
            events.close()


def _values(config: RunConfig) -> dict[str, Any]:
    """The configuration as it is written in JSON: a trailing underscore, there to avoid a keyword, is dropped."""
    return {field.name.rstrip("_"): _plain(getattr(config, field.name)) for field in dataclasses.fields(config)}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(value)


class _Interrupt:
    """Ctrl-C ends the run at its next event, where its state is whole; a second one, or `PATIENCE` seconds, at once."""

    PATIENCE = 2.0

    def __init__(self) -> None:
        self._asked = False
        self._ours = False

    def __enter__(self) -> "_Interrupt":
        # Elsewhere than in the main thread, or where somebody handles Ctrl-C already, it is left alone.
        main_thread = threading.current_thread() is threading.main_thread()
        if main_thread and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._on_signal)
            self._ours = True
        return self

    def __exit__(self, *_: object) -> None:
        self._forget_alarm()
        if self._ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def at_event(self) -> None:
        """Raises KeyboardInterrupt where Ctrl-C was pressed since the last event."""
        if self._asked:
            self._forget_alarm()
            raise KeyboardInterrupt

    def _on_signal(self, number: int, frame: types.FrameType | None) -> None:
        if self._asked or not hasattr(signal, "setitimer"):
            raise KeyboardInterrupt
        self._asked = True
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, self.PATIENCE)

    def _forget_alarm(self) -> None:
        if self._asked and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _give_up_stdout() -> None:
    """Nobody reads any more: what the interpreter flushes at its exit goes nowhere instead of failing."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parse(config_type: type[C], argv: Sequence[str], program: str, description: str) -> tuple[C, dict[str, Any]]:
    """The Config that the arguments ask for, and how `execute` is to read the run.

    Raises UserError for anything else than options.
    """
    import difflib
    import io

    import tyro

    def flag(name: str, text: str | None = None) -> Any:
        return Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(name=name, help=text)]

    checking = "Exit with 1 unless the claim holds (with --break: unless it fails)."
    logging = tyro.conf.arg(name="log-dir", help="Folder for TensorBoard logs of the run.")
    options = dataclasses.make_dataclass(
        "Options",
        [
            ("break_", flag("break"), False),
            ("json_output_", flag("json", "Write one JSON object a line instead of showing the run."), False),
            ("check_", flag("check", checking), False),
            ("log_dir_", Annotated[str, logging], ""),
        ],
        bases=(config_type,),
        frozen=True,
    )
    boxed = io.StringIO()
    read: Any
    try:
        with contextlib.redirect_stderr(boxed):
            read, unknown = tyro.cli(
                options, prog=program, description=description, args=argv, return_unknown_args=True
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        raise UserError(f"{_unboxed(boxed.getvalue())} (`{program} --help` lists the options)") from None
    if unknown:
        stray = next((word for word in unknown if word.startswith("-")), unknown[0])
        names = [f"--{field.name.strip('_').replace('_', '-')}" for field in dataclasses.fields(config_type)]
        near = difflib.get_close_matches(stray.partition("=")[0], [*names, "--json", "--check", "--log-dir"], n=1)
        kind = "there is no option" if stray.startswith("-") else "unexpected argument"
        hint = f", did you mean {near[0]}?" if near else ""
        raise UserError(f"{kind} {stray}{hint} (`{program} --help` lists the options)")
    values = {field.name: getattr(read, field.name) for field in dataclasses.fields(config_type) if field.init}
    how = {"json_output": read.json_output_, "check": read.check_, "log_dir": read.log_dir_}
    return config_type(**values), how


def _unboxed(text: str) -> str:
    """The message at the top of the box that tyro draws around an error, as one line; its ASCII box has rules only.

    >>> _unboxed("╭─ Value error ─╮\\n│ not a number  │\\n│ ───────────── │\\n│ more help     │\\n╰───────────────╯")
    'not a number'
    >>> _unboxed(" Value error \\n ------------ \\n not a number \\n ------------ \\n more help")
    'not a number'
    """
    rows = [line.strip().strip("│").strip() for line in text.splitlines()]
    parts: list[list[str]] = [[]]
    for row in rows:
        if row and (set(row) <= {"─", "-"} or row.startswith("╭")):
            parts.append([])
        elif row and not row.startswith("╰"):
            parts[-1].append(row)
    return " ".join(parts[1] if len(parts) > 1 else parts[0]) or "the command line cannot be read"
