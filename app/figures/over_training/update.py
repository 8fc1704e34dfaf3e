"""The size of the update: the norm of the parameters' gradient at every training step, before and after clipping."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import GRADIENT, Curves, Line, LiveFigure, PastRun, Patch, Traces
from engine.frame import Frame, RunInfo
from engine.number_format import short

TRACES = Traces("ghost", "norm", "clipped")
LOW, HIGH = -5, 5  # exponents of 10 of the axis
CLIPPED_AT = 10.0 ** (HIGH - 0.6)  # height of the marks of clipped steps


def template(info: RunInfo) -> go.Figure:
    """A line over training steps on a log axis, marks for clipped steps, and the clip threshold dashed."""
    empty = np.zeros(0, np.float32)
    hover = "step %{x:,}: %{y:.2e}<extra>"
    traces = TRACES.in_order(
        ghost=go.Scatter(x=empty, y=empty, mode="lines", name="previous run", showlegend=False,
                         line={"color": theme.GHOST, "width": 1.5}, hovertemplate=hover + "%{fullData.name}</extra>"),
        norm=go.Scatter(x=empty, y=empty, mode="lines", name="before clipping",
                        line={"color": theme.GRADIENT, "width": 1.4}, hovertemplate=hover + "before clipping</extra>"),
        clipped=go.Scatter(x=empty, y=empty, mode="markers", name="clipped",
                           marker={"symbol": "line-ns-open", "size": 6, "color": theme.INK, "line": {"width": 1.2}},
                           hovertemplate="step %{x:,} was clipped<extra></extra>"),
    )  # fmt: skip
    return theme.figure(
        *traces,
        height=162,
        revision="training",
        margin={"l": 46, "r": 14, "t": 24, "b": 40},
        xaxis=theme.TRAINING_AXIS,
        yaxis=theme.log_axis(LOW, HIGH),
        shapes=[_clip_line(info)],
        showlegend=True,
    )  # fmt: skip


def _clip_line(info: RunInfo) -> dict:
    """Return the line at the threshold of clipping by norm; clipping by value has no line."""
    e = info.experiment
    shown = e.clip == "norm"
    height = e.clip_threshold if shown else 1.0
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height, "visible": shown,
            "line": {"dash": "dash", "width": 1.4, "color": theme.GREY}}  # fmt: skip


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Patch the norms so far; `info.experiment` has the current clipping."""
    rows = curves.updates
    clipped = rows["clipped"].astype(bool)
    return {
        TRACES.path("norm", "x"): rows["step"].astype(np.float32),
        TRACES.path("norm", "y"): theme.float32(rows["param_grad_norm"]),
        TRACES.path("clipped", "x"): rows["step"][clipped].astype(np.float32),
        TRACES.path("clipped", "y"): np.full(int(clipped.sum()), CLIPPED_AT, np.float32),
        "layout.shapes": [_clip_line(info)],
        "layout.xaxis.range": theme.training_range(curves.last_step(frame)),
    }


def readout(info: RunInfo, frame: Frame) -> str:
    """Return the norm of this update, before and after clipping."""
    if frame.step == 0:
        return "no update yet"
    before = short(frame.param_grad_norm)
    return f"{before}, clipped to {short(frame.param_grad_norm_clipped)}" if frame.clipped else before


def past_line(info: RunInfo, past: PastRun) -> Line | None:
    """Return a past run's norms, if it has the same task."""
    if not past.info.experiment.has_data_of(info.experiment):
        return None
    return past.curves.updates["step"], past.curves.updates["param_grad_norm"]


FIGURE = LiveFigure(
    title=lambda info: "Norm of the whole gradient",
    look_for=lambda info: "Clipping limits this norm, not the gradient at each step in time.",
    how=lambda info: (
        "The 2-norm of the gradient of all parameters together, for each training batch, before and after "
        "clipping. engine/training/trainer.py, Trainer.advance."
    ),
    label="Norm of the parameter gradient per training step, log axis, clipped steps marked",
    tab=GRADIENT,
    over="training",
    template=template,
    patch=patch,
    readout=readout,
    past_line=past_line,
    steps=True,
    slow=True,
)
