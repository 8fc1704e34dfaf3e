"""Sequences of different lengths in one array, from which batches are dealt quickly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Ragged:
    """Sequences of symbols side by side.

    Args:
        sequences: an array of whole numbers each.
    """

    def __init__(self, sequences: Sequence[np.ndarray]) -> None:
        self.lengths = np.array([len(each) for each in sequences], np.int64)
        self._flat = np.concatenate([np.zeros(0, np.int64), *sequences]).astype(np.int64)
        self._starts = np.cumsum(self.lengths) - self.lengths

    def dealt(self, rows: np.ndarray, steps: int, padding: int) -> tuple[np.ndarray, np.ndarray]:
        """Some sequences, time first, cut after `steps`: (steps, rows) int64, `padding` after each end; and (rows,)
        int64, their lengths."""
        lengths, t = np.minimum(self.lengths[rows], steps), np.arange(steps)[:, None]
        inside = t < lengths
        return np.where(inside, self._flat[np.where(inside, self._starts[rows] + t, 0)], padding), lengths
