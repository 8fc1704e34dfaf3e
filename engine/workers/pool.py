"""The pool: worker processes, and the runs in them. Lives in the server process; no torch.

Workers start one after the other (two imports of torch at once would double the time to the first frame). One that
dies, or is silent for too long, is replaced; its runs go on from their last checkpoint and say so.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence

from engine.experiment import Changes, Experiment
from engine.workers.measurement import Measurement
from engine.workers.process import Process
from engine.workers.protocol import Order
from engine.workers.run import Run


class Pool:
    """A fixed number of worker processes. `submit` gives a run to the one with the fewest."""

    def __init__(self, workers: int = 2) -> None:
        self.alive = True
        self.devices: tuple[str, ...] = ("cpu",)
        self._keys = itertools.count()
        self._lock = threading.Lock()
        self._workers = [Process(self, number) for number in range(workers)]
        self._start_next()

    def submit(
        self, experiment: Experiment, *, paused: bool = False, speed: float | None = None, changes: Changes = (),
        until: int = 0,
    ) -> Run:  # fmt: skip
        """Start a run; its first frame, step 0, comes by itself.

        Args:
            paused: it waits at its first step, or at `until`. speed: updates a second at most; None: no limit.
            changes: live settings to be changed at these steps.
            until: train to this step first, as fast as it goes, however it is to be after.
        """
        return self._open(Run(self, next(self._keys), experiment, paused=paused, speed=speed, changes=changes,
                              until=until))  # fmt: skip

    def _branch(self, parent: Run, step: int, changes: Changes, paused: bool, speed: float | None) -> Run:
        run = Run(self, next(self._keys), parent.info.experiment, paused=paused, speed=speed, changes=changes,
                  until=step)  # fmt: skip
        run._inherit(parent, step)
        return self._open(run)

    def _open(self, run: Run) -> Run:
        with self._lock:
            self._least_busy().open(run)
        return run

    def measure(self, experiments: Sequence[Experiment], *, repeats: int = 15) -> Measurement:
        """Time one update of each experiment, the median of so many; a worker does it beside its runs."""
        measurement = Measurement(next(self._keys), tuple(experiments), repeats)
        with self._lock:
            self._least_busy().measure(measurement)
        return measurement

    def _least_busy(self) -> Process:
        started = [worker for worker in self._workers if worker.process is not None]
        return min(started, key=lambda worker: len(worker.runs) + len(worker.measurements))

    @property
    def pids(self) -> list[int]:
        """The worker processes' ids."""
        return [worker.process.pid for worker in self._workers if worker.process is not None]

    def shutdown(self) -> None:
        """End all workers and wait for them."""
        self.alive = False
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            if worker.process is not None:
                worker.process.wait(10)

    def _start_next(self) -> None:
        """One after the other: each starts when the one before is ready."""
        with self._lock:
            for worker in self._workers:
                if worker.process is None:
                    worker.start()
                    return
                if not worker.ready.is_set():
                    return

    def _close(self, run: Run) -> None:
        worker = run._worker
        if worker is not None:
            worker.runs.pop(run.key, None)
            worker.send(Order(run.key, "close"))
