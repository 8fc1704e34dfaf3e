"""How long a change of the state survives: the part of it that is left after k steps, independent of the loss."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from app.figures import log_scale, theme
from app.figures.base import STATE, ChainFigure, Curves, Patch, Traces
from engine.frame import Chain, Look
from engine.number_format import short

TRACES = Traces("line", "points", *log_scale.MARKS)
HALF, LITTLE = 0.5, 0.01


def template(info: Chain) -> go.Figure:
    """A line over lags on a fixed log axis, from 1 at lag 0, with a vertical line at the task's lag."""
    empty = np.zeros(0, np.float32)
    line = go.Scatter(x=empty, y=empty, mode="lines", hoverinfo="skip", line={"color": theme.INK, "width": 2})
    points = go.Scatter(
        x=empty, y=empty, mode="markers", marker={"size": 6, "color": theme.INK},
        hovertemplate="after %{x:d} steps: %{y:.2e}<extra></extra>",
    )  # fmt: skip
    end = info.time_steps - 1
    return theme.figure(
        *TRACES.in_order(line=line, points=points, **log_scale.marks(empty)),
        height=170,
        revision=f"lags-{info.time_steps}",
        margin={"l": 56, "r": 14, "t": 18, "b": 40},
        xaxis={
            "range": [-0.03 * end, 1.05 * end],
            "nticks": 8,
            "tickformat": "d",
            **({"tick0": 0, "dtick": 1} if end <= 8 else {}),
            "title": {"text": "steps between, k", "standoff": 6, "font": {"size": 12}},
        },
        yaxis=log_scale.axis("‖ds<sub>T</sub>/ds<sub>T−k</sub>‖"),
        shapes=_reference_lines(info),
        annotations=_notes(info),
    )


def needed(info: Chain) -> int | None:
    """Return how many steps back the task needs the network to remember; None if it has no such number."""
    return None if info.looks_ahead or not info.lag else info.measured_lag_unpadded


def _reference_lines(info: Chain) -> list[dict]:
    """Return the lines at 1 % and at the task's lag."""
    lines = [
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": LITTLE, "y1": LITTLE,
         "line": {"dash": "dash", "width": 1.4, "color": theme.GHOST}}
    ]  # fmt: skip
    if lag := needed(info):
        lines.append({"type": "line", "yref": "paper", "x0": lag, "x1": lag, "y0": 0, "y1": 1,
                      "line": {"dash": "dash", "width": 1.4, "color": theme.GREY}})  # fmt: skip
    return lines


def _notes(info: Chain) -> list[dict]:
    lag = needed(info)
    if not lag:
        return []
    side = "right" if lag > info.time_steps / 2 else "left"
    return [{"yref": "paper", "y": 1, "yanchor": "bottom", "x": lag, "xanchor": side, "showarrow": False,
             "text": f"this task needs {lag}", "font": {"size": 11}}]  # fmt: skip


def patch(info: Chain, frame: Look, curves: Curves) -> Patch:
    """Patch the norms at the lags within the sequence; {} for a frame without this reading."""
    if frame.spectrum is None:
        return {}
    products, fitting = frame.spectrum.products, _fitting(frame)
    lags, norms = products.lags[fitting], products.norm[info.shown_chain][fitting]
    x, y = np.concatenate([[0], lags]), np.concatenate([[1.0], norms])
    changed: Patch = {TRACES.path(name, "x"): theme.float32(x) for name in TRACES}
    changed[TRACES.path("line", "y")] = theme.float32(y)
    changed[TRACES.path("points", "y")] = log_scale.inside(y)
    return changed | log_scale.outside(TRACES.number("below"), y, np.ones(len(y), bool))


def _fitting(frame: Look) -> np.ndarray:
    """Return (lags,) bool, the lags within the drawn sequence."""
    assert frame.spectrum is not None
    return frame.spectrum.products.lags < int(frame.valid.sum())


def readout(info: Chain, frame: Look) -> str:
    """Return the half-life, the lag at which 1 % is left, and the task's lag."""
    if frame.spectrum is None:
        return ""
    products = frame.spectrum.products
    if not _fitting(frame).any():
        return "a single step: nothing to remember"
    lags, norms = products.lags[_fitting(frame)], products.norm[info.shown_chain][_fitting(frame)]
    erased = lags[norms == 0]
    if not (np.isfinite(products.lyapunov[info.shown_chain][0]) or len(erased)):
        return "not finite"
    furthest = int(lags[-1])
    half, little = products.half_life(*info.shown_chain), products.one_percent(*info.shown_chain)
    if len(erased):
        parts = [f"nothing is left after {erased[0]} step{'s' if erased[0] > 1 else ''}"]
    elif not math.isfinite(half) or norms[-1] >= HALF:
        parts = [f"does not fade in {furthest} step{'s' if furthest > 1 else ''}"]
    else:
        parts = [f"halves every {short(half)} steps" if half >= 1 else "one step leaves less than half"]
        parts.append(f"{LITTLE:.0%} after {short(little)}" if math.isfinite(little) else f"stays above {LITTLE:.0%}")
    if lag := needed(info):
        parts.append(f"the task needs {lag} step{'s' if lag > 1 else ''}")
    return " · ".join(parts)


FIGURE = ChainFigure(
    title=lambda info: "How long a change survives" + theme.chain_suffix(info),
    look_for=lambda info: (
        "A small change of the state, in the direction that lasts longest: how much is left k steps later? "
        "Truncation has no effect here."
    ),
    how=lambda info: (
        "The largest factor by which a small change of the state s "
        + ("(h and c together) " if info.memory_symbol == "c" else "(h) ")
        + "grows over k steps up to the end of the drawn sequence, inputs held fixed: the norm of a product of k "
        "Jacobians. The half-life is ln 2 / −λ, with λ (a Lyapunov exponent) the logarithm of that norm over the "
        "longest of these k, per step. "
        "engine/lens/jacobians.py, jacobian_products."
    ),
    label="Norm of the Jacobian product against the lag, log axis with fixed limits, with the task's lag",
    tab=STATE,
    over="training",
    applies=lambda info: info.has_links and info.has_spectrum and info.time_steps > 1,
    template=template,
    patch=patch,
    readout=readout,
    requires="spectrum",
    fits=("layout.yaxis",),
)
