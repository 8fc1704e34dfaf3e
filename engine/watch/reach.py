"""How far the gradient comes back in each layer and direction of a module."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.lens.norms import Endpoints, relative_sizes


@dataclass(frozen=True)
class Reach:
    """How far the gradient comes back in one layer and direction: medians over the rows, of norms of dL/d(memory).

    Of the loss that enters last alone where that is known: of many losses, those nearby decide the size.

    Args:
        enters, first: the norms where it enters, and at the first step that it can come back to, in the unit of
            dL/d(memory).
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


Reaches = dict[tuple[int, int], Reach]
"""By (layer, direction)."""


def reaches_of(norms: np.ndarray, ends: Endpoints, places: int, is_last_alone: bool) -> Reaches:
    """Follow the gradient of every layer and direction back to its first step.

    Args:
        norms: (layers, directions, T, rows), of the followed loss at the state that carries memory.
    """
    layers, directions = norms.shape[:2]
    chains = [(layer, d) for layer in range(layers) for d in range(directions)]
    return {(layer, d): _reach(norms[layer, d], d, ends, places, is_last_alone) for layer, d in chains}


def _reach(sizes: np.ndarray, direction: int, ends: Endpoints, places: int, is_last_alone: bool) -> Reach:
    rows = np.flatnonzero(ends.enters[direction] >= 0)
    if not len(rows):
        return Reach(0.0, 0.0, np.nan, 0, 0, is_last_alone)
    at, starts = ends.enters[direction, rows], ends.relevant[direction, rows]
    enters, first = sizes[at, rows], sizes[starts, rows]
    ratio = float(np.median(relative_sizes(first, enters)))
    middles = (float(np.median(enters)), float(np.median(first)), ratio)
    distances = _by_distance(sizes[:, rows], at, starts)
    return Reach(*middles, int(np.median(np.abs(at - starts))), places, is_last_alone, distances)


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
