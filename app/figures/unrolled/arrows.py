"""The gradient going back through time as arrows: one trace for each decade."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.unrolled import layout
from engine.frame import Frame, RunInfo

DECADES = range(theme.FLOOR_DECADE - 1, theme.TOP_DECADE + 1)  # the first also has everything below the axis


def colour_of(decade: int) -> str:
    """Return the gradient's hue, greyer for a tiny gradient."""
    share = np.clip((decade - theme.FLOOR_DECADE) / (-1 - theme.FLOOR_DECADE), 0, 1)
    grey, magenta = np.array([150, 156, 166]), np.array([217, 50, 122])
    red, green, last = (grey + (magenta - grey) * share).round().astype(int)
    return f"rgb({red},{green},{last})"


def width_of(decade: int) -> float:
    """Return the line width in pixels, linear in the log of the gradient."""
    return 0.8 + 0.55 * (decade - DECADES.start)


def traces() -> list[go.Scatter]:
    """Return empty traces, thinnest first."""
    return [
        go.Scatter(
            x=[], y=[], mode="lines+markers", hoverinfo="skip", line={"color": colour_of(k), "width": width_of(k)},
            marker={"symbol": [], "size": [], "color": colour_of(k), "line": {"width": 0}},
        )
        for k in DECADES
    ]  # fmt: skip


def arrows(info: RunInfo, frame: Frame) -> list[tuple]:
    """Return per decade (x, y, marker size, marker symbol) of its arrows; an arrow shows the gradient at its head."""
    columns = layout.real(info) if info.has_links else layout.real(info)[:0]  # padding is skipped
    half = layout.half_width(info) * 1.12
    by_decade: dict[int, tuple[list, list, list, list]] = {k: ([], [], [], []) for k in DECADES}
    for row, (layer, d) in enumerate(info.chains, start=1):
        for left, right in pairwise(columns):
            head, tail, start, end, symbol = (left, right, right - half, left + half, "triangle-left")
            if d:
                head, tail, start, end, symbol = (right, left, left + half, right - half, "triangle-right")
            norm = frame.sequence_grad_norm[layer, d, head]
            if norm == 0 or frame.sequence_grad_norm[layer, d, tail] == 0 or not np.isfinite(norm):
                continue  # exactly 0: no arrow
            decade = int(np.clip(np.floor(np.log10(norm)), DECADES.start, DECADES.stop - 1))
            x, y, size, symbols = by_decade[decade]
            x += [float(start), float(end), None]
            y += [row, row, None]
            size += [0, 4 + 1.5 * width_of(decade), 0]
            symbols += [symbol] * 3
    return [by_decade[k] for k in DECADES]
