"""Somebody who draws a map, played without a browser, beside the visitors that are measured."""

from __future__ import annotations

import asyncio
import contextlib
import json

import websockets

from app.map.component import KEY
from benchmarks.load.page_session import PATIENCE, PageSession
from benchmarks.load.visitor import PAINT, header_of

LINK = "x=init_gain~0.35~3~16&y=seq_len~2~48~16&cells=rnn.gru.lstm&updates=1000"
REQUEST = json.dumps({"colour": "loss", "point": None})


class Mapper:
    """One person with one large map, who watches it fill in.

    Args:
        address: of the server, "host:port".
    """

    def __init__(self, address: str) -> None:
        self.page = PageSession(address, LINK, page="map", component=KEY)
        self.step = 0  # of the map, as it was last seen

    async def watch(self) -> None:
        """Open the page, begin the map and watch until it is cancelled."""
        await self.page.open()
        await self.page.press("map_begin")
        address = self.page.address
        stream = websockets.connect(f"ws://{address}/live/map/{self.page.token}", origin=f"http://{address}",
                                    max_size=None, open_timeout=PATIENCE, ping_interval=None)  # fmt: skip
        with contextlib.suppress(asyncio.CancelledError):
            async with stream as socket:
                await socket.send(REQUEST)
                async for message in socket:
                    assert isinstance(message, bytes)
                    if "step" in (header := header_of(message)):
                        self.step = header["step"]
                        await asyncio.sleep(PAINT)
                        await socket.send(REQUEST)
        await self.page.close()
