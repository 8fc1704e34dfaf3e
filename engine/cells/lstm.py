"""The long short-term memory cell with forget gate (PyTorch's block order i, f, g, o):

i, f, o = sigmoid(.), g = tanh(.), each of W_ih x_t + b_ih + W_hh h_{t-1} + b_hh; c_t = f * c_{t-1} + i * g;
h_t = o * tanh(c_t). The road back in time is the cell state: dc_t/dc_{t-1} = diag(f), and what comes through h besides.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.cells.adjoint import Carry, Record, State, Weights, previous


class LSTMRecord(Record):
    """What one layer in one direction did; see `engine.cells.adjoint.Record`."""

    def __init__(self, weights: Weights, inputs: Tensor, hidden: Tensor, initial: State, nonlinearity: str) -> None:
        super().__init__(weights, inputs, hidden, initial)
        gates = linear(inputs, weights.ih, weights.bias_ih) + linear(self.before, weights.recurrent, weights.bias_hh)
        i, f, g, o = gates.chunk(4, -1)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        self.gates = {"input_gate": i, "forget_gate": f, "cell_candidate": g, "output_gate": o}
        self.cell = cell = _accumulate(f, i * g, initial[1])
        squashed = torch.tanh(cell)
        self.cell_to_hidden = o * (1 - squashed * squashed)  # dh_t/dc_t
        self.output_slope = squashed * o * (1 - o)  # dh_t/d(argument of o)
        # dc_t/d(arguments of i, f, g), side by side: (T, B, 3, H)
        old_cell = previous(cell, initial[1])
        self.slope = torch.stack([g * i * (1 - i), old_cell * f * (1 - f), i * (1 - g * g)], dim=2)

    def sweep(
        self, start: int, stop: int, total: Tensor, total_cell: Tensor | None, entering: Tensor, carry: Carry
    ) -> Carry:
        """See `Record.sweep`."""
        assert total_cell is not None
        hidden_later, cell_later = carry
        recorded = (self.cell_to_hidden, self.slope, self.output_slope, self.gates["forget_gate"])
        steps = zip(*(each[start:stop].unbind() for each in (total, total_cell, entering, *recorded)), strict=True)
        for grad, grad_cell, blocks, to_hidden, slope, output_slope, forget in reversed(list(steps)):
            grad += hidden_later
            torch.addcmul(cell_later, grad, to_hidden, out=grad_cell)
            torch.cat([(grad_cell[:, :, None] * slope).flatten(2), grad * output_slope], dim=-1, out=blocks)
            hidden_later = torch.matmul(blocks, self.weights.recurrent)
            cell_later = grad_cell * forget
        return hidden_later, cell_later


def _accumulate(forget: Tensor, written: Tensor, state: Tensor) -> Tensor:
    """c_t = f_t * c_{t-1} + written_t, the only recursion of the forward pass. (T, B, H), from `state` (B, H)."""
    cell = torch.empty_like(written)
    for c_t, write, keep in zip(cell.unbind(), written.unbind(), forget.unbind(), strict=True):
        state = torch.addcmul(write, keep, state, out=c_t)
    return cell
