"""One adjoint sweep backwards through a remembered forward pass, in plain tensors, without autograd.

From the states, weights and inputs the local slopes of every step were recomputed, and dL/dh_t = direct_t +
J_{t+1}^T dL/dh_{t+1} is swept back, block by block, each with its own power of two. Axes: layer, direction, T, S
(seeds: several losses swept at once), B (sequences), H (units).
Source of the recursion: Werbos (1990), back-propagation through time; Pascanu, Mikolov and Bengio (2013), section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from engine.cells.adjoint import Carry, Record
from engine.cells.align import flip
from engine.observation import Observation, Pass
from engine.scaled import Scaled

BLOCK = 16  # steps between two rescalings of the sweep: a factor of 0.004 per step still stays in float32's range


@dataclass(frozen=True, eq=False)
class Swept:
    """One layer in one direction after the sweep, by position: (T, S, B, H) each, `entering` (T, S, B, G*H).

    total, direct: dL/dh_t. total_cell: dL/dc_t, or None. entering: dL/d(W_ih x_t + b_ih).
    """

    total: Scaled
    direct: Scaled
    total_cell: Scaled | None
    entering: Scaled


Rows = list[list[Swept]]
"""Indexed [layer][direction]."""


@dataclass(frozen=True, eq=False)
class Backward:
    """What a sweep found, pass by pass in the order of time: a network's only one, or encoder and decoder."""

    look: Observation
    passes: list[Rows]

    @property
    def chains(self) -> Rows:
        """Over the whole time axis: an encoder's steps, then its decoder's."""
        if len(self.passes) == 1:
            return self.passes[0]
        return [[_joined(parts) for parts in zip(*rows, strict=True)] for rows in zip(*self.passes, strict=True)]

    def inputs(self) -> list[Scaled]:
        """For each pass dL/d(what its first layer read), (T, S, B, I)."""
        return [_below(rows[0], one.records[0]) for rows, one in zip(self.passes, self.look.passes, strict=True)]


@dataclass(frozen=True, eq=False)
class Chain:
    """One pass of one layer in one direction, for one sequence and one seed: its real steps, in its own time order.

    float64, without the axes of seeds and sequences: total, direct, and cell where there is one (n, H), entering
    (n, G*H). `record` keeps an axis for its one sequence, (n, 1, ...). positions (n,): where the steps stand.
    """

    record: Record
    total: Tensor
    direct: Tensor
    cell: Tensor | None
    entering: Tensor
    positions: np.ndarray

    @property
    def memory(self) -> Tensor:
        """dL/ds_t, s the state that carries memory."""
        return self.total if self.cell is None else self.cell


def chains_of(backward: Backward, layer: int, direction: int, sequence: int = 0, seed: int = 0) -> list[Chain]:
    """One chain, pass by pass in the order of time."""
    found, start = [], 0
    for one, rows in zip(backward.look.passes, backward.passes, strict=True):
        real, swept, record = int(one.lengths[sequence]), rows[layer][direction], one.records[layer][direction]
        weights = record.weights.changed(Tensor.double)
        own = record.changed(lambda values, real=real: values[:real, sequence : sequence + 1].double())  # type: ignore[misc]
        own.weights = weights

        def in_order(scaled: Scaled, real: int = real) -> Tensor:
            values = Scaled(scaled.values[:real, seed, sequence], scaled.exponent[:real, seed, sequence]).full()
            return values.flip(0) if direction else values

        positions = start + np.arange(real)
        found.append(
            Chain(
                own,
                in_order(swept.total),
                in_order(swept.direct),
                None if swept.total_cell is None else in_order(swept.total_cell),
                in_order(swept.entering),
                positions[::-1] if direction else positions,
            )
        )
        start += len(one.output)
    return found


def _joined(parts: Sequence[Swept]) -> Swept:
    """One chain through several passes."""
    cells = [part.total_cell for part in parts if part.total_cell is not None]
    return Swept(
        Scaled.join([part.total for part in parts]),
        Scaled.join([part.direct for part in parts]),
        Scaled.join(cells) if cells else None,
        Scaled.join([part.entering for part in parts]),
    )


def _below(row: Sequence[Swept], records: Sequence[Record]) -> Scaled:
    """What reaches the layer below, or the inputs: from all directions of a layer."""
    back = [
        Scaled(torch.matmul(swept.entering.values, record.weights.ih), swept.entering.exponent)
        for swept, record in zip(row, records, strict=True)
    ]
    return back[0] if len(back) == 1 else back[0].plus(back[1])


