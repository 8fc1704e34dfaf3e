"""How many networks a visitor may start: whoever asks for more is told, before a worker has anything to do."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from engine.limits import LIMITS


class RefusedError(Exception):
    """A visitor asks for more than this server gives; a sentence for them."""


class TokenBucket:
    """So many things a second, and some more at once after a while without any.

    Args:
        rate: things a second. burst: things at once, at most.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left, self._at = burst, clock()

    def _fill(self) -> None:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now

    @property
    def is_full(self) -> bool:
        """True if nothing was taken for so long that it may be forgotten."""
        self._fill()
        return self._left >= self._burst

    def take(self, things: float = 1) -> float:
        """Take so many if they are there.

        Returns:
            0 if they were taken; else the seconds after which they can be, and nothing is taken.
        """
        self._fill()
        wanted = min(things, self._burst)
        if self._left >= wanted:
            self._left -= wanted
            return 0.0
        return (wanted - self._left) / self._rate

    def owe(self, things: float = 1) -> float:
        """Take so many in any case. Returns the seconds to wait for those that were not there."""
        self._fill()
        self._left -= things
        return max(0.0, -self._left / self._rate)


class Buckets:
    """A bucket for everyone by name; of those who have taken nothing lately nothing is kept. Any thread may take."""

    MOST = 10_000  # so many names are kept before the full ones are forgotten

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._make = lambda: TokenBucket(rate, burst, clock)
        self._lock, self._by_name = threading.Lock(), dict[str, TokenBucket]()

    def take(self, name: str, things: float = 1) -> float:
        """As of `TokenBucket.take`, for this name."""
        with self._lock:
            if name not in self._by_name and len(self._by_name) >= self.MOST:
                self._by_name = {each: bucket for each, bucket in self._by_name.items() if not bucket.is_full}
            return self._by_name.setdefault(name, self._make()).take(things)


TOO_FAST = "More than {most} networks a minute cannot be started from one browser. Go on in {s} s."
TOO_MANY_TABS = "This browser has {most} tabs open here, and more are not allowed. Close one, then reload this page."
FULL = "This server is full: it has {most} tabs open. Try again in some minutes."

STARTED = Buckets(LIMITS.networks_per_minute / 60, LIMITS.networks_per_minute)
"""The networks that each browser has started lately."""


def start_networks(owner: str, count: int) -> None:
    """Note that a visitor starts so many networks.

    Args:
        owner: the browser's cookie; all without one count as one visitor.

    Raises:
        RefusedError: if those are too many within a minute.
    """
    if (seconds := STARTED.take(owner, count)) > 0:
        raise RefusedError(TOO_FAST.format(most=LIMITS.networks_per_minute, s=math.ceil(seconds)))
