"""A static figure, outside the live view: the losses of many networks over training as a band."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.lines import line
from engine.number_format import short

LOWEST, LOW, MEDIAN, HIGH, HIGHEST = (0, 0.25, 0.5, 0.75, 1)
"""The quantiles that are drawn."""
AIR, MOST_LINES = 1.3, 3.0
"""The axis ends at least at AIR times the loss to beat, and at most at MOST_LINES times."""
HUGE = 1e300
"""Stands for an infinite loss between two quantiles."""


def band(
    steps: np.ndarray, losses: np.ndarray, own: tuple[np.ndarray, np.ndarray], line_to_beat: float, *, updates: int,
    own_name: str, line_name: str,
) -> go.Figure:  # fmt: skip
    """Draw the median, quartiles and range of many networks' losses, one run beside them, and the loss to beat.

    Args:
        steps: (n,), ascending. losses: (networks, n) at these steps; infinite for a network that has diverged.
        own: steps and losses of the run.
        line_to_beat: the loss to beat. line_name: what has this loss.
        updates: where the axis ends.
    """
    spread = quantiles(losses)
    top = _top(spread, own[1], line_to_beat)
    drawn = theme.figure(
        _between(steps, spread[LOWEST], spread[HIGHEST], top, "lowest to highest", theme.PADDING),
        _between(steps, spread[LOW], spread[HIGH], top, "middle half", theme.PALE_GREY),
        _median(steps, spread, top),
        line(np.array([0, updates]), np.full(2, line_to_beat), f"{line_name}: {short(line_to_beat)}", theme.QUIET,
             dash="dash", width=1.5).update(mode="lines", hoverinfo="skip", hovertemplate=None),
        _own(*own, top, own_name),
        height=300, revision="seeds", showlegend=True,
    )  # fmt: skip
    drawn.update_layout(margin={"l": 50, "r": 16, "t": 62, "b": 38})
    drawn.update_xaxes(**theme.TRAINING_AXIS | {"range": [0, 1.02 * updates]})
    drawn.update_yaxes(title={"text": "held-out loss", "standoff": 6}, range=[0, top], nticks=6)
    return drawn


def quantiles(losses: np.ndarray) -> dict[float, np.ndarray]:
    """The drawn quantiles of the losses (networks, n) at each step, (n,) each: infinite where diverged ones decide."""
    levels = (LOWEST, LOW, MEDIAN, HIGH, HIGHEST)
    if not losses.size:
        return dict.fromkeys(levels, np.zeros(0))
    found = np.quantile(np.minimum(losses, HUGE), levels, axis=0)
    return dict(zip(levels, np.where(found < HUGE / 100, found, np.inf), strict=True))


def _top(spread: dict[float, np.ndarray], own: np.ndarray, line_to_beat: float) -> float:
    """The upper end of the axis: above the quartiles and the run, as far as the loss to beat stays readable."""
    drawn = np.concatenate([spread[HIGH], own])
    highest = float(np.max(drawn[np.isfinite(drawn)], initial=0))
    return float(np.clip(1.1 * highest, AIR * line_to_beat, MOST_LINES * line_to_beat)) or 1.0


def _between(steps: np.ndarray, low: np.ndarray, high: np.ndarray, top: float, name: str, colour: str) -> go.Scatter:
    """The area between two lines."""
    edges = np.minimum(np.concatenate([high, low[::-1]]), top)
    return go.Scatter(
        x=np.concatenate([steps, steps[::-1]]), y=edges, name=name, mode="lines", line={"width": 0}, fill="toself",
        fillcolor=colour, hoverinfo="skip",
    )  # fmt: skip


def _median(steps: np.ndarray, spread: dict[float, np.ndarray], top: float) -> go.Scatter:
    """The median; pointed at, it says all quantiles."""
    numbers = [[short(float(values[at])) for values in spread.values()] for at in range(len(steps))]
    drawn = line(steps, np.minimum(spread[MEDIAN], top), "median", theme.GREY)
    says = (
        "step %{x:,}: median %{customdata[2]}<br>middle half %{customdata[1]} to %{customdata[3]}"
        "<br>lowest %{customdata[0]}, highest %{customdata[4]}<extra></extra>"
    )
    return drawn.update(mode="lines+markers", marker={"size": 4}, customdata=numbers, hovertemplate=says)


def _own(steps: np.ndarray, losses: np.ndarray, top: float, name: str) -> go.Scatter:
    """The line of the run; marks show where it was measured, which may be at a few steps only."""
    drawn = line(steps, np.minimum(losses, top), name, theme.NEUTRALS[0], width=2.5)
    numbers = [short(float(loss)) for loss in losses]
    return drawn.update(customdata=numbers, hovertemplate="step %{x:,}: this run %{customdata}<extra></extra>")
