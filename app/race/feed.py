"""What a race's socket sends: all lanes at one step, each as the values of its network's drawing.

The open socket drives the race, so a race that nobody watches stands still. A page's own feed says what stands around
the networks: override `figures` and `words`.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from app import text
from app.figures.base import Patch
from app.figures.compare.catalogue import LaneSnapshot
from app.live.messages import pack
from app.race.lanes import Race
from app.stage.feed import StageFeed
from engine.frame import RunPhase
from engine.workers import Listeners


class LanesFeed:
    """One socket's view of one race: it knows what was sent, and so what is new."""

    def __init__(self, race: Race) -> None:
        self.race = race
        self._stages = [StageFeed(lane.run) for lane in race.lanes]
        self._sent: tuple[LaneSnapshot, ...] | None = None
        self._last_status: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        """True if another race has taken its place."""
        return self.race.stopped

    @property
    def listeners(self) -> Listeners:
        """Told whenever the race may move."""
        return self.race.listeners

    @property
    def patience(self) -> float:
        """Seconds until the next round is due."""
        return self.race.wait or math.inf

    def receive(self, message: str) -> None:
        """Store what is chosen on each lane's stage; ignore an invalid message."""
        chosen: list[Any] = []
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            request = json.loads(message)
            self.read(request)
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
        figures = self.figures(lanes)
        stages = {
            f"stage{k}": stage.patch(lane.info, lane.frame)
            for k, (stage, lane) in enumerate(zip(self._stages, lanes, strict=True))
            if stage.wanted is not None and stage.is_due(lane.frame)
        }
        if not figures and not stages and lanes is self._sent:
            return None
        self._sent = lanes
        return pack(
            {**figures, **stages},
            step=max(lane.frame.step for lane in lanes),
            steps=[lane.frame.step for lane in lanes],
            status=self.status(),
            **self.words(lanes),
        )

    def news(self) -> bytes | None:
        """The race's status, if it has changed; it is sent without a request."""
        status = self.status()
        if status == self._last_status:
            return None
        self._last_status = status
        return pack({}, status=status)

    @property
    def phase(self) -> RunPhase:
        """The phase of the whole race: finished once no lane trains any more."""
        race = self.race
        if race.snapshots is None:
            return RunPhase.STARTING
        if not race.is_at_rest:
            return RunPhase.RUNNING
        ended = all(lane.state != "racing" for lane in race.snapshots)
        return RunPhase.FINISHED if ended else RunPhase.PAUSED

    # What a page says of its own.

    def read(self, request: dict[str, Any]) -> None:
        """Read what else the browser has sent; an invalid value may raise ValueError, TypeError or KeyError."""

    def figures(self, lanes: tuple[LaneSnapshot, ...]) -> Mapping[str, Patch]:
        """The patches of the page's figures that are due, by name."""
        return {}

    def words(self, lanes: tuple[LaneSnapshot, ...]) -> dict[str, Any]:
        """What is written with these snapshots, as JSON values by name."""
        return {}

    def status(self) -> dict[str, Any]:
        """Phase, clock, and what is wrong; sent whenever it has changed."""
        race = self.race
        clock = [text.PHASES[self.phase], f"{race.rate:,.0f} updates/s each" if race.rate >= 1.5 else ""]
        return {"phase": str(self.phase), "clock": " · ".join(filter(None, clock)), "message": race.problem}
