"""The last updates of a run: their losses, and which of their gradients were clipped."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

RECENT = 20  # updates over which the training loss is averaged to decide "solved" or "target reached"
EARLIER = 100  # updates between the recent losses and the ones that they are compared with to find a plateau


class RecentUpdates:
    """Remembers as many updates as are compared."""

    def __init__(self) -> None:
        self._losses: deque[float] = deque(maxlen=RECENT + EARLIER)
        self._clips: deque[bool] = deque(maxlen=RECENT)

    def add(self, loss: float, clipped: bool) -> None:
        """Take note of an update."""
        self._losses.append(loss)
        self._clips.append(clipped)

    @property
    def loss(self) -> float:
        """Mean loss of the last RECENT updates; NaN until there are that many."""
        return _mean(list(self._losses)[-RECENT:])

    @property
    def earlier_loss(self) -> float:
        """The same of those that came EARLIER updates before them."""
        return _mean(list(self._losses)[:RECENT] if len(self._losses) == RECENT + EARLIER else [])

    @property
    def clipped(self) -> float:
        """The share of the last RECENT updates that were clipped; NaN until there are that many."""
        return _mean(list(self._clips))

    def state(self) -> dict[str, list[Any]]:
        """What a checkpoint needs."""
        return {"losses": list(self._losses), "clips": list(self._clips)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Load the entries of `state` from a checkpoint."""
        for values, name in ((self._losses, "losses"), (self._clips, "clips")):
            values.clear()
            values.extend(state[name])


def _mean(values: list) -> float:
    """The mean; NaN unless there are exactly RECENT values."""
    return sum(values) / RECENT if len(values) == RECENT else math.nan
