"""The worker pool, and the run that each tab owns. One per process, shared by the server's routes and the pages."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from app.figures.theme import PAST_RUNS
from app.ghost import Ghost
from app.past_runs import KeptRun, PastRuns
from app.run_start import Start
from app.shared_run import SharedRun
from app.slot_registry import SlotRegistry, TabSlot
from engine.experiment import Changes, Experiment, settings_at
from engine.frame import Frame, RunPhase
from engine.limits.settings_file import pass_on
from engine.live_settings import live_settings
from engine.parameters import parameter_shapes
from engine.preset import SPEEDS
from engine.recording.history import ratios
from engine.workers import Listeners, Pool
from engine.workers.cluster import cluster_pool

MOST_BESIDE = len(PAST_RUNS)
"""So many past runs can be drawn beside the present one."""


class RunSlot(TabSlot):
    """The current run of one tab, the previous one as its ghost, and the past runs of this browser.

    Every run has its own token, by which the live route finds it: a frame is never drawn into another run's template.
    `listeners` are told what the listeners of its run are told, and when it has another run. `page_waits_for` says of
    a new frame which part of the page must be drawn again to show what the run has come to, "" for none; None if the
    page waits for nothing. `wants_own_run` is set by a socket whose browser asks for more than frames.
    """

    def __init__(
        self, pool: Pool, owner: str, start: Start, *, speed: str, past: PastRuns | None = None,
        beside: Sequence[RunSlot] = (),
    ) -> None:  # fmt: skip
        """Open a run, or look at the untouched one of another slot that was started in the same way just now."""
        super().__init__(owner)
        self.past = past or PastRuns()
        self._beside: dict[int, str] = {}  # by place, which is its colour and dash: the id of a past run
        self._pool, self.speed = pool, speed
        self.listeners = Listeners()
        self.page_waits_for: Callable[[Frame], str] | None = None
        self.suspended = self.wants_own_run = False
        self.ghost: Ghost | None = None
        opened_as = (start, speed) if start.can_be_shared else None
        joined = next((slot.shared for slot in beside if slot.shared.join(opened_as, self)), None)
        if joined is None:
            self.start_networks()
            self._open(start, opened_as)
        else:
            self.paused, self.weights = start.paused, None
            self._take(joined)

    def _open(self, start: Start, opened_as: object = None) -> None:
        self.paused, self.weights = start.paused, start.weights
        run = self._pool.submit(
            start.experiment, paused=start.paused, speed=SPEEDS[self.speed], changes=start.changes,
            until=start.until, checkpoint=start.checkpoint,
            weights=b"" if start.weights is None else start.weights.packed,
        )  # fmt: skip
        self._take(SharedRun(run, opened_as, self))

    def _take(self, shared: SharedRun[RunSlot]) -> None:
        """Make this the run of the slot, under a new token."""
        self.shared, self.run, self._token = shared, shared.run, secrets.token_urlsafe(16)
        self.run.listeners.add(self.listeners.tell)
        self.listeners.tell()  # only now: whoever streams the run before sees that it has been replaced

    @property
    def is_shared(self) -> bool:
        """True if others look at the same run."""
        return len(self.shared.members) > 1

    def own(self, changes: Mapping[str, Any] = MappingProxyType({})) -> bool:
        """Go on in a run of this tab alone, from the present step, with the slot's speed and paused or not.

        What a run is told at once does not wait until a branch has come to its step, so it is an argument here.

        Args:
            changes: live settings and their new values.

        Returns:
            False, with nothing changed, if it was alone before.
        """
        self.wants_own_run = False
        before = self.run
        if not self.shared.leave(self):
            return False
        before.listeners.remove(self.listeners.tell)
        run = before.branch(before.status().step, dict(changes), paused=self.paused, speed=SPEEDS[self.speed])
        run.branched_at = None  # nothing has changed there
        self._take(SharedRun(run, None, self))
        return True

    @property
    def outdated_part(self) -> str:
        """The part of the page that the newest frame makes out of date under the present settings; "" for none."""
        newest, part = self.run.newest, self.page_waits_for
        return part(newest) if newest is not None and part is not None else ""

    @property
    def token(self) -> str:
        """The token of the current run."""
        return self._token

    @property
    def initial(self) -> Experiment:
        """The settings of the first update."""
        return settings_at(self.run.info.experiment, self.run.changes, 0)

    @property
    def changes(self) -> Changes:
        """The live changes after the first update, made or planned."""
        return tuple(change for change in self.run.changes if change[0] > 0)

    def started_as(self, start: Start) -> bool:
        """True if the present run has begun with these settings and changes."""
        return (self.initial, self.changes) == (start.experiment, start.changes)

    @property
    def experiment(self) -> Experiment:
        """The run's settings after all live changes, made or planned."""
        return self.run.experiment

    def apply(self, experiment: Experiment) -> str:
        """Make the run one of this experiment.

        Returns:
            "same", "updated" if only live settings changed, or "restarted" for a new run.
        """
        if self.wants_own_run:
            self.own()
        if experiment == self.experiment:
            return "same"
        live = {name: getattr(experiment, name) for name in live_settings(self.experiment)}
        if self.experiment.replace(**live) == experiment:
            changes = {name: now for name, now in live.items() if now != getattr(self.experiment, name)}
            if not self.own(changes):
                self.run.update(**changes)
            return "updated"
        fits = self.weights is not None and parameter_shapes(experiment) == parameter_shapes(self.experiment)
        self.restart(Start(experiment, paused=self.paused, weights=self.weights if fits else None))
        return "restarted"

    def reset(self) -> None:
        """Return to step 0 with the same initial weights, and pause."""
        self.restart(Start(self.experiment, paused=True, weights=self.weights))

    def restart(self, start: Start) -> None:
        """Start a new run; the current one becomes the ghost if it has made an update."""
        self.start_networks()
        self._become_ghost()
        self._open(start)

    def branch(self, step: int, changes: dict[str, Any], *, paused: bool) -> None:
        """Start a new run from a step of this one with other live settings; this one becomes the ghost.

        Args:
            step: training step at which the new run branches off.
            changes: live settings and their new values.
            paused: whether the new run waits at `step`.

        Raises:
            ExperimentError: for a setting that is not live, or a value out of range; nothing is changed then.
        """
        self.start_networks()
        run = self.run.branch(step, changes, paused=paused, speed=SPEEDS[self.speed])
        self._become_ghost(step)
        self.paused = paused
        self._take(SharedRun(run, None, self))

    def _become_ghost(self, branched_at: int | None = None) -> None:
        run, frame, frames = self.run, self.run.latest(), self.run.frames
        curve = run.curve if frame is None or not self.is_shared else run.curve.until(frame.step)  # others train it on
        self.stop()
        if frame is not None and frame.step > 0:
            line = self.past.line_of(run)
            self.ghost = Ghost(run.info, frame, curve, branched_at, ratios(frames), line.id if line else "")

    @property
    def has_ended(self) -> bool:
        """True if the run has stopped by itself; Train goes on with it."""
        return self.run.status().phase in (RunPhase.FINISHED, RunPhase.REFUSED)

    @property
    def beside(self) -> dict[int, KeptRun]:
        """The past runs that are drawn beside the present one, by their place in PAST_RUNS of the theme."""
        found = {place: self.past.find(name) for place, name in sorted(self._beside.items())}
        present = self.past.line_of(self.run)
        return {place: run for place, run in found.items() if run is not None and run is not present}

    def draw_beside(self, run: KeptRun, drawn: bool) -> bool:
        """Draw a past run beside the present one, or no longer.

        Returns:
            False, with nothing changed, if all places are taken.
        """
        places = {place: other.id for place, other in self.beside.items() if other is not run}
        free = [place for place in range(MOST_BESIDE) if place not in places]
        if drawn and not free:
            return False
        self._beside = places | ({free[0]: run.id} if drawn else {})
        return True

    def reopen(self) -> None:
        """Start the same run again after it was forgotten."""
        self.suspended = False
        self._open(Start(self.initial, self.changes, paused=self.paused, weights=self.weights))

    def train(self) -> None:
        """Train, or resume training."""
        self.paused = False
        if not self.own():
            self.run.resume()

    def pause(self) -> None:
        """Pause between two updates."""
        self.paused = True
        if not self.own():
            self.run.pause()

    def step(self, updates: int = 1) -> None:
        """Make one update, or several, then pause."""
        if not self.paused:
            self.pause()
        self.own()
        self.run.advance(updates)

    def set_speed(self, speed: str) -> None:
        """Train at another speed, a name of SPEEDS."""
        if speed != self.speed:
            self.speed = speed
            if not self.own():
                self.run.speed(SPEEDS[speed])

    def stop(self) -> None:
        """End the run; it is one of the past runs then."""
        if not (self.abandoned and self.past.was_forgotten(self.run)):
            self.past.add(self.run)
        if self.shared.leave(self):
            self.run.listeners.remove(self.listeners.tell)
        else:
            self.run.stop()

    def suspend(self) -> None:
        """Stop training until `wake`: no tab is open."""
        if not self.suspended:
            self.suspended = True
            if self._all_suspended:
                self.run.pause()

    def wake(self) -> None:
        """Resume what `suspend` stopped: a tab is open again."""
        if self.suspended:
            was_still, self.suspended = self._all_suspended, False
            if was_still and not self.paused and not self.has_ended:
                self.run.resume()

    @property
    def _all_suspended(self) -> bool:
        return all(slot.suspended for slot in self.shared.members)


