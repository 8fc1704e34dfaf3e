"""A map in the pool: how soon its first picture is there, and how long 256 networks take, of each cell.

On a GPU: how long a saved map takes with sixteen seeds, trained there by a few processes.
"""

from __future__ import annotations

import dataclasses
import os
import time

from benchmarks.measuring import CELLS, Settings, head, row
from engine.sweeps.local import Local
from engine.sweeps.saved_maps import saved_maps
from engine.sweeps.sweep import sweep
from engine.workers import Pool, SweepRun

BREATH = 0.02  # seconds between two looks
SAVED, SEEDS, ON_ONE_GPU = "gain-length", 16, 8  # the map, its seeds, and the processes that share the GPU


def tables(settings: Settings) -> None:
    """Print the table of this device."""
    (_on_gpu if settings.device == "cuda" else _on_cpu)(settings)


def _on_gpu(settings: Settings) -> None:
    (saved,) = (each.definition for each in saved_maps() if each.slug == SAVED)
    head(f"The map {SAVED} with {SEEDS} seeds, {saved.updates} updates each, by {ON_ONE_GPU} processes on one GPU",
         "cell", "networks", "seconds", "updates of networks per second")  # fmt: skip
    for cell in CELLS[:1] if settings.quick else CELLS:
        first_seed = [e for e in saved.experiments if e.cell == cell and e.seed == 0]
        experiments = [e.replace(seed=seed, device="cuda") for e in first_seed for seed in range(SEEDS)]
        began = time.perf_counter()
        for _ in sweep(experiments, saved.updates, Local(ON_ONE_GPU), measure_every=saved.measure_every):
            pass
        taken = time.perf_counter() - began
        row(cell, f"{len(experiments):,}", f"{taken:.0f}", f"{len(experiments) * saved.updates / taken:,.0f}")


def _on_cpu(settings: Settings) -> None:
    from app.map.plan import WEDGE  # needs the page's packages

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
