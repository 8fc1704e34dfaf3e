"""The hub: who gets which run, when a run starts anew, and when one that nobody looks at rests. No processes."""

from __future__ import annotations

import dataclasses
import re
from functools import cache
from typing import Any

import numpy as np
import pytest

from app.hub import FORGET_AFTER, SUSPEND_AFTER, Hub, Slot
from engine.experiment import Experiment, ExperimentError
from engine.frame import Frame, RunInfo, RunPhase, RunStatus
from engine.history import History
from engine.preset import SPEEDS
from engine.training import Trainer

SMALL = Experiment(hidden_size=4, seq_len=6, batch_size=4)


class FakeRun:
    """What a run promises to the hub, without a worker: remembers what it was told."""

    def __init__(self, experiment: Experiment, *, paused: bool, speed: float | None) -> None:
        self.info, self.experiment = RunInfo.of(experiment), experiment
        self.opened = {"paused": paused, "speed": speed}
        self.calls: list[tuple[str, Any]] = []
        self.curve, self.frame = History(), None
        self.phase, self.message = RunPhase.PAUSED if paused else RunPhase.RUNNING, ""

    def latest(self) -> Frame | None:
        return self.frame

    def status(self) -> RunStatus:
        return RunStatus(self.phase, 0 if self.frame is None else self.frame.step, 0.0, 1.0, self.message)

    def pause(self) -> None:
        self.calls.append(("pause", None))
        self.phase = RunPhase.PAUSED

    def resume(self) -> None:
        self.calls.append(("resume", None))
        self.phase = RunPhase.RUNNING

    def advance(self, steps: int = 1) -> None:
        self.calls.append(("advance", steps))

    def update(self, **changes: Any) -> None:
        self.calls.append(("update", changes))
        self.experiment = self.experiment.replace(**changes)

    def speed(self, per_second: float | None) -> None:
        self.calls.append(("speed", per_second))

    def stop(self) -> None:
        self.calls.append(("stop", None))
        self.phase = RunPhase.STOPPED


class FakePool:
    """Hands out fake runs and remembers them."""

    def __init__(self) -> None:
        self.runs: list[FakeRun] = []

    def submit(self, experiment: Experiment, *, paused: bool = False, speed: float | None = None) -> FakeRun:
        self.runs.append(FakeRun(experiment, paused=paused, speed=speed))
        return self.runs[-1]


@cache
def seen() -> Frame:
    """A frame of an untrained network."""
    return Trainer(SMALL).frame()
