"""The Jacobians ds_t/ds_before of the steps of one pass: in factored form where the cell allows it, else row by row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from engine.cells import Cell
from engine.layers.cell_trace import CellTrace


class StepJacobians(Protocol):
    """The Jacobians of one pass."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(parts of the state: 1 (h) or 2 (h and c), steps, units)."""

    @property
    def finite(self) -> bool:
        """True if all numbers that they are made of are finite."""

    def dense(self, start: int, stop: int) -> Tensor:
        """The Jacobians of these steps, (stop - start, n, n): row i, column j is d s_t[i] / d s_before[j]."""

    def of_units(self, count: int) -> Tensor:
        """The rows and columns of the first units of every part of the state, all steps: (T, P * count, P * count)."""

    def matmul(self, step: int, frame: Tensor) -> Tensor:
        """Multiply the Jacobian of a step by a matrix, (n, m) to (n, m)."""

    def left_product(self, product: Tensor, step: int) -> Tensor:
        """Multiply a float32 matrix by the Jacobian of a step, (m, n) to (m, n)."""


@dataclass(frozen=True, eq=False)
class Links:
    """The Jacobians of one pass in factored form: different units interact only through the product with weight_hh.

    P is the number of parts of the state: 1 (h), or 2 (h and c).

    Args:
        blocks: (G, H, H), weight_hh; G is 0 for a cell that is not recurrent.
        through: (P, T, G, H), derivative of each part of the state with respect to W_hh h_{t-1} + b_hh.
        direct: (P, T, P, H), derivative of each part with respect to each previous part on paths without weight_hh,
            unit by unit.
    """

    blocks: Tensor
    through: Tensor
    direct: Tensor

    def dense(self, start: int, stop: int) -> Tensor:
        """See `StepJacobians`."""
        parts, units = len(self.through), self.direct.shape[-1]
        whole = self.direct.new_zeros(stop - start, parts, units, parts, units)
        for part in range(parts):
            slopes = self.through[part, start:stop].permute(2, 0, 1)  # (H, T, G)
            whole[:, part, :, 0] = torch.bmm(slopes, self.blocks.transpose(0, 1)).transpose(0, 1)
            for before in range(parts):
                whole[:, part, :, before].diagonal(dim1=1, dim2=2).add_(self.direct[part, start:stop, before])
        return whole.view(stop - start, parts * units, parts * units)

    def of_units(self, count: int) -> Tensor:
        """See `StepJacobians`."""
        some = Links(self.blocks[:, :count, :count], self.through[..., :count], self.direct[..., :count])
        return some.dense(0, self.shape[1])

    @property
    def shape(self) -> tuple[int, int, int]:
        """See `StepJacobians`."""
        parts, steps, _, units = self.direct.shape
        return parts, steps, units

    @property
    def finite(self) -> bool:
        """See `StepJacobians`."""
        return all(bool(torch.isfinite(part).all()) for part in (self.blocks, self.through, self.direct))

    @cached_property
    def hidden_columns(self) -> Tensor:
        """The columns that belong to h of every Jacobian, (T, n, H) float32; those of c are diagonal."""
        parts, steps, _, units = self.through.shape
        slopes = self.through.float().permute(3, 1, 0, 2).flatten(1, 2)  # (H, T * P, G)
        columns = self.through.new_empty(steps, parts, units, units, dtype=torch.float32)
        torch.bmm(slopes, self.blocks.float().transpose(0, 1), out=columns.permute(2, 0, 1, 3).flatten(1, 2))
        columns.diagonal(dim1=2, dim2=3).add_(self.direct[:, :, 0].transpose(0, 1))
        return columns.flatten(1, 2)

    def matmul(self, step: int, frame: Tensor) -> Tensor:
        """See `StepJacobians`; the Jacobian is not built."""
        before = frame.unflatten(0, (-1, self.direct.shape[-1]))  # (P, H, m)
        arguments = torch.matmul(self.blocks, before[0])  # (G, H, m)
        after = (self.through[:, step, :, :, None] * arguments).sum(1)
        return (after + (self.direct[:, step, :, :, None] * before).sum(1)).flatten(0, 1)

    def left_product(self, product: Tensor, step: int) -> Tensor:
        """See `StepJacobians`. Only the columns of h need a matrix product."""
        units, parts = self.direct.shape[-1], [product @ self.hidden_columns[step]]
        if len(self.direct) > 1:
            from_hidden, from_cell = self.direct_float[0, step, 1], self.direct_float[1, step, 1]
            parts.append(torch.addcmul(product[:, :units] * from_hidden, product[:, units:], from_cell))
        return torch.cat(parts, 1) if len(parts) > 1 else parts[0]

    @cached_property
    def direct_float(self) -> Tensor:
        """`direct` in float32."""
        return self.direct.float()


@dataclass(frozen=True, eq=False)
class WholeSteps:
    """The Jacobians of one pass of a cell whose units meet in other ways as well.

    They are computed row by row from the derivative of the steps, when they are asked for.
    """

    trace: CellTrace  # of a single sequence, float64

    @property
    def shape(self) -> tuple[int, int, int]:
        """See `StepJacobians`."""
        return len(self.trace.kind.states), len(self.trace.hidden), self.trace.hidden.shape[-1]

    @property
    def finite(self) -> bool:
        """See `StepJacobians`."""
        return all(bool(torch.isfinite(state).all()) for state in self.trace.before.values())

    def dense(self, start: int, stop: int) -> Tensor:
        """See `StepJacobians`."""
        return self.trace.jacobians(start, stop)

    def of_units(self, count: int) -> Tensor:
        """See `StepJacobians`."""
        parts, steps, units = self.shape
        kept = (torch.arange(parts)[:, None] * units + torch.arange(count)).flatten()
        return torch.cat([self.dense(t, t + 1)[:, kept][:, :, kept] for t in range(steps)])

    def matmul(self, step: int, frame: Tensor) -> Tensor:
        """See `StepJacobians`."""
        return self.dense(step, step + 1)[0] @ frame

    def left_product(self, product: Tensor, step: int) -> Tensor:
        """See `StepJacobians`."""
        return product @ self.dense(step, step + 1)[0].to(product.dtype)


def jacobians_of_pass(cell_trace: CellTrace, kind: Cell, real: int, sequence: int) -> StepJacobians:
    """The Jacobians of one pass, in the form that its cell allows."""
    single = cell_trace.single_sequence(sequence, real)
    return _links(single, kind) if kind.structure.is_unitwise else WholeSteps(single)


def _links(single: CellTrace, kind: Cell) -> Links:
    """Read the factored Jacobians from the derivative of the steps, all of them at once.

    The seed is 1 in every unit of one part of the state: since units interact only through weight_hh, the gradient at a
    unit's preactivation is the derivative of that unit alone.
    """
    real, units, parts = len(single.hidden), single.hidden.shape[-1], len(kind.states)
    seeds = torch.eye(parts, dtype=torch.float64)[..., None, None].expand(-1, -1, real, units)  # (P, seed, T, H)
    found = single.unit_gradients(tuple(seeds.unbind()))
    direct = torch.stack([part.unflatten(0, (parts, real)) for part in found.carry(kind)], 2)  # (seed, T, before, H)
    if found.from_state is None:
        return Links(direct.new_zeros(0, units, units), direct.new_zeros(parts, real, 0, units), direct)
    through = found.from_state.unflatten(0, (parts, real)).unflatten(-1, (kind.blocks, units))
    through[:, single.cut_steps] = 0  # the product is there, but reads nothing
    return Links(single.weights.recurrent.unflatten(0, (kind.blocks, units)), through, direct)
