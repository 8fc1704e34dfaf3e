"""How much of the gradient reaches the step that matters, over training: the number by which the verdict judges."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import log_scale, theme
from app.figures.base import GRADIENT, ChainFigure, Curves, Line, PastRun, Patch, Traces
from engine.frame import Chain, Look, RunInfo
from engine.number_format import relative_size

TRACES = Traces("previous", "ratio", *log_scale.MARKS)
LEVELS = {1.0: "all of it", 1e-2: "1%", 1e-6: "a millionth"}


def template(info: Chain) -> go.Figure:
    """A line over training steps on the fixed log axis of gradients, and lines at the sizes that have a name."""
    empty = np.zeros(0, np.float32)
    return theme.figure(
        *TRACES.in_order(
            previous=go.Scatter(x=empty, y=empty, mode="lines", name="previous run", showlegend=False,
                                line={"color": theme.GHOST, "width": 1.5},
                                hovertemplate="step %{x:,}: %{y:.2e}<extra>%{fullData.name}</extra>"),
            ratio=go.Scatter(x=empty, y=empty, mode="lines+markers", name="arrives", text=[],
                             line={"color": theme.GRADIENT, "width": 1.8}, marker={"size": 4},
                             hovertemplate="step %{x:,}: %{text} (%{y:.2e})<extra></extra>"),
            **log_scale.marks(empty),
        ),
        height=178,
        revision="training",
        margin={"l": 46, "r": 14, "t": 24, "b": 40},
        xaxis=theme.TRAINING_AXIS,
        yaxis={**log_scale.axis(""), "dtick": 4},
        shapes=[
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": size, "y1": size, "layer": "below",
             "line": {"color": theme.GREY, "width": 1.1, "dash": "dash"}}
            for size in LEVELS
        ],
        annotations=[
            {"xref": "paper", "x": 0.995, "xanchor": "right", "y": np.log10(size), "yanchor": "bottom",
             "showarrow": False, "text": name, "font": {"size": 10}}
            for size, name in LEVELS.items()
        ],
        showlegend=True,
    )  # fmt: skip


def patch(info: Chain, frame: Look, curves: Curves) -> Patch:
    """Patch the ratios so far; values outside the axis keep their tooltips."""
    steps, ratios = curves.ratios["step"].astype(np.float32), curves.ratios["ratio"]
    changed: Patch = {
        TRACES.path("ratio", "x"): steps,
        TRACES.path("ratio", "y"): theme.float32(ratios),
        TRACES.path("ratio", "text"): [relative_size(value) for value in ratios],
        "layout.xaxis.range": theme.training_range(curves.last_step(frame)),
        **log_scale.outside(TRACES.number("below"), ratios),
        "layout.yaxis.dtick": 4,
    }
    return changed | {TRACES.path(mark, "x"): steps for mark in log_scale.MARKS}


def readout(info: Chain, frame: Look) -> str:
    """Return the ratio of this frame."""
    evidence = {} if frame.diagnosis is None else frame.diagnosis.evidence
    return f"now {relative_size(evidence['ratio'])}" if "ratio" in evidence else "not measured"


def past_line(info: RunInfo, past: PastRun) -> Line | None:
    """Return a past run's ratios, if they were measured over the same way back through the same data."""
    if not past.info.experiment.has_data_of(info.experiment) or past.info.measured_lag != info.measured_lag:
        return None
    return past.curves.ratios["step"], past.curves.ratios["ratio"]


FIGURE = ChainFigure(
    title=lambda info: "Gradient that arrives, over training",
    look_for=lambda info: "Near 100% the early steps can learn; far below 1% they cannot.",
    how=lambda info: (
        "The verdict's ratio: the gradient of the last loss at the first step that matters, divided by the gradient "
        f"where that loss enters, the median over {info.measured_on}. Of several layers and directions the "
        "largest. A point for each frame that was kept. engine/lens/norms.py, engine/diagnosis."
    ),
    label="Share of the gradient that reaches the step that matters, over training steps, log axis with fixed limits",
    tab=GRADIENT,
    over="training",
    template=template,
    patch=patch,
    readout=readout,
    past_line=past_line,
    applies=lambda info: info.has_links and info.measured_lag != 0,
    steps=True,
    slow=True,
    fits=("layout.yaxis",),
)
