"""What is kept of one run in the server process: curves, frames and checkpoints. No torch."""

from __future__ import annotations

import time

from engine.experiment import Changes
from engine.frame import Frame, RunInfo
from engine.recording import Recording
from engine.recording.history import History, SnapshotStore, Waterfall, size_of
from engine.recording.memory_budget import KEPT
from engine.workers.protocol import Report

MAX_FRAMES, MAX_FRAME_BYTES = 120, 24 * 2**20  # of one run
MAX_CHECKPOINTS, MAX_CHECKPOINT_BYTES = 64, 32 * 2**20


class RunLog:
    """The past of a run, each part thinned to stay within its limits, and those of all runs together within one.

    The first and the newest entry always stay.

    Args:
        info: the run's experiment and what follows from it.
    """

    def __init__(self, info: RunInfo) -> None:
        self.info = info
        self.history, self.waterfall = History(), Waterfall()
        self.frames: SnapshotStore[Frame] = SnapshotStore(MAX_FRAMES, MAX_FRAME_BYTES, size_of)
        self.checkpoints: SnapshotStore[bytes] = SnapshotStore(MAX_CHECKPOINTS, MAX_CHECKPOINT_BYTES, len)
        self.grown = time.monotonic()
        KEPT.enter(self)

    @property
    def size(self) -> int:
        """Bytes of all frames and checkpoints."""
        return self.frames.bytes + self.checkpoints.bytes

    def thin(self) -> bool:
        """Drop every second frame or checkpoint, of which there are more bytes; False if no more can be dropped."""
        if self.frames.bytes > self.checkpoints.bytes:
            return self.frames.thin() or self.checkpoints.thin()
        return self.checkpoints.thin() or self.frames.thin()

    def add(self, report: Report) -> None:
        """Keep the updates and the frame of a report."""
        for update in report.updates:
            self.history.add_update(*update)
        if report.frame is not None:
            self.add_frame(report.frame)

    def add_frame(self, frame: Frame) -> None:
        """Keep a frame."""
        self.history.add_frame(frame.step, frame.loss, frame.probe_loss, frame.metric, frame.param_grad_norm,
                              frame.clipped)  # fmt: skip
        self.history.add_held_out(frame.held_out_step, frame.held_out_loss)
        self.frames.add(frame.step, frame)
        self.waterfall.add_frame(self.info, frame)
        self._settle()

    def add_checkpoint(self, step: int, checkpoint: bytes) -> None:
        """Keep a checkpoint of this step."""
        self.checkpoints.add(step, checkpoint)
        self._settle()

    def _settle(self) -> None:
        self.grown = time.monotonic()
        KEPT.settle()

    def all_frames(self) -> tuple[Frame, ...]:
        """The kept frames, steps rising."""
        return tuple(frame for _, frame in self.frames.all())

    def frame_at(self, step: int) -> Frame | None:
        """The newest kept frame that is not beyond this step; None if there is none."""
        entry = self.frames.at(step)
        return None if entry is None else entry[1]

    def newest_checkpoint(self) -> bytes | None:
        """The checkpoint from which another worker goes on; None if there is none."""
        checkpoints = self.checkpoints.all()
        return checkpoints[-1][1] if checkpoints else None

    def until(self, step: int) -> RunLog:
        """A log of its own with what is kept up to this step."""
        past = RunLog(self.info)
        past.history, past.waterfall = self.history.until(step), self.waterfall.until(step)
        past.frames, past.checkpoints = self.frames.until(step), self.checkpoints.until(step)
        past._settle()
        return past

    def recording(self, changes: Changes) -> Recording:
        """Everything kept, with the live changes made so far, as a value that can be saved."""
        return Recording(self.info.experiment, changes, self.all_frames(), self.history.updates(), self.history.looks())
