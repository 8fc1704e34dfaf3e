"""The gradient that reaches each step: ||d l/d h_t|| on fixed decades, total, direct, last loss, and for c_t."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import Curves, LiveFigure, Patch
from engine.frame import Frame, RunInfo

FLOOR, TOP = 10.0**theme.FLOOR_DECADE, 10.0**theme.TOP_DECADE
AT_FLOOR, AT_TOP = FLOOR * 10**-0.45, TOP * 10**0.25
DASHES = ("solid", "dot")  # forwards, backwards
GHOST, BARS, FLOOR_MARKS, TOP_MARKS = range(4)


def _many(info: RunInfo) -> bool:
    return info.experiment.rnn_type == "many_to_many"


def _chains(info: RunInfo) -> list[tuple[int, int]]:
    """Every (layer, direction) but the top layer forwards, which the bars show."""
    e = info.experiment
    pairs = [(layer, d) for layer in range(e.num_layers) for d in range(e.directions)]
    return [pair for pair in pairs if pair != (e.num_layers - 1, 0)]


def _chain_name(info: RunInfo, layer: int, d: int) -> str:
    parts = [f"layer {layer + 1}"] if info.experiment.num_layers > 1 else []
    parts += ["backwards"] if d else ["forwards"] if info.experiment.bidirectional else []
    return ", ".join(parts)


def template(info: RunInfo) -> go.Figure:
    """Bars for the total of the top layer; marks and lines for the other series."""
    e, t = info.experiment, np.arange(info.experiment.seq_len)
    empty = np.full(e.seq_len, np.nan, np.float32)
    top = _chain_name(info, e.num_layers - 1, 0)

    def line(name: str, colour: str, dash: str = "solid", width: float = 1.8) -> go.Scatter:
        return go.Scatter(
            x=t, y=empty, name=name, mode="lines", line={"color": colour, "dash": dash, "width": width},
            hovertemplate="t = %{x}: %{y:.2e}<extra>" + name + "</extra>",
        )  # fmt: skip

    def marks(name: str, symbol: str, colour: str, size: int = 7) -> go.Scatter:
        return go.Scatter(
            x=t, y=empty, name=name, mode="markers", marker={"symbol": symbol, "color": colour, "size": size},
            hovertemplate="t = %{x}: %{y:.2e}<extra>" + name + "</extra>",
        )  # fmt: skip

    below, above = marks("below 10⁻¹²", "triangle-down", theme.WRONG), marks("above 10²", "triangle-up", theme.WRONG)
    for outside in (below, above):
        outside.update(hovertemplate="t = %{x}: %{customdata}<extra></extra>", showlegend=False)
    traces: list = [
        line("previous run", theme.GHOST, width=2).update(showlegend=False),
        go.Bar(
            x=t, y=empty, name="total" + (f" ({top})" if top else ""),
            marker={"color": theme.TOTAL, "line": {"width": 0}},
            hovertemplate="t = %{x}: %{y:.2e}<extra>total</extra>",
        ),
        below,
        above,
        marks("direct, from above", "diamond", theme.DIRECT, 8),
    ]  # fmt: skip
    if _many(info):
        traces.append(line("from the last loss alone", theme.LAST))
    if info.memory_symbol == "c":
        traces.append(line("dL/dc, the cell state", theme.CELL))
    for layer, d in _chains(info):
        traces.append(line(f"total, {_chain_name(info, layer, d)}", theme.TOTAL, DASHES[d], 1.2))
    axis = theme.log_axis(theme.FLOOR_DECADE, theme.TOP_DECADE)
    axis["range"] = [theme.FLOOR_DECADE - 0.8, theme.TOP_DECADE + 0.5]
    return theme.figure(
        *traces,
        height=222,
        revision=f"time-{e.seq_len}",
        margin={**theme.TIME_MARGIN, "t": 24, "b": 22},
        xaxis=theme.time_axis(e.seq_len),
        yaxis={**axis, "title": {"text": "‖dL/dh‖", "standoff": 2, "font": {"size": 12}}},
        bargap=0.18,
        showlegend=True,
    )


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """All series of this frame."""
    total = frame.grad_norm[-1, 0]
    changed: Patch = {
        f"data.{BARS}.y": theme.f4(np.where(total >= FLOOR, np.minimum(total, AT_TOP), np.nan)),
        f"data.{FLOOR_MARKS}.y": theme.f4(np.where(total < FLOOR, AT_FLOOR, np.nan)),
        f"data.{FLOOR_MARKS}.customdata": [_below(value) for value in total],
        f"data.{FLOOR_MARKS}.marker.symbol": ["x-thin-open" if value == 0 else "triangle-down" for value in total],
        f"data.{TOP_MARKS}.y": theme.f4(np.where(total > TOP, AT_TOP, np.nan)),
        f"data.{TOP_MARKS}.customdata": [theme.short(value) for value in total],
    }
    direct = frame.grad_norm_direct[-1, 0]
    series = [np.where(direct > 0, direct, np.nan)]
    if _many(info):
        series.append(frame.grad_norm_last[-1, 0])
    if frame.grad_norm_cell is not None:
        series.append(frame.grad_norm_cell[-1, 0])
    series += [frame.grad_norm[chain] for chain in _chains(info)]
    for index, values in enumerate(series, start=TOP_MARKS + 1):
        changed[f"data.{index}.y"] = theme.f4(np.maximum(values, AT_FLOOR))  # a line runs along the floor, never stops
    return changed


def _below(value: float) -> str:
    return "exactly 0" if value == 0 else f"{theme.short(value)}, below the axis"


def readout(info: RunInfo, frame: Frame) -> str:
    """The two ends, as numbers; a word where an end is exactly 0."""
    ends = [theme.short(frame.grad_norm[-1, 0, t]) if frame.grad_norm[-1, 0, t] else "exactly 0" for t in (0, -1)]
    return f"at t = 0: {ends[0]} · at t = {info.experiment.seq_len - 1}: {ends[1]}"


def ghost(info: RunInfo, old: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """The previous run's total, where its sequences were as long."""
    if old.experiment.seq_len != info.experiment.seq_len:
        return {}
    return {
        f"data.{GHOST}.showlegend": True,
        f"data.{GHOST}.y": theme.f4(np.maximum(frame.grad_norm[-1, 0], AT_FLOOR)),
    }


FIGURE = LiveFigure(
    title=lambda info: "Gradient that reaches each step",
    look_for=lambda info: "How much changing the state at step t would change the loss. Each line is a hundredfold.",
    label="Gradient norm at every time step, log axis with fixed decades",
    over="time",
    template=template,
    patch=patch,
    readout=readout,
    ghost=ghost,
)
