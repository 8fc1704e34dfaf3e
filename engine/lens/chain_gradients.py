"""The gradients of one chain (one layer, direction, sequence and seed) in float64, as most readings need them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from engine.layers.cell_trace import CellTrace, to_float64_cpu
from engine.layers.step_gradients import StepGradients
from engine.lens.scaled import Scaled
from engine.lens.sweep import SweepResult


@dataclass(frozen=True, eq=False)
class ChainGradients:
    """Gradients of one pass of a chain: one layer, direction, sequence and seed; its real steps in its own time order.

    float64, without the axes of seeds and sequences: `total`, `direct` and, if there is a cell state, `cell` (n, H),
    `grad_input_proj` (n, G*H). `cell_trace` keeps an axis for its only sequence, (n, 1, ...). `positions` (n,) are the
    steps' positions on the time axis.
    """

    cell_trace: CellTrace
    total: Tensor
    direct: Tensor
    cell: Tensor | None
    grad_input_proj: Tensor
    positions: np.ndarray

    @property
    def memory(self) -> Tensor:
        """dL/ds_t for the state s that carries memory, (n, H)."""
        return self.total if self.cell is None else self.cell

    @cached_property
    def steps(self) -> StepGradients:
        """What every step does with the gradient that it has: rows are the steps."""
        return self.cell_trace.step_gradients(self.total, self.cell)


def chains_of(swept: SweepResult, layer: int, direction: int, sequence: int = 0, seed: int = 0) -> list[ChainGradients]:
    """One chain, pass by pass in the order of time, of the passes that have this direction. Cached in `swept`, because
    several readings use the same chain."""
    which = (layer, direction, sequence, seed)
    if which not in swept.read:
        swept.read[which] = _chains(swept, *which)
    return swept.read[which]


def _chains(swept: SweepResult, layer: int, direction: int, sequence: int, seed: int) -> list[ChainGradients]:
    """Build a chain; see `chains_of`."""
    chains, start = [], 0
    for one, rows in zip(swept.trace.having(direction), swept.passes, strict=False):
        real, gradients = int(one.lengths[sequence]), rows[layer][direction]

        def in_order(scaled: Scaled, real: int = real) -> Tensor:
            values = Scaled(scaled.values[:real, seed, sequence], scaled.exponent[:real, seed, sequence]).to_float64()
            return to_float64_cpu(values.flip(0) if direction else values)

        positions = start + np.arange(real)
        chains.append(
            ChainGradients(
                one.cell_traces[layer][direction].single_sequence(sequence, real),
                in_order(gradients.total),
                in_order(gradients.direct),
                None if gradients.total_cell is None else in_order(gradients.total_cell),
                in_order(gradients.grad_input_proj),
                positions[::-1] if direction else positions,
            )
        )
        start += len(one.output)
    return chains


def row_norms(values: Tensor) -> Tensor:
    """The 2-norm over the last axis. Rows are scaled to size 1 first if squares could leave float64's range."""
    norms = torch.linalg.vector_norm(values, dim=-1)
    if bool(((norms > 1e-120) & (norms < 1e120)).all()):  # squares that matter neither underflow nor overflow
        return norms
    largest = values.abs().amax(-1, keepdim=True)
    size = torch.where((largest > 0) & torch.isfinite(largest), largest, 1.0)
    return torch.linalg.vector_norm(values / size, dim=-1) * size[..., 0]
