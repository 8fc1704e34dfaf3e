"""How a run is wired, as its probe shows it: what can be known of a mistake before any gradient ratio. No torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.frame.frozen import FrozenArrays


@dataclass(frozen=True, eq=False, kw_only=True)
class Wiring(FrozenArrays):
    """Measured on the probe. NaN where a question has no sense, and in recordings that are older than a field.

    Args:
        padding_counted: the share of the steps with a loss that are padding.
        padding_gradient: of sequences whose padding is read, the largest gradient norm of the last loss on padding,
            divided by that where this loss enters; the median. Exactly 0 is right.
        data_gradient: the same norm at the last step before the padding, divided likewise.
        off_one: of the rows that cross-entropy is given, how far they are from probabilities at most: from a sum of 1,
            or below 0.
    """

    padding_counted: float = math.nan
    padding_gradient: float = math.nan
    data_gradient: float = math.nan
    off_one: float = math.nan
