"""Lines of static figures, outside the live view."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import theme

MAX_MARKED = 60  # points of a line with markers


def line(x: np.ndarray, y: np.ndarray, name: str, colour: str, *, dash: str = "solid", width: float = 2) -> go.Scatter:
    """Return a line; a short one has markers, so that a single value is visible."""
    return go.Scatter(
        x=x, y=y, name=theme.escaped(name), mode="lines+markers" if len(x) <= MAX_MARKED else "lines",
        marker={"size": 5, "color": colour}, line={"color": colour, "width": width, "dash": dash},
        hovertemplate="%{y:.4~g}",
    )  # fmt: skip
