"""One visitor of a soak: trains a lesson, watches every frame, turns the learning rate now and then, and is cut off."""

from __future__ import annotations

import asyncio
import json
import random
import time
import urllib.request
from collections.abc import Coroutine
from typing import Any

import websockets

from benchmarks.load.page_session import PATIENCE, PageError, PageSession
from benchmarks.load.visitor import FIGURES, RATES, header_of

PAINT = 0.05  # seconds that a browser paints a frame before it requests the next
RECONNECT = 0.5  # seconds until a browser connects again
CHANGE_EVERY = 20.0  # seconds between two changes of the learning rate, on average


class Watcher:
    """A person who trains one network and looks at it.

    Args:
        address: of the server, "host:port".
        number: the seed of the network, and of when this person changes something.
        lesson: the lesson whose network is trained.

    Attributes:
        frames: when each frame arrived, and its step.
        messages: what the server has said of the run, each once.
        cuts: how often the stream was cut and came back.
    """

    def __init__(self, address: str, number: int, lesson: str) -> None:
        self.name = f"{lesson}, seed {number}"
        self.page = PageSession(address, f"preset={lesson}&speed=normal&seed={number}&steps=1000000")
        self.frames: list[tuple[float, int]] = []
        self.messages: dict[str, None] = {}
        self.problems: list[str] = []
        self.cuts = 0
        self._random = random.Random(number)
        self._stream: websockets.ClientConnection | None = None

    async def come(self) -> None:
        """Open the page and press Train."""
        await self.page.open()
        await self.page.press("train")

    async def stay(self) -> None:
        """Watch and change the learning rate until cancelled."""
        await asyncio.gather(*map(self._noted, (self._watch(), self._change())))

    async def leave(self) -> bytes:
        """Pause, take the recording as a zip file, and close the page."""
        await self.page.press("pause")
        found = await asyncio.to_thread(self._recording)
        await self.page.close()
        return found

    def cut(self) -> None:
        """End the stream as a network does: without a word."""
        if self._stream is not None:
            self.cuts += 1
            self._stream.transport.abort()

    async def _noted(self, doing: Coroutine[Any, Any, None]) -> None:
        try:
            await doing
        except (PageError, OSError, TimeoutError, websockets.WebSocketException) as problem:
            self.problems.append(f"{self.name}: {type(problem).__name__}: {problem}")

    async def _watch(self) -> None:
        while True:
            try:
                await self._watch_one_stream()
            except websockets.ConnectionClosed as closed:
                if closed.rcvd is not None:  # the server has closed it, not the network
                    raise
            await asyncio.sleep(RECONNECT)

    async def _watch_one_stream(self) -> None:
        address, request = self.page.address, json.dumps({"seen": FIGURES, "at": None, "stage": {}, "chain": [-1, 0]})
        async with websockets.connect(
            f"ws://{address}/live/{self.page.token}", origin=f"http://{address}", max_size=None,
            open_timeout=PATIENCE, ping_interval=None,
        ) as self._stream:  # fmt: skip
            await self._stream.send(request)
            async for message in self._stream:
                assert isinstance(message, bytes)
                header = header_of(message)
                if said := header["status"]["message"]:
                    self.messages[said] = None
                if "step" in header:
                    self.frames.append((time.monotonic(), header["step"]))
                    await asyncio.sleep(PAINT)
                    await self._stream.send(request)

    async def _change(self) -> None:
        while True:
            await asyncio.sleep(self._random.expovariate(1 / CHANGE_EVERY))
            await self.page.choose("learning_rate", self._random.choice(RATES))

    def _recording(self) -> bytes:
        address = f"http://{self.page.address}/live/{self.page.token}/recording.zip"
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            return bytes(answer.read())
