"""The WebSocket of a live view: the browser sends a request, and is answered as soon as there is something new.

Between two looks the stream sleeps until it is told that there may be something.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

from starlette.websockets import WebSocket, WebSocketDisconnect

from app.slot_registry import SlotRegistry, TabSlot
from engine.workers import Listeners

POLL = 0.01  # seconds between two looks at a feed that does not tell when it has something new
LONGEST_SLEEP = 1.0  # seconds between two looks at one that does, at most
MAX_VIEWERS = 8  # sockets per slot
REFUSED = 1008  # close code "policy violation": wrong origin, or another run took its place; no browser tries again
GONE = 4404  # close code: this server has no such run; it was started again, or has forgotten the run


class MessageFeed(Protocol):
    """One socket's view of a run or a race: what the browser requests, and what is new to it."""

    @property
    def ended(self) -> bool:
        """True if another run or race has taken this one's place: the socket is closed."""

    def receive(self, message: str) -> None:
        """Store what the browser sends with its request; it may be invalid."""

    def advance(self, *, requested: bool) -> None:
        """Called before each check for something new. `requested`: the browser waits for a frame."""

    def news(self) -> bytes | None:
        """What is sent without a request; None if nothing has changed."""

    def frame(self) -> bytes | None:
        """The answer to a request; None if there is nothing new yet."""


@runtime_checkable
class TellingFeed(MessageFeed, Protocol):
    """A feed that tells when there may be something new: it is looked at only then, and when its patience is over."""

    @property
    def listeners(self) -> Listeners:
        """Told, from any thread, whenever there may be something new, or the feed may have ended."""

    @property
    def patience(self) -> float:
        """Seconds, above 0, after which there may be something new though nobody was told; infinity for none."""


T = TypeVar("T", bound=TabSlot)


async def serve(
    socket: WebSocket, slots: SlotRegistry[T], open_feed: Callable[[T], MessageFeed], most: int = MAX_VIEWERS
) -> None:
    """Stream one run or race to a browser until one of the two ends.

    Args:
        socket: of a route with a `token` in its path.
        slots: where the token is looked up.
        open_feed: makes the feed of a slot.
        most: sockets of one slot.
    """
    slot = slots.find(socket.path_params["token"])
    if not same_origin(socket) or (slot is not None and slot.viewers >= most):
        await socket.close(REFUSED)
        return
    await socket.accept()
    if slot is None:
        await socket.close(GONE)  # only now: a browser is not told why it was not accepted
        return
    slots.watch(slot, 1)
    feed = open_feed(slot)
    alarm, requested = _Alarm(feed), asyncio.Event()
    listener = asyncio.create_task(
        _listen(socket, feed, requested, alarm)
    )  # it also notices that the tab of a paused run was closed
    try:
        await _send(socket, feed, requested, alarm, listener)
    except (WebSocketDisconnect, RuntimeError):
        pass  # the browser has closed the connection
    finally:
        alarm.close()
        listener.cancel()
        slots.watch(slot, -1)


def same_origin(socket: WebSocket) -> bool:
    """True for a page that this server has served. Streamlit does not check the origin of custom routes."""
    return socket.headers.get("origin", "").split("://", 1)[-1] == socket.headers.get("host")


class _Alarm:
    """Wakes the one who streams a feed."""

    def __init__(self, feed: MessageFeed) -> None:
        self._feed, self._loop, self._rung = feed, asyncio.get_running_loop(), asyncio.Event()
        if isinstance(feed, TellingFeed):
            feed.listeners.add(self.ring)

    def close(self) -> None:
        """Nobody streams the feed any more."""
        if isinstance(self._feed, TellingFeed):
            self._feed.listeners.remove(self.ring)

    def ring(self) -> None:
        """There may be something new; called from any thread."""
        with contextlib.suppress(RuntimeError):  # the server has ended its loop
            self._loop.call_soon_threadsafe(self._rung.set)

    def silence(self) -> None:
        """Whoever streams is about to look: only what comes from now on wakes again."""
        self._rung.clear()

    async def sleep(self) -> None:
        """Return when it has rung, or when it is time to look anyway."""
        limit = min(LONGEST_SLEEP, self._feed.patience) if isinstance(self._feed, TellingFeed) else POLL
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._rung.wait()


async def _listen(socket: WebSocket, feed: MessageFeed, requested: asyncio.Event, alarm: _Alarm) -> None:
    """Receive the browser's messages; each one is a request."""
    try:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                feed.receive(await socket.receive_text())
                requested.set()
                alarm.ring()
    finally:
        alarm.ring()  # the browser has gone


async def _send(
    socket: WebSocket, feed: MessageFeed, requested: asyncio.Event, alarm: _Alarm, listener: asyncio.Task
) -> None:
    """Send news at once and one frame per request, as long as the browser is connected."""
    while not listener.done():
        alarm.silence()
        if feed.ended:
            await socket.close(REFUSED)
            return
        feed.advance(requested=requested.is_set())
        if (news := feed.news()) is not None:
            await socket.send_bytes(news)
        if requested.is_set() and (frame := feed.frame()) is not None:
            requested.clear()
            await socket.send_bytes(frame)
        await alarm.sleep()
