"""The regular network to compare with, without memory: h_t = phi(W_ih x_t + b_ih). No path leads back in time.

With a window, x_t is the present input and those just before it side by side; see `RecurrentNetwork.embed`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.cells.adjoint import GradCarry, State, Step, Weights, for_rows
from engine.cells.rnn import ACTIVATIONS, RNNTrace


def step_with(nonlinearity: str) -> Step:
    """The step of a cell with this activation; what the state was does not matter."""
    squash, _ = ACTIVATIONS[nonlinearity]

    def step(from_input: Tensor, state: State, weights: Weights) -> tuple[State, dict[str, Tensor]]:
        return (squash(from_input),), {}

    return step


class FeedforwardTrace(RNNTrace):
    """What one layer did: as in a plain RNN, but for the links in time."""

    def backward_sweep(
        self,
        start: int,
        stop: int,
        total: Tensor,
        total_cell: Tensor | None,
        grad_input_proj: Tensor,
        grad_carry: GradCarry,
    ) -> GradCarry:
        """The direct gradient is the total; nothing goes on to the step before."""
        torch.mul(total[start:stop], for_rows(self.slope[start:stop], total.shape[1]), out=grad_input_proj[start:stop])
        return (torch.zeros_like(total[0]),)
