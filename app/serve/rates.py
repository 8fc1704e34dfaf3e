"""How much of the server one browser can take: sockets, messages, downloads, uploads.

A message that comes too soon waits, and with it all that stands behind it in the network: whoever only clicked fast
loses nothing. What is too much in other ways is refused with a sentence.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.allowance import Buckets, TokenBucket
from app.serve import logs
from app.serve.refusal import TOO_BIG, refuse
from app.serve.traffic import TRAFFIC
from engine.limits import LIMITS

BURST = 5.0  # seconds' worth of messages that may come at once
LIVE, UPLOAD = "/live/", "/_stcore/upload_file/"
SHARED = "/live/files/"  # of no network: everybody loads the same ones, once
LONGEST = 100_000  # bytes of a message to a live view
TOO_MANY_SOCKETS = "There are too many open pages here. Close some, then try again."
TOO_MANY_FILES = "So many files of one network in a minute are too many. Wait {seconds} s."
NO_ROOM = "This server has no room for more files now. Forget some, or try again later."


class Rates:
    """Holds back who is too fast, and refuses who wants too much.

    Args:
        uploaded: bytes of all uploads that are held at present.
    """

    def __init__(self, app: ASGIApp, uploaded: Callable[[], int]) -> None:
        self.app, self._uploaded = app, uploaded
        self._sockets: Counter[str] = Counter()
        self._downloads = Buckets(LIMITS.downloads_per_minute / 60, LIMITS.downloads_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http" and (refused := self._refused(scope)):
            logs.say("request_refused", status=refused[0])
            await refuse(scope, receive, send, *refused)
        else:
            await self.app(scope, receive, send)

    def _refused(self, scope: Scope) -> tuple[int, str] | None:
        """Status and sentence for a request that is too much; None for all others."""
        path = scope["path"]
        if path.startswith(UPLOAD) and scope["method"] == "PUT" and self._uploaded() > LIMITS.uploads_megabytes * 1e6:
            return 413, NO_ROOM
        is_download = path.startswith(LIVE) and not path.startswith(SHARED)
        if is_download and (seconds := self._downloads.take(path.split("/")[2])):
            return 429, TOO_MANY_FILES.format(seconds=math.ceil(seconds))
        return None

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = (scope.get("client") or ("",))[0]
        if self._sockets.total() >= LIMITS.connections or self._sockets[address] >= LIMITS.connections_per_address:
            logs.say("socket_refused", sockets=self._sockets.total())
            await refuse(scope, receive, send, 503, TOO_MANY_SOCKETS)
            return
        is_live = scope["path"].startswith(LIVE)
        rate = LIMITS.live_messages_per_second if is_live else LIMITS.page_messages_per_second
        bucket = TokenBucket(rate, BURST * rate)

        async def receive_in_time() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive":
                if is_live and len(message.get("text") or message.get("bytes") or "") > LONGEST:
                    await send({"type": "websocket.close", "code": TOO_BIG, "reason": ""})
                    return {"type": "websocket.disconnect", "code": TOO_BIG}
                if seconds := bucket.owe():
                    await asyncio.sleep(seconds)
            return message

        async def send_counted(message: Message) -> None:
            if is_live and message["type"] == "websocket.send":
                TRAFFIC.count()
            await send(message)

        self._sockets[address] += 1
        owner = HTTPConnection(scope).cookies.get("playground", "")
        TRAFFIC.opened(owner)
        try:
            await self.app(scope, receive_in_time, send_counted)
        finally:
            TRAFFIC.closed(owner)
            self._sockets[address] -= 1
            if not self._sockets[address]:
                del self._sockets[address]
