"""The figures of a map: a panel for each cell, and the curves of the networks at one point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import Patch, Traces
from app.map.axes import Axis
from app.map.colours import COLOURS
from app.map.lines import LINES, Lines
from app.map.plan import MapPlan
from app.map.results import Results

PANEL = Traces("map", "diverged", *LINES)
MOST_TICKS = 8
CURVE = "map_curve"
HIGHEST = 1.5  # of the curve's axis: beyond, a loss is drawn at the edge


def panel_name(cell: int) -> str:
    """The name of a panel's figure."""
    return f"map_{cell}"


def panel(plan: MapPlan, cell: int) -> go.Figure:
    """A panel without numbers: one square for each point, and the places of the lines."""
    rows, columns = plan.shape[1:3]
    places = np.zeros((rows, columns), np.float32)
    squares = go.Heatmap(
        z=places * np.nan, meta="learned", zmin=0, zmax=1, showscale=False, xgap=1, ygap=1, hoverongaps=False,
        text=_settings(plan, cell),
    )  # fmt: skip
    marks = go.Scatter(
        x=[], y=[], mode="markers", hoverinfo="skip", marker={"symbol": "x-thin", "size": 7,
        "line": {"width": 1.6, "color": theme.ALARM}},
    )  # fmt: skip
    lines = {
        name: go.Scatter(
            x=[], y=[], mode="lines", hoverinfo="skip", connectgaps=False,
            line={"width": line.width, "dash": line.dash, "color": theme.INK},
        )
        for name, line in LINES.items()
    }  # fmt: skip
    return theme.figure(
        *PANEL.in_order(map=squares, diverged=marks, **lines),
        height=330,
        revision="map",
        margin={"l": 46, "r": 8, "t": 6, "b": 40},
        xaxis=_ticks(plan.x),
        yaxis=_ticks(plan.y),
    )


def panel_patch(results: Results, cell: int, colour: str, lines: Lines | None) -> Patch:
    """The newest numbers of a panel."""
    shown = COLOURS[colour]
    values = shown.of(results)[cell]
    broken = np.argwhere(results.by_point(results.diverged)[cell].all(axis=-1))
    patch: Patch = {
        PANEL.path("map", "z"): theme.float32(values),
        PANEL.path("diverged", "x"): broken[:, 1].astype(np.float32),
        PANEL.path("diverged", "y"): broken[:, 0].astype(np.float32),
    }
    for name in LINES:
        x, y = lines.of(name, cell) if lines is not None else (np.zeros(0), np.zeros(0))
        patch[PANEL.path(name, "x")], patch[PANEL.path(name, "y")] = x.astype(np.float32), y.astype(np.float32)
    return patch


def panel_scale(colour: str) -> Patch:
    """What another colour changes in every panel."""
    shown = COLOURS[colour]
    return {
        PANEL.path("map", "zmin"): shown.low,
        PANEL.path("map", "zmax"): shown.high,
        PANEL.path("map", "reversescale"): shown.is_reversed,
        PANEL.path("map", "meta"): shown.scale,
        PANEL.path("map", "hovertemplate"): f"%{{text}}<br>{shown.shown}<extra></extra>",
    }


def curve(plan: MapPlan) -> go.Figure:
    """The losses over training of the networks at one point, one line a seed, without numbers."""
    lines = [
        go.Scatter(
            x=[], y=[], mode="lines+markers", marker={"size": 4}, line={"width": 1.6, "color": theme.INK},
            opacity=1.0 if plan.seeds == 1 else 0.6, hovertemplate="step %{x:,}: %{y:.3f}<extra></extra>",
        )
        for _ in range(plan.seeds)
    ]  # fmt: skip
    drawn = theme.figure(
        *lines,
        height=230,
        revision="map-curve",
        margin={"l": 46, "r": 14, "t": 10, "b": 38},
        xaxis={**theme.TRAINING_AXIS, "range": [0, plan.updates * 1.02]},
        yaxis={"range": [0, HIGHEST], "title": {"text": "loss ÷ loss to beat", "standoff": 6, "font": {"size": 12}}},
    )
    drawn.add_hline(y=1, line={"dash": "dash", "width": 1.4, "color": theme.GHOST})
    return drawn


def curve_patch(results: Results, numbers: Sequence[int]) -> Patch:
    """The curves of these networks, one for each seed."""
    patch: Patch = {}
    for place, number in enumerate(numbers):
        rows, line = results.history(number), results.info(number).held_out_baseline
        patch[f"data.{place}.x"] = np.array([row.step for row in rows], np.float32)
        losses = np.array([row.held_out_loss / line for row in rows], np.float32)
        patch[f"data.{place}.y"] = np.minimum(losses, 0.98 * HIGHEST)
    return patch


def _settings(plan: MapPlan, cell: int) -> list[list[str]]:
    """What stands above the number under the mouse, for each point."""
    rows, columns = plan.shape[1:3]
    return [[_varying(plan, plan.number(cell, y, x)) for x in range(columns)] for y in range(rows)]


def _varying(plan: MapPlan, number: int) -> str:
    axes = [plan.x, *([plan.y] if plan.y else [])]
    return "<br>".join(f"{axis.title} {plan.varying(number)[axis.name]:.4g}" for axis in axes)


def _ticks(axis: Axis | None) -> dict:
    """An axis of squares: some of them have their value as a label."""
    if axis is None:
        return {"visible": False}
    count = len(axis.values)
    shown = range(0, count, -(-count // MOST_TICKS))
    return {
        "range": [-0.5, count - 0.5],
        "tickmode": "array",
        "tickvals": list(shown),
        "ticktext": [axis.labels[place] for place in shown],
        "title": {"text": axis.title, "standoff": 4, "font": {"size": 12}},
        "fixedrange": True,
        "tickangle": 0,
    }
