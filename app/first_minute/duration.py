"""How long the first minute takes on this machine, from what was measured on it.

Nothing is assumed: an update's cost is what a worker has measured of such a network, and how many of them the machine
makes in a second is what a race has made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.figures.compare.catalogue import LaneSnapshot
from app.first_minute.setup import UPDATES_PER_SECOND

ENOUGH = 50
"""Updates from which on their mean cost is used: the first ones are many times as slow as the others."""
HELD_BACK = 0.8
"""A race that reaches less than this part of the rate it may have is held back by the machine."""


@dataclass
class Measured:
    """What was measured last, of any race of the first minute on this server.

    Args:
        cost: cell name to {length of the sequence: seconds of one update}.
        slowdown: how many times as long as these costs a race takes in truth, because the machine has more to do.
    """

    cost: dict[str, dict[int, float]] = field(default_factory=dict)
    slowdown: float = 1.0

    def note(self, lanes: Sequence[LaneSnapshot], rate: float) -> None:
        """Take what a race has measured.

        Args:
            lanes: with the cost of their updates so far.
            rate: updates per second of each; 0 if it is not known.
        """
        if any(lane.frame.step < ENOUGH for lane in lanes):
            return
        for lane in lanes:
            e = lane.info.experiment
            self.cost.setdefault(e.cell, {})[e.seq_len] = lane.frame.seconds / lane.frame.step
        if rate > 0:
            possible = 1 / max(1e-9, *(lane.frame.seconds / lane.frame.step for lane in lanes))
            held_back = rate < HELD_BACK * min(UPDATES_PER_SECOND, possible)
            self.slowdown = possible / rate if held_back else 1.0

    def seconds(self, cells: Sequence[str], seq_len: int, updates: int) -> float | None:
        """How long these networks, each on a core of its own, need for so many updates; None if none was measured."""
        costs = [cost_at(self.cost.get(cell, {}), seq_len) for cell in cells]
        known = [cost for cost in costs if cost is not None]
        if len(known) < len(costs):
            return None
        return updates / min(UPDATES_PER_SECOND, 1 / max(*known, 1e-9) / self.slowdown)


MEASURED = Measured()
"""On this server, by whoever was here before."""


def cost_at(measured: dict[int, float], seq_len: int) -> float | None:
    """Seconds of one update at this length; None if none was measured.

    At a length that was not measured, the line through the two nearest ones that were. With a single one, what is sure:
    a longer sequence costs at most as many times more as it is longer, a shorter one at most as much.
    """
    nearest = sorted(measured, key=lambda length: (abs(length - seq_len), length))[:2]
    if not nearest:
        return None
    if nearest[0] == seq_len:
        return measured[seq_len]
    if len(nearest) == 1:
        return measured[nearest[0]] * max(1, seq_len / nearest[0])
    a, b = nearest
    slope = (measured[b] - measured[a]) / (b - a)
    return max(measured[a] + slope * (seq_len - a), 0.0)


def about(seconds: float) -> str:
    """A duration as it is said: about 8 s, about 20 s, about 2 minutes."""
    if seconds < 10:
        return f"about {max(1, round(seconds))} s"
    if seconds < 100:
        return f"about {5 * math.floor(seconds / 5 + 0.5)} s"
    return f"about {round(seconds / 60)} minutes"
