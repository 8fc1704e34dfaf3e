"""Slots: what every browser tab owns on the server, and how long it is kept after the tab was closed."""

from __future__ import annotations

import os
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from app.allowance import FULL, TOO_MANY_TABS, RefusedError, start_networks
from engine.limits import LIMITS

SUSPEND_AFTER = float(os.environ.get("PLAYGROUND_SUSPEND_AFTER", LIMITS.suspend_after))
"""Seconds after the last tab was closed; after a reload or a short loss of connection the run is still training."""
FORGET_AFTER = LIMITS.forget_after


class TabSlot(ABC):
    """What one tab owns. `SlotRegistry` counts its users and calls the methods below when they come and go."""

    def __init__(self, owner: str) -> None:
        self.owner = owner  # the browser's cookie; "" without one
        self.tabs = self.viewers = 0  # script sessions, and sockets of the live view
        self.idle_since = time.monotonic()

    @property
    @abstractmethod
    def token(self) -> str:
        """The unguessable name by which a socket finds this slot; a new one for every run or race in it."""

    @abstractmethod
    def stop(self) -> None:
        """End the work: the slot is being forgotten."""

    def reopen(self) -> None:  # noqa: B027
        """Begin again after the slot was forgotten: its tab is still open."""

    def suspend(self) -> None:  # noqa: B027
        """Pause the work until a tab is opened again. May be called again while suspended."""

    def wake(self) -> None:  # noqa: B027
        """Resume what `suspend` paused. May be called without it."""

    def start_networks(self, count: int = 1) -> None:
        """Note that so many networks are started for whoever owns this.

        Raises:
            RefusedError: if those are too many within a minute.
        """
        start_networks(self.owner, count)

    @property
    def abandoned(self) -> bool:
        """True if no tab and no socket uses the slot."""
        return self.tabs <= 0 and self.viewers <= 0


T = TypeVar("T", bound=TabSlot)


class SlotRegistry(Generic[T]):
    """All slots of one kind on this server. Script threads and the server's event loop call it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.RLock()
        self._slots: list[T] = []

    def find_or_create(
        self, owner: str, matches: Callable[[T], bool], create: Callable[[], T], mine: T | None = None
    ) -> T:
        """Give a tab that has just opened a slot, and acquire it.

        Args:
            owner: the browser's cookie; "" never finds a slot.
            matches: whether a slot that this browser has left holds what the tab asks for.
            create: makes a new slot where none matches.
            mine: the slot that this tab has already, since its connection had only dropped.

        Returns:
            `mine`, if there is one; of the slots that match and are used by no tab the one that was left last; else a
            new one.

        Raises:
            RefusedError: if there are as many slots as the limits allow, and none of them was left.
        """
        with self._lock:
            if mine is not None:
                self.acquire(mine)
                return mine
            left = [slot for slot in self._slots if owner and slot.owner == owner and slot.tabs <= 0 and matches(slot)]
            if left:
                slot = max(left, key=lambda candidate: candidate.idle_since)
            else:
                self._make_room(owner)
                slot = create()
                self._slots.append(slot)
            self.acquire(slot)
            return slot

    def _make_room(self, owner: str) -> None:
        """Forget the slot that this browser left first if it has all it may have; likewise for all browsers.

        Raises:
            RefusedError: if none of them was left.
        """
        theirs = [slot for slot in self._slots if slot.owner == owner]
        for slots, most, sentence in (
            (theirs, LIMITS.tabs_per_visitor, TOO_MANY_TABS),
            (self._slots, LIMITS.tabs, FULL),
        ):
            if len(slots) < most:
                continue
            left = [slot for slot in slots if slot.abandoned]
            if not left:
                raise RefusedError(sentence.format(most=most))
            first = min(left, key=lambda slot: slot.idle_since)
            first.stop()
            self._slots.remove(first)

    def acquire(self, slot: T) -> None:
        """Count one more tab that uses this slot, and reopen it if it was forgotten meanwhile."""
        with self._lock:
            slot.tabs += 1
            if slot not in self._slots:
                self._slots.append(slot)
                slot.reopen()
            slot.wake()

    def release(self, slot: T) -> None:
        """Count one tab less: it was closed, or lost its connection."""
        with self._lock:
            slot.tabs -= 1
            slot.idle_since = self._clock()

    def find(self, token: str) -> T | None:
        """The slot whose present run or race has this token."""
        with self._lock:
            return next(
                (slot for slot in self._slots if secrets.compare_digest(slot.token.encode(), token.encode())), None
            )

    def watch(self, slot: T, change: int) -> None:
        """Count a socket of the live view that opened (+1) or closed (-1)."""
        with self._lock:
            slot.viewers += change
            slot.idle_since = self._clock()
            if change > 0:
                slot.wake()

    def expire(self) -> None:
        """Suspend the slots that no tab has used for SUSPEND_AFTER seconds, and forget them after FORGET_AFTER."""
        with self._lock:
            for slot in list(self._slots):
                idle = self._clock() - slot.idle_since
                if slot.abandoned and idle > FORGET_AFTER:
                    slot.stop()
                    self._slots.remove(slot)
                elif slot.abandoned and idle > SUSPEND_AFTER:
                    slot.suspend()
