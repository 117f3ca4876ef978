"""The app's side of the process that checks exercises: it asks, and hears the news."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict

from learn_llm.child import end_child, environment, keep_tail, readable_lines
from learn_llm.exercises.check_server import News, Request

LAST_WORDS = 3
"""Lines of its standard error that are told when the process ends by itself."""


class CheckClient:
    """One process; `news` starts it, and ends it when it is closed.

    Args:
        argv: the command line of the process.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = argv
        self._request: Request | None = None
        self._requests: asyncio.StreamWriter | None = None

    def ask(self, request: Request) -> None:
        """Have an exercise checked now, and whenever it is saved; before the process runs, it is the first request."""
        self._request = request
        if self._requests is not None:
            self._requests.write(json.dumps(asdict(request)).encode() + b"\n")

    async def news(self) -> AsyncGenerator[News, None]:
        """What the process says.  Nothing is raised for what it does: its end is news as well.

        Close it (`contextlib.aclosing`), or cancel its task: then the process is ended, after a moment by force.
        """
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(), start_new_session=True
            )
        except OSError as error:
            yield News("failed", lines=(str(error),))
            return
        assert process.stdout is not None
        errors = bytearray()
        listening = asyncio.create_task(keep_tail(process.stderr, errors))
        try:
            self._requests = process.stdin
            if self._request is not None:
                self.ask(self._request)
            while line := await process.stdout.readline():
                news = _news(line)
                if news is not None:
                    yield news
            await asyncio.wait((listening,), timeout=0.5)
        finally:
            self._requests = None
            if process.stdin is not None:
                process.stdin.close()
            await end_child(process, listening)
        yield News("failed", lines=tuple(readable_lines(errors)[-LAST_WORDS:]))


def _news(line: bytes) -> News | None:
    """What a line says; None for what somebody else has printed."""
    try:
        news = json.loads(line)
        return News(**{**news, "lines": tuple(news["lines"])})
    except (ValueError, TypeError, KeyError):
        return None
