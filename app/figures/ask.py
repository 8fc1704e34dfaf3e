"""Static figures of an answer, outside the live view: arrays in, a figure out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.lines import line

MAX_CLASSES = 8
MAX_NUMBERS = 12  # longer forecasts have no numbers beside their points
BAR = 27  # pixels per class
MAX_LETTERS = 24  # of the name of a class


def classes(labels: Sequence[str], probabilities: np.ndarray, target: int | None = None) -> go.Figure:
    """Draw the most probable classes, the first on top; a tick marks the right one."""
    shown = np.argsort(-probabilities, kind="stable")[:MAX_CLASSES]
    names = [theme.escaped(labels[index], MAX_LETTERS) + (" ✓" if index == target else "") for index in shown]
    values = probabilities[shown]
    bars = go.Bar(
        x=values, y=list(range(len(shown))), orientation="h", width=0.72, marker={"color": theme.GREY},
        text=[f"{value:.1%}" for value in values], textposition="outside", cliponaxis=False, hoverinfo="skip",
    )  # fmt: skip
    drawn = theme.figure(bars, height=BAR * len(shown) + 14, revision="classes")
    drawn.update_layout(margin={"l": 10, "r": 6, "t": 4, "b": 4})
    drawn.update_xaxes(range=[0, 1.2], visible=False, fixedrange=True)
    drawn.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=names, range=[len(shown) - 0.5, -0.5], automargin=True, ticks="",
        showgrid=False, fixedrange=True,
    )  # fmt: skip
    return drawn


def series(
    past: np.ndarray,
    forecast: np.ndarray,
    future: np.ndarray | None = None,
    *,
    name: str,
    now: np.ndarray | None = None,
    now_from: int = 0,
) -> go.Figure:
    """Draw the values read, the network's forecast (dashed), and the actual values.

    Args:
        past: (T,) the values read; NaN where one is missing.
        forecast: (n,) for the steps T, T + 1 and so on; may be empty.
        future: (m,) the actual values, from step `now_from` on without a forecast, else from T on.
        name: the name of the quantity.
        now: (k,) the predictions made while reading, for the steps from `now_from` on.
        now_from: the first step of `now`.
    """
    steps, end = np.arange(len(past)), len(past)
    begins = end if len(forecast) else now_from
    last = np.flatnonzero(np.isfinite(past))[-1:]  # forecast and actual values begin at the last value read
    traces = [line(steps, past, "read", theme.GREY)]
    if future is not None:
        x, y = np.arange(begins, begins + len(future)), np.asarray(future, float)
        if len(forecast):
            x, y = np.concatenate([last, x]), np.concatenate([past[last], y])
        traces.append(line(x, y, "actual", theme.RIGHT))
    if now is not None:
        traces.append(line(np.arange(now_from, now_from + len(now)), now, "predicted", theme.NEUTRALS[0], dash="dash"))
    if len(forecast):
        x = np.concatenate([last, np.arange(end, end + len(forecast))])
        y = np.concatenate([past[last], forecast])
        dashed = line(x, y, "predicted next", theme.NEUTRALS[0], dash="dash")
        if len(forecast) <= MAX_NUMBERS:
            written = [""] * len(last) + [f"{value:.2f}" for value in forecast]
            dashed.update(mode="lines+markers+text", text=written, cliponaxis=False,
                          textposition=["top center"] * len(last) + _away(forecast, future))  # fmt: skip
        traces.append(dashed)
    drawn = theme.figure(*traces, height=270, revision="series", showlegend=True)
    drawn.update_layout(margin={"l": 58, "r": 20, "t": 26, "b": 36}, hovermode="x unified")
    drawn.update_xaxes(title={"text": "step", "standoff": 6})
    drawn.update_yaxes(title={"text": theme.escaped(name), "standoff": 6}, nticks=6)
    return drawn


def channels(values: np.ndarray, names: Sequence[str]) -> go.Figure:
    """Draw the values read, (T, channels), one line per channel."""
    colours = (*theme.NEUTRALS, theme.W_XH, theme.QUIET)
    traces = [
        line(np.arange(len(values)), values[:, c], name, colours[c % len(colours)]) for c, name in enumerate(names)
    ]
    drawn = theme.figure(*traces, height=200, revision="channels", showlegend=len(names) > 1)
    drawn.update_layout(margin={"l": 40, "r": 10, "t": 26, "b": 34}, hovermode="x unified")
    drawn.update_xaxes(title={"text": "step", "standoff": 6})
    drawn.update_yaxes(nticks=5)
    return drawn


def _away(forecast: np.ndarray, future: np.ndarray | None) -> list[str]:
    """Return the text position of each point's number: on the other side of the actual value."""
    low = np.zeros(len(forecast), bool)
    if future is not None:
        low[: len(future)] = forecast[: len(future)] < future
    return ["bottom center" if is_low else "top center" for is_low in low]
