"""What every answer tells the browser to refuse: scripts, connections and frames that are not this server's."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import file_util

from app.replay import pair, player


def _streamlits_own() -> list[str]:
    """The scripts that stand inside the page of the installed Streamlit."""
    page = Path(file_util.get_static_dir(), "index.html").read_text(encoding="utf-8")
    return re.findall(r"<script>(.*?)</script>", page, re.DOTALL)


def _fingerprints(scripts: Iterable[str]) -> list[str]:
    """The sources that allow exactly these scripts inside a page."""
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


POLICY: dict[str, tuple[str, ...]] = {
    "default-src": ("'self'",),
    "connect-src": ("'self'",),
    "script-src": (
        "'self'",
        "blob:",  # Streamlit loads the JavaScript of a component as a module of its own making
        *_fingerprints(_streamlits_own()),  # the one line in Streamlit's own page
        *_fingerprints([player.SCRIPT, pair.SCRIPT]),  # replays are pages inside the page "Open a recording"
        "'wasm-unsafe-eval'",  # Streamlit's messages: 64-bit numbers in WebAssembly; it allows no JavaScript
    ),
    "style-src": (
        "'self'",
        "'unsafe-inline'",  # Streamlit's styles (emotion), Plotly's, and our own sheets are <style> elements
    ),
    "img-src": (
        "'self'",
        "data:",  # Streamlit's and Plotly's icons; thumbnails
        "blob:",  # a figure that is saved as PNG is drawn from one
    ),
    "media-src": ("'self'", "data:"),  # what can be heard is a WAV in the page
    "font-src": ("'self'", "data:"),  # the letters of formulas (KaTeX)
    "worker-src": ("'self'", "blob:"),  # Streamlit's tables
    "object-src": ("'none'",),
    "base-uri": ("'none'",),
    "form-action": ("'self'",),
    "frame-src": ("'none'",),
    "frame-ancestors": ("'none'",),
}
"""What a page may load and from where. Each exception is forced by what stands beside it; there is no wildcard."""
HEADERS = {
    "content-security-policy": "; ".join(" ".join((name, *sources)) for name, sources in POLICY.items()),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class SafetyHeaders:
    """Adds HEADERS to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, send_with_headers)
