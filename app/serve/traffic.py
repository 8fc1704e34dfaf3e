"""What crosses to the browsers at present, for whoever looks after the server."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable

SECONDS = 10


class Traffic:
    """Open sockets, the browsers that have them, and the messages of live views in each of the last SECONDS seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._sockets: Counter[str] = Counter()  # by the cookie of the browser
        self._clock = clock
        self._counts: deque[tuple[int, int]] = deque(maxlen=SECONDS + 1)  # (second, messages)

    def opened(self, owner: str) -> None:
        """A browser has opened a socket; `owner` is its cookie."""
        self._sockets[owner] += 1

    def closed(self, owner: str) -> None:
        """It has closed one."""
        self._sockets[owner] -= 1
        if not self._sockets[owner]:
            del self._sockets[owner]

    @property
    def sockets(self) -> int:
        """Open sockets."""
        return self._sockets.total()

    @property
    def visitors(self) -> int:
        """Browsers that have a socket open."""
        return len(self._sockets)

    def count(self) -> None:
        """Note one message."""
        second = int(self._clock())
        before = self._counts.pop()[1] if self._counts and self._counts[-1][0] == second else 0
        self._counts.append((second, before + 1))

    @property
    def per_second(self) -> float:
        """Messages a second, on average over the last SECONDS whole seconds."""
        now = int(self._clock())
        return sum(count for second, count in self._counts if now - SECONDS <= second < now) / SECONDS


TRAFFIC = Traffic()
