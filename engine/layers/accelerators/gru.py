"""The sweep of PyTorch's GRU by hand. All local slopes are computed at once; a step of the sweep is one product."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.layers.accelerators.slopes import sigmoid_slope, tanh_slope
from engine.layers.cell_trace import GradCarry, LibraryTrace, SweepSpan, backwards, by_seed
from engine.layers.step_gradients import OuterProducts, StepGradients


class GRUTrace(LibraryTrace):
    """Trace of one layer in one direction; see `engine.layers.cell_trace.CellTrace`."""

    def _fill(self, hidden: Tensor | None) -> None:
        assert hidden is not None  # PyTorch's layer has computed it
        self.hidden, weights, inputs = hidden, self.weights, self.inputs
        before, size = self.previous_hidden, hidden.shape[-1]
        from_input = linear(inputs, weights.ih, weights.bias_ih)
        from_state = linear(before, weights.recurrent, weights.bias_hh)
        gates = (from_input[..., : 2 * size] + from_state[..., : 2 * size]).sigmoid_()
        reset, update = gates.chunk(2, -1)
        to_candidate = from_state[..., 2 * size :]  # the reset gate multiplies this
        candidate = torch.addcmul(from_input[..., 2 * size :], reset, to_candidate).tanh_()
        self.gates = {"reset_gate": reset, "update_gate": update, "candidate": candidate}
        self.keep = update
        self.candidate_slope = tanh_slope(1 - update, candidate, torch.empty_like(hidden))  # dh/d(its preactivation)
        # dh_t / d(W_hh h_{t-1} + b_hh), one row for each block: (T, B, 3, H)
        self.slope = hidden.new_empty(*hidden.shape[:2], 3, size)
        sigmoid_slope(self.candidate_slope * to_candidate, reset, self.slope[:, :, 0])
        sigmoid_slope(before - candidate, update, self.slope[:, :, 1])
        torch.mul(self.candidate_slope, reset, out=self.slope[:, :, 2])

    def backward_sweep(self, span: SweepSpan, grad_carry: GradCarry) -> GradCarry:
        """See `CellTrace.backward_sweep`.

        `grad_input_proj` first holds dL/d(W_hh h_{t-1} + b_hh), which differs in the candidate.
        """
        start, stop, total, _, grad_input_proj = span
        total[stop - 1] += grad_carry[0]
        recurrent, batch, steps = self.weights.recurrent, self.hidden.shape[1], slice(start, stop)
        flat, through = total[steps], grad_input_proj[steps]
        grads, blocks = by_seed(flat, batch), by_seed(through, batch).unflatten(-1, (3, -1))
        later: tuple[Tensor, Tensor, Tensor] | None = None
        for total_grad, grad, beside, slope, keep, out, block in backwards(
            flat, grads, grads[:, :, :, None], self.slope[steps], self.keep[steps], through, blocks
        ):
            if later is not None:
                total_grad.addmm_(later[0], recurrent)
                grad.addcmul_(later[1], later[2])
            torch.mul(beside, slope, out=block)
            later = (out, grad, keep)
        leaving = torch.mm(through[0], recurrent)
        by_seed(leaving[None], batch)[0].addcmul_(grads[0], self.keep[start])
        torch.mul(grads, self.candidate_slope[steps, None], out=blocks[:, :, :, 2])
        return (leaving,)

    def state_projection_gradient(self, grad_input_proj: Tensor) -> Tensor:
        """See `LibraryTrace.state_projection_gradient`; the reset gate multiplies what W_hh adds to the candidate."""
        gates, candidate = grad_input_proj.tensor_split([2 * self.hidden.shape[-1]], -1)
        return torch.cat([gates, candidate * self.gates["reset_gate"]], -1)

    def step_gradients(self, total: Tensor, total_cell: Tensor | None) -> StepGradients:
        """See `CellTrace.step_gradients`."""
        from_state = (total[:, None] * self.slope[:, 0]).flatten(1)
        units = total.shape[-1]
        gates, candidate = from_state.tensor_split([2 * units], -1)
        from_input = torch.cat([gates, total * self.candidate_slope[:, 0]], -1)
        weights, terms = (
            self.weights.recurrent,
            [OuterProducts(slice(0, 3 * units), from_state, self.previous_hidden[:, 0])],
        )
        paths = {
            "kept": total * self.keep[:, 0],
            "gates": gates @ weights[: 2 * units],
            "candidate": candidate @ weights[2 * units :],
        }
        return StepGradients(from_input, paths, from_state=from_state, state_terms=terms)
