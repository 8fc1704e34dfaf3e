"""A race: two or three lanes that train in lockstep, each of one run, or of several that differ in their seeds alone.

Every lane is a paused run of the one pool. In a round every lane is ordered to make the same number of updates; the
next round begins when the slowest lane has made them. Frames are taken between two rounds, so all are of the same step.
Nothing here waits: the open socket of the page calls `Race.tick` whenever a lane has news and when the next round is
due, so a closed tab stops its race.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from app.figures.base import Curves
from app.figures.compare.base import LaneSnapshot, SeedRecord
from engine.experiment import RANGES, Experiment
from engine.frame import Frame, RunPhase, RunStatus
from engine.workers import Listeners, Pool, Run

LETTERS = "ABC"
ROUND_SECONDS = 0.3  # target duration; workers take at most five frames a second, so shorter rounds would wait
PARALLEL_LANES = 2  # lanes that train at the same time, on a machine with two cores
MAX_UPDATES = 500  # per round


class Networks(Protocol):
    """What a race is told: its networks, which train with the same number of steps, and how fast."""

    @property
    def lanes(self) -> tuple[Experiment, ...]:
        """Two or three."""

    @property
    def names(self) -> Sequence[str]:
        """What each lane is called."""

    @property
    def seeds(self) -> int:
        """The runs of each lane: the lane's own network, and those with the seeds that follow its own."""

    @property
    def limit(self) -> float | None:
        """Updates per second of every lane; None for as many as the machine makes."""


class Lane:
    """One run of a race, and whether it still takes part.

    Args:
        others: runs of the same network with other seeds, which are measured and not drawn.
    """

    def __init__(self, letter: str, name: str, run: Run, others: Sequence[Lane] = ()) -> None:
        self.letter, self.name, self.run, self.others = letter, name, run, tuple(others)
        self._order_lost = False  # its worker died during a round, and the order with it
        self._ready = False
        self.requested: set[str] = set()  # readings that somebody's choice on the stage needs

    @property
    def step(self) -> int:
        """Updates made."""
        return self.run.status().step

    @property
    def ready(self) -> bool:
        """True if the run can take orders: its first frame is there, or the run has failed."""
        self._ready = self._ready or self._newest() is not None or self.run.status().phase == RunPhase.FAILED
        return self._ready

    def state(self, step: int, until: int) -> str:
        """The lane's state, as in `LaneSnapshot`.

        Args:
            step: the step that this round is to reach.
            until: the step at which the race ends.
        """
        status = self.run.status()
        if status.phase == RunPhase.FAILED or self._is_broken(status, step):
            return "broken"
        if status.phase == RunPhase.FINISHED and (
            status.step < step or status.step >= until or self._finished_early(status)
        ):
            return "finished"
        return "racing"

    def _is_broken(self, status: RunStatus, step: int) -> bool:
        """True if an update before `step` was refused, and the order for it did not die with its worker."""
        return status.phase == RunPhase.REFUSED and status.step < step and not self._order_lost

    def _finished_early(self, status: RunStatus) -> bool:
        """True if the run reached its goal before its last step."""
        return status.step < self.run.experiment.steps

    def has_reached(self, step: int) -> bool:
        """True if the run has made this many updates. An order that died with its worker is given again."""
        status = self.run.status()
        if status.phase == RunPhase.STARTING:
            self._order_lost = True
        elif self._order_lost:
            self._order_lost = False
            self.run.advance(step - status.step)
        return status.step >= step

    def request_frame(self) -> bool:
        """True if there is a frame of the current step, or the run has failed; else request one."""
        frame = self._newest()
        if frame is not None and frame.step == self.step:
            return True
        self.run.latest(self.requested)
        return self.run.status().phase == RunPhase.FAILED

    def snapshot(self, step: int, until: int) -> LaneSnapshot:
        """The lane at its newest frame; the arguments are those of `state`."""
        state, frame, curve = self.state(step, until), self._newest(), self.run.curve
        assert frame is not None
        updates, looks = curve.updates(), curve.looks()
        status = self.run.status()
        return LaneSnapshot(
            letter=self.letter,
            name=self.name,
            info=self.run.info,
            frame=frame,
            curves=Curves(updates[updates["step"] <= frame.step], looks, self.run.waterfall.table(), curve.held_out()),
            solved_at=status.solved_at,
            state=state,
            message=status.message,
            others=tuple(
                SeedRecord(each.run.curve.held_out(), each.run.status().solved_at, each.state(step, until))
                for each in self.others
            ),
        )

    def _newest(self) -> Frame | None:
        """The newest frame so far, without a request for another."""
        frames = self.run.frames
        return frames[-1] if frames else None


def other_seeds(network: Experiment, count: int) -> list[Experiment]:
    """The same network with the seeds that follow its own; after the last one comes 0."""
    last = int(RANGES["seed"].high)
    return [network.replace(seed=(network.seed + 1 + k) % (last + 1)) for k in range(count)]


