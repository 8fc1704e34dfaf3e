"""Saliency: the slope of each output along every input, and the change of the last output without each input."""

from __future__ import annotations

import html

import numpy as np
import plotly.graph_objects as go

from app.figures import log_scale, theme, token_labels
from app.figures.base import STATE, Curves, LiveFigure, Patch, Traces
from engine.frame import Frame, RunInfo
from engine.frame.readings import Saliency
from engine.number_format import share

TRACES = Traces("heat", "slopes", "occluded")
LOW, HIGH = -6, 1  # exponents of 10 of the colours' limits
UPPER = 84  # pixels: height of the bars' axis
BETWEEN, EDGES = 12, 68  # pixels between the two parts; above and below them


def template(info: RunInfo) -> go.Figure:
    """Above, the last output as bars and circles; below, a heat map with one row per output, the last at the bottom."""
    steps, empty = info.time_steps, np.full(info.time_steps, np.nan, np.float32)
    heat = log_scale.heat_map(1, steps, LOW, HIGH, "output at step %{y}, input at t = %{x:d}: " + log_scale.NORM)
    heat.update(y=["0"])
    bars = go.Bar(
        x=np.arange(steps), y=empty, customdata=empty, hovertext=[""] * steps, yaxis="y2",
        name="slope of the last output", marker={"color": theme.GRADIENT, "line": {"width": 0}},
        hovertemplate="t = %{x:d}%{hovertext}: slope %{customdata:.2e}<extra></extra>",
    )  # fmt: skip
    circles = go.Scatter(
        x=np.arange(steps), y=empty, customdata=empty, yaxis="y2", name="its change without this input",
        mode="markers", marker={"symbol": "circle-open", "size": 7, "color": theme.INK, "line": {"width": 1.8}},
        hovertemplate="t = %{x:d}: without it the output changes by %{customdata:.2e}<extra></extra>",
    )  # fmt: skip
    with_words = token_labels.shown(info, _labels(info))
    lower, height = _lower(info), UPPER + BETWEEN + _lower(info)
    return theme.figure(
        *TRACES.in_order(heat=heat, slopes=bars, occluded=circles),
        height=height + EDGES + (18 if with_words and max(map(len, info.input_labels)) > 1 else 0),
        revision=f"time-{steps}",
        margin={**theme.TIME_MARGIN, "t": 42, "b": 24},  # room for the legend: Plotly does not make it with two axes
        xaxis={**token_labels.axis(info, _labels(info)), "anchor": "y"},
        yaxis={
            "type": "category", "range": [0.5, -0.5], "domain": [0, lower / height], "showgrid": False,
            "nticks": max(2, lower // 18), "tickfont": {"size": 11},
            "title": {"text": "output" if lower < 100 else "output at step", "standoff": 6, "font": {"size": 11}},
        },
        yaxis2={
            "domain": [1 - UPPER / height, 1], "range": [0, 1.12], "tickvals": [0, 0.5, 1], "zeroline": False,
            "gridcolor": theme.QUIET, "linecolor": theme.QUIET, "tickcolor": theme.QUIET, "anchor": "x",
            "title": {"text": "relative", "standoff": 6, "font": {"size": 11}},
        },
        bargap=0.18,
        shapes=theme.marks_in_time(info, above=True),
        annotations=[token_labels.caption("input")] if with_words else [],
        showlegend=True,
        legend={"traceorder": "normal"},
    )  # fmt: skip


def _labels(info: RunInfo) -> tuple[str, ...] | None:
    return info.input_labels if info.inputs == "symbols" else None


def _lower(info: RunInfo) -> int:
    """Return the height in pixels that the heat map's rows need, within limits."""
    e = info.experiment
    at_every_step = e.rnn_type == "many_to_one" and not e.bidirectional  # its output could be read at any step
    return int(np.clip(12 * sum(info.valid if at_every_step else info.counted), 40, 84))


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Patch the slopes of every output, and the check for the last; {} for a frame without this reading."""
    reading = frame.saliency
    if reading is None:
        return {}
    rows = log_scale.drawn_rows(len(reading.steps), info.time_steps)
    norms = np.where(frame.valid, reading.norms, np.nan)
    symbols = token_labels.inputs(info, frame)
    changed = token_labels.ticks(info, symbols) if token_labels.shown(info, _labels(info)) else {}
    return changed | {
        TRACES.path("heat", "z"): log_scale.logarithms(norms[rows]),
        TRACES.path("heat", "y"): [str(step) for step in reading.steps[rows]],
        "layout.yaxis.range": [len(rows) - 0.5, -0.5],
        TRACES.path("slopes", "y"): _relative(norms[-1]),
        TRACES.path("slopes", "customdata"): theme.float32(norms[-1]),
        TRACES.path("slopes", "hovertext"): [f" “{symbol}”" if symbol else "" for symbol in symbols],
        TRACES.path("occluded", "y"): _relative(reading.occluded),
        TRACES.path("occluded", "customdata"): theme.float32(reading.occluded),
    }


def _relative(values: np.ndarray) -> np.ndarray:
    """Return values divided by their maximum, float32; NaN where a value is not finite."""
    finite = np.where(np.isfinite(values), values, np.nan)
    largest = np.nanmax(finite, initial=0.0)
    return theme.float32(finite / largest if largest else finite)


def readout(info: RunInfo, frame: Frame) -> str:
    """Return the step of the reading, and the input without which the last output changes most: its circle."""
    reading = frame.saliency
    if reading is None:
        return ""
    return f"step {frame.step:,} · {_strongest(info, reading, frame)}"


def _strongest(info: RunInfo, reading: Saliency, frame: Frame) -> str:
    tried = frame.valid & np.isfinite(reading.occluded)
    if not tried.any():
        return "not finite"
    changes = np.where(tried, reading.occluded, 0.0)
    first, most = int(np.flatnonzero(frame.valid)[0]), int(changes.argmax())
    if not changes[most]:
        return "no input changes the last output"
    symbol = html.unescape(token_labels.inputs(info, frame)[most])
    said = f"changes most without “{symbol}”, t = {most}" if symbol else f"changes most without t = {most}"
    return (
        said
        if most == first
        else f"{said}; without t = {first}: {share(float(changes[first] / changes[most]))} of that"
    )


FIGURE = LiveFigure(
    title=lambda info: "Which inputs each output depends on",
    look_for=lambda info: (
        "Bars: slope of the last output along each input. Circles: its change without that input; where they differ, "
        "trust the circles."
    ),
    how=lambda info: (
        "‖ds_t/dx_j‖ of the drawn sequence: s_t is the "
        + ("logit of the target symbol" if info.outputs == "symbols" else "sum of the output values")
        + " at step t, x_j what the first layer reads at j. Circles: how much s changes when "
        + ("the symbol is left out" if info.inputs == "symbols" else "the values are replaced by their mean")
        + ". A saturated unit has a slope near 0 even where the output depends on it. "
        "engine/lens/saliency.py, input_saliency."
    ),
    label="Influence of every input on every output, and on the last output as bars, with the change without it",
    tab=STATE,
    over="time",
    template=template,
    patch=patch,
    readout=readout,
    requires="saliency",
    applies=lambda info: not info.reads_across_the_batch,
    fits=("data.0",),
)
