"""A picture with a row per loss, or per answer: which rows it has, and how many are swept at once. No torch."""

from __future__ import annotations

import numpy as np

MAX_ROWS = 48  # rows of a live picture, and inputs that are taken away: one batch of as many copies
MAX_SEEDS = 128  # seeds in one sweep, so that a thousand rows fit into memory


def evenly_spaced(steps: np.ndarray, max_rows: int = MAX_ROWS) -> np.ndarray:
    """All of these positions, (K,), or so many evenly chosen ones: first and last always, of one the last."""
    places = np.linspace(len(steps) - 1, 0, min(len(steps), max_rows)).round().astype(int)
    return steps[np.unique(places)]


def in_chunks(steps: np.ndarray) -> list[np.ndarray]:
    """The same positions, in their order, in parts that can be swept at once."""
    return [steps[start : start + MAX_SEEDS] for start in range(0, len(steps), MAX_SEEDS)]
