"""One run inside a worker: its trainer, its orders and requests, and when it next needs the worker's time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from typing import Any

from engine.ask.question import QuestionError
from engine.experiment import LIVE_SETTINGS, Changes, Experiment, settings_at
from engine.frame import Frame, RunPhase
from engine.frame.reading_request import newest_requests
from engine.frame.typed_frame import TypedSentenceError
from engine.intervention.intervention import InterventionError
from engine.step_through.sequence_trace import TraceError
from engine.tasks import Task
from engine.training import NotFiniteError, Trainer
from engine.training.cost_clock import cost_clock
from engine.workers.protocol import REPORT_EVERY, CheckpointSaved, Open, Report, Request, RequestDone, RequestKind
from engine.workers.reasons import reason_of
from engine.workers.requests import handle

FRAMES_PER_SECOND = 5.0
DETAILS_EVERY = 1.0  # minimum seconds between two frames with on-demand readings
DETAILS_SHARE = 0.04  # of the worker's time that the on-demand readings of one run may take
WATCHED_FOR = 3.0  # seconds after a request for a frame in which somebody is taken to be watching
CHECKPOINT_EVERY = 1.0  # seconds between two checkpoints: going back to a step repeats at most that much training
CHECKPOINT_BYTES = 2**20  # saved per second at most: larger checkpoints are rarer
MAX_CHECKPOINT = 2**24  # bytes; a run with a larger one starts again if its worker dies


class HostedRun:
    """One run inside a worker.

    Args:
        order: the experiment, how to begin, and the checkpoint to go on from.
        clock: seconds.
        costs: the clock by which frames are paid; by default that of the run's device.
        task: of somebody's own data; None for one of the catalogue.
    """

    def __init__(
        self,
        order: Open,
        clock: Callable[[], float] = time.monotonic,
        costs: Callable[[], float] | None = None,
        task: Task | None = None,
    ) -> None:
        self.key, self._clock = order.key, clock
        self.trainer = Trainer(Experiment.from_dict(order.settings, task), order.weights)
        self._costs = costs or cost_clock(self.trainer.experiment.device)
        if order.checkpoint is not None:
            self._restore(order.checkpoint, order.changes)
        self.planned = [change for change in order.changes if change[0] >= self.trainer.step]
        self.until, self.quiet = order.until, order.checkpoint is not None
        self.phase = RunPhase.PAUSED if order.paused else RunPhase.RUNNING
        self.per_second = order.speed
        self.last_step: int | None = None  # set when a finished run is asked to go on; until then the trainer decides
        self.single_steps = 0
        self.due = 0.0  # when the next update may be made
        self.message = ""
        self.updates: list[tuple[int, float, float, bool]] = []  # not reported yet
        self.frame_requested = self.changed = self.news = True  # changed: since the newest frame; news: to be reported
        self.requested_details: frozenset[str] = frozenset()
        self.given_details: frozenset[str] = frozenset()  # requested for the newest frame, whether or not there are any
        self.details_due = 0.0
        self.frame_cost = 0.0  # seconds that the newest frame without on-demand readings took
        self.requests: dict[RequestKind[Any], Request] = {}  # the newest of each kind that is not answered
        self.frame_due = self.report_due = 0.0
        self._watched_until = 0.0
        now = clock()
        self.checkpoint_due, self.saved_step = now + CHECKPOINT_EVERY, self.trainer.step
        self._rate_since, self._rate_step, self.rate = now, self.trainer.step, 0.0

    def _restore(self, checkpoint: bytes, changes: Changes) -> None:
        """Restore a checkpoint, but with the live settings that `changes` say.

        The checkpoint may contain a change that belongs to another branch, or miss one that was ordered just before a
        worker died.
        """
        self.trainer.restore(checkpoint)
        self.trainer.drop_unmade_changes()
        before = settings_at(self.trainer.info.experiment, changes, self.trainer.step - 1)
        self.trainer.update(**{name: getattr(before, name) for name in LIVE_SETTINGS})

    # Orders of the pool, called by name.

    def pause(self, _: None = None) -> None:
        """Stop between two updates."""
        if self.phase == RunPhase.RUNNING:
            self.phase = RunPhase.PAUSED
        self.single_steps, self.until, self.rate, self.changed, self.news = 0, 0, 0.0, True, True

    def resume(self, _: None = None) -> None:
        """Train on; a finished run gets as many updates again, and a refused update is tried again."""
        if self.phase == RunPhase.FINISHED:
            self._extend(self.trainer.experiment.steps)
        self.phase, self.message, self.changed, self.news = RunPhase.RUNNING, "", True, True
        self._rate_since, self._rate_step = self._clock(), self.trainer.step

    def advance(self, steps: int) -> None:
        """Make this many updates, then pause."""
        if self.phase == RunPhase.FINISHED:
            self._extend(steps)
        if self.phase in (RunPhase.FINISHED, RunPhase.REFUSED):
            self.phase = RunPhase.PAUSED
        if self.phase != RunPhase.RUNNING:
            self.message = ""
        self.single_steps += steps

    def _extend(self, steps: int) -> None:
        self.last_step = self.trainer.step + steps

    def update(self, changes: dict[str, Any]) -> None:
        """Change live settings; planned changes are dropped."""
        self.planned = []
        self.trainer.update(**changes)
        self.changed = self.news = True

    def speed(self, per_second: float | None) -> None:
        """Updates a second at most; None for as fast as possible."""
        self.per_second, self.due = per_second, 0.0

    def request_frame(self, details: Collection[str] | None = None) -> None:
        """Request a frame, with these on-demand readings; of several requests for one the newest counts."""
        self.frame_requested, self._watched_until = True, self._clock() + WATCHED_FOR
        self.requested_details = newest_requests(self.requested_details, details or ())

    def request(self, request: Request) -> None:
        """Answer this request, and no older one of its kind."""
        self.requests[request.kind] = request

    # Training.

    def wants_to_train(self) -> bool:
        """True while there are updates to make, now or later."""
        return self.phase == RunPhase.RUNNING or self.single_steps > 0 or self.is_behind

    @property
    def is_behind(self) -> bool:
        """True before the step that the run was opened to train to first."""
        return self.trainer.step < self.until

    def train_for(self, seconds: float) -> None:
        """Make updates until the time is over, the speed limit is reached, or the run finishes or breaks."""
        end = self._clock() + seconds
        while self.wants_to_train():
            was_behind = self.is_behind
            try:
                self._make_planned_changes()
                loss = self.trainer.advance()
            except NotFiniteError as error:
                self.phase, self.single_steps, self.until, self.message = RunPhase.REFUSED, 0, 0, str(error)
                self.rate, self.changed, self.news = 0.0, True, True
                return
            self.changed = True
            t = self.trainer
            self.updates.append((t.step, loss, t.param_grad_norm, t.clipped))
            if not was_behind:
                self.single_steps = max(0, self.single_steps - 1)
            self.news = self.news or not self.wants_to_train()  # the last of the ordered updates was made
            if t.finished if self.last_step is None else t.step >= self.last_step:
                self._finish()
                return
            now = self._clock()
            if self.per_second is not None and self.phase == RunPhase.RUNNING and not self.is_behind:
                self.due = max(self.due + 1 / self.per_second, now - 1 / self.per_second)
                if self.due > now:
                    return
            if now >= end:
                return

    def _make_planned_changes(self) -> None:
        while self.planned and self.planned[0][0] <= self.trainer.step:
            self.trainer.update(**self.planned.pop(0)[1])

    def _finish(self) -> None:
        self.until = 0
        self.phase, self.single_steps, self.rate, self.news = RunPhase.FINISHED, 0, 0.0, True

    # What the worker sends to the pool.

    def frame_time(self) -> float | None:
        """When the requested frame may be taken; None if none is requested, or it would be the same again.

        A paused run still takes a second frame of its last step if on-demand readings were requested but not yet due.
        """
        if self.quiet and self.is_behind:
            return None
        if self.changed:
            return self.frame_due if self.frame_requested else None
        return max(self.frame_due, self.details_due) if self.requested_details - self.given_details else None

    def is_watched(self, now: float) -> bool:
        """True if somebody waits for a frame, or has asked for one lately."""
        return self.frame_requested or now < self._watched_until

    def frame_order(self) -> float:
        """Sorts runs by when their frame is due; those that need none come last."""
        due = self.frame_time()
        return math.inf if due is None else due

    def frame(self, now: float) -> Frame:
        """Take the requested frame, with the on-demand readings if they are due."""
        details = self.requested_details if now >= self.details_due else frozenset()
        # A schedule, not a gap: a frame that is taken a little late does not delay the next.
        self.frame_due = max(self.frame_due + 1 / FRAMES_PER_SECOND, now + 0.5 / FRAMES_PER_SECOND)
        began = self._costs()
        frame = self.trainer.frame(details)
        cost = self._costs() - began
        if details:
            self.requested_details = frozenset()
            self.details_due = now + max(DETAILS_EVERY, (cost - self.frame_cost) / DETAILS_SHARE)
        else:
            self.frame_cost = cost
        self.frame_requested, self.changed, self.given_details = False, False, details
        return frame

    def needs_checkpoint(self, now: float) -> bool:
        """True if a checkpoint is due, there is something new to save, and it would not be too large."""
        return self.checkpoint_due <= now and self.saved_step != self.trainer.step and self._size <= MAX_CHECKPOINT

    @property
    def _size(self) -> int:
        """Bytes of a checkpoint, about: float32 weights and two averages of Adam."""
        return 12 * self.trainer.info.parameter_count

    def checkpoint(self, now: float) -> CheckpointSaved:
        """Everything that another worker needs to go on from here."""
        self.checkpoint_due, self.saved_step = now + CHECKPOINT_EVERY + self._size / CHECKPOINT_BYTES, self.trainer.step
        return CheckpointSaved(self.key, self.trainer.step, self.trainer.checkpoint())

    def answer(self) -> RequestDone | None:
        """Answer one of the pending requests, if there is any. An error is sent to whoever asked; the run goes on."""
        if not self.requests:
            return None
        request = self.requests.pop(next(iter(self.requests)))
        try:
            result = handle(self.trainer, request.kind, request.arguments)
            return RequestDone(self.key, request.number, request.kind, result)
        except (QuestionError, TraceError, TypedSentenceError, InterventionError, NotFiniteError) as error:
            problem = str(error)
        except Exception as error:
            problem = f"There is no answer: {reason_of(error)}."
        return RequestDone(self.key, request.number, request.kind, None, problem)

    def report(self, now: float, share: float, frame: Frame | None) -> Report:
        """What happened since the last report."""
        phase, message = self.phase, self.message
        if self.is_behind:
            phase, message = RunPhase.RUNNING, f"On its way to step {self.until:,}."
        if phase == RunPhase.RUNNING and now - self._rate_since >= REPORT_EVERY:
            self.rate = (self.trainer.step - self._rate_step) / (now - self._rate_since)
            self._rate_since, self._rate_step = now, self.trainer.step
        updates, self.updates = self.updates, []
        self.news, self.report_due = False, now + REPORT_EVERY
        return Report(
            key=self.key, phase=phase, step=self.trainer.step, steps_per_second=self.rate, share=share,
            message=message, solved_at=self.trainer.solved_at, updates=updates, changes=self.trainer.changes,
            frame=frame,
        )  # fmt: skip
