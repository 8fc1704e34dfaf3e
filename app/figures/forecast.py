"""Static figures of a forecast, outside the live view: arrays in, a figure out."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.lines import line

NETWORK = "the network"


def path(
    known: np.ndarray, said: np.ndarray, rule: np.ndarray | None, *, name: str, rule_name: str = "",
    times: np.ndarray | None = None,
) -> go.Figure:  # fmt: skip
    """Draw the last known values, the network's forecast after them, and that of a simple rule.

    Args:
        known: (n,) NaN where one is missing. said, rule: (m,).
        name: of the quantity. rule_name: of the rule.
        times: (n + m,) datetime64; without them, rows are counted from the first one to be forecast.
    """
    n, m = len(known), len(said)
    x = np.arange(1 - n, m + 1) if times is None else times
    last = np.flatnonzero(np.isfinite(known))[-1:]  # a forecast begins at the last known value
    traces = [line(x[:n], known, "known", theme.GREY)]
    if rule is not None:
        traces.append(line(_after(x, last, n), np.concatenate([known[last], rule]), rule_name, theme.QUIET,
                            dash="dot"))  # fmt: skip
    traces.append(line(_after(x, last, n), np.concatenate([known[last], said]), NETWORK, theme.NEUTRALS[0]))
    drawn = theme.figure(*traces, height=290, revision="forecast", showlegend=True)
    drawn.update_layout(margin={"l": 58, "r": 20, "t": 26, "b": 36}, hovermode="x unified")
    drawn.update_xaxes(title=None if times is not None else {"text": "rows after the last known one", "standoff": 6})
    drawn.update_yaxes(title={"text": theme.escaped(name), "standoff": 6}, nticks=6)
    return drawn


def errors(ahead: np.ndarray, network: np.ndarray, rules: dict[str, np.ndarray], *, unit: str) -> go.Figure:
    """Draw the mean absolute errors of a test for each step ahead, the network's thick, the rules' thin.

    Args:
        ahead, network: (m,). rules: {name: (m,)}. unit: what an error is measured in.
    """
    dashes = ("dot", "dash", "dashdot", "longdash", "longdashdot")
    traces = [
        line(ahead, values, name, theme.QUIET, dash=dashes[number % len(dashes)], width=1.5)
        for number, (name, values) in enumerate(rules.items())
    ]
    traces.append(line(ahead, network, NETWORK, theme.NEUTRALS[0], width=3))
    drawn = theme.figure(*traces, height=250, revision="errors", showlegend=True)
    drawn.update_layout(margin={"l": 58, "r": 20, "t": 60, "b": 36}, hovermode="x unified")
    drawn.update_xaxes(title={"text": "steps ahead", "standoff": 6}, nticks=8, tickformat="d")
    drawn.update_yaxes(
        title={"text": f"mean error, {theme.escaped(unit)}", "standoff": 6}, nticks=6, rangemode="tozero"
    )
    return drawn


def _after(x: np.ndarray, last: np.ndarray, n: int) -> np.ndarray:
    return np.concatenate([x[last], x[n:]])
