"""Colours, scales and layouts that all figures share: one colour per meaning, one scale per quantity.

States are teal below 0 and purple above it. Everything that flows back is magenta, and nothing else is: gradients of
different kinds differ by dash, shape, width or lightness. Orange is an alarm: a value outside its axis, exactly 0, or
not finite. Right is green with a tick, wrong is the page's text colour with a cross. W_xh is blue, W_hh golden brown,
W_hy green. What has none of these meanings is grey, or one of NEUTRALS. Each colour has a contrast of at least 3 : 1 on
the light and on the dark page, and is never the only cue: a name, a shape or a width shows the same.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine.frame import Chain

GRADIENT = "#d9327a"
"""Gradients of every kind, on lines and marks; as colours of a heat map, DECADES."""
PALE_GRADIENT = "rgba(217,50,122,0.22)"
ALARM = "#d55e00"
RIGHT = "#168a5a"
W_XH, W_HH = "#2f7fc1", "#9c7200"
"""The weights of the input and of the old state: their own gradients, their factor, their eigenvalues."""

INK = "black"
"""Stands for the page's text colour, which `app/live/theme.js` puts in its place: losses, answers, wrong answers. Not
for figures that Streamlit draws by itself."""
PAPER = "white"
"""Stands for the page's own colour, of text on dark marks (a trace whose `meta` is "on_marks")."""
GREY = "#6d8196"
"""A second quantity beside the main one of a figure, a level to compare with, and what gates do."""
PALE_GREY = "rgba(109,129,150,0.42)"
GHOST = "rgba(125,131,141,0.95)"
QUIET = "rgba(125,131,141,0.75)"
PADDING = "rgba(140,146,156,0.22)"
OTHER_FUTURE = "#6d8196"
"""The run that another one branched off from: a bluer grey than the previous run's, and dotted."""

NEUTRALS = ("#5b6fd6", "#82820f", "#7c8794")
"""Indigo, olive and grey, which mean nothing: the lanes of a race, or series that only have to be told apart."""

PAST_RUNS = (
    (NEUTRALS[0], "dash"),
    (NEUTRALS[1], "dot"),
    ("#a0674b", "dashdot"),
    (NEUTRALS[2], "longdash"),
)
"""Colour and dash of each of the past runs that can be drawn beside the present one; the third is a brown."""

KEEP, LET_IN, SHOW, CANDIDATE = "#63708a", "#7d8896", "#8c7f72", "#8f6f78"
GATES = {
    "forget_gate": KEEP,
    "update_gate": KEEP,
    "retain_factor": KEEP,
    "input_gate": LET_IN,
    "output_gate": SHOW,
    "reset_gate": SHOW,
    "cell_candidate": CANDIDATE,
    "candidate": CANDIDATE,
}
"""Gates have no hue of their own: tinted greys by role, told apart by dash and marker. The gate keeps the old state,
admits new content, exposes the state, or is the new content."""

FLOOR_DECADE, TOP_DECADE, WIDE_DECADE = -12, 2, 8
"""Exponents of 10 of the gradient's axis: fixed, so that heights and colours are comparable between frames and runs.
The axis ends at WIDE_DECADE instead of TOP_DECADE in frames with a larger gradient."""


def _towards(middle: str, end: str, share: float) -> str:
    """Return the colour this far from the middle of a scale to its end, both "#rrggbb"."""
    parts = [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in (middle, end)]
    return "#" + "".join(f"{round(one + share * (other - one)):02x}" for one, other in zip(*parts, strict=True))


def _state_scale(low: str, middle: str, high: str) -> list[list]:
    """Return a scale from -1 over 0 to +1 whose colours leave the middle with the power 0.8 of the value."""
    sizes = (1, 0.75, 0.5, 0.25, 0.1)
    below = [[0.5 - size / 2, _towards(middle, low, size**0.8)] for size in sizes]
    above = [[0.5 + size / 2, _towards(middle, high, size**0.8)] for size in reversed(sizes)]
    return [*below, [0.5, middle], *above]


DIVERGING = {
    "light": _state_scale("#00807a", "#e9ebf0", "#5b2a91"),
    "dark": _state_scale("#46d3c2", "#2a323f", "#b08bff"),
}
"""States: teal below zero, purple above; the middle differs from the page, so that a state near 0 is visible."""
SEQUENTIAL = {
    "light": [[0, "#f7f9fb"], [0.5, "#c3ccd6"], [1, "#8a97a6"]],
    "dark": [[0, "#161b23"], [0.5, "#394555"], [1, "#5f6f84"]],
}
"""Probabilities and images: grey, so that text on it is legible."""
DECADES = {
    "light": [[0, "#eab9cd"], [0.5, "#e0629a"], [0.8, "#b81560"], [1, "#6a0a38"]],
    "dark": [[0, "#5a2340"], [0.5, "#a52a63"], [0.8, "#ee6aa4"], [1, "#ffd3e4"]],
}
"""For logarithms of gradients, in their hue: the stronger, the larger. The smallest value differs from a gap (exactly
0) on both pages."""
LEARNED = {
    "light": [[0, "#eceef2"], [0.35, "#bfe0d0"], [0.7, "#4fb389"], [1, "#0b6b45"]],
    "dark": [[0, "#1c222b"], [0.35, "#1d4d3b"], [0.7, "#249a6b"], [1, "#8af0c3"]],
}
"""How much was learned, in the hue of what is right: nothing is near the page, all is far from it."""
SCALES = {"learned": LEARNED, "diverging": DIVERGING, "sequential": SEQUENTIAL, "decades": DECADES}

