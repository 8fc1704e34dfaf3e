"""One worker process as the pool sees it: started, supervised, and replaced when it dies. No torch."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

from engine.frame import RunPhase
from engine.workers.brought_data import BroughtData
from engine.workers.channel import Channel, ChannelFactory
from engine.workers.measurement import Measurement
from engine.workers.protocol import Measured, Order, PoolMessage, Ready, Report, WorkerMessage, WorkingOn
from engine.workers.run import Run

SILENCE = 20.0  # seconds without a message from a worker that should be training; the longest update takes about two
STARTUP = 120.0  # seconds that a worker may take to load torch
LOG = logging.getLogger(__name__)


class WorkerProcess:
    """One worker process as the pool sees it. One thread receives its messages, another sends it orders.

    Two threads, because a pipe holds little: a worker that is sending a frame does not read, so a thread that waits
    for room to send it a checkpoint would never receive the frame.

    Args:
        start_channel: starts the process, and each one that replaces it.
        on_ready: called with the worker's devices whenever a process has loaded torch.
    """

    def __init__(
        self, number: int, start_channel: ChannelFactory, on_ready: Callable[[tuple[str, ...]], None]
    ) -> None:  # fmt: skip
        self.number = number
        self.channel: Channel | None = None
        self.runs: dict[int, Run] = {}
        self.measurements: dict[int, Measurement] = {}
        self.ready = threading.Event()
        self._start_channel, self._on_ready = start_channel, on_ready
        self._lock, self._stopped = threading.Lock(), False
        self._data, self._data_lock = BroughtData(), threading.Lock()  # data and those that use them: one after another
        self._outbox: queue.SimpleQueue[PoolMessage | None] = queue.SimpleQueue()
        self._working_on: int | None = None
        self._started = 0.0

    def start(self) -> None:
        """Start a process, unless `stop` was called."""
        with self._lock:
            if self._stopped:
                return
            self.ready.clear()
            self._started, self._working_on = time.monotonic(), None
            self.channel, self._outbox = self._start_channel(), queue.SimpleQueue()
            for loop in (self._receive_loop, self._send_loop):
                name, arguments = f"worker-{self.number}", (self.channel, self._outbox)
                threading.Thread(target=loop, args=arguments, daemon=True, name=name).start()

    def open(self, run: Run) -> None:
        """Take a run on. It is sent once torch is loaded: before that a checkpoint would fill the pipe and block."""
        with self._data_lock:
            self.runs[run.key] = run
            run.attach(self)
            if self.ready.is_set():
                self._send_run(run)

    def _send_run(self, run: Run) -> None:
        for order in (*self._data.use(run.key, run.datasets), *run.restart_orders()):
            self.send(order)

    def measure(self, measurement: Measurement) -> None:
        """Take a measurement on. It is sent once torch is loaded."""
        with self._data_lock:
            self.measurements[measurement.key] = measurement
            measurement.attach(self)
            if self.ready.is_set():
                self._send_measurement(measurement)

    def _send_measurement(self, measurement: Measurement) -> None:
        for order in (*self._data.use(measurement.key, measurement.datasets), measurement.order):
            self.send(order)

    def close(self, key: int) -> None:
        """Forget a run or a measurement, and let the worker forget it."""
        self._let_go(key, Order(key, "close"))

    def _let_go(self, key: int, *orders: Order) -> None:
        """Forget a run or a measurement, send these orders, and let the worker forget the data that it alone used."""
        with self._data_lock:
            self.runs.pop(key, None)
            self.measurements.pop(key, None)
            messages: list[PoolMessage] = [*orders, *self._data.release(key)]
            for message in messages:
                self.send(message)

    def send(self, message: PoolMessage) -> None:
        """Send a message without waiting, from any thread.

        Messages to a process that is dying are lost; its replacement receives the wanted state of every run.
        """
        if self.ready.is_set():
            self._outbox.put(message)

    def _send_loop(self, channel: Channel, outbox: queue.SimpleQueue[PoolMessage | None]) -> None:
        try:
            while (message := outbox.get()) is not None:
                channel.send(message)
        except (EOFError, OSError):
            LOG.info("worker %d (%s) accepts no more messages", self.number, channel.name)

    def _receive_loop(self, channel: Channel, outbox: queue.SimpleQueue[PoolMessage | None]) -> None:
        try:
            while True:
                if channel.poll(SILENCE):
                    self.receive(channel.recv())
                elif self._is_overdue():
                    LOG.warning("worker %d (%s) is silent; ending it", self.number, channel.name)
                    channel.kill()
        except (EOFError, OSError):
            outbox.put(None)
        self._replace(channel)

    def _is_overdue(self) -> bool:
        """True if a worker that is alive would have sent something by now."""
        if not self.ready.is_set():
            return time.monotonic() - self._started > STARTUP
        return bool(self.measurements) or any(
            run.status().phase == RunPhase.RUNNING or run.waited > SILENCE for run in list(self.runs.values())
        )

    def receive(self, message: WorkerMessage) -> None:
        """Pass a message from the worker on to the run or the measurement that it is about."""
        if isinstance(message, Ready):
            self._send_everything()
            self._on_ready(message.devices)
        elif isinstance(message, WorkingOn):
            self._working_on = message.key
        elif isinstance(message, Measured):
            if (measurement := self.measurements.get(message.key)) is not None:
                measurement.receive(message)
                if not measurement.running:
                    self._let_go(message.key)
        elif (run := self.runs.get(message.key)) is not None:
            run.receive(message)
            if isinstance(message, Report) and message.phase == RunPhase.FAILED:
                self._let_go(message.key)

    def _send_everything(self) -> None:
        """Torch is loaded: send all runs and measurements that this worker was given."""
        with self._data_lock:
            self.ready.set()
            self._data.clear()
            for run in self.runs.values():
                self._send_run(run)
            for measurement in self.measurements.values():
                self._send_measurement(measurement)

    def _replace(self, channel: Channel) -> None:
        """Start another process after this one died. Runs go on from their newest checkpoint.

        The run that it was working on is blamed; the second time it is not started again. Measurements are given up.
        """
        ending = channel.wait()
        if self._stopped:
            return
        LOG.warning("worker %d (%s) ended with %s; replacing it", self.number, channel.name, ending)
        blamed = self.runs.get(self._working_on) if self._working_on is not None else None
        if blamed is not None:
            blamed.crash_count += 1
            if blamed.crash_count >= 2:
                self.runs.pop(blamed.key)
                blamed.fail("This run ended its worker process twice, so it is not started again.")
        while self.measurements:
            reason = "The worker process that measured has died, so there is no result."
            self.measurements.popitem()[1].fail(reason)
        for run in list(self.runs.values()):
            run.worker_lost()
        self.start()

    def stop(self) -> None:
        """End the process and start no other."""
        with self._lock:
            self._stopped = True
            if self.channel is not None:
                self.channel.kill()

    def wait(self, seconds: float) -> None:
        """Wait until the process has ended."""
        if self.channel is not None:
            self.channel.wait(seconds)
