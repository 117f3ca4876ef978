"""The judge's side of a worker: start it, hand it a learner's file and cases, read its answers, end it in time.

Nothing that comes from the worker is trusted: answers are bytes of a bounded number and size, and they count only when
there is one for each case.  The exit code means nothing.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from learn_llm.errors import UserError
from learn_llm.exercises.isolation import descendants, resident, waits_for_cpu

PACKAGE = Path(__file__).resolve().parents[1]
SECONDS = 10.0
"""Time that a check may take."""
PATIENCE = 5
"""So many times as long it may take where the machine is busy, and did not let it run."""
MEMORY = 3 << 30
"""Bytes that a worker's processes may hold together."""
PROCESSES = 16
LARGEST = 64 << 20
"""Bytes of one answer."""
START = 300.0
"""Seconds within which a worker must be ready."""

End = Literal["done", "time", "memory", "processes", "size", "nonsense", "quit", "cancelled"]


@dataclass
class Reply:
    """What came back from a worker."""

    end: End
    loaded: bool = False
    error: Mapping[str, Any] | None = None
    """Why the file could not be loaded."""
    answers: list[Mapping[str, Any]] = field(default_factory=list)
    """One a case, as `calling.call` gives it, or {"error": ...}."""
    printed: str = ""
    seconds: float = 0.0
    code: int | None = None
    """What the process ended with, where it quit."""


class _StopError(Exception):
    def __init__(self, end: End) -> None:
        self.end: End = end


class _Pipe:
    """Two ends, each closed once: the number of a closed one may be another file's by now."""

    def __init__(self) -> None:
        self.ends = os.pipe()
        self._open = {0, 1}

    def close(self, *which: int) -> None:
        """Close these ends, or both."""
        for end in self._open & set(which or (0, 1)):
            self._open.remove(end)
            os.close(self.ends[end])


