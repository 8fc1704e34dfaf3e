"""What a live figure is: a template built once per run, and the arrays that patch it frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine.frame import Frame, RunInfo


@dataclass(frozen=True, eq=False)
class Curves:
    """What training has shown so far: rows of `engine.recording.history`, updates and looks.

    `waterfall` is (steps (rows,), norms (rows, T)) as `engine.recording.history.Waterfall.table` has them.
    """

    updates: np.ndarray
    looks: np.ndarray
    waterfall: tuple[np.ndarray, np.ndarray] = field(default_factory=lambda: (np.zeros(0, int), np.zeros((0, 0))))

    def since(self, step: int) -> Curves:
        """What came from a step on."""
        return Curves(self.updates[self.updates["step"] >= step], self.looks[self.looks["step"] >= step])

    def last_step(self, frame: Frame) -> int:
        """The newest step known, from the frame or from an update reported after it."""
        return max(frame.step, int(self.updates["step"][-1]) if len(self.updates) else 0)


@dataclass(frozen=True, eq=False)
class Quantised:
    """Numbers in -scale ... scale, sent as one byte each."""

    values: np.ndarray  # int8, 127 stands for scale
    scale: float

    @classmethod
    def of(cls, values: np.ndarray, scale: float) -> Quantised:
        """Values beyond the scale are drawn at its end; not-a-number as 0."""
        finite = np.nan_to_num(values, nan=0.0, posinf=scale, neginf=-scale)
        return cls(np.rint(np.clip(finite / scale, -1, 1) * 127).astype(np.int8), scale)


Patch = dict[str, Any]
"""{"data.0.y": array, "layout.yaxis.range": list}: paths into the figure, and what stands there now."""


class Traces:
    """The names of a figure's traces in the order in which they are drawn.

    The template and the patches go by these names, so they cannot disagree about the order.
    """

    def __init__(self, *names: str) -> None:
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    def in_order(self, **traces: Any) -> list[Any]:
        """The traces of a template, given by name.

        Raises:
            ValueError: if one is missing, or has a name that is not known.
        """
        if traces.keys() != set(self._names):
            raise ValueError(f"traces {sorted(traces)} are not {sorted(self._names)}")
        return [traces[name] for name in self._names]

    def number(self, name: str) -> int:
        """Position of this trace among the figure's data."""
        return self._names.index(name)

    def path(self, name: str, attribute: str) -> str:
        """Key of a patch: "data.2.marker.size" for "marker.size" of the third trace."""
        return f"data.{self.number(name)}.{attribute}"


@dataclass(frozen=True, kw_only=True)
class LiveFigure:
    """One figure of the live view.

    Args:
        title: what it is. look_for: one line, what to look for. label: its text alternative.
        over: "time" (left column, position in the sequence) or "training" (right column).
        template: (info) -> figure without data.
        patch: (info, frame, curves) -> what the newest frame changes in it.
        readout: (info, frame) -> a few numbers beside the title.
        ghost: (info, previous info, its last frame, its curves) -> the previous run in grey; {} where it has no place.
        applies: (info) -> whether this run has anything to show in it.
        steps: its x axis counts training steps, so that a step can be pointed at in it.
        slow: it changes little from frame to frame and may be drawn less often.
        how: (info) -> what stands behind "how measured?": the definition in plain words, and where the code is.
        requires: a name of `engine.frame.readings.ON_DEMAND_READINGS`: the frame then has that reading at most once a
            second, and only while the figure is on the screen; frames without it change nothing in the figure.
        lazy: patched only while it is on the screen.
        fits: what has fixed decades, as paths of an axis ("layout.yaxis") or of a heat map's trace ("data.0"): a switch
            on the card fits them to the numbers instead.
    """

    title: Callable[[RunInfo], str]
    look_for: Callable[[RunInfo], str]
    label: str
    over: str
    template: Callable[[RunInfo], go.Figure]
    patch: Callable[[RunInfo, Frame, Curves], Patch]
    readout: Callable[[RunInfo, Frame], str] = field(default=lambda info, frame: "")
    ghost: Callable[[RunInfo, RunInfo, Frame, Curves], Patch] = field(default=lambda info, old, frame, curves: {})
    applies: Callable[[RunInfo], bool] = field(default=lambda info: True)
    steps: bool = False
    slow: bool = False
    how: Callable[[RunInfo], str] = field(default=lambda info: "")
    requires: str = ""
    lazy: bool = False
    fits: tuple[str, ...] = ()
