"""What each answer looks at: its slope along every input, and for the last answer what changes without an input."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import log_scale, theme, token_labels
from app.figures.base import Curves, LiveFigure, Patch, Traces
from engine.frame import Frame, RunInfo
from engine.frame.readings import Saliency
from engine.number_format import share

TRACES = Traces("heat", "slopes", "occluded")
LOW, HIGH = -6, 1  # decades: less than a millionth changes no answer
UPPER = 84  # pixels of the bars
BETWEEN, EDGES = 12, 68  # pixels between both parts; above and below them


def template(info: RunInfo) -> go.Figure:
    """Above, the last answer as bars and circles; below, a heat map with one row per answer, the last at the bottom."""
    steps, empty = info.time_steps, np.full(info.time_steps, np.nan, np.float32)
    heat = log_scale.heat_map(1, steps, LOW, HIGH, "answer at step %{y}, input at t = %{x:d}: " + log_scale.NORM)
    heat.update(y=["0"])
    bars = go.Bar(
        x=np.arange(steps), y=empty, customdata=empty, hovertext=[""] * steps, yaxis="y2",
        name="slope of the last answer", marker={"color": theme.LAST, "line": {"width": 0}},
        hovertemplate="t = %{x:d}%{hovertext}: slope %{customdata:.2e}<extra></extra>",
    )  # fmt: skip
    circles = go.Scatter(
        x=np.arange(steps), y=empty, customdata=empty, yaxis="y2", name="its change without this input",
        mode="markers", marker={"symbol": "circle-open", "size": 7, "color": theme.BESIDE, "line": {"width": 1.8}},
        hovertemplate="t = %{x:d}: without it the answer changes by %{customdata:.2e}<extra></extra>",
    )  # fmt: skip
    with_words = token_labels.shown(info, _labels(info))
    lower, height = _lower(info), UPPER + BETWEEN + _lower(info)
    return theme.figure(
        *TRACES.in_order(heat=heat, slopes=bars, occluded=circles),
        height=height + EDGES + (18 if with_words and max(map(len, info.input_labels)) > 1 else 0),
        revision=f"time-{steps}",
        margin={**theme.TIME_MARGIN, "t": 42, "b": 24},  # room for the legend: Plotly fails to make it with two axes
        xaxis={**token_labels.axis(info, _labels(info)), "anchor": "y"},
        yaxis={
            "type": "category", "range": [0.5, -0.5], "domain": [0, lower / height], "showgrid": False,
            "nticks": max(2, lower // 18), "tickfont": {"size": 11},
            "title": {"text": "answer" if lower < 100 else "answer at step", "standoff": 6, "font": {"size": 11}},
        },
        yaxis2={
            "domain": [1 - UPPER / height, 1], "range": [0, 1.12], "tickvals": [0, 0.5, 1], "zeroline": False,
            "gridcolor": theme.QUIET, "linecolor": theme.QUIET, "tickcolor": theme.QUIET, "anchor": "x",
            "title": {"text": "of its largest", "standoff": 6, "font": {"size": 11}},
        },
        bargap=0.18,
        shapes=theme.marks_in_time(info, above=True),
        annotations=[token_labels.caption("read")] if with_words else [],
        showlegend=True,
        legend={"traceorder": "normal"},
    )  # fmt: skip


def _labels(info: RunInfo) -> tuple[str, ...] | None:
    return info.input_labels if info.inputs == "symbols" else None


def _lower(info: RunInfo) -> int:
    """Pixels of the heat map: as high as its rows need, within bounds."""
    e = info.experiment
    at_every_step = e.rnn_type == "many_to_one" and not e.bidirectional  # its one head could be asked anywhere
    return int(np.clip(12 * sum(info.valid if at_every_step else info.counted), 40, 160))


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """The slopes of every answer, those of the last one beside the check; nothing where a frame has none."""
    reading = frame.saliency
    if reading is None:
        return {}
    rows = log_scale.some(len(reading.steps), info.time_steps)
    norms = np.where(frame.valid, reading.norms, np.nan)
    read = token_labels.read(info, frame)
    changed = token_labels.ticks(info, read) if token_labels.shown(info, _labels(info)) else {}
    return changed | {
        TRACES.path("heat", "z"): log_scale.logarithms(norms[rows]),
        TRACES.path("heat", "y"): [str(step) for step in reading.steps[rows]],
        "layout.yaxis.range": [len(rows) - 0.5, -0.5],
        TRACES.path("slopes", "y"): _relative(norms[-1]),
        TRACES.path("slopes", "customdata"): theme.f4(norms[-1]),
        TRACES.path("slopes", "hovertext"): [f" “{word}”" if word else "" for word in read],
        TRACES.path("occluded", "y"): _relative(reading.occluded),
        TRACES.path("occluded", "customdata"): theme.f4(reading.occluded),
    }


def _relative(values: np.ndarray) -> np.ndarray:
    """float32 between 0 and 1: of the largest of them; NaN where nothing is defined."""
    finite = np.where(np.isfinite(values), values, np.nan)
    largest = np.nanmax(finite, initial=0.0)
    return theme.f4(finite / largest if largest else finite)


def readout(info: RunInfo, frame: Frame) -> str:
    """When it was taken, and the first input beside the strongest."""
    reading = frame.saliency
    if reading is None:
        return ""
    return f"step {frame.step:,} · {_first(reading, frame)}"


def _first(reading: Saliency, frame: Frame) -> str:
    norms = np.where(frame.valid, reading.norms[-1], 0.0)
    if not np.isfinite(norms).all():
        return "not finite"
    first, strongest = int(np.flatnonzero(frame.valid)[0]), int(norms.argmax())
    if not norms[strongest]:
        return "no input changes the last answer"
    if strongest == first:
        return f"strongest: the first input, t = {first}"
    return f"t = {first}: {share(float(norms[first] / norms[strongest]))} of the strongest, t = {strongest}"


FIGURE = LiveFigure(
    title=lambda info: "What each answer looks at",
    look_for=lambda info: (
        "Bars: slope of the last answer along each input. Circles: its change without that input; where they differ, "
        "trust the circles."
    ),
    how=lambda info: (
        "‖ds_t/dx_j‖ of the drawn sequence: s_t is the "
        + ("logit of the right symbol" if info.outputs == "symbols" else "sum of the output values")
        + " at step t, x_j what the first layer reads at j. Circles: how much s changes when "
        + ("the symbol is left out" if info.inputs == "symbols" else "the values are replaced by their mean")
        + "; a saturated unit hides a dependence from slopes, not from this. engine/lens/saliency.py, input_saliency."
    ),
    label="Influence of every input on every answer, and on the last answer as bars, with the change without it",
    over="time",
    template=template,
    patch=patch,
    readout=readout,
    requires="saliency",
    lazy=True,
    fits=("data.0",),
)
