"""The loss at every step with a target, and their mean, which is differentiated."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import theme, token_labels
from app.figures.base import LEARNING, Curves, LiveFigure, Patch, Traces
from engine.frame import Frame, RunInfo
from engine.number_format import short

TRACES = Traces("losses", "mean")


def template(info: RunInfo) -> go.Figure:
    """One bar per step, the mean dashed, and the target below each bar."""
    labels = info.output_labels if info.outputs == "symbols" else None
    with_words, steps = token_labels.shown(info, labels), info.time_steps
    bars = go.Bar(
        x=np.arange(steps), y=np.full(steps, np.nan, np.float32), customdata=[""] * steps,
        marker={"color": theme.PALE_GREY, "line": {"width": 1, "color": theme.GREY}},
        hovertemplate="t = %{x:d}, target %{customdata}: loss %{y:.3g}<extra></extra>",
    )  # fmt: skip
    mean = go.Scatter(
        x=np.zeros(2, np.float32), y=np.full(2, np.nan, np.float32), mode="lines", hoverinfo="skip",
        line={"color": theme.INK, "width": 1.8, "dash": "dash"},
    )  # fmt: skip
    return theme.figure(
        *TRACES.in_order(losses=bars, mean=mean),
        height=112 if not with_words or max(map(len, info.output_labels)) == 1 else 130,
        revision=f"time-{steps}",
        margin={**theme.TIME_MARGIN, "t": 6, "b": 24},
        xaxis=token_labels.axis(info, labels),
        yaxis={"range": [0, _top(info)], "nticks": 4},
        shapes=theme.marks_in_time(info),
        annotations=[*([token_labels.caption("target")] if with_words else []), *_gap_notes(info)],
        bargap=0.18,
    )


def _gap_notes(info: RunInfo) -> list[dict]:
    """Return notes where real steps have no loss, if there is room."""
    notes = []
    for start, stop in theme.stretches(~np.array(info.valid) | np.array(info.counted)):
        text = "the encoder only reads" if stop <= info.encoder_steps else "no loss here (masked)"
        low, high = theme.time_axis(info.time_steps)["range"]
        if (stop - start) / (high - low) * theme.PLOT > token_labels.LETTER * len(text):
            notes.append({"x": (start + stop - 1) / 2, "yref": "paper", "y": 0.5, "text": text, "showarrow": False,
                          "font": {"size": 11}})  # fmt: skip
    return notes


def _counted(frame: Frame) -> np.ndarray:
    """Return the losses of the counted steps, (counted steps,) float64."""
    return np.asarray(frame.loss_per_step, np.float64)[frame.counted]


def _top(info: RunInfo, losses: np.ndarray | None = None) -> float:
    """Return the upper limit of the axis: above the baseline of one step and above the tallest bar."""
    steps = sum(info.counted) if info.experiment.reduction == "sum" else 1
    finite = losses[np.isfinite(losses)] if losses is not None else np.zeros(0)
    return float(max(1.3 * info.baseline / steps, 1.08 * finite.max(initial=0.0)))


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Patch the bars of the counted steps; other steps have none."""
    losses, targets = _counted(frame), token_labels.targets(info, frame)
    first, last = np.flatnonzero(frame.counted)[[0, -1]]
    labels = info.output_labels if info.outputs == "symbols" else None
    changed = token_labels.ticks(info, targets) if token_labels.shown(info, labels) else {}
    return changed | {
        TRACES.path("losses", "y"): theme.float32(np.where(frame.counted, frame.loss_per_step, np.nan)),
        TRACES.path("losses", "customdata"): targets,
        TRACES.path("mean", "x"): theme.float32([first - 0.5, last + 0.5]),
        TRACES.path("mean", "y"): theme.float32([losses.mean()] * 2),
        "layout.yaxis.range": [0, _top(info, losses)],
    }


def readout(info: RunInfo, frame: Frame) -> str:
    """Return sum and mean over the counted steps of the drawn sequence."""
    losses = _counted(frame)
    return f"sum {short(losses.sum())} · mean {short(losses.mean())} over {len(losses)} steps"


def _look_for(info: RunInfo) -> str:
    reduction = info.experiment.reduction
    dashed = "their mean (dashed) over steps" if reduction == "mean" else "their sum (dashed: the mean) over steps"
    return f"One loss at every step with a target; {dashed}, then the mean over the batch, is differentiated."


FIGURE = LiveFigure(
    title=lambda info: "Loss at each step",
    look_for=_look_for,
    how=lambda info: (
        "Cross-entropy in nats, or an error averaged over the outputs, of the drawn sequence at every counted "
        "step, before any mean is taken. engine/model/network.py, step_losses."
    ),
    label="The loss of every counted step of the drawn sequence, with their mean dashed",
    tab=LEARNING,
    over="time",
    applies=lambda info: sum(info.counted) > 1,
    template=template,
    patch=patch,
    readout=readout,
)
