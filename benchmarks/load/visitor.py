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
REPLACED = 1008  # the close code of a stream whose run has been replaced by another (`app.live.stream.REFUSED`)
CLICK_EVERY = 5.0  # seconds, on average
RATES = ("0.001", "0.003", "0.01")
SIZES = ("16", "24", "32")
MODES = IN_PLACE, MIXED, ONE_LINK = "in-place", "mixed", "one-link"
"""What visitors do: change a setting that the run takes over; half of the time that, a quarter of it pause and train, a
quarter start another network; look at the same link, and touch nothing."""


class Visitor:
    """A person who trains one network and looks at it.

    Args:
        address: of the server, "host:port".
        number: the seed of the network, and of when this person clicks.
        mode: one of MODES.
    """

    def __init__(self, address: str, number: int, lesson: str, mode: str) -> None:
        seed = 0 if mode == ONE_LINK else number
        self.page = PageSession(address, f"preset={lesson}&speed=max&seed={seed}&steps=1000000")
        self.opened = 0.0  # seconds until the page was drawn
        self.frames: list[tuple[float, int]] = []  # when each frame arrived, and its step
        self.clicks: list[tuple[float, float]] = []  # when the page had answered each click, and the seconds it took
        self.problems: list[str] = []
        self._mode, self._random = mode, random.Random(number)
        self._noticed: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()  # by the live view: event and value
        self._phase, self._fetched = "", ""

    async def come(self) -> None:
        """Open the page and press Train; on one link the run trains by itself."""
        began = time.perf_counter()
        await self.page.open()
        self.opened = time.perf_counter() - began
        if self._mode != ONE_LINK:
            await self.page.press("train")

    async def stay(self, seconds: float) -> None:
        """Watch, click, and repeat what the page asks to repeat, for so long; then leave."""
        doing = [self._watch, self._tell, self._repeat]
        doing += [self._click_now_and_then] if self._mode != ONE_LINK else []
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
            if self.page.figures != self._fetched:
                self._fetched = self.page.figures
                await self.page.fetch(self._fetched)
            try:
                await self._stream(token)
            except websockets.ConnectionClosedError as closed:
                if closed.rcvd is None or closed.rcvd.code != REPLACED:
                    raise
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
                self._notice(header)
                if "step" in header:
                    self.frames.append((time.perf_counter(), header["step"]))
                    await asyncio.sleep(PAINT)
                    await socket.send(request)
                elif "again" in header:
                    await socket.send(request)

    def _notice(self, header: dict[str, Any]) -> None:
        """What the page's JavaScript (`app/live/view.js`) tells the server of a message."""
        phase, before = header["status"]["phase"], self._phase
        self._phase = phase
        has_ended = phase in ("finished", "refused") and phase != before
        if has_ended or "again" in header:
            self._noticed.put_nowait(("redraw", "page" if has_ended else header["again"]))
        if changes := header.get("timeline", {}).get("changes"):
            self._noticed.put_nowait(("noted", json.dumps(changes)))

    async def _tell(self) -> None:
        while True:
            await self.page.trigger(*await self._noticed.get())

    async def _click_now_and_then(self) -> None:
        await asyncio.sleep(self._random.uniform(0, CLICK_EVERY))
        while True:
            await self.click()
            await asyncio.sleep(self._random.expovariate(1 / CLICK_EVERY))

    async def click(self) -> None:
        """Do one of the things that this visitor does now and then."""
        chance = self._random.random() if self._mode == MIXED else 0.0
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
