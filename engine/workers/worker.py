"""A worker process: many runs, each advanced for a short slice in turn. `python -m engine.workers.worker <fd>`.

Runs share one core by slices, so that everybody's network trains, more slowly, and nobody queues. A frame is taken
when one was asked for, at most FRAMES_PER_SECOND, and frames take at most FRAME_SHARE of the worker's time.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Collection
from multiprocessing.connection import Connection
from typing import Any

import torch

from engine.experiment import Experiment
from engine.frame import Frame, RunPhase
from engine.prediction import QuestionError
from engine.training import NotFiniteError, Trainer
from engine.walk import WalkError
from engine.workers.gauge import Gauge
from engine.workers.protocol import Answered, Kept, Measure, Measured, Open, Order, Ready, Report, Request, Serving

SLICE = 0.03  # seconds that a run trains before it is another's turn
FRAMES_PER_SECOND = 5.0
FRAME_SHARE = 0.05
FRAME_CREDIT = 0.25  # seconds of looking that may be saved up, for the first frames and after a pause
DETAILS_EVERY = 1.0  # seconds at least between two frames with details
DETAILS_SHARE = 0.04  # of the worker's time that details of one run may take
REPORT_EVERY = 0.5  # seconds between reports where nobody asks for frames
CHECKPOINT_EVERY = 5.0
LARGEST_CHECKPOINT = 2**24  # bytes; a run with a larger one starts again if its worker dies


class Seat:
    """One run inside the worker: its trainer, and what people asked of it."""

    def __init__(self, order: Open) -> None:
        self.key = order.key
        self.trainer = Trainer(Experiment.from_dict(order.settings))
        if order.checkpoint is not None:
            self.trainer.restore(order.checkpoint)
        if order.live:
            self.trainer.update(**order.live)
        self.phase = RunPhase.PAUSED if order.paused else RunPhase.RUNNING
        self.per_second = order.speed
        self.last_step: int | None = None  # set when a finished run is asked to go on; until then the trainer knows
        self.single_steps = 0
        self.due = 0.0  # when the next update may be made
        self.message = ""
        self.updates: list[tuple[int, float, float, bool]] = []
        self.wants_frame, self.changed, self.news = True, True, True
        self.wanted: set[str] = set()  # details that somebody waits for
        self.given: frozenset[str] = frozenset()  # asked for in the newest frame
        self.details_due = self.looked = 0.0  # seconds that a frame without details took
        self.requests: dict[str, Request] = {}  # the newest of each kind that somebody waits for
        self.frame_due = self.report_due = 0.0
        now = time.monotonic()
        self.checkpoint_due = now + CHECKPOINT_EVERY
        self._rate_since, self._rate_step, self.rate = now, self.trainer.step, 0.0

    # What the pool may order, by name.

    def pause(self, _: None = None) -> None:
        """Stop between two updates."""
        if self.phase == RunPhase.RUNNING:
            self.phase = RunPhase.PAUSED
        self.single_steps, self.rate, self.changed, self.news = 0, 0.0, True, True

    def resume(self, _: None = None) -> None:
        """Train on; a finished run gets as many updates again."""
        if self.phase == RunPhase.FINISHED:
            self._go_beyond(self.trainer.experiment.steps)
        self.phase, self.message, self.changed, self.news = RunPhase.RUNNING, "", True, True
        self._rate_since, self._rate_step = time.monotonic(), self.trainer.step

    def advance(self, steps: int) -> None:
        """Make this many updates, then pause."""
        if self.phase == RunPhase.FINISHED:
            self._go_beyond(steps)
            self.phase = RunPhase.PAUSED
        if self.phase != RunPhase.RUNNING:
            self.message = ""
        self.single_steps += steps

    def _go_beyond(self, steps: int) -> None:
        self.last_step = self.trainer.step + steps

    def update(self, changes: dict[str, Any]) -> None:
        """Change live settings."""
        self.trainer.update(**changes)
        self.changed = True

    def speed(self, per_second: float | None) -> None:
        """Updates a second at most; None for as fast as it goes."""
        self.per_second, self.due = per_second, 0.0

    def look(self, details: Collection[str] | None = None) -> None:
        """Somebody waits for a frame, and for these details of it."""
        self.wants_frame = True
        self.wanted.update(details or ())

    def ask(self, request: Request) -> None:
        """Somebody waits for this, and for no older request of its kind any more."""
        self.requests[request.what] = request

    # What the worker asks.

    def wants_to_train(self) -> bool:
        """True while there are updates to make, now or later."""
        return self.phase == RunPhase.RUNNING or self.single_steps > 0

    def train_for(self, seconds: float) -> None:
        """Make updates until the slice is over, the speed says wait, or the run is done or breaks."""
        end = time.monotonic() + seconds
        while self.wants_to_train():
            try:
                loss = self.trainer.advance()
            except NotFiniteError as error:
                self.phase, self.single_steps, self.message = RunPhase.PAUSED, 0, str(error)
                self.changed = self.news = True
                return
            self.changed = True
            t = self.trainer
            self.updates.append((t.step, loss, t.param_grad_norm, t.clipped))
            self.single_steps = max(0, self.single_steps - 1)
            self.news = self.news or not self.wants_to_train()  # the last of the updates asked for was made
            if t.finished if self.last_step is None else t.step >= self.last_step:
                self._finish()
                return
            now = time.monotonic()
            if self.per_second is not None and self.phase == RunPhase.RUNNING:
                self.due = max(self.due + 1 / self.per_second, now - 1 / self.per_second)
                if self.due > now:
                    return
            if now >= end:
                return

    def _finish(self) -> None:
        self.phase, self.single_steps, self.rate, self.news = RunPhase.FINISHED, 0, 0.0, True

    def frame_time(self) -> float | None:
        """When the frame that was asked for may be taken; None while nobody waits for one that would be new.

        A run that stands still owes the details of its last step, if they were asked for and it was too early for them.
        """
        if self.changed:
            return self.frame_due if self.wants_frame else None
        return max(self.frame_due, self.details_due) if self.wanted - self.given else None

    def frame(self, now: float) -> Frame:
        """Take the frame that was asked for, with the details if it is time for them."""
        details = frozenset(self.wanted) if now >= self.details_due else frozenset()
        # A schedule, not a gap: a frame taken a little late does not push back the next.
        self.frame_due = max(self.frame_due + 1 / FRAMES_PER_SECOND, now + 0.5 / FRAMES_PER_SECOND)
        began = time.monotonic()
        frame = self.trainer.frame(details)
        cost = time.monotonic() - began
        if details:
            self.wanted.clear()
            self.details_due = now + max(DETAILS_EVERY, (cost - self.looked) / DETAILS_SHARE)
        else:
            self.looked = cost
        self.wants_frame, self.changed, self.given = False, False, details
        return frame

    def answer(self) -> Answered | None:
        """One of the requests that wait. Whatever goes wrong is told to whoever asked: the run goes on."""
        if not self.requests:
            return None
        asked = self.requests.pop(next(iter(self.requests)))
        try:
            found = getattr(self.trainer, asked.what)(**asked.arguments)
            return Answered(self.key, asked.number, asked.what, found)
        except (QuestionError, WalkError) as error:
            problem = str(error)
        except Exception as error:
            problem = f"There is no answer: {type(error).__name__}: {error}"
        return Answered(self.key, asked.number, asked.what, None, problem)

    def report(self, now: float, share: float, frame: Frame | None) -> Report:
        """What happened since the last report."""
        if self.phase == RunPhase.RUNNING and now - self._rate_since >= REPORT_EVERY:
            self.rate = (self.trainer.step - self._rate_step) / (now - self._rate_since)
            self._rate_since, self._rate_step = now, self.trainer.step
        updates, self.updates = self.updates, []
        self.news, self.report_due = False, now + REPORT_EVERY
        return Report(
            key=self.key, phase=self.phase, step=self.trainer.step, steps_per_second=self.rate, share=share,
            message=self.message, solved_at=self.trainer.solved_at, updates=updates, frame=frame,
        )  # fmt: skip


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
            self.connection.send(Serving(key))

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
        self.connection.send(Report(key, RunPhase.FAILED, 0, 0.0, 0.0, message, None, [], None))

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
        if seat.changed and seat.checkpoint_due <= now:
            seat.checkpoint_due = now + CHECKPOINT_EVERY
            if 12 * seat.trainer.info.parameter_count <= LARGEST_CHECKPOINT:
                self.connection.send(Kept(seat.key, seat.trainer.step, seat.trainer.checkpoint()))

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
