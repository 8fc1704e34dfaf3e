"""Counts what somebody does in the last minute, and says when it is too much."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

MAX_KEYS = 2000
"""Keys that are remembered; the one that was used longest ago is forgotten first."""


class Rate:
    """At most `most` events of a key within `per` seconds."""

    def __init__(self, most: int, per: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.per, self._clock = most, per, clock
        self._events: dict[str, deque[float]] = {}

    def is_used_up(self, key: str) -> bool:
        """True if one more event of this key would be too many."""
        events = self._events.get(key, deque())
        return sum(at > self._clock() - self.per for at in events) >= self.most

    def count(self, key: str) -> None:
        """Note an event of this key."""
        events = self._events.pop(key, deque(maxlen=self.most))
        events.append(self._clock())
        self._events[key] = events
        for oldest in list(self._events)[:-MAX_KEYS]:
            self._events.pop(oldest, None)
