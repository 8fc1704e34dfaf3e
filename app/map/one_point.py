"""The figure of one point of a map: the losses over training of its networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import Patch
from app.map.plan import MapPlan
from app.map.results import Results

NAME = "map_point"
HIGHEST = 1.5  # of the axis: a larger loss is drawn at the edge


def template(plan: MapPlan) -> go.Figure:
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
        height=190,
        revision="map-curve",
        margin={"l": 46, "r": 14, "t": 10, "b": 38},
        xaxis={**theme.TRAINING_AXIS, "range": [0, plan.updates * 1.02]},
        yaxis={"range": [0, HIGHEST], "title": {"text": "loss ÷ loss to beat", "standoff": 6, "font": {"size": 12}}},
    )
    drawn.add_hline(y=1, line={"dash": "dash", "width": 1.4, "color": theme.GHOST})
    return drawn


def patch(results: Results, numbers: Sequence[int]) -> Patch:
    """The curves of these networks, one for each seed."""
    changed: Patch = {}
    for place, number in enumerate(numbers):
        rows, line = results.history(number), results.info(number).held_out_baseline
        changed[f"data.{place}.x"] = np.array([row.step for row in rows], np.float32)
        losses = np.array([row.held_out_loss / line for row in rows], np.float32)
        changed[f"data.{place}.y"] = np.minimum(losses, 0.98 * HIGHEST)
    return changed
