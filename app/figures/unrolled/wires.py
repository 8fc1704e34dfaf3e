"""The lines of the unrolled picture that stay: wires, the context vector, and how the truth comes back as an input."""

from __future__ import annotations

from itertools import pairwise

import plotly.graph_objects as go

from app.figures import theme
from app.figures.unrolled import layout
from app.figures.unrolled.layout import HALF, TARGETS_ABOVE
from engine.frame import RunInfo

HEAD = 11  # pixels for an arrow that goes in


def wires(info: RunInfo) -> go.Scatter:
    """Inputs up into the states, each layer up into the next, states on to the next step, and up to the answers."""
    real, answered, rows = layout.real(info), layout.answer_steps(info), layout.rows(info)
    half, top = layout.half_width(info), layout.top(info)
    bottom = HALF if layout.strip_channels(info) else 0.22
    segments: list[tuple[float, float, float, float]] = [(t, bottom, t, 1 - HALF) for t in real]
    read = answered if info.experiment.rnn_type == "many_to_one" else real[real >= info.encoder_steps]
    for row in range(1, top - 1):  # the layers above see only the steps that are read
        segments += [(t, row + HALF, t, row + 1 - HALF) for t in (real if row < len(rows) else read)]
    segments += [(t, top - 1 + HALF, t, top - 0.25) for t in answered]
    if info.has_links:
        for row in range(1, len(rows) + 1):
            segments += [(left + half, row, right - half, row) for left, right in pairwise(real)]
    x: list = []
    y: list = []
    for x0, y0, x1, y1 in segments:
        x += [x0, x1, None]
        y += [y0, y1, None]
    return go.Scatter(x=x, y=y, mode="lines", line={"color": theme.QUIET, "width": 1}, hoverinfo="skip")


def truth(info: RunInfo) -> go.Scatter:
    """From each target, past the output, down to the next input; "…" where the step before is not drawn.

    The pass that is measured and drawn is told the truth, so what comes in never is the output itself.
    """
    drawn, reach = set(layout.answer_steps(info).tolist()), layout.top(info) + TARGETS_ABOVE
    beside = layout.steps_of(info, layout.LETTER * layout.longest(info) / 2 + 6)
    x: list = []
    y: list = []
    heads: list = []
    text: list = []
    for t in layout.teacher_forced_steps(info).tolist():
        if t - 1 in drawn:
            line = [(t - 1 + beside, reach), (t - 0.5, reach), (t - 0.5, 0)]
        else:
            middle = t - beside - layout.steps_of(info, HEAD)
            line = [(middle, reach), (middle, reach - 0.2), (middle, 0)]
        x += [*(point[0] for point in line), t - beside, None]
        y += [*(point[1] for point in line), 0, None]
        heads += [0, 0, 0, 7, 0]
        text += ["" if t - 1 in drawn else "…", "", "", "", ""]
    return go.Scatter(
        x=x, y=y, text=text, mode="lines+markers+text", line={"color": theme.DIRECT, "dash": "dot", "width": 1.4},
        marker={"symbol": "triangle-right", "size": heads, "color": theme.DIRECT, "opacity": 1, "line": {"width": 0}},
        textposition="top center", textfont={"size": 14}, hoverinfo="skip", cliponaxis=False,
    )  # fmt: skip


def context(info: RunInfo) -> go.Scatter:
    """The context vector: all that crosses from encoder to decoder, one state per layer."""
    rows = range(1, len(layout.rows(info)) + 1) if info.encoder_steps else range(0)
    return go.Scatter(
        x=[info.encoder_steps - 0.5] * len(rows), y=list(rows), mode="markers",
        marker={"symbol": "diamond", "size": 15, "color": theme.LAST, "line": {"width": 0}},
        hovertemplate="The context vector: all that the decoder gets to know of the question<extra></extra>",
    )  # fmt: skip


def halves(info: RunInfo) -> list[dict]:
    """The names of the two halves and of what stands between them."""
    border, last = info.encoder_steps, info.time_steps - 1
    if not border:
        return []
    names = ((0, "left", "encoder reads"), (border - 0.5, "center", "context"), (last, "right", "decoder speaks"))
    return [
        {"x": x, "y": layout.ceiling(info), "yanchor": "top", "xanchor": anchor, "text": text, "showarrow": False,
         "font": {"size": 12}}
        for x, anchor, text in names
    ]  # fmt: skip
