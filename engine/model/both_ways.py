"""What a decoder gets of an encoder that reads both ways: the sum of both directions, which needs no new weights."""

from __future__ import annotations

from torch import Tensor

from engine.layers.step_layers import State


def sum_of_directions(states: Tensor, hidden_size: int) -> Tensor:
    """What attention reads at every position: states (T, batch, directions * H) to (T, batch, H)."""
    first, *others = states.split(hidden_size, -1)
    return sum(others, first)


def sum_of_ends(ends: Tensor | State, directions: int) -> Tensor | State:
    """Where a decoder starts, layer by layer: last states (layers * directions, batch, H) to (layers, batch, H)."""
    if directions == 1:
        return ends
    if isinstance(ends, tuple):
        return tuple(each.unflatten(0, (-1, directions)).sum(1) for each in ends)
    return ends.unflatten(0, (-1, directions)).sum(1)
