"""One soak: visitors come, workers are killed or stopped and streams cut at random moments, and all is compared."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from benchmarks.load.server_process import ServerProcess, memory
from benchmarks.soak.undisturbed import Comparison, compare
from benchmarks.soak.watcher import Watcher

LESSONS = ("remember", "wave", "remember-lstm", "xor", "many-to-one", "fading")
PATIENCE = 180.0  # seconds in which all runs must be further than before a disturbance
TRACEBACK = "Traceback (most recent call last)"
FURTHER = 25  # updates that a run is further than before: a second of training at normal speed
SETTLED = 0.4  # of the time: from here on memory should not grow
KILL, STOP = "killed", "stopped"
SIGNALS = {KILL: signal.SIGKILL, STOP: signal.SIGSTOP}


@dataclass(frozen=True)
class Plan:
    """What is to happen.

    Args:
        kills, stops: workers that are killed, and that are halted so that they hang. cuts: of streams.
    """

    minutes: float
    visitors: int
    kills: int
    stops: int
    cuts: int
    seed: int = 0

    def moments(self) -> list[tuple[float, str]]:
        """Seconds after the beginning at which a worker is disturbed, and how; no two are close together."""
        chance, count = random.Random(self.seed), self.kills + self.stops
        kinds = [KILL] * self.kills + [STOP] * self.stops
        chance.shuffle(kinds)
        part = 60 * self.minutes / max(1, count)
        return [(part * (number + chance.uniform(0.25, 0.75)), kind) for number, kind in enumerate(kinds)]


@dataclass(frozen=True)
class Soak:
    """What happened.

    Args:
        back: (kind of disturbance, seconds until every visitor saw a later step than before it).
        runs: by visitor, its run beside an undisturbed one.
        server_memory, workers_memory: MiB, once they have settled: medians of the first half and of the second.
        problems: sentences; empty if nothing was lost.
    """

    seconds: float
    cuts: int
    back: tuple[tuple[str, float], ...]
    runs: dict[str, Comparison]
    server_memory: tuple[float, float]
    workers_memory: tuple[float, float]
    problems: tuple[str, ...]


def soak(plan: Plan) -> Soak:
    """Start a server, carry the plan out, end the server, and train every run again without disturbances."""
    with tempfile.TemporaryFile() as log:
        with ServerProcess(log) as server:
            seen = asyncio.run(_Disturbing(plan, server).carry_out())
        log.seek(0)
        written = log.read().decode(errors="replace")
    recordings, problems = seen.pop("recordings"), seen.pop("problems")
    say(f"{len(recordings)} runs are trained again, without disturbances")
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as processes:
        runs = dict(zip(recordings, processes.map(compare, recordings.values()), strict=True))
    for name, run in runs.items():
        if run.differ:
            problems.append(f"{name}: {len(run.differ)} losses differ, the first at step {run.differ[0]:,}")
    if count := written.count(TRACEBACK):
        first = written[written.index(TRACEBACK) :][:3000]
        problems.append(f"{count} tracebacks in the server's log, the first:\n{first}")
    return Soak(runs=runs, problems=tuple(problems), **seen)


def say(what: str) -> None:
    """How far it is, beside the table that is printed at the end."""
    print(what, file=sys.stderr, flush=True)


class _Disturbing:
    """Carries a plan out on a server."""

    def __init__(self, plan: Plan, server: ServerProcess) -> None:
        self._plan, self._server = plan, server
        self._random = random.Random(plan.seed)
        self._watchers = [
            Watcher(server.address, number, LESSONS[number % len(LESSONS)]) for number in range(plan.visitors)
        ]
        self._back: list[tuple[str, float]] = []
        self._problems: list[str] = []
        self._memory: list[tuple[float, float, float]] = []  # when, server, workers

    async def carry_out(self) -> dict:
        """All that is known while the server runs; the recordings are to be compared."""
        for watcher in self._watchers:
            await watcher.come()
            say(f"{watcher.name}: has come")
        staying = [asyncio.create_task(watcher.stay()) for watcher in self._watchers]
        await self._all_further(dict.fromkeys(self._watchers, 0))
        beside = [asyncio.create_task(act()) for act in (self._cut, self._weigh)]
        began = time.monotonic()
        for moment, kind in self._plan.moments():
            await asyncio.sleep(max(0.0, began + moment - time.monotonic()))
            await self._disturb(kind)
        await asyncio.sleep(max(0.0, began + 60 * self._plan.minutes - time.monotonic()))
        seconds = time.monotonic() - began
        for task in (*beside, *staying):
            task.cancel()
        await asyncio.wait([*beside, *staying])
        recordings = {watcher.name: await watcher.leave() for watcher in self._watchers}
        for watcher in self._watchers:
            self._problems += watcher.problems
            self._problems += [f"{watcher.name}: {said}" for said in watcher.messages if "was replaced" not in said]
        settled = [each for each in self._memory if each[0] - began >= SETTLED * seconds] or self._memory[-1:]
        return {
            "seconds": seconds,
            "cuts": sum(watcher.cuts for watcher in self._watchers),
            "back": tuple(self._back),
            "recordings": recordings,
            "server_memory": _beginning_and_end([each[1] for each in settled]),
            "workers_memory": _beginning_and_end([each[2] for each in settled]),
            "problems": self._problems,
        }

    async def _disturb(self, kind: str) -> None:
        """Kill or stop a worker, and wait until every run is further than it was."""
        before = {watcher: watcher.frames[-1][1] for watcher in self._watchers}
        began, pid = time.monotonic(), self._random.choice(self._server.workers)
        os.kill(pid, SIGNALS[kind])
        while kind == STOP and pid in self._server.workers:
            if time.monotonic() - began > PATIENCE:
                self._problems.append("A worker that was stopped was not replaced.")
                return
            await asyncio.sleep(0.1)
        if await self._all_further(before, since=began):
            self._back.append((kind, time.monotonic() - began))
            say(f"a worker was {kind}; every run was further after {self._back[-1][1]:.1f} s")

    async def _all_further(self, before: dict[Watcher, int], since: float = 0.0) -> bool:
        """Wait until a frame of a later step has come to everyone."""
        end = time.monotonic() + PATIENCE
        waiting = dict(before)
        while waiting and time.monotonic() < end:
            await asyncio.sleep(0.05)
            waiting = {
                watcher: step
                for watcher, step in waiting.items()
                if not watcher.frames or watcher.frames[-1][0] < since or watcher.frames[-1][1] < step + FURTHER
            }
        self._problems += [
            f"{watcher.name}: stayed at step {step:,} for {PATIENCE:g} s" for watcher, step in waiting.items()
        ]
        return not waiting

    async def _cut(self) -> None:
        """Cut the stream of somebody now and then."""
        while self._plan.cuts:
            await asyncio.sleep(self._random.uniform(0.5, 1.5) * 60 * self._plan.minutes / (self._plan.cuts + 1))
            self._random.choice(self._watchers).cut()

    async def _weigh(self) -> None:
        while True:
            with contextlib.suppress(OSError):  # a worker has just ended
                weights = memory(self._server.pid), memory(*self._server.workers)
                self._memory.append((time.monotonic(), *weights))
            await asyncio.sleep(1.0)


def _beginning_and_end(values: Sequence[float]) -> tuple[float, float]:
    """The medians of the first half and of the second: while a worker is replaced there is one less for a moment."""
    half = (len(values) + 1) // 2
    return (statistics.median(values[:half]), statistics.median(values[-half:])) if values else (0.0, 0.0)
