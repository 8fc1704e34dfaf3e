"""The plain cell: h_t = phi(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), phi = tanh or ReLU."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.layers.accelerators.slopes import relu_slope, tanh_slope
from engine.many.recurrences.recurrence import Recurrence, backwards, by_network

ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor, Tensor], Tensor]]] = {
    "tanh": (torch.tanh_, tanh_slope),
    "relu": (torch.relu_, relu_slope),
}
"""phi in place, and its slope as a function of what phi gave."""


class RNN(Recurrence):
    """The plain cell side by side; see `Recurrence`."""

    def _states(self) -> Tensor:
        activate, _ = ACTIVATIONS[self.nonlinearity]
        hidden = self.project("hidden", slice(None), self.weights["bias_ih"] + self.weights["bias_hh"])
        recurrent, before = self.to_next(), None
        for state in hidden.unbind():
            if before is not None:
                state.baddbmm_(before, recurrent)
            before = activate(state)
        return hidden

    def _sweep(self, grad: Tensor) -> tuple[Tensor, Tensor]:
        _, slope = ACTIVATIONS[self.nonlinearity]
        recurrent, arguments, later = self.from_next(), self.buffer("arguments", self.units), None
        for total, state, argument in backwards(grad, self.hidden, arguments):
            if later is not None:
                total.baddbmm_(later, recurrent)
            later = slope(total, state, argument)
        through = by_network(arguments)
        return through, through
