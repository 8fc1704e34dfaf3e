"""Numbers on fixed decades: as the colours of a heat map, and as marks with words where one leaves a log axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import Patch
from engine.number_format import share as share  # tests of the figures take it from here
from engine.number_format import short

FLOOR, TOP, WIDE = (10.0**decade for decade in (theme.FLOOR_DECADE, theme.TOP_DECADE, theme.WIDE_DECADE))
AT_FLOOR, AT_TOP = FLOOR * 10**-0.45, WIDE * 10**0.25  # where a mark stands for what lies outside
HIGHEST = 308.0  # the decade at which a float64 ends; infinity is drawn there
MAX_CELLS = 20_000  # of a heat map, so that one is quickly sent and drawn
MARKS = ("below", "zero", "above")  # what lies below the axis, is exactly 0, lies above it
NORM = "10<sup>%{z:.1f}</sup>"  # in a heat map's hover text


def heat_map(rows: int, columns: int, low: int, high: int, hover: str) -> go.Heatmap:
    """One whose numbers are logarithms; NaN is a gap."""
    return go.Heatmap(
        z=np.full((rows, columns), np.nan, np.float32), zmin=low, zmax=high, zauto=False, showscale=False,
        meta="decades", colorscale=theme.DECADES["light"], hoverongaps=False, hovertemplate=hover + "<extra></extra>",
    )  # fmt: skip


def logarithms(norms: np.ndarray) -> np.ndarray:
    """log10 as float32; NaN for exactly 0 and for what is not a number."""
    with np.errstate(divide="ignore", invalid="ignore"):
        exponents = np.log10(np.asarray(norms, np.float64))
    return np.where(np.isneginf(exponents), np.nan, np.minimum(exponents, HIGHEST)).astype(np.float32)


def some(rows: int, columns: int) -> np.ndarray:
    """Which rows are drawn: all, or evenly chosen ones so that there are not too many cells; first and last always."""
    most = max(2, MAX_CELLS // columns)
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).round().astype(int))


def marks(x: np.ndarray) -> dict[str, go.Scatter]:
    """Three traces, by the names of MARKS, for what has no height on a log axis: below it, exactly 0, above it."""
    styles = (("below the axis", "triangle-down"), ("exactly 0", "x-thin"), ("above the axis", "triangle-up"))
    return {
        key: go.Scatter(
            x=x, y=np.full(len(x), np.nan, np.float32), customdata=[""] * len(x), name=name, mode="markers",
            marker={"symbol": symbol, "color": theme.WRONG, "size": 7,
                    "line": {"width": 1.6 if symbol == "x-thin" else 0, "color": theme.WRONG}},
            hovertemplate="%{customdata}<extra></extra>", showlegend=False,
        )
        for key, (name, symbol) in zip(MARKS, styles, strict=True)
    }  # fmt: skip


def inside(values: np.ndarray) -> np.ndarray:
    """float32 for a log axis: NaN where a mark stands instead."""
    return theme.f4(np.where((values >= FLOOR) & (values <= WIDE), values, np.nan))


def outside(first: int, values: np.ndarray, there: np.ndarray | None = None, zero: str = "exactly 0") -> Patch:
    """Patch of the traces of `marks`, which begin at number `first`, and of the axis: wide where a number needs it.

    Args:
        there: bool, where something is defined: what is not a number stands above the axis there, and nowhere else.
        zero: the words for exactly 0.
    """
    there = np.isfinite(values) | np.isposinf(values) if there is None else there
    below, above = (values > 0) & (values < FLOOR), there & ~(values <= WIDE)
    words = [f"{short(value)}, below the axis" for value in values]
    changed = _marked(first, below, AT_FLOOR, words)
    changed |= _marked(first + 1, values == 0, AT_FLOOR, [zero] * len(values))
    changed |= _marked(first + 2, above, AT_TOP, [short(value) for value in values])
    wide = bool((there & ~(values <= TOP)).any())
    return changed | {"layout.yaxis.range": limits(wide=wide), "layout.yaxis.dtick": 4 if wide else 2}


def _marked(trace: int, where: np.ndarray, height: float, words: Sequence[str]) -> Patch:
    return {
        f"data.{trace}.y": theme.f4(np.where(where, height, np.nan)),
        f"data.{trace}.customdata": [word if here else "" for word, here in zip(words, where, strict=True)],
        f"data.{trace}.showlegend": bool(where.any()),
    }


def limits(*, wide: bool = False) -> list[float]:
    """Ends of the axis, with room for the marks."""
    return [theme.FLOOR_DECADE - 0.8, (theme.WIDE_DECADE if wide else theme.TOP_DECADE) + 0.5]


def axis(title: str) -> dict:
    """The log axis of a gradient."""
    shown = theme.log_axis(theme.FLOOR_DECADE, theme.TOP_DECADE)
    return {**shown, "range": limits(), "title": {"text": title, "standoff": 2, "font": {"size": 12}}}
