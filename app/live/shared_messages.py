"""Messages that several browsers get, packed once: those who look at one run that nobody has touched."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from engine.frame import Frame
from engine.workers import Run

MOST = 24  # of one run: browsers paint at different speeds, so that they have missed different frames


class Sent(NamedTuple):
    """A message with a frame, and what the stage was told by it (`StageFeed.told`)."""

    frame: Frame
    message: bytes
    told: dict[str, Any]


class SharedMessages:
    """The newest messages of every run that is shared. The server's event loop alone calls it."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._of_runs: WeakKeyDictionary[Run, OrderedDict[Hashable, Sent]] = WeakKeyDictionary()

    def find(self, run: Run, key: Hashable, frame: Frame) -> Sent | None:
        """The message of this very frame that was kept under this key."""
        sent = self._of_runs.get(run, OrderedDict()).get(key)
        return sent if sent is not None and sent.frame is frame else None

    def keep(self, run: Run, key: Hashable, sent: Sent) -> None:
        """Keep a message.

        Args:
            key: all on which a message depends besides its frame.
        """
        kept = self._of_runs.setdefault(run, OrderedDict())
        kept[key] = sent
        if len(kept) > self._most:
            kept.popitem(last=False)


SHARED = SharedMessages()
