"""Values on a log scale with fixed limits: the colours of a heat map, and marks for values outside a log axis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import Patch
from engine.number_format import short

FLOOR, TOP, WIDE = (10.0**decade for decade in (theme.FLOOR_DECADE, theme.TOP_DECADE, theme.WIDE_DECADE))
AT_FLOOR, AT_TOP = FLOOR * 10**-0.45, WIDE * 10**0.25  # heights of the marks for values outside the axis
MAX_DECADE = 308.0  # the largest exponent of a float64; infinity is drawn there
MAX_CELLS = 20_000  # of a heat map, so that it is sent and drawn quickly
MARKS = ("below", "zero", "above")  # values below the axis, exactly 0, above the axis
NORM = "10<sup>%{z:.1f}</sup>"  # in a heat map's hover text


def heat_map(rows: int, columns: int, low: int, high: int, hover: str) -> go.Heatmap:
    """Return an empty heat map of logarithms from `low` to `high`; NaN is a gap."""
    return go.Heatmap(
        z=np.full((rows, columns), np.nan, np.float32), zmin=low, zmax=high, zauto=False, showscale=False,
        meta="decades", colorscale=theme.DECADES["light"], hoverongaps=False, hovertemplate=hover + "<extra></extra>",
    )  # fmt: skip


def logarithms(norms: np.ndarray) -> np.ndarray:
    """Return log10 as float32; NaN for exactly 0 and for NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        exponents = np.log10(np.asarray(norms, np.float64))
    return np.where(np.isneginf(exponents), np.nan, np.minimum(exponents, MAX_DECADE)).astype(np.float32)


def drawn_rows(rows: int, columns: int) -> np.ndarray:
    """Choose the rows to draw: all, or evenly spaced ones within MAX_CELLS, always with the first and the last."""
    most = max(2, MAX_CELLS // columns)
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).round().astype(int))


def marks(x: np.ndarray) -> dict[str, go.Scatter]:
    """Return three traces, named as in MARKS, for values that a log axis cannot show."""
    styles = (("below the axis", "triangle-down"), ("exactly 0", "x-thin"), ("above the axis", "triangle-up"))
    return {
        key: go.Scatter(
            x=x, y=np.full(len(x), np.nan, np.float32), customdata=[""] * len(x), name=name, mode="markers",
            marker={"symbol": symbol, "color": theme.ALARM, "size": 7,
                    "line": {"width": 1.6 if symbol == "x-thin" else 0, "color": theme.ALARM}},
            hovertemplate="%{customdata}<extra></extra>", showlegend=False,
        )
        for key, (name, symbol) in zip(MARKS, styles, strict=True)
    }  # fmt: skip


def inside(values: np.ndarray) -> np.ndarray:
    """Return float32 for a log axis: NaN where a mark is drawn instead."""
    return theme.float32(np.where((values >= FLOOR) & (values <= WIDE), values, np.nan))


def outside(first: int, values: np.ndarray, there: np.ndarray | None = None, zero: str = "exactly 0") -> Patch:
    """Return the patch of the traces of `marks` and of the y axis, which is wide if a value needs it.

    Args:
        first: position of the first of these traces in the figure.
        values: (n,) what is drawn.
        there: (n,) bool, where a value is defined: a NaN there is marked above the axis, others are not drawn.
        zero: the text for exactly 0.
    """
    there = np.isfinite(values) | np.isposinf(values) if there is None else there
    below, above = (values > 0) & (values < FLOOR), there & ~(values <= WIDE)
    changed = _marked(first, values, below, AT_FLOOR, lambda value: f"{short(value)}, below the axis")
    changed |= _marked(first + 1, values, values == 0, AT_FLOOR, lambda value: zero)
    changed |= _marked(first + 2, values, above, AT_TOP, short)
    wide = bool((there & ~(values <= TOP)).any())
    return changed | {"layout.yaxis.range": limits(wide=wide), "layout.yaxis.dtick": 4 if wide else 2}


def _marked(
    trace: int, values: np.ndarray, where: np.ndarray, height: float, label: Callable[[float], str]
) -> Patch:  # fmt: skip
    """Patch one trace: marks at this height where `where` is True, in the legend if there are any."""
    return {
        f"data.{trace}.y": theme.float32(np.where(where, height, np.nan)),
        f"data.{trace}.customdata": [label(value) if here else "" for value, here in zip(values, where, strict=True)],
        f"data.{trace}.showlegend": bool(where.any()),
    }


def limits(*, wide: bool = False) -> list[float]:
    """Return the limits of the axis as exponents of 10, with room for the marks."""
    return [theme.FLOOR_DECADE - 0.8, (theme.WIDE_DECADE if wide else theme.TOP_DECADE) + 0.5]


def axis(title: str) -> dict:
    """Return the log axis of a gradient."""
    shown = theme.log_axis(theme.FLOOR_DECADE, theme.TOP_DECADE)
    return {**shown, "range": limits(), "title": {"text": title, "standoff": 2, "font": {"size": 12}}}
