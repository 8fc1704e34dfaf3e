"""What a network whose outputs are fed back reads next: the true symbol (teacher forcing), or its own."""

from __future__ import annotations

import numpy as np
import torch


def is_given(row: np.ndarray, forcing: float) -> np.ndarray:
    """Where the true output is given, (1, batch) or (1, batch, 1) bool. Draws nothing if `forcing` is 0."""
    shape = (1, len(row)) + (1,) * (row.ndim - 1)
    return torch.rand(shape).numpy() < forcing if forcing else np.zeros(shape, bool)


def as_input(symbols: np.ndarray, row: np.ndarray, size: int) -> np.ndarray:
    """Encode output symbols (batch,) as an input like `row`: as tokens, or one-hot in its last `size` channels."""
    if row.ndim == 1:
        return symbols
    fed = row.copy()
    fed[:, -size:] = np.eye(size, dtype=row.dtype)[symbols]
    return fed
