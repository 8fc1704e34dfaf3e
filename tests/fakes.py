"""Runs and pools without workers, for the tests of the hub, of races and of pages."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from functools import cache
from typing import Any

import numpy as np

from app.compare.plan import RaceSetup
from engine.experiment import Changes, Experiment, record_change, settings_at
from engine.frame import Frame, RunInfo, RunPhase, RunStatus
from engine.frame.readings import ON_DEMAND_READINGS
from engine.recording import Recording
from engine.recording.history import History, Waterfall
from engine.training import Trainer
from engine.workers import Listeners
from engine.workers.protocol import RequestKind

SMALL = Experiment(hidden_size=4, seq_len=6, batch_size=4)


class FakeRun:
    """What a run promises to the hub, without a worker: remembers what it was told."""

    def __init__(
        self, experiment: Experiment, *, paused: bool, speed: float | None, changes: Changes = (), until: int = 0
    ) -> None:
        self.info, self.changes = RunInfo.of(experiment), changes
        self.experiment = settings_at(experiment, changes)
        self.opened = {"paused": paused, "speed": speed} | ({"until": until} if until else {})
        self.branched_at: int | None = None
        self.listeners = Listeners()
        self.frames: tuple[Frame, ...] = ()
        self.calls: list[tuple[str, Any]] = []
        self.curve, self.frame, self.waterfall = History(), None, Waterfall()
        self.requested: frozenset[str] = frozenset()
        self.phase, self.message = RunPhase.PAUSED if paused else RunPhase.RUNNING, ""
        self.solved_at: int | None = None
        self.pending: set[RequestKind[Any]] = set()
        self.results: dict[RequestKind[Any], Any] = {}
        self.problems: dict[RequestKind[Any], str] = {}

    def latest(self, requested: Collection[str] = ()) -> Frame | None:
        self.requested = frozenset(requested)
        return self.frame

    @property
    def newest(self) -> Frame | None:
        return self.frame

    @property
    def ended(self) -> bool:
        return self.phase in (RunPhase.FAILED, RunPhase.STOPPED)

    def status(self) -> RunStatus:
        return RunStatus(self.phase, 0 if self.frame is None else self.frame.step, 0.0, 1.0, self.message,
                         self.solved_at)  # fmt: skip

    def pause(self) -> None:
        self.calls.append(("pause", None))
        if self.phase == RunPhase.RUNNING:
            self.phase = RunPhase.PAUSED

    def resume(self) -> None:
        self.calls.append(("resume", None))
        self.phase = RunPhase.RUNNING

    def advance(self, steps: int = 1) -> None:
        self.calls.append(("advance", steps))

    def update(self, **changes: Any) -> None:
        self.calls.append(("update", changes))
        changed = self.experiment.replace(**changes)
        self.changes = record_change(self.changes, self.status().step, self.experiment, changed)
        self.experiment = changed

    def info_at(self, step: int) -> RunInfo:
        return dataclasses.replace(self.info, experiment=settings_at(self.info.experiment, self.changes, step))

    def frame_at(self, step: int) -> Frame | None:
        return next((frame for frame in reversed(self.frames) if frame.step <= step), None)

    def branch(self, step: int, changes: dict[str, Any], *, paused: bool, speed: float | None) -> FakeRun:
        self.calls.append(("branch", (step, changes)))
        other = FakeRun(self.info.experiment, paused=paused, speed=speed, changes=((step, changes),))
        other.branched_at = step
        return other

    def speed(self, per_second: float | None) -> None:
        self.calls.append(("speed", per_second))

    def request(self, kind: RequestKind[Any], /, **arguments: Any) -> None:
        self.calls.append((kind.name, arguments))
        self.pending.add(kind)

    def result(self, kind: RequestKind[Any]) -> Any:
        return self.results.get(kind)

    def is_pending(self, kind: RequestKind[Any]) -> bool:
        return kind in self.pending

    def problem(self, kind: RequestKind[Any]) -> str:
        return self.problems.get(kind, "")

    def finish(self, kind: RequestKind[Any], result: Any = None, problem: str = "") -> None:
        """What a worker would send: a result, or a sentence that says why there is none."""
        self.pending.discard(kind)
        self.problems[kind] = problem
        if result is not None:
            self.results[kind] = result

    def stop(self) -> None:
        self.calls.append(("stop", None))
        self.phase = RunPhase.STOPPED


class FakePool:
    """Hands out fake runs and remembers them."""

    def __init__(self) -> None:
        self.runs: list[FakeRun] = []
        self.weights: list[bytes] = []

    def submit(
        self, experiment: Experiment, *, paused: bool = False, speed: float | None = None, changes: Changes = (),
        until: int = 0, checkpoint: bytes = b"", weights: bytes = b"",
    ) -> FakeRun:  # fmt: skip
        self.runs.append(FakeRun(experiment, paused=paused, speed=speed, changes=changes, until=until))
        self.weights.append(weights)
        return self.runs[-1]


@cache
def untrained_frame() -> Frame:
    """The frame of an untrained network."""
    return Trainer(SMALL).frame()


def at_step(step: int) -> Frame:
    return dataclasses.replace(untrained_frame(), step=step)


# ---- the lanes of a race


@cache
def first_frame(experiment: Experiment) -> Frame:
    return Trainer(experiment).frame()


class FakeLaneRun:
    """What a run promises to a race: it makes updates when `work` is called, and frames when one was asked for."""

    def __init__(self, experiment: Experiment) -> None:
        self.info, self.experiment = RunInfo.of(experiment), experiment
        self.listeners = Listeners()
        self.curve, self.waterfall = History(), Waterfall()
        self.frames: tuple[Frame, ...] = ()
        self.step, self.ordered, self.looks, self.stopped = 0, 0, 0, False
        self.phase, self.message, self.breaks_at = RunPhase.STARTING, "", 10**9

    def status(self) -> RunStatus:
        return RunStatus(self.phase, self.step, 0.0, 1.0, self.message, None)

    def advance(self, steps: int) -> None:
        assert self.frames, "an order before the first frame is lost"
        self.ordered += steps

    def latest(self, requested: Collection[str] = ()) -> Frame | None:
        self.looks += 1
        return self.frames[-1] if self.frames else None

    def stop(self) -> None:
        self.stopped = True

    def work(self, updates: int = 10**9) -> None:
        """Make some of the ordered updates, then take the frame that was asked for."""
        if self.phase == RunPhase.STARTING:
            self.phase, self.frames = RunPhase.PAUSED, (first_frame(self.experiment),)
        while self.ordered and updates and self.step < self.breaks_at:
            self.step, self.ordered, updates = self.step + 1, self.ordered - 1, updates - 1
            self.phase = RunPhase.FINISHED if self.step >= self.experiment.steps else RunPhase.PAUSED
        if self.ordered and self.step >= self.breaks_at:
            self.phase, self.ordered = RunPhase.REFUSED, 0
            self.message = "Update 4 was not made: the loss is no longer finite."
        if self.looks and not self.ordered:
            self.looks = 0
            self.frames = (*self.frames, dataclasses.replace(self.frames[-1], step=self.step))


class FakeLanePool:
    """Hands out the fake runs of a race and remembers them."""

    def __init__(self) -> None:
        self.runs: list[FakeLaneRun] = []

    def submit(self, experiment: Experiment, *, paused: bool) -> FakeLaneRun:
        assert paused
        self.runs.append(FakeLaneRun(experiment))
        return self.runs[-1]


SMALL_LANE = Experiment(task="adding", cell="rnn", hidden_size=3, seq_len=6, batch_size=2, steps=40)


def race_setup(*cells: str, **changes: Any) -> RaceSetup:
    """A race of small networks that differ in their cells."""
    lanes = tuple(SMALL_LANE.replace(cell=cell, **changes) for cell in cells or ("rnn", "gru", "lstm"))
    return RaceSetup("when-what", lanes)


# ---- a run to take away

TOKEN = "a-token"


class Exported:
    """A trained run, as far as exports look at it, and its place."""

    def __init__(self, **settings: Any) -> None:
        self.trainer = Trainer(Experiment(**{"hidden_size": 4, "seq_len": 6, "batch_size": 4, **settings}))
        self.info, self.curve, self.frames = self.trainer.info, History(), []
        self.token, self.run, self.asked = TOKEN, self, []
        self.answers, self.weights = True, None
        for requested in ((), ON_DEMAND_READINGS, ()):
            self.look(requested)
            self.trainer.advance()
            self.curve.add_update(
                self.trainer.step, self.trainer.loss, self.trainer.param_grad_norm, self.trainer.clipped
            )
        self.trainer.update(learning_rate=0.02)
        self.look()

    def look(self, requested: Any = ()) -> None:
        frame = self.trainer.frame(requested)
        self.frames.append(frame)
        self.curve.add_frame(
            frame.step, frame.loss, frame.probe_loss, frame.metric, frame.param_grad_norm, frame.clipped
        )

    @property
    def changes(self) -> Any:
        return self.trainer.changes

    @property
    def history(self) -> np.ndarray:
        return self.curve.table()

    def latest(self) -> Any:
        return self.frames[-1] if self.frames else None

    def status(self) -> Any:
        return self.trainer

    def recording(self) -> Recording:
        experiment, curve = self.info.experiment, self.curve
        return Recording(experiment, self.changes, tuple(self.frames), curve.updates(), curve.looks())

    def request(self, kind: RequestKind[Any]) -> None:
        self.asked.append(kind)

    def is_pending(self, kind: RequestKind[Any]) -> bool:
        return not self.answers

    def problem(self, kind: RequestKind[Any]) -> str:
        return self.answers if isinstance(self.answers, str) else ""

    def result(self, kind: RequestKind[Any]) -> bytes:
        return self.trainer.weights()
