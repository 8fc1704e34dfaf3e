"""Where each symbol lies: the learned embedding in two dimensions, every symbol at its place."""

from __future__ import annotations

import html

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import Curves, LiveFigure, Patch, Traces
from engine.frame import Frame, RunInfo

MAX_LABELS = 45
HEIGHT = 300  # pixels
LETTER, LINE, POINT = 7, 13, 8  # pixels: width of a letter, height of a name, width of a diamond
RUNG = 1.2  # the axes end at a power of this: seldom another one while the symbols move
TRACES = Traces("other", "read")


def template(info: RunInfo) -> go.Figure:
    """Two kinds of points with their names above: those of the sequence shown, over all others."""
    styles = {
        "other": ("not in the sequence shown", {"size": 4, "color": theme.GHOST}, {"size": 11}),
        "read": (
            "in the sequence shown",
            {"size": 7, "color": theme.TOTAL, "symbol": "diamond"},
            {"size": 12, "color": theme.TOTAL, "weight": 600},
        ),
    }
    traces = {
        key: go.Scatter(
            x=np.zeros(0, np.float32), y=np.zeros(0, np.float32), text=[], customdata=[], name=name, cliponaxis=False,
            mode="markers+text", textposition="top center", marker={**marker, "line": {"width": 0}}, textfont=font,
            hovertemplate="%{customdata}<extra></extra>",
        )
        for key, (name, marker, font) in styles.items()
    }  # fmt: skip
    return theme.figure(
        *TRACES.in_order(**traces),
        height=HEIGHT,
        revision=f"embedding-{info.experiment.embedding_size}",
        margin={"l": 14, "r": 14, "t": 6, "b": 6} if _turned(info) else {"l": 46, "r": 14, "t": 6, "b": 34},
        xaxis=_axis(info, "first number"),
        yaxis={**_axis(info, "second number"), "scaleanchor": "x"},  # a distance is as long in every direction
    )


def _turned(info: RunInfo) -> bool:
    """True where the axes are not the table's own, so that numbers along them would say nothing."""
    return info.experiment.embedding_size > 2


def _axis(info: RunInfo, title: str) -> dict:
    shown = {"range": [-3, 3], "showgrid": False, "zeroline": True, "zerolinecolor": theme.QUIET, "zerolinewidth": 1}
    if _turned(info):
        return {**shown, "showticklabels": False, "ticks": "", "showline": False}
    return {**shown, "nticks": 6, "title": {"text": title, "standoff": 4, "font": {"size": 12}}}


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Every symbol at its place; names where there is room for them."""
    assert frame.embedding is not None
    reach, names = (
        _reach(frame.embedding),
        [html.escape(theme.symbol(label), quote=False) for label in info.input_labels],
    )
    read, named = _read(info, frame), _named(info, frame, reach)
    changed: Patch = {"layout.xaxis.range": [-reach, reach], "layout.yaxis.range": [-reach, reach]}
    for trace, chosen in (("other", ~read), ("read", read)):
        symbols = np.flatnonzero(chosen)
        changed |= {
            TRACES.path(trace, "x"): theme.f4(frame.embedding[symbols, 0]),
            TRACES.path(trace, "y"): theme.f4(frame.embedding[symbols, 1]),
            TRACES.path(trace, "text"): [names[symbol] if named[symbol] else "" for symbol in symbols],
            TRACES.path(trace, "customdata"): [names[symbol] for symbol in symbols],
        }
    return changed


def _reach(positions: np.ndarray) -> float:
    """Where the axes end: beyond every symbol, with room for its name."""
    furthest = float(np.abs(positions).max()) if np.isfinite(positions).all() else 0.0
    return float(RUNG ** np.ceil(np.log(1.1 * furthest) / np.log(RUNG))) if furthest else 1.0


def _read(info: RunInfo, frame: Frame) -> np.ndarray:
    """(symbols,) bool: those of the sequence shown; of an encoder-decoder's, the source."""
    steps = slice(info.encoder_steps or None)
    tokens = frame.inputs[steps][frame.valid[steps]]
    is_read = np.zeros(len(info.input_labels), bool)
    is_read[tokens[tokens >= 0].astype(int)] = True
    return is_read


def _named(info: RunInfo, frame: Frame, reach: float) -> np.ndarray:
    """(symbols,) bool: which names are drawn, those of the sequence shown first; none over another or a diamond."""
    assert frame.embedding is not None
    points, read = np.nan_to_num(frame.embedding) * HEIGHT / (2 * reach), _read(info, frame)  # pixels
    names = points + np.array([0, (POINT + LINE) / 2 + 1])  # they stand above, and never on their own diamond
    sizes = np.array([[LETTER * len(theme.symbol(label)), LINE] for label in info.input_labels])
    centres, extents = list(points[read]), [np.array([POINT, POINT])] * read.sum()
    named = np.zeros(len(points), bool)
    for symbol in np.argsort(~read, kind="stable"):
        apart = np.abs(np.array(centres).reshape(-1, 2) - names[symbol])
        room = (np.array(extents).reshape(-1, 2) + sizes[symbol]) / 2
        if (apart >= room).any(1).all() and named.sum() < MAX_LABELS:
            named[symbol] = True
            centres.append(names[symbol])
            extents.append(sizes[symbol])
    return named


def readout(info: RunInfo, frame: Frame) -> str:
    """How much of the whole the two dimensions show."""
    assert frame.embedding_share is not None
    size = info.experiment.embedding_size
    if size <= 2:
        return "both of its numbers" if size == 2 else "its one number, from left to right"
    if not np.isfinite(frame.embedding_share):
        return "its numbers are not finite"
    return f"two of {size} dimensions, which hold {frame.embedding_share:.0%} of the differences"


def _kind(info: RunInfo) -> str:
    """What the symbols are called: words where one is longer than a note's name."""
    return "word" if max(map(len, info.input_labels)) > 3 else "symbol"


FIGURE = LiveFigure(
    title=lambda info: f"Where each {_kind(info)} lies",
    look_for=lambda info: (
        f"{_kind(info).capitalize()}s used alike move together. "
        f"Blue diamonds: the {_kind(info)}s of the sequence shown. Others without a name tell it under the mouse."
    ),
    how=lambda info: (
        "The two directions in which the learned vectors differ most (principal components), turned so that they "
        "lie as near as possible to those of the untrained network. engine/lens/embedding_map.py."
    ),
    label="Map of the learned embedding, one point per symbol",
    over="training",
    applies=lambda info: info.experiment.embedding_size > 0,
    template=template,
    patch=patch,
    readout=readout,
)
