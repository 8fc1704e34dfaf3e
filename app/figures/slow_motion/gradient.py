"""The gradient going back through the unrolled network: the colour of every state, and arrows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from app.figures import log_scale, theme
from app.figures.slow_motion.network import NEW, legend, lines, strips, text
from app.figures.unrolled import arrows, layout
from engine.frame import RunInfo
from engine.slow_motion.update_trace import UpdateTrace

HEAD = 4
"""Pixels between the middle of an arrow's head and the state that it points at."""
STRONG = -3
"""Decade from which on the text on a gradient's colour has the page's own colour."""


def gradient(info: RunInfo, r: UpdateTrace) -> list:
    """Return all traces of the gradient, on the axes of the new part."""
    return [_glow(info, r), *_sizes(info, r), *_between(info, r), *_entering(info, r)]


def _glow(info: RunInfo, r: UpdateTrace) -> go.Heatmap:
    """Return every state in the colour of its gradient: the stronger, the larger."""
    norms = log_scale.logarithms(r.grad_norm)
    blocks = [(row, norms[layer, d][None]) for row, (layer, d) in enumerate(info.chains, start=1)]
    ticks = list(range(theme.FLOOR_DECADE, theme.TOP_DECADE + 1, 2))
    bar = legend("‖dL/dh‖", [float(k) for k in ticks], [f"10<sup>{k}</sup>".replace("-", "−") for k in ticks])
    return strips(info, blocks, **NEW, zmin=theme.FLOOR_DECADE, zmax=theme.TOP_DECADE, meta="decades", colorbar=bar,
                   colorscale=theme.DECADES["light"],
                   hovertemplate="‖dL/dh‖ = 10<sup>%{z:.2f}</sup><extra></extra>")  # fmt: skip


def _sizes(info: RunInfo, r: UpdateTrace) -> list[go.Scatter]:
    """Return every gradient's size as a text on its state: one digit, or only its power of ten if space is short."""
    real, texts = layout.real(info), []
    write = digit if roomy(info) else decade
    for row, (layer, d) in enumerate(info.chains, start=1):
        norms = r.grad_norm[layer, d, real]
        colours = [theme.PAPER if norm >= 10.0**STRONG else theme.INK for norm in norms]
        text_colours = [theme.GHOST if norm == 0 else colour for norm, colour in zip(norms, colours, strict=True)]
        size = 12 if roomy(info) else 11
        texts.append(text(real, row, [write(norm) for norm in norms], NEW, color=text_colours, size=size))
        texts[-1].meta = "on_marks"
    return texts


def roomy(info: RunInfo) -> bool:
    """Return True if a state is wide enough for a number with its power of ten."""
    return 2 * layout.half_width(info) > layout.steps_of(info, 24)


def decade(value: float) -> str:
    """Return the power of ten of a size; a cross for exactly 0."""
    if value == 0 or not np.isfinite(value):
        return "✕" if value == 0 else "∞"
    return f"{int(np.floor(np.log10(value)))}".replace("-", "−")


def digit(value: float) -> str:
    """Return a size with one digit: 0.03, 3e-5; a cross for exactly 0."""
    if value == 0 or not np.isfinite(value):
        return decade(value)
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{float(value):.1g}" if -2 <= int(exponent) <= 2 else f"{mantissa}e{int(exponent)}".replace("-", "−")


def _decade(norm: float) -> int:
    return int(np.clip(np.floor(np.log10(norm)), arrows.DECADES.start, arrows.DECADES.stop - 1))


def _arrow(line: Sequence[tuple[float, float]], decade: int, head: str) -> go.Scatter:
    """Return an arrow as thick as its decade."""
    size, colour = 4 + 1.5 * arrows.width_of(decade), arrows.colour_of(decade)
    return go.Scatter(
        **lines(line), **NEW, mode="lines+markers", hoverinfo="skip",
        line={"color": colour, "width": 1.3 * arrows.width_of(decade)},
        marker={"symbol": head, "size": [0, size], "color": colour, "opacity": 1, "line": {"width": 0}},
    )  # fmt: skip


def _between(info: RunInfo, r: UpdateTrace) -> list[go.Scatter]:
    """Return the arrows back through time; each shows the gradient at its head, and exactly 0 has no arrow."""
    columns = layout.real(info) if info.has_links else layout.real(info)[:0]
    half, room, arrows = layout.half_width(info) * 1.08, layout.steps_of(info, HEAD), []
    for row, (layer, d) in enumerate(info.chains, start=1):
        for left, right in pairwise(columns.tolist()):
            head, tail, line, symbol = left, right, [(right - half, row), (left + half + room, row)], "triangle-left"
            if d:
                line, symbol = [(left + half, row), (right - half - room, row)], "triangle-right"
                head, tail = right, left
            norm = float(r.grad_norm[layer, d, head])
            if norm > 0 and r.grad_norm[layer, d, tail] > 0 and np.isfinite(norm) and not _cut(info, left, right):
                arrows.append(_arrow(line, _decade(norm), symbol))
    return arrows


def _cut(info: RunInfo, left: int, right: int) -> bool:
    """Return True if truncation cuts between two drawn steps."""
    return any(left < wall <= right for wall in theme.walls(info))


def _entering(info: RunInfo, r: UpdateTrace) -> list[go.Scatter]:
    """Return the arrows down from a loss into the top layer, and from each layer into the one below."""
    arrows, rows = [], info.chains
    for row, (layer, d) in enumerate(rows, start=1):
        for t in layout.real(info).tolist():
            norm = float(r.entering_norm[layer, d, t])
            if norm > 0 and np.isfinite(norm):
                upper = row + 1 - (0.25 if row == len(rows) else layout.HALF)
                line = [(t, upper), (t, row + layout.HALF * 1.24)]
                arrows.append(_arrow(line, _decade(norm), "triangle-down"))
    return arrows
