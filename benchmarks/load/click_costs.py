"""What one click takes from the server, in processor time: a visitor alone, on a page that does nothing meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import cycle

from benchmarks.load.page_session import PageSession
from benchmarks.load.server_process import ServerProcess, processor_seconds

LINK = "preset={lesson}&hidden_size=16&speed=slow"
TIMES = 40  # each is done so often
SETTLE = 2.0  # seconds before the first


async def click_costs(server: ServerProcess, lesson: str) -> dict[str, float]:
    """Milliseconds of each click, by what is clicked."""
    page = PageSession(server.address, LINK.format(lesson=lesson))
    await page.open()
    rates, sizes = cycle(("0.01", "0.003")), cycle(("24", "32"))
    await page.choose("learning_rate", "0.001")  # from now on the lesson is left
    await asyncio.sleep(SETTLE)

    async def change_rate() -> None:
        await page.choose("learning_rate", next(rates))

    async def change_size() -> None:
        await page.choose("hidden_size", next(sizes))

    async def pause_and_train() -> None:
        await page.press("pause")
        await page.press("train")

    async def cost(act: Callable[[], Awaitable[None]]) -> float:
        before = processor_seconds(server.pid)
        for _ in range(TIMES):
            await act()
        return 1e3 * (processor_seconds(server.pid) - before) / TIMES

    costs = {
        "the whole page": await cost(page.draw),
        "a setting in place": await cost(change_rate),
        "another network": await cost(change_size),
        "Pause and Train": await cost(pause_and_train),
    }
    await page.close()
    return costs
