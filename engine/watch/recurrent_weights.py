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
        gate: its name; "hidden" in a plain cell. singular: the largest singular value, by which the block alone can
            multiply a gradient at most in one step. eigenvalue: of a plain cell the largest |eigenvalue|, by which it
            does so in the long run; None of a large block, and of gates. NaN if a weight is not finite.
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
    gates = CELLS[kept.cell].gates
    return [
        WeightSpectrum(layer, direction, gate, _singular(block), _eigenvalue(block) if len(gates) == 1 else None)
        for layer, direction, matrix in kept.matrices
        for gate, block in zip(gates, np.split(matrix, len(gates)), strict=True)
    ]


def _singular(block: np.ndarray) -> float:
    if not np.isfinite(block).all():
        return np.nan
    return float(np.sqrt(max(0.0, np.linalg.eigvalsh(block @ block.T)[-1])))  # ten times as fast as by an SVD


def _eigenvalue(block: np.ndarray) -> float | None:
    if len(block) > MAX_EIGENVALUE_UNITS:
        return None
    return float(np.abs(np.linalg.eigvals(block)).max()) if np.isfinite(block).all() else np.nan
