"""`learn-llm quiz --web`: the app in a browser on this machine, through textual-serve.

Each page that is opened has an app process of its own; they share the progress as two terminals do.  It listens on the
loopback address only, and talks to no page but its own: any other page in the same browser could otherwise open a
connection to it.
"""

import asyncio
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from learn_llm.errors import MissingError, UserError

if TYPE_CHECKING:
    from aiohttp import web

HOST = "127.0.0.1"
PAGE = """<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<title>learn-llm quiz</title>
<link rel="stylesheet" href="/static/css/xterm.css">
<script src="/static/js/textual.js"></script>
<style>
@font-face {{ font-family: "Roboto Mono"; src: url("/static/fonts/RobotoMono-VariableFont_wght.ttf"); }}
body {{ margin: 0; background: #14171c; color: #d9dee6; font-family: monospace; }}
#app {{ width: 100vw; height: 100vh; }}
#ended {{ display: none; padding: 2em; }}
#ended a {{ color: #7db8f7; }}
body.-closed #app {{ display: none; }}
body.-closed #ended {{ display: block; }}
</style>
</head>
<body>
<div id="app" class="textual-terminal" data-font-size="16"></div>
<p id="ended">{closed} <a href="/">{again}</a></p>
<script>
const app = document.getElementById("app");
app.dataset.sessionWebsocketUrl = "ws://" + location.host + "/ws";
new MutationObserver((_, observer) => {{  // keys go to the terminal as soon as there is one, without a click
  const typed = app.querySelector("textarea");
  if (typed) {{ typed.focus(); observer.disconnect(); }}
}}).observe(app, {{ childList: true, subtree: true }});
</script>
</body>
</html>
"""
"""Ours, because the page of textual-serve asks another server for its font.  Its script looks for the class
`textual-terminal`, and gives the body the class `-closed` at the end."""


def serve(port: int, lang: str | None, bank: Path | None) -> None:
    """Serves until it is interrupted, then raises click.Abort.

    Raises MissingError without textual-serve, UserError where the port is taken.
    """
    try:
        from aiohttp import web
        from textual_serve.server import Server
    except ImportError:
        raise MissingError("--web needs textual-serve: pip install 'learn-llm[web]'") from None
    from learn_llm.quizzes.texts import Texts, choose

    texts = Texts(choose(lang, os.environ))

    pages: set[asyncio.Task[object]] = set()

    class Loopback(Server):
        def initialize_logging(self) -> None:
            """Only errors, through logging's last resort, on standard error."""

        async def on_startup(self, app: "web.Application") -> None:
            click.echo(texts("web.at", url=self.public_url))

        async def handle_index(self, request: "web.Request") -> "web.Response":
            words = {"closed": texts("web.closed"), "again": texts("web.again")}
            return web.Response(text=PAGE.format(lang=texts.language, **words), content_type="text/html")

        async def handle_websocket(self, request: "web.Request") -> "web.WebSocketResponse":
            if request.headers.get("Origin") not in [f"http://{name}:{port}" for name in (HOST, "localhost")]:
                raise web.HTTPForbidden
            page = asyncio.current_task()
            assert page is not None
            pages.add(page)
            try:
                return await super().handle_websocket(request)
            finally:
                pages.discard(page)

        async def on_shutdown(self, app: "web.Application") -> None:
            """Ends the apps: without this the server waits a minute for each open page."""
            for page in pages:
                page.cancel()

    _expect_free(port)
    Loopback(_command(lang, bank), host=HOST, port=port, title="learn-llm quiz").serve()
    raise click.Abort


def _command(lang: str | None, bank: Path | None) -> str:
    """The shell's command line for one app."""
    argv = [sys.executable, "-m", "learn_llm.cli", "quiz"]
    argv += ["--lang", lang] if lang else []
    argv += ["--bank", str(bank.absolute())] if bank else []
    return subprocess.list2cmdline(argv) if sys.platform == "win32" else shlex.join(argv)


def _expect_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UserError(f"port {port} cannot be used ({error.strerror}); choose another with --port") from None
