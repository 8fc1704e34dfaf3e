"""PyTorch's LSTM: c_t = f c_{t-1} + i g, h_t = o tanh(c_t)."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.layers.accelerators.slopes import sigmoid_slope, tanh_slope
from engine.many.recurrences.recurrence import Recurrence, backwards, by_network


class LSTM(Recurrence):
    """The LSTM side by side; see `Recurrence`. Blocks of the weights: i, f, g, o."""

    def _states(self) -> Tensor:
        units = self.units
        self.gates = self.project("gates", slice(None), self.weights["bias_ih"] + self.weights["bias_hh"])
        self.cell, self.squashed = self.buffer("cell", units), self.buffer("squashed", units)
        recurrent, hidden = self.to_next(), self.buffer("hidden", units)
        before, cell_before, written = None, self.zeros(), self.zeros()
        for gates, cell, squashed, state in zip(
            *(each.unbind() for each in (self.gates, self.cell, self.squashed, hidden)), strict=True
        ):
            if before is not None:
                gates.baddbmm_(before, recurrent)
            gates[..., : 2 * units].sigmoid_()
            i, f, g, o = gates.split(units, -1)
            torch.mul(i, g.tanh_(), out=written)
            cell_before = torch.addcmul(written, f, cell_before, out=cell)
            before = torch.mul(o.sigmoid_(), torch.tanh(cell, out=squashed), out=state)
        return hidden

    def _sweep(self, grad: Tensor) -> tuple[Tensor, Tensor]:
        steps, networks, batch = grad.shape[:3]
        to_hidden, slopes = self._slopes()
        through = self.buffer("through", 4 * self.units).view(steps, networks, batch, 4, self.units)
        keep, recurrent, later = self.gates[..., self.units : 2 * self.units], self.from_next(), None
        self.total, cell_later = self.buffer("grad_cell", self.units), self.zeros()
        for total, total_cell, of_hidden, forget, slope, blocks in backwards(
            grad, self.total, to_hidden, keep, slopes, through
        ):
            if later is not None:
                total.baddbmm_(later.flatten(2), recurrent)
            torch.addcmul(cell_later, total, of_hidden, out=total_cell)
            torch.mul(total_cell.unsqueeze(2), slope[..., :3, :], out=blocks[..., :3, :])
            torch.mul(total, slope[..., 3, :], out=blocks[..., 3, :])
            torch.mul(total_cell, forget, out=cell_later)
            later = blocks
        from_input = by_network(through.flatten(3))
        return from_input, from_input

    def _slopes(self) -> tuple[Tensor, Tensor]:
        """dh_t/dc_t, (T, S, B, H), and the slopes by blocks: of c_t for i, f, g, of h_t for o, (T, S, B, 4, H)."""
        steps, networks, batch = self.hidden.shape[:3]
        i, f, g, o = self.gates.split(self.units, -1)
        before = self.buffer("before", self.units)
        before[0], before[1:] = 0, self.cell[:-1]
        slopes = self.buffer("slopes", 4 * self.units).view(steps, networks, batch, 4, self.units)
        sigmoid_slope(g, i, slopes[..., 0, :])
        sigmoid_slope(before, f, slopes[..., 1, :])
        tanh_slope(i, g, slopes[..., 2, :])
        sigmoid_slope(self.squashed, o, slopes[..., 3, :])
        return tanh_slope(o, self.squashed, self.buffer("to_hidden", self.units)), slopes
