"""A run that somebody else looks at: the teacher a student's, or the whole class the teacher's.

Whoever looks gets an address of its own, never the run's: by that its files could be taken.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Collection

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from app.classroom.limits import MAX_STUDENTS
from app.hub import RunSlot
from app.live import stream
from app.live.feed import Feed
from app.live.messages import pack
from app.live.stream import MessageFeed
from app.slot_registry import SlotRegistry, TabSlot
from app.stage.feed import STAGE
from app.text import clock
from engine.frame import Frame
from engine.workers import Listeners, Run

EVERY = 0.5  # seconds between two frames of a run that is shown to all, at least
VIEWERS = 2 * MAX_STUDENTS  # sockets: a page that reconnects may for a moment hold two


class Look(TabSlot):
    """What is looked at: the runs of one tab, whichever is the present one.

    Args:
        slot: the runs. figures: names of the figures that all see beside the stage; None for one viewer, who chooses.
    """

    def __init__(self, slot: RunSlot, figures: Collection[str] | None = None) -> None:
        super().__init__("")
        self.slot = slot
        self.picture = None if figures is None else Picture(slot, figures)
        self._secret = secrets.token_bytes(32)

    @property
    def token(self) -> str:
        """The name of the present run for those who look; another run has another one."""
        return hashlib.blake2b(self.slot.token.encode(), key=self._secret, digest_size=16).hexdigest()

    def stop(self) -> None:
        """The run is not ours."""


class Picture:
    """A run as all see it: each frame is computed and packed once, as one message that needs none before it.

    The server's loop alone calls it.
    """

    def __init__(self, slot: RunSlot, figures: Collection[str]) -> None:
        self._slot, self.figures = slot, tuple(figures)
        self._run: Run | None = None
        self._frame: Frame | None = None
        self._message: bytes | None = None
        self._due = 0.0
        self.packed = 0  # messages so far

    @property
    def wait(self) -> float:
        """Seconds until the next frame may be packed."""
        return max(0.0, self._due - time.monotonic())

    def newest(self, run: Run) -> bytes | None:
        """The newest frame of this run, the slot's present one, as a message; None if there is none yet."""
        if run is not self._run:
            self._run, self._frame, self._message, self._due = run, None, None, 0.0
        frame = run.latest()  # requests the next one
        if frame is not None and frame is not self._frame and not self.wait:
            feed = Feed(self._slot)
            feed.seen = frozenset({*self.figures, STAGE})
            self._frame, self._message = frame, feed.frame()
            self._due = time.monotonic() + EVERY
            self.packed += 1
        return self._message


class PictureFeed:
    """One of many sockets that are sent the same messages."""

    def __init__(self, look: Look, picture: Picture) -> None:
        self._look, self._picture, self._run = look, picture, look.slot.run
        self._sent: bytes | None = None
        self._told: dict[str, str] = {}

    @property
    def ended(self) -> bool:
        """True if the slot has another run now."""
        return self._look.slot.run is not self._run

    @property
    def listeners(self) -> Listeners:
        """Told whenever the slot may have something new."""
        return self._look.slot.listeners

    @property
    def patience(self) -> float:
        """Seconds until a frame that is there may be packed."""
        return self._picture.wait or stream.LONGEST_SLEEP

    def receive(self, message: str) -> None:
        """All see the same: what a browser asks for is of no importance."""

    def advance(self, *, requested: bool) -> None:
        """Do nothing: a worker trains the run."""

    def news(self) -> bytes | None:
        """The run's status, if its phase or message has changed."""
        status = self._run.status()
        now = {"phase": str(status.phase), "message": status.message}
        if now == self._told:
            return None
        self._told = now
        return pack({}, status={**now, "clock": clock(status)})

    def frame(self) -> bytes | None:
        """The newest message, if it was not sent."""
        message = self._picture.newest(self._run)
        if message is self._sent:
            return None
        self._sent = message
        return message


def open_feed(look: Look) -> MessageFeed:
    """What a socket is sent: to one viewer what that viewer asks for, to many the same."""
    return Feed(look.slot) if look.picture is None else PictureFeed(look, look.picture)


LOOKS: SlotRegistry[Look] = SlotRegistry()
"""What is looked at on this server."""


async def look_socket(socket: WebSocket) -> None:
    """The stream of a run to those who look at it."""
    await stream.serve(socket, LOOKS, open_feed, most=VIEWERS)


ROUTES = [WebSocketRoute("/live/look/{token}", look_socket)]
