"""The WebSocket of a live view: the browser sends a request, and is answered as soon as there is something new."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol, TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect

from app.slot_registry import SlotRegistry, TabSlot

POLL = 0.01  # seconds between two checks whether a worker has sent something
MAX_VIEWERS = 8  # sockets per slot
REFUSED = 1008  # close code "policy violation": wrong origin, or the run has ended; the browser does not try again


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


T = TypeVar("T", bound=TabSlot)


async def serve(socket: WebSocket, slots: SlotRegistry[T], open_feed: Callable[[T], MessageFeed]) -> None:
    """Stream one run or race to a browser until one of the two ends.

    Args:
        socket: of a route with a `token` in its path.
        slots: where the token is looked up.
        open_feed: makes the feed of a slot.
    """
    slot = slots.find(socket.path_params["token"])
    if slot is None or not same_origin(socket) or slot.viewers >= MAX_VIEWERS:
        await socket.close(REFUSED)
        return
    await socket.accept()
    slots.watch(slot, 1)
    requested, feed = asyncio.Event(), open_feed(slot)
    listener = asyncio.create_task(
        _listen(socket, feed, requested)
    )  # it also notices that the tab of a paused run was closed
    try:
        await _send(socket, feed, requested, listener)
    except (WebSocketDisconnect, RuntimeError):
        pass  # the browser has closed the connection
    finally:
        listener.cancel()
        slots.watch(slot, -1)


def same_origin(socket: WebSocket) -> bool:
    """True for a page that this server has served. Streamlit does not check the origin of custom routes."""
    return socket.headers.get("origin", "").split("://", 1)[-1] == socket.headers.get("host")


async def _listen(socket: WebSocket, feed: MessageFeed, requested: asyncio.Event) -> None:
    """Receive the browser's messages; each one is a request."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            feed.receive(await socket.receive_text())
            requested.set()


async def _send(socket: WebSocket, feed: MessageFeed, requested: asyncio.Event, listener: asyncio.Task) -> None:
    """Send news at once and one frame per request, as long as the browser is connected."""
    while not listener.done():
        if feed.ended:
            await socket.close(REFUSED)
            return
        feed.advance(requested=requested.is_set())
        if (news := feed.news()) is not None:
            await socket.send_bytes(news)
        if requested.is_set() and (frame := feed.frame()) is not None:
            requested.clear()
            await socket.send_bytes(frame)
        await asyncio.sleep(POLL)
