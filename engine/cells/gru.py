"""The gated recurrent unit as PyTorch and cuDNN compute it (reset after the product):

r = sigmoid(W_r x + U_r h'), z = sigmoid(W_z x + U_z h'), n = tanh(W_n x + b_in + r * (U_n h' + b_hn)),
h = (1 - z) * n + z * h', with h' = h_{t-1}. z near 1 KEEPS the old state: the opposite of Ng's notes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.cells.adjoint import Carry, Record, State, Weights


class GRURecord(Record):
    """What one layer in one direction did; see `engine.cells.adjoint.Record`."""

    def __init__(self, weights: Weights, inputs: Tensor, hidden: Tensor, initial: State, nonlinearity: str) -> None:
        super().__init__(weights, inputs, hidden, initial)
        before = self.before
        from_input = linear(inputs, weights.ih, weights.bias_ih).chunk(3, -1)
        from_state = linear(before, weights.recurrent, weights.bias_hh).chunk(3, -1)
        reset = torch.sigmoid(from_input[0] + from_state[0])
        update = torch.sigmoid(from_input[1] + from_state[1])
        candidate = torch.tanh(from_input[2] + reset * from_state[2])
        self.gates = {"reset_gate": reset, "update_gate": update, "candidate": candidate}
        self.keep = update
        through_candidate = (1 - update) * (1 - candidate * candidate)  # dh/d(argument of tanh)
        # dh_t / d(W_hh h_{t-1} + b_hh), the three blocks side by side: (T, B, 3, H)
        self.slope = torch.stack(
            [
                through_candidate * from_state[2] * reset * (1 - reset),
                (before - candidate) * update * (1 - update),
                through_candidate * reset,
            ],
            dim=2,
        )
        self.input_slope = torch.cat([self.slope[:, :, :2], through_candidate[:, :, None]], dim=2)

    def sweep(
        self, start: int, stop: int, total: Tensor, total_cell: Tensor | None, entering: Tensor, carry: Carry
    ) -> Carry:
        """See `Record.sweep`."""
        (from_later,) = carry
        steps = zip(*(each[start:stop].unbind() for each in (total, self.slope, self.keep)), strict=True)
        for grad, slope, keep in reversed(list(steps)):
            grad += from_later
            blocks = (grad[:, :, None] * slope).flatten(2)  # (S, B, 3H)
            from_later = torch.addcmul(torch.matmul(blocks, self.weights.recurrent), grad, keep)
        entering[start:stop] = (total[start:stop, :, :, None] * self.input_slope[start:stop, None]).flatten(3)
        return (from_later,)

    def entering_state(self, entering: Tensor) -> Tensor:
        """See `Record.entering_state`: the reset gate stands between the product with h_{t-1} and the candidate."""
        gates, candidate = entering.tensor_split([2 * self.hidden.shape[-1]], dim=-1)
        return torch.cat([gates, candidate * self.gates["reset_gate"][:, None]], dim=-1)
