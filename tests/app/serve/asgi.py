"""Requests to a part of the server without a network: what a browser sends, and what it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT = 60.0  # seconds that an answer may take


@dataclass
class Answer:
    """What the browser sees: of a socket that was let in the status is 101, of one that was refused the close code."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    sent: list[Message] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.body.decode()


class Inside:
    """What stands behind a middleware: notes who came in, answers "inside", and takes what a socket says."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.heard: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (message := await receive())["type"] == "websocket.receive":
                self.heard.append(message)
                await send({"type": "websocket.send", "bytes": b"frame"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": b"inside"})


def ask(
    app: ASGIApp, path: str = "/", *, method: str = "GET", body: bytes = b"", query: str = "", client: str = "10.0.0.7",
    **headers: str | None,
) -> Answer:  # fmt: skip
    """One request. Headers are given as arguments; "_" stands for "-", and None leaves one out."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]
    return _spoken(app, "http", path, messages, {"method": method, "query": query, "client": client}, headers)


def open_socket(
    app: ASGIApp, path: str = "/live/a-token", messages: Iterable[str | bytes] = (), *, client: str = "10.0.0.7",
    **headers: str | None,
) -> Answer:  # fmt: skip
    """A socket that says these messages and goes."""
    said = [{"type": "websocket.receive", "text" if isinstance(each, str) else "bytes": each} for each in messages]
    every = [{"type": "websocket.connect"}, *said, {"type": "websocket.disconnect", "code": 1000}]
    return _spoken(app, "websocket", path, every, {"query": "", "client": client}, headers)


def _spoken(
    app: ASGIApp, kind: str, path: str, messages: list[dict[str, Any]], request: dict[str, str], headers: dict
) -> Answer:
    host = "127.0.0.1:8501"
    usual = {"host": host, **({"origin": f"http://{host}"} if kind == "websocket" else {})}
    given = [(name, value) for name, value in {**usual, **headers}.items() if value is not None]
    scope: Scope = {
        "type": kind, "path": path, "query_string": request.pop("query").encode(), "scheme": "http", "state": {},
        "client": (request.pop("client"), 1234), "server": ("127.0.0.1", 8501), "root_path": "", **request,
        "headers": [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in given],
    }  # fmt: skip
    answer = Answer()

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        answer.sent.append(message)
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")
        elif message["type"] == "websocket.accept":
            answer.status = 101
        elif message["type"] == "websocket.close":
            answer.status = message["code"]

    asyncio.run(asyncio.wait_for(app(scope, receive, send), LIMIT))
    return answer
