"""The curve of a run: one row per update, thinned so that it never outgrows a bound."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.frame import Frame, RunInfo

ROW = np.dtype(
    [
        ("step", np.int64),
        ("loss", np.float64),
        ("probe_loss", np.float64),
        ("metric", np.float64),
        ("param_grad_norm", np.float64),
        ("clipped", np.bool_),
    ]
)


class History:
    """Rows of updates, and rows of looks (those that also know the probe's loss), each thinned by doubling its stride.

    The first row and the newest always stand; between them the rows are evenly spaced in steps, so that a curve never
    changes its character from one end to the other.
    """

    def __init__(self, most: int = 1000) -> None:
        self._updates = _Thinned(most)
        self._looks = _Thinned(most)

    def update(self, step: int, loss: float, param_grad_norm: float, clipped: bool) -> None:
        """Add one optimiser update; its norm is that before clipping."""
        self._updates.add((step, loss, math.nan, math.nan, param_grad_norm, clipped))

    def look(
        self, step: int, loss: float, probe_loss: float, metric: float, param_grad_norm: float, clipped: bool
    ) -> None:
        """Add what a frame measured."""
        self._looks.add((step, loss, probe_loss, metric, param_grad_norm, clipped))

    def updates(self) -> np.ndarray:
        """Structured array of the kept updates, by step; probe_loss and metric are NaN."""
        return np.array(self._updates.all(), ROW)

    def looks(self) -> np.ndarray:
        """Structured array of the kept looks, by step."""
        return np.array(self._looks.all(), ROW)

    def table(self) -> np.ndarray:
        """Both, merged by step: a step that was looked at stands once, with its probe_loss."""
        looks, updates = self.looks(), self.updates()
        rows = np.concatenate([looks, updates[~np.isin(updates["step"], looks["step"])]])
        return rows[np.argsort(rows["step"], kind="stable")]


class Waterfall:
    """The front of vanishing, over training: at every look, the gradient of the last loss at every step in time.

    ||d l/d s_t|| of the top layer reading forwards, s the state that carries memory: the probe's median, or the drawn
    sequence's own where its sequences differ. Thinned like the curves.
    """

    def __init__(self, most: int = 120) -> None:
        self._rows = _Thinned(most)

    def look(self, info: RunInfo, frame: Frame) -> None:
        """Add what a frame measured."""
        norms = frame.grad_norm_memory if info.alike else frame.sequence_grad_norm_memory
        self._rows.add((frame.step, norms[-1, 0].copy()))

    def table(self) -> tuple[np.ndarray, np.ndarray]:
        """(rows,) steps, rising, and (rows, T) float64 norms; before the first look no rows."""
        rows = self._rows.all()
        return np.array([step for step, _ in rows], int), np.array([norms for _, norms in rows])


class _Thinned:
    """Rows whose count is at least `stride` apart, the newest besides. A step not beyond the last one is dropped."""

    def __init__(self, most: int) -> None:
        self.most, self.stride, self.seen = most, 1, 0
        self.rows: list[tuple[Any, ...]] = []
        self.newest: tuple[Any, ...] | None = None

    def add(self, row: tuple[Any, ...]) -> None:
        if self.newest is not None and row[0] <= self.newest[0]:
            return
        self.newest = row
        if self.seen % self.stride == 0:
            self.rows.append(row)
            if len(self.rows) > self.most:
                self.rows = self.rows[::2]
                self.stride *= 2
        self.seen += 1

    def all(self) -> list[tuple[Any, ...]]:
        rows = list(self.rows)
        if self.newest is not None and rows[-1] is not self.newest:
            rows.append(self.newest)
        return rows
