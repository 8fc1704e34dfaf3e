"""A map in the pool: how soon its first picture is there, and how long 256 networks take, of each cell."""

from __future__ import annotations

import dataclasses
import os
import time

from app.map.plan import WEDGE
from benchmarks.measuring import Settings, head, row
from engine.workers import Pool, SweepRun

BREATH = 0.02  # seconds between two looks


def tables(settings: Settings) -> None:
    """Print the table."""
    updates = WEDGE.updates // 5 if settings.quick else WEDGE.updates
    cores = len(os.sched_getaffinity(0))
    columns = ("cell", "every square has a number, s", "done, s", "processor per update of a network, ms")
    head(f"A map of 256 networks of 16 units, {updates} updates each, by {cores} workers", *columns)
    pool = Pool(cores)
    try:
        _measured(pool.sweep(WEDGE.experiments[:1], 1, 1))  # all workers are ready
        for cell in WEDGE.cells:
            plan = dataclasses.replace(WEDGE, cells=(cell,), updates=updates)
            run = pool.sweep(plan.experiments, plan.updates, plan.measure_every)
            first, done = _measured(run)
            share = sum(part.seconds[place] for part in run.parts for place in part.seconds) / sum(
                len(part.seconds) for part in run.parts
            )
            row(cell, f"{first:.1f}", f"{done:.1f}", f"{1e3 * share:.2f}")
            run.stop()
    finally:
        pool.shutdown()


def _measured(run: SweepRun) -> tuple[float, float]:
    """Seconds until every network was measured once, and until all are done."""
    began, first = time.perf_counter(), 0.0
    while not run.done:
        run.watch()
        if not first and len({each.number for each in run.measurements}) == len(run.experiments):
            first = time.perf_counter() - began
        time.sleep(BREATH)
    return first, time.perf_counter() - began
