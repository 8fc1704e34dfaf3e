"""One backward sweep through the trace of a forward pass, in plain tensors, without autograd.

The trace has the local derivatives of every step. The sweep computes dL/dh_t = direct_t + J_{t+1}^T dL/dh_{t+1} from
the last step to the first, in blocks of steps that each have their own exponents. Axes: layer, direction, T, S (seeds:
several losses swept at once), B (sequences), H (units).
Source of the recursion: Werbos (1990), back-propagation through time; Pascanu, Mikolov and Bengio (2013), section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from engine.layers.cell_trace import CellTrace, SweepSpan
from engine.layers.reverse_sequence import flip
from engine.lens.attention import AttentionGradients
from engine.lens.forward_trace import ForwardPass, ForwardTrace, LayersTrace
from engine.lens.incoming import IncomingGradient, IncomingRows, nothing_incoming
from engine.lens.layer_gradients import LayerGradients, Rows, concatenate_passes, gradient_below
from engine.lens.scaled import ZERO_EXPONENT, Scaled

BLOCK = 25  # steps between two rescalings, fewer where the gradient shrinks too fast
MIN_SIZE = 2.0**-64
"""Smallest size of a row relative to the start of its block. If a row gets smaller, the block is swept again in halves,
down to single steps. From this size a float32 row cannot become 0 in one step unless that step has a factor below
2**-62, so a row of zeros is exactly 0, not an underflow."""


@dataclass(frozen=True, eq=False)
class EncoderEntry:
    """By which ways a gradient enters an encoder whose states are attended.

    Args:
        bridge: by [layer][direction] of the encoder, what leaves the decoder's first step; R = S * B rows.
        attention: what goes around it.
    """

    bridge: list[list[IncomingGradient]]
    attention: AttentionGradients

    def of_seeds(self, some: slice) -> EncoderEntry:
        """Slice the seeds."""
        sequences = self.attention.values.exponent.shape[2]
        bridge = [[way.of_seeds(some, sequences) for way in row] for row in self.bridge]
        return EncoderEntry(bridge, self.attention.of_seeds(some))


@dataclass(frozen=True, eq=False)
class SweepResult:
    """Result of a sweep, pass by pass in the order of time: a single one, or encoder and decoder.

    `entry` is there with attention, but for a single sequence of several.
    """

    trace: LayersTrace
    passes: list[Rows]
    entry: EncoderEntry | None = None
    leaving: list[list[IncomingGradient]] = field(default_factory=list)
    """By [layer][direction], what leaves the first step of the first pass, of `sweep` alone."""
    read: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)
    """What `engine.lens.chain_gradients` has read from it already."""

    @property
    def chains(self) -> Rows:
        """Gradients over the whole time axis: an encoder's steps, then the decoder's; 0 where there is no direction."""
        if len(self.passes) == 1:
            return self.passes[0]
        return [[self._whole(layer, d) for d in range(len(row))] for layer, row in enumerate(self.passes[0])]

    def _whole(self, layer: int, direction: int) -> LayerGradients:
        first = self.passes[0][layer][direction]
        parts = [
            rows[layer][direction] if direction < len(rows[layer]) else first.nowhere(len(one.output))
            for rows, one in zip(self.passes, self.trace.passes, strict=True)
        ]
        return concatenate_passes(parts)

    def of_seeds(self, some: slice) -> SweepResult:
        """Slice the seeds."""
        passes = [[[gradients.of_seeds(some) for gradients in row] for row in rows] for rows in self.passes]
        return SweepResult(self.trace, passes, None if self.entry is None else self.entry.of_seeds(some))

    def single_sequence(self, sequence: int) -> SweepResult:
        """Slice the sequences of gradients and traces to one."""
        assert isinstance(self.trace, ForwardTrace)
        passes = [[[gradients.of_sequence(sequence) for gradients in row] for row in rows] for rows in self.passes]
        return SweepResult(self.trace.single_sequence(sequence), passes)

    def inputs(self) -> list[Scaled]:
        """dL/d(input of the first layer) for each pass, (T, S, B, I)."""
        return [
            gradient_below(rows[0], one.cell_traces[0])
            for rows, one in zip(self.passes, self.trace.passes, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class SweepBuffers:
    """Tensors that a sweep fills: dL/dh_t and dL/dc_t (T, R, H), dL/d(W_ih x_t + b_ih) (T, R, G*H)."""

    total: Tensor
    total_cell: Tensor | None
    grad_input_proj: Tensor

    @property
    def all(self) -> list[Tensor]:
        """All buffers; without a cell state there are two."""
        return [values for values in (self.total, self.total_cell, self.grad_input_proj) if values is not None]

    def underflows(self, start: int, stop: int, direct: Scaled, enters: IncomingGradient, rows: slice) -> bool:
        """True if one exponent per row cannot represent these steps in float32.

        Some row is then too small: it shrank within the block, or it was too small when it entered, from above
        (`direct`, of these steps) or from later steps (`enters`). Other rows of zeros are exactly 0.
        """
        sizes = self.total[start:stop, rows].abs().amax(-1)
        if not bool((sizes < MIN_SIZE).any()):
            return False
        if self.total_cell is not None:
            sizes = torch.maximum(sizes, self.total_cell[start:stop, rows].abs().amax(-1))
        entered = direct.binary[:, rows] != ZERO_EXPONENT  # (steps, R)
        for part in enters.grad_carry:
            entered[-1] |= part[rows].any(-1)
        return bool(((sizes < MIN_SIZE) & (entered | (sizes > 0))).any())


@torch.no_grad()
def sweep(trace: ForwardTrace, grad_output: Tensor) -> SweepResult:
    """Sweep a gradient back through all passes, layers, directions and steps.

    The gradient that leaves the decoder's first step enters the encoder, layer by layer, at the last real step of each
    sequence; of an encoder that reads both ways at both ends alike.

    Args:
        grad_output: (T, S, B, directions * H), with respect to `trace.output`; with attention (T, S, B, 2 H).
    """
    if trace.attention is not None:
        return _sweep_attending(trace, trace.attention.backward(grad_output))
    passes: list[Rows] = []
    incoming: IncomingRows = nothing_incoming(trace.passes[-1])
    leaving: list[list[IncomingGradient]] = []
    for one in reversed(trace.passes):
        above = grad_output
        if passes:
            above = grad_output.new_zeros(len(one.output), *grad_output.shape[1:3], one.output.shape[-1])
            incoming = [list(row) for row in _to_both_ends(leaving, one)]
        rows, leaving = sweep_pass(one, Scaled.of(above), incoming, trace.cuts)
        passes.append(rows)
    return SweepResult(trace, passes[::-1], leaving=leaving)


def _sweep_attending(trace: ForwardTrace, attention: AttentionGradients) -> SweepResult:
    """Sweep the decoder, then the encoder, which gets a gradient at each step, too."""
    encoder, decoder = trace.passes
    below, left = sweep_pass(decoder, attention.states, nothing_incoming(decoder))
    bridge = _to_both_ends(left, encoder)
    rows, leaving = sweep_pass(encoder, attention.memory.repeated(trace.shape[1]), [list(row) for row in bridge])
    return SweepResult(trace, [rows, below], EncoderEntry(bridge, attention), leaving)


def _to_both_ends(left: list[list[IncomingGradient]], encoder: ForwardPass) -> list[list[IncomingGradient]]:
    """What left the decoder's first step, by [layer][direction] of the encoder: the decoder starts from the sum."""
    return [row * len(encoder.cell_traces[layer]) for layer, row in enumerate(left)]


