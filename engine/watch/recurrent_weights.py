"""The size of the recurrent weights of a module, as a look has kept them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.lens.forward_trace import LayersTrace
from engine.lens.spectrum import eigenvalues_of, largest_singular_values_of, recurrent_blocks

MAX_EIGENVALUE_UNITS = 1024
"""Eigenvalues of larger blocks take seconds."""


@dataclass(frozen=True)
class BlockSize:
    """The size of one (H, units of h) block of weight_hh: of one gate in one layer and direction.

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


def block_sizes(trace: LayersTrace) -> list[BlockSize]:
    """The size of every block, by layer and direction, as the last call used them."""
    blocks = recurrent_blocks(trace)
    singular = largest_singular_values_of(blocks)
    has_eigenvalue = trace.kind.is_plain and all(len(block[0, 0]) <= MAX_EIGENVALUE_UNITS for block in blocks.values())
    eigenvalues = eigenvalues_of(blocks) if has_eigenvalue else {}
    return [
        BlockSize(
            layer,
            direction,
            gate,
            float(singular[gate][layer, direction]),
            float(np.abs(eigenvalues[gate][layer, direction, 0])) if gate in eigenvalues else None,
        )
        for layer, direction in np.ndindex(*trace.shape)
        for gate in blocks
    ]
