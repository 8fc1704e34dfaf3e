"""The server: Streamlit's app with our own routes beside it. `python -m streamlit run app/server.py`.

The pool is started first, so that torch loads in a worker while this process loads the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import gzip
import importlib.util
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from app.hub import HUB
from engine.recording.growing.folder import folder

if folder() is None:  # the screen of a model that is watched trains nothing
    HUB.pool()

from app.classroom import board_feed, downloads, look
from app.classroom import registry as classroom
from app.compare import feed
from app.compare.registry import RACES
from app.export import routes
from app.first_minute import feed as first_minute
from app.live import by_address, stream
from app.live.assets import PLOTLY_ROUTE
from app.live.feed import Feed
from app.map import feed as map_feed
from app.map.registry import MAPS
from app.my_runs import compare_link, csv_file
from app.own_data_store import VISITS
from app.serve import health, logs
from app.serve.address import serving
from app.serve.headers import SafetyHeaders
from app.serve.own_pages import OwnPages
from app.serve.rates import Rates
from app.serve.room import RoomPassword
from app.serve.visitors import limit_uploads, refused, uploaded
from app.watched import feed as watched
from app.watched import lifetime
from app.watched.registry import WATCHED

EXPIRE_EVERY = 5.0  # seconds between two looks for abandoned runs and races
SERVING = serving()
logs.begin()
limit_uploads()


@functools.cache
def compressed_plotly() -> bytes:
    """plotly.js of the installed plotly package: browser and Python run the same version."""
    spec = importlib.util.find_spec("plotly")
    assert spec is not None and spec.submodule_search_locations is not None
    return gzip.compress((Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js").read_bytes(), 6)


async def plotly_js(request: Request) -> Response:
    """GET /plotly.min.js"""
    return Response(
        await asyncio.to_thread(compressed_plotly),
        media_type="text/javascript",
        headers={
            "Content-Encoding": "gzip",
            "Cache-Control": "public, max-age=86400",
            "Vary": "Accept-Encoding",
        },
    )


async def live_socket(socket: WebSocket) -> None:
    """The stream of one run."""
    await stream.serve(socket, HUB, Feed)


class OwnerCookie:
    """Gives a browser its identity with the first page, before Streamlit's socket opens: a reload finds its run."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or any(
            name == b"cookie" and b"playground=" in value for name, value in scope["headers"]
        ):
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            html = any(n == b"content-type" and v.startswith(b"text/html") for n, v in message.get("headers", ()))
            if message["type"] == "http.response.start" and html:
                cookie = f"playground={secrets.token_urlsafe(16)}; Path=/; HttpOnly; SameSite=Lax"
                message = {**message, "headers": [*message["headers"], (b"set-cookie", cookie.encode())]}
            await send(message)

        await self.app(scope, receive, send_with_cookie)


@contextlib.asynccontextmanager
async def lifespan(_: object) -> AsyncIterator[dict]:
    """Compress plotly.js in the background, freeze what was imported, and look after abandoned runs."""

    async def look_after() -> None:
        while True:
            await asyncio.sleep(EXPIRE_EVERY)
            HUB.expire()
            VISITS.expire()
            RACES.expire()
            MAPS.expire()
            first_minute.RACES.expire()
            WATCHED.expire()
            classroom.expire()
            lifetime.end_if_left()

    later = [asyncio.to_thread(compressed_plotly), asyncio.to_thread(lifetime.open_browser)]
    tasks = [asyncio.create_task(each) for each in (look_after(), *later)]
    logs.begin()  # once more: uvicorn has set up its own meanwhile
    logs.say("started", workers=HUB.started_pool.size if HUB.started_pool else 0)
    gc.collect()
    gc.freeze()  # imported modules live for ever: later collections need not visit them
    try:
        yield {}
    finally:
        logs.say("ended")
        for task in tasks:
            task.cancel()
        HUB.shutdown()


app = st.App(
    "main.py",
    routes=[
        WebSocketRoute("/live/{token}", live_socket),
        *by_address.ROUTES,
        *feed.ROUTES,
        *first_minute.ROUTES,
        *map_feed.ROUTES,
        *watched.ROUTES,
        *board_feed.ROUTES,
        *look.ROUTES,
        *downloads.ROUTES,
        *routes.ROUTES,
        *csv_file.ROUTES,
        *compare_link.ROUTES,
        *health.ROUTES,
        Route(f"/{PLOTLY_ROUTE}", plotly_js),
    ],
    middleware=[
        Middleware(SafetyHeaders),
        Middleware(OwnPages, names=SERVING.own_names),
        Middleware(RoomPassword, password=SERVING.password),
        Middleware(Rates, uploaded=uploaded),
        Middleware(OwnerCookie),
        Middleware(lifetime.Browsers),
    ],
    lifespan=lifespan,
    on_script_error=refused,
)
