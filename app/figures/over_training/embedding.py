"""The learned embedding in two dimensions, one point per symbol."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import STATE, Curves, LiveFigure, Patch, Traces
from engine.frame import Frame, RunInfo

MAX_LABELS = 45
HEIGHT = 200  # pixels
LETTER, LINE, POINT = 7, 13, 8  # pixels: width of a letter, height of a name, width of a diamond
BASE = 1.2  # the axes end at a power of this, so that they rarely change while the symbols move
TRACES = Traces("other", "read")


def template(info: RunInfo) -> go.Figure:
    """Points with their names above: the symbols of the sequence shown, drawn over all others."""
    styles = {
        "other": ("not in the sequence shown", {"size": 4, "color": theme.GHOST}, {"size": 11}),
        "read": (
            "in the sequence shown",
            {"size": 7, "color": theme.INK, "symbol": "diamond"},
            {"size": 12, "color": theme.INK, "weight": 600},
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
        margin={"l": 14, "r": 14, "t": 6, "b": 6} if _is_rotated(info) else {"l": 46, "r": 14, "t": 6, "b": 34},
        xaxis=_axis(info, "first number"),
        yaxis={**_axis(info, "second number"), "scaleanchor": "x"},  # equal scales on both axes
    )


def _is_rotated(info: RunInfo) -> bool:
    """Return True if the axes are not the embedding's own numbers, so that tick labels would have no meaning."""
    return info.experiment.embedding_size > 2


def _axis(info: RunInfo, title: str) -> dict:
    shown = {"range": [-3, 3], "showgrid": False, "zeroline": True, "zerolinecolor": theme.QUIET, "zerolinewidth": 1}
    if _is_rotated(info):
        return {**shown, "showticklabels": False, "ticks": "", "showline": False}
    return {**shown, "nticks": 6, "title": {"text": title, "standoff": 4, "font": {"size": 12}}}


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Patch the position of every symbol, and the names that have room."""
    assert frame.embedding is not None
    reach, names = (
        _reach(frame.embedding),
        [theme.escaped(label) for label in info.input_labels],
    )
    read, named = _read(info, frame), _named(info, frame, reach)
    changed: Patch = {"layout.xaxis.range": [-reach, reach], "layout.yaxis.range": [-reach, reach]}
    for trace, chosen in (("other", ~read), ("read", read)):
        symbols = np.flatnonzero(chosen)
        changed |= {
            TRACES.path(trace, "x"): theme.float32(frame.embedding[symbols, 0]),
            TRACES.path(trace, "y"): theme.float32(frame.embedding[symbols, 1]),
            TRACES.path(trace, "text"): [names[symbol] if named[symbol] else "" for symbol in symbols],
            TRACES.path(trace, "customdata"): [names[symbol] for symbol in symbols],
        }
    return changed


def _reach(positions: np.ndarray) -> float:
    """Return the limit of the axes: beyond every symbol, with room for its name."""
    furthest = float(np.abs(positions).max()) if np.isfinite(positions).all() else 0.0
    return float(BASE ** np.ceil(np.log(1.1 * furthest) / np.log(BASE))) if furthest else 1.0


def _read(info: RunInfo, frame: Frame) -> np.ndarray:
    """Return (symbols,) bool, the symbols of the sequence shown; for an encoder-decoder those of the source."""
    steps = slice(info.encoder_steps or None)
    tokens = frame.inputs[steps][frame.valid[steps]]
    is_read = np.zeros(len(info.input_labels), bool)
    is_read[tokens[tokens >= 0].astype(int)] = True
    return is_read


def _named(info: RunInfo, frame: Frame, reach: float) -> np.ndarray:
    """Return (symbols,) bool, the names that are drawn without overlap; those of the sequence shown come first."""
    assert frame.embedding is not None
    points, read = np.nan_to_num(frame.embedding) * HEIGHT / (2 * reach), _read(info, frame)  # pixels
    names = points + np.array([0, (POINT + LINE) / 2 + 1])  # above the point, clear of its own diamond
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
    """Return the share of the variance that the two dimensions show."""
    assert frame.embedding_share is not None
    size = info.experiment.embedding_size
    if size <= 2:
        return "both of its numbers" if size == 2 else "its one number, from left to right"
    if not np.isfinite(frame.embedding_share):
        return "its numbers are not finite"
    return f"two of {size} dimensions, which hold {frame.embedding_share:.0%} of the differences"


def _kind(info: RunInfo) -> str:
    """Return what the symbols are called: "word" if one has more than 3 letters, else "symbol"."""
    return "word" if max(map(len, info.input_labels)) > 3 else "symbol"


FIGURE = LiveFigure(
    title=lambda info: f"Where each {_kind(info)} lies",
    look_for=lambda info: (
        f"{_kind(info).capitalize()}s used alike move together. "
        f"Diamonds: the {_kind(info)}s of the sequence shown. Point at one to see its name."
    ),
    how=lambda info: (
        "The first two principal components of the learned vectors, rotated to lie as near as possible to those of "
        "the untrained network. engine/lens/embedding_map.py."
    ),
    label="Map of the learned embedding, one point per symbol",
    tab=STATE,
    over="training",
    applies=lambda info: info.experiment.embedding_size > 0,
    template=template,
    patch=patch,
    readout=readout,
)
