"""One training run as the server process sees it. No torch."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Collection
from typing import Any, Protocol

import numpy as np

from engine.data import Dataset
from engine.data.dataset import dataset_of
from engine.experiment import (
    LIVE_SETTINGS,
    Changes,
    Experiment,
    record_change,
    settings_at,
)
from engine.frame import Frame, RunInfo, RunPhase, RunStatus
from engine.frame.reading_request import newest_requests
from engine.live_settings import check_live
from engine.recording import Recording
from engine.recording.history import History, Waterfall
from engine.workers.crashes import Crashes
from engine.workers.listeners import Listeners
from engine.workers.pending_request import PendingRequest
from engine.workers.protocol import (
    REPORT_EVERY,
    REQUEST_KINDS,
    CheckpointSaved,
    Open,
    Order,
    Report,
    Request,
    RequestDone,
    RequestKind,
    Result,
    WorkerHandle,
)
from engine.workers.reasons import KILLED_TWICE
from engine.workers.run_log import RunLog

ENDED = "This run has ended, so it gives no answer any more."


class RunPool(Protocol):
    """What a run needs of the pool that it belongs to."""

    def open_branch(self, parent: Run, step: int, changes: Changes, *, paused: bool, speed: float | None) -> Run:
        """Start a run that shares the past of another one up to a step."""


class Run:
    """One training run. All methods return at once; a worker does the work and sends frames when they are ready.

    `listeners` are told after every message that its page may show, and when its worker is lost.
    """

    def __init__(
        self, pool: RunPool, key: int, experiment: Experiment, *, paused: bool, speed: float | None,
        changes: Changes = (), until: int = 0, weights: bytes = b"",
    ) -> None:  # fmt: skip
        self.info, self.key, self.weights = RunInfo.of(experiment), key, weights
        self.listeners = Listeners()
        self._pool = pool
        self._worker: WorkerHandle | None = None
        self._paused, self._speed, self._until = paused, speed, until
        self._changes = changes
        self._experiment = settings_at(experiment, changes)  # with all changes, planned ones too
        self._frame: Frame | None = None
        self._requested: frozenset[str] | None = frozenset()  # on-demand readings of the frame that is waited for
        self._log = RunLog(self.info)
        self._phase, self._step, self._rate, self._share, self._message = RunPhase.STARTING, 0, 0.0, 0.0, ""
        self._solved_at: int | None = None
        self._worker_message = ""  # what happened to its worker
        self._pending = {kind: PendingRequest() for kind in REQUEST_KINDS}
        self._request_count = 0
        self.branched_at: int | None = None
        self._furthest = 0  # step that was reported
        self._crashes = Crashes()

    @property
    def experiment(self) -> Experiment:
        """As submitted, with all live changes, planned ones too."""
        return self._experiment

    @property
    def changes(self) -> Changes:
        """The live changes, made or planned: (step, {setting: value}), steps rising."""
        return self._changes

    def info_at(self, step: int) -> RunInfo:
        """What a figure of this step needs to know: the settings in force then."""
        return dataclasses.replace(self.info, experiment=settings_at(self.info.experiment, self._changes, step))

    # Frames and the past.

    def latest(self, details: Collection[str] = ()) -> Frame | None:
        """The newest frame, None before the first. This also requests the next one; no other frame is taken.

        Args:
            details: on-demand readings that the next one shall have, if it is time for them, written as
                `engine.frame.reading_request` says; of several requests for one reading the newest counts.
        """
        requested = frozenset(details)
        if self._requested is None or not requested <= self._requested:
            self._requested = newest_requests(self._requested or frozenset(), requested)
            self._send("request_frame", sorted(self._requested))
        return self._frame

    @property
    def newest(self) -> Frame | None:
        """The newest frame, None before the first; the next one is not requested."""
        return self._frame

    @property
    def first(self) -> Frame | None:
        """The frame of the untrained network, step 0; None if none was taken then."""
        frames = self.frames
        return frames[0] if frames and frames[0].step == 0 else None

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The frames that are kept, steps rising: the first and the newest, and evenly spaced ones between them."""
        return self._log.all_frames()

    def frame_at(self, step: int) -> Frame | None:
        """The newest kept frame that is not beyond this step; None if there is none."""
        return self._log.frame_at(step)

    def recording(self) -> Recording:
        """All that is kept of this run, as a value that can be saved."""
        return self._log.recording(self._changes_made)

    @property
    def history(self) -> np.ndarray:
        """Rows of `engine.recording.history.ROW`, thinned; probe_loss is NaN where no frame was taken."""
        return self._log.history.table()

    @property
    def curve(self) -> History:
        """The same, with updates and frames apart."""
        return self._log.history

    @property
    def waterfall(self) -> Waterfall:
        """The gradient at every step in time, over training, one row a frame."""
        return self._log.waterfall

    def status(self) -> RunStatus:
        """Phase, step and speed as last reported."""
        message = " ".join(part for part in (self._worker_message, self._message) if part)
        return RunStatus(self._phase, self._step, self._rate, self._share, message, self._solved_at)

    # Training.

    def pause(self) -> None:
        """Stop between two updates."""
        self._paused, self._until = True, 0
        self._send("pause")

    def resume(self) -> None:
        """Train on; a run that had finished gets as many updates again."""
        self._paused = False
        self._send("resume")

    def advance(self, steps: int = 1) -> None:
        """Make this many updates of a paused run."""
        self._send("advance", steps)

    def speed(self, per_second: float | None) -> None:
        """Updates a second at most; None for as fast as possible."""
        self._speed = per_second
        self._send("speed", per_second)

    def update(self, **changes: Any) -> None:
        """Change the `engine.live_settings` during training; planned changes are dropped.

        Raises:
            ExperimentError: for another setting, or a value out of range; nothing is changed then.
        """
        check_live(self._experiment, changes, "unchanged while a run goes on")
        changed, made = self._experiment.replace(**changes), self._changes_made
        self._forget_what_was_made_otherwise()
        self._changes = record_change(made, self._step, settings_at(self.info.experiment, made), changed)
        self._experiment = changed
        self._send("update", {name: getattr(changed, name) for name in LIVE_SETTINGS})

    def _forget_what_was_made_otherwise(self) -> None:
        """After a worker was lost, the updates up to the furthest step are made again: with other settings, others."""
        if self._furthest > self._step:
            self._log, self._furthest = self._log.until(self._step), self._step

    @property
    def _changes_made(self) -> Changes:
        """The live changes up to the last reported step."""
        return tuple(change for change in self._changes if change[0] <= self._step)

    def branch(self, step: int, changes: dict[str, Any], *, paused: bool, speed: float | None) -> Run:
        """Start a new run with this one's past up to a step, and other live settings from there on.

        Its worker restores the newest checkpoint that is not beyond the step and repeats the updates in between
        without sending frames, so that it is then at exactly that step.

        Raises:
            ExperimentError: for a setting that is not live, or a value out of range.
        """
        check_live(self._experiment, changes, "the same on both branches")
        before = tuple(change for change in self._changes if change[0] < step)
        then = settings_at(self.info.experiment, before)
        all_changes = record_change(before, step, then, then.replace(**changes))
        return self._pool.open_branch(self, step, all_changes, paused=paused, speed=speed)

    def stop(self) -> None:
        """End the run and forget it; its last frame and history stay readable."""
        self._phase = RunPhase.STOPPED
        if self._worker is not None:
            self._worker.close(self.key)

    # Requests.

    def request(self, kind: RequestKind[Any], /, **arguments: Any) -> None:
        """Request a result of this kind, of the network as it is, training or not.

        It takes the place of an older request of this kind, and a worker that replaces a dead one answers it too.
        """
        self._request_count += 1
        request = Request(self._request_count, kind, arguments)
        self._pending[kind].begin(request)
        self._send("request", request)

    def result(self, kind: RequestKind[Result]) -> Result | None:
        """The newest result of this kind; None before the first."""
        result: Result | None = self._pending[kind].result
        return result

    def is_pending(self, kind: RequestKind[Any]) -> bool:
        """True while the newest request of this kind can still be answered, by this worker or its replacement."""
        return self._pending[kind].request is not None and not self.ended

    def problem(self, kind: RequestKind[Any]) -> str:
        """Why the newest request of this kind has no result, in a sentence; empty if nothing is wrong."""
        pending = self._pending[kind]
        return ENDED if pending.request is not None and self.ended else pending.problem

    @property
    def waited(self) -> float:
        """Seconds since the oldest pending request was made, of any kind; 0 if there is none."""
        waiting = [pending.since for kind, pending in self._pending.items() if self.is_pending(kind)]
        return time.monotonic() - min(waiting) if waiting else 0.0

    @property
    def ended(self) -> bool:
        """True once it has failed or was stopped."""
        return self._phase in (RunPhase.FAILED, RunPhase.STOPPED)

    # For the pool and the worker process that it is given to.

    def bring(self, step: int, checkpoint: bytes) -> None:
        """Go on from a checkpoint that was made elsewhere, at this step."""
        self._log.add_checkpoint(step, checkpoint)
        self._step = step

    def inherit(self, parent: Run, step: int) -> None:
        """Take over the past of another run of the same experiment, up to a step."""
        self.branched_at = step
        self._log = parent._log.until(step)
        self._frame, self._step = self.frame_at(step), step

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """Somebody's own data, if it trains on such: the worker that takes it on needs them."""
        dataset = dataset_of(self.info.experiment)
        return () if dataset is None else (dataset,)

    def attach(self, worker: WorkerHandle) -> None:
        """From now on this worker computes the run."""
        self._worker = worker

    def restart_orders(self) -> list[Open | Order]:
        """All messages that a worker needs to take this run on, pending requests included."""
        opening = Open(
            key=self.key, settings=self.info.experiment.to_dict(), paused=self._paused, speed=self._speed,
            checkpoint=self._log.newest_checkpoint(), changes=self._changes, until=self._until,
            data=next((dataset.key for dataset in self.datasets), ""), weights=self.weights,
        )  # fmt: skip
        requests = [pending.request for pending in self._pending.values()]
        return [opening, *(Order(self.key, "request", request) for request in requests if request is not None)]

    def receive(self, message: Report | CheckpointSaved | RequestDone) -> None:
        """Process a message from the worker."""
        if isinstance(message, RequestDone):
            self._pending[message.kind].receive(message)
            self.listeners.tell()
        elif isinstance(message, CheckpointSaved):
            self._log.add_checkpoint(message.step, message.checkpoint)
        elif self._phase != RunPhase.STOPPED:
            self._receive_report(message)
            self.listeners.tell()

    def _receive_report(self, report: Report) -> None:
        self._log.add(report)
        if report.frame is not None:
            self._frame, self._requested = report.frame, None
        self._phase, self._step, self._message = report.phase, report.step, report.message
        self._rate, self._share, self._solved_at = report.steps_per_second, report.share, report.solved_at
        self._furthest = max(self._furthest, report.step)
        self._merge_changes(report.changes)
        if report.phase == RunPhase.FINISHED:
            self._paused = True

    def _merge_changes(self, made: Changes) -> None:
        """Take over the steps at which the worker made changes. Planned changes, and those it has not received, follow.

        A change that it has not received is noted at the reported step: the updates up to there were made without it.
        """
        planned = tuple(change for change in self._changes if change[0] > self._step)
        if planned:
            self._changes = made + planned
        else:
            self._changes = record_change(made, self._step, settings_at(self.info.experiment, made), self._experiment)

    def worker_lost(self) -> None:
        """Its worker process died; a replacement is going to take the run on."""
        self._phase, self._requested = RunPhase.STARTING, frozenset()
        self._worker_message = "Its worker process died and was replaced; training went on from " + (
            "the last checkpoint." if self._log.checkpoints.all() else "the start."
        )
        self.listeners.tell()

    def blame(self) -> str:
        """Its worker process died while it worked on this run. Returns why it is not started again; empty if it is."""
        within_a_report = self._step + self._rate * REPORT_EVERY
        return KILLED_TWICE.format(step=self._step) if self._crashes.happened(self._step, within_a_report) else ""

    def fail(self, reason: str) -> None:
        """End the run with a sentence that says why."""
        self._phase, self._message = RunPhase.FAILED, reason
        self.listeners.tell()

    def _send(self, what: str, value: Any = None) -> None:
        if self._worker is not None:
            self._worker.send(Order(self.key, what, value))
