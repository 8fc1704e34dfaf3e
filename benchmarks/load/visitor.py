"""One visitor: trains, watches every frame, and clicks now and then; notes when what happened."""

from __future__ import annotations

import asyncio
import json
import random
import struct
import time
from collections.abc import Callable, Coroutine
from typing import Any

import websockets

from benchmarks.load.page_session import PATIENCE, PageError, PageSession

PAINT = 0.05  # seconds that a browser paints a frame before it requests the next
FIGURES = ("stage", "gradient", "loss")
CLICK_EVERY = 5.0  # seconds, on average
RATES = ("0.001", "0.003", "0.01")
SIZES = ("16", "24", "32")


class Visitor:
    """A person who trains one network and looks at it.

    Args:
        address: of the server, "host:port".
        number: the seed of the network, and of when this person clicks.
        mixed: half of the clicks change a setting in place, a quarter pause and train, a quarter start another
            network; else all change a setting in place.
    """

    def __init__(self, address: str, number: int, lesson: str, *, mixed: bool) -> None:
        self.page = PageSession(address, f"preset={lesson}&speed=max&seed={number}&steps=1000000")
        self.opened = 0.0  # seconds until the page was drawn
        self.frames: list[tuple[float, int]] = []  # when each frame arrived, and its step
        self.clicks: list[tuple[float, float]] = []  # when the page had answered each click, and the seconds it took
        self.problems: list[str] = []
        self._mixed, self._random = mixed, random.Random(number)

    async def come(self) -> None:
        """Open the page and press Train."""
        began = time.perf_counter()
        await self.page.open()
        self.opened = time.perf_counter() - began
        await self.page.press("train")

    async def stay(self, seconds: float) -> None:
        """Watch, click, and repeat what the page asks to repeat, for so long; then leave."""
        doing = (self._watch, self._click_now_and_then, self._repeat)
        tasks = [asyncio.create_task(self._until_it_breaks(act)) for act in doing]
        await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await self.page.close()

    async def _until_it_breaks(self, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await act()
        except (PageError, OSError, TimeoutError, websockets.WebSocketException) as problem:
            self.problems.append(f"{type(problem).__name__}: {problem}")

    async def _watch(self) -> None:
        """Stream the run on the page, and after it the one that takes its place."""
        while True:
            token = self.page.token
            await self._stream(token)
            while self.page.token == token:  # the page of the next run is being drawn
                await asyncio.sleep(PAINT)

    async def _stream(self, token: str) -> None:
        address, request = self.page.address, json.dumps({"seen": FIGURES, "at": None, "stage": {}, "chain": [-1, 0]})
        stream = websockets.connect(f"ws://{address}/live/{token}", origin=f"http://{address}", max_size=None,
                                    open_timeout=PATIENCE, ping_interval=None)  # fmt: skip
        async with stream as socket:
            await socket.send(request)
            async for message in socket:
                assert isinstance(message, bytes)
                header = header_of(message)
                if "step" in header:
                    self.frames.append((time.perf_counter(), header["step"]))
                    await asyncio.sleep(PAINT)
                    await socket.send(request)

    async def _click_now_and_then(self) -> None:
        await asyncio.sleep(self._random.uniform(0, CLICK_EVERY))
        while True:
            await self._click()
            await asyncio.sleep(self._random.expovariate(1 / CLICK_EVERY))

    async def _click(self) -> None:
        chance = self._random.random() if self._mixed else 0.0
        if chance < 0.5:
            await self._timed(self.page.choose("learning_rate", self._random.choice(RATES)))
        elif chance < 0.75:
            await self._timed(self.page.press("pause"))
            await self._timed(self.page.press("train"))
        else:
            await self._timed(self.page.choose("hidden_size", self._random.choice(SIZES)))

    async def _timed(self, click: Coroutine[Any, Any, None]) -> None:
        began = time.perf_counter()
        await click
        now = time.perf_counter()
        self.clicks.append((now, now - began))

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(min(self.page.repeats.values(), default=1.0))
            for fragment in list(self.page.repeats):
                await self.page.repeat(fragment)


def header_of(message: bytes) -> dict[str, Any]:
    """The JSON header of a message of the live stream (`app.live.messages`)."""
    (length,) = struct.unpack_from("<I", message)
    header: dict[str, Any] = json.loads(message[4 : 4 + length])
    return header
