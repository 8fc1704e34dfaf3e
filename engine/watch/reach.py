"""How far the gradient comes back in each layer and direction of a flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.cells import CELLS
from engine.lens.norms import relative_sizes
from engine.watch.flow import Flow

ROUNDING = 1e-5
"""What enters a cell that is called step by step is a difference of two totals: less than this part of them is none."""


@dataclass(frozen=True)
class Reach:
    """How far the gradient comes back in one layer and direction: medians over the rows, of norms of dL/d(memory).

    Of the loss that enters last alone where that is known: of many losses, those nearby decide the size.

    Args:
        enters, first: the norms where it enters, and at the direction's first step, in the unit of dL/d(memory).
        ratio: what is left, `first` / `enters`; NaN if nothing enters.
        steps: from where it enters back to the first. places: at how many steps a gradient enters.
        is_last_alone: False if this is the gradient of all losses together.
        by_distance: the norm at each distance from where it enters, (furthest distance + 1,); the first is `enters`.
    """

    enters: float
    first: float
    ratio: float
    steps: int
    places: int
    is_last_alone: bool
    by_distance: tuple[float, ...] = ()

    @property
    def is_finite(self) -> bool:
        """False if a norm is infinite or no number."""
        return bool(np.isfinite([self.enters, self.first]).all())


def reach_of(flow: Flow, layer: int, direction: int) -> Reach:
    """Follow the gradient of one layer and direction back to its first step."""
    if flow.last is None:
        places = _places(flow, layer, direction)
        at = _last(places, direction)
        sizes, count = np.linalg.norm(flow.memory[layer, direction], axis=-1), places.sum(0)
    else:
        at, count = flow.last.enters[direction], flow.last.places[direction]
        sizes = np.linalg.norm(flow.last.memory[layer, direction], axis=-1)
    rows = np.flatnonzero((at >= 0) & flow.valid.any(0))
    if not len(rows):
        return Reach(0.0, 0.0, np.nan, 0, 0, flow.last is not None)
    at, count = at[rows], count[rows]
    starts = _last(flow.valid, 1 - direction)[rows]
    enters, first = sizes[at, rows], sizes[starts, rows]
    ratio = float(np.median(relative_sizes(first, enters)))
    middles = (float(np.median(enters)), float(np.median(first)), ratio)
    distances = _by_distance(sizes[:, rows], at, starts)
    return Reach(*middles, int(np.median(np.abs(at - starts))), int(count.max()), flow.last is not None, distances)


def reaches_of(flow: Flow) -> Iterator[tuple[int, int, Reach]]:
    """(layer, direction, reach) of every chain."""
    layers, directions = flow.hidden.shape[:2]
    return ((layer, d, reach_of(flow, layer, d)) for layer in range(layers) for d in range(directions))


def best_reach(flow: Flow) -> Reach:
    """The chain through which most of the gradient arrives.

    A chain whose gradient enters at its first step has no way back, and says nothing.
    """
    reaches = [reach for _, _, reach in reaches_of(flow)]
    with_a_way = [reach for reach in reaches if reach.steps] or reaches
    return max(with_a_way, key=lambda reach: np.nan_to_num(reach.ratio, nan=-1.0))


def keep_gate(flow: Flow) -> float | None:
    """The mean of the gate that keeps the old state, over all layers and real steps; None without one."""
    gate = keep_gate_name(flow)
    return None if gate is None else float(flow.gates[gate][:, :, flow.valid].mean())


def keep_gate_name(flow: Flow) -> str | None:
    """The gate that keeps the old state; None without one."""
    return CELLS[flow.cell_name].retain_gate if flow.cell_name else None


def _by_distance(sizes: np.ndarray, at: np.ndarray, starts: np.ndarray) -> tuple[float, ...]:
    """Medians over the rows whose way is that long.

    Args:
        sizes: (T, rows). at, starts: (rows,), where the gradient enters, and the first step of each.
    """
    lengths, sign = np.abs(at - starts), np.where(at >= starts, -1, 1)
    medians = []
    for distance in range(int(lengths.max()) + 1):
        own = np.flatnonzero(lengths >= distance)
        medians.append(float(np.median(sizes[at[own] + sign[own] * distance, own])))
    return tuple(medians)


def _places(flow: Flow, layer: int, direction: int) -> np.ndarray:
    """(T, rows) bool: where a gradient enters this layer, as far as that can be told."""
    if flow.grad_hidden_direct is None:
        return np.abs(flow.grad_hidden[layer, direction]).max(-1) > 0
    direct = np.abs(flow.grad_hidden_direct[layer, direction]).max(-1)
    total = np.abs(flow.grad_hidden[layer, direction]).max(-1)
    return (direct > ROUNDING * total) | np.isnan(direct)


def _last(there: np.ndarray, direction: int) -> np.ndarray:
    """(rows,): the last position in this direction's order of time that is true in (T, rows); -1 where none is."""
    first = there.argmax(0) if direction else len(there) - 1 - there[::-1].argmax(0)
    return np.where(there.any(0), first, -1)
