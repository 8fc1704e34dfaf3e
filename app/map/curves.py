"""The figure of a map with one axis: a line for each cell over the values of that axis, with a band around it."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import Patch
from app.figures.compare.base import LANES
from app.map.colours import COLOURS
from app.map.panels import ticks
from app.map.plan import MapPlan
from app.map.results import Results
from engine.cells import CELLS
from engine.sweeps.success import wilson

BAND = 0.16  # opacity of a band
PARTS = 3  # traces of a cell: the lower edge of its band, the upper one, its line


def template(plan: MapPlan) -> go.Figure:
    """All cells in one figure, without numbers. A line's `meta` says which cell it is."""
    return theme.figure(
        *(trace for cell in range(len(plan.cells)) for trace in _traces(plan, cell)),
        height=380,
        revision="map-lines",
        margin={"l": 52, "r": 14, "t": 26, "b": 42},
        xaxis={**ticks(plan.x), "range": [-0.3, len(plan.x.values) - 0.7]},
        yaxis={"range": [0, 1], "tickfont": {"size": 11}},
        showlegend=True,
        legend={"traceorder": "normal"},
    )


def patch(results: Results, colour: str) -> Patch:
    """The newest numbers of every line and its band."""
    shown, changed = COLOURS[colour], Patch()
    values = shown.of(results)[:, 0]
    low, high = _band(results, colour)
    for cell in range(len(results.plan.cells)):
        for part, numbers in enumerate((low[cell], high[cell], values[cell])):
            changed[f"data.{PARTS * cell + part}.y"] = theme.float32(numbers)
    return changed


def scale(colour: str) -> Patch:
    """What another colour changes."""
    shown = COLOURS[colour]
    air = 0.04 * (shown.high - shown.low)
    return {
        "layout.yaxis.range": [shown.low - air, shown.high + air],
        "layout.yaxis.title": {"text": shown.axis, "standoff": 6, "font": {"size": 12}},
        "layout.yaxis.tickformat": ".0%" if colour == "solved" else "",
    }


def _band(results: Results, colour: str) -> tuple[np.ndarray, np.ndarray]:
    """The edges of the bands, (cells, x) each: Wilson's interval of a share, else the lowest and the highest seed."""
    if colour == "solved":
        solved = results.by_point(results.solved)[:, 0].sum(-1)
        known = results.by_point(results.steps >= 0)[:, 0].sum(-1)
        edges = np.array([[wilson(int(s), int(n)) if n else (np.nan, np.nan) for s, n in zip(*row, strict=True)]
                          for row in zip(solved, known, strict=True)])  # fmt: skip
        return edges[..., 0], edges[..., 1]
    every = COLOURS[colour].each(results)[:, 0]
    there = ~np.isnan(every)
    low, high = np.where(there, every, np.inf).min(-1), np.where(there, every, -np.inf).max(-1)
    return np.where(there.any(-1), low, np.nan), np.where(there.any(-1), high, np.nan)


def _traces(plan: MapPlan, cell: int) -> list[go.Scatter]:
    """The lower edge of a cell's band, its upper edge, and its line."""
    style, name = LANES[cell], CELLS[plan.cells[cell]].title
    x = np.arange(len(plan.x.values))
    r, g, b = (int(style.colour[at : at + 2], 16) for at in (1, 3, 5))
    edge = {"x": x, "y": [], "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    return [
        go.Scatter(**edge),
        go.Scatter(**edge, fill="tonexty", fillcolor=f"rgba({r},{g},{b},{BAND})"),
        go.Scatter(
            x=x, y=[], mode="lines+markers", name=name, meta=f"cell {cell}", text=plan.x.labels,
            line={"color": style.colour, "width": 2, "dash": style.dash}, marker={"symbol": style.mark, "size": 8},
            hovertemplate=f"{name}, {plan.x.title} %{{text}}: %{{y}}<extra></extra>",
        ),
    ]  # fmt: skip