class Hub(SlotRegistry[RunSlot]):
    """All runs of this server, and the one pool that trains them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._pool: Pool | None = None

    def pool(self) -> Pool:
        """The workers, started by the first call: one per core, at most four, or as many as PLAYGROUND_WORKERS says.

        With PLAYGROUND_CLUSTER they run on the machines of that Ray cluster, one per CPU: docs/cluster.md.
        """
        with self._lock:
            if self._pool is None:
                self._pool = _start_pool()
            return self._pool

    def attach(self, owner: str, start: Start, *, speed: str) -> RunSlot:
        """Give a new tab the run that this browser left with the same settings and changes, or a new one."""

        def matches(slot: RunSlot) -> bool:
            if start.until or start.weights or slot.weights:  # its settings alone do not say which network it is
                return False
            return (slot.initial, slot.changes) == (start.experiment, start.changes)

        def create() -> RunSlot:
            past = next((slot.past for slot in self._slots if owner and slot.owner == owner), None)
            beside = [slot for slot in self._slots if slot.tabs > 0 and slot.owner != owner]
            return RunSlot(self.pool(), owner, start, speed=speed, past=past, beside=beside)

        return self.find_or_create(owner, matches, create)

    def gather(self, slot: RunSlot) -> None:
        """Bring the past runs of this tab's browser up to date.

        Beside those that were stopped: runs that have ended by themselves and are still on a screen, and runs that were
        left, because their tab was closed or went to another link; they are not stopped before the slot is forgotten.
        """
        with self._lock:  # two tabs may ask at once
            for other in self._slots:
                over = other.past is slot.past and other is not slot and (other.tabs <= 0 or other.has_ended)
                if over and not slot.past.was_forgotten(other.run):
                    slot.past.add(other.run)
            if slot.has_ended or slot.past.line_of(slot.run) is not None:
                slot.past.add(slot.run)

    def running(self) -> int:
        """The number of runs that are training now."""
        with self._lock:
            return sum(run.status().phase == RunPhase.RUNNING for run in {slot.run for slot in self._slots})

    def kept(self) -> int:
        """The number of runs, those included that are paused, over, or left for a while."""
        with self._lock:
            return len({slot.run for slot in self._slots})

    @property
    def started_pool(self) -> Pool | None:
        """The workers, if they were started."""
        return self._pool

    def shutdown(self) -> None:
        """End the workers."""
        if self._pool is not None:
            self._pool.shutdown()


def _start_pool() -> Pool:
    """The pool that the environment asks for."""
    pass_on()
    cluster, workers = os.environ.get("PLAYGROUND_CLUSTER"), os.environ.get("PLAYGROUND_WORKERS")
    if cluster:
        return cluster_pool(cluster, int(workers) if workers else None)
    return Pool(int(workers) if workers else min(4, len(os.sched_getaffinity(0))))


HUB = Hub()
