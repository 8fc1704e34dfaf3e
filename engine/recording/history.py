"""The past of a run: its curve, and snapshots at some of its steps, thinned to stay within limits."""

from __future__ import annotations

import dataclasses
import math
import threading
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import numpy as np

from engine.frame import Chain, Frame, Look

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
HELD_OUT = np.dtype([("step", np.int64), ("loss", np.float64)])
RATE = np.dtype([("step", np.int64), ("rate", np.float64)])
RATIO = np.dtype([("step", np.int64), ("ratio", np.float64)])

Value = TypeVar("Value")


class History:
    """Rows of updates, of frames (`looks`, which also have the probe's loss), and of the held-out record, all thinned.

    Thinning doubles the stride: the first and the newest row always stay, and the rows between them are evenly spaced,
    so that a curve has the same density everywhere.
    """

    def __init__(self, max_rows: int = 1000) -> None:
        self._updates = _ThinnedTable(max_rows, ROW)
        self._looks = _ThinnedTable(max_rows, ROW)
        self._held_out = _ThinnedTable(max_rows, HELD_OUT)

    def add_update(self, step: int, loss: float, param_grad_norm: float, clipped: bool) -> None:
        """Add one optimiser update; its norm is the one before clipping."""
        self._updates.add((step, loss, math.nan, math.nan, param_grad_norm, clipped))

    def add_frame(
        self, step: int, loss: float, probe_loss: float, metric: float, param_grad_norm: float, clipped: bool
    ) -> None:
        """Add what a frame measured."""
        self._looks.add((step, loss, probe_loss, metric, param_grad_norm, clipped))

    def add_held_out(self, step: int, loss: float) -> None:
        """Add the newest measurement of a frame's held-out record; nothing if the frame has none (step -1)."""
        if step >= 0:
            self._held_out.add((step, loss))

    def updates(self) -> np.ndarray:
        """Structured array of the kept updates, by step; probe_loss and metric are NaN."""
        return self._updates.table()

    def looks(self) -> np.ndarray:
        """Structured array of the kept frames' rows, by step."""
        return self._looks.table()

    def held_out(self) -> np.ndarray:
        """Structured array of the kept measurements of the held-out record, by step."""
        return self._held_out.table()

    def table(self) -> np.ndarray:
        """Updates and looks, merged by step: a step with a frame has one row, with its probe_loss."""
        looks, updates = self.looks(), self.updates()
        rows = np.concatenate([looks, updates[~np.isin(updates["step"], looks["step"])]])
        return rows[np.argsort(rows["step"], kind="stable")]

    def until(self, step: int) -> History:
        """Copy the part up to a step, as a new history that can be continued."""
        past = History()
        for own, rows in ((past._updates, self._updates), (past._looks, self._looks), (past._held_out, self._held_out)):
            own.take(rows, step)
        return past


def ratios(frames: Iterable[Look]) -> np.ndarray:
    """Make a structured array of RATIO, by step: the ratio in the verdict of every frame that has one."""
    judged = [frame for frame in frames if frame.diagnosis is not None and "ratio" in frame.diagnosis.evidence]
    return np.array(
        sorted({frame.step: frame.diagnosis.evidence["ratio"] for frame in judged if frame.diagnosis}.items()), RATIO
    )


def rates(frames: Iterable[Frame]) -> np.ndarray:
    """Make a structured array of RATE, by step: the learning rate of every frame."""
    return np.array(sorted({frame.step: frame.learning_rate for frame in frames}.items()), RATE)


class Waterfall:
    """The gradient of the last loss at every step in time, over training: one row for each frame.

    ||d l/d s_t|| of every layer and direction, s the state that carries memory: the median over the probe, or the drawn
    sequence's own if the probe's sequences differ in length. NaN in padding. Thinned like the curves.
    """

    def __init__(self, max_rows: int = 120) -> None:
        self._rows = _Thinned(max_rows)

    def add_frame(self, info: Chain, frame: Look) -> None:
        """Add what a frame measured."""
        norms = frame.grad_norm_memory if info.same_lengths else frame.sequence_grad_norm_memory
        self._rows.add((frame.step, np.where(frame.valid, norms, np.nan)))

    def table(self, chain: tuple[int, int] = (-1, 0)) -> tuple[np.ndarray, np.ndarray]:
        """Steps (rows,), ascending, and norms (rows, T) float64; no rows before the first frame.

        Args:
            chain: (layer, direction); the top layer, forwards, if it is not given.
        """
        rows = self._rows.all()
        return np.array([step for step, _ in rows], int), np.array([norms[chain] for _, norms in rows])

    def until(self, step: int) -> Waterfall:
        """Copy the part up to a step."""
        past = Waterfall()
        past._rows.take(self._rows, step)
        return past