@dataclass(frozen=True, eq=False)
class Arriving:
    """A gradient on its way back in time, under way from one step to the one before: (S, B, H) for each state."""

    carry: Carry
    exponent: Tensor  # (S, B) int32, one for all states


@torch.no_grad()
def sweep(look: Observation, grad_output: Tensor) -> Backward:
    """From d/d(output) back through all passes, layers, directions and steps. grad_output: (T, S, B, directions * H).

    What reaches the decoder's first step, layer by layer, goes on into the encoder where each sequence ended.
    """
    passes: list[Rows] = []
    arriving: list[Arriving | None] = [None] * look.model.experiment.num_layers
    for one in reversed(look.passes):
        above = grad_output if not passes else grad_output.new_zeros(len(one.output), *grad_output.shape[1:])
        cuts = look.model.cuts(len(one.output)) if len(look.passes) == 1 else []
        rows, arriving = _sweep_pass(one, Scaled.of(above), arriving, cuts)
        passes.append(rows)
    return Backward(look, passes[::-1])


def _sweep_pass(
    one: Pass, above: Scaled, arriving: Sequence[Arriving | None], cuts: Sequence[int]
) -> tuple[Rows, list[Arriving | None]]:
    """One stack of layers, from the top down. Returns also what leaves its first step, by layer."""
    swept: Rows = []
    leaving: list[Arriving | None] = []
    for layer, later in zip(reversed(one.records), reversed(arriving), strict=True):
        if swept:
            above = _below(swept[-1], one.records[len(one.records) - len(swept)])
        row, width = [], layer[0].hidden.shape[-1]
        for d, record in enumerate(layer):
            direct = above.units(d * width, (d + 1) * width)
            ordered = _flip_seeded(direct, one.lengths) if d else direct
            total, cell, entering, left = _sweep_record(record, ordered, later, one.lengths, cuts)
            if d:
                total, entering = _flip_seeded(total, one.lengths), _flip_seeded(entering, one.lengths)
                cell = None if cell is None else _flip_seeded(cell, one.lengths)
            row.append(Swept(total, direct, cell, entering))
            leaving.append(left)
        swept.append(row)
    return swept[::-1], leaving[::-1]


def _sweep_record(
    record: Record, direct: Scaled, arriving: Arriving | None, lengths: Tensor, cuts: Sequence[int]
) -> tuple[Scaled, Scaled | None, Scaled, Arriving]:
    """One layer in one direction, in its own time order, block by block; each block has its own power of two.

    Returns dL/dh_t, dL/dc_t, dL/d(W_ih x_t + b_ih), and what leaves the first step. `arriving` enters each sequence at
    its last real step.
    """
    total, exponents = torch.empty_like(direct.values), torch.empty_like(direct.exponent)
    total_cell = None if record.cell is None else torch.empty_like(total)
    entering = total.new_empty(*total.shape[:-1], len(record.weights.ih))
    nothing = torch.zeros_like(total[0])
    carry: Carry = (nothing,) if total_cell is None else (nothing, nothing)
    exponent = torch.zeros_like(exponents[0])
    ends = sorted({int(length) for length in lengths}) if arriving is not None else []
    for start, stop in _blocks(len(total), [*cuts, *ends]):
        if arriving is not None and stop in ends:
            here = (lengths == stop).to(exponent.device)  # until here nothing was under way in these sequences
            carry = tuple(torch.where(here[:, None], new, old) for new, old in zip(arriving.carry, carry, strict=True))
            exponent = torch.where(here, arriving.exponent, exponent)
        part = direct.steps(start, stop)
        fitting = part.exponent_beside(carry, exponent)
        carry = tuple(Scaled(each, exponent).at(fitting) for each in carry)
        total[start:stop] = part.at(fitting)
        exponents[start:stop] = exponent = fitting
        carry = record.sweep(start, stop, total, total_cell, entering, carry)
        if start in cuts:
            carry = tuple(torch.zeros_like(each) for each in carry)
    cell = None if total_cell is None else Scaled(total_cell, exponents)
    return Scaled(total, exponents), cell, Scaled(entering, exponents), Arriving(carry, exponent)


def _blocks(seq_len: int, cuts: Sequence[int]) -> list[tuple[int, int]]:
    """From the end: stretches of at most BLOCK steps that never cross a cut."""
    edges = sorted({*range(seq_len, 0, -BLOCK), 0, *cuts}, reverse=True)
    return [(start, stop) for stop, start in pairwise(edges)]


def _flip_seeded(values: Scaled, lengths: Tensor) -> Scaled:
    """The same for swept gradients, (T, S, B, H) with exponents (T, S, B)."""
    return Scaled(flip(values.values, lengths, 2), flip(values.exponent, lengths, 2))
