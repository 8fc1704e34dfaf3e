"""The pool, and which tab owns which run. One per process: the server's routes and the pages import the same module."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.slot_registry import SlotRegistry, TabSlot
from engine.experiment import LIVE_SETTINGS, Changes, Experiment, settings_at
from engine.frame import Frame, RunInfo, RunPhase
from engine.preset import SPEEDS
from engine.recording.history import History
from engine.workers import Pool, Run


@dataclass(frozen=True, eq=False)
class Ghost:
    """The run before this one, as it was when it ended; drawn in grey.

    Where this one branched off from it: at which step. It is then this run's other future.
    """

    info: RunInfo
    frame: Frame
    curve: History
    branched_at: int | None = None


@dataclass(frozen=True)
class Start:
    """How a run is to begin: with which settings, live changes at which steps, and whether it waits there.

    One that is to be opened at a later step trains there first, as fast as it goes.
    """

    experiment: Experiment
    changes: Changes = ()
    until: int = 0
    paused: bool = False


class RunSlot(TabSlot):
    """The run of one tab, and the one before it.

    Every run has a token of its own, which is all that the live route asks for: a frame never meets another run's
    template.
    """

    def __init__(self, pool: Pool, owner: str, start: Start, *, speed: str) -> None:
        super().__init__(owner)
        self._pool, self.speed = pool, speed
        self.suspended = False
        self.ghost: Ghost | None = None
        self._open(start)

    def _open(self, start: Start) -> None:
        self.paused = start.paused
        self.run: Run = self._pool.submit(
            start.experiment, paused=start.paused, speed=SPEEDS[self.speed], changes=start.changes, until=start.until
        )
        self._token = secrets.token_urlsafe(16)

    @property
    def token(self) -> str:
        """Of the present run."""
        return self._token

    @property
    def initial(self) -> Experiment:
        """The settings of the first update."""
        return settings_at(self.run.info.experiment, self.run.changes, 0)

    @property
    def changes(self) -> Changes:
        """What was changed live after the first update, or is going to be."""
        return tuple(change for change in self.run.changes if change[0] > 0)

    @property
    def experiment(self) -> Experiment:
        """The run's settings, with what was changed live, or is going to be."""
        return self.run.experiment

    def apply(self, experiment: Experiment) -> str:
        """Make the run one of this experiment: "same", "updated" in place, or "restarted" as a new run."""
        if experiment == self.experiment:
            return "same"
        live = {name: getattr(experiment, name) for name in LIVE_SETTINGS}
        if self.experiment.replace(**live) == experiment:
            self.run.update(**{name: now for name, now in live.items() if now != getattr(self.experiment, name)})
            return "updated"
        self.restart(Start(experiment, paused=self.paused))
        return "restarted"

    def reset(self) -> None:
        """Back to step 0, the same initial weights, and wait there."""
        self.restart(Start(self.experiment, paused=True))

    def restart(self, start: Start) -> None:
        """A new run; the present one becomes the ghost, if it was trained at all."""
        self._become_ghost()
        self._open(start)

    def branch(self, step: int, changes: dict[str, Any], *, paused: bool) -> None:
        """Back to a step of this run, and on from there with other live settings; what it became is the ghost.

        Raises:
            ExperimentError: for a setting that is not live, or a value out of range; nothing is changed then.
        """
        run = self.run.branch(step, changes, paused=paused, speed=SPEEDS[self.speed])
        self._become_ghost(step)
        self.run, self.paused, self._token = run, paused, secrets.token_urlsafe(16)

    def _become_ghost(self, branched_at: int | None = None) -> None:
        frame = self.run.latest()
        if frame is not None and frame.step > 0:
            self.ghost = Ghost(self.run.info, frame, self.run.curve, branched_at)
        self.run.stop()

    def reopen(self) -> None:
        """Start the same run anew, after it was forgotten."""
        self.suspended = False
        self._open(Start(self.initial, self.changes, paused=self.paused))

    def train(self) -> None:
        """Train, or train on."""
        self.paused = False
        self.run.resume()

    def pause(self) -> None:
        """Hold between two updates."""
        self.paused = True
        self.run.pause()

    def step(self) -> None:
        """One update, then hold."""
        if not self.paused:
            self.pause()
        self.run.advance(1)

    def set_speed(self, speed: str) -> None:
        """A name of SPEEDS."""
        if speed != self.speed:
            self.speed = speed
            self.run.speed(SPEEDS[speed])

    def stop(self) -> None:
        """End the run."""
        self.run.stop()

    def suspend(self) -> None:
        """Nobody is there: stop training until somebody comes back."""
        if not self.suspended:
            self.suspended = True
            self.run.pause()

    def wake(self) -> None:
        """Somebody came back."""
        if self.suspended:
            self.suspended = False
            if not self.paused and self.run.status().phase != RunPhase.FINISHED:
                self.run.resume()


Slot = RunSlot  # the name that tests of pages still use


class Hub(SlotRegistry[RunSlot]):
    """All runs of this server, and the one pool that trains them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._pool: Pool | None = None

    def pool(self) -> Pool:
        """The workers, started at the first call: as many as there are cores, at most four, or PLAYGROUND_WORKERS."""
        with self._lock:
            if self._pool is None:
                cores = len(os.sched_getaffinity(0))
                self._pool = Pool(int(os.environ.get("PLAYGROUND_WORKERS", min(4, cores))))
            return self._pool

    def attach(self, owner: str, start: Start, *, speed: str) -> RunSlot:
        """A tab opened: give it the run that this browser left with these very settings and changes, or a new one."""

        def matches(slot: RunSlot) -> bool:
            return not start.until and (slot.initial, slot.changes) == (start.experiment, start.changes)

        return self.find_or_create(owner, matches, lambda: RunSlot(self.pool(), owner, start, speed=speed))

    def running(self) -> int:
        """How many runs are training now."""
        with self._lock:
            return sum(slot.run.status().phase == RunPhase.RUNNING for slot in self._slots)

    def shutdown(self) -> None:
        """End the workers."""
        if self._pool is not None:
            self._pool.shutdown()


HUB = Hub()
