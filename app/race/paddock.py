"""Who has which race: a tab keeps its own, a reload finds it, and races that nobody looks at are forgotten.

Called by script threads and by the server's loop. Each method is a few operations on lists, each one step of the
interpreter; two that meet can at worst hand one race to two tabs of the same browser.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from app.hub import FORGET_AFTER, HUB
from app.race.lanes import Race
from app.race.plan import Plan
from engine.workers import Pool


class Stall:
    """One tab's place: its present race. Other settings make another race, with a token of its own."""

    def __init__(self, pool: Callable[[], Pool], owner: str, plan: Plan) -> None:
        self._pool, self.owner = pool, owner
        self.tabs = self.viewers = 0  # script sessions, and sockets
        self.idle_since = time.monotonic()
        self.race = Race(pool(), plan)

    def enter(self, plan: Plan) -> None:
        """Race this; a race of the same networks goes on, at this speed."""
        if self.race.stopped or plan.lanes != self.race.plan.lanes:
            self._renew(plan, paused=self.race.paused)
        self.race.plan, self.race.speed = plan, plan.speed

    def reset(self) -> None:
        """Back to step 0, the same initial weights, and wait there."""
        self._renew(self.race.plan, paused=True)

    def _renew(self, plan: Plan, *, paused: bool) -> None:
        self.race.stop()
        self.race = Race(self._pool(), plan, paused=paused)


class Paddock:
    """All races of this server."""

    def __init__(self, pool: Callable[[], Pool], clock: Callable[[], float] = time.monotonic) -> None:
        self._pool, self._clock = pool, clock
        self._stalls: list[Stall] = []

    def attach(self, owner: str, plan: Plan) -> Stall:
        """A tab opened: the race that this browser left with these very networks, or a new one."""
        left = [each for each in self._stalls if owner and each.owner == owner and each.tabs <= 0]
        stall = next((each for each in left if each.race.plan.lanes == plan.lanes), None)
        if stall is None:
            stall = Stall(self._pool, owner, plan)
            self._stalls.append(stall)
        self.hold(stall)
        return stall

    def hold(self, stall: Stall) -> None:
        """A tab looks at this (again)."""
        stall.tabs += 1
        if stall not in self._stalls:  # it was forgotten meanwhile; its tab is still open
            self._stalls.append(stall)

    def release(self, stall: Stall) -> None:
        """A tab has gone, or lost its connection."""
        stall.tabs -= 1
        stall.idle_since = self._clock()

    def find(self, token: str) -> Stall | None:
        """Whose present race has this token."""
        return next(
            (each for each in self._stalls if secrets.compare_digest(each.race.token.encode(), token.encode())), None
        )

    def watch(self, stall: Stall, change: int) -> None:
        """A socket opened (+1) or closed (-1)."""
        stall.viewers += change
        stall.idle_since = self._clock()

    def reap(self) -> None:
        """Stop and forget the races that nobody has looked at for long."""
        for stall in list(self._stalls):
            if stall.tabs <= 0 and stall.viewers <= 0 and self._clock() - stall.idle_since > FORGET_AFTER:
                stall.race.stop()
                self._stalls.remove(stall)


PADDOCK = Paddock(HUB.pool)
