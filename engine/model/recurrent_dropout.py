"""Recurrent dropout: one mask of the old states for all steps of an update, by which columns of weights are multiplied.

W_hh (m * h) is (W_hh diag(m)) h: so the library's layers compute it at their full speed. What an old state gives on
without a weight, such as f * c of an LSTM or z * h of a GRU, is not dropped.
Source: Gal and Ghahramani, "A Theoretically Grounded Application of Dropout in Recurrent Neural Networks" (2016), but
for one mask for the whole batch.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

from engine.cells import CELLS
from engine.experiment import Experiment

Network = TypeVar("Network", bound=nn.Module)


def masked_weights(model: nn.Module, experiment: Experiment) -> dict[str, Tensor]:
    """{name: weights times mask} of all weights that old states are multiplied by, as `recurrent_dropout` says.

    Draws a mask for each layer and direction from torch's global generator on the CPU.
    """
    e, masked = experiment, {}
    for name, weights in model.named_parameters():
        if name.rpartition(".")[2].rsplit("_l", 1)[0] in CELLS[e.cell].recurrent_weights:
            kept = (torch.rand(e.hidden_size) >= e.recurrent_dropout).to(weights)
            masked[name] = weights * (kept / (1 - e.recurrent_dropout))
    return masked


def masked_copy(model: Network, experiment: Experiment) -> Network:
    """A copy of a network with `masked_weights` in the place of its own; draws as that does."""
    masked, twin = masked_weights(model, experiment), copy.deepcopy(model)
    with torch.no_grad():
        for name, weights in masked.items():
            twin.get_parameter(name).copy_(weights)
    return twin
