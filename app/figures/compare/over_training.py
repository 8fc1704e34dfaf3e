"""Figures of all lanes over training: the held-out loss, and the size of the update."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import LEARNING, Patch
from app.figures.compare.base import LANES, LaneSnapshot, RaceFigure, band, bands, ends, lines, training_range
from app.figures.over_training.loss import named
from engine.frame import RunInfo
from engine.frame.run_info import SOLVED_SHARE

MARGIN = {"l": 52, "r": 14, "t": 24, "b": 40}
EDGE = 0.95  # height of the marks for losses above the axis, as a part of it
LOW, HIGH = -5, 5  # exponents of 10 of the size of an update
MAX_SHOWN = 20.0  # in baselines: larger losses are drawn at the edge, so that one lane does not flatten the others


def loss_template(infos: Sequence[RunInfo], names: Sequence[str]) -> go.Figure:
    """One line per lane, and dashed lines at the loss to beat and at a tenth of it."""
    name, baseline = next(iter(infos[0].held_out_baselines.items()))
    levels = {name: baseline, "a tenth": SOLVED_SHARE * baseline}
    return theme.figure(
        *lines(names, "step %{x:,}: %{y:.3g}"),
        ends(names),
        *bands(names),
        height=262,
        revision="race",
        margin=MARGIN,
        xaxis=theme.TRAINING_AXIS,
        yaxis={"range": [0, 1.25 * baseline], "nticks": 6, "title": {"text": "held-out loss", "standoff": 4}},
        shapes=[
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": level, "y1": level, "layer": "below",
             "line": {"dash": "dash", "width": 1.4, "color": theme.GHOST}}
            for level in levels.values()
        ],
        annotations=[
            {"xref": "paper", "x": 0.01, "xanchor": "left", "y": level, "yanchor": "bottom", "showarrow": False,
             "font": {"size": 11}, "text": named(name, level)}
            for name, level in levels.items()
        ],
        showlegend=True,
    )  # fmt: skip


def loss_patch(lanes: Sequence[LaneSnapshot]) -> Patch:
    """Patch the curves; a loss above the axis, or NaN, ends in a triangle at the edge."""
    top = _top(lanes)
    changed: Patch = {}
    last = [newest(lane) for lane in lanes]
    for place, lane in enumerate(lanes):
        steps, losses = lane.median
        changed[f"data.{place}.x"] = steps.astype(np.float32)
        changed[f"data.{place}.y"] = theme.float32(losses)
        area = f"data.{len(lanes) + 1 + place}"
        changed[f"{area}.x"], changed[f"{area}.y"] = band(lane, 1.0, top)
    above = [not loss <= top for loss in last]
    marks = f"data.{len(lanes)}"  # the trace of `ends`, after the lines
    changed |= {
        f"{marks}.x": np.array([last_judged(lane) for lane in lanes], np.float32),
        f"{marks}.y": theme.float32(np.where(above, EDGE * top, last)),
        f"{marks}.marker.symbol": [
            "triangle-up" if outside else style.mark for outside, style in zip(above, LANES, strict=False)
        ],
        f"{marks}.textposition": _apart(last),
        "layout.xaxis.range": training_range(lanes),
        "layout.yaxis.range": [0, top],
    }
    return changed


def newest(lane: LaneSnapshot) -> float:
    """Return the held-out loss at the end of a lane's line: its own, or the median of its seeds."""
    steps, losses = lane.median
    return float(losses[-1]) if lane.others and len(steps) else lane.frame.judged_loss


def last_judged(lane: LaneSnapshot) -> int:
    """Return the training step at the end of a lane's line."""
    steps, _ = lane.median
    return int(steps[-1]) if lane.others and len(steps) else lane.frame.judged_step


def _apart(losses: Sequence[float]) -> list[str]:
    """Return the text position of each letter, so that the letters of lines that end together do not overlap."""
    ranks = np.argsort(np.argsort(-np.nan_to_num(np.asarray(losses), nan=np.inf), kind="stable"))
    return [f"{place} right" for place in np.array(["top", "middle", "bottom"])[ranks]]


def _top(lanes: Sequence[LaneSnapshot]) -> float:
    """Return the upper limit of the axis: above the loss to beat and the newest losses below MAX_SHOWN."""
    baseline = lanes[0].info.held_out_baseline
    shown = [loss for loss in map(newest, lanes) if loss < MAX_SHOWN * baseline]
    return max(1.25 * baseline, 1.2 * max(shown, default=0.0))


def update_template(infos: Sequence[RunInfo], names: Sequence[str]) -> go.Figure:
    """One line per lane on a log axis."""
    return theme.figure(
        *lines(names, "step %{x:,}: %{y:.2e}", connectgaps=True),
        height=190,
        revision="race",
        margin={**MARGIN, "t": 8},
        xaxis=theme.TRAINING_AXIS,
        yaxis={**theme.log_axis(LOW, HIGH), "title": {"text": "‖g‖", "standoff": 2}},
    )


def update_patch(lanes: Sequence[LaneSnapshot]) -> Patch:
    """Patch the norms before clipping."""
    changed: Patch = {"layout.xaxis.range": training_range(lanes)}
    for place, lane in enumerate(lanes):
        rows = lane.curves.updates
        changed[f"data.{place}.x"] = rows["step"].astype(np.float32)
        changed[f"data.{place}.y"] = theme.float32(rows["param_grad_norm"])
    return changed


LOSS = RaceFigure(
    title="Who learns it?",
    look_for="Well below the upper dashed line a network has learned something; below the lower one, most of the task.",
    label="Held-out loss of every lane over training steps, on the same axes, with the loss to beat dashed",
    how=(
        "The mean loss over sequences that are never trained on, in evaluation mode, at the fixed steps at which the "
        "verdict is judged; lanes of one seed have the same sequences. The upper dashed line is the loss to beat on "
        "them, the lower one a tenth of it: below it, and with most answers right, a task is solved. With five seeds "
        "the line is their median, and the area spans from the lowest to the highest of them. "
        "engine/training/held_out.py, engine/tasks."
    ),
    tab=LEARNING,
    over="training",
    template=loss_template,
    patch=loss_patch,
)
UPDATE = RaceFigure(
    title="Norm of the whole gradient",
    look_for="Spikes are batches whose gradient explodes. A falling line: the gradients become smaller.",
    label="Norm of the parameter gradient of every lane over training steps, log axis",
    how=(
        "‖g‖, the 2-norm of the gradient of all parameters of a lane together, for each training batch, before "
        "clipping. It tends to be larger for a network with more parameters. engine/training/trainer.py, "
        "Trainer.advance."
    ),
    tab=LEARNING,
    over="training",
    template=update_template,
    patch=update_patch,
    fits=("layout.yaxis",),
)
