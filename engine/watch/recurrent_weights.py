"""The recurrent weights of a module as of a look, and their spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.cells import CELLS
from engine.watch.call import Call

MAX_EIGENVALUE_UNITS = 1024
"""Eigenvalues of larger blocks take seconds."""


@dataclass(frozen=True, eq=False)
class RecurrentWeights:
    """weight_hh of every layer and direction, (G*H, H) each, copies, float64. cell: see `engine.cells.CELLS`."""

    cell: str
    matrices: tuple[tuple[int, int, np.ndarray], ...]


@dataclass(frozen=True)
class WeightSpectrum:
    """The size of one (H, H) block of weight_hh: of one gate in one layer and direction.

    Args:
        gate: its name; "hidden" in a plain cell. singular: the largest singular value, by which one step back can
            multiply a gradient at most. eigenvalue: the largest |eigenvalue|, by which it does in the long run; None if
            the block is not square, or large. NaN if a weight is not finite.
    """

    layer: int
    direction: int
    gate: str
    singular: float
    eigenvalue: float | None


@torch.no_grad()
def recurrent_weights(calls: Sequence[Call]) -> dict[str, RecurrentWeights]:
    """Copy weight_hh of every module, as its last call used them."""
    found = {}
    for name, call in {call.name: call for call in calls}.items():
        rows = call.stack.weights(call.weights)
        found[name] = RecurrentWeights(
            call.stack.cell,
            tuple(
                (layer, d, weights.recurrent.to("cpu", torch.float64, copy=True).numpy())
                for layer, row in enumerate(rows)
                for d, weights in enumerate(row)
            ),
        )
    return found


def spectrum_of(kept: RecurrentWeights) -> list[WeightSpectrum]:
    """The spectrum of every block."""
    found = []
    for layer, direction, matrix in kept.matrices:
        gates = CELLS[kept.cell].gates
        for gate, block in zip(gates, np.split(matrix, len(gates)), strict=True):
            found.append(WeightSpectrum(layer, direction, gate, *_sizes(block)))
    return found


def _sizes(block: np.ndarray) -> tuple[float, float | None]:
    height, width = block.shape
    is_square = height == width <= MAX_EIGENVALUE_UNITS
    if not np.isfinite(block).all():
        return np.nan, np.nan if is_square else None
    singular = float(np.linalg.norm(block, 2))
    return singular, float(np.abs(np.linalg.eigvals(block)).max()) if is_square else None
