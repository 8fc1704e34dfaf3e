"""Pad sequences of different lengths into one array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def table(sequences: Sequence[Sequence[int] | np.ndarray], padding: int) -> tuple[np.ndarray, np.ndarray]:
    """Pad sequences: (longest, sequences) int64 tokens, `padding` after each end, and a bool mask of the real ones."""
    mask = np.arange(max(map(len, sequences)))[:, None] < np.array([len(each) for each in sequences])
    tokens = np.full(mask.shape, padding)
    tokens.T[mask.T] = np.concatenate(sequences)
    return tokens, mask