PLOT = 600
"""Width in pixels of a plot over time on a laptop."""
TIME_MARGIN = {"l": 58, "r": 14}
"""Equal for every figure over time, so that one cursor line runs through all of them."""


LONGEST_LABEL = 40
"""Characters of a name in a legend, beside an axis or above a line."""
STATIC = {"displayModeBar": False}
"""Plotly's configuration of the figures that Streamlit draws."""


def figure(*traces: Any, height: int, revision: str, **layout: Any) -> go.Figure:
    """Return a figure with the common layout: no title, thin margins, and the zoom kept for each `revision`."""
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
"""The x axis of every figure over training."""


MOST_NAMES, LONGEST_NAME = 7, 16
NAMES_WIDTH, LETTER = 250, 7
"""At most so many steps are named, with so many letters; the pixels of all names on a phone, and of a letter."""


def named_ticks(names: Sequence[str]) -> dict[str, Any]:
    """Return the ticks of an axis whose steps have names: as many as fit side by side on a phone."""
    longest = min(LONGEST_NAME, max(map(len, names))) + 1
    most = max(2, min(MOST_NAMES, NAMES_WIDTH // (longest * LETTER)))
    named = range(0, len(names), -(-len(names) // most))
    words = [escaped(names[t], LONGEST_NAME) for t in named]
    return {"tickmode": "array", "tickvals": list(named), "ticktext": words, "tickangle": 0}


def time_axis(steps: int, title: str = "", names: Sequence[str] = ()) -> dict[str, Any]:
    """Return the x axis of every figure over time, with `steps` positions; some are named, if there are names."""
    air = 3.0 if steps == 1 else max(0.7, 0.014 * steps)
    ticks: dict[str, Any] = {"dtick": 1, "tick0": 0} if 1 < steps <= 16 else {"nticks": 12}
    if names:
        ticks = named_ticks(names)
    elif steps == 1:
        ticks = {"tickvals": [0]}
    return {
        "range": [-air, steps - 1 + air],
        "title": {"text": title, "standoff": 6, "font": {"size": 12}},
        **ticks,
    }


def chain_name(info: Chain, layer: int, direction: int) -> str:
    """Return a layer and direction in words, such as "layer 2, backwards"; "" for a network with one of each."""
    parts = [f"layer {layer + 1}"] if info.num_layers > 1 else []
    parts += [("forwards", "backwards")[direction]] if info.directions == 2 else []
    return ", ".join(parts)


def chain_suffix(info: Chain) -> str:
    """Return the end of the title of a figure of a single layer: which one; "" for a network with one."""
    name = chain_name(info, *info.shown_chain)
    return f" ({name})" if name else ""


def marks_in_time(info: Chain, *, above: bool = False) -> list[dict[str, Any]]:
    """Return the shapes of every figure over time.

    Grey bands where the drawn sequence is padding, a dashed line between encoder and decoder, and a solid line
    wherever truncation cuts the gradient.
    """
    layer = "above" if above else "between"  # above the grid, which would cross the word
    upright = {"yref": "paper", "y0": 0, "y1": 1}
    bands = [
        {"type": "rect", **upright, "x0": start - 0.5, "x1": stop - 0.5, "layer": layer, "line": {"width": 0},
         "fillcolor": PADDING, "label": _padding_label(info, stop - start)}
        for start, stop in stretches(np.array(info.valid))
    ]  # fmt: skip
    lines = [(t, {"color": INK, "width": 2.5}) for t in info.walls]
    if info.encoder_steps:
        lines.append((info.encoder_steps, {"color": GREY, "dash": "dash", "width": 1.6}))
    return bands + [{"type": "line", **upright, "x0": t - 0.5, "x1": t - 0.5, "line": line} for t, line in lines]


def _padding_label(info: Chain, steps: int) -> dict[str, Any]:
    """Return the label "padding": vertical in a narrow band, none in a band narrower than a line of text."""
    low, high = time_axis(info.time_steps)["range"]
    width = steps / (high - low) * PLOT
    if width < 14:
        return {}
    return {"text": "padding", "textangle": 0 if width > 56 else -90, "font": {"size": 11}}


def stretches(values: np.ndarray) -> list[tuple[int, int]]:
    """Return the runs of False, as (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], ~values, [0]]).astype(int)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def log_axis(low: int, high: int, step: int = 2) -> dict[str, Any]:
    """Return a log axis with fixed limits, from 10^low to 10^high."""
    return {
        "type": "log",
        "range": [low, high],
        "dtick": step,
        "tickfont": {"size": 11},
        "exponentformat": "power",
        "showexponent": "all",
    }


def float32(values: Any) -> np.ndarray:
    """Convert to float32 for the browser; a positive number below its range becomes the smallest normal one, not 0."""
    wide = np.asarray(values, np.float64)
    tiny = np.finfo(np.float32).tiny
    return np.where((wide > 0) & (wide < tiny), tiny, np.clip(wide, -3e38, 3e38)).astype(np.float32)


def training_range(step: int) -> list[float]:
    """Return the limits of the x axis over training up to this step: at least 50 steps long."""
    return [0, max(50, step) * 1.02]


def symbol(label: str) -> str:
    """Make a symbol visible: the space and the unknown character are replaced by a sign."""
    return {" ": "␣", "\N{REPLACEMENT CHARACTER}": "?"}.get(label, label)


def escaped(label: str, most: int = LONGEST_LABEL) -> str:
    """Return foreign words as Plotly's text: visible, at most so many characters, and none of them a tag."""
    shown = symbol(label)
    return html.escape(shown if len(shown) <= most else f"{shown[: most - 1]}…", quote=False)
