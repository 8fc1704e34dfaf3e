"""What a sweep finds in one layer and direction, and what of it goes on to the layer below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from engine.layers.cell_trace import CellTrace
from engine.lens.scaled import Scaled


@dataclass(frozen=True, eq=False)
class LayerGradients:
    """Gradients of one layer in one direction, by position: (T, S, B, H) each, `grad_input_proj` (T, S, B, G*H).

    total, direct: dL/dh_t. total_cell: dL/dc_t, or None. grad_input_proj: dL/d(W_ih x_t + b_ih).
    """

    total: Scaled
    direct: Scaled
    total_cell: Scaled | None
    grad_input_proj: Scaled

    def of_seeds(self, some: slice) -> LayerGradients:
        """Slice the seeds."""
        cell = None if self.total_cell is None else self.total_cell.rows(some)
        return LayerGradients(self.total.rows(some), self.direct.rows(some), cell, self.grad_input_proj.rows(some))

    def nowhere(self, steps: int) -> LayerGradients:
        """The same at so many steps at which there is no such chain: 0."""

        def nothing(scaled: Scaled) -> Scaled:
            return Scaled.of(scaled.values.new_zeros(steps, *scaled.values.shape[1:]))

        cell = None if self.total_cell is None else nothing(self.total_cell)
        return LayerGradients(nothing(self.total), nothing(self.direct), cell, nothing(self.grad_input_proj))

    def of_sequence(self, sequence: int) -> LayerGradients:
        """Slice the sequences to one; the axis stays."""

        def only(scaled: Scaled) -> Scaled:
            one = slice(sequence, sequence + 1)
            return Scaled(scaled.values[:, :, one], scaled.exponent[:, :, one])

        cell = None if self.total_cell is None else only(self.total_cell)
        return LayerGradients(only(self.total), only(self.direct), cell, only(self.grad_input_proj))


Rows = list[list[LayerGradients]]
"""Indexed [layer][direction]."""


def concatenate_passes(parts: Sequence[LayerGradients]) -> LayerGradients:
    """Concatenate the passes of one layer and direction along time."""
    cells = [part.total_cell for part in parts if part.total_cell is not None]
    return LayerGradients(
        Scaled.concatenate([part.total for part in parts]),
        Scaled.concatenate([part.direct for part in parts]),
        Scaled.concatenate(cells) if cells else None,
        Scaled.concatenate([part.grad_input_proj for part in parts]),
    )


def gradient_below(row: Sequence[LayerGradients], cell_traces: Sequence[CellTrace]) -> Scaled:
    """The gradient at the layer below, or at the inputs: the sum over the directions of a layer."""
    pairs = zip([gradients.grad_input_proj for gradients in row], cell_traces, strict=True)
    back = [Scaled(torch.matmul(grad.values, trace.weights.ih), grad.exponent) for grad, trace in pairs]
    return back[0] if len(back) == 1 else back[0].add(back[1])
