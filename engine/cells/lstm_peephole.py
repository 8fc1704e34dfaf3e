"""The LSTM with peepholes: gates also see the cell state (Gers and Schmidhuber, 2000; block order i, f, g, o):

i, f = sigmoid(. + p * c_{t-1}), g = tanh(.), c_t = f * c_{t-1} + i * g,
o = sigmoid(. + p_o * c_t), h_t = o * tanh(c_t).
The peephole weights p_i, p_f, p_o are concatenated in weight_ch (3H,): one number per unit, not a matrix.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.cells.adjoint import State, Weights


def step(from_input: Tensor, state: State, weights: Weights) -> tuple[State, dict[str, Tensor]]:
    """One step; see `engine.cells.adjoint.Step`."""
    hidden, cell = state
    assert weights.ch is not None
    see_i, see_f, see_o = weights.ch.chunk(3)
    i, f, g, o = (from_input + linear(hidden, weights.recurrent, weights.bias_hh)).chunk(4, -1)
    i, f, g = torch.sigmoid(i + see_i * cell), torch.sigmoid(f + see_f * cell), torch.tanh(g)
    cell = f * cell + i * g
    o = torch.sigmoid(o + see_o * cell)
    gates = {"input_gate": i, "forget_gate": f, "cell_candidate": g, "output_gate": o}
    return (o * torch.tanh(cell), cell), gates
