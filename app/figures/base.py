"""The parts of a live figure: a template built once per run, and the arrays that patch it frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine.frame import Chain, Frame, Look, RunInfo

TABS = LEARNING, GRADIENT, ATTENTION, STATE, GATES, WEIGHTS = (
    "Learning", "Gradient", "Attention", "State", "Gates", "Weights",
)  # fmt: skip
"""The questions that a figure can answer: the page shows one tab of figures at a time, in this order."""


@dataclass(frozen=True, eq=False)
class Curves:
    """The history of a run, as stored by `engine.recording.history`.

    Args:
        updates: structured array, one row per update.
        looks: structured array, one row per frame taken.
        held_out: structured array, one row per measurement of the held-out record; none in older recordings.
        waterfall: (steps (rows,), norms (rows, T)), from `engine.recording.history.Waterfall.table`.
        ratios, rates: structured arrays, one row per kept frame, from the functions in `engine.recording.history`.
        reaches: the training step up to which runs are drawn beside this one.
    """

    updates: np.ndarray
    looks: np.ndarray
    waterfall: tuple[np.ndarray, np.ndarray] = field(default_factory=lambda: (np.zeros(0, int), np.zeros((0, 0))))
    held_out: np.ndarray = field(default_factory=lambda: np.zeros(0, [("step", int), ("loss", float)]))
    ratios: np.ndarray = field(default_factory=lambda: np.zeros(0, [("step", int), ("ratio", float)]))
    reaches: int = 0
    rates: np.ndarray = field(default_factory=lambda: np.zeros(0, [("step", int), ("rate", float)]))

    @property
    def held_out_loss(self) -> tuple[np.ndarray, np.ndarray]:
        """Steps and losses on held-out sequences: those by which the verdict judges; without a record, the probe's."""
        if len(self.held_out):
            return self.held_out["step"], self.held_out["loss"]
        return self.looks["step"], self.looks["probe_loss"]

    def since(self, step: int) -> Curves:
        """Return the rows from a training step on, without the waterfall."""
        every = (self.updates, self.looks, self.held_out, self.ratios, self.rates)
        updates, looks, held_out, ratios, rates = (rows[rows["step"] >= step] for rows in every)
        return Curves(updates, looks, held_out=held_out, ratios=ratios, rates=rates)

    def last_step(self, frame: Look) -> int:
        """Return the last training step that is drawn: of the frame, a later update, or a run beside this one."""
        return max(frame.step, int(self.updates["step"][-1]) if len(self.updates) else 0, self.reaches)


@dataclass(frozen=True, eq=False)
class LastGradient:
    """Of a run's last frame what its gradient over time is drawn from; the fields are those of `Frame`."""

    relative: np.ndarray | None
    grad_norm_memory: np.ndarray
    sequence_grad_norm_memory: np.ndarray
    valid: np.ndarray

    @classmethod
    def of(cls, frame: Frame) -> LastGradient:
        """Copy these arrays, so that the frame itself need not be kept."""
        relative = None if frame.relative is None else frame.relative.copy()
        memory, of_sequence = frame.grad_norm_memory.copy(), frame.sequence_grad_norm_memory.copy()
        return cls(relative, memory, of_sequence, frame.valid.copy())


@dataclass(frozen=True, eq=False)
class PastRun:
    """A run that is over, as figures draw it beside the present one.

    Args:
        info: of that run. last: its last frame, or what is kept of it.
        curves: its training, without the waterfall.
    """

    info: RunInfo
    last: Frame | LastGradient
    curves: Curves


@dataclass(frozen=True, eq=False)
class Quantised:
    """Numbers from -scale to scale, sent as one byte each."""

    values: np.ndarray  # int8; 127 stands for `scale`
    scale: float

    @classmethod
    def of(cls, values: np.ndarray, scale: float) -> Quantised:
        """Quantise values: those beyond the scale are clipped to it, NaN becomes 0."""
        finite = np.nan_to_num(values, nan=0.0, posinf=scale, neginf=-scale)
        return cls(np.rint(np.clip(finite / scale, -1, 1) * 127).astype(np.int8), scale)


Line = tuple[np.ndarray, np.ndarray]
"""The x and the y values of a line."""
Patch = dict[str, Any]
"""{"data.0.y": array, "layout.yaxis.range": list}: paths into the figure, and their new values."""


class Traces:
    """The names of a figure's traces in the order in which they are drawn.

    The template and the patches go by these names, so they cannot disagree about the order.
    """

    def __init__(self, *names: str) -> None:
        self._names = names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def in_order(self, **traces: Any) -> list[Any]:
        """Order the traces of a template, given by name.

        Raises:
            ValueError: if a trace is missing or its name is unknown.
        """
        if traces.keys() != set(self._names):
            raise ValueError(f"traces {sorted(traces)} are not {sorted(self._names)}")
        return [traces[name] for name in self._names]

    def number(self, name: str) -> int:
        """Return the position of this trace in the figure's data."""
        return self._names.index(name)

    def path(self, name: str, attribute: str) -> str:
        """Return a key of a patch: "data.2.marker.size" for "marker.size" of the third trace."""
        return f"data.{self.number(name)}.{attribute}"


@dataclass(frozen=True, kw_only=True)
class LiveFigure:
    """One figure of the live view.

    Args:
        title: its heading. look_for: one line, what to look for. label: its text alternative.
        tab: one of TABS, what it is about.
        over: "time" (left column, position in the sequence) or "training" (right column).
        template: (info) -> figure without data.
        patch: (info, frame, curves) -> the changes for the newest frame.
        readout: (info, frame) -> a few numbers beside the title.
        past_line: (info, a run that is over) -> x and y of its line in this figure, None if the two cannot be compared.
            The figure's first trace is where the previous run's stands.
        applies: (info) -> whether the figure has anything to show for this run.
        steps: its x axis counts training steps, so that a step can be marked in it.
        slow: it changes little from frame to frame and may be drawn less often.
        how: (info) -> the text of "how measured?": the definition in plain words, and where the code is.
        requires: a name in `engine.frame.readings.ON_DEMAND_READINGS`: frames then have that reading at most once a
            second, and only while the figure is on the screen; frames without it change nothing in the figure.
        fits: paths of what has fixed decades, an axis ("layout.yaxis") or a heat map's trace ("data.0"): a switch on
            the card fits them to the values instead.
    """

    title: Callable[[RunInfo], str]
    look_for: Callable[[RunInfo], str]
    label: str
    tab: str
    over: str
    template: Callable[[RunInfo], go.Figure]
    patch: Callable[[RunInfo, Frame, Curves], Patch]
    readout: Callable[[RunInfo, Frame], str] = field(default=lambda info, frame: "")
    past_line: Callable[[RunInfo, PastRun], Line | None] = field(default=lambda info, past: None)
    applies: Callable[[RunInfo], bool] = field(default=lambda info: True)
    steps: bool = False
    slow: bool = False
    how: Callable[[RunInfo], str] = field(default=lambda info: "")
    requires: str = ""
    fits: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ChainFigure(LiveFigure):
    """A figure of a chain of states: it needs no task, so that it draws any network that was looked into.

    Args:
        past_line: of runs of our own alone; nothing is drawn beside another's model.
    """

    title: Callable[[Chain], str]
    look_for: Callable[[Chain], str]
    template: Callable[[Chain], go.Figure]
    patch: Callable[[Chain, Look, Curves], Patch]
    readout: Callable[[Chain, Look], str] = field(default=lambda chain, look: "")
    applies: Callable[[Chain], bool] = field(default=lambda chain: True)
    how: Callable[[Chain], str] = field(default=lambda chain: "")
