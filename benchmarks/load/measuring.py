"""One measurement: so many visitors come, stay, and are counted while nobody comes or goes."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import websockets

from benchmarks.load.mapper import Mapper
from benchmarks.load.page_session import PageError
from benchmarks.load.server_process import ServerProcess, memory, processor_seconds
from benchmarks.load.visitor import Visitor

AT_ONCE = 4  # visitors whose pages are being opened
SETTLE = 10.0  # seconds after the last has come, before the measurement begins
SPARE = 10.0  # seconds that all stay on, so that nobody leaves before all have clicked at once


@dataclass(frozen=True)
class Load:
    """What was measured.

    Args:
        seconds: of wall-clock time. server, workers, generator: processor seconds of each in that time.
        frames: frames a second of each visitor. updates: updates a second of each run that was seen at two steps.
        clicks: seconds until the page was drawn after each click. opened: seconds until each page was drawn.
        all_training: seconds until all had come and pressed Train.
        at_once: seconds until the last answer, if all click at once; nan where nobody clicks.
        server_memory, worker_memory: MiB more than before the first came.
        problems: sentences; a visitor with a problem has stopped doing what failed.
    """

    seconds: float
    server: float
    workers: float
    generator: float
    frames: tuple[float, ...]
    updates: tuple[float, ...]
    clicks: tuple[float, ...]
    opened: tuple[float, ...]
    all_training: float
    at_once: float
    server_memory: float
    worker_memory: float
    problems: tuple[str, ...]


async def measure(
    server: ServerProcess, visitors: Sequence[Visitor], seconds: float, mapper: Mapper | None = None
) -> Load:
    """Let all come, wait until they have settled, and measure for so many seconds; meanwhile one may draw a map."""
    processes = ((server.pid,), tuple(server.workers))
    held = [memory(*each) for each in processes]
    began = time.perf_counter()
    gate = asyncio.Semaphore(AT_ONCE)

    async def come(visitor: Visitor) -> None:
        async with gate:
            await visitor.come()

    await asyncio.gather(*map(come, visitors))
    mapping = asyncio.create_task(mapper.watch()) if mapper is not None else None
    all_training = time.perf_counter() - began
    staying = [asyncio.create_task(visitor.stay(SETTLE + seconds + SPARE)) for visitor in visitors]
    await asyncio.sleep(SETTLE)
    start, before = time.perf_counter(), [*(processor_seconds(*each) for each in processes), time.process_time()]
    await asyncio.sleep(seconds)
    end, after = time.perf_counter(), [*(processor_seconds(*each) for each in processes), time.process_time()]
    held = [memory(*each) - was for each, was in zip(processes, held, strict=True)]
    at_once = await click_at_once([visitor for visitor in visitors if visitor.clicks])
    await asyncio.gather(*staying)
    if mapping is not None:
        mapping.cancel()
        await asyncio.wait([mapping])
    spent = [now - was for now, was in zip(after, before, strict=True)]
    inside = [[(at, step) for at, step in visitor.frames if start <= at <= end] for visitor in visitors]
    return Load(
        end - start, *spent,
        frames=tuple(len(frames) / (end - start) for frames in inside),
        updates=tuple(rate for rate in map(updates_per_second, inside) if rate is not None),
        clicks=tuple(took for visitor in visitors for at, took in visitor.clicks if start <= at <= end),
        opened=tuple(visitor.opened for visitor in visitors),
        all_training=all_training, at_once=at_once, server_memory=held[0], worker_memory=held[1],
        problems=tuple(problem for visitor in visitors for problem in visitor.problems),
    )  # fmt: skip


async def click_at_once(visitors: Sequence[Visitor]) -> float:
    """Seconds until all pages are drawn; nan without visitors, or if one of them has a problem."""
    began = time.perf_counter()
    try:
        await asyncio.gather(*(visitor.click() for visitor in visitors))
    except (OSError, TimeoutError, PageError, websockets.WebSocketException):
        return float("nan")
    return time.perf_counter() - began if visitors else float("nan")


def updates_per_second(frames: Sequence[tuple[float, int]]) -> float | None:
    """Of the run that was watched last, between its first frame here and its last; None if there are no two.

    Args:
        frames: when each arrived, and its step. A step that is lower than the one before is another run's.
    """
    since = max((k for k in range(1, len(frames)) if frames[k][1] < frames[k - 1][1]), default=0)
    (began, first), (ended, last) = (frames[since], frames[-1]) if frames else ((0.0, 0), (0.0, 0))
    return (last - first) / (ended - began) if ended > began else None


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed; nan without values."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def row_of(load: Load) -> dict[str, str]:
    """What a table says of a measurement, by the name of the column."""
    count = len(load.frames)
    updates = load.updates or (float("nan"),)
    return {
        "visitors": f"{count}",
        "server, % of a core": f"{100 * load.server / load.seconds:.1f}",
        "ms of processor per visitor-second": f"{1e3 * load.server / load.seconds / count:.2f}",
        "frames/s: slowest": f"{min(load.frames):.2f}",
        "median": f"{statistics.median(load.frames):.2f}",
        "clicks": f"{len(load.clicks)}",
        "answered, ms: p50": f"{1e3 * quantile(load.clicks, 0.5):.0f}",
        "p95": f"{1e3 * quantile(load.clicks, 0.95):.0f}",
        "max": f"{1e3 * quantile(load.clicks, 1):.0f}",
        "all at once, the last": f"{1e3 * load.at_once:.0f}",
        "updates/s of a run": f"{statistics.median(updates):.1f}",
        "slowest / mean": f"{min(updates) / max(1e-9, statistics.mean(updates)):.2f} of {len(load.updates)}",
        "opened, s: p50": f"{quantile(load.opened, 0.5):.2f}",
        "opened: p95": f"{quantile(load.opened, 0.95):.2f}",
        "all training, s": f"{load.all_training:.1f}",
        "MiB per visitor: server": f"{load.server_memory / count:.1f}",
        "workers": f"{load.worker_memory / count:.1f}",
        "workers, % of a core": f"{100 * load.workers / load.seconds:.0f}",
        "generator, %": f"{100 * load.generator / load.seconds:.0f}",
        "problems": f"{len(load.problems)}",
    }
