"""A worker process: many runs, each trained for a short time in turn. `python -m engine.workers.worker <fd>`.

Runs share one core in slices of time: with more runs each network trains more slowly, but none waits for another. A
frame is taken when one was requested, at most FRAMES_PER_SECOND. Frames take at most FRAME_SHARE of the worker's time,
or as much as gives everybody who watches about one a second, but never more than MAX_FRAME_SHARE. Sweeps have what is
idle, and at most half of the time while a run trains.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, Protocol

import torch

from engine.experiment import Experiment
from engine.frame import RunPhase
from engine.tasks import Task
from engine.training import Trainer
from engine.workers.hosted_run import HostedRun
from engine.workers.hosted_sweep import HostedSweep
from engine.workers.line_finder import LineFinder
from engine.workers.protocol import (
    Alive,
    Bring,
    Forget,
    Measured,
    MeasureOrder,
    Open,
    OpenSweep,
    Order,
    Ping,
    PoolMessage,
    Ready,
    Report,
    SweepReport,
    WorkerMessage,
    WorkingOn,
)
from engine.workers.reasons import reason_of
from engine.workers.timers import Timer, timer_of

SLICE = 0.03  # seconds that a run trains before the next one does
FRAME_SHARE = 0.05
MAX_FRAME_SHARE = 1 / 3
FRAME_GOAL = 1.05  # frames a second for each run that is watched; a little more than one, so that one arrives
RECORD_SHARE = 0.02  # of its time; what held-out records take of the frames' time in the long run
MAX_DEBT = 0.02
"""Seconds of the frames' time that held-out records may take in advance: then no frame waits longer than 0.4 s."""
ENDED = "These networks ended with an error"
FRAME_CREDIT = 0.25  # seconds of taking frames that may be saved up, for the first frames and after a pause


class PoolConnection(Protocol):
    """The worker's end of the connection to the pool."""

    def send(self, message: WorkerMessage, /) -> None:
        """Send a message; blocks while the connection is full."""

    def poll(self, timeout: float | None, /) -> bool:
        """True as soon as a message can be received, False if there is none after so many seconds; None: for ever."""

    def recv(self) -> PoolMessage:
        """Receive the next message."""


