"""The embedding table projected to two dimensions. No torch.

The projection is on the first two principal components (Pearson, 1901). Their signs are arbitrary, so the map is
rotated or mirrored onto the untrained network's map by the closest orthogonal matrix (orthogonal Procrustes problem;
Schönemann, 1966). It then depends on the weights and the experiment alone and does not flip between frames. It can
still jump, rarely, when the second and the third component change places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class EmbeddingMap:
    """Positions of the symbols in two dimensions. Fields are named as in a frame.

    Args:
        embedding: (symbols, 2) float32, in the unit of the table; NaN where the table is not finite.
        embedding_share: the share of the table's variance along the two axes, 0 to 1.
    """

    embedding: np.ndarray
    embedding_share: float

    @classmethod
    def of(cls, table: np.ndarray, untrained: EmbeddingMap | None = None) -> EmbeddingMap:
        """Project a table (symbols, embedding_size) and align it to the untrained network's map.

        A table with one or two columns is shown as it is, without projection or rotation.
        """
        symbols, size = table.shape
        if not np.isfinite(table).all():
            return cls(np.full((symbols, 2), np.nan, np.float32), np.nan)
        if size <= 2:
            return cls(np.pad(table, ((0, 0), (0, 2 - size))).astype(np.float32), 1.0)
        positions, share = _principal_axes(table.astype(np.float64))
        if untrained is not None:
            positions = aligned_to(positions, untrained.embedding)
        return cls(positions.astype(np.float32), share)


def _principal_axes(table: np.ndarray) -> tuple[np.ndarray, float]:
    """The centred table on its first two principal components, (symbols, 2), and their share of the variance."""
    left, widths, _ = np.linalg.svd(table - table.mean(0), full_matrices=False)
    variance = widths**2
    return left[:, :2] * widths[:2], float(variance[:2].sum() / (variance.sum() or 1.0))


def aligned_to(positions: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Rotate, and if need be mirror, positions (symbols, 2) as close as possible to `onto`."""
    left, _, right = np.linalg.svd(positions.T @ onto)
    return positions @ (left @ right)
