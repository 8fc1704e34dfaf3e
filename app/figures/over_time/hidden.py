"""The hidden states, unit by time step, all layers and directions on top of each other."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import STATE, ChainFigure, Curves, Patch, Quantised, Traces
from engine.frame import Chain, Look
from engine.frame.readings import saturation

TRACES = Traces("heat")
MAX_ROWS = 128
SCALES = (1.0, 5.0, 25.0, 125.0, 625.0, 1e4, 1e6)


def _units(info: Chain) -> np.ndarray:
    """Return the units drawn of each layer and direction: all, or evenly spaced ones if there are too many."""
    most = max(4, MAX_ROWS // len(info.chains))
    return np.unique(np.linspace(0, info.units - 1, min(most, info.units)).round().astype(int))


def _chain_names(info: Chain) -> list[str]:
    way = ["→", "←"] if info.directions == 2 else [""]
    layer = (lambda n: f"layer {n + 1}") if info.num_layers > 1 else (lambda n: "units")
    return [f"{layer(n)} {way[d]}".strip() for n, d in info.chains]


def template(info: Chain) -> go.Figure:
    """A heat map with one row per unit, the first layer at the bottom."""
    names, rows = _chain_names(info), len(_units(info))
    heat = go.Heatmap(
        z=np.zeros((rows * len(names), info.time_steps), np.float32),
        zmin=-1, zmax=1, zauto=False, showscale=False, meta="diverging", colorscale=theme.DIVERGING["light"],
        hovertemplate="t = %{x}, row %{y}: %{z:.2f}<extra></extra>",
    )  # fmt: skip
    lines = [
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": rows * n - 0.5, "y1": rows * n - 0.5,
         "line": {"width": 1, "color": theme.GHOST}}
        for n in range(1, len(names))
    ]  # fmt: skip
    return theme.figure(
        *TRACES.in_order(heat=heat),
        height=156 if len(names) == 1 else 170,
        revision=f"time-{info.time_steps}",
        margin={**theme.TIME_MARGIN, "t": 4, "b": 38},
        xaxis=theme.time_axis(info.time_steps, "position in the sequence, t", info.step_names),
        yaxis={
            "range": [-0.5, rows * len(names) - 0.5],
            "tickvals": [rows * (n + 0.5) - 0.5 for n in range(len(names))],
            "ticktext": names,
            "tickangle": -90,
            "ticks": "",
        },
        shapes=[*lines, *theme.marks_in_time(info, above=True)],
    )


def scale_of(values: np.ndarray) -> float:
    """Return the smallest of the fixed scales that holds 99 % of the values; 1 for tanh states."""
    reach = float(np.nanquantile(np.abs(values), 0.99)) if np.isfinite(values).any() else 1.0
    return next((scale for scale in SCALES if reach <= scale), SCALES[-1])


def patch(info: Chain, frame: Look, curves: Curves) -> Patch:
    """Patch the states of the drawn sequence, one byte each."""
    states = frame.hidden[..., _units(info)]  # (layers, directions, T, rows)
    scale = scale_of(states)
    rows = states.transpose(0, 1, 3, 2).reshape(-1, states.shape[2])
    return {
        TRACES.path("heat", "z"): Quantised.of(rows, scale),
        TRACES.path("heat", "zmin"): -scale,
        TRACES.path("heat", "zmax"): scale,
    }


def readout(info: Chain, frame: Look) -> str:
    """Return the scale of the colours, the number of units shown, and the share that is saturated."""
    activation = _activation(info)
    if activation == "identity":
        return colours(info, frame)
    there = np.stack([frame.valid & info.has(d) for d in range(info.directions)])
    share = saturation(frame.hidden[:, there], activation).mean()
    return f"{colours(info, frame)} · {share:.0%} saturated"


def _activation(info: Chain) -> str:
    """Return the function that limits the state; "identity" without one."""
    cell = info.cell_kind
    if not info.is_cell_known:
        return "identity"
    if cell.is_plain:
        return cell.activation(info.nonlinearity) or "identity"
    return "identity" if cell.structure.is_linear else "tanh"


def _how(info: Chain) -> str:
    how = "h_t of the drawn sequence, every unit at every step, as the layer computed it. "
    if _activation(info) == "identity":
        return how + "No function limits it. engine/lens/forward_trace.py."
    return how + (
        "Saturated: within 0.05 of a limit of the activation function, where its slope is almost 0. "
        "engine/lens/forward_trace.py; engine/frame/readings.py, saturation."
    )


def colours(info: Chain, frame: Look) -> str:
    """Return the values at the two ends of the colours, and the number of units shown."""
    scale, shown = scale_of(frame.hidden), len(_units(info))
    subset = "" if shown == info.units else f" · {shown} of {info.units} units"
    return f"teal −{scale:g} … purple +{scale:g}{subset}"


FIGURE = ChainFigure(
    title=lambda info: "Hidden states",
    look_for=lambda info: "One row per unit. A unit that keeps its colour from left to right remembers.",
    how=_how,
    label="Heat map of the hidden state, unit by time step",
    tab=STATE,
    over="time",
    template=template,
    patch=patch,
    readout=readout,
)
