"""One run inside a worker: its trainer, what people asked of it, and when it next needs the worker's time."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

from engine.experiment import LIVE, Changes, Experiment, in_force
from engine.frame import Frame, RunPhase
from engine.prediction import QuestionError
from engine.training import NotFiniteError, Trainer
from engine.walk import WalkError
from engine.workers.protocol import Open, Report, Request, RequestDone, RequestKind
from engine.workers.requests import handle

FRAMES_PER_SECOND = 5.0
DETAILS_EVERY = 1.0  # seconds at least between two frames with details
DETAILS_SHARE = 0.04  # of the worker's time that details of one run may take
REPORT_EVERY = 0.5  # seconds between reports where nobody asks for frames
CHECKPOINT_EVERY = 1.0  # seconds between two checkpoints: nobody waits longer than that to go back to a step
CHECKPOINT_BYTES = 2**20  # a second: larger ones are rarer
LARGEST_CHECKPOINT = 2**24  # bytes; a run with a larger one starts again if its worker dies


class Seat:
    """One run inside the worker: its trainer, and what people asked of it."""

    def __init__(self, order: Open) -> None:
        self.key = order.key
        self.trainer = Trainer(Experiment.from_dict(order.settings))
        if order.checkpoint is not None:
            self._restore(order.checkpoint, order.changes)
        self.planned = [each for each in order.changes if each[0] >= self.trainer.step]
        self.until, self.quiet = order.until, order.checkpoint is not None
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
        self.requests: dict[RequestKind[Any], Request] = {}  # the newest of each kind that somebody waits for
        self.frame_due = self.report_due = 0.0
        now = time.monotonic()
        self.checkpoint_due, self.kept = now + CHECKPOINT_EVERY, self.trainer.step
        self._rate_since, self._rate_step, self.rate = now, self.trainer.step, 0.0

    def _restore(self, checkpoint: bytes, changes: Changes) -> None:
        """`changes` say what was changed: a checkpoint may know of one that another branch has made, or not yet of one
        that was ordered just before a worker died."""
        self.trainer.restore(checkpoint)
        self.trainer.take_back()
        before = in_force(self.trainer.info.experiment, changes, self.trainer.step - 1)
        self.trainer.update(**{name: getattr(before, name) for name in LIVE})

    # What the pool may order, by name.

    def pause(self, _: None = None) -> None:
        """Stop between two updates."""
        if self.phase == RunPhase.RUNNING:
            self.phase = RunPhase.PAUSED
        self.single_steps, self.until, self.rate, self.changed, self.news = 0, 0, 0.0, True, True

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
        """Change live settings, in place of what was planned for later."""
        self.planned = []
        self.trainer.update(**changes)
        self.changed = self.news = True

    def speed(self, per_second: float | None) -> None:
        """Updates a second at most; None for as fast as it goes."""
        self.per_second, self.due = per_second, 0.0

    def look(self, details: Collection[str] | None = None) -> None:
        """Somebody waits for a frame, and for these details of it."""
        self.wants_frame = True
        self.wanted.update(details or ())

    def request(self, request: Request) -> None:
        """Answer this request, and no older one of its kind."""
        self.requests[request.kind] = request

    # What the worker asks.

    def wants_to_train(self) -> bool:
        """True while there are updates to make, now or later."""
        return self.phase == RunPhase.RUNNING or self.single_steps > 0 or self.is_behind

    @property
    def is_behind(self) -> bool:
        """True before the step at which somebody wants to take the run over."""
        return self.trainer.step < self.until

    def train_for(self, seconds: float) -> None:
        """Make updates until the slice is over, the speed says wait, or the run is done or breaks."""
        end = time.monotonic() + seconds
        while self.wants_to_train():
            try:
                self._change_as_planned()
                loss = self.trainer.advance()
            except NotFiniteError as error:
                self.phase, self.single_steps, self.until, self.message = RunPhase.PAUSED, 0, 0, str(error)
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
            if self.per_second is not None and self.phase == RunPhase.RUNNING and not self.is_behind:
                self.due = max(self.due + 1 / self.per_second, now - 1 / self.per_second)
                if self.due > now:
                    return
            if now >= end:
                return

    def _change_as_planned(self) -> None:
        while self.planned and self.planned[0][0] <= self.trainer.step:
            self.trainer.update(**self.planned.pop(0)[1])

    def _finish(self) -> None:
        self.until = 0
        self.phase, self.single_steps, self.rate, self.news = RunPhase.FINISHED, 0, 0.0, True

    def frame_time(self) -> float | None:
        """When the frame that was asked for may be taken; None while nobody waits for one that would be new.

        A run that stands still owes the details of its last step, if they were asked for and it was too early for them.
        """
        if self.quiet and self.is_behind:
            return None
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

    def answer(self) -> RequestDone | None:
        """One of the requests that wait. Whatever goes wrong is told to whoever asked: the run goes on."""
        if not self.requests:
            return None
        asked = self.requests.pop(next(iter(self.requests)))
        try:
            result = handle(self.trainer, asked.kind, asked.arguments)
            return RequestDone(self.key, asked.number, asked.kind, result)
        except (QuestionError, WalkError, NotFiniteError) as error:
            problem = str(error)
        except Exception as error:
            problem = f"There is no answer: {type(error).__name__}: {error}"
        return RequestDone(self.key, asked.number, asked.kind, None, problem)

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
