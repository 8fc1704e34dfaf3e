"""A race: two or three runs that go forward in lockstep, and who has which race.

Every lane is a paused run of the one pool. A round orders the same number of updates of all; the next begins when the
slowest has made them. What is drawn together is looked at between two rounds, so it is of the same step. Nothing here
waits: `Race.tick` is called again and again by the socket of whoever looks, so a closed tab stops its race.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from app.compare import text as compare_text
from app.compare.plan import LETTERS, RaceSetup
from app.figures.base import Curves
from app.figures.compare.catalogue import LaneSnapshot
from engine.frame import Frame, RunPhase, RunStatus
from engine.preset import SPEEDS
from engine.workers import Pool, Run

ROUND = 0.3  # seconds that a round is to take; workers look at most five times a second, so shorter ones would wait
AT_ONCE = 2  # lanes that train at the same time, on a machine of two cores
MAX_UPDATES = 500  # of a round


class Lane:
    """One run of a race, and whether it still races."""

    def __init__(self, letter: str, name: str, run: Run) -> None:
        self.letter, self.name, self.run = letter, name, run
        self._lost = False  # its worker died while it was to train, and what was ordered with it
        self._message_before = ""
        self._ready = False

    @property
    def step(self) -> int:
        """Updates made."""
        return self.run.status().step

    @property
    def ready(self) -> bool:
        """Its first frame has come, so that orders count; or it never will."""
        self._ready = self._ready or self._newest() is not None or self.run.status().phase == RunPhase.FAILED
        return self._ready

    def state(self, step: int, until: int) -> str:
        """As `LaneSnapshot` has it, in a race that is to reach `step` now and `until` in the end."""
        status = self.run.status()
        if status.phase == RunPhase.FAILED or self._broke(status, step):
            return "broken"
        if status.phase == RunPhase.FINISHED and (status.step < step or status.step >= until or self._early(status)):
            return "finished"
        return "racing"

    def _broke(self, status: RunStatus, step: int) -> bool:
        """It holds before `step`, and says why; what was said of a worker that was replaced does not count."""
        holds = status.phase == RunPhase.PAUSED and status.step < step and not self._lost
        return holds and status.message not in ("", self._message_before)

    def _early(self, status: RunStatus) -> bool:
        """It reached a target before all its steps were made."""
        return status.step < self.run.experiment.steps

    def arrived(self, step: int) -> bool:
        """True when it has made these updates. Where its worker died with the order, it is given again."""
        status = self.run.status()
        if status.phase == RunPhase.STARTING:
            self._lost = True
        elif self._lost:
            self._lost, self._message_before = False, status.message
            self.run.advance(step - status.step)
        return status.step >= step

    def look(self) -> bool:
        """True when there is a frame of its present step; it is asked for where there is none."""
        frame = self._newest()
        if frame is not None and frame.step == self.step:
            return True
        self.run.latest()
        return self.run.status().phase == RunPhase.FAILED

    def snapshot(self, state: str) -> LaneSnapshot:
        """The lane at its newest frame."""
        frame, curve = self._newest(), self.run.curve
        assert frame is not None
        updates, looks = curve.updates(), curve.looks()
        status = self.run.status()
        return LaneSnapshot(
            letter=self.letter,
            name=self.name,
            info=self.run.info,
            frame=frame,
            curves=Curves(updates[updates["step"] <= frame.step], looks, self.run.waterfall.table()),
            solved_at=status.solved_at,
            state=state,
            message=status.message,
        )

    def _newest(self) -> Frame | None:
        """The newest frame that there is; nothing is asked for."""
        frames = self.run.frames
        return frames[-1] if frames else None


class Race:
    """All lanes of a setup at the same step counter. All methods return at once.

    `picture` is how all stood when they were last looked at; None before the first look.
    """

    def __init__(
        self, pool: Pool, setup: RaceSetup, *, paused: bool = True, clock: Callable[[], float] = time.monotonic
    ):
        self.setup, self.paused, self.speed, self._clock = setup, paused, setup.speed, clock
        self.token = secrets.token_urlsafe(16)
        self.step = 0  # that all are to reach now
        self.until = setup.shared.steps
        self.picture: tuple[LaneSnapshot, ...] | None = None
        self.rate = 0.0  # updates a second of each lane
        self.stopped = False
        self._chunk, self._singles = 1, 0
        self._before: tuple[float, int] | None = None  # when the round before was ordered, and its updates
        self._due = 0.0  # when the next may be
        names = compare_text.names(setup.lanes, setup.usual)
        self.lanes = tuple(
            Lane(letter, name, pool.submit(lane, paused=True))
            for letter, name, lane in zip(LETTERS, names, setup.lanes, strict=False)
        )

    def train(self) -> None:
        """Go on; a race that has come to its end gets as many updates again."""
        self._extend(self.setup.shared.steps)
        self.paused = False

    def pause(self) -> None:
        """Hold after this round."""
        self.paused, self._singles = True, 0
        self.rate, self._before = 0.0, None

    def once(self) -> None:
        """One update of every lane, then hold."""
        self._extend(1)
        self.paused, self._singles = True, self._singles + 1

    def _extend(self, steps: int) -> None:
        if self.step >= self.until:
            self.until = self.step + steps

    def stop(self) -> None:
        """End all runs."""
        self.stopped = True
        for lane in self.lanes:
            lane.run.stop()

    @property
    def rests(self) -> bool:
        """It was paused, the round that was under way is over, and the picture shows its end."""
        shown = self.picture or ()
        return self.paused and all(lane.state != "racing" or lane.frame.step == self.step for lane in shown)

    @property
    def problem(self) -> str:
        """Why the race cannot begin, in a sentence; empty where nothing is wrong."""
        ended = [(lane, lane.run.status()) for lane in self.lanes if self.picture is None]
        return " ".join(f"{lane.letter}: {status.message}" for lane, status in ended if status.phase == RunPhase.FAILED)

    def tick(self, *, looking: bool) -> None:
        """Go as far as is possible without waiting: end a round, look, begin the next.

        Args:
            looking: somebody waits for a picture, so all are looked at after this round.
        """
        if self.stopped or self.problem or not all(lane.ready for lane in self.lanes):
            return
        states = [lane.state(self.step, self.until) for lane in self.lanes]
        racing = [lane for lane, state in zip(self.lanes, states, strict=True) if state == "racing"]
        if not all([lane.arrived(self.step) for lane in racing]):
            return
        if looking and not self._look(states):
            return
        if not racing:
            self.pause()
        elif self._singles or (not self.paused and self._clock() >= self._due):
            self._go(racing)

    def _look(self, states: list[str]) -> bool:
        """True when the picture shows this moment."""
        seen = self.picture and [(lane.frame.step, lane.state) for lane in self.picture]
        if seen == list(zip((lane.step for lane in self.lanes), states, strict=True)):
            return True
        if not all([lane.look() for lane in self.lanes]):
            return False
        self.picture = tuple(lane.snapshot(state) for lane, state in zip(self.lanes, states, strict=True))
        self._fit()
        return True

    def _fit(self) -> None:
        """The next round is as long as fits, by what updates have cost so far; grown at most twofold at a time.

        The time that a round took does not say it: on a busy machine most of it is waiting for a turn.
        """
        assert self.picture is not None
        costs = [lane.frame.seconds / lane.frame.step for lane in self.picture if lane.frame.step]
        limit = SPEEDS[self.speed]
        fits = ROUND * limit if limit is not None else ROUND * AT_ONCE / max(sum(costs), 1e-6) if costs else 1
        self._chunk = int(min(max(1, fits), 2 * self._chunk, MAX_UPDATES))

    def _go(self, racing: list[Lane]) -> None:
        """Order the same number of updates of all."""
        limit, now = SPEEDS[self.speed], self._clock()
        count = 1 if self._singles else min(self._chunk, max(1, self.until - self.step))
        self._singles = max(0, self._singles - 1)
        if self._before is not None:
            since, made = self._before
            rate = made / max(now - since, 1e-3)
            self.rate = 0.8 * self.rate + 0.2 * rate if self.rate else rate
        self._before = (now, count)
        self._due = now + (0.0 if limit is None else count / limit)
        self.step += count
        for lane in racing:
            lane.run.advance(count)
