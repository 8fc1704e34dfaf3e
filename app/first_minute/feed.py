"""What the socket of the first minute sends: two networks, their captions, and how long it still takes."""

from __future__ import annotations

from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from app.figures.compare.catalogue import LaneSnapshot
from app.first_minute import text as first_text
from app.first_minute.duration import MEASURED
from app.first_minute.registry import RACES
from app.first_minute.setup import SHORTEST
from app.live import stream
from app.race.feed import LanesFeed
from engine.frame import RunPhase


class FirstMinuteFeed(LanesFeed):
    """One socket's view of the race; it ends the race as soon as both networks have their result."""

    def advance(self, *, requested: bool) -> None:
        """Advance the race, and pause it where there is nothing more to see."""
        super().advance(requested=requested)
        race = self.race
        if not race.paused and race.snapshots is not None and first_text.have_results(race.snapshots):
            race.pause()

    @property
    def phase(self) -> RunPhase:
        """Finished once both have their result."""
        ended = self.race.snapshots is not None and first_text.have_results(self.race.snapshots)
        return RunPhase.FINISHED if ended and self.race.is_at_rest else super().phase

    def words(self, lanes: tuple[LaneSnapshot, ...]) -> dict[str, Any]:
        """A caption for each network, and what both together show."""
        MEASURED.note(lanes, self.race.rate)
        between = lanes[0].info.experiment.seq_len - SHORTEST
        return {
            "lanes": [first_text.card(lane) for lane in lanes],
            "conclusion": first_text.conclusion(lanes, between),
        }

    def status(self) -> dict[str, Any]:
        """Phase, the label of the button, and how long it takes."""
        race, phase = self.race, self.phase
        lanes = race.setup.lanes
        left = MEASURED.seconds([lane.cell for lane in lanes], lanes[0].seq_len, race.until - race.step)
        ended = phase == RunPhase.FINISHED
        playing = not race.paused and not ended
        return {
            "phase": str(phase),
            "button": first_text.PAUSE if playing else first_text.AGAIN if ended else first_text.PLAY,
            "clock": first_text.clock(race.step, race.until - race.step, left, playing=playing, ended=ended),
            "message": race.problem,
        }


async def first_minute_socket(socket: WebSocket) -> None:
    """The stream of one race."""
    await stream.serve(socket, RACES, lambda slot: FirstMinuteFeed(slot.race))


ROUTES = [WebSocketRoute("/live/first/{token}", first_minute_socket)]
