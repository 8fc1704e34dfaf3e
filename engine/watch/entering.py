"""Where the gradient enters a call, and the part of it that enters last."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.layers.step_layers import State
from engine.watch.sweep_input import SweepInput


@dataclass(frozen=True, eq=False)
class LastLoss:
    """The part of the gradient that enters last, in each direction's own order of time.

    Of many losses, those nearby decide the size of a gradient; only the last one alone shows how far back it comes.

    Args:
        enters: (directions, R) int64, the position; -1 where none enters.
        places: (directions, R), at how many steps a gradient enters.
        seeds: for each direction a seed, as (dL/d output, dL/d ends), shaped as those of `SweepInput`; none if all that
            enters is the last.
    """

    enters: Tensor
    places: Tensor
    seeds: list[tuple[Tensor, State]]


def last_loss(given: SweepInput) -> LastLoss:
    """Find what enters last."""
    directions = given.stack.directions
    steps, rows = given.grad_output.shape[:2]
    halves = (given.grad_output * given.real).chunk(directions, -1)
    own_end = [given.lengths - 1, torch.zeros_like(given.lengths)][:directions]
    across = torch.arange(rows)
    enters, at_end = [], []
    for half, d in zip(halves, range(directions), strict=True):
        there = (half != 0).any(-1).cpu()  # (T, R)
        at_end.append(torch.stack([(end[d::directions] != 0).any(-1).any(0) for end in given.grad_ends]).any(0).cpu())
        there[own_end[d], across] |= at_end[d]
        enters.append(there)
    places = torch.stack([there.sum(0) for there in enters])
    positions = torch.stack([_last(there, d) for d, there in enumerate(enters)])
    if int(places.max()) <= 1:
        return LastLoss(positions, places, [])
    seeds = []
    for d in range(directions):
        kept = [torch.arange(steps)[:, None] == _last(there, d) for there in enters]  # (T, R), by half
        output = [half * mask[..., None].to(half.device) for half, mask in zip(halves, kept, strict=True)]
        ends = []
        for end in given.grad_ends:
            masks = torch.stack([mask[own_end[k], across] for k, mask in enumerate(kept)])  # (directions, R)
            ends.append(end * masks.repeat(given.stack.layers, 1)[..., None].to(end.device))
        seeds.append((torch.cat(output, -1), tuple(ends)))
    return LastLoss(positions, places, seeds)


def _last(there: Tensor, direction: int) -> Tensor:
    """(R,): the last position in this direction's order of time that is true in (T, R); -1 where none is."""
    order = there if direction else there.flip(0)
    first = order.int().argmax(0)
    position = first if direction else len(there) - 1 - first
    return torch.where(there.any(0), position, -1)
