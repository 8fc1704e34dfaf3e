"""The map of the symbols: an embedding table seen in two dimensions. No torch.

The two principal axes of the centred table, by its singular values (Pearson, 1901). Where an axis points and whether it
is mirrored is left open by that; so the map is turned onto the untrained network's own by the orthogonal matrix that
brings the two closest (the orthogonal Procrustes problem; Schönemann, 1966). It then follows from the weights and the
experiment alone, and does not flip between two looks. (It leaps, rarely, where the second and the third widest axis
change places: then two dimensions show another side of the table.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class EmbeddingMap:
    """Where the symbols lie; the names are those of a frame.

    Args:
        embedding: (symbols, 2) float32, in the unit of the table; NaN where the table is not finite.
        embedding_share: the part of the table's variance that the two axes hold, 0 to 1.
    """

    embedding: np.ndarray
    embedding_share: float

    @classmethod
    def of(cls, table: np.ndarray, untrained: EmbeddingMap | None = None) -> EmbeddingMap:
        """The map of a table (symbols, embedding_size), turned onto that of the untrained network.

        A table of one or two columns is shown as it is: nothing is left out, so nothing has to be turned.
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
    """(symbols, 2): the centred table on its two widest axes; and how much of its variance they hold."""
    left, widths, _ = np.linalg.svd(table - table.mean(0), full_matrices=False)
    variance = widths**2
    return left[:, :2] * widths[:2], float(variance[:2].sum() / (variance.sum() or 1.0))


def aligned_to(positions: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Positions (symbols, 2) turned, and mirrored where need be, as close onto others as that brings them."""
    left, _, right = np.linalg.svd(positions.T @ onto)
    return positions @ (left @ right)
