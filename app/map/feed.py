"""What the socket of the page "Map" sends: the panels, the curve of the point under the mouse, and how far it is."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from app.live import stream
from app.live.messages import pack
from app.map import figures, one_point
from app.map import text as map_text
from app.map.colours import COLOURS
from app.map.registry import MAPS, Map, MapSlot
from engine.workers import Listeners

PATIENCE = 0.5  # seconds between two looks at a clock, and two words to the workers that somebody watches


class MapFeed:
    """One socket's view of one map: it knows what was sent, and so what is new."""

    def __init__(self, slot: MapSlot) -> None:
        self._slot, self._map = slot, slot.map
        self._colour = next(iter(COLOURS))
        self._point: tuple[int, int, int] | None = None
        self._sent: tuple[Any, ...] | None = None
        self._coloured: str | None = None
        self._status: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        """True if the slot has another map now."""
        return self._slot.map is not self._map

    @property
    def listeners(self) -> Listeners:
        """Told whenever something was measured."""
        return self._map.listeners

    @property
    def patience(self) -> float:
        """Seconds until the clock has moved."""
        return PATIENCE

    def receive(self, message: str) -> None:
        """Store colour and point that the browser shows; ignore an invalid message."""
        with contextlib.suppress(ValueError, TypeError, KeyError):
            request = json.loads(message)
            if request["colour"] in COLOURS:
                self._colour = request["colour"]
            self._point = _point(request["point"], self._map)

    def advance(self, *, requested: bool) -> None:
        """Take what was measured, and tell the workers that somebody watches."""
        self._map.update()
        if self._map.run is not None:
            self._map.run.watch()

    def frame(self) -> bytes | None:
        """The panels and the curve, if anything in them is new."""
        shown = self._map
        now = (int(shown.results.steps.sum()), shown.lines is not None and shown.lines.found, self._colour, self._point)
        if now == self._sent:
            return None
        self._sent = now
        patches = figures.patches(shown.results, self._colour, shown.lines)
        if self._coloured != self._colour:
            self._coloured = self._colour
            for name, changed in figures.scales(shown.plan, self._colour).items():
                patches[name] |= changed
        if self._point is not None:
            first = shown.plan.number(*self._point)
            patches[one_point.NAME] = one_point.patch(shown.results, range(first, first + shown.plan.seeds))
        return pack(patches, step=shown.results.step, status=self.status(), **map_text.words(shown, self._point))

    def news(self) -> bytes | None:
        """How far the map is, if that has changed; it is sent without a request."""
        status = self.status()
        if status == self._status:
            return None
        self._status = status
        return pack({}, status=status)

    def status(self) -> dict[str, Any]:
        """Phase, share done, clock, and what is wrong."""
        return map_text.status(self._map)


def _point(given: Any, shown: Map) -> tuple[int, int, int] | None:
    """The panel, row and column that the browser names; None for none, or for one that is not there."""
    if given is None:
        return None
    cell, y, x = given
    if not type(cell) is type(y) is type(x) is int:
        return None
    inside = all(0 <= place < most for place, most in zip((cell, y, x), shown.plan.shape[:3], strict=True))
    return (cell, y, x) if inside else None


async def map_socket(socket: WebSocket) -> None:
    """The stream of one map."""
    await stream.serve(socket, MAPS, MapFeed)


ROUTES = [WebSocketRoute("/live/map/{token}", map_socket)]