def sweep_together(trace: ForwardTrace, seeds: Sequence[Tensor]) -> list[SweepResult]:
    """Sweep several tensors of seeds in a single sweep. Returns one result for each."""
    if not seeds:
        return []
    whole, ends = sweep(trace, torch.cat(list(seeds), 1)), np.cumsum([0, *(seed.shape[1] for seed in seeds)]).tolist()
    return [whole.of_seeds(slice(*span)) for span in pairwise(ends)]


def sweep_pass(
    one: ForwardPass, above: Scaled, incoming: IncomingRows, cuts: Sequence[int] = ()
) -> tuple[Rows, list[list[IncomingGradient]]]:
    """Sweep one stack of layers from the top down.

    Args:
        above: (T, S, B, directions * H), the gradient of the top layer's output.
        incoming: by [layer][direction], what arrives at the last real step of each sequence from beyond the pass; R = S
            * B rows.
        cuts: steps before which the gradient is cut.

    Returns:
        The gradients by [layer][direction], and what leaves the first step of each.
    """
    gradients: Rows = []
    leaving: list[list[IncomingGradient]] = []
    for layer in reversed(range(len(one.cell_traces))):
        cell_traces = one.cell_traces[layer]
        if gradients:
            above = gradient_below(gradients[-1], one.cell_traces[layer + 1])
            if layer in one.masks:
                above = Scaled(above.values * one.masks[layer][:, None], above.exponent)
        row, left_row, width = [], [], cell_traces[0].hidden.shape[-1]
        for d, cell_trace in enumerate(cell_traces):
            direct = above.units(d * width, (d + 1) * width)
            ordered = _flip_seeded(direct, one.lengths) if d else direct
            total, cell, grad_input_proj, left = _sweep_chain(
                cell_trace, ordered, incoming[layer][d], one.lengths, cuts
            )
            if d:
                total, grad_input_proj = _flip_seeded(total, one.lengths), _flip_seeded(grad_input_proj, one.lengths)
                cell = None if cell is None else _flip_seeded(cell, one.lengths)
            row.append(LayerGradients(total, direct, cell, grad_input_proj))
            left_row.append(left)
        gradients.append(row)
        leaving.append(left_row)
    return gradients[::-1], leaving[::-1]


