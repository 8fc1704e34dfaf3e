"""What a page of the live view names instead of carrying: its script, its style and the figures without data.

An address holds a hash of the content. So a browser keeps what it has once loaded, and everybody with the same figures
has the same address.
"""

from __future__ import annotations

import asyncio
import functools
import gzip
import hashlib
import json
from collections import OrderedDict
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.live.assets import LIVE_STYLE, SCRIPT, script

PREFIX = "live/files"
MAX_FIGURES = 256  # sets of figures; a browser fetches one as soon as it has its address
KEEP = "public, max-age=31536000, immutable"
GONE = "This file is not kept any more: reload the page."
HIDDEN = ".lv { visibility: hidden; }\n"
"""The style that the page carries: nothing is seen before the rest has come."""


class File(NamedTuple):
    """A file as it is sent, with gzip."""

    content: bytes
    media_type: str


def _packed(text: str, media_type: str) -> File:
    return File(gzip.compress(text.encode(), 6, mtime=0), media_type)


def _name(stem: str, text: str, ending: str) -> str:
    return f"{stem}-{hashlib.sha256(text.encode()).hexdigest()[:20]}.{ending}"


class FigureFiles:
    """The figures without data that pages have named, the newest ones. Script threads and the server call it."""

    def __init__(self, most: int = MAX_FIGURES) -> None:
        self._most, self._files = most, OrderedDict[str, File]()

    def address(self, figures: list[dict[str, Any]]) -> str:
        """Keep these figures under an address, relative to the page."""
        text = json.dumps(figures, separators=(",", ":"))
        name = _name("figures", text, "json")
        if name not in self._files:
            self._files[name] = _packed(text, "application/json")
        self._files.move_to_end(name)
        while len(self._files) > self._most:
            self._files.popitem(last=False)
        return f"{PREFIX}/{name}"

    def find(self, name: str) -> File | None:
        """The file of this name; None if it is not kept any more."""
        return self._files.get(name)


FIGURES = FigureFiles()
VIEW_NAME, STYLE_NAME = _name("view", SCRIPT, "js"), _name("view", LIVE_STYLE, "css")
LOADER = script("loader").replace("{prefix}", PREFIX).replace("{view}", VIEW_NAME).replace("{style}", STYLE_NAME)


@functools.cache
def _fixed() -> dict[str, File]:
    return {VIEW_NAME: _packed(SCRIPT, "text/javascript"), STYLE_NAME: _packed(LIVE_STYLE, "text/css")}


async def file(request: Request) -> Response:
    """GET /live/files/<name>"""
    name = request.path_params["name"]
    found = FIGURES.find(name) or (await asyncio.to_thread(_fixed)).get(name)
    if found is None:
        return PlainTextResponse(GONE, 404)
    headers = {"Content-Encoding": "gzip", "Cache-Control": KEEP, "Vary": "Accept-Encoding"}
    return Response(found.content, media_type=found.media_type, headers=headers)


ROUTES = [Route(f"/{PREFIX}/{{name}}", file)]
