"""What every answer tells the browser to refuse: scripts, connections and frames that are not this server's."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import file_util


def _inline_scripts() -> list[str]:
    """The sources that allow exactly the scripts that stand inside the page of the installed Streamlit."""
    page = Path(file_util.get_static_dir(), "index.html").read_bytes()
    digests = [hashlib.sha256(script).digest() for script in re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)]
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


POLICY: dict[str, tuple[str, ...]] = {
    "default-src": ("'self'",),
    "connect-src": ("'self'",),
    "script-src": (
        "'self'",
        "blob:",  # Streamlit loads the JavaScript of a component as a module of its own making
        *_inline_scripts(),  # the one line in Streamlit's own page, by its fingerprint
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
