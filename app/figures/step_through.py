"""One sequence step by step: the states and gradients of one layer over time, and the Jacobian of one step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.over_time import hidden
from engine.frame import RunInfo
from engine.step_through.sequence_trace import SequenceTrace

MAX_UNITS = 64
JACOBIAN_SCALES = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 25.0, 1e3, 1e6)


@dataclass(frozen=True)
class Place:
    """The current position in the sequence and the selected unit, weight and gate.

    Args:
        at: 0 ... n - 1 in the forward pass, n ... 2n - 1 in the backward pass, from the last step to the first.
        unit: the selected unit. source: the unit of the step before that its weight comes from. gate: the block.
    """

    at: int = 0
    unit: int = 0
    source: int = 0
    gate: int = 0

    def step(self, steps: int) -> int:
        """Return the step of the chain, 0 ... n - 1."""
        return self.at if self.at < steps else 2 * steps - 1 - self.at

    def back(self, steps: int) -> bool:
        """Return True in the backward pass."""
        return self.at >= steps


def units_of(trace: SequenceTrace, unit: int) -> np.ndarray:
    """Return the units that are drawn: all, or MAX_UNITS evenly spaced ones and the selected one."""
    units = trace.hidden.shape[-1]
    chosen = np.linspace(0, units - 1, min(units, MAX_UNITS)).round().astype(int)
    return np.unique([*chosen, unit])


def over_time(info: RunInfo, trace: SequenceTrace, place: Place) -> go.Figure:
    """Draw the states above and their gradients below, unit by position; steps not reached yet are empty."""
    n, units = len(trace.positions), units_of(trace, place.unit)
    k, row = place.step(n), int(np.searchsorted(units, place.unit))
    states = _on_axis(info, trace, trace.hidden[:, units], np.arange(n) <= (n if place.back(n) else k))
    with np.errstate(divide="ignore"):
        sizes = np.log10(np.abs(trace.grad[:, units]))
    sizes = np.where(np.isfinite(sizes), sizes, np.nan)
    slopes = _on_axis(info, trace, sizes, np.arange(n) >= (k if place.back(n) else n))
    scale = hidden.scale_of(trace.hidden)
    names = [f"unit {unit}" for unit in units]
    traces = [
        go.Heatmap(z=states, y=names, zmin=-scale, zmax=scale, meta="diverging", colorscale=theme.DIVERGING["light"],
                   hovertemplate="t = %{x}, %{y}: h = %{z:.3f}<extra></extra>"),
        go.Heatmap(z=slopes, y=names, zmin=theme.FLOOR_DECADE, zmax=theme.TOP_DECADE, meta="decades", yaxis="y2",
                   colorscale=theme.DECADES["light"],
                   hovertemplate="t = %{x}, %{y}: |dL/dh| = 10^%{z:.1f}<extra></extra>"),
    ]  # fmt: skip
    for heatmap in traces:
        heatmap.update(zauto=False, showscale=False, hoverongaps=False, xgap=1 if n <= 40 else 0)
    t = int(trace.positions[k])
    here = {"type": "rect", "xref": "x", "yref": "paper", "x0": t - 0.5, "x1": t + 0.5, "y0": 0, "y1": 1,
            "line": {"color": theme.INK, "width": 2}}  # fmt: skip
    followed = [
        {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "yref": ref, "y0": row - 0.5, "y1": row + 0.5,
         "line": {"color": theme.NEUTRALS[0], "width": 1.2}}
        for ref in ("y", "y2")
    ]  # fmt: skip
    return theme.figure(
        *traces,
        height=310,
        revision=f"walk-{info.time_steps}",
        margin={**theme.TIME_MARGIN, "t": 22, "b": 38},
        xaxis={**theme.time_axis(info.time_steps, "position in the sequence, t"), "anchor": "y2"},
        yaxis={"domain": [0.54, 1], **_unit_axis(names)},
        yaxis2={"domain": [0, 0.46], **_unit_axis(names)},
        shapes=[*theme.marks_in_time(info), here, *followed],
        annotations=[
            _caption(1.0, "hidden state h, forward pass"),
            _caption(0.46, "gradient |dL/dh|, backward pass"),
            *([] if place.back(n) else [_before_backward()]),
        ],
    )


def _on_axis(info: RunInfo, trace: SequenceTrace, values: np.ndarray, reached: np.ndarray) -> np.ndarray:
    """Map (n, units) of a chain to (units, T) by position; NaN in padding and at steps not reached yet."""
    whole = np.full((values.shape[1], info.time_steps), np.nan, np.float32)
    whole[:, trace.positions] = np.where(reached[:, None], values, np.nan).T
    return whole


def _unit_axis(names: list[str]) -> dict:
    """One row per unit, the first at the top, as in the Jacobian."""
    return {"type": "category", "categoryorder": "array", "categoryarray": names, "range": [len(names) - 0.5, -0.5],
            "showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False}  # fmt: skip


def _before_backward() -> dict:
    """Return the note in the place of the gradients, before the backward pass."""
    return {"xref": "paper", "x": 0.5, "yref": "paper", "y": 0.23, "text": "it starts at the loss, on the way back",
            "showarrow": False, "font": {"size": 12}}  # fmt: skip


def _caption(y: float, text: str) -> dict:
    return {"xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": y, "yanchor": "bottom", "text": text,
            "showarrow": False, "font": {"size": 12}}  # fmt: skip


def jacobian(info: RunInfo, trace: SequenceTrace, place: Place) -> go.Figure:
    """Draw ds_t/ds_(t-1) of one step: rows are units of this step, columns units of the step before."""
    assert trace.jacobians is not None
    k = place.step(len(trace.positions))
    values = trace.jacobians[k]
    units, states = trace.units, values.shape[0] // len(trace.units)
    names = [f"{symbol}{unit}" for symbol in "hc"[:states] for unit in units]
    scale = scale_of(values)
    heat = go.Heatmap(
        z=values, x=names, y=names, zmin=-scale, zmax=scale, zauto=False, showscale=False, meta="diverging",
        colorscale=theme.DIVERGING["light"], hovertemplate="from %{x} to %{y}: %{z:.3g}<extra></extra>",
    )  # fmt: skip
    m = len(units)
    lines = [
        {"type": "line", **way, "line": {"width": 1, "color": theme.GHOST}}
        for way in (
            {"x0": m - 0.5, "x1": m - 0.5, "y0": -0.5, "y1": 2 * m - 0.5},
            {"y0": m - 0.5, "y1": m - 0.5, "x0": -0.5, "x1": 2 * m - 0.5},
        )
        if states == 2
    ]
    rows_and_columns = np.flatnonzero(units == place.unit), np.flatnonzero(units == place.source)
    if all(map(len, rows_and_columns)):
        row, column = (int(indices[0]) for indices in rows_and_columns)
        lines.append({"type": "rect", "x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5,
                      "line": {"width": 2, "color": theme.NEUTRALS[0]}})  # fmt: skip
    axis = {"showticklabels": False, "ticks": "", "showgrid": False, "constrain": "domain"}
    parts = ": h, then c" if states == 2 else ""
    return theme.figure(
        heat,
        height=330,
        revision=f"jacobian-{len(names)}",
        margin={"l": 30, "r": 8, "t": 8, "b": 30},
        xaxis={**axis, "title": {"text": f"units of the step before{parts}", "standoff": 4}},
        yaxis={**axis, "title": {"text": f"units of this step{parts}", "standoff": 4}, "autorange": "reversed",
               "scaleanchor": "x"},
        shapes=lines,
    )  # fmt: skip


def scale_of(values: np.ndarray) -> float:
    """Return the limit of the colours of `jacobian`: the smallest fixed scale that holds 99.5 % of the values."""
    reach = float(np.quantile(np.abs(values), 0.995)) if np.isfinite(values).all() else 1.0
    return next((scale for scale in JACOBIAN_SCALES if reach <= scale), JACOBIAN_SCALES[-1])
