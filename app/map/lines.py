"""Where theory draws lines over a map of gains, found by a worker, as places in its panels."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from app.map.axes import Axis
from app.map.plan import MapPlan
from engine.experiment import Experiment
from engine.workers import Measurement, Pool

GAIN = "init_gain"
MATTERS = ("cell", "hidden_size", "num_layers", "nonlinearity", "init", "forget_bias", "bidirectional", "seed", "task",
           "rnn_type", "embedding_size")  # fmt: skip
"""The settings on which the lines depend, besides the gain itself."""


@dataclass(frozen=True)
class Line:
    """How a line is drawn, and what it says."""

    width: float
    dash: str
    says: str


# In the order of the numbers of `engine.workers.protocol.MeasureLines`.
LINES: dict[str, Line] = {
    "radius": Line(2.2, "solid", "spectral radius of W_hh is 1: to its left a plain RNN forgets by itself"),
    "vanishing": Line(1.6, "dot", "largest singular value of W_hh is 1: to its left every gradient vanishes"),
    "chaos": Line(2.0, "dash", "largest Lyapunov exponent is 0: to its right small differences grow"),
}


def applies(plan: MapPlan) -> bool:
    """True if one of the axes is the gain."""
    return GAIN in (plan.x.name, plan.y.name if plan.y else "")


class Lines:
    """The lines of a map while they are found, and then.

    Args:
        plan: of a map that has the gain on an axis.
    """

    def __init__(self, plan: MapPlan, pool: Pool) -> None:
        self._plan = plan
        self._gains: Axis = plan.x if plan.x.name == GAIN else plan.y  # type: ignore[assignment]
        self._keys: list[str] = []
        distinct: dict[str, Experiment] = {}
        for e in self._networks():
            key = json.dumps([getattr(e, name) for name in MATTERS])
            self._keys.append(key)
            distinct.setdefault(key, e)
        self._distinct = list(distinct)
        self.measurement: Measurement = pool.measure_lines(list(distinct.values()), self._gains.values)

    def _networks(self) -> list[Experiment]:
        """One network for each panel and each value of the other axis."""
        cells, rows, columns, _ = self._plan.shape
        along = [(0, x) for x in range(columns)] if self._gains is self._plan.y else [(y, 0) for y in range(rows)]
        return [self._plan.experiments[self._plan.number(cell, y, x)] for cell in range(cells) for y, x in along]

    @property
    def found(self) -> bool:
        """True once they are there."""
        return self.measurement.result is not None

    def of(self, name: str, cell: int) -> tuple[np.ndarray, np.ndarray]:
        """The x and y places of a line in a panel; nothing before it is found."""
        if self.measurement.result is None:
            return np.zeros(0), np.zeros(0)
        which = list(LINES).index(name)
        count = len(self._keys) // self._plan.shape[0]
        found = [
            self.measurement.result[len(LINES) * self._distinct.index(key) + which]
            for key in self._keys[cell * count : (cell + 1) * count]
        ]
        return self._drawn(np.array([self._gains.place(gain) for gain in found]))

    def _drawn(self, gains: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A line through these places on the axis of gains; it reaches half a square beyond the outermost ones."""
        along = np.arange(len(gains), dtype=float)
        ends = [along[:1] - 0.5, along, along[-1:] + 0.5]
        along, gains = np.concatenate(ends), np.concatenate([gains[:1], gains, gains[-1:]])
        return (along, gains) if self._gains is self._plan.y else (gains, along)


_lines = lru_cache(maxsize=32)(Lines)


def lines_of(plan: MapPlan, pool: Pool) -> Lines:
    """The lines of a map, which all visitors share: they depend on its settings alone."""
    if _lines(plan, pool).measurement.error:  # its worker died
        _lines.cache_clear()
    return _lines(plan, pool)
