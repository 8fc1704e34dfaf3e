"""Figures of somebody's data: the series with its cut, example sequences, and the first batch."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures import theme
from engine.data.content import OneSeries, SequencesContent, SeriesContent
from engine.tasks import Batch, Task

MAX_POINTS = 1_500  # of a line; of more rows the lowest and the highest of each stretch are drawn
MAX_SERIES, MAX_PERIODS = 6, 80
SMALL = 6
"""Sequences of the first batch that are drawn."""
TITLE = 14  # characters above a small figure
HELD_OUT = theme.NEUTRALS[0]


def series(content: SeriesContent, height: int, held_out: str) -> go.Figure:
    """Draw the target of the first series, other ones pale, the cut, the held-out part and the periods.

    Args:
        height: pixels.
        held_out: the words above the held-out part.
    """
    first, others = content.series[0], content.series[1:MAX_SERIES]
    traces = [
        _line(*_thinned(_x(each), each.values[:, 0]), theme.PALE_GREY, theme.escaped(each.name)) for each in others
    ]
    x, y = _x(first), first.values[:, 0]
    cut = min(first.cut, len(x) - 1)
    traces.append(
        _line(*_thinned(x[: cut + 1], y[: cut + 1]), theme.GREY, theme.escaped(first.name or content.channels[0]), 1.6)
    )
    traces.append(_line(*_thinned(x[cut:], y[cut:]), HELD_OUT, held_out, 1.6))
    drawn = theme.figure(*traces, height=height, revision="own data", margin={"l": 52, "r": 10, "t": 18, "b": 24})
    drawn.update_yaxes(nticks=5, showgrid=True, gridcolor="rgba(125,131,141,0.16)")
    drawn.update_layout(shapes=[*_periods(x, content.period), *_cut(x, cut)], hovermode="x")
    drawn.add_annotation(x=x[cut], y=1, yref="paper", yanchor="bottom", xanchor="left", text=held_out, showarrow=False,
                         font={"size": 11, "color": HELD_OUT})  # fmt: skip
    lost = np.flatnonzero(np.isnan(y))[:MAX_POINTS]
    if len(lost):
        low = float(np.nanmin(y))
        drawn.add_scatter(x=x[lost], y=np.full(len(lost), low), mode="markers", name="missing", hovertemplate="missing",
                          marker={"symbol": "x-thin", "size": 6, "line": {"width": 1.2, "color": theme.QUIET}},
                          )  # fmt: skip
    return drawn


def _x(one: OneSeries) -> np.ndarray:
    """The moments of the rows, or without times their lines."""
    return np.arange(1, len(one.values) + 1) if one.times is None else one.times.astype("datetime64[ms]")


def _line(x: np.ndarray, y: np.ndarray, colour: str, name: str, width: float = 1.1) -> go.Scatter:
    return go.Scatter(x=x, y=y, mode="lines", name=name, line={"color": colour, "width": width},
                      hovertemplate="%{x}<br>%{y:,.6g}")  # fmt: skip


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most MAX_POINTS points: of each stretch of rows the lowest and the highest, in order."""
    if len(y) <= MAX_POINTS:
        return x, y
    size = -(-len(y) // (MAX_POINTS // 2))
    full = np.append(y, np.full(-len(y) % size, np.nan)).reshape(-1, size)
    low, high = np.where(np.isnan(full), np.inf, full).argmin(1), np.where(np.isnan(full), -np.inf, full).argmax(1)
    at = (np.sort(np.column_stack([low, high]), 1) + np.arange(len(full))[:, None] * size).ravel()
    at = at[at < len(y)]
    return x[at], y[at]


def _cut(x: np.ndarray, cut: int) -> list[dict]:
    upright = {"yref": "paper", "y0": 0, "y1": 1}
    return [
        {"type": "rect", **upright, "x0": x[cut], "x1": x[-1], "layer": "below", "line": {"width": 0},
         "fillcolor": "rgba(91,111,214,0.08)"},
        {"type": "line", **upright, "x0": x[cut], "x1": x[cut], "line": {"color": HELD_OUT, "width": 1.4}},
    ]  # fmt: skip


def _periods(x: np.ndarray, period: int | None) -> list[dict]:
    """A short stroke at the bottom for every period; none where there would be too many to see."""
    if not period or len(x) // period > MAX_PERIODS:
        return []
    return [
        {"type": "line", "yref": "paper", "y0": 0, "y1": 0.05, "x0": x[at], "x1": x[at],
         "line": {"color": theme.QUIET, "width": 1}}
        for at in range(0, len(x), period)
    ]  # fmt: skip


def sequences(content: SequencesContent, height: int) -> go.Figure:
    """Draw three sequences of each class in a small figure of its own, the first channel; without classes six."""
    if content.labels is None:
        groups = [("", [at]) for at in range(min(SMALL, len(content.arrays)))]
    else:
        groups = [
            (name, np.flatnonzero(content.labels == number)[:3].tolist())
            for number, name in enumerate(content.classes[:SMALL])
        ]
    drawn = _small([theme.escaped(name, TITLE) for name, _ in groups], height)
    for column, (_, members) in enumerate(groups, 1):
        for at, colour in zip(members, (theme.GREY, theme.PALE_GREY, theme.PALE_GREY), strict=False):
            y = content.arrays[at][:, 0]
            drawn.add_trace(_line(*_thinned(np.arange(len(y)), y), colour, "", 1.3), row=1, col=column)
    return drawn


def batch(task: Task, batch: Batch, height: int) -> go.Figure:
    """Draw the first sequences of a batch of numbers: what is read, channel 0 darkest, and what is asked.

    Args:
        task: says what the numbers are.
        batch: as `engine.tasks.sample` draws it.
        height: pixels.
    """
    count = min(SMALL, batch.inputs.shape[1])
    names = [_answer(task, batch, at) for at in range(count)]
    drawn = _small(names, height)
    for at in range(count):
        read = batch.inputs[: int(batch.lengths[at]), at]
        steps = np.arange(len(read))
        for channel in range(min(read.shape[1], 4) - 1, -1, -1):
            look = (
                theme.PALE_GREY if channel else theme.GREY,
                theme.escaped(task.input_labels[channel]),
                1.0 if channel else 1.4,
            )
            drawn.add_trace(_line(steps, read[:, channel], *look), row=1, col=at + 1)
        if task.outputs == "values":
            (asked,) = np.nonzero(batch.mask[:, at])
            last = asked[-1:] if len(asked) else asked
            drawn.add_scatter(x=last + 1, y=batch.targets[last, at, 0], mode="markers", name="asked", row=1, col=at + 1,
                              marker={"color": HELD_OUT, "size": 7}, hovertemplate="asked: %{y:.3g}")  # fmt: skip
    return drawn


def _answer(task: Task, batch: Batch, at: int) -> str:
    """The class that is asked; "" where the answer is a number, which is drawn."""
    if task.outputs == "values":
        return ""
    (asked,) = np.nonzero(batch.mask[:, at])
    return theme.escaped(task.output_labels[int(batch.targets[asked[-1], at])], TITLE) if len(asked) else ""


def _small(titles: list[str], height: int) -> go.Figure:
    """Small figures side by side with one scale."""
    drawn = make_subplots(1, max(1, len(titles)), shared_yaxes=True, horizontal_spacing=0.015,
                          subplot_titles=titles if any(titles) else None)  # fmt: skip
    drawn.update_layout(theme.figure(height=height, revision="own data").layout)
    drawn.update_layout(margin={"l": 30, "r": 6, "t": 20 if any(titles) else 6, "b": 18})
    drawn.update_annotations(font_size=11)
    drawn.update_xaxes(nticks=3, tickfont_size=10, fixedrange=True, showgrid=False, zeroline=False)
    drawn.update_yaxes(nticks=3, tickfont_size=10, fixedrange=True, showgrid=True, gridcolor="rgba(125,131,141,0.16)")
    return drawn
