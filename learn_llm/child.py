"""Follows a run in a child process, for the app: the screen never freezes, and ending the process cancels the run.

A thread could not be ended, and would hold the interpreter while it computes; `multiprocessing` fails under Textual,
which replaces the standard error stream.  So a run is a process of its own session that writes JSON lines.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
from collections.abc import AsyncGenerator, Coroutine, Sequence

from learn_llm.events import Event, Note, Verdict, from_json

LINE_LIMIT = 8 * 2**20
"""The longest line that is read, in bytes; a longer one is skipped with a note."""
GRACE = 2.0
"""Seconds that a child has between being asked to end and being killed."""
REAPED = 30.0
"""Seconds, at most, until a killed child is gone: at once, except where the machine is overloaded."""

_TAIL = 8_000
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|[\x00-\x08\x0b-\x1f\x7f]")


async def read_child(argv: Sequence[str]) -> AsyncGenerator[Event, None]:
    """The events of the run that `argv` starts, as they come.

    What is no event becomes a Note, and so does the end of a run that failed: nothing is raised for what a child does.
    When the iterator is closed or its task cancelled, the child and what it started are ended, after `GRACE` seconds by
    force.  Close it (`contextlib.aclosing`) where it may be left early.
    """
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            env=environment(),
            limit=LINE_LIMIT,
            start_new_session=True,
        )
    except OSError as error:
        yield Note(f"The run could not be started: {error}")
        return
    errors = bytearray()
    listening = asyncio.create_task(keep_tail(process.stderr, errors))
    concluded = False
    try:
        async with contextlib.aclosing(_lines(process)) as lines:
            async for line in lines:
                event = _event(line)
                if event is not None:
                    concluded = concluded or isinstance(event, Verdict)
                    yield event
        await _exited(process, GRACE)
        if process.returncode is not None:  # what it said on standard error may still be under way
            await asyncio.wait((listening,), timeout=0.5)
        ending = _ending(process.returncode, readable_lines(errors), concluded)
        if ending is not None:
            yield ending
    finally:
        await end_child(process, listening)


def environment() -> dict[str, str]:
    """That of a child: what it writes comes at once, as UTF-8."""
    return os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}


async def _lines(process: asyncio.subprocess.Process) -> AsyncGenerator[bytes, None]:
    """What the child writes; ends with the child even where a process that it left behind holds the pipe."""
    assert process.stdout is not None
    while True:
        try:
            async with asyncio.timeout(0.5):
                line = await process.stdout.readline()
        except TimeoutError:
            if process.returncode is not None:
                return
            continue
        except ValueError:
            yield f"(a line of more than {LINE_LIMIT // 2**20} MiB was skipped)".encode()
            continue
        if not line:
            return
        yield line


def _event(line: bytes) -> Event | None:
    """The event of a line, a Note for anything else, None for an empty line."""
    text = line.decode("utf-8", errors="replace").strip()
    if not text.startswith("{"):
        shown = _clean(text)[:500]
        return Note(shown) if shown else None
    try:
        return from_json(json.loads(text))
    except (ValueError, RecursionError) as error:
        return Note(f"A line of the run could not be read ({error}): {_clean(text)[:200]}")


def _ending(code: int | None, errors: list[str], concluded: bool) -> Note | None:
    """What there is to say about how the child ended; nothing where all went well."""
    last = "\n".join(errors[-5:])
    if code == 0:
        return None if concluded else Note("The run ended without a verdict.")
    if code is None:
        return Note("The run closed its output but did not end.")
    if code == 130 or code == -signal.SIGINT:
        return Note("The run was interrupted.")
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        hint = " Perhaps the memory ran out." if name == "SIGKILL" else ""
        return Note(f"The run was ended by {name}.{hint}" + (f"\n{last}" if last else ""))
    return Note(f"The run ended with exit code {code}." + (f"\n{last}" if last else ""))


async def keep_tail(stream: asyncio.StreamReader | None, tail: bytearray) -> None:
    """Reads a stream to its end, and keeps the last of it."""
    assert stream is not None
    while chunk := await stream.read(65536):
        tail += chunk
        del tail[:-_TAIL]


def readable_lines(errors: bytearray) -> list[str]:
    """The lines of what was kept: of a line that a progress bar wrote over again and again, its last state."""
    lines = errors.decode("utf-8", errors="replace").replace("\r\n", "\n").split("\n")
    shown = (_clean(line.rstrip("\r").rpartition("\r")[2]).rstrip() for line in lines)
    return [line for line in shown if line]


def _clean(text: str) -> str:
    return _ESCAPES.sub("", text)


async def end_child(process: asyncio.subprocess.Process, listening: asyncio.Task[None]) -> None:
    """Ends the child and what it started; at the end its pipes are drained, so that nothing is left open.

    Cancelled meanwhile, it uses force at once, and is cancelled when the child is gone.
    """
    try:
        if process.returncode is None:
            _signal_all(process, signal.SIGTERM)
            await _exited(process, GRACE)
    finally:
        listening.cancel()
        _signal_all(process, getattr(signal, "SIGKILL", signal.SIGTERM))
        await _in_spite_of_cancelling(_close(process, listening))


async def _close(process: asyncio.subprocess.Process, listening: asyncio.Task[None]) -> None:
    """Waits until a killed child is gone, and drains its pipes."""
    await _exited(process, REAPED)
    await asyncio.wait((listening,))
    for stream in (process.stdout, process.stderr):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                while stream is not None and await stream.read(2**20):
                    pass


async def _in_spite_of_cancelling(work: Coroutine[None, None, None]) -> None:
    """Does a short piece of work to its end; whoever cancels it meanwhile is obeyed afterwards."""
    task, cancelled = asyncio.ensure_future(work), False
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    task.result()


async def _exited(process: asyncio.subprocess.Process, seconds: float) -> None:
    """Waits until the child has ended, but no longer.  (`process.wait` would wait for its pipes to close as well.)"""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while process.returncode is None:
                await asyncio.sleep(0.01)


def _signal_all(process: asyncio.subprocess.Process, number: int) -> None:
    """Sends a signal to every process of the child's group, where the system knows groups; else to the child."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
