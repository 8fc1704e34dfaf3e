"""The plain (Elman) cell: h_t = phi(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), phi one of tanh, ReLU, sigmoid, identity.

Jacobian dh_t/dh_{t-1} = diag(phi') W_hh, with phi' = 1 - h^2 for tanh, [h > 0] for ReLU, h (1 - h) for the sigmoid and
1 for the identity. PyTorch has the first two; with the others, networks train with `step_with`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.cells.adjoint import CellTrace, GradCarry, State, Step, Weights, backwards, by_seed

ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "tanh": (torch.tanh, lambda h: 1 - h * h),
    "relu": (torch.relu, lambda h: (h > 0).to(h.dtype)),
    "sigmoid": (torch.sigmoid, lambda h: h * (1 - h)),
    "identity": (lambda a: a, torch.ones_like),
}
"""phi, and its derivative as a function of h = phi(a)."""


def step_with(nonlinearity: str) -> Step:
    """Return the step of a plain cell with this activation."""
    squash, _ = ACTIVATIONS[nonlinearity]

    def step(from_input: Tensor, state: State, weights: Weights) -> tuple[State, dict[str, Tensor]]:
        return (squash(from_input + linear(state[0], weights.recurrent, weights.bias_hh)),), {}

    return step


class RNNTrace(CellTrace):
    """Trace of one layer in one direction; see `engine.cells.adjoint.CellTrace`."""

    def __init__(self, weights: Weights, inputs: Tensor, hidden: Tensor, initial: State, nonlinearity: str) -> None:
        super().__init__(weights, inputs, hidden, initial)
        self.slope = ACTIVATIONS[nonlinearity][1](hidden)  # (T, B, H)

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
        total[stop - 1] += grad_carry[0]
        recurrent, batch, grads, through = (
            self.weights.recurrent,
            self.hidden.shape[1],
            total[start:stop],
            grad_input_proj[start:stop],
        )
        later: Tensor | None = None
        for total_grad, grad, slope, out, flat in backwards(
            grads, by_seed(grads, batch), self.slope[start:stop], by_seed(through, batch), through
        ):
            if later is not None:
                total_grad.addmm_(later, recurrent)
            torch.mul(grad, slope, out=out)
            later = flat
        return (torch.mm(grad_input_proj[start], recurrent),)
