"""The LSTM of 1997, without a forget gate (Hochreiter and Schmidhuber; block order i, g, o):

i, o = sigmoid(.), g = tanh(.), c_t = c_{t-1} + i * g, h_t = o * tanh(c_t): the constant error carousel, whose direct
path has dc_t/dc_{t-1} = 1. Differences from the paper: it uses scaled logistic functions where we use tanh, and its
learning rule truncates the paths through the gates, which we keep.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.cells.adjoint import State, Weights


def step(from_input: Tensor, state: State, weights: Weights) -> tuple[State, dict[str, Tensor]]:
    """One step; see `engine.cells.adjoint.Step`."""
    hidden, cell = state
    i, g, o = (from_input + linear(hidden, weights.recurrent, weights.bias_hh)).chunk(3, -1)
    i, g, o = torch.sigmoid(i), torch.tanh(g), torch.sigmoid(o)
    cell = cell + i * g
    return (o * torch.tanh(cell), cell), {"input_gate": i, "cell_candidate": g, "output_gate": o}
