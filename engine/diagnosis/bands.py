"""The bands of the verdict's ratio, and how long a run stays in one. No torch."""

from __future__ import annotations

import math

RISING = 100.0  # a ratio up to this needs no cure
LIMITS = (  # (upper end of the ratio, kind); the end is excluded for shrinking kinds, included for the others
    (1e-6, "vanished"),
    (1e-3, "vanishing"),
    (1e-2, "fading"),
    (10.0, "healthy"),
    (RISING, "rising"),
    (1e4, "growing"),
    (math.inf, "exploding"),
)
SHRINKING, GROWING = ("vanished", "vanishing", "fading"), ("growing", "exploding")  # "rising" needs no cure
BANDS = tuple(kind for _, kind in LIMITS)
HOLD = 3.0
"""Hysteresis: a ratio stays in its band until it is outside by more than this factor."""


def band(ratio: float) -> str:
    """The kind of verdict by the ratio alone."""
    return next(name for limit, name in LIMITS if ratio < limit or (name not in SHRINKING and ratio == limit))


def near(kind: str, ratio: float) -> bool:
    """True if a ratio is in the band of this kind, or hardly outside."""
    return kind in (band(ratio / HOLD), band(ratio), band(ratio * HOLD))


def held_band(ratio: float, before: int) -> int:
    """Which of LIMITS a ratio is in; the one before as long as it is hardly outside.

    Args:
        before: what this function gave at the last of the run's fixed steps; -1 if there was none.

    Returns:
        -1 if the ratio is 0 or no number: then it has no band.
    """
    if not 0 < ratio < math.inf:
        return -1
    if before >= 0 and near(BANDS[before], ratio):
        return before
    return BANDS.index(band(ratio))