def _sweep_chain(
    cell_trace: CellTrace, direct: Scaled, incoming: IncomingGradient | None, lengths: Tensor, cuts: Sequence[int]
) -> tuple[Scaled, Scaled | None, Scaled, IncomingGradient]:
    """Sweep one layer in one direction, in its own time order, block by block; each block has its own exponents.

    Args:
        incoming: enters each sequence at its last real step.

    Returns:
        dL/dh_t, dL/dc_t, dL/d(W_ih x_t + b_ih), and what leaves the first step.
    """
    axes = direct.exponent.shape[1:]  # (S, B); cell traces have these as rows
    direct = direct.in_rows()
    total = direct.values.new_empty(direct.values.shape)  # contiguous; `direct` may be a slice of the units
    total_cell = None if cell_trace.cell is None else total.new_empty(*total.shape[:-1], cell_trace.cell.shape[-1])
    buffers = SweepBuffers(total, total_cell, total.new_empty(*total.shape[:-1], len(cell_trace.weights.ih)))
    exponents = torch.empty_like(direct.exponent)
    zeros = tuple(torch.zeros_like(part[0]) for part in (total, total_cell) if part is not None)
    carried = IncomingGradient(zeros, torch.zeros_like(exponents[0]))
    ends = sorted({int(length) for length in lengths}) if incoming is not None else []
    ahead = _blocks(len(total), [*cuts, *ends])[::-1]  # a stack: the next block is last
    while ahead:
        start, stop = ahead.pop()
        enters = carried
        if incoming is not None and stop in ends:  # these sequences end here: nothing came from later steps
            enters = enters.with_rows_of(incoming, (lengths == stop).repeat(axes[0]).to(exponents.device))
        part = direct.steps(start, stop)
        leaves, rows = _sweep_block(cell_trace, start, stop, part, enters, buffers, axes[1])
        if stop - start > 1 and buffers.underflows(start, stop, part, enters, rows):
            middle = (start + stop) // 2
            ahead += [(start, middle), (middle, stop)]
            continue
        exponents[start:stop] = leaves.exponent
        carried = leaves if start not in cuts else IncomingGradient(zeros, leaves.exponent)

    def scaled(values: Tensor) -> Scaled:
        return Scaled(values, exponents).of_rows(axes)

    cell = None if total_cell is None else scaled(total_cell)
    return scaled(total), cell, scaled(buffers.grad_input_proj), carried


def _sweep_block(
    cell_trace: CellTrace,
    start: int,
    stop: int,
    direct: Scaled,
    enters: IncomingGradient,
    buffers: SweepBuffers,
    batch: int,
) -> tuple[IncomingGradient, slice]:
    """Sweep one block with one exponent for each row. Returns what leaves it, and which rows were swept.

    Seeds at either end of the axis that have not entered the sweep yet are skipped: if losses are in order of time,
    these are the earlier ones.
    """
    exponent, there = direct.common_exponent(enters.grad_carry, enters.exponent)
    grad_carry = [Scaled(part, enters.exponent).rescaled_to(exponent) for part in enters.grad_carry]
    rows = slice(0, len(there))
    if not bool(there.all()):
        seeds = there.view(-1, batch).any(1).nonzero()[:, 0].tolist() or [0]
        rows = slice(seeds[0] * batch, (seeds[-1] + 1) * batch)
        for values in buffers.all:
            values[start:stop, : rows.start] = 0
            values[start:stop, rows.stop :] = 0
    buffers.total[start:stop, rows] = direct.rows(rows).rescaled_to(exponent[rows])
    cell = None if buffers.total_cell is None else buffers.total_cell[:, rows]
    here = tuple(state[rows] for state in grad_carry)
    span = SweepSpan(start, stop, buffers.total[:, rows], cell, buffers.grad_input_proj[:, rows])
    left = cell_trace.backward_sweep(span, here)
    if rows != slice(0, len(there)):
        around = (0, 0, rows.start, len(there) - rows.stop)
        left = tuple(pad(state, around) for state in left)
    return IncomingGradient(left, exponent), rows


def _blocks(seq_len: int, cuts: Sequence[int]) -> list[tuple[int, int]]:
    """Split the steps, from the end, into (start, stop) of at most BLOCK steps that do not cross a cut."""
    edges = sorted({*range(seq_len, 0, -BLOCK), 0, *cuts}, reverse=True)
    return [(start, stop) for stop, start in pairwise(edges)]


def _flip_seeded(values: Scaled, lengths: Tensor) -> Scaled:
    """As `flip`, for gradients (T, S, B, H) with exponents (T, S, B)."""
    return Scaled(flip(values.values, lengths, 2), flip(values.exponent, lengths, 2))
