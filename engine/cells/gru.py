"""The gated recurrent unit as PyTorch and cuDNN compute it (reset after the product):

r = sigmoid(W_r x + U_r h'), z = sigmoid(W_z x + U_z h'), n = tanh(W_n x + b_in + r * (U_n h' + b_hn)),
h = (1 - z) * n + z * h', with h' = h_{t-1}. z near 1 KEEPS the old state: the opposite of Ng's notes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.cells.adjoint import CellTrace, GradCarry, State, Weights, backwards, by_seed, sigmoid_slope, tanh_slope


class GRUTrace(CellTrace):
    """Trace of one layer in one direction; see `engine.cells.adjoint.CellTrace`."""

    def __init__(self, weights: Weights, inputs: Tensor, hidden: Tensor, initial: State, nonlinearity: str) -> None:
        super().__init__(weights, inputs, hidden, initial)
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

    def backward_sweep(
        self,
        start: int,
        stop: int,
        total: Tensor,
        total_cell: Tensor | None,
        grad_input_proj: Tensor,
        grad_carry: GradCarry,
    ) -> GradCarry:
        """See `CellTrace.backward_sweep`.

        `grad_input_proj` first holds dL/d(W_hh h_{t-1} + b_hh), which differs in the candidate.
        """
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

    def grad_state_proj(self, grad_input_proj: Tensor) -> Tensor:
        """See `CellTrace.grad_state_proj`. In the candidate the reset gate multiplies W_hh h_{t-1} + b_hh."""
        gates, candidate = grad_input_proj.tensor_split([2 * self.hidden.shape[-1]], dim=-1)
        return torch.cat([gates, candidate * self.gates["reset_gate"][:, None]], dim=-1)
