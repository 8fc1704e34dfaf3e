"""The password of a room: a plain page asks for it, and without it nothing answers, neither pages nor sockets.

Who knows it gets a cookie that scripts cannot read. The cookie follows from the password alone, so a server that starts
again knows its visitors; it tells nothing of the password but to somebody who tries them one by one, slowly.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import math
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.allowance import Buckets
from app.serve import logs
from app.serve.refusal import refuse
from engine.limits import LIMITS

COOKIE, ADDRESS, HEALTH = "playground_room", "/room", "/health"
PAGE = Path(__file__).with_name("room.html").read_text(encoding="utf-8")
LONGEST = 4_000  # bytes of a form that is read
WRONG = "That is not the password of this room."
TOO_OFTEN = "Too many tries from here. Wait {seconds} s, then try again."
ASKS = "This room has a password: open its page first."
OF_ALL = 30  # so many addresses may try passwords at full speed at the same time


def token_of(password: str) -> str:
    """What the cookie of somebody who knows the password says: slow to compute, so that guessing from it is, too."""
    return hashlib.scrypt(password.encode(), salt=b"RNN playground, room", n=2**14, r=8, p=1, dklen=32).hex()


class RoomPassword:
    """Lets in who has said the password; everybody, if it is empty.

    The address HEALTH answers without it: it tells a stranger only that the server is there.
    """

    def __init__(self, app: ASGIApp, password: str) -> None:
        self.app, self._password = app, password.encode()
        self._token = token_of(password) if password else ""
        each = LIMITS.passwords_per_minute
        self._tries = Buckets(each / 60, each)
        self._tries_of_all = Buckets(each * OF_ALL / 60, each * OF_ALL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._password or scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == ADDRESS and scope["method"] == "POST":
            request = Request(scope, receive)
            await (await self._answer(request))(scope, receive, send)
        elif self._knows(Headers(scope=scope)):
            await self.app(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == HEALTH:
            scope["state"] = {**scope.get("state", {}), "stranger": True}
            await self.app(scope, receive, send)
        elif scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", ""):
            query = scope["query_string"].decode("latin-1")
            await asking(f"{scope['path']}{'?' if query else ''}{query}")(scope, receive, send)
        else:
            await refuse(scope, receive, send, 401, ASKS)

    def _knows(self, headers: Headers) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and hmac.compare_digest(cookie.value.encode(), self._token.encode())

    async def _answer(self, request: Request) -> Response:
        """Read the form, and let its sender in or ask again."""
        try:
            fields = parse_qs((await _body(request)).decode(), max_num_fields=8)
        except ValueError:  # too long, too many fields, or no UTF-8
            return asking("/", WRONG, 400)
        given, then = fields.get("password", [""])[-1], fields.get("next", ["/"])[-1]
        address = request.client.host if request.client else ""
        seconds = self._tries.take(address) or self._tries_of_all.take("")
        if seconds:
            logs.say("password_too_often")
            return asking(then, TOO_OFTEN.format(seconds=math.ceil(seconds)), 429)
        if not hmac.compare_digest(given.encode(), self._password):
            logs.say("password_wrong")
            return asking(then, WRONG, 401)
        answer = RedirectResponse(then if is_of_this_server(then) else "/", 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, self._token, httponly=True, samesite="lax", secure=secure)
        return answer


def asking(then: str, wrong: str = "", status: int = 401) -> Response:
    """The page that asks for the password.

    Args:
        then: where it leads afterwards: path and query.
        wrong: what was wrong with the last try.
    """
    said = f'<p class="wrong" role="alert">{html.escape(wrong)}</p>' if wrong else ""
    body = PAGE.replace("{wrong}", said).replace("{next}", html.escape(then if is_of_this_server(then) else "/"))
    return HTMLResponse(body, status, headers={"Cache-Control": "no-store"})


def is_of_this_server(address: str) -> bool:
    """True for a path on this server: nobody who comes in is led to somebody else's page."""
    if not address.startswith("/") or address[1:2] in ("/", "\\") or not address.isprintable():
        return False
    try:
        return not urlsplit(address).netloc
    except ValueError:
        return False


async def _body(request: Request) -> bytes:
    """The form as it was sent.

    Raises:
        ValueError: if it is too long.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST:
            raise ValueError("too long")
    return body
