"""Only the pages of this server may speak to it: its name must be its own, and so must be the page that asks.

A name that somebody else has pointed at this machine would else let their page read what stands here, as if it were its
own. What nobody needs is closed: Streamlit's way for programs, and its statistics.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.serve.refusal import refuse

CLOSED = ("/_stcore/agent", "/_stcore/metrics", "/_stcore/script-health-check")
NOT_HERE = "There is nothing here."
NOT_ITS_NAME = "This server is not called that. Whoever runs it can add the name: server.names in playground.toml."
NOT_ITS_PAGE = "Only pages of this server may ask for this."


class OwnPages:
    """Refuses what comes under another name or from another page.

    Args:
        names: by which browsers may call this server. Addresses in digits are always allowed: no foreign page has one.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self.app, self._names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if scope["path"].startswith(CLOSED):
            await refuse(scope, receive, send, 404, NOT_HERE)
        elif not self._is_own(host):
            await refuse(scope, receive, send, 421, NOT_ITS_NAME)
        elif not _same(origin, host) and (origin is not None or scope["type"] == "websocket"):
            await refuse(scope, receive, send, 403, NOT_ITS_PAGE)
        else:
            await self.app(scope, receive, send)

    def _is_own(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
            if name in self._names:
                return True
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _same(origin: str | None, host: str) -> bool:
    scheme, _, place = (origin or "").partition("://")
    return scheme in ("http", "https") and place == host
