"""`learn-llm quiz --web`: the app through textual-serve, driven as a browser drives it, over its WebSocket."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from learn_llm.commands.quiz import quiz
from learn_llm.errors import MissingError, UserError
from learn_llm.quizzes.progress import Progress
from tests import chromium
from tests.test_tui_demo import is_alive

if TYPE_CHECKING:
    import aiohttp

ROOT = Path(__file__).parent.parent
PATIENCE = 60.0
ESCAPE = re.compile(rb"\x1b\[[0-9;?<>=]*[a-zA-Z]")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Until somebody listens: the address is said a moment before."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < end
            time.sleep(0.02)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command, listening, and its port."""
    pytest.importorskip("textual_serve")
    port = free_port()
    environment = os.environ | {"LEARN_LLM_HOME": str(tmp_path), "LEARN_LLM_PLAIN": "1", "TERM": "dumb"}
    process = subprocess.Popen(
        [sys.executable, "-m", "learn_llm.cli", "quiz", "--web", "--port", str(port), "--lang", "en"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}" in process.stdout.readline()
        wait_for(port)
        yield process, port
    finally:
        process.kill()
        process.communicate()


def children(pid: int) -> list[int]:
    """The processes below this one."""
    own = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if int(file.read_text().rpartition(")")[2].split()[1]) == pid:
                own.append(int(file.parent.name))
    return [*own, *(below for child in own for below in children(child))]


@contextlib.asynccontextmanager
async def browser(port: int, origin: str) -> AsyncIterator["Browser"]:
    """A page that is open on the app."""
    import aiohttp

    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{port}/ws?width=100&height=30", headers={"Origin": origin}) as socket_,
    ):
        yield Browser(socket_)


class Browser:
    """Types into the app and reads what it draws."""

    def __init__(self, socket_: "aiohttp.ClientWebSocketResponse") -> None:
        self.socket = socket_
        self.drawn = b""

    async def type(self, keys: str) -> None:
        """Presses keys."""
        await self.socket.send_json(["stdin", keys])

    async def read_until(self, text: str) -> None:
        """Until this was drawn since the last time."""
        async with asyncio.timeout(PATIENCE):
            while text not in ESCAPE.sub(b"", self.drawn).decode(errors="replace"):
                message = await self.socket.receive()
                assert isinstance(message.data, (bytes, str)), self.drawn[-500:]
                if isinstance(message.data, bytes):
                    self.drawn += message.data
        self.drawn = b""


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    result = CliRunner().invoke(quiz, ["--web"])
    assert isinstance(result.exception, MissingError)
    assert result.exception.exit_code == 3
    assert "pip install 'learn-llm[web]'" in str(result.exception)


def test_a_port_that_is_taken_is_said() -> None:
    pytest.importorskip("textual_serve")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        result = CliRunner().invoke(quiz, ["--web", "--port", str(other.getsockname()[1])])
    assert isinstance(result.exception, UserError)
    assert result.exception.exit_code == 2
    assert "--port" in str(result.exception)


def test_a_card_is_answered_in_the_browser(server: tuple[subprocess.Popen[str], int], tmp_path: Path) -> None:
    process, port = server
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE) as page:
        html = page.read().decode()
    assert "textual-terminal" in html
    assert not re.findall("https?://|src=.//", html)  # nothing comes from elsewhere
    for address in re.findall('(?:src|href)="(/static/[^"]+)"|url\\("(/static/[^"]+)"\\)', html):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{''.join(address)}", timeout=PATIENCE) as file:
            assert file.read(1)

    async def answer() -> None:
        async with browser(port, f"http://127.0.0.1:{port}") as page:
            await page.read_until("learn-llm")
            await page.type("s")
            await page.read_until("What is artificial intelligence")
            await asyncio.sleep(1)
            await page.type(" ")
            await page.read_until("Got it")
            await asyncio.sleep(1)
            await page.type("3")
            await page.read_until("preprocess")
            await page.type("q")

    asyncio.run(answer())
    with Progress(tmp_path / "progress.sqlite3") as progress:
        assert progress.card("what-is-ai").reps == 1
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert time.monotonic() - begun < 10


@pytest.mark.skipif(chromium.find() is None, reason="Chromium is not installed")
def test_a_card_is_answered_in_chromium(server: tuple[subprocess.Popen[str], int], tmp_path: Path) -> None:
    """A picture of the answer is kept in the test's folder, and in the folder that LEARN_LLM_PICTURES names."""

    async def answer() -> None:
        async with chromium.chromium(chromium.find() or "") as page:
            blank = await page.picture()
            await page.open(f"http://127.0.0.1:{server[1]}/")
            await page.read_until("learn-llm")
            await asyncio.sleep(1)
            await page.press("s")
            await page.read_until("Say your answer aloud")
            await asyncio.sleep(1)
            await page.press(" ")
            await page.read_until("Got it")
            await asyncio.sleep(1)
            picture = await page.picture()
            assert picture.startswith(b"\x89PNG")
            assert len(picture) > 4 * len(blank)
            for folder in (str(tmp_path), os.environ.get("LEARN_LLM_PICTURES")):
                if folder:
                    Path(folder, "web.png").write_bytes(picture)
            await page.press("3")
            await page.read_until("preprocess")

    asyncio.run(answer())
    with Progress(tmp_path / "progress.sqlite3") as progress:
        card = progress.card("what-is-ai")
        assert card.reps == 1
        assert progress.db.execute("SELECT rating FROM review").fetchall() == [(3,)]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found in /proc")
def test_an_open_page_ends_with_the_server(server: tuple[subprocess.Popen[str], int]) -> None:
    process, port = server

    async def leave_open() -> None:
        async with browser(port, f"http://localhost:{port}") as page:
            await page.read_until("learn-llm")
            apps = children(process.pid)
            assert apps
            process.send_signal(signal.SIGTERM)
            end = time.monotonic() + 15
            while process.poll() is None or any(map(is_alive, apps)):
                assert time.monotonic() < end
                with contextlib.suppress(TimeoutError):  # a browser answers when the server closes
                    await page.socket.receive(timeout=0.05)
                await asyncio.sleep(0.05)

    asyncio.run(leave_open())


def test_another_page_cannot_talk_to_it(server: tuple[subprocess.Popen[str], int]) -> None:
    import aiohttp

    async def connect(origin: str) -> None:
        async with browser(server[1], origin):
            pass

    for origin in ("http://example.org", f"http://example.org:{server[1]}", "null", ""):
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            asyncio.run(connect(origin))
