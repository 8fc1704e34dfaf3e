"""The gradient of each step's loss with respect to each state."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import log_scale, theme
from app.figures.base import WEIGHTS, Curves, LiveFigure, Patch, Traces
from engine.frame import Frame, RunInfo
from engine.frame.readings import Decomposition
from engine.number_format import share

TRACES = Traces("heat", "against")
OPPOSED = -0.1  # cosines below this are marked
DOT = 10  # pixels: cells smaller than this have no mark
EDGES = 30  # pixels above and below the plot


def template(info: RunInfo) -> go.Figure:
    """A heat map with one row per loss, the last at the bottom; dots where one opposes the total gradient."""
    heat = log_scale.heat_map(
        1, info.time_steps, theme.FLOOR_DECADE, theme.TOP_DECADE,
        "loss at step %{y}, state at t = %{x}: " + log_scale.NORM + "<br>cosine with the total gradient "
        "%{customdata:.2f}",
    )  # fmt: skip
    heat.update(y=[""], customdata=np.full((1, info.time_steps), np.nan, np.float32))
    dots = go.Scatter(
        x=np.zeros(0, np.float32), y=[], mode="markers", hoverinfo="skip", name="opposes the total gradient",
        marker={"symbol": "circle", "size": 5, "color": theme.PAPER, "line": {"width": 1.2, "color": theme.INK}},
    )  # fmt: skip
    return theme.figure(
        *TRACES.in_order(heat=heat, against=dots),
        height=_height(info),
        revision=f"time-{info.time_steps}",
        margin={**theme.TIME_MARGIN, "t": 6, "b": 24},
        xaxis=theme.time_axis(info.time_steps, names=info.step_names),
        yaxis={
            "type": "category",  # rows are adjacent, whatever their steps
            "autorange": "reversed",
            "nticks": 8,
            "showgrid": False,
            "title": {"text": "loss at step", "standoff": 6, "font": {"size": 12}},
        },
        shapes=theme.marks_in_time(info, above=True),
    )


def _height(info: RunInfo) -> int:
    """Return the height in pixels that the rows need, within limits."""
    return EDGES + int(np.clip(14 * sum(info.counted), 84, 210))


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Patch norms and cosines of one layer; {} for a frame without this reading."""
    reading = frame.decomposition
    if reading is None:
        return {}
    rows = log_scale.drawn_rows(len(reading.steps), info.time_steps)
    norms, cosines = reading.norms[info.shown_chain][rows], reading.cosines[info.shown_chain][rows]
    names = [str(step) for step in reading.steps[rows]]
    loss, state = np.nonzero((cosines < OPPOSED) & (norms > 0) & _room(info, len(rows)))
    return {
        TRACES.path("heat", "z"): log_scale.logarithms(
            np.where(frame.valid & info.has(info.shown_chain[1]), norms, np.nan)
        ),
        TRACES.path("heat", "y"): names,
        TRACES.path("heat", "customdata"): theme.float32(cosines),
        TRACES.path("against", "x"): theme.float32(state),
        TRACES.path("against", "y"): [names[k] for k in loss],
    }


def _room(info: RunInfo, rows: int) -> bool:
    """Return True if a cell has room for a mark."""
    return min((_height(info) - EDGES) / rows, theme.PLOT / info.time_steps) >= DOT


def readout(info: RunInfo, frame: Frame) -> str:
    """Return the step of the reading and the contribution of the last loss at t = 0."""
    reading = frame.decomposition
    if reading is None:
        return ""
    first = int(np.flatnonzero(frame.valid)[0])
    part = _share_of_last(reading, frame, (*info.shown_chain, first))
    return f"step {frame.step:,} · last loss: {part} of dL/dh at t = {first}"


def _share_of_last(reading: Decomposition, frame: Frame, at: tuple[int, int, int]) -> str:
    """Return <dL_K/dh_t, dL/dh_t> / ||dL/dh_t||^2; the shares of all losses add up to 1."""
    layer, d, t = at
    norm, cosine = reading.norms[layer, d, -1, t], reading.cosines[layer, d, -1, t]
    total = frame.sequence_grad_norm[at]
    if norm == 0:
        return share(0.0)
    return share(float(norm / total * cosine)) if total else share(np.nan)


def _look_for(info: RunInfo) -> str:
    sentence = "One row per loss, the last at the bottom: how far back its gradient reaches."
    return sentence + (" Dot: it opposes the total." if _room(info, sum(info.counted)) else "")


FIGURE = LiveFigure(
    title=lambda info: "Gradient of each step's loss" + theme.chain_suffix(info),
    look_for=_look_for,
    how=lambda info: (
        "‖dL_k/dh_t‖: L_k is the weighted loss of step k of the drawn sequence, so that all dL_k/dh_t add up to "
        "dL/dh_t; the cosine is 1 where one points the same way as this sum, −1 where it points the opposite way. "
        "engine/lens/decomposition.py, loss_decomposition."
    ),
    label="Heat map of the gradient of each step's loss at each state, logarithmic colours with fixed limits",
    tab=WEIGHTS,
    over="time",
    applies=lambda info: sum(info.counted) > 1,
    template=template,
    patch=patch,
    readout=readout,
    requires="decomposition",
    fits=("data.0",),
)