class Worker:
    """A warm worker; checks run one after the other, each in a fresh child.  Use it in a `with` statement."""

    def __init__(self, hidden: Sequence[Path] = ()) -> None:
        if not hasattr(os, "fork"):
            raise UserError("exercises are checked in processes of their own, which needs Linux or macOS (or WSL)")
        self.hidden = [PACKAGE, *(path.resolve() for path in hidden)]
        self.cancelled: Callable[[], bool] = lambda: False
        """Asked now and then: whether the answer is still wanted."""
        self.in_force: tuple[str, ...] = ()
        self.unprivileged = False
        self._process: subprocess.Popen[bytes] | None = None
        self._home: Path | None = None
        self.start()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Begin a process; it loads torch while the caller goes on."""
        self._home = Path(tempfile.mkdtemp(prefix="learn-llm-exercise-"))
        self._home.chmod(0o777)
        self._socket, theirs = socket.socketpair()
        self._lines = b""
        self._ready = False
        hidden = [str(path) for path in self.hidden]
        script = (
            f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r})\n"
            "from pathlib import Path\nfrom learn_llm.exercises.worker import main\n"
            f"main({theirs.fileno()}, Path({str(self._home)!r}), [Path(path) for path in {hidden!r}])\n"
            "import os; os._exit(0)"
        )
        environment = {
            "PATH": os.defpath,
            "HOME": str(self._home),
            "TMPDIR": str(self._home),
            "LANG": "C.UTF-8",
            "CUDA_VISIBLE_DEVICES": "",
            **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
        }
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-X", "utf8", "-c", script],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        """Until torch is loaded.  Raises UserError where the worker does not start."""
        if self._ready:
            return
        line = self._line(START)
        if line is None:
            told = self._last_words()
            self.close()
            reason = told.splitlines()[-1] if told else "no answer"
            raise UserError(f"the process that runs exercises did not start: {reason}")
        self.in_force, self.unprivileged = tuple(line["in_force"]), bool(line["unprivileged"])
        self._ready = True

    def check(
        self,
        source: str,
        file: str,
        function: str,
        cases: Sequence[Mapping[str, Any]],
        gradient: Sequence[str] = (),
        seconds: float = SECONDS,
    ) -> Reply:
        """Run a learner's file on some cases, at most for some seconds."""
        from learn_llm.exercises.codec import dump

        self.wait_ready()
        begun = time.monotonic()
        request = {"source": source, "file": file, "function": function, "gradient": list(gradient)}
        message = dump({**request, "cases": [dict(case) for case in cases]})
        with tempfile.TemporaryFile() as output:
            try:
                reply = self._answered(message, output.fileno(), len(cases), begun, seconds)
                reply.code = self._end()
            except OSError:  # the host itself is gone
                reply = Reply("quit")
            reply.printed = _tail(output.fileno())
        if reply.code is None:
            self.close()
            self.start()
        if reply.end == "quit" and reply.code == -signal.SIGXCPU:
            reply.end = "time"
        reply.seconds = time.monotonic() - begun
        return reply

    def _answered(self, message: bytes, output: int, count: int, begun: float, seconds: float) -> Reply:
        """Begin a check over pipes of its own, and collect the answers."""
        with contextlib.ExitStack() as open_ends:
            request, answers = _Pipe(), _Pipe()
            open_ends.callback(request.close)
            open_ends.callback(answers.close)
            limits = json.dumps({"seconds": seconds}).encode()
            socket.send_fds(self._socket, [limits], [request.ends[0], answers.ends[1], output])
            request.close(0)
            answers.close(1)
            while message:
                message = message[os.write(request.ends[1], message) :]
            request.close(1)
            return self._collect(answers.ends[0], count, begun, seconds)

    def _collect(self, end: int, count: int, begun: float, seconds: float) -> Reply:
        reply = Reply("done")
        try:
            messages = self._messages(end, begun, seconds)
            for number in range(count + 1):
                message = next(messages, None)
                if message is None:
                    raise _StopError("quit")
                if not isinstance(message, dict) or not _is_reply(message, first=number == 0):
                    raise _StopError("nonsense")
                if number == 0 and "error" in message:
                    reply.error = message["error"]
                    return reply
                if number == 0:
                    reply.loaded = True
                else:
                    reply.answers.append(message)
        except _StopError as stop:
            reply.end = stop.end
        return reply

    def _messages(self, end: int, begun: float, seconds: float) -> Iterator[Any]:
        """The worker's messages one by one, until it closes its end.  Raises _StopError at a limit."""
        from learn_llm.exercises.codec import load

        buffer = bytearray()
        watched = time.monotonic()
        while True:
            while len(buffer) >= 8:
                size = int.from_bytes(buffer[:8], "big")
                if size > LARGEST:
                    raise _StopError("size")
                if len(buffer) < 8 + size:
                    break
                body = bytes(buffer[8 : 8 + size])
                del buffer[: 8 + size]
                try:
                    message = load(body)
                except ValueError:
                    raise _StopError("nonsense") from None
                yield message
            now = time.monotonic()
            if now >= begun + seconds and (
                now >= begun + PATIENCE * seconds or not waits_for_cpu(self._below(), seconds)
            ):
                raise _StopError("time")
            if self.cancelled():
                raise _StopError("cancelled")
            if now - watched > 0.05:
                self._watch()
                watched = time.monotonic()
            if select.select([end], [], [], 0.05)[0]:
                data = os.read(end, 1 << 16)
                if not data:
                    return
                buffer += data

    def _below(self) -> list[int]:
        """The processes of the check."""
        assert self._process is not None
        return descendants(self._process.pid)[2 if "processes" in self.in_force else 1 :]

    def _watch(self) -> None:
        below = self._below()
        if len(below) > PROCESSES:
            raise _StopError("processes")
        if resident(below) > MEMORY:
            raise _StopError("memory")

    def _end(self) -> int | None:
        """End the check; what its process ended with, None where the host gives no answer."""
        self._socket.sendall(b"end")
        line = self._line(10.0)
        return None if line is None else int(line["status"])

    def _line(self, seconds: float) -> dict[str, Any] | None:
        deadline = time.monotonic() + seconds
        while b"\n" not in self._lines:
            if not select.select([self._socket], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return None
            try:
                data = self._socket.recv(4096)
            except OSError:
                return None
            if not data:
                return None
            self._lines += data
        line, _, self._lines = self._lines.partition(b"\n")
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer

    def _last_words(self) -> str:
        """What a worker that does not start has written on standard error."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.communicate()[1].decode(errors="replace").strip()

    def close(self) -> None:
        """End the worker and all that it started; its home is removed."""
        process, self._process = self._process, None
        if process is None:
            return
        self._socket.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2.0 if self._ready else 0.0)  # it ends by itself when the socket closes, with its children
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stderr is not None:
            process.stderr.close()
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)


def _is_reply(message: dict[str, Any], first: bool) -> bool:
    if "error" in message:
        error = message["error"]
        kinds = {"type": str, "message": str, "line": int, "text": str}
        return isinstance(error, dict) and all(isinstance(error.get(key), kind) for key, kind in kinds.items())
    if first:
        return message == {"loaded": True}
    return message.keys() == {"result", "gradients", "changed"} and isinstance(message["gradients"], list)


def _tail(file: int, length: int = 2000) -> str:
    size = os.fstat(file).st_size
    return os.pread(file, length, max(0, size - length)).decode(errors="replace")
