"""The contract between the lens and a cell: what a cell must record of a forward pass to be swept backwards.

Axes: T steps in the direction's own time order, S seeds (different losses swept at once), B sequences, H units.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

Carry = tuple[Tensor, ...]
"""The gradient on its way from step t + 1 to step t: one (S, B, H) tensor per state, h first, then c."""


class Weights(NamedTuple):
    """One layer in one direction, PyTorch's names: weight_ih (G*H, I), weight_hh (G*H, H) and both biases or None."""

    ih: Tensor
    hh: Tensor
    bias_ih: Tensor | None
    bias_hh: Tensor | None


class Record(Protocol):
    """What one layer in one direction did in a forward pass, with its local slopes.

    hidden (T, B, H) are the states h_t; `cell` the states c_t or None; `gates` the gate values by name.
    """

    weights: Weights
    hidden: Tensor
    gates: dict[str, Tensor]

    @property
    def cell(self) -> Tensor | None: ...

    def sweep(self, start: int, stop: int, total: Tensor, total_cell: Tensor | None, carry: Carry) -> Carry:
        """Back from step stop - 1 to step start.

        `total` (T, S, B, H) holds the direct gradient of these steps and becomes the total dL/dh_t, in place;
        `total_cell`, where there is a cell state, is filled with dL/dc_t. Returns what reaches step start - 1.
        """
        ...

    def pre_activation_gradient(self, total: Tensor, total_cell: Tensor | None) -> Tensor:
        """dL/d(W_ih x_t + b_ih), (T, S, B, G*H), from the totals of a finished sweep."""
        ...


def previous(states: Tensor) -> Tensor:
    """The state before each step, zeros before the first. (T, B, H) -> (T, B, H)."""
    return torch.cat([torch.zeros_like(states[:1]), states[:-1]])
