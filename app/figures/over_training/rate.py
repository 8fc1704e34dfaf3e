"""The learning rate over training, where a schedule changes it: what each frame had, and what is planned."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import LEARNING, Curves, LiveFigure, Patch, Traces
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.number_format import short
from engine.schedule import last_change, planned_rates

TRACES = Traces("planned", "used", "now")
POINTS = 240
"""So many places of the planned curve are drawn; a fall between two of them is a steep line."""


def template(info: RunInfo) -> go.Figure:
    """A dashed line for the plan, and dots for what the frames had; of a plateau, which nobody can plan, a line."""
    empty = np.zeros(0, np.float32)
    waits = info.experiment.schedule == "plateau"

    def trace(name: str, mode: str, **look: object) -> go.Scatter:
        return go.Scatter(x=empty, y=empty, name=name, mode=mode,
                          hovertemplate="step %{x:,}: %{y:.3g}<extra>%{fullData.name}</extra>", **look)  # fmt: skip

    return theme.figure(
        *TRACES.in_order(
            planned=trace("planned", "lines", line={"color": theme.GREY, "width": 1.6, "dash": "dash"}),
            used=trace("measured", "lines+markers" if waits else "markers",
                       line={"color": theme.INK, "width": 1.6, "shape": "hv"}, marker={"size": 4, "color": theme.INK}),
            now=trace("now", "markers", marker={"size": 8, "color": theme.INK}, showlegend=False),
        ),
        height=140,
        revision="rate",
        margin={"l": 46, "r": 14, "t": 24, "b": 44},
        xaxis=theme.TRAINING_AXIS,
        yaxis={"range": [0, 1.1 * info.experiment.learning_rate], "nticks": 4, "automargin": "left"},
        showlegend=True,
    )  # fmt: skip


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Patch the plan, which changes with the learning rate, and the rates so far."""
    steps, rates = _so_far(frame, curves)
    last = _last_step(info.experiment, curves.last_step(frame))
    planned = np.unique(np.linspace(0, last, POINTS).astype(int))
    plan = planned_rates(info.experiment, planned)
    highest = max(np.nanmax(rates, initial=0.0), np.nanmax(plan, initial=0.0)) or 1.0
    return {
        TRACES.path("planned", "x"): planned.astype(np.float32),
        TRACES.path("planned", "y"): theme.float32(plan),
        TRACES.path("used", "x"): steps.astype(np.float32),
        TRACES.path("used", "y"): theme.float32(rates),
        TRACES.path("now", "x"): steps[-1:].astype(np.float32),
        TRACES.path("now", "y"): theme.float32(rates[-1:]),
        "layout.xaxis.range": theme.training_range(last),
        "layout.yaxis.range": [0, 1.1 * float(highest)],
    }


def _so_far(frame: Frame, curves: Curves) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps and the rates of the frames before this one, and of this one."""
    before = curves.rates[curves.rates["step"] < frame.step]
    return np.append(before["step"], frame.step), np.append(before["rate"], frame.learning_rate)


def _last_step(e: Experiment, drawn: int) -> int:
    """Return where the axis ends: with the training that is planned, or soon after the last change of the rate."""
    ends = last_change(e)
    return max(drawn, e.steps if ends is None else min(e.steps, ends + ends // 4))


def readout(info: RunInfo, frame: Frame) -> str:
    """Return the rate of the next update."""
    return f"next update {short(frame.learning_rate)}"


FIGURE = LiveFigure(
    title=lambda info: "Learning rate",
    look_for=lambda info: (
        "It falls whenever the training loss has stopped falling."
        if info.experiment.schedule == "plateau"
        else "Dashed: what is planned, with the present learning rate."
    ),
    how=lambda info: (
        "The number by which each update's step is multiplied: the learning rate times what the schedule says at that "
        "update. Measured at every frame; the plan is computed from the settings. engine/schedule.py."
    ),
    label="Learning rate over training steps, as it was used and as it is planned",
    tab=LEARNING,
    over="training",
    template=template,
    patch=patch,
    readout=readout,
    applies=lambda info: info.experiment.schedule != "constant" or info.experiment.warmup > 0,
    steps=True,
    slow=True,
)