class Race:
    """All lanes of a setup at the same step counter. All methods return at once.

    `snapshots` has all lanes at the step of their last frames; None before the first frames. `listeners` are told
    whenever `tick` may find something to do.
    """

    def __init__(
        self, pool: Pool, setup: Networks, *, paused: bool = True, clock: Callable[[], float] = time.monotonic
    ):
        self.setup, self.paused, self._clock = setup, paused, clock
        self.token = secrets.token_urlsafe(16)
        self.step = 0  # that all lanes are to reach in this round
        self.until = setup.lanes[0].steps
        self.snapshots: tuple[LaneSnapshot, ...] | None = None
        self.rate = 0.0  # updates per second of each lane
        self.stopped = False
        self._round_updates, self._singles = 1, 0  # updates per round; single updates still to be made
        self._last_round: tuple[float, int] | None = None  # when the last round was ordered, and its updates
        self._due = 0.0  # the time from which the next round may begin
        self.listeners = Listeners()
        self.lanes = tuple(
            Lane(letter, name, pool.submit(lane, paused=True), [
                Lane(letter, name, pool.submit(other, paused=True)) for other in other_seeds(lane, setup.seeds - 1)
            ])
            for letter, name, lane in zip(LETTERS, setup.names, setup.lanes, strict=False)
        )  # fmt: skip
        self._all = tuple(each for lane in self.lanes for each in (lane, *lane.others))
        for each in self._all:
            each.run.listeners.add(self.listeners.tell)

    def train(self) -> None:
        """Train; a race at its end gets as many updates again."""
        self._extend(self.setup.lanes[0].steps)
        self.paused = False
        self.listeners.tell()

    def pause(self) -> None:
        """Pause after this round."""
        self.paused, self._singles = True, 0
        self.rate, self._last_round = 0.0, None
        self.listeners.tell()

    def once(self) -> None:
        """Make one update of every lane, then pause."""
        self._extend(1)
        self.paused, self._singles = True, self._singles + 1
        self.listeners.tell()

    def _extend(self, steps: int) -> None:
        if self.step >= self.until:
            self.until = self.step + steps

    def stop(self) -> None:
        """End all runs."""
        self.stopped = True
        for each in self._all:
            each.run.stop()
        self.listeners.tell()

    @property
    def is_at_rest(self) -> bool:
        """True if the race is paused, its last round is over, and the snapshots show the end of that round."""
        shown = self.snapshots or ()
        return self.paused and all(lane.state != "racing" or lane.frame.step == self.step for lane in shown)

    @property
    def problem(self) -> str:
        """Why the race cannot begin, in a sentence; empty if nothing is wrong."""
        ended = [(lane, lane.run.status()) for lane in self._all if self.snapshots is None]
        failed = [f"{lane.letter}: {status.message}" for lane, status in ended if status.phase == RunPhase.FAILED]
        return " ".join(dict.fromkeys(failed))

    @property
    def wait(self) -> float:
        """Seconds until the next round may begin; 0 if it may now."""
        return max(0.0, self._due - self._clock())

    def tick(self, *, frames_wanted: bool) -> None:
        """Advance as far as is possible without waiting: end a round, take frames, begin the next round.

        Args:
            frames_wanted: whether the browser waits for new frames, so that they are taken after this round.
        """
        if self.stopped or self.problem or not all(each.ready for each in self._all):
            return
        states = [lane.state(self.step, self.until) for lane in self.lanes]
        racing = [each for each in self._all if each.state(self.step, self.until) == "racing"]
        if not all([lane.has_reached(self.step) for lane in racing]):
            return
        if frames_wanted and not self._take_snapshots(states):
            return
        if not racing:
            self.pause()
        elif self._singles or (not self.paused and self._clock() >= self._due):
            self._start_round(racing)

    def _take_snapshots(self, states: list[str]) -> bool:
        """Update the snapshots; False while a frame is still missing."""
        shown = self.snapshots and [(lane.frame.step, lane.state) for lane in self.snapshots]
        if shown == list(zip((lane.step for lane in self.lanes), states, strict=True)):
            return True
        if not all([each.request_frame() for each in self._all]):
            return False
        self.snapshots = tuple(lane.snapshot(self.step, self.until) for lane in self.lanes)
        self._adjust_round()
        return True

    def _adjust_round(self) -> None:
        """Choose the updates of the next round from the measured cost of an update; at most double them.

        The duration of the last round is no measure: on a busy machine most of it is waiting.
        """
        assert self.snapshots is not None
        costs = [lane.frame.seconds / lane.frame.step for lane in self.snapshots if lane.frame.step]
        limit = self.setup.limit
        if limit is not None:
            updates = ROUND_SECONDS * limit
        else:
            updates = ROUND_SECONDS * PARALLEL_LANES / max(sum(costs) * self.setup.seeds, 1e-6) if costs else 1
        self._round_updates = int(min(max(1, updates), 2 * self._round_updates, MAX_UPDATES))

    def _start_round(self, racing: list[Lane]) -> None:
        """Order the same number of updates from all lanes."""
        limit, now = self.setup.limit, self._clock()
        count = 1 if self._singles else min(self._round_updates, max(1, self.until - self.step))
        self._singles = max(0, self._singles - 1)
        if self._last_round is not None:
            since, made = self._last_round
            rate = made / max(now - since, 1e-3)
            self.rate = 0.8 * self.rate + 0.2 * rate if self.rate else rate
        self._last_round = (now, count)
        self._due = now + (0.0 if limit is None else count / limit)
        self.step += count
        for lane in racing:
            lane.run.advance(count)
