"""One worker process as the pool sees it: started, listened to, and replaced when it dies. No torch."""

from __future__ import annotations

import logging
import os
import queue
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
from engine.workers.protocol import Answered, Kept, Measure, Measured, Open, Order, Ready, Report, Serving
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
    """One worker process as the pool sees it. One thread drains what it says, another tells it what is ordered.

    Two threads, because a pipe holds little: a worker that is telling of a frame does not listen, and whoever waited
    there until it has heard a checkpoint would not hear the frame, for ever.
    """

    def __init__(self, pool: Pool, number: int) -> None:
        self.pool, self.number = pool, number
        self.runs: dict[int, Run] = {}
        self.measurements: dict[int, Measurement] = {}
        self.ready = threading.Event()
        self.process: subprocess.Popen | None = None
        self._orders: queue.SimpleQueue[Open | Measure | Order | None] = queue.SimpleQueue()
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
        self._orders = queue.SimpleQueue()
        for target, arguments in ((self._drain, (ours,)), (self._tell, (ours, self._orders))):
            threading.Thread(target=target, args=arguments, daemon=True, name=f"worker-{self.number}").start()

    def open(self, run: Run) -> None:
        """Take a run on now, or as soon as torch is loaded (a checkpoint would fill the pipe and block the caller)."""
        self.runs[run.key] = run
        run._worker = self
        if self.ready.is_set():
            for order in run._orders():
                self.send(order)

    def measure(self, measurement: Measurement) -> None:
        """Take a measurement on, now or as soon as torch is loaded."""
        self.measurements[measurement.key] = measurement
        measurement._worker = self
        if self.ready.is_set():
            self.send(measurement._order())

    def send(self, order: Open | Measure | Order) -> None:
        """From any thread, never waiting. A dying worker's orders are lost: its replacement is told the wanted state
        anew."""
        if self.ready.is_set():
            self._orders.put(order)

    def _tell(self, connection: Connection, orders: queue.SimpleQueue[Open | Measure | Order | None]) -> None:
        try:
            while (order := orders.get()) is not None:
                connection.send(order)
        except OSError:
            LOG.info("worker %d does not hear any more", self.number)

    def _drain(self, connection: Connection) -> None:
        orders = self._orders
        try:
            while True:
                if connection.poll(SILENCE):
                    self._hear(connection.recv())
                elif self._should_have_spoken():
                    LOG.warning("worker %d is silent; ending it", self.number)
                    self.kill()
        except (EOFError, OSError):
            orders.put(None)
        self._died()

    def _should_have_spoken(self) -> bool:
        if not self.ready.is_set():
            return time.monotonic() - self._started > 120
        return bool(self.measurements) or any(
            run.status().phase == RunPhase.RUNNING or run.waited > SILENCE for run in list(self.runs.values())
        )

    def _hear(self, said: Ready | Serving | Report | Kept | Measured | Answered) -> None:
        if isinstance(said, Ready):
            self.pool.devices = said.devices
            self.ready.set()
            for order in [order for run in list(self.runs.values()) for order in run._orders()]:
                self.send(order)
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
        elif said.key in self.runs and isinstance(said, Answered):
            self.runs[said.key]._hear_answer(said)
        elif said.key in self.runs and isinstance(said, Kept):
            self.runs[said.key]._keep(said)
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
            run._phase, run._asked = RunPhase.STARTING, frozenset()
            run._told = "Its worker process died and was replaced; training went on from " + (
                "the last checkpoint." if run._checkpoints.all() else "the start."
            )
        self.start()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()

    def terminate(self) -> None:
        if self.process is not None:
            self.process.terminate()
