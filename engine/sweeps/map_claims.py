"""What a map claims to show: a number of its networks, and bounds that it lies between. No torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.sweeps.success import Outcome, success_by


@dataclass(frozen=True)
class MapClaim:
    """A sentence about a map, and the measurement that checks it.

    Args:
        says: the sentence.
        measure: a name of MEASURES.
        where: {axis: values}; networks with other values do not count.
        ratio: (lowest, highest) of the gradient before training; networks outside do not count. None: all count.
        above, below: the bounds; the value lies strictly between.
    """

    says: str
    measure: str
    where: Mapping[str, tuple]
    above: float
    below: float
    ratio: tuple[float, float] | None = None

    def value(self, networks: Sequence[Outcome], x: str) -> float:
        """Measure it; NaN if no network counts.

        Args:
            networks: all of the map. x: the map's axis to the right.
        """
        chosen = [each for each in networks if self._counts(each)]
        return MEASURES[self.measure](chosen, x) if chosen else math.nan

    def holds(self, value: float) -> bool:
        """True if a measured value is within the bounds; False for NaN."""
        return self.above < value < self.below

    def _counts(self, network: Outcome) -> bool:
        if self.ratio is not None and not self.ratio[0] <= network.ratio <= self.ratio[1]:
            return False
        return all(getattr(network.experiment, name) in values for name, values in self.where.items())


def _success(networks: Sequence[Outcome], x: str) -> float:
    """The share of the networks that have solved the task."""
    return success_by((), networks)[()].rate


def _middle(networks: Sequence[Outcome], x: str) -> float:
    """The geometric mean of x over the networks that have solved the task; NaN if none has."""
    solved = [getattr(each.experiment, x) for each in networks if each.solved_at is not None]
    return float(np.exp(np.mean(np.log(solved)))) if solved else math.nan


def _reach(networks: Sequence[Outcome], x: str) -> float:
    """The longest `seq_len` such that at it and at every shorter one at least half have solved the task; 0 if none."""
    reach = 0
    for (length,), success in sorted(success_by(("seq_len",), networks).items()):
        if success.rate < 0.5:
            break
        reach = length
    return float(reach)


def _ratio(networks: Sequence[Outcome], x: str) -> float:
    """The median of the gradient's ratio before training."""
    return float(np.median([each.ratio for each in networks]))


Measure = Callable[[Sequence[Outcome], str], float]
MEASURES: dict[str, Measure] = {"success": _success, "middle": _middle, "reach": _reach, "ratio": _ratio}
"""Name to measure: a function of the networks that count, and of the name of the axis to the right."""
