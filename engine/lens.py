"""The lens: the gradient at every step in time, from one forward call and one adjoint sweep, without autograd.

The fused layers of the library keep no gradient of h_t (what `retain_grad` on their output shows is only the direct
part, exactly 0 for every t < T where the loss is read at the end). So the model runs once as it is; from its states,
weights and inputs the local slopes of every step are recomputed, and dL/dh_t = direct_t + J_{t+1}^T dL/dh_{t+1} is
swept backwards in plain tensors. Tests hold it against autograd on an unrolled loop.

Axes: layer, direction, T, S (seeds: several losses swept at once), B (sequences), H (units).
Source of the recursion: Werbos (1990), back-propagation through time; Pascanu, Mikolov and Bengio (2013), section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from engine.cells.adjoint import Carry, Record
from engine.cells.align import flip
from engine.model import RecurrentNetwork
from engine.observation import Observation, Pass, observe
from engine.scaled import Scaled
from engine.tasks import Batch
from engine.tasks.base import first_counted, last_counted

BLOCK = 16  # steps between two rescalings of the sweep: a factor of 0.004 per step still stays in float32's range


@dataclass(frozen=True, eq=False)
class GradientFlow:
    """What a batch did to a network and what its loss asks of it, at every step in time.

    All arrays are NumPy, (layers, directions, T, batch, units), an encoder's steps before its decoder's; states in the
    model's dtype, gradients in float64 (a norm of 1e-60 is a number here, not 0). Padded steps are 0. The reverse
    direction is indexed by the position read.

    Args:
        hidden: h_t. cell: c_t, or None. gates: {name: values}.
        grad_hidden: dL/dh_t, total: every path, also through later steps. Unit: loss per unit of h.
        grad_hidden_direct: the part that enters the layer at t from above (head, or the layer above).
        grad_cell: dL/dc_t, total, or None.
    """

    hidden: np.ndarray
    grad_hidden: np.ndarray
    grad_hidden_direct: np.ndarray
    cell: np.ndarray | None
    grad_cell: np.ndarray | None
    gates: dict[str, np.ndarray]


def gradient_flow(model: RecurrentNetwork, batch: Batch, loss: str | int = "all") -> GradientFlow:
    """The gradient of L, the mean over the batch, at every state, in evaluation mode.

    Calls model(batch) exactly once (hooks fire), in the model's dtype, and changes nothing.

    Args:
        loss: "all" for L itself; "last" or "first" for the weighted term of each sequence's last or first counted step
            alone; a number k for the term of step k, counted as `batch.mask` counts.
    """
    look = observe(model, batch)
    swept = sweep(look, seed(look, [loss]))
    size = len(batch.lengths)

    def gradient(pick: Callable[[Swept], Scaled | None]) -> np.ndarray | None:
        values = [[pick(each) for each in row] for row in swept]
        if values[0][0] is None:
            return None
        return np.stack([[each.full()[:, 0].cpu().numpy() / size for each in row if each] for row in values])

    total, direct = gradient(lambda each: each.total), gradient(lambda each: each.direct)
    assert total is not None and direct is not None
    return GradientFlow(
        hidden=look.states(lambda record: record.hidden),
        grad_hidden=total,
        grad_hidden_direct=direct,
        cell=look.states(lambda record: record.cell) if look.has_cell_state else None,
        grad_cell=gradient(lambda each: each.total_cell),
        gates=look.gates(),
    )


def seed(look: Observation, losses: Sequence[str | int]) -> Tensor:
    """d(sum over b of the chosen part of l_b)/d(output): (T, S, B, directions * H), one seed per entry of `losses`."""
    model, batch = look.model, look.batch
    with torch.enable_grad():
        output = look.output.detach().requires_grad_()
        per_step = model.step_losses(model.read(output, batch.lengths), batch)
        weighted = per_step * model.loss_weights(batch)
        parts = [(weighted * torch.tensor(_chosen(batch, which), device=output.device)).sum() for which in losses]
        grads = [torch.autograd.grad(part, output, retain_graph=True)[0] for part in parts]
    return torch.stack(grads, dim=1)


@dataclass(frozen=True, eq=False)
class Swept:
    """One layer in one direction after the sweep, by position: (T, S, B, H) each."""

    total: Scaled
    direct: Scaled
    total_cell: Scaled | None

    def after(self, earlier: Swept) -> Swept:
        """The same with the steps of an earlier pass before its own."""
        cell = None
        if self.total_cell is not None and earlier.total_cell is not None:
            cell = Scaled.join([earlier.total_cell, self.total_cell])
        return Swept(Scaled.join([earlier.total, self.total]), Scaled.join([earlier.direct, self.direct]), cell)


@dataclass(frozen=True, eq=False)
class Arriving:
    """A gradient on its way back in time, under way from one step to the one before: (S, B, H) for each state."""

    carry: Carry
    exponent: Tensor  # (S, B) int32, one for all states


@torch.no_grad()
def sweep(look: Observation, grad_output: Tensor) -> list[list[Swept]]:
    """From d/d(output) back through all passes, layers, directions and steps. Indexed [layer][direction].

    What reaches the decoder's first step, layer by layer, goes on into the encoder where each sequence ended.
    """
    whole: list[list[Swept]] | None = None
    arriving: list[Arriving | None] = [None] * look.model.experiment.num_layers
    for one in reversed(look.passes):
        above = grad_output if whole is None else grad_output.new_zeros(len(one.output), *grad_output.shape[1:])
        cuts = look.model.cuts(len(one.output)) if len(look.passes) == 1 else []
        rows, arriving = _sweep_pass(one, Scaled.of(above), arriving, cuts)
        if whole is not None:
            both = zip(whole, rows, strict=True)
            rows = [[late.after(early) for late, early in zip(*row, strict=True)] for row in both]
        whole = rows
    assert whole is not None
    return whole


def _sweep_pass(
    one: Pass, above: Scaled, arriving: Sequence[Arriving | None], cuts: Sequence[int]
) -> tuple[list[list[Swept]], list[Arriving | None]]:
    """One stack of layers, from the top down. Returns also what leaves its first step, by layer."""
    swept: list[list[Swept]] = []
    leaving: list[Arriving | None] = []
    for layer, later in zip(reversed(one.records), reversed(arriving), strict=True):
        row, below, width = [], [], layer[0].hidden.shape[-1]
        for d, record in enumerate(layer):
            direct = above.units(d * width, (d + 1) * width)
            ordered = _flip_seeded(direct, one.lengths) if d else direct
            total, cell, entering, left = _sweep_record(record, ordered, later, one.lengths, cuts)
            back = Scaled(torch.matmul(entering.values, record.weights.ih), entering.exponent)
            if d:
                total, back = _flip_seeded(total, one.lengths), _flip_seeded(back, one.lengths)
                cell = None if cell is None else _flip_seeded(cell, one.lengths)
            row.append(Swept(total, direct, cell))
            below.append(back)
            leaving.append(left)
        swept.append(row)
        above = below[0] if len(below) == 1 else below[0].plus(below[1])
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


def _chosen(batch: Batch, which: str | int) -> np.ndarray:
    """(T, batch) bool: the counted steps that a name of `gradient_flow`'s argument `loss` stands for."""
    t = np.arange(len(batch.mask))[:, None]
    if which == "all":
        return batch.mask
    if which == "last":
        return t == last_counted(batch.mask)
    if which == "first":
        return t == first_counted(batch.mask)
    return batch.mask & (t == which)
