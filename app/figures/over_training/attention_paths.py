"""By which paths the gradient comes to the states of an encoder that is attended: state, values, scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures import theme, token_labels
from app.figures.base import ATTENTION, Curves, LiveFigure, Patch, Traces
from app.figures.over_training.attention import MOST_NAMED, MOST_WRITTEN, named, real_steps, step_axis
from engine.frame import Frame, RunInfo
from engine.frame.attention import ATTENTION_PATHS
from engine.number_format import share

OF_ALL, OF_ONE = "all", "one"
TRACES = Traces(*(f"{path} {which}" for which in (OF_ALL, OF_ONE) for path in ATTENTION_PATHS))
STYLES: dict[str, tuple[str, dict[str, Any]]] = {
    "state": ("state", {"color": theme.GRADIENT}),
    "values": ("values", {"color": theme.GRADIENT, "pattern": {"shape": "/", "size": 6, "solidity": 0.45}}),
    "scores": (
        "scores",
        {"color": theme.PALE_GRADIENT, "line": {"width": 1.4, "color": theme.GRADIENT}},
    ),
}
"""Name and look of each path: all are gradients, so they differ by filling, not by hue."""
LOWS, TOPS = (0.0, -0.25, -0.5, -1.0, -2.0, -4.0, -10.0), (1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""The axes end at one of these."""
LINES = (-10, -5, -1, 0, 1, 5, 10)
"""Shares with a line: above all nothing and the whole."""
SMALL = 0.02  # so far beyond a limit the axis stays


def template(info: RunInfo) -> go.Figure:
    """Bars of shares, stacked: above of all losses together, below of one of them."""
    source, _ = real_steps(info)
    empty = np.full(len(source), np.nan, np.float32)
    bars = {
        f"{path} {which}": go.Bar(
            x=source, y=empty, customdata=np.stack([empty, empty], 1), name=STYLES[path][0],
            marker={"line": {"width": 0}} | STYLES[path][1], yaxis="y" if which == OF_ALL else "y2",
            showlegend=which == OF_ALL,
            hovertemplate=f"t = %{{x}}: %{{customdata[0]:.0%}} through the {STYLES[path][0]}, norm "
                          "%{customdata[1]:.1e}<extra></extra>",
        )
        for which in (OF_ALL, OF_ONE)
        for path in ATTENTION_PATHS
    }  # fmt: skip
    shares = {"range": [0, 1], "tickformat": ".0%", "tickvals": LINES, "gridcolor": theme.QUIET, "showgrid": True}
    return theme.figure(
        *TRACES.in_order(**bars),
        height=300,
        revision=f"paths-{len(source)}",
        margin={"l": 58, "r": 14, "t": 44, "b": 42},
        xaxis={
            **step_axis(source), "anchor": "y2",
            "title": {"text": "the encoder's state", "standoff": 6, "font": {"size": 12}},
        },
        yaxis={**shares, "domain": [0.58, 1]},
        yaxis2={**shares, "domain": [0, 0.42], "anchor": "x"},
        annotations=[_heading(1, _heading_of_all()), _heading(0.42, "")],
        barmode="relative",
        bargap=0.2,
        showlegend=True,
        legend={"traceorder": "normal", "y": 1.09},
    )  # fmt: skip


def _heading(y: float, text: str) -> dict:
    """A line above one of the two parts."""
    return {"xref": "paper", "yref": "paper", "x": 0, "y": y, "xanchor": "left", "yanchor": "bottom",
            "showarrow": False, "text": text, "font": {"size": 12}}  # fmt: skip


def _heading_of_all() -> str:
    return "of dL/dh, all losses together"


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Patch the shares of one layer, and their axes; {} for a frame without them."""
    reading = frame.attention
    if reading is None:
        return {}
    source, _ = real_steps(info)
    step, norms, shares = of_one(info, frame)
    changed: Patch = {"layout.annotations.1.text": heading_of_one(info, frame, step)}
    parts = {OF_ALL: (reading.norms, reading.shares), OF_ONE: (norms, shares)}
    for which, axis in ((OF_ALL, "yaxis"), (OF_ONE, "yaxis2")):
        own = {path: [each[path][info.shown_chain][source] for each in parts[which]] for path in ATTENTION_PATHS}
        low, top = _limits(np.stack([of[1] for of in own.values()]))
        changed[f"layout.{axis}.range"] = [low, top]
        for path, (size, part) in own.items():
            trace = f"{path} {which}"
            changed[TRACES.path(trace, "y")] = theme.float32(np.clip(part, 2 * LOWS[-1], 2 * TOPS[-1]))
            changed[TRACES.path(trace, "customdata")] = theme.float32(np.stack([part, size], 1))
    if info.inputs == "symbols" and len(source) <= MOST_NAMED:
        letters = 7 if len(source) <= MOST_WRITTEN else 2
        changed["layout.xaxis.ticktext"] = named(source, token_labels.inputs(info, frame), letters)
    return changed


def of_one(info: RunInfo, frame: Frame) -> tuple[int, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Position, norms and shares of the loss that is followed on the stage; of the last one if none is."""
    followed, reading = frame.followed, frame.attention
    assert reading is not None
    if followed is not None and followed.path_shares:
        return followed.step, followed.path_norms, followed.path_shares
    return info.enters(0), reading.last_norms, reading.last_shares


def heading_of_one(info: RunInfo, frame: Frame, step: int) -> str:
    """Which loss the lower part is of."""
    word = token_labels.targets(info, frame)[step] if info.outputs == "symbols" else ""
    which = "the last loss" if step == info.enters(0) else "the loss that is followed"
    return f"of dl/d{info.memory_symbol}, {which}: t = {step}" + (f", “{word}”" if word else "")


def _limits(shares: np.ndarray) -> tuple[float, float]:
    """The smallest of the fixed limits that hold the stacked parts of nearly all states. shares: (paths, S)."""
    finite = np.where(np.isfinite(shares), shares, 0.0)
    top = float(np.quantile(np.maximum(finite, 0).sum(0), 0.98))
    low = float(np.quantile(np.minimum(finite, 0).sum(0), 0.02))
    lowest = next((limit for limit in LOWS if low >= limit - SMALL), LOWS[-1])
    return lowest, next((limit for limit in TOPS if top <= limit + SMALL), TOPS[-1])


def readout(info: RunInfo, frame: Frame) -> str:
    """Return the share that comes around the state at the step that decides."""
    reading = frame.attention
    if reading is None or not np.isfinite(around := float(reading.around_share[info.shown_chain])):
        return ""
    return f"last loss, at the step that decides: {share(around)} through attention"


FIGURE = LiveFigure(
    title=lambda info: "How the gradient comes to the encoder" + theme.chain_suffix(info),
    look_for=lambda info: (
        "Filled: through the one state that the decoder starts from. The rest goes around it, through attention."
    ),
    how=lambda info: (
        "The gradient at a state of the encoder is the sum of three vectors: through the state that the decoder starts "
        "from, through the values (what was read), and through the scores (what chose how much is read). Each is swept "
        "back by itself; a share is ⟨part, whole⟩ / ‖whole‖², so the three add up to 100% exactly, and one below 0 "
        "opposes the others. Of the drawn sequence; the median over the probe stands above. "
        "engine/lens/attention_paths.py, path_numbers."
    ),
    label="Shares of the gradient at each state of the encoder that come through the state, the values and the scores",
    tab=ATTENTION,
    over="training",
    applies=lambda info: info.experiment.attention != "none",
    template=template,
    patch=patch,
    readout=readout,
)  # fmt: skip
