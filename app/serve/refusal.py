"""How a request is refused before anything of the playground has seen it."""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

POLICY = 1008  # close code "policy violation"; the browser does not try again
TOO_BIG = 1009


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, says: str) -> None:
    """Answer a request with a sentence, or close a socket that was not accepted."""
    if scope["type"] == "websocket":
        await receive()  # the browser's wish to connect
        await send({"type": "websocket.close", "code": POLICY, "reason": ""})
        return
    await PlainTextResponse(says, status)(scope, receive, send)
