"""The map that each tab owns: a reload finds it again, and maps without a tab are forgotten."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from app.hub import HUB
from app.map.kept import kept_as, results_of
from app.map.lines import applies, lines_of
from app.map.plan import MapPlan
from app.map.results import Results
from app.slot_registry import SlotRegistry, TabSlot
from engine.workers import Listeners, Pool, SweepRun


class Map:
    """A map: measured beforehand, or while its networks train and after that, or not begun.

    Args:
        pool: gives the workers.
        train: train the networks from their start.

    Attributes:
        results: what was measured.
        run: the training, if there is one.
        lines: theory's lines, where a gain is on an axis.
        kept: the map measured beforehand that it is; None while and after its networks train here.
    """

    def __init__(self, plan: MapPlan, pool: Callable[[], Pool], *, train: bool = False) -> None:
        self.plan, self.listeners = plan, Listeners()
        self.token = secrets.token_urlsafe(16)
        self.kept = None if train else kept_as(plan)
        self.results = results_of(self.kept.slug) if self.kept else Results(plan)
        self.run: SweepRun | None = None
        self._taken = 0
        if train:
            self.results.prepare()
            self.run = pool().sweep(plan.experiments, plan.updates, plan.measure_every)
            self.run.listeners.add(self.listeners.tell)
        shows = self.run is not None or self.kept is not None
        self.lines = lines_of(plan, pool()) if shows and applies(plan) else None

    @property
    def colour(self) -> str:
        """The number that is shown at first."""
        if self.kept is not None:
            return self.kept.colour
        return "solved" if self.plan.y is None else "loss"

    def update(self) -> None:
        """Take what has been measured since this was last called."""
        if self.run is not None:
            news = self.run.measurements[self._taken :]
            self._taken += len(news)
            self.results.add(news)

    def stop(self) -> None:
        """End the training."""
        if self.run is not None:
            self.run.stop()


class MapSlot(TabSlot):
    """The map of one tab. Its networks train only while a socket is open, so there is nothing to suspend."""

    def __init__(self, pool: Callable[[], Pool], owner: str, plan: MapPlan) -> None:
        super().__init__(owner)
        self._pool = pool
        self.map = Map(plan, pool)

    @property
    def token(self) -> str:
        """The token of the current map."""
        return self.map.token

    def enter(self, plan: MapPlan) -> None:
        """Show a map of this plan: the current one, or one that has not begun."""
        if plan != self.map.plan:
            self.map.stop()
            self.map = Map(plan, self._pool)

    def begin(self) -> None:
        """Train the networks from the start. Side by side they count as one that is started."""
        self.start_networks()
        self.map.stop()
        self.map = Map(self.map.plan, self._pool, train=True)

    def reopen(self) -> None:
        """Its networks were forgotten, but its tab is still open: they have to be trained again."""
        self.map = Map(self.map.plan, self._pool)

    def stop(self) -> None:
        """End the training: the slot is being forgotten."""
        self.map.stop()


class MapRegistry(SlotRegistry[MapSlot]):
    """All maps of this server."""

    def __init__(self, pool: Callable[[], Pool], clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._pool = pool

    def attach(self, owner: str, plan: MapPlan, mine: MapSlot | None = None) -> MapSlot:
        """Give a tab its map.

        Args:
            owner: the browser. plan: the map.
            mine: as of `find_or_create`; without one the tab gets the map that this browser left with the same plan, or
                a new one.
        """
        return self.find_or_create(
            owner, lambda slot: slot.map.plan == plan, lambda: MapSlot(self._pool, owner, plan), mine
        )


MAPS = MapRegistry(HUB.pool)
"""The maps of the page "Map"."""
