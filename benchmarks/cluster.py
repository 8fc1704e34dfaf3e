"""Workers on a Ray cluster beside processes of this machine: how fast, and after each death how soon they train again.

`python -m benchmarks.cluster [--deaths N] [--seconds S]`. The cluster is two nodes on this machine, so no network is
measured: with a real one messages take longer, and so does the loss of a machine whose connections stay open. Seconds
are of the clock on the wall, so the first table means something only on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from benchmarks.measuring import head, row
from engine.experiment import Experiment
from engine.frame import RunPhase
from engine.workers import WEIGHTS, Pool, Run
from engine.workers.cluster import cluster_pool
from tests.engine.two_nodes import TwoNodes

TRAINED = Experiment(task="adding", cell="gru", hidden_size=32, seq_len=40, steps=1_000_000)
LOOK = 0.001  # seconds between two looks at what a run says


@dataclass(frozen=True)
class Death:
    """Seconds after a death until its pool knew, and until the run had made an update that it had not made before."""

    noticed: float
    trains: float


@dataclass(frozen=True)
class Turn:
    """What was measured of one worker: updates and frames a second, and how many seconds each request waited."""

    updates: float
    frames: float
    waits: list[float]


Workers = dict[str, Callable[[], Pool]]
"""By name: what starts a pool of one such worker."""


def main() -> None:
    """Measure, and print two tables."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__.splitlines()[0])
    arguments.add_argument("--deaths", type=int, default=3, help="of each kind; the table has the medians")
    arguments.add_argument("--seconds", type=float, default=20.0, help="of each turn of the first table")
    given = arguments.parse_args()
    nodes = TwoNodes()
    workers: Workers = {"process": partial(Pool, 1), "Ray actor": partial(cluster_pool, nodes.address, 1)}
    print(f"Two Ray nodes on one machine, {os.cpu_count()} shared cores.")
    try:
        _compare(workers, given.seconds)
        _kill(workers, nodes, given.deaths)
    finally:
        nodes.shutdown()


def _compare(workers: Workers, seconds: float) -> None:
    """The table of what the way of the messages costs: each worker in turn, three times."""
    head("One watched run (GRU, adding, B = 64, T = 40, H = 32)", "worker", "updates/s", "frames/s",
         "weights on request, ms: p50", "p95")  # fmt: skip
    turns: dict[str, list[Turn]] = {name: [] for name in workers}
    for _ in range(3):
        for name, start in workers.items():
            pool = start()
            turns[name].append(_watched(pool, seconds))
            pool.shutdown()
    for name, measured in turns.items():
        updates, frames = (
            statistics.median(getattr(turn, each) for turn in measured) for each in ("updates", "frames")
        )
        waits = sorted(1e3 * wait for turn in measured for wait in turn.waits)
        p50, p95 = (waits[int(share * len(waits))] for share in (0.5, 0.95))
        row(name, f"{updates:.1f}", f"{frames:.2f}", f"{p50:.1f}", f"{p95:.1f}")


def _watched(pool: Pool, seconds: float) -> Turn:
    """Train a run while somebody looks, then request something a hundred times while it is paused."""
    run = pool.submit(TRAINED)
    _wait(lambda: run.status().step > 20)
    first, began, frames = run.status().step, time.monotonic(), set()
    while time.monotonic() < began + seconds:
        if (frame := run.latest()) is not None:
            frames.add(frame.step)
        time.sleep(LOOK)
    passed, made = time.monotonic() - began, run.status().step - first
    run.pause()
    _wait(lambda: run.status().phase == RunPhase.PAUSED)
    return Turn(made / passed, len(frames) / passed, [_answered(run) for _ in range(100)])


def _answered(run: Run) -> float:
    """Seconds until a request is answered."""
    began = time.monotonic()
    run.request(WEIGHTS)
    _wait(lambda: not run.is_pending(WEIGHTS), look=0.0)
    return time.monotonic() - began


def _kill(workers: Workers, nodes: TwoNodes, deaths: int) -> None:
    """The table of deaths."""
    head("A worker dies while it trains", "worker", "death", "noticed after, s", "trains again after, s", "longest")
    kinds = [
        (name, death, partial(_death, start, kind))
        for name, start in workers.items()
        for death, kind in (("killed", signal.SIGKILL), ("stopped (SIGSTOP)", signal.SIGSTOP))
    ]
    for name, death, die in (*kinds, ("Ray actor", "its node killed", partial(_lost_node, nodes))):
        measured = [die() for _ in range(deaths)]
        noticed, trains = ([getattr(each, what) for each in measured] for what in ("noticed", "trains"))
        row(name, death, *(f"{statistics.median(each):.2f}" for each in (noticed, trains)), f"{max(trains):.2f}")


def _death(start: Callable[[], Pool], kind: signal.Signals) -> Death:
    """The one worker of a pool gets a signal."""
    pool = start()
    run = pool.submit(TRAINED)
    _wait(pool._workers[0].ready.is_set)
    (pid,) = pool.pids or [pool._workers[0].channel.where.pid]
    death = _measure(run, lambda: os.kill(pid, kind))
    pool.shutdown()
    return death


def _lost_node(nodes: TwoNodes) -> Death:
    """The death of the second node, with the worker that is there."""
    pool = cluster_pool(nodes.address, 2)
    for worker in pool._workers:
        _wait(worker.ready.is_set)
    runs = [pool.submit(TRAINED) for _ in range(2)]
    (run,) = (run for run in runs if run._worker.channel.where.node == nodes.second)
    death = _measure(run, nodes.kill_second)
    pool.shutdown()
    nodes.add_second()
    return death


def _measure(run: Run, kill: Callable[[], None]) -> Death:
    """Kill what trains a run, and wait until it trains on."""
    _wait(lambda: run._log.checkpoints.all() and run.status().step > 100)
    began = time.monotonic()
    kill()
    _wait(lambda: run.status().phase == RunPhase.STARTING)
    noticed, reached = time.monotonic() - began, run.status().step
    _wait(lambda: run.status().step > reached)
    return Death(noticed, time.monotonic() - began)


def _wait(true: Callable[[], object], look: float = LOOK) -> None:
    while not true():
        time.sleep(look)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