class Worker:
    """The loop of a worker: receive orders, train every run for its slice, report.

    The run whose frame has been due longest is visited first, so that all get equally many when time is short.

    Args:
        connection: to the pool.
        clock: seconds.
        costs: the clock by which frames are paid; by default that of each run's device.
    """

    def __init__(
        self,
        connection: PoolConnection,
        clock: Callable[[], float] = time.monotonic,
        costs: Callable[[], float] | None = None,
    ) -> None:
        self.connection, self._clock, self._costs = connection, clock, costs
        self.runs: dict[int, HostedRun] = {}
        self.sweeps: dict[int, HostedSweep] = {}  # the first is next
        self.timers: dict[int, Timer | LineFinder] = {}  # the first is measuring, the others wait
        self.own_data: dict[str, Task | str] = {}  # by name: the task, or a sentence that says why there is none
        self.working_on: int | None = None
        self.share = 1.0  # of this core, for each run that trains
        self.credit, self.credited = FRAME_CREDIT, clock()

    def serve(self) -> None:
        """Run until the pool closes the connection (EOFError)."""
        while True:
            self.receive()
            self.take_turns()

    def receive(self) -> None:
        """Sleep until the next order, or until a run is due; execute all orders that have arrived."""
        times = [self._next_event(run) for run in self.runs.values()]
        times += [sweep.next_event() for sweep in self.sweeps.values()]
        times += [timer.due for timer in list(self.timers.values())[:1]]
        until = min((due for due in times if due is not None), default=None)
        timeout = None if until is None else max(0.0, until - self._clock())
        while self.connection.poll(timeout):
            self._execute(self.connection.recv())
            timeout = 0.0

    def take_turns(self) -> None:
        """Train every run that is due for one slice, then send what there is to send."""
        now = self._clock()
        training = [run for run in self.runs.values() if run.wants_to_train()]
        for run in training:
            if run.due <= now and run.key in self.runs:
                self._guard(run, partial(self._train, run))
                while self.connection.poll(0):
                    self._execute(self.connection.recv())
        self._measure()
        self._train_a_sweep(bool(training))
        self.share = 1 / max(1, len(training))
        for run in sorted(self.runs.values(), key=HostedRun.frame_order):
            self._guard(run, partial(self._send_news, run))
        for sweep in list(self.sweeps.values()):
            self._guard(sweep, partial(self._send_report, sweep))

    def _train_a_sweep(self, beside_runs: bool) -> None:
        """Train the next sweep for one slice. Beside runs it rests as long as it took."""
        now = self._clock()
        sweep = next((each for each in self.sweeps.values() if each.wants_to_train() and each.due <= now), None)
        if sweep is None:
            return
        self.sweeps[sweep.key] = self.sweeps.pop(sweep.key)  # the others are before it next time
        self._guard(sweep, partial(sweep.train_for, SLICE))
        ended = self._clock()
        for other in self.sweeps.values():
            other.due = ended + (ended - now) if beside_runs else ended

    def _send_report(self, sweep: HostedSweep) -> None:
        if (report := sweep.report()) is not None:
            self.connection.send(report)

    def _train(self, run: HostedRun) -> None:
        """Train a run for one slice. Its held-out record is measured in the frames' share of the time."""
        before = run.trainer.measuring_seconds
        run.train_for(SLICE)
        spent = run.trainer.measuring_seconds - before
        self.credit = max(self.credit - spent, min(self.credit, -MAX_DEBT))

    def _next_event(self, run: HostedRun) -> float | None:
        """When this run next needs the worker; None: not before the next order."""
        if run.requests:
            return 0.0
        if run.wants_to_train():
            return run.due
        return 0.0 if run.news else run.frame_time()

    def _execute(self, message: PoolMessage) -> None:
        if isinstance(message, Open):
            self._open(message)
        elif isinstance(message, OpenSweep):
            self._open_sweep(message)
        elif isinstance(message, Bring):
            self._bring(message)
        elif isinstance(message, Forget):
            self.own_data.pop(message.name, None)
        elif isinstance(message, Ping):
            self.connection.send(Alive())
        elif isinstance(message, MeasureOrder):
            self.timers[message.key] = timer_of(message, self._clock)
        elif message.what == "close":
            for hosted in (self.runs, self.sweeps, self.timers):
                hosted.pop(message.key, None)
        elif message.key in self.runs:
            run = self.runs[message.key]
            self._guard(run, lambda: getattr(run, message.what)(message.value))
        elif message.key in self.sweeps:
            sweep = self.sweeps[message.key]
            self._guard(sweep, lambda: self._order_sweep(sweep, message))

    def _order_sweep(self, sweep: HostedSweep, order: Order) -> None:
        answer = getattr(sweep, order.what)(order.value)
        if answer is not None:
            self.connection.send(answer)

    def _open_sweep(self, order: OpenSweep) -> None:
        task = self.own_data.get(order.data)
        if isinstance(task, str):
            self.connection.send(SweepReport.ended(order.key, task))
        else:
            self.sweeps[order.key] = HostedSweep(order, self._clock, task)

    def _bring(self, message: Bring) -> None:
        try:
            self.own_data[message.name] = message.dataset.to_task()
        except Exception as error:  # sent to the person whose data they are, when a run needs them
            name = message.dataset.name
            self.own_data[message.name] = f"The data {name} cannot be used: {reason_of(error)}."

    def _open(self, order: Open) -> None:
        task = self.own_data.get(order.data)
        if isinstance(task, str):
            self._say_failed(order.key, task)
            return
        try:
            run = self.runs[order.key] = HostedRun(order, self._clock, self._costs, task)
        except Exception as error:  # sent to the person whose run it is; the other runs go on
            self._fail(order.key, error)
        else:
            self._guard(run, partial(self._send_news, run))  # the frame of step 0, before anything is trained

    def _guard(self, hosted: HostedRun | HostedSweep, act: Callable[[], Any]) -> None:
        """Do something for a run or a sweep; an error ends it and nothing else."""
        self._begin_work_on(hosted.key)
        try:
            act()
        except OSError:
            raise  # the connection: the pool is gone
        except Exception as error:
            if self.sweeps.pop(hosted.key, None) is not None:
                reason = f"{ENDED}: {reason_of(error)}."
                self.connection.send(SweepReport.ended(hosted.key, reason))
            else:
                self.runs.pop(hosted.key, None)
                self._fail(hosted.key, error)

    def _begin_work_on(self, key: int) -> None:
        if self.working_on != key:
            self.working_on = key
            self.connection.send(WorkingOn(key))

    def _measure(self) -> None:
        """Time one repeat for the oldest measurement, if one is due."""
        timer = next(iter(self.timers.values()), None)
        if timer is None or timer.due > self._clock():
            return
        self._begin_work_on(timer.key)
        try:
            message = timer.advance()
        except Exception as error:  # sent to the person who asked; the runs go on
            reason = f"The measurement ended with an error: {reason_of(error)}."
            message = Measured(timer.key, None, timer.done, timer.total, reason)
        if message.medians is not None or message.message:
            self.timers.pop(timer.key)
        self.connection.send(message)

    def _fail(self, key: int, error: Exception) -> None:
        self._say_failed(key, f"This run ended with an error: {reason_of(error)}.")

    def _say_failed(self, key: int, message: str) -> None:
        self.connection.send(Report(key, RunPhase.FAILED, 0, 0.0, 0.0, message, None, [], (), None))

    def _send_news(self, run: HostedRun) -> None:
        """Answer a request; report if the requested frame may be taken now, or if a report is due."""
        if (answer := run.answer()) is not None:
            self.connection.send(answer)
        now = self._clock()
        frame = None
        due = run.frame_time()
        if due is not None and due <= now and self._may_take_frame(run, now):
            frame = run.frame(now)
            self.credit -= run.frame_cost  # on-demand readings have a share of their own
        saves = run.needs_checkpoint(now)
        if frame is not None or run.news or saves or (run.wants_to_train() and run.report_due <= now):
            self.connection.send(run.report(now, self.share, frame))
        if saves:  # after the report: a worker that goes on from the checkpoint does not report the updates before it
            self.connection.send(run.checkpoint(now))

    def _may_take_frame(self, run: HostedRun, now: float) -> bool:
        """True if frames have not used up their share of the time, or if no training time is lost.

        The untrained network is always shown: a run's figures begin with it.
        """
        self.credit = min(FRAME_CREDIT, self.credit + self._frame_share(now) * (now - self.credited))
        self.credited = now
        return self.credit > 0 or run.trainer.step == 0 or not run.wants_to_train()

    def _frame_share(self, now: float) -> float:
        """The share of the time that frames may take now. A frame that takes a run no training time needs none."""
        watched = [run.frame_cost for run in self.runs.values() if run.wants_to_train() and run.is_watched(now)]
        return min(MAX_FRAME_SHARE, max(FRAME_SHARE, FRAME_GOAL * sum(watched) + RECORD_SHARE))


def main(connection: PoolConnection) -> None:
    """Load torch, warm it up, say so and serve until the pool closes the connection."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    warm = Trainer(Experiment(seq_len=4, hidden_size=4))
    warm.advance()
    warm.frame()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the server has gone
        connection.send(Ready(("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)))
        Worker(connection).serve()


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])))
