"""The LSTM's sweep by hand. All local slopes are computed at once; a step of the sweep is one product."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.layers.accelerators.slopes import sigmoid_slope, tanh_slope
from engine.layers.cell_trace import GradCarry, LibraryTrace, SweepSpan, backwards, by_seed, previous
from engine.layers.step_gradients import OuterProducts, StepGradients


class LSTMTrace(LibraryTrace):
    """Trace of one layer in one direction; see `engine.layers.cell_trace.CellTrace`."""

    def _fill(self, hidden: Tensor | None) -> None:
        assert hidden is not None  # PyTorch's layer has computed it
        self.hidden, weights, inputs, first_cell = hidden, self.weights, self.inputs, self.initial[1][0]
        biases = None if weights.bias_hh is None or weights.bias_ih is None else weights.bias_hh + weights.bias_ih
        gates = linear(self.previous_hidden, weights.recurrent, biases)
        gates.flatten(0, 1).addmm_(inputs.flatten(0, 1), weights.ih.T)
        i, f, g, o = gates.chunk(4, -1)
        for gate in (i, f, o):
            gate.sigmoid_()
        g.tanh_()
        self.gates = {"input_gate": i, "forget_gate": f, "cell_candidate": g, "output_gate": o}
        self.cell = cell = _accumulate(f, i * g, first_cell)
        squashed = torch.tanh(cell)
        self.cell_to_hidden = tanh_slope(o, squashed, torch.empty_like(cell))  # dh_t/dc_t
        # dc_t/d(preactivations of i, f, g) and dh_t/d(preactivation of o): (T, B, 4, H)
        self.slope = cell.new_empty(*cell.shape[:2], 4, cell.shape[-1])
        sigmoid_slope(g, i, self.slope[:, :, 0])
        sigmoid_slope(previous(cell, first_cell), f, self.slope[:, :, 1])
        tanh_slope(i, g, self.slope[:, :, 2])
        sigmoid_slope(squashed, o, self.slope[:, :, 3])

    def backward_sweep(self, span: SweepSpan, grad_carry: GradCarry) -> GradCarry:
        """See `CellTrace.backward_sweep`."""
        start, stop, total, total_cell, grad_input_proj = span
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

    def step_gradients(self, total: Tensor, total_cell: Tensor | None) -> StepGradients:
        """See `CellTrace.step_gradients`."""
        cell = total * self.cell_to_hidden[:, 0] if total_cell is None else total_cell
        beside = torch.stack([cell, cell, cell, total], 1)
        through = (beside * self.slope[:, 0]).flatten(1)
        terms = [OuterProducts(slice(0, through.shape[-1]), through, self.previous_hidden[:, 0])]
        paths = {"kept": cell * self.gates["forget_gate"][:, 0], "gates": through @ self.weights.recurrent}
        return StepGradients(through, paths, cell, from_state=through, state_terms=terms)


def _accumulate(forget: Tensor, written: Tensor, state: Tensor) -> Tensor:
    """Compute c_t = f_t * c_{t-1} + written_t, (T, B, H), starting from `state` (B, H)."""
    cell = torch.empty_like(written)
    for c_t, write, keep in zip(cell.unbind(), written.unbind(), forget.unbind(), strict=True):
        state = torch.addcmul(write, keep, state, out=c_t)
    return cell
