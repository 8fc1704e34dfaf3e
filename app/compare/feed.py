"""What the socket of the page "Compare" sends: the lanes, and patches of the shared figures, a sentence and a table."""

from __future__ import annotations

from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from app.compare import text as compare_text
from app.compare.registry import RACES
from app.figures.base import Patch
from app.figures.compare.catalogue import FIGURES, LaneSnapshot, applicable
from app.live import stream
from app.race.feed import LanesFeed
from app.race.lanes import Race


class RaceFeed(LanesFeed):
    """One socket's view of one race."""

    def __init__(self, race: Race) -> None:
        super().__init__(race)
        self._figures = applicable([lane.run.info for lane in race.lanes])
        self.seen: frozenset[str] = frozenset()  # the figures on the screen, as the browser reports
        self._drawn: dict[str, tuple[LaneSnapshot, ...]] = {}  # the snapshots that each figure shows

    def read(self, request: dict[str, Any]) -> None:
        """Store which figures are on the screen."""
        self.seen = frozenset(request["seen"]) & frozenset(FIGURES)

    def figures(self, lanes: tuple[LaneSnapshot, ...]) -> dict[str, Patch]:
        """The figures on the screen, if they show older snapshots, and those that show none."""
        due = [
            name for name in self._figures
            if self._drawn.get(name) is not lanes and (name in self.seen or name not in self._drawn)
        ]  # fmt: skip
        self._drawn |= dict.fromkeys(due, lanes)
        return {name: self._figures[name].patch(lanes) for name in due}

    def words(self, lanes: tuple[LaneSnapshot, ...]) -> dict[str, Any]:
        """Every lane's card, the verdict, and the table."""
        return {
            "lanes": [compare_text.card(lane) for lane in lanes],
            "verdict": compare_text.verdict(lanes),
            "table": compare_text.table(lanes),
        }


async def race_socket(socket: WebSocket) -> None:
    """The stream of one race."""
    await stream.serve(socket, RACES, lambda slot: RaceFeed(slot.race))


ROUTES = [WebSocketRoute("/live/race/{token}", race_socket)]
