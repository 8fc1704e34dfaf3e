"""How often each tag of somebody's own sentences is right, beside the tag that each word mostly has."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import channels, theme
from app.figures.base import LEARNING, Curves, LiveFigure, Patch, Traces
from engine.frame import Frame, RunInfo
from engine.frame.readings import TagAccuracies
from engine.number_format import count, metrics

TRACES = Traces("network", "usual")
USUAL = "each word's most common tag"
MOST = 16  # tags that are drawn, the most common ones
MAX_LETTERS = 12
HEIGHT, ROW = 80, 20  # pixels: without bars, with a legend of two lines; and for each bar


def applies(info: RunInfo) -> bool:
    """Return True for a network that tags the words of somebody's own sentences."""
    symbols = info.inputs == info.outputs == "symbols"
    tags = info.experiment.rnn_type == "many_to_many" and symbols and not info.causal
    return tags and channels.is_own(info.experiment)


def template(info: RunInfo) -> go.Figure:
    """A bar per tag, the most common one above, and a stroke for the simple answer."""
    rows = min(MOST, len(info.output_labels))
    names = [theme.escaped(label, MAX_LETTERS) for label in info.output_labels[:rows]]
    places, empty = np.arange(rows), np.zeros(rows, np.float32)
    hover = "%{customdata}: %{x:.1%}<extra>%{fullData.name}</extra>"
    traces = TRACES.in_order(
        network=go.Bar(
            orientation="h", x=empty, y=places, customdata=names, name="the network", hovertemplate=hover,
            marker={"color": theme.GREY, "line": {"width": 0}},
        ),
        usual=go.Scatter(
            x=empty, y=places, customdata=names, name=USUAL, mode="markers", hovertemplate=hover,
            marker={"symbol": "line-ns", "size": 13, "color": theme.INK, "line": {"width": 2.4, "color": theme.INK}},
        ),
    )  # fmt: skip
    return theme.figure(
        *traces,
        height=HEIGHT + ROW * rows,
        revision="tags",
        margin={"l": 96, "r": 14, "t": 44, "b": 26},
        xaxis={"range": [0, 1.02], "tickformat": ".0%", "nticks": 5},
        yaxis={"tickvals": places, "ticktext": names, "range": [rows - 0.4, -0.6]},
        bargap=0.3,
        showlegend=True,
    )


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Patch the bars of this frame; {} for a frame without this reading."""
    if frame.tags is None:
        return {}
    shown = _most_common(frame.tags)
    names = [theme.escaped(info.output_labels[tag], MAX_LETTERS) for tag in shown]
    words = [f"{name}, {count(int(frame.tags.words[tag]), 'word')}" for name, tag in zip(names, shown, strict=True)]
    changed: Patch = {"layout.yaxis.ticktext": names}
    for trace, shares in (("network", frame.tags.network), ("usual", frame.tags.usual)):
        changed[TRACES.path(trace, "x")] = theme.float32(shares[shown])
        changed[TRACES.path(trace, "customdata")] = words
    return changed


def _most_common(tags: TagAccuracies) -> np.ndarray:
    """Return the numbers of the tags that are drawn, the most common of the held-out words first."""
    return np.argsort(-tags.words, kind="stable")[:MOST]


def readout(info: RunInfo, frame: Frame) -> str:
    """Return the tag with the lowest share, and that of the simple answer."""
    if frame.tags is None or not np.isfinite(frame.tags.network).any():
        return ""
    tag = int(np.nanargmin(frame.tags.network))
    own, usual = metrics([float(frame.tags.network[tag]), float(frame.tags.usual[tag])], percent=True)
    return f"lowest: {theme.escaped(info.output_labels[tag], MAX_LETTERS)} {own} · {USUAL}: {usual}"


FIGURE = LiveFigure(
    title=lambda info: "Accuracy by tag",
    look_for=lambda info: "A bar that ends left of its stroke: there each word's most common tag is right more often.",
    how=lambda info: (
        "The share of the held-out words with a tag to which the network gives it, in evaluation mode; sentences are "
        "read whole. If there are more than 50,000 held-out words, of evenly chosen sentences. The stroke: the same of "
        "the tag that each word mostly has in the trained part. engine/lens/tag_accuracies.py, read."
    ),
    label="For each tag the share of held-out words that get it, by the network and by each word's most common tag.",
    tab=LEARNING,
    over="training",
    template=template,
    patch=patch,
    readout=readout,
    applies=applies,
    requires="tags",
    slow=True,
)  # fmt: skip
