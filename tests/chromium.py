"""A page in headless Chromium, driven over its DevTools protocol; what is drawn is read from the page's WebSocket."""

import asyncio
import base64
import contextlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp

PATIENCE = 60.0
WIDTH, HEIGHT = 1000, 640
ESCAPE = re.compile(rb"\x1b\[[0-9;?<>=]*[a-zA-Z]")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0"),
)


def find() -> str | None:
    """The browser's command, None where there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page:
    """One page.  `drawn` is what came over its WebSockets."""

    def __init__(self, socket: "aiohttp.ClientWebSocketResponse") -> None:
        self.socket = socket
        self.session: str | None = None
        self.drawn = b""
        self._numbers = count(1)

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Sends a command and returns its result.  Raises RuntimeError where the browser refuses."""
        number = next(self._numbers)
        session = {"sessionId": self.session} if self.session else {}
        await self.socket.send_json({"id": number, "method": method, "params": parameters, **session})
        async with asyncio.timeout(PATIENCE):
            while (message := await self._take()).get("id") != number:
                pass
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']['message']}")
        result: dict[str, Any] = message["result"]
        return result

    async def _take(self) -> dict[str, Any]:
        message: dict[str, Any] = await self.socket.receive_json()
        if message.get("method") == "Network.webSocketFrameReceived":
            frame = message["params"]["response"]
            if frame["opcode"] == 2:  # binary, so it is base64 here
                self.drawn += base64.b64decode(frame["payloadData"])
        return message

    async def begin(self) -> None:
        """Makes the page, empty and of `WIDTH` by `HEIGHT` pixels."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self.session = attached["sessionId"]
        await self.call("Network.enable")
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", **size)
        await self.call("Emulation.setFocusEmulationEnabled", enabled=True)

    async def open(self, url: str) -> None:
        """Opens this address."""
        await self.call("Page.navigate", url=url)

    async def read_until(self, text: str) -> None:
        """Until this was drawn since the last key."""
        async with asyncio.timeout(PATIENCE):
            while text.encode() not in ESCAPE.sub(b"", self.drawn):
                await self._take()

    async def press(self, key: str) -> None:
        """Presses a letter, a digit or the space bar."""
        self.drawn = b""
        event = {"key": key, "text": key, "windowsVirtualKeyCode": ord(key.upper())}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **event)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    async def picture(self) -> bytes:
        """What the page looks like, as PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])


@contextlib.asynccontextmanager
async def chromium(command: str) -> AsyncIterator[Page]:
    """A browser with a profile of its own, ended afterwards."""
    import aiohttp

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [command, *OPTIONS, f"--user-data-dir={profile}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            port = Path(profile, "DevToolsActivePort")
            async with asyncio.timeout(PATIENCE):
                while not port.exists() or len(port.read_text().split()) < 2:
                    assert process.poll() is None, f"{command} did not start"
                    await asyncio.sleep(0.05)
            number, path = port.read_text().split()
            async with (
                aiohttp.ClientSession() as client,
                client.ws_connect(f"ws://127.0.0.1:{number}{path}", max_msg_size=0) as socket,
            ):
                page = Page(socket)
                await page.begin()
                yield page
        finally:
            process.terminate()
            process.wait(PATIENCE)