class SnapshotStore(Generic[Value]):
    """Snapshots of a run at some of its steps, evenly thinned to a maximum number and a maximum of bytes.

    The first and the newest are always kept, whatever their size.

    Args:
        size: returns the bytes of a value.
    """

    def __init__(self, max_rows: int, max_bytes: int, size: Callable[[Value], int]) -> None:
        self._rows = _Thinned(max_rows)
        self._max_bytes, self._size = max_bytes, size
        self._lock = threading.Lock()  # the run's worker adds while another one's needs its room
        self.bytes = 0
        """Bytes of all snapshots together."""

    def add(self, step: int, value: Value) -> None:
        """Add a snapshot; ignored if its step is not beyond the newest. It is measured here, once."""
        with self._lock:
            self._rows.add((step, value, self._size(value)))
            self._measure()
            while len(self._rows.rows) > 2 and self.bytes > self._max_bytes:
                self._thin()

    def _thin(self) -> None:
        self._rows.thin()
        self._measure()

    def _measure(self) -> None:
        self.bytes = sum(size for _, _, size in self._rows.all())

    def thin(self) -> bool:
        """Drop every second snapshot; False if only the first and the newest are left."""
        with self._lock:
            if len(self._rows.rows) < 2:
                return False
            self._thin()
            return True

    def all(self) -> list[tuple[int, Value]]:
        """All (step, value), steps ascending."""
        return [(step, value) for step, value, _ in self._rows.all()]

    def at(self, step: int) -> tuple[int, Value] | None:
        """The newest that is not beyond this step; None if there is none."""
        return max((entry for entry in self.all() if entry[0] <= step), key=lambda entry: entry[0], default=None)

    def until(self, step: int) -> SnapshotStore[Value]:
        """Copy the snapshots up to a step, as a new store."""
        past = SnapshotStore(self._rows.max_rows, self._max_bytes, self._size)
        past._rows.take(self._rows, step)
        past._measure()
        return past


def size_of(value: Any) -> int:
    """Bytes of all arrays in a value made of dataclasses, dicts and tuples."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if dataclasses.is_dataclass(value):
        return sum(size_of(getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, dict):
        return sum(map(size_of, value.values()))
    return sum(map(size_of, value)) if isinstance(value, tuple) else 0


class _Thinned:
    """Every `stride`-th of the rows added, and the newest. A row whose step is not beyond the newest is ignored."""

    def __init__(self, max_rows: int) -> None:
        self.max_rows, self.stride, self.count = max_rows, 1, 0
        self.rows: list[tuple[Any, ...]] = []
        self.newest: tuple[Any, ...] | None = None

    def add(self, row: tuple[Any, ...]) -> None:
        if self.newest is not None and row[0] <= self.newest[0]:
            return
        self.newest = row
        if self.count % self.stride == 0:
            self.rows.append(row)
            if len(self.rows) > self.max_rows:
                self.thin()
        self.count += 1

    def thin(self) -> None:
        """Drop every second row; the first stays."""
        self.rows = self.rows[::2]
        self.stride *= 2

    def take(self, other: _Thinned, step: int) -> None:
        """Become a copy of another one up to a step."""
        self.max_rows, self.stride = other.max_rows, other.stride
        self.rows = [row for row in other.rows if row[0] <= step]
        self.count = self.stride * len(self.rows)
        self.newest = max((row for row in other.all() if row[0] <= step), key=lambda row: row[0], default=None)

    def all(self) -> list[tuple[Any, ...]]:
        rows = list(self.rows)
        if self.newest is not None and rows[-1] is not self.newest:
            rows.append(self.newest)
        return rows


class _ThinnedTable(_Thinned):
    """The same for rows of numbers, which stand in an array as well: a thousand tuples take long to be made into one.

    One thread adds while others read. So the array grows behind what readers have, and thinning begins another.

    Args:
        kind: of the rows.
    """

    def __init__(self, max_rows: int, kind: np.dtype) -> None:
        super().__init__(max_rows)
        self._kind = kind
        self._copy_rows()

    def add(self, row: tuple[Any, ...]) -> None:
        super().add(row)
        if len(self.rows) > self._copied:
            self._array[self._copied] = self.rows[-1]
            self._copied += 1
        self._shown = self._array[: self._copied], self.newest

    def thin(self) -> None:
        super().thin()
        self._copy_rows()

    def take(self, other: _Thinned, step: int) -> None:
        super().take(other, step)
        self._copy_rows()

    def _copy_rows(self) -> None:
        self._array, self._copied = np.empty(self.max_rows + 1, self._kind), len(self.rows)
        self._array[: self._copied] = self.rows
        self._shown = self._array[: self._copied], self.newest

    def table(self) -> np.ndarray:
        """All rows as an array of its own."""
        rows, newest = self._shown
        if newest is None or (len(rows) and rows["step"][-1] == newest[0]):
            return rows.copy()
        return np.concatenate([rows, np.array([newest], self._kind)])
