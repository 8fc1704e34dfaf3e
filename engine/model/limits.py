"""What a cell allows its weights to be: the bounds that hold after every update."""

from __future__ import annotations

import torch
from torch import nn

from engine.cells import CELLS
from engine.model.network import RecurrentNetwork


def limited_parameters(model: RecurrentNetwork) -> list[tuple[nn.Parameter, float]]:
    """The parameters whose absolute values are limited after every update, and their limits."""
    e = model.experiment
    limits = {vector.name: vector.limit(e.time_steps) for vector in CELLS[e.cell].vectors if vector.limit is not None}
    return [
        (parameter, limits[kind])
        for layers in model.stacks
        for name, parameter in layers.named_parameters()
        if (kind := name.rsplit("_l", 1)[0]) in limits
    ]


@torch.no_grad()
def hold_limits(limited: list[tuple[nn.Parameter, float]]) -> int:
    """Cut these parameters to their limits, in place. Returns how many numbers were beyond."""
    beyond = 0
    for parameter, limit in limited:
        beyond += int((parameter.abs() > limit).sum())
        parameter.clamp_(-limit, limit)
    return beyond
