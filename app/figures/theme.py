"""How everything looks: one colour per meaning, one scale per quantity. Written once, imported everywhere.

Categorical colours are Okabe and Ito's, which colour-blind people tell apart; each keeps a contrast of at least 3 : 1
on the light and on the dark page. Colour never stands alone: a name, a shape or a width says the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine.frame import RunInfo
from engine.number_format import short as short  # tests of the figures take it from here

TOTAL = "#2f7fc1"
DIRECT = "#c98100"
LAST = "#c2609a"
CELL = "#0a9873"
GHOST = "rgba(125,131,141,0.95)"
QUIET = "rgba(125,131,141,0.75)"
WRONG = "#d55e00"

PADDING = "rgba(140,146,156,0.22)"

PALE_TOTAL = "rgba(47,127,193,0.45)"

KEEP, LET_IN, SHOW, CANDIDATE = "#8a45e0", "#0f97b0", "#8f8500", "#a86a6a"
GATES = {
    "forget_gate": KEEP,
    "update_gate": KEEP,
    "input_gate": LET_IN,
    "output_gate": SHOW,
    "reset_gate": SHOW,
    "cell_candidate": CANDIDATE,
    "candidate": CANDIDATE,
}
"""By what a gate does: it keeps the old state, lets new content in, shows the state to others, or is the content."""

OTHER_FUTURE = "#5b95c9"
"""What became of the run where another branched off: of one family with it."""

WEIGHTS = "#9c5f3f"
"""The recurrent weights W_hh: what they do to a gradient, what they learn, their eigenvalues."""
BESIDE = "#6d8196"
"""A second measure beside the one that a figure is about."""

FLOOR_DECADE, TOP_DECADE, WIDE_DECADE = -12, 2, 8
"""The gradient's axis, fixed so that a height and a colour mean the same all lesson; where a gradient exceeds the top,
it reaches up to the wide one."""

DIVERGING = {
    "light": [[0, "#b35806"], [0.25, "#f1a340"], [0.5, "#eef0f3"], [0.75, "#998ec3"], [1, "#542788"]],
    "dark": [[0, "#ffbd70"], [0.25, "#d08a2c"], [0.42, "#80592a"], [0.5, "#333a47"], [0.58, "#5a4e93"],
             [0.75, "#8f7fda"], [1, "#cdc2fb"]],
}  # fmt: skip
"""Orange below zero, purple above; the middle stands out a little from the page, so that a state near 0 is seen."""
SEQUENTIAL = {
    "light": [[0, "#f7f9fb"], [0.5, "#8db8dc"], [1, "#2f7fc1"]],
    "dark": [[0, "#161b23"], [0.5, "#2a5a86"], [1, "#4ea1e0"]],
}
DECADES = {
    "light": [[0, "#12305f"], [0.25, "#4a566d"], [0.5, "#7f7c75"], [0.75, "#c0b068"], [1, "#fee53b"]],
    "dark": [[0, "#28488a"], [0.25, "#56658a"], [0.5, "#878580"], [0.75, "#c4b568"], [1, "#fee53b"]],
}
"""Logarithms, after Cividis: dark blue where next to nothing is left, yellow where much arrives, on both pages. Lighter
at the low end on the dark page, so that little and nothing at all (a gap) are told apart."""
SCALES = {"diverging": DIVERGING, "sequential": SEQUENTIAL, "decades": DECADES}

PLOT = 600
"""Pixels: the width of a plot over time on a laptop."""
TIME_MARGIN = {"l": 58, "r": 14}
"""Equal for every figure over time: one line of the mouse runs through all of them."""


def figure(*traces: Any, height: int, revision: str, **layout: Any) -> go.Figure:
    """An empty frame of the house: no title (the page has it), thin margins, zoom kept while `revision` stays."""
    drawn = go.Figure(list(traces))
    drawn.update_layout(
        template="none",
        height=height,
        margin={"l": 52, "r": 14, "t": 8, "b": 34},
        font={"size": 12},
        uirevision=revision,
        hovermode="closest",
        showlegend=False,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 11}},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    drawn.update_xaxes(showgrid=False, zeroline=False)
    drawn.update_yaxes(zeroline=False)
    drawn.update_layout(**layout)
    return drawn


TRAINING_AXIS: dict[str, Any] = {
    "title": {"text": "training step", "standoff": 6, "font": {"size": 12}},
    "range": [0, 50],
    "nticks": 6,
    "tickformat": ",d",
}
"""The x axis that every figure over training shares."""


def time_axis(steps: int, title: str = "") -> dict[str, Any]:
    """The x axis that every figure over time shares."""
    air = 3.0 if steps == 1 else max(0.7, 0.014 * steps)
    ticks: dict[str, Any] = {"dtick": 1, "tick0": 0} if 1 < steps <= 16 else {"nticks": 12}
    if steps == 1:
        ticks = {"tickvals": [0]}
    return {
        "range": [-air, steps - 1 + air],
        "title": {"text": title, "standoff": 6, "font": {"size": 12}},
        **ticks,
    }


def of_top(info: RunInfo) -> str:
    """Which chain a figure of one chain shows, for its title: the top layer, forwards; "" where there is only one."""
    e = info.experiment
    where = [f"layer {e.num_layers}"] if e.num_layers > 1 else []
    where += ["forwards"] if e.bidirectional else []
    return f" ({', '.join(where)})" if where else ""


def marks_in_time(info: RunInfo, *, above: bool = False) -> list[dict[str, Any]]:
    """What stands in every figure over time: grey where the drawn sequence is padding, a line between encoder and
    decoder, and a wall wherever truncation cuts."""
    layer = "above" if above else "between"  # above the grid, that it does not strike the word
    upright = {"yref": "paper", "y0": 0, "y1": 1}
    bands = [
        {"type": "rect", **upright, "x0": start - 0.5, "x1": stop - 0.5, "layer": layer, "line": {"width": 0},
         "fillcolor": PADDING, "label": _padding_label(info, stop - start)}
        for start, stop in stretches(np.array(info.valid))
    ]  # fmt: skip
    lines = [(t, {"color": WRONG, "width": 2.5}) for t in walls(info)]
    if info.encoder_steps:
        lines.append((info.encoder_steps, {"color": LAST, "dash": "dash", "width": 1.6}))
    return bands + [{"type": "line", **upright, "x0": t - 0.5, "x1": t - 0.5, "line": line} for t, line in lines]


def _padding_label(info: RunInfo, steps: int) -> dict[str, Any]:
    """The word "padding", upright where the band is too narrow for it, and none where it is narrower than a line."""
    low, high = time_axis(info.time_steps)["range"]
    width = steps / (high - low) * PLOT
    if width < 14:
        return {}
    return {"text": "padding", "textangle": 0 if width > 56 else -90, "font": {"size": 11}}


def walls(info: RunInfo) -> range | tuple:
    """The steps t whose link to t - 1 is cut by truncation."""
    e = info.experiment
    return range(info.time_steps - e.tbptt, 0, -e.tbptt) if e.tbptt else ()


def stretches(values: np.ndarray) -> list[tuple[int, int]]:
    """Runs of False, as (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], ~values, [0]]).astype(int)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def log_axis(low: int, high: int, step: int = 2) -> dict[str, Any]:
    """A log axis with fixed decades from 10^low to 10^high."""
    return {
        "type": "log",
        "range": [low, high],
        "dtick": step,
        "tickfont": {"size": 11},
        "exponentformat": "power",
        "showexponent": "all",
    }


