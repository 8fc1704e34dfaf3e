"""Figures of all lanes over the sequence: the gradient that reaches each step, now and over training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures import base, log_scale, theme
from app.figures.base import Patch
from app.figures.compare.base import LANES, LaneSnapshot, RaceFigure, lines, short_name
from app.figures.over_time.waterfall import FAR
from engine.frame import RunInfo

GAP = 0.045  # between two heat maps, as a part of the width
MAX_TICKS = 5
MAX_MARKERS = 16  # with more steps, lines have no markers
COLOUR_TICKS = (theme.FLOOR_DECADE, -5, theme.TOP_DECADE)


def norms(lane: LaneSnapshot) -> np.ndarray:
    """Return (T,), the last loss's gradient at every step, for c of an LSTM and h of others; top layer, forwards.

    The probe's median, or the drawn sequence's own if the probe's lengths differ; NaN in padding.
    """
    frame = lane.frame
    medians = frame.grad_norm_memory if lane.info.same_lengths else frame.sequence_grad_norm_memory
    return np.where(frame.valid, medians[-1, 0], np.nan)


def reach(lane: LaneSnapshot) -> tuple[int, bool] | None:
    """Return how many steps back from the last loss the gradient is at least FAR of its norm there.

    Returns:
        (steps, True if it is still above FAR at the sequence's first step); None if a norm is not finite.
    """
    end = int(np.flatnonzero(lane.frame.counted)[-1])
    back = norms(lane)[: end + 1][lane.frame.valid[: end + 1]][::-1]
    if not np.isfinite(back).all():
        return None
    below = np.flatnonzero(back < FAR * back[0]) if back[0] else np.zeros(1, int)
    return (max(int(below[0]) - 1, 0), False) if len(below) else (len(back) - 1, True)


def gradient_template(infos: Sequence[RunInfo], names: Sequence[str]) -> go.Figure:
    """One line per lane on a fixed log axis, and marks where one leaves it."""
    info = infos[0]
    steps = np.arange(info.time_steps)
    mode = "lines+markers" if len(steps) <= MAX_MARKERS else "lines"
    drawn = lines(names, "t = %{x}: %{y:.2e}", steps, mode=mode, connectgaps=True)
    for trace, style in zip(drawn, LANES, strict=False):
        trace.marker.update(symbol=style.mark, size=6)
    return theme.figure(
        *drawn,
        *log_scale.marks(np.tile(steps, len(names)).astype(np.float32)).values(),
        height=262,
        revision=f"time-{info.time_steps}",
        margin={**theme.TIME_MARGIN, "t": 24, "b": 40},
        xaxis=theme.time_axis(info.time_steps, "position in the sequence, t"),
        yaxis=log_scale.axis("‖dL/ds‖"),
        shapes=theme.marks_in_time(info),
        showlegend=True,
    )


def gradient_patch(lanes: Sequence[LaneSnapshot]) -> Patch:
    """Patch the norms; tooltips of the marks name their lane."""
    shown = [norms(lane) for lane in lanes]
    changed: Patch = {f"data.{place}.y": theme.float32(values) for place, values in enumerate(shown)}
    there = np.concatenate([lane.frame.valid for lane in lanes])
    changed |= log_scale.outside(len(lanes), np.concatenate(shown), there)
    lane_labels = [lane.label for lane, values in zip(lanes, shown, strict=True) for _ in values]
    for place in range(len(lanes), len(lanes) + len(log_scale.MARKS)):
        labels = changed[f"data.{place}.customdata"]
        changed[f"data.{place}.customdata"] = [
            f"{lane}: {label}" if label else "" for lane, label in zip(lane_labels, labels, strict=True)
        ]
    return changed


def waterfall_template(infos: Sequence[RunInfo], names: Sequence[str]) -> go.Figure:
    """One heat map per lane, side by side; training runs downwards on one axis."""
    count = len(names)
    width = (1 - GAP * (count - 1)) / count
    maps, layout, notes = [], {}, []
    for place, (info, name) in enumerate(zip(infos, names, strict=True)):
        steps = info.time_steps
        number = "" if place == 0 else str(place + 1)
        start = place * (width + GAP)
        heat = log_scale.heat_map(
            1,
            steps,
            theme.FLOOR_DECADE,
            theme.TOP_DECADE,
            f"{name}<br>t = %{{x}}, training step %{{y:,}}: {log_scale.NORM}",
        )
        heat.update(y=np.zeros(1, np.float32), xaxis=f"x{number}")
        maps.append(heat)
        axis = {**theme.time_axis(steps), "showgrid": False, "domain": [start, start + width], "anchor": "y"}
        layout[f"xaxis{number}"] = axis if steps <= 6 else {**axis, "dtick": None, "nticks": 5}
        notes.append(
            {"xref": "paper", "x": start, "xanchor": "left", "yref": "paper", "y": 1, "yanchor": "bottom",
             "showarrow": False, "text": short_name(name), "font": {"size": 12, "color": LANES[place].colour}}
        )  # fmt: skip
    maps[-1].update(showscale=True, colorbar=_colour_bar())
    return theme.figure(
        *maps,
        height=214,
        revision=f"time-{infos[0].time_steps}",
        margin={"l": 58, "r": 14, "t": 24, "b": 26},
        yaxis={
            "range": [0.5, -0.5],
            "showgrid": False,
            "tick0": 0,
            "dtick": 1,
            "tickformat": "~s",
            "title": {"text": "training step", "standoff": 4},
        },
        annotations=notes,
        **layout,
    )


def _colour_bar() -> dict:
    return {"thickness": 9, "tickvals": list(COLOUR_TICKS), "ticktext": [f"10<sup>{k}</sup>" for k in COLOUR_TICKS],
            "tickfont": {"size": 10}, "outlinewidth": 0, "xpad": 4}  # fmt: skip


def waterfall_patch(lanes: Sequence[LaneSnapshot]) -> Patch:
    """Patch the rows so far, at their training steps."""
    last = max(lane.frame.step for lane in lanes)
    changed: Patch = {
        "layout.yaxis.range": [last * 1.01 + 0.5, -0.01 * last - 0.5],
        "layout.yaxis.dtick": _spacing(last),
    }
    for place, lane in enumerate(lanes):
        steps, rows = lane.curves.waterfall
        if not len(steps):
            steps, rows = np.zeros(1), np.full((1, lane.info.time_steps), np.nan)
        some = log_scale.drawn_rows(len(steps), lane.info.time_steps * len(lanes))
        changed[f"data.{place}.z"] = log_scale.logarithms(np.where(lane.frame.valid, rows[some], np.nan))
        changed[f"data.{place}.y"] = theme.float32(steps[some])
    return changed


def _spacing(last: int) -> int:
    """Return a round number of training steps between two ticks."""
    power = 10 ** int(np.log10(max(1, last / MAX_TICKS)))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= last / MAX_TICKS)


GRADIENT = RaceFigure(
    title="Gradient norm at each step, absolute",
    look_for="The further left a line stays high, the further back that network can learn from the end.",
    label="Norm of the last loss's gradient at every time step for every lane, log axis with fixed limits",
    how=(
        "‖d l/d s_t‖ of the last loss alone, through all later steps, with the present weights: the median over the "
        "16 held-out sequences, or the drawn sequence's own where these have different lengths or targets. s is "
        "the state that carries memory: c of an LSTM, h otherwise; top layer, forwards. engine/lens/sweep.py."
    ),
    tab=base.GRADIENT,
    over="time",
    template=gradient_template,
    patch=gradient_patch,
    applies=lambda infos: infos[0].time_steps > 1,
    fits=("layout.yaxis",),
)
WATERFALL = RaceFigure(
    title="How far the gradient reaches, over training",
    look_for="Untrained at the top, now at the bottom. Stronger: a larger gradient at step t. Empty: exactly 0.",
    label="A heat map of the gradient norm for every lane, training step by time step, on one logarithmic colour scale",
    how=(
        "One row per frame: the curves of the figure above, as colours with fixed decades, the "
        "same for every lane. Empty is exactly 0. engine/recording/history.py, Waterfall."
    ),
    tab=base.GRADIENT,
    over="time",
    template=waterfall_template,
    patch=waterfall_patch,
    applies=lambda infos: infos[0].time_steps > 1,
)
