"""The loss over training: training batch, held-out sequences, their baselines, and the previous run in grey."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import LEARNING, Curves, Line, LiveFigure, PastRun, Patch, Traces
from engine.frame import Frame, RunInfo
from engine.number_format import short

TRACES = Traces("ghost", "training", "held_out", "sequences")
MAX_EXACT = 40  # up to this many losses fit on the axis; of more, the largest 2 % may not
BESIDE_MARKS = 0.955  # right end of a name, as a part of the width: the marks of the sequences stand right of it
NAME = 0.13  # height of a baseline's name, as a part of the axis


def template(info: RunInfo) -> go.Figure:
    """Lines over training steps; each baseline dashed and named."""
    empty, baselines = np.zeros(0, np.float32), info.held_out_baselines
    top = _top(baselines)

    def line(name: str, colour: str, width: float) -> go.Scatter:
        return go.Scatter(
            x=empty, y=empty, name=name, mode="lines", line={"color": colour, "width": width},
            hovertemplate="step %{x:,}: %{y:.3g}<extra>%{fullData.name}</extra>",
        )  # fmt: skip

    held_out = line("held-out", theme.INK, 2.2)
    held_out.update(mode="lines+markers", marker={"size": 4})  # so that a single value is visible
    sequences = go.Scatter(
        x=empty, y=empty, name="each of the sequences", mode="markers", cliponaxis=False, customdata=[],
        marker={"color": theme.INK, "symbol": [], "size": 9, "line": {"width": 1, "color": theme.INK}},
        hovertemplate="%{customdata}<extra></extra>", showlegend=False,
    )  # fmt: skip
    return theme.figure(
        *TRACES.in_order(
            ghost=line("previous run", theme.GHOST, 2).update(showlegend=False),
            training=line("training batch", theme.PALE_GREY, 1),
            held_out=held_out,
            sequences=sequences,
        ),
        height=216,
        revision="training",
        margin={"l": 46, "r": 14, "t": 24, "b": 40},
        xaxis=theme.TRAINING_AXIS,
        yaxis={"range": [0, top], "nticks": 6, "automargin": "left"},  # 2.5×10³¹ is wider than 2.5
        shapes=[
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value,
             "line": {"dash": "dash", "width": 1.4, "color": theme.GREY}}
            for value in baselines.values()
        ],
        annotations=[
            {"xref": "paper", "x": (BESIDE_MARKS, 0.01)[place % 2], "xanchor": ("right", "left")[place % 2],
             "y": y, "yanchor": "bottom", "showarrow": False, "font": {"size": 11},
             "text": named(name, value)}
            for place, ((name, value), y) in enumerate(
                zip(baselines.items(), _name_places(baselines, top), strict=True)
            )
        ],
        showlegend=True,
    )  # fmt: skip


def named(name: str, value: float) -> str:
    """Return what stands beside a dashed line: what would have this loss, and the loss."""
    return f"{theme.escaped(name)} {short(value)}"


def _top(baselines: dict[str, float], *losses: np.ndarray) -> float:
    """Return the upper limit of the axis: above the baselines and above all losses except outliers."""
    finite = np.concatenate([curve[np.isfinite(curve)] for curve in losses]) if losses else np.zeros(0)
    top = 1.3 * max(baselines.values())
    return max(top, 1.1 * float(np.quantile(finite, 0.98 if len(finite) > MAX_EXACT else 1))) if len(finite) else top


def _name_places(baselines: dict[str, float], top: float) -> list[float]:
    """Return the lower end of each baseline's name on an axis that ends at `top`, so that names do not overlap.

    A name is above its line, or above the name below it; the lowest is under its line if it would overlap the next.
    """
    values, height = list(baselines.values()), NAME * top
    order = np.argsort(values, kind="stable")
    places, free = [0.0] * len(values), -math.inf
    for at, above in zip(order, [*order[1:], None], strict=True):
        covers = above is not None and values[above] - values[at] < height
        under = covers and at == order[0] and values[at] > height
        places[at] = values[at] - height if under else max(values[at], free)
        free = places[at] + height
    return places


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Patch both curves, the axis, and the losses of the probe's sequences."""
    updates, (steps, losses) = curves.updates, curves.held_out_loss
    baselines = info.judged_baselines(len(curves.held_out) > 0)
    top = _top(baselines, updates["loss"], losses)
    return (
        _sequences(frame, top)
        | {
            TRACES.path("training", "x"): updates["step"].astype(np.float32),
            TRACES.path("training", "y"): theme.float32(updates["loss"]),
            TRACES.path("held_out", "x"): steps.astype(np.float32),
            TRACES.path("held_out", "y"): theme.float32(losses),
            "layout.xaxis.range": theme.training_range(curves.last_step(frame)),
            "layout.yaxis.range": [0, top],
        }
        | _baselines(baselines, top)
    )


def _baselines(baselines: dict[str, float], top: float) -> Patch:
    """Patch the dashed lines, and their names."""
    changed: Patch = {}
    for place, ((name, value), y) in enumerate(zip(baselines.items(), _name_places(baselines, top), strict=True)):
        line, label = f"layout.shapes.{place}", f"layout.annotations.{place}"
        changed |= {
            f"{line}.y0": value,
            f"{line}.y1": value,
            f"{label}.y": y,
            f"{label}.text": named(name, value),
        }
    return changed


def _sequences(frame: Frame, top: float) -> Patch:
    """Patch a small mark per probe sequence; a triangle at the edge if the loss is above it or not finite."""
    losses = frame.sequence_loss
    above = ~(losses <= top)
    mean = f"batch mean {short(frame.probe_loss)}"
    return {
        TRACES.path("sequences", "x"): np.full(len(losses), frame.step, np.float32),
        TRACES.path("sequences", "y"): theme.float32(np.where(above, top, losses)),
        TRACES.path("sequences", "name"): f"each of the {len(losses)} sequences",
        TRACES.path("sequences", "customdata"): [f"one sequence {short(float(loss))}, {mean}" for loss in losses],
        TRACES.path("sequences", "marker.symbol"): ["triangle-up" if is_above else "line-ew" for is_above in above],
    }


def readout(info: RunInfo, frame: Frame) -> str:
    """Return held-out loss and metric."""
    return f"loss {short(frame.judged_loss)} · {info.metric_name} {info.write_metric(frame.judged_metric)}"


def past_line(info: RunInfo, past: PastRun) -> Line | None:
    """Return a past run's held-out loss, if the two losses are comparable."""
    return past.curves.held_out_loss if has_same_loss(info, past.info) else None


def has_same_loss(info: RunInfo, other: RunInfo) -> bool:
    """Return True if the losses of two runs mean the same: the same data, and a mean, or a sum over as many steps."""
    one, two = info.experiment, other.experiment
    as_many = one.reduction == "mean" or one.seq_len == two.seq_len
    return one.has_data_of(two) and one.reduction == two.reduction and as_many


FIGURE = LiveFigure(
    title=lambda info: "Is it learning?",
    look_for=lambda info: "Well below the dashed line it has learned something.",
    how=lambda info: (
        "Pale: the loss of each training batch before its update. The held-out curve is the mean over sequences that "
        "are never trained on, in evaluation mode, at the fixed steps at which the verdict is judged; the dashed lines "
        "are of the same sequences. The small marks at the right are the 16 of the probe. "
        "engine/training/held_out.py; the baselines: engine/tasks."
    ),
    label="Loss over training steps, with the exact baseline dashed",
    tab=LEARNING,
    over="training",
    template=template,
    patch=patch,
    readout=readout,
    past_line=past_line,
    steps=True,
    slow=True,
)
