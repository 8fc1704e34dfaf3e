"""The race that each tab owns: a reload finds it again, and races without a tab are forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.race.lanes import Networks, Race
from app.slot_registry import SlotRegistry, TabSlot
from engine.workers import Pool


def _are_same(setup: Networks, other: Networks) -> bool:
    return (setup.lanes, setup.seeds) == (other.lanes, other.seeds)


class RaceSlot(TabSlot):
    """The race of one tab. Other settings make another race, with its own token.

    The page's socket drives a race, so there is nothing to suspend; a forgotten race is renewed by `enter`.
    """

    def __init__(self, pool: Callable[[], Pool], owner: str, setup: Networks) -> None:
        super().__init__(owner)
        self._pool = pool
        self.start_networks(len(setup.lanes) * setup.seeds)
        self.race = Race(pool(), setup)

    @property
    def token(self) -> str:
        """The token of the current race."""
        return self.race.token

    def enter(self, setup: Networks) -> None:
        """Race these networks; a race of the same networks goes on at the given speed."""
        if self.race.stopped or not _are_same(setup, self.race.setup):
            self._renew(setup, paused=self.race.paused)
        self.race.setup = setup

    def reset(self) -> None:
        """Return to step 0 with the same initial weights, and pause."""
        self._renew(self.race.setup, paused=True)

    def stop(self) -> None:
        """End all runs of the race."""
        self.race.stop()

    def _renew(self, setup: Networks, *, paused: bool) -> None:
        self.start_networks(len(setup.lanes) * setup.seeds)
        self.race.stop()
        self.race = Race(self._pool(), setup, paused=paused)


class RaceRegistry(SlotRegistry[RaceSlot]):
    """All races of one page on this server."""

    def __init__(self, pool: Callable[[], Pool], clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._pool = pool

    def attach(self, owner: str, setup: Networks, mine: RaceSlot | None = None) -> RaceSlot:
        """Give a tab its race.

        Args:
            owner: the browser. setup: the networks.
            mine: as of `find_or_create`; without one the tab gets the race that this browser left with the same
                networks, or a new one.
        """
        return self.find_or_create(
            owner, lambda slot: _are_same(slot.race.setup, setup), lambda: RaceSlot(self._pool, owner, setup), mine
        )