def f4(values: Any) -> np.ndarray:
    """float32, which is what crosses to the browser; a number too small for it becomes the smallest, not 0."""
    wide = np.asarray(values, np.float64)
    tiny = np.finfo(np.float32).tiny
    return np.where((wide > 0) & (wide < tiny), tiny, np.clip(wide, -3e38, 3e38)).astype(np.float32)


def before(trace: int, old: RunInfo, y: Any, x: Any = None) -> dict[str, Any]:
    """Patch of the trace that draws the previous run in grey, named after its cell; x where it is not the time axis."""
    place = f"data.{trace}"
    drawn: dict[str, Any] = {f"{place}.showlegend": True, f"{place}.name": f"before: {old.cell_title}"}
    if x is not None:
        drawn[f"{place}.x"] = np.asarray(x, np.float32)
    return {**drawn, f"{place}.y": f4(y)}


def other_future(ghost: dict[str, Any]) -> dict[str, Any]:
    """The patch of a ghost, for a run that branched off from it: a lighter blue, dotted, and named for what it is."""
    places = [path.removesuffix(".name") for path in ghost if path.endswith(".name")]
    drawn = dict(ghost)
    for place in places:
        drawn |= {f"{place}.name": "the other future", f"{place}.line.color": OTHER_FUTURE, f"{place}.line.dash": "dot"}
    return drawn


def training_range(step: int) -> list[float]:
    """The x axis over training up to this step: never so short that the first updates fill it."""
    return [0, max(50, step) * 1.02]


def symbol(label: str) -> str:
    """A symbol that can be seen: the space and the unknown character get a sign."""
    return {" ": "␣", "\N{REPLACEMENT CHARACTER}": "?"}.get(label, label)
