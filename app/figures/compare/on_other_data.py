"""Figures of lanes whose data or lengths differ: losses relative to the loss to beat, gradients by steps back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures import log_scale, theme
from app.figures.base import GRADIENT, LEARNING, Patch
from app.figures.compare import over_time, over_training
from app.figures.compare.base import LANES, LaneSnapshot, RaceFigure, band, bands, ends, lines, training_range
from engine.frame import RunInfo
from engine.frame.run_info import SOLVED_SHARE

HIGHEST = 1.3  # of the axis, unless a newest loss is higher
LEVELS = {"the loss to beat": 1.0, "a tenth": SOLVED_SHARE}


def line_to_beat(lane: LaneSnapshot) -> float:
    """Return the loss to beat on the sequences by which this lane is judged."""
    return next(iter(lane.info.judged_baselines(lane.frame.has_record).values()))


def loss_template(infos: Sequence[RunInfo], names: Sequence[str]) -> go.Figure:
    """One line per lane, and dashed lines at the loss to beat and at a tenth of it, which are the same for all."""
    return theme.figure(
        *lines(names, "step %{x:,}: %{y:.3g} of its loss to beat"),
        ends(names),
        *bands(names),
        height=262,
        revision="relative",
        margin=over_training.MARGIN,
        xaxis=theme.TRAINING_AXIS,
        yaxis={"range": [0, HIGHEST], "nticks": 6, "title": {"text": "loss ÷ its loss to beat", "standoff": 4}},
        shapes=[
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": level, "y1": level, "layer": "below",
             "line": {"dash": "dash", "width": 1.4, "color": theme.GHOST}}
            for level in LEVELS.values()
        ],
        annotations=[
            {"xref": "paper", "x": 0.01, "xanchor": "left", "y": level, "yanchor": "bottom", "showarrow": False,
             "font": {"size": 11}, "text": name}
            for name, level in LEVELS.items()
        ],
        showlegend=True,
    )  # fmt: skip


def loss_patch(lanes: Sequence[LaneSnapshot]) -> Patch:
    """Patch the curves; one that ends above the axis, or at NaN, has a triangle at the edge."""
    last = [over_training.newest(lane) / line_to_beat(lane) for lane in lanes]
    top = max(HIGHEST, 1.2 * max((loss for loss in last if loss < over_training.MAX_SHOWN), default=0.0))
    above = [not loss <= top for loss in last]
    changed: Patch = {"layout.xaxis.range": training_range(lanes), "layout.yaxis.range": [0, top]}
    for place, lane in enumerate(lanes):
        steps, losses = lane.median
        changed[f"data.{place}.x"] = steps.astype(np.float32)
        changed[f"data.{place}.y"] = theme.float32(losses / line_to_beat(lane))
        area = f"data.{len(lanes) + 1 + place}"
        changed[f"{area}.x"], changed[f"{area}.y"] = band(lane, line_to_beat(lane), top)
    marks = f"data.{len(lanes)}"
    return changed | {
        f"{marks}.x": np.array([over_training.last_judged(lane) for lane in lanes], np.float32),
        f"{marks}.y": theme.float32(np.where(above, over_training.EDGE * top, last)),
        f"{marks}.marker.symbol": [
            "triangle-up" if outside else style.mark for outside, style in zip(above, LANES, strict=False)
        ],
    }


def steps_back(info: RunInfo) -> int:
    """Return the number of real steps up to the last loss, of the drawn sequence."""
    end = max(t for t, is_counted in enumerate(info.counted) if is_counted)
    return sum(info.valid[: end + 1])


def back_template(infos: Sequence[RunInfo], names: Sequence[str]) -> go.Figure:
    """One line per lane over the steps back from its last loss, which stands at the right."""
    count = max(map(steps_back, infos))
    steps = np.arange(count)
    mode = "lines+markers" if count <= over_time.MAX_MARKERS else "lines"
    drawn = lines(names, "%{x} steps back: %{y:.2e}", steps, mode=mode)
    for trace, style in zip(drawn, LANES, strict=False):
        trace.marker.update(symbol=style.mark, size=6)
    low, high = theme.time_axis(count)["range"]
    axis = {**theme.time_axis(count, "steps back from the last loss"), "range": [high, low]}
    return theme.figure(
        *drawn,
        *log_scale.marks(np.tile(steps, len(names)).astype(np.float32)).values(),
        height=262,
        revision=f"back-{count}",
        margin={**theme.TIME_MARGIN, "t": 24, "b": 40},
        xaxis=axis,
        yaxis=log_scale.axis("‖dL/ds‖"),
        showlegend=True,
    )


def back_patch(lanes: Sequence[LaneSnapshot]) -> Patch:
    """Patch the norms; a shorter sequence ends earlier."""
    count = max(steps_back(lane.info) for lane in lanes)
    shown = np.full((len(lanes), count), np.nan)
    there = np.zeros(shown.shape, bool)
    for place, lane in enumerate(lanes):
        end = int(np.flatnonzero(lane.frame.counted)[-1])
        values = over_time.norms(lane)[: end + 1][lane.frame.valid[: end + 1]][::-1]
        shown[place, : len(values)], there[place, : len(values)] = values, True
    changed: Patch = {f"data.{place}.y": theme.float32(values) for place, values in enumerate(shown)}
    return changed | log_scale.outside(len(lanes), shown.ravel(), there.ravel())


RELATIVE_LOSS = RaceFigure(
    title="How well does each learn its own task?",
    look_for="1 is the loss to beat of each one's own data. Below it a network has learned something.",
    label="Held-out loss of every lane over training steps, each divided by its own loss to beat",
    how=(
        "The held-out loss of each lane, divided by the loss of a simple answer to the same sequences, because losses "
        "on different data have different units. engine/training/held_out.py, engine/tasks."
    ),
    tab=LEARNING,
    over="training",
    template=loss_template,
    patch=loss_patch,
)
BACK = RaceFigure(
    title="Gradient norm by steps back, absolute",
    look_for="The further left a line stays high, the further back that network can learn from the end.",
    label="Norm of the last loss's gradient for every lane, by the number of steps back, log axis with fixed limits",
    how=over_time.GRADIENT.how,
    tab=GRADIENT,
    over="time",
    template=back_template,
    patch=back_patch,
    applies=lambda infos: all(steps_back(info) > 1 for info in infos),
    fits=("layout.yaxis",),
)
