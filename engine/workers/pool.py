"""The pool: worker processes, and the runs in them. Lives in the server process; no torch.

Workers start one after the other (two imports of torch at once would double the time to the first frame). One that
dies, or is silent for too long, is replaced; its runs go on from their last checkpoint and say so.
"""

from __future__ import annotations

import itertools
import logging
import os
import subprocess
import sys
import threading
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from engine.experiment import LIVE, Experiment, ExperimentError
from engine.frame import Frame, RunInfo, RunPhase, RunStatus
from engine.history import History
from engine.workers.protocol import Kept, Open, Order, Ready, Report, Serving

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


class Run:
    """One training run, wherever it is being advanced. All methods return at once; frames come when they are ready."""

    def __init__(self, pool: Pool, key: int, experiment: Experiment, *, paused: bool, speed: float | None) -> None:
        self.info, self.key = RunInfo.of(experiment), key
        self._pool = pool
        self._worker: _Process | None = None
        self._experiment, self._paused, self._speed = experiment, paused, speed
        self._live: dict[str, Any] = {}
        self._frame: Frame | None = None
        self._asked = True  # the first frame comes unasked
        self._history = History()
        self._phase, self._step, self._rate, self._share, self._message = RunPhase.STARTING, 0, 0.0, 0.0, ""
        self._solved_at: int | None = None
        self._told = ""  # what happened to its worker
        self._checkpoint: bytes | None = None
        self.strikes = 0

    @property
    def experiment(self) -> Experiment:
        """As submitted, with what `update` changed since."""
        return self._experiment

    def latest(self) -> Frame | None:
        """The newest frame, None before the first. Asking makes the worker take the next one; unasked it takes none."""
        if not self._asked:
            self._asked = True
            self._send("look")
        return self._frame

    @property
    def history(self) -> np.ndarray:
        """Rows of `engine.history.ROW`, thinned: step, loss, probe_loss (NaN where nobody looked) and so on."""
        return self._history.table()

    @property
    def curve(self) -> History:
        """The same, with updates and looks apart."""
        return self._history

    def status(self) -> RunStatus:
        """Phase, step and speed as last reported."""
        message = " ".join(each for each in (self._told, self._message) if each)
        return RunStatus(self._phase, self._step, self._rate, self._share, message, self._solved_at)

    def pause(self) -> None:
        """Stop between two updates."""
        self._paused = True
        self._send("pause")

    def resume(self) -> None:
        """Train on; a run that had finished gets as many updates again."""
        self._paused = False
        self._send("resume")

    def advance(self, steps: int = 1) -> None:
        """Make this many updates of a paused run."""
        self._send("advance", steps)

    def update(self, **changes: Any) -> None:
        """Change learning_rate, clip or clip_threshold while it trains.

        Raises:
            ExperimentError: for another setting, or a value out of range; nothing is changed then.
        """
        for name, value in changes.items():
            if name not in LIVE:
                raise ExperimentError(name, got=value, accepts="unchanged while a run goes on")
        self._experiment = self._experiment.replace(**changes)
        self._live.update(changes)
        self._send("update", changes)

    def speed(self, per_second: float | None) -> None:
        """Updates a second at most; None for as fast as it goes."""
        self._speed = per_second
        self._send("speed", per_second)

    def stop(self) -> None:
        """End the run and forget it; its last frame and history stay readable."""
        self._phase = RunPhase.STOPPED
        self._pool._close(self)

    def _send(self, what: str, value: Any = None) -> None:
        if self._worker is not None:
            self._worker.send(Order(self.key, what, value))

    def _open_order(self) -> Open:
        """Everything that a worker needs to take this run on."""
        settings = self.info.experiment.to_dict()
        return Open(self.key, settings, self._paused, self._speed, self._live, self._checkpoint)

    def _hear(self, report: Report) -> None:
        if self._phase == RunPhase.STOPPED:
            return
        for update in report.updates:
            self._history.update(*update)
        frame = report.frame
        if frame is not None:
            self._history.look(frame.step, frame.loss, frame.probe_loss, frame.metric, frame.param_grad_norm,
                               frame.clipped)  # fmt: skip
            self._frame, self._asked = frame, False
        self._phase, self._step, self._message = report.phase, report.step, report.message
        self._rate, self._share, self._solved_at = report.steps_per_second, report.share, report.solved_at
        if report.phase == RunPhase.FINISHED:
            self._paused = True


class _Process:
    """One worker process as the pool sees it. A thread of its own drains what it says."""

    def __init__(self, pool: Pool, number: int) -> None:
        self.pool, self.number = pool, number
        self.runs: dict[int, Run] = {}
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

    def send(self, order: Open | Order) -> None:
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
        return any(run.status().phase == RunPhase.RUNNING for run in list(self.runs.values()))

    def _hear(self, said: Ready | Serving | Report | Kept) -> None:
        if isinstance(said, Ready):
            self.pool.devices = said.devices
            with self._lock:
                self.ready.set()
            for run in list(self.runs.values()):
                self.send(run._open_order())
            self.pool._start_next()
        elif isinstance(said, Serving):
            self._serving = said.key
        elif said.key in self.runs and isinstance(said, Kept):
            self.runs[said.key]._checkpoint = said.checkpoint
        elif said.key in self.runs and isinstance(said, Report):
            self.runs[said.key]._hear(said)
            if said.phase == RunPhase.FAILED:
                self.runs.pop(said.key, None)

    def _died(self) -> None:
        """Replace the process. The run that it was serving gets a strike; the second time it is not tried again."""
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


class Pool:
    """A fixed number of worker processes. `submit` gives a run to the one with the fewest."""

    def __init__(self, workers: int = 2) -> None:
        self.alive = True
        self.devices: tuple[str, ...] = ("cpu",)
        self._keys = itertools.count()
        self._lock = threading.Lock()
        self._workers = [_Process(self, number) for number in range(workers)]
        self._start_next()

    def submit(self, experiment: Experiment, *, paused: bool = False, speed: float | None = None) -> Run:
        """Start a run; its first frame, step 0, comes by itself."""
        run = Run(self, next(self._keys), experiment, paused=paused, speed=speed)
        with self._lock:
            started = [worker for worker in self._workers if worker.process is not None]
            min(started, key=lambda worker: len(worker.runs)).open(run)
        return run

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
