"""Curves on a logarithmic scale as inline SVG: the gradient by the distance from where the loss enters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from engine.number_format import power_of_ten, short

GRADIENT = "#d6409f"  # magenta stands for the gradient everywhere; this one is readable on white and on black
WIDTH, HEIGHT = 560, 170
LEFT, RIGHT, TOP, BOTTOM = 48, 120, 8, 30
LEAST_DECADES, TICKS = 2, 5

Curve = tuple[str, Sequence[float]]


def log_plot(curves: Sequence[Curve]) -> str:
    """Draw curves.

    Args:
        curves: (name, norms by distance). Layers differ in strength, and a direction "backwards" is dashed. A number
            that is 0, or none, is a gap.
    """
    highest, lowest = _decades(curves)
    furthest = max(1, *(len(norms) - 1 for _, norms in curves))
    lines = [*_axes(highest, lowest, furthest)]
    ends: list[tuple[float, str]] = []
    for number, (name, norms) in enumerate(curves):
        strength = 1 - 0.45 * number / max(1, len(curves) - 1)
        dash = ' stroke-dasharray="4 3"' if name.endswith("backwards") else ""
        points = list(_points(norms, highest, lowest, furthest))
        for part in _unbroken(points):
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in part)
            lines.append(f'<polyline points="{path}" fill="none" stroke="{GRADIENT}" stroke-width="2" '
                         f'stroke-opacity="{strength:.2f}"{dash}/>')  # fmt: skip
        last = next((point for point in reversed(points) if point is not None), None)
        if last is not None and name:
            ends.append((last[1], name))
    lines += _names(ends)
    title = "; ".join(
        f"{name or 'gradient'}: {short(norms[0])} to {short(norms[-1])}" for name, norms in curves if norms
    )
    return (
        f'<svg role="img" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'style="max-width:100%;height:auto" font-size="11" font-family="sans-serif" fill="currentColor">'
        f"<title>{escape(title)}</title>{''.join(lines)}</svg>"
    )


def _decades(curves: Sequence[Curve]) -> tuple[int, int]:
    """The highest and the lowest power of ten that is shown."""
    logs = [math.log10(norm) for _, norms in curves for norm in norms if 0 < norm < math.inf] or [0.0]
    highest = math.ceil(max(logs) + 1e-9)
    return highest, min(math.floor(min(logs)), highest - LEAST_DECADES)


def _points(norms: Sequence[float], highest: int, lowest: int, furthest: int) -> Iterator[tuple[float, float] | None]:
    for distance, norm in enumerate(norms):
        if not 0 < norm < math.inf:
            yield None
            continue
        yield _x(distance, furthest), _y(math.log10(norm), highest, lowest)


def _unbroken(points: Sequence[tuple[float, float] | None]) -> Iterator[list[tuple[float, float]]]:
    """The parts between gaps. A lone point becomes a short line."""
    part: list[tuple[float, float]] = []
    for point in [*points, None]:
        if point is not None:
            part.append(point)
        elif part:
            yield part if len(part) > 1 else [part[0], (part[0][0] + 2, part[0][1])]
            part = []


def _x(distance: float, furthest: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * distance / furthest


def _y(log: float, highest: int, lowest: int) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (highest - log) / (highest - lowest)


def _axes(highest: int, lowest: int, furthest: int) -> Iterator[str]:
    every = max(1, math.ceil((highest - lowest) / TICKS))
    for exponent in range(highest, lowest - 1, -every):
        y = _y(exponent, highest, lowest)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor" opacity=".15"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{power_of_ten(exponent)}</text>'
    bottom = HEIGHT - BOTTOM + 14
    yield f'<text x="{LEFT}" y="{bottom}" text-anchor="middle">0</text>'
    yield f'<text x="{WIDTH - RIGHT}" y="{bottom}" text-anchor="middle">{furthest}</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield f'<text x="{middle}" y="{bottom + 8}" text-anchor="middle" opacity=".65">steps back</text>'


def _names(ends: Sequence[tuple[float, str]]) -> Iterator[str]:
    """The names at the ends of their curves, moved apart where they would lie on one another."""
    below = -math.inf
    for y, name in sorted(ends):
        below = max(y + 4, below + 13)
        yield f'<text x="{WIDTH - RIGHT + 8}" y="{below:.1f}">{escape(name)}</text>'
