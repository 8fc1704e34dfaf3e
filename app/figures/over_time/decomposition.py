"""Loss by loss: the gradient that each step's own loss sends back to each state."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import log_scale, theme
from app.figures.base import Curves, LiveFigure, Patch, Traces
from engine.frame import Frame, RunInfo
from engine.frame.readings import Decomposition
from engine.number_format import share

TRACES = Traces("heat", "against")
OPPOSED = -0.1  # a cosine below this is marked
DOT = 10  # pixels: the smallest cell that has room for a mark
EDGES = 30  # pixels above and below the plot


def template(info: RunInfo) -> go.Figure:
    """A heat map: one row per loss, the last at the bottom; white dots where one pulls against the whole."""
    heat = log_scale.heat_map(
        1, info.time_steps, theme.FLOOR_DECADE, theme.TOP_DECADE,
        "loss at step %{y}, state at t = %{x}: " + log_scale.NORM + "<br>cosine with the whole gradient "
        "%{customdata:.2f}",
    )  # fmt: skip
    heat.update(y=[""], customdata=np.full((1, info.time_steps), np.nan, np.float32))
    dots = go.Scatter(
        x=np.zeros(0, np.float32), y=[], mode="markers", hoverinfo="skip", name="pulls against the whole",
        marker={"symbol": "circle", "size": 5, "color": "#ffffff", "line": {"width": 1, "color": "#1d232b"}},
    )  # fmt: skip
    return theme.figure(
        *TRACES.in_order(heat=heat, against=dots),
        height=_height(info),
        revision=f"time-{info.time_steps}",
        margin={**theme.TIME_MARGIN, "t": 6, "b": 24},
        xaxis=theme.time_axis(info.time_steps),
        yaxis={
            "type": "category",  # the losses stand close, wherever their steps are
            "autorange": "reversed",
            "nticks": 8,
            "showgrid": False,
            "title": {"text": "loss at step", "standoff": 6, "font": {"size": 12}},
        },
        shapes=theme.marks_in_time(info, above=True),
    )


def _height(info: RunInfo) -> int:
    """Pixels: as high as its rows need, within bounds."""
    return EDGES + int(np.clip(14 * sum(info.counted), 84, 210))


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Norms and cosines of the top layer forwards; nothing where a frame has none."""
    reading = frame.decomposition
    if reading is None:
        return {}
    rows = log_scale.some(len(reading.steps), info.time_steps)
    norms, cosines = reading.norms[-1, 0, rows], reading.cosines[-1, 0, rows]
    names = [str(step) for step in reading.steps[rows]]
    loss, state = np.nonzero((cosines < OPPOSED) & (norms > 0) & _room(info, len(rows)))
    return {
        TRACES.path("heat", "z"): log_scale.logarithms(np.where(frame.valid, norms, np.nan)),
        TRACES.path("heat", "y"): names,
        TRACES.path("heat", "customdata"): theme.f4(cosines),
        TRACES.path("against", "x"): theme.f4(state),
        TRACES.path("against", "y"): [names[k] for k in loss],
    }


def _room(info: RunInfo, rows: int) -> bool:
    """True where a cell has room for a mark."""
    return min((_height(info) - EDGES) / rows, theme.PLOT / info.time_steps) >= DOT


def readout(info: RunInfo, frame: Frame) -> str:
    """When it was taken, and what the last loss contributes at the first step."""
    reading = frame.decomposition
    if reading is None:
        return ""
    first = int(np.flatnonzero(frame.valid)[0])
    return f"step {frame.step:,} · last loss: {_share_of_last(reading, frame, first)} of dL/dh at t = {first}"


def _share_of_last(reading: Decomposition, frame: Frame, t: int) -> str:
    """<dL_K/dh_t, dL/dh_t> / ||dL/dh_t||^2: the shares of all losses add up to 1."""
    norm, cosine = reading.norms[-1, 0, -1, t], reading.cosines[-1, 0, -1, t]
    whole = frame.sequence_grad_norm[-1, 0, t]
    if norm == 0:
        return share(0.0)
    return share(float(norm / whole * cosine)) if whole else share(np.nan)


def _look_for(info: RunInfo) -> str:
    sentence = "One row per loss, the last at the bottom: how far back its own gradient reaches."
    return sentence + (" White dot: it pulls against the others." if _room(info, sum(info.counted)) else "")


FIGURE = LiveFigure(
    title=lambda info: "Loss by loss" + theme.of_top(info),
    look_for=_look_for,
    how=lambda info: (
        "‖dL_k/dh_t‖: L_k is the loss of step k as it counts in the drawn sequence's, so that all dL_k/dh_t add up "
        "to dL/dh_t; the cosine says whether one points the same way as this sum (1) or against it (−1). "
        "engine/lens/decomposition.py, loss_decomposition."
    ),
    label="Heat map of the gradient that each step's loss sends to each state, logarithmic colours with fixed decades",
    over="time",
    applies=lambda info: sum(info.counted) > 1,
    template=template,
    patch=patch,
    readout=readout,
    requires="decomposition",
    lazy=True,
    fits=("data.0",),
)
