"""The long short-term memory cell with forget gate (PyTorch's block order i, f, g, o):

i, f, o = sigmoid(.), g = tanh(.), each of W_ih x_t + b_ih + W_hh h_{t-1} + b_hh; c_t = f * c_{t-1} + i * g;
h_t = o * tanh(c_t). Back in time, dc_t/dc_{t-1} = diag(f) along the cell state; further paths lead through h.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.cells.adjoint import (
    CellTrace,
    GradCarry,
    State,
    Weights,
    backwards,
    by_seed,
    previous,
    sigmoid_slope,
    tanh_slope,
)


class LSTMTrace(CellTrace):
    """Trace of one layer in one direction; see `engine.cells.adjoint.CellTrace`."""

    def __init__(self, weights: Weights, inputs: Tensor, hidden: Tensor, initial: State, nonlinearity: str) -> None:
        super().__init__(weights, inputs, hidden, initial)
        biases = None if weights.bias_hh is None or weights.bias_ih is None else weights.bias_hh + weights.bias_ih
        gates = linear(self.previous_hidden, weights.recurrent, biases)
        gates.flatten(0, 1).addmm_(inputs.flatten(0, 1), weights.ih.T)
        i, f, g, o = gates.chunk(4, -1)
        for gate in (i, f, o):
            gate.sigmoid_()
        g.tanh_()
        self.gates = {"input_gate": i, "forget_gate": f, "cell_candidate": g, "output_gate": o}
        self.cell = cell = _accumulate(f, i * g, initial[1])
        squashed = torch.tanh(cell)
        self.cell_to_hidden = tanh_slope(o, squashed, torch.empty_like(cell))  # dh_t/dc_t
        # dc_t/d(preactivations of i, f, g) and dh_t/d(preactivation of o): (T, B, 4, H)
        self.slope = cell.new_empty(*cell.shape[:2], 4, cell.shape[-1])
        sigmoid_slope(g, i, self.slope[:, :, 0])
        sigmoid_slope(previous(cell, initial[1]), f, self.slope[:, :, 1])
        tanh_slope(i, g, self.slope[:, :, 2])
        sigmoid_slope(squashed, o, self.slope[:, :, 3])

    def backward_sweep(
        self,
        start: int,
        stop: int,
        total: Tensor,
        total_cell: Tensor | None,
        grad_input_proj: Tensor,
        grad_carry: GradCarry,
    ) -> GradCarry:
        """See `CellTrace.backward_sweep`."""
        assert total_cell is not None
        total[stop - 1] += grad_carry[0]
        recurrent, batch, steps = self.weights.recurrent, self.hidden.shape[1], slice(start, stop)
        grads, through = total[steps], grad_input_proj[steps]
        cells, blocks = by_seed(total_cell[steps], batch), by_seed(through, batch).unflatten(-1, (4, -1))
        of_hidden = (grads, by_seed(grads, batch), self.slope[steps, :, 3], blocks[:, :, :, 3], through)
        of_cell = (cells, cells[:, :, :, None], self.cell_to_hidden[steps], self.gates["forget_gate"][steps])
        to_gates = (self.slope[steps, :, :3], blocks[:, :, :, :3])
        cell_later, later = grad_carry[1].unflatten(0, (-1, batch)), None
        for total_grad, grad, slope, out, flat, cell, beside, from_cell, keep, cell_slope, block in backwards(
            *of_hidden, *of_cell, *to_gates
        ):
            if later is not None:
                total_grad.addmm_(later, recurrent)
            torch.addcmul(cell_later, grad, from_cell, out=cell)
            torch.mul(beside, cell_slope, out=block)
            torch.mul(grad, slope, out=out)
            cell_later, later = cell * keep, flat
        return torch.mm(through[0], recurrent), cell_later.flatten(0, 1)


def _accumulate(forget: Tensor, written: Tensor, state: Tensor) -> Tensor:
    """Compute c_t = f_t * c_{t-1} + written_t, (T, B, H), starting from `state` (B, H)."""
    cell = torch.empty_like(written)
    for c_t, write, keep in zip(cell.unbind(), written.unbind(), forget.unbind(), strict=True):
        state = torch.addcmul(write, keep, state, out=c_t)
    return cell
