"""Which rows a figure with one row for each loss or answer has, and how many are swept at once. No torch."""

from __future__ import annotations

import numpy as np

MAX_ROWS = 48  # of a live figure; also the most inputs removed for occlusion, which are one batch of copies
MAX_SEEDS = 128  # in one sweep; more are swept in several chunks to limit memory


def evenly_spaced(steps: np.ndarray, max_rows: int = MAX_ROWS) -> np.ndarray:
    """Pick at most `max_rows` positions, evenly spaced, the first and the last included; if only one, the last."""
    places = np.linspace(len(steps) - 1, 0, min(len(steps), max_rows)).round().astype(int)
    return steps[np.unique(places)]


def in_chunks(steps: np.ndarray) -> list[np.ndarray]:
    """Split positions, in their order, into chunks that can be swept at once."""
    return [steps[start : start + MAX_SEEDS] for start in range(0, len(steps), MAX_SEEDS)]
