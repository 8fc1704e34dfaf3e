"""One worker process as the pool sees it: started, supervised, and replaced when it dies. No torch."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from engine.data import Dataset
from engine.workers.brought_data import BroughtData
from engine.workers.channel import Channel, ChannelFactory
from engine.workers.measurement import Measurement
from engine.workers.protocol import (
    Alive,
    Measured,
    Order,
    Ping,
    PoolMessage,
    Ready,
    WorkerHandle,
    WorkerMessage,
    WorkingOn,
)
from engine.workers.silence import LOOK, Silence

LOG = logging.getLogger(__name__)


class Hosted(Protocol):
    """What a worker trains, as the server process sees it: a run, or a part of a sweep."""

    key: int

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """Somebody's own data that it needs."""

    @property
    def ended(self) -> bool:
        """True once its worker has nothing left to do for it."""

    def attach(self, worker: WorkerHandle) -> None:
        """From now on this worker trains it."""

    def restart_orders(self) -> Sequence[PoolMessage]:
        """All messages that a worker needs to take it on."""

    def receive(self, message: Any) -> None:
        """Process a message from the worker."""

    def worker_lost(self) -> None:
        """Its worker process died; a replacement is going to take it on."""

    def blame(self) -> str:
        """Its worker process died while it worked on it. Returns why it is not to be tried again; empty if it is."""

    def fail(self, reason: str) -> None:
        """End it with a sentence that says why."""


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
        self.hosted: dict[int, Hosted] = {}
        self.measurements: dict[int, Measurement] = {}
        self.ready = threading.Event()
        self._start_channel, self._on_ready = start_channel, on_ready
        self._lock, self._stopped = threading.Lock(), False
        self._data, self._data_lock = BroughtData(), threading.Lock()  # data and those that use them: one after another
        self._outbox: queue.SimpleQueue[PoolMessage | None] = queue.SimpleQueue()
        self._working_on: int | None = None

    def start(self) -> None:
        """Start a process, unless `stop` was called."""
        with self._lock:
            if self._stopped:
                return
            self.ready.clear()
            self._working_on = None
            self.channel, self._outbox = self._start_channel(), queue.SimpleQueue()
            for loop in (self._receive_loop, self._send_loop):
                name, arguments = f"worker-{self.number}", (self.channel, self._outbox)
                threading.Thread(target=loop, args=arguments, daemon=True, name=name).start()

    def open(self, work: Hosted) -> None:
        """Take it on. It is sent once torch is loaded: before that a checkpoint would fill the pipe and block."""
        with self._data_lock:
            self.hosted[work.key] = work
            work.attach(self)
            if self.ready.is_set():
                self._send_hosted(work)

    def _send_hosted(self, work: Hosted) -> None:
        for order in (*self._data.use(work.key, work.datasets), *work.restart_orders()):
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
        """Forget what has this key, and let the worker forget it."""
        self._let_go(key, Order(key, "close"))

    def _let_go(self, key: int, *orders: Order) -> None:
        """Forget what has this key, send these orders, and let the worker forget the data that it alone used."""
        with self._data_lock:
            self.hosted.pop(key, None)
            self.measurements.pop(key, None)
            messages: list[PoolMessage] = [*orders, *self._data.release(key)]
            for message in messages:
                self.send(message)

    def send(self, message: PoolMessage) -> None:
        """Send a message without waiting, from any thread.

        Messages to a process that is dying are lost; its replacement receives the wanted state of everything.
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
        silence = Silence()
        try:
            while True:
                if channel.poll(LOOK):
                    self.receive(channel.recv())
                    silence.end()
                    continue
                silence.look(channel.processor_seconds())
                if silence.asks:
                    self.send(Ping())
                if silence.is_too_long(self.ready.is_set()):
                    LOG.warning("worker %d (%s) is silent; ending it", self.number, channel.name)
                    channel.kill()
        except (EOFError, OSError):
            outbox.put(None)
        self._replace(channel)

    def receive(self, message: WorkerMessage) -> None:
        """Pass a message from the worker on to what it is about."""
        if isinstance(message, Ready):
            self._send_everything()
            self._on_ready(message.devices)
        elif isinstance(message, Alive):
            return
        elif isinstance(message, WorkingOn):
            self._working_on = message.key
        elif isinstance(message, Measured):
            if (measurement := self.measurements.get(message.key)) is not None:
                measurement.receive(message)
                if not measurement.running:
                    self._let_go(message.key)
        elif (work := self.hosted.get(message.key)) is not None:
            work.receive(message)
            if work.ended:
                self._let_go(message.key)

    def _send_everything(self) -> None:
        """Torch is loaded: send everything that this worker was given."""
        with self._data_lock:
            self.ready.set()
            self._data.clear()
            for work in self.hosted.values():
                self._send_hosted(work)
            for measurement in self.measurements.values():
                self._send_measurement(measurement)

    def _replace(self, channel: Channel) -> None:
        """Start another process after this one died. What it trained goes on from the newest checkpoint.

        What it was working on is blamed; the second time at the same place it is not started again. Measurements are
        given up.
        """
        ending = channel.wait()
        if self._stopped:
            return
        LOG.warning("worker %d (%s) ended with %s; replacing it", self.number, channel.name, ending)
        blamed = self.hosted.get(self._working_on) if self._working_on is not None else None
        if blamed is not None and (reason := blamed.blame()):
            self.hosted.pop(blamed.key)
            blamed.fail(reason)
        while self.measurements:
            reason = "The worker process that measured has died, so there is no result."
            self.measurements.popitem()[1].fail(reason)
        for work in list(self.hosted.values()):
            work.worker_lost()
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
