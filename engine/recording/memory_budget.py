"""One limit for all that a server keeps of all runs: frames, checkpoints, those of sweeps, and runs that are over."""

from __future__ import annotations

import threading
from typing import Protocol
from weakref import WeakSet

from engine.limits import LIMITS


class Kept(Protocol):
    """Something that is kept of a run or a browser."""

    @property
    def size(self) -> int:
        """Its bytes now."""

    @property
    def grown(self) -> float:
        """When something was added last, on a clock that all share."""

    def thin(self) -> bool:
        """Drop about half of it; False if nothing can be dropped."""


class MemoryBudget:
    """Bytes that all shares together may have; whoever has more than an equal part gives way, the oldest first.

    The shares are known weakly: what nobody else holds is no part of it. Any thread may call it.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._shares: WeakSet[Kept] = WeakSet()
        self._lock = threading.Lock()

    def enter(self, share: Kept) -> None:
        """Count this from now on."""
        with self._lock:
            self._shares.add(share)

    @property
    def bytes(self) -> int:
        """Bytes of all shares together."""
        with self._lock:
            return sum(share.size for share in self._shares)

    def settle(self) -> None:
        """Thin as many shares as it takes, after one of them has grown.

        An equal part is the limit divided by the number of shares that have anything. Where some cannot give way, the
        others go below it. First and newest entries stay whatever their size, so that in the end more than the limit
        may be kept.
        """
        with self._lock:
            sizes = {share: size for share in self._shares if (size := share.size)}
            excess = sum(sizes.values()) - self.max_bytes
            if excess <= 0:
                return
            oldest_first = sorted(sizes, key=lambda share: share.grown)
            for least in (self.max_bytes / len(sizes), 0.0):
                for share in oldest_first:
                    while excess > 0 and share.size > least and share.thin():
                        excess, sizes[share] = excess - (sizes[share] - share.size), share.size


KEPT = MemoryBudget(LIMITS.kept_megabytes * 1_000_000)
"""What this process keeps."""
