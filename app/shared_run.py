"""One run for all tabs that have opened the same link and touched nothing since.

It is trained and looked into once, and its frames are packed once. Whoever touches anything goes on in a run of their
own, from the present step. A tab that is alone has its run for itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from engine.workers import Run

JOIN_WITHIN = 20.0
"""Seconds after which nobody joins a run that trains: whoever comes later would miss how it began."""

Member = TypeVar("Member")


class SharedRun(Generic[Member]):
    """A run and those who look at it. Any script thread calls it.

    Args:
        run: the run. opened_as: how it was started; only who would start the same may join. None: nobody joins.
        first: who has started it.
    """

    def __init__(self, run: Run, opened_as: object, first: Member, clock: Callable[[], float] = time.monotonic) -> None:
        self.run, self._opened_as, self._clock = run, opened_as, clock
        self._members, self._opened, self._lock = [first], clock(), threading.Lock()

    @property
    def members(self) -> tuple[Member, ...]:
        """All who look at it."""
        return tuple(self._members)

    def join(self, opened_as: object, who: Member) -> bool:
        """Let somebody who would start the same run look at this one; False if it is too late for that."""
        with self._lock:
            status = self.run.status()
            is_early = status.step == 0 or self._clock() - self._opened < JOIN_WITHIN
            if self._opened_as is None or self._opened_as != opened_as or self.run.ended or not is_early:
                return False
            self._members.append(who)
            return True

    def leave(self, who: Member) -> bool:
        """Look at it no longer. False for the last one, who has it alone: from now on nobody joins."""
        with self._lock:
            others = [member for member in self._members if member is not who]
            if others:
                self._members = others
            else:
                self._opened_as = None
            return bool(others)
