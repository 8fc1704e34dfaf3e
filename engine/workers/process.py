"""One worker process as the pool sees it: started, listened to, and replaced when it dies. No torch."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from engine.frame import RunPhase
from engine.workers.measurement import Measurement
from engine.workers.protocol import Kept, Measure, Measured, Open, Order, Ready, Report, Serving
from engine.workers.run import Run

if TYPE_CHECKING:
    from engine.workers.pool import Pool

SILENCE = 20.0  # seconds without a word from a worker that should be training; the longest update takes about two
ROOT = Path(__file__).resolve().parents[2]
LOG = logging.getLogger(__name__)
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    # Large tensors from the heap, not from fresh pages at every step: a long LSTM trains half as fast again.
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**31),
    "MALLOC_TOP_PAD_": str(2**26),
}


class Process:
    """One worker process as the pool sees it. A thread of its own drains what it says."""

    def __init__(self, pool: Pool, number: int) -> None:
        self.pool, self.number = pool, number
        self.runs: dict[int, Run] = {}
        self.measurements: dict[int, Measurement] = {}
        self.ready = threading.Event()
        self.process: subprocess.Popen | None = None
        self._connection: Connection | None = None
        self._lock = threading.Lock()
        self._serving: int | None = None
        self._started = 0.0

    def start(self) -> None:
        ours, theirs = Pipe()
        self.ready.clear()
        self._started, self._serving = time.monotonic(), None
        self.process = subprocess.Popen(
            [sys.executable, "-m", "engine.workers.worker", str(theirs.fileno())],
            cwd=ROOT,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, **ENVIRONMENT},
        )
        theirs.close()  # held open here, it would hide the worker's death: no end of file would ever come
        self._connection = ours
        threading.Thread(target=self._drain, args=(ours,), daemon=True, name=f"worker-{self.number}").start()

    def open(self, run: Run) -> None:
        """Take a run on now, or as soon as torch is loaded (a checkpoint would fill the pipe and block the caller)."""
        self.runs[run.key] = run
        run._worker = self
        if self.ready.is_set():
            self.send(run._open_order())

    def measure(self, measurement: Measurement) -> None:
        """Take a measurement on, now or as soon as torch is loaded."""
        self.measurements[measurement.key] = measurement
        measurement._worker = self
        if self.ready.is_set():
            self.send(measurement._order())

    def send(self, order: Open | Measure | Order) -> None:
        """From any thread. A dying worker's orders are lost: its replacement is told the wanted state anew."""
        with self._lock:
            if self._connection is not None and self.ready.is_set():
                try:
                    self._connection.send(order)
                except OSError:
                    LOG.info("worker %d did not hear %s", self.number, order)

    def _drain(self, connection: Connection) -> None:
        try:
            while True:
                if connection.poll(SILENCE):
                    self._hear(connection.recv())
                elif self._should_have_spoken():
                    LOG.warning("worker %d is silent; ending it", self.number)
                    self.kill()
        except (EOFError, OSError):
            connection.close()
        self._died()

    def _should_have_spoken(self) -> bool:
        if not self.ready.is_set():
            return time.monotonic() - self._started > 120
        return bool(self.measurements) or any(
            run.status().phase == RunPhase.RUNNING for run in list(self.runs.values())
        )

    def _hear(self, said: Ready | Serving | Report | Kept | Measured) -> None:
        if isinstance(said, Ready):
            self.pool.devices = said.devices
            with self._lock:
                self.ready.set()
            for run in list(self.runs.values()):
                self.send(run._open_order())
            for measurement in list(self.measurements.values()):
                self.send(measurement._order())
            self.pool._start_next()
        elif isinstance(said, Serving):
            self._serving = said.key
        elif isinstance(said, Measured):
            if (asked := self.measurements.get(said.key)) is not None:
                asked._hear(said)
                if not asked.running:
                    self.measurements.pop(said.key, None)
        elif said.key in self.runs and isinstance(said, Kept):
            self.runs[said.key]._checkpoint = said.checkpoint
        elif said.key in self.runs and isinstance(said, Report):
            self.runs[said.key]._hear(said)
            if said.phase == RunPhase.FAILED:
                self.runs.pop(said.key, None)

    def _died(self) -> None:
        """Replace the process. The run that it was serving gets a strike; the second time it is not tried again.

        A measurement is not begun anew.
        """
        assert self.process is not None
        code = self.process.wait()
        if not self.pool.alive:
            return
        LOG.warning("worker %d ended with %d; replacing it", self.number, code)
        guilty = self.runs.get(self._serving) if self._serving is not None else None
        if guilty is not None:
            guilty.strikes += 1
            if guilty.strikes >= 2:
                self.runs.pop(guilty.key)
                guilty._phase = RunPhase.FAILED
                guilty._message = "This run ended its worker process twice, so it is not started again."
        while self.measurements:
            self.measurements.popitem()[1].error = "The worker process that measured has died, so there is no result."
        for run in list(self.runs.values()):
            run._phase, run._asked = RunPhase.STARTING, True
            run._told = "Its worker process died and was replaced; training went on from " + (
                "the last checkpoint." if run._checkpoint is not None else "the start."
            )
        self.start()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()

    def terminate(self) -> None:
        if self.process is not None:
            self.process.terminate()
