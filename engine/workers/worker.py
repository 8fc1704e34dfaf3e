"""A worker process: many runs, each advanced for a short slice in turn. `python -m engine.workers.worker <fd>`.

Runs share one core by slices, so that everybody's network trains, more slowly, and nobody queues. A frame is taken
when one was asked for, at most FRAMES_PER_SECOND, and frames take at most FRAME_SHARE of the worker's time.
"""

from __future__ import annotations

import contextlib
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

import torch

from engine.experiment import Experiment
from engine.frame import RunPhase
from engine.training import Trainer
from engine.workers.gauge import Gauge
from engine.workers.protocol import CheckpointSaved, Measure, Measured, Open, Order, Ready, Report, WorkingOn
from engine.workers.seat import CHECKPOINT_BYTES, CHECKPOINT_EVERY, LARGEST_CHECKPOINT, Seat

SLICE = 0.03  # seconds that a run trains before it is another's turn
FRAME_SHARE = 0.05
FRAME_CREDIT = 0.25  # seconds of looking that may be saved up, for the first frames and after a pause


class Worker:
    """The loop: hear orders, give every run its slice, report."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.seats: dict[int, Seat] = {}
        self.gauges: dict[int, Gauge] = {}  # the first is at work, the others wait
        self.serving: int | None = None
        self.share = 1.0  # of this core, for each run that trains
        self.credit, self.credited = FRAME_CREDIT, time.monotonic()

    def serve(self) -> None:
        """Until the pool hangs up (EOFError)."""
        while True:
            self._hear()
            now = time.monotonic()
            training = [seat for seat in self.seats.values() if seat.wants_to_train()]
            for seat in training:
                if seat.due <= now and seat.key in self.seats:
                    self._guard(seat, lambda seat=seat: seat.train_for(SLICE))
                    while self.connection.poll(0):
                        self._obey(self.connection.recv())
            self._measure()
            self.share = 1 / max(1, len(training))
            for seat in list(self.seats.values()):
                self._guard(seat, lambda seat=seat: self._tell(seat))

    def _hear(self) -> None:
        """Obey what was said; sleep until the next order or the next run that is due."""
        waits = [self._next_event(seat) for seat in self.seats.values()]
        waits += [gauge.due for gauge in list(self.gauges.values())[:1]]
        until = min((each for each in waits if each is not None), default=None)
        timeout = None if until is None else max(0.0, until - time.monotonic())
        while self.connection.poll(timeout):
            self._obey(self.connection.recv())
            timeout = 0.0

    def _next_event(self, seat: Seat) -> float | None:
        """When this run next needs the worker; None: not until somebody says something."""
        if seat.requests:
            return 0.0
        if seat.wants_to_train():
            return seat.due
        return 0.0 if seat.news else seat.frame_time()

    def _obey(self, order: Open | Measure | Order) -> None:
        if isinstance(order, Open):
            self._open(order)
        elif isinstance(order, Measure):
            self.gauges[order.key] = Gauge(order)
        elif order.what == "close":
            self.seats.pop(order.key, None)
            self.gauges.pop(order.key, None)
        elif order.key in self.seats:
            seat = self.seats[order.key]
            self._guard(seat, lambda: getattr(seat, order.what)(order.value))

    def _open(self, order: Open) -> None:
        try:
            seat = self.seats[order.key] = Seat(order)
        except Exception as error:  # told to the person whose run it is; the other runs go on
            self._fail(order.key, error)
        else:
            self._guard(seat, lambda: self._tell(seat))  # step 0, before anything is trained

    def _guard(self, seat: Seat, act: Any) -> None:
        """Do something for a run; whatever goes wrong ends that run and no other."""
        self._serve_now(seat.key)
        try:
            act()
        except OSError:
            raise  # the pipe: the pool is gone
        except Exception as error:
            self.seats.pop(seat.key, None)
            self._fail(seat.key, error)

    def _serve_now(self, key: int) -> None:
        if self.serving != key:
            self.serving = key
            self.connection.send(WorkingOn(key))

    def _measure(self) -> None:
        """One update for the measurement that came first, if it may have one now."""
        gauge = next(iter(self.gauges.values()), None)
        if gauge is None or gauge.due > time.monotonic():
            return
        self._serve_now(gauge.key)
        try:
            said = gauge.turn()
        except Exception as error:  # told to the person who asked; the runs go on
            message = f"The measurement ended with an error: {type(error).__name__}: {error}"
            said = Measured(gauge.key, None, gauge.done, gauge.total, message)
        if said.medians is not None or said.message:
            self.gauges.pop(gauge.key)
        self.connection.send(said)

    def _fail(self, key: int, error: Exception) -> None:
        message = f"This run ended with an error: {type(error).__name__}: {error}"
        self.connection.send(Report(key, RunPhase.FAILED, 0, 0.0, 0.0, message, None, [], (), None))

    def _tell(self, seat: Seat) -> None:
        """Answer who asked; report if somebody waits for a frame that may be taken now, or if it is time."""
        if (answered := seat.answer()) is not None:
            self.connection.send(answered)
        now = time.monotonic()
        frame = None
        due = seat.frame_time()
        if due is not None and due <= now and self._may_look(seat, now):
            frame = seat.frame(now)
            self.credit -= seat.looked  # details have a share of their own
        if frame is not None or seat.news or (seat.wants_to_train() and seat.report_due <= now):
            self.connection.send(seat.report(now, self.share, frame))
        if seat.checkpoint_due <= now and seat.kept != seat.trainer.step:
            size = 12 * seat.trainer.info.parameter_count
            seat.checkpoint_due, seat.kept = now + CHECKPOINT_EVERY + size / CHECKPOINT_BYTES, seat.trainer.step
            if size <= LARGEST_CHECKPOINT:
                self.connection.send(CheckpointSaved(seat.key, seat.trainer.step, seat.trainer.checkpoint()))

    def _may_look(self, seat: Seat, now: float) -> bool:
        """Looking may take FRAME_SHARE of the time that training could have had."""
        self.credit = min(FRAME_CREDIT, self.credit + FRAME_SHARE * (now - self.credited))
        self.credited = now
        return self.credit > 0 or not seat.wants_to_train()


def main(fd: int) -> None:
    """Load torch, warm it up, say so and serve."""
    connection = Connection(fd)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    warm = Trainer(Experiment(seq_len=4, hidden_size=4))
    warm.advance()
    warm.frame()
    connection.send(Ready(("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)))
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the server has gone
        Worker(connection).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]))
