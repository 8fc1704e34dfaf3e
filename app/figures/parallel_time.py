"""A linear recurrence as a loop and as a scan: steps that wait for one another, and milliseconds, over the length."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from app.figures import theme

HEIGHT = 230
STYLES = {"loop": (theme.NEUTRALS[1], "solid", "circle"), "scan": (theme.NEUTRALS[0], "dash", "square")}
"""Colour, dash and marker of each way."""
AIR = 0.28  # decades above the highest point and below the lowest, for their numbers
CLOSE = 0.12  # of the axis: names nearer to each other than this are moved apart


def panel(
    lengths: Sequence[int], loop: Sequence[float], scan: Sequence[float], *, unit: str, decades: tuple[float, float]
) -> go.Figure:
    """Draw one quantity of both ways over the sequence length, on log axes, with numbers and names beside the lines.

    Args:
        lengths: the numbers of time steps on the axis; values may be given for the first of them alone.
        loop, scan: one positive value for each length.
        unit: the title of the y axis.
        decades: the limits of the y axis as exponents of 10, from `limits`; equal in panels that are to be compared.
    """
    ways = {"loop": list(loop), "scan": list(scan)}
    upper = {
        way: [value >= other for value, other in zip(values, others, strict=True)]
        for (way, values), others in zip(ways.items(), reversed(ways.values()), strict=True)
    }
    drawn = theme.figure(
        *(_line(way, lengths, values, upper[way]) for way, values in ways.items()),
        height=HEIGHT,
        revision="parallel-time",
        margin={"l": 52, "r": 40, "t": 8, "b": 38},
    )
    low, high = (math.log10(length) for length in (lengths[0], lengths[-1]))
    drawn.update_xaxes(
        type="log", range=[low - 0.2, high + 0.25], tickvals=list(lengths), ticktext=[f"{n:,}" for n in lengths],
        title={"text": "time steps T", "standoff": 6}, fixedrange=True,
    )  # fmt: skip
    drawn.update_yaxes(
        type="log", range=[decades[0] - AIR, decades[1] + AIR], tickfont={"size": 11}, fixedrange=True,
        tickvals=[10.0**n for n in range(math.ceil(decades[0] - AIR), math.floor(decades[1] + AIR) + 1)],
        ticktext=[f"{10.0**n:,g}" for n in range(math.ceil(decades[0] - AIR), math.floor(decades[1] + AIR) + 1)],
        title={"text": unit, "standoff": 6},
    )  # fmt: skip
    _name(drawn, ways, lengths, decades)
    return drawn


def limits(*values: Sequence[float]) -> tuple[float, float]:
    """Return the smallest and the largest exponent of 10 of all these positive values."""
    exponents = [math.log10(value) for each in values for value in each]
    return min(exponents), max(exponents)


def _line(way: str, lengths: Sequence[int], values: list[float], upper: list[bool]) -> go.Scatter:
    """Return the line of one way; each number stands on the side away from the other line."""
    colour, dash, symbol = STYLES[way]
    return go.Scatter(
        x=list(lengths[: len(values)]), y=values, name=way, mode="lines+markers+text", cliponaxis=False,
        line={"color": colour, "width": 2, "dash": dash}, marker={"color": colour, "symbol": symbol, "size": 7},
        text=[_number(value) for value in values], textfont={"size": 11},
        textposition=["top center" if above else "bottom center" for above in upper],
        hovertemplate=f"{way}, T = %{{x:,d}}: %{{text}}<extra></extra>",
    )  # fmt: skip


def _name(drawn: go.Figure, ways: dict[str, list[float]], lengths: Sequence[int], decades: tuple[float, float]) -> None:
    """Write each line's name to the right of its last point; names of close points are moved apart."""
    last = {way: math.log10(values[-1]) for way, values in ways.items()}
    gap = abs(last["loop"] - last["scan"]) / (decades[1] - decades[0] + 2 * AIR)
    highest = max(last, key=last.__getitem__)
    for way, exponent in last.items():
        shift = 8 * (1 if way == highest else -1) if gap < CLOSE else 0
        drawn.add_annotation(
            x=math.log10(lengths[len(ways[way]) - 1]), y=exponent, text=way, showarrow=False, xanchor="left",
            xshift=9, yshift=shift, font={"size": 12, "color": STYLES[way][0]},
        )  # fmt: skip


def _number(value: float) -> str:
    """Return a value with about two digits, and a whole number as it is."""
    if value == round(value) or value >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"
