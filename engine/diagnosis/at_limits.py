"""States where a slope is 0, so that no gradient passes. No torch."""

from __future__ import annotations

import numpy as np

from engine.diagnosis.reasons import MAJORITY
from engine.diagnosis.text import share

DEAD_SLOPE = 0.999  # |h| beyond which the slope of tanh is below 0.002


PASS_NOTHING = "the weights on the way pass nothing on"
"""Why no gradient arrives, where no unit is in the way."""


def dead_units(activation: str | None, states: np.ndarray) -> str:
    """A phrase if units are where the slope of their activation is 0, too many to pass a gradient; else empty."""
    if activation == "relu":
        return _dead_relu(states)
    if activation is not None and _are_pinned(activation, states):
        return f"on the way the units are pinned at their limits, where the slope of {activation} is 0"
    return ""


def _dead_relu(states: np.ndarray) -> str:
    """A phrase if all ReLUs are at 0 at some step, or most of them on average; else empty."""
    all_zero = (states == 0).all(-1)
    if all_zero.any():
        return f"at t = {np.flatnonzero(all_zero.any((0, 1)))[-1]} every ReLU is at 0, where its slope is 0"
    at_zero = float((states == 0).mean())
    return f"{share(at_zero)} of the ReLUs are at 0, where their slope is 0" if at_zero > MAJORITY else ""


def _are_pinned(activation: str, states: np.ndarray) -> bool:
    """True if most units are where the slope of their activation is close to 0."""
    if activation == "tanh":
        return bool((np.abs(states) > DEAD_SLOPE).mean() > MAJORITY)
    return activation == "sigmoid" and bool((np.abs(2 * states - 1) > DEAD_SLOPE).mean() > MAJORITY)
