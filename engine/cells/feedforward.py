"""The regular network to compare with, without memory: h_t = phi(W_ih x_t + b_ih). No path leads back in time.

With a window, x_t is the present input and those just before it side by side; see `RecurrentNetwork.embed`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.cells.adjoint import Carry, State, Step, Weights
from engine.cells.rnn import ACTIVATIONS


def step_with(nonlinearity: str) -> Step:
    """The step of a cell with this activation; what the state was does not matter."""
    squash, _ = ACTIVATIONS[nonlinearity]

    def step(from_input: Tensor, state: State, weights: Weights) -> tuple[State, dict[str, Tensor]]:
        return (squash(from_input),), {}

    return step


class FeedforwardRecord:
    """What one layer did; see `engine.cells.adjoint.Record`."""

    cell: Tensor | None = None

    def __init__(self, weights: Weights, inputs: Tensor, hidden: Tensor, initial: State, nonlinearity: str) -> None:
        self.weights, self.hidden = weights, hidden
        self.gates: dict[str, Tensor] = {}
        self.slope = ACTIVATIONS[nonlinearity][1](hidden)  # (T, B, H)

    def sweep(
        self, start: int, stop: int, total: Tensor, total_cell: Tensor | None, entering: Tensor, carry: Carry
    ) -> Carry:
        """The direct gradient is the total; nothing goes on to the step before."""
        torch.mul(total[start:stop], self.slope[start:stop, None], out=entering[start:stop])
        return (torch.zeros_like(total[0]),)
