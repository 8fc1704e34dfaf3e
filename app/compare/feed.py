"""What a race's socket sends: all lanes at one step, as patches of the shared figures, a sentence and a table.

The open socket drives the race, so a race that nobody watches stands still.
"""

from __future__ import annotations

import contextlib
import json
from itertools import zip_longest
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from app import text
from app.compare import text as compare_text
from app.compare.lanes import Race
from app.compare.registry import RACES
from app.figures.compare.catalogue import FIGURES, LaneSnapshot, applicable
from app.live import stream
from app.live.messages import pack
from app.stage.feed import StageFeed
from engine.frame import RunPhase


class RaceFeed:
    """One socket's view of one race: it knows what was sent, and so what is new."""

    def __init__(self, race: Race) -> None:
        self.race = race
        self._figures = applicable([lane.run.info for lane in race.lanes])
        self.seen: frozenset[str] = frozenset()  # the figures on the screen, as the browser reports
        self._stages = [StageFeed(lane.run) for lane in race.lanes]
        self._drawn: dict[str, tuple[LaneSnapshot, ...]] = {}  # the snapshots that each figure shows
        self._sent: tuple[LaneSnapshot, ...] | None = None
        self._last_status: dict[str, str] | None = None

    @property
    def ended(self) -> bool:
        """True if another race has taken its place."""
        return self.race.stopped

    def receive(self, message: str) -> None:
        """Store which figures are on the screen, and what is chosen on each lane's stage; ignore an invalid message."""
        chosen: list[Any] = []
        with contextlib.suppress(ValueError, TypeError, KeyError):
            request = json.loads(message)
            self.seen = frozenset(request["seen"]) & frozenset(FIGURES)
            chosen = list(request.get("stages", []))
        for lane, stage, choice in zip_longest(self.race.lanes, self._stages, chosen[: len(self._stages)]):
            stage.receive(choice)
            lane.requested = stage.requires()

    def advance(self, *, requested: bool) -> None:
        """Advance the race: it moves only while a socket is open."""
        self.race.tick(frames_wanted=requested)

    def frame(self) -> bytes | None:
        """What is new in the newest snapshots; None if nothing is."""
        lanes = self.race.snapshots
        if lanes is None:
            return None
        due = [
            name for name in self._figures
            if self._drawn.get(name) is not lanes and (name in self.seen or name not in self._drawn)
        ]  # fmt: skip
        stages = {
            f"stage{k}": stage.patch(lane.info, lane.frame)
            for k, (stage, lane) in enumerate(zip(self._stages, lanes, strict=True))
            if stage.wanted is not None and stage.is_due(lane.frame)
        }
        if not due and not stages and lanes is self._sent:
            return None
        self._sent = lanes
        self._drawn |= dict.fromkeys(due, lanes)
        return pack(
            {name: self._figures[name].patch(lanes) for name in due} | stages,
            step=max(lane.frame.step for lane in lanes),
            steps=[lane.frame.step for lane in lanes],
            lanes=[compare_text.card(lane) for lane in lanes],
            verdict=compare_text.verdict(lanes),
            table=compare_text.table(lanes),
            status=self._status(),
        )

    def news(self) -> bytes | None:
        """The race's status, if it has changed; it is sent without a request."""
        status = self._status()
        if status == self._last_status:
            return None
        self._last_status = status
        return pack({}, status=status)

    def _status(self) -> dict[str, Any]:
        race = self.race
        phase = RunPhase.PAUSED if race.is_at_rest else RunPhase.RUNNING
        if race.snapshots is None:
            phase = RunPhase.STARTING
        elif race.is_at_rest and all(lane.state != "racing" for lane in race.snapshots):
            phase = RunPhase.FINISHED
        clock = [text.PHASES[phase], f"{race.rate:,.0f} updates/s each" if race.rate >= 1.5 else ""]
        return {"phase": str(phase), "clock": " · ".join(filter(None, clock)), "message": race.problem}


async def race_socket(socket: WebSocket) -> None:
    """The stream of one race."""
    await stream.serve(socket, RACES, lambda slot: RaceFeed(slot.race))


ROUTES = [WebSocketRoute("/live/race/{token}", race_socket)]
