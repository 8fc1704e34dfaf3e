"""The figures of a map with two axes: a panel of squares for each cell."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import Patch, Traces
from app.map.axes import KINDS, Axis
from app.map.colours import COLOURS
from app.map.lines import LINES, Lines
from app.map.plan import MapPlan
from app.map.results import Results

PANEL = Traces("map", "diverged", *LINES)
MOST_TICKS = 8


def template(plan: MapPlan, cell: int) -> go.Figure:
    """A panel without numbers: one square for each point, and the places of the lines."""
    assert plan.y is not None
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
        height=300,
        revision="map",
        margin={"l": 62, "r": 8, "t": 6, "b": 40},
        xaxis=ticks(plan.x),
        yaxis=ticks(plan.y),
    )


def patch(results: Results, cell: int, colour: str, lines: Lines | None) -> Patch:
    """The newest numbers of a panel."""
    shown = COLOURS[colour]
    values = shown.of(results)[cell]
    broken = np.argwhere(results.by_point(results.diverged)[cell].all(axis=-1))
    changed: Patch = {
        PANEL.path("map", "z"): theme.float32(values),
        PANEL.path("diverged", "x"): broken[:, 1].astype(np.float32),
        PANEL.path("diverged", "y"): broken[:, 0].astype(np.float32),
    }
    for name in LINES:
        x, y = lines.of(name, cell) if lines is not None else (np.zeros(0), np.zeros(0))
        changed |= {PANEL.path(name, "x"): x.astype(np.float32), PANEL.path(name, "y"): y.astype(np.float32)}
    return changed


def scale(colour: str) -> Patch:
    """What another colour changes in every panel."""
    shown = COLOURS[colour]
    return {
        PANEL.path("map", "zmin"): shown.low,
        PANEL.path("map", "zmax"): shown.high,
        PANEL.path("map", "reversescale"): shown.is_reversed,
        PANEL.path("map", "meta"): shown.scale,
        PANEL.path("map", "hovertemplate"): f"%{{text}}<br>{shown.shown}<extra></extra>",
    }


def _settings(plan: MapPlan, cell: int) -> list[list[str]]:
    """What stands above the number under the mouse, for each point."""
    rows, columns = plan.shape[1:3]
    return [[_varying(plan, plan.number(cell, y, x)) for x in range(columns)] for y in range(rows)]


def _varying(plan: MapPlan, number: int) -> str:
    return "<br>".join(f"{KINDS[name].title} {value:.4g}" for name, value in plan.varying(number).items())


def ticks(axis: Axis) -> dict:
    """An axis of squares, or of points: some of them have their value as a label."""
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
