"""The simple gated unit of Ng's course, update gate only (block order z, n):

z = sigmoid(.), n = tanh(.), each of W_ih x_t + b_ih + W_hh h_{t-1} + b_hh; h_t = (1 - z) * n + z * h_{t-1}.
z near 1 KEEPS the old state, as in PyTorch's GRU. Ng writes c for h and his update gate is 1 - z.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.cells.adjoint import State, Weights


def step(from_input: Tensor, state: State, weights: Weights) -> tuple[State, dict[str, Tensor]]:
    """One step; see `engine.cells.adjoint.Step`."""
    (hidden,) = state
    z, n = (from_input + linear(hidden, weights.recurrent, weights.bias_hh)).chunk(2, -1)
    z, n = torch.sigmoid(z), torch.tanh(n)
    return (n + z * (hidden - n),), {"update_gate": z, "candidate": n}
