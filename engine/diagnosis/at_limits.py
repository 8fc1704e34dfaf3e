"""States where a slope is 0, so that no gradient passes. No torch."""

from __future__ import annotations

import numpy as np

from engine.diagnosis.reasons import MAJORITY
from engine.diagnosis.text import share

DEAD_SLOPE = 0.999  # |h| beyond which the slope of tanh is below 0.002


def dead_relu(states: np.ndarray) -> str:
    """A phrase if all ReLUs are at 0 at some step, or most of them on average; else empty."""
    all_zero = (states == 0).all(-1)
    if all_zero.any():
        return f"at t = {np.flatnonzero(all_zero.any((0, 1)))[-1]} every ReLU is at 0, where its slope is 0"
    at_zero = float((states == 0).mean())
    return f"{share(at_zero)} of the ReLUs are at 0, where their slope is 0" if at_zero > MAJORITY else ""


def mostly_pinned(nonlinearity: str, states: np.ndarray) -> bool:
    """True if most units are where the slope of their nonlinearity is close to 0."""
    if nonlinearity == "tanh":
        return bool((np.abs(states) > DEAD_SLOPE).mean() > MAJORITY)
    return nonlinearity == "sigmoid" and bool((np.abs(2 * states - 1) > DEAD_SLOPE).mean() > MAJORITY)
