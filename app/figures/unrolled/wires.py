"""The fixed lines of the unrolled figure: connections, the context vector, and targets that become inputs."""

from __future__ import annotations

from itertools import pairwise

import plotly.graph_objects as go

from app.figures import theme
from app.figures.unrolled import layout
from app.figures.unrolled.layout import HALF, TARGETS_ABOVE
from engine.frame import RunInfo

HEAD = 11  # pixels for an arrow that goes in


def wires(info: RunInfo) -> go.Scatter:
    """Return the lines from inputs to states, from layer to layer, from step to step, and to the outputs."""
    real, answered, rows = layout.real(info), layout.answer_steps(info), info.chains
    half, top = layout.half_width(info), layout.top(info)
    bottom = HALF if layout.strip_channels(info) else 0.22
    segments: list[tuple[float, float, float, float]] = [(t, bottom, t, 1 - HALF) for t in real]
    read = answered if info.answers_once else real[real >= info.encoder_steps]
    for row in range(1, top - 1):  # the layers above have only the steps that the output reads
        segments += [(t, row + HALF, t, row + 1 - HALF) for t in (real if row < len(rows) else read)]
    segments += [(t, top - 1 + HALF, t, top - 0.25) for t in answered]
    if info.has_links:
        for row, (_, d) in enumerate(rows, start=1):
            own = real[info.has(d)[real]]
            segments += [(left + half, row, right - half, row) for left, right in pairwise(own)]
    x: list = []
    y: list = []
    for x0, y0, x1, y1 in segments:
        x += [x0, x1, None]
        y += [y0, y1, None]
    return go.Scatter(x=x, y=y, mode="lines", line={"color": theme.QUIET, "width": 1}, hoverinfo="skip")


def truth(info: RunInfo) -> go.Scatter:
    """Return the lines from each target, past the output, to the next input; "…" if the step before is not drawn.

    The measured pass uses teacher forcing, so its inputs are never its own outputs.
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
        x=x, y=y, text=text, mode="lines+markers+text", line={"color": theme.GREY, "dash": "dot", "width": 1.4},
        marker={"symbol": "triangle-right", "size": heads, "color": theme.GREY, "opacity": 1, "line": {"width": 0}},
        textposition="top center", textfont={"size": 14}, hoverinfo="skip", cliponaxis=False,
    )  # fmt: skip


def context(info: RunInfo) -> go.Scatter:
    """Return the context vector, one marker per layer: all that passes from encoder to decoder."""
    rows = range(1, len(info.chains) + 1) if info.encoder_steps else range(0)
    attends = info.experiment.attention != "none"
    means = (
        "The state that the decoder starts from"
        if attends
        else "The context vector: all that the decoder knows of the source"
    )
    return go.Scatter(
        x=[info.encoder_steps - 0.5] * len(rows), y=list(rows), mode="markers",
        marker={"symbol": "diamond", "size": 15, "color": theme.GREY, "line": {"width": 0}},
        hovertemplate=f"{means}<extra></extra>",
    )  # fmt: skip


def halves(info: RunInfo) -> list[dict]:
    """Return the names of encoder, context and decoder above the figure."""
    border, last = info.encoder_steps, info.time_steps - 1
    if not border:
        return []
    names = ((0, "left", "encoder reads"), (border - 0.5, "center", "context"), (last, "right", "decoder writes"))
    return [
        {"x": x, "y": layout.ceiling(info), "yanchor": "top", "xanchor": anchor, "text": text, "showarrow": False,
         "font": {"size": 12}}
        for x, anchor, text in names
    ]  # fmt: skip
