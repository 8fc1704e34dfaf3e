"""How long a screen lives that shows a folder: until its last browser window has been closed for a while."""

from __future__ import annotations

import os
import signal
import socket
import time
import webbrowser
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from engine.recording.growing.folder import OPENS, folder

ENDS_AFTER = 600.0
"""Seconds without a browser window."""
STARTS_WITHIN = 60.0
"""Seconds that the server may take until it can be asked."""


class Browsers:
    """Counts the sockets of browser windows; every page holds one of Streamlit's own as long as it is open."""

    open = 0
    since = time.monotonic()

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        Browsers.open += 1
        try:
            await self.app(scope, receive, send)
        finally:
            Browsers.open -= 1
            Browsers.since = time.monotonic()


def end_if_left() -> None:
    """End this process if it is the screen of a folder and nobody looks at it any more."""
    if folder() is not None and not Browsers.open and time.monotonic() - Browsers.since > ENDS_AFTER:
        os.kill(os.getpid(), signal.SIGTERM)


def open_browser() -> None:
    """Open the address that this server was told, as soon as it answers; nothing if it was told none."""
    address = os.environ.get(OPENS, "")
    place, until = urlsplit(address), time.monotonic() + STARTS_WITHIN
    while place.hostname and place.port and time.monotonic() < until:
        try:
            socket.create_connection((place.hostname, place.port), 1).close()
        except OSError:
            time.sleep(0.1)
            continue
        webbrowser.open(address)
        return
