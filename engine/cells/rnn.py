"""The plain (Elman) cell, tanh or ReLU: h_t = phi(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh).

Jacobian dh_t/dh_{t-1} = diag(phi') W_hh, with phi' = 1 - h^2 for tanh and [h > 0] for ReLU.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.cells.adjoint import Carry, Weights


class RNNRecord:
    """What one layer in one direction did; see `engine.cells.adjoint.Record`."""

    cell: Tensor | None = None

    def __init__(self, weights: Weights, inputs: Tensor, hidden: Tensor, nonlinearity: str) -> None:
        self.weights, self.hidden = weights, hidden
        self.gates: dict[str, Tensor] = {}
        self.slope = 1 - hidden * hidden if nonlinearity == "tanh" else (hidden > 0).to(hidden.dtype)  # (T, B, H)

    def sweep(self, start: int, stop: int, total: Tensor, total_cell: Tensor | None, carry: Carry) -> Carry:
        """See `Record.sweep`."""
        (from_later,) = carry
        steps = zip(total[start:stop].unbind(), self.slope[start:stop].unbind(), strict=True)
        for grad, slope in reversed(list(steps)):
            grad += from_later
            from_later = torch.matmul(grad * slope, self.weights.hh)
        return (from_later,)

    def pre_activation_gradient(self, total: Tensor, total_cell: Tensor | None) -> Tensor:
        """See `Record.pre_activation_gradient`."""
        return total * self.slope[:, None]
