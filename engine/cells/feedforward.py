"""A feed-forward network without memory, as a baseline: h_t = phi(W_ih x_t + b_ih). No path leads back in time.

With a window, x_t is the concatenation of the last inputs; see `RecurrentNetwork.embed`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.cells.adjoint import GradCarry, State, Step, Weights, for_rows
from engine.cells.rnn import ACTIVATIONS, RNNTrace


def step_with(nonlinearity: str) -> Step:
    """Return the step of a cell with this activation; it ignores the previous state."""
    squash, _ = ACTIVATIONS[nonlinearity]

    def step(from_input: Tensor, state: State, weights: Weights) -> tuple[State, dict[str, Tensor]]:
        return (squash(from_input),), {}

    return step


class FeedforwardTrace(RNNTrace):
    """Trace of one layer: as for a plain RNN, but without connections in time."""

    def backward_sweep(
        self,
        start: int,
        stop: int,
        total: Tensor,
        total_cell: Tensor | None,
        grad_input_proj: Tensor,
        grad_carry: GradCarry,
    ) -> GradCarry:
        """See `CellTrace.backward_sweep`. The direct gradient is the total; the step before gets 0."""
        torch.mul(total[start:stop], for_rows(self.slope[start:stop], total.shape[1]), out=grad_input_proj[start:stop])
        return (torch.zeros_like(total[0]),)
