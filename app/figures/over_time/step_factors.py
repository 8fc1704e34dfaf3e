"""Who shrank it: what each step back in time does to the gradient of the last loss, taken apart."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import log_scale, theme
from app.figures.base import Curves, LiveFigure, Patch
from engine.frame import Frame, RunInfo
from engine.number_format import share, short

REACHES = (1.5, 3.0, 10.0, 100.0, 1e4, 1e6)
DEPTHS = (0.5, *REACHES)
FLAT = 0.02  # a part so little below 0 asks for no axis there
BEYOND = 10  # lines may leave the axis, but not by more than this many of its lengths
PATHS = {
    "kept": theme.KEEP,
    "candidate": theme.CANDIDATE,
    "gates": theme.BESIDE,
    "other roads": theme.BESIDE,
}
MAX_MARKERS = 60  # more steps than this are lines alone


def template(info: RunInfo) -> go.Figure:
    """Plain cell: three lines. Gated cell: a bar for each path, as high together as the factor, and the factor."""
    empty, steps = np.full(info.time_steps, np.nan, np.float32), np.arange(info.time_steps)
    paths = paths_of(info)
    bars = [
        go.Bar(x=steps, y=empty, name=path, marker={"color": PATHS[path], "line": {"width": 0}}, hoverinfo="skip")
        for path in paths
    ]
    lines = [] if paths else [_line(info, "weights", theme.WEIGHTS, "dash"), _line(info, "slope", theme.BESIDE, "dot")]
    for line in lines:
        line.update(hoverinfo="skip")
    factor = _line(info, "factor", theme.TOTAL, "solid", 2.2)
    factor.update(customdata=np.stack([empty] * (2 + max(2, len(paths))), 1), hovertemplate=_hover(paths))
    zero = log_scale.marks(steps)["zero"]
    return theme.figure(
        *bars, *lines, factor, zero,
        height=176,
        revision=f"time-{info.time_steps}",
        margin={**theme.TIME_MARGIN, "t": 24, "b": 22},
        xaxis=theme.time_axis(info.time_steps),
        yaxis={"range": [0, REACHES[0]], "nticks": 5, "title": {"text": "× per step", "standoff": 6,
                                                               "font": {"size": 12}}},
        barmode="relative",
        bargap=0.18,
        hovermode="x unified",
        shapes=[_level(1), *theme.marks_in_time(info)],
        showlegend=True,
        legend={"traceorder": "normal"},
    )  # fmt: skip


def paths_of(info: RunInfo) -> tuple[str, ...]:
    """The paths that a gradient has back in time besides each other; none in a plain cell, which has one."""
    if info.memory_symbol == "c":
        return "kept", "other roads"
    return ("kept", "candidate", "gates") if info.gates else ()


def _line(info: RunInfo, name: str, colour: str, dash: str, width: float = 1.6) -> go.Scatter:
    steps = info.time_steps
    return go.Scatter(
        x=np.arange(steps), y=np.full(steps, np.nan, np.float32), name=name,
        mode="lines+markers" if steps <= MAX_MARKERS else "lines",
        line={"color": colour, "dash": dash, "width": width},
        marker={"size": 4, "color": colour, "symbol": {"dash": "square", "dot": "diamond"}.get(dash, "circle")},
    )  # fmt: skip


def _level(y: float) -> dict:
    """Nothing is lost here."""
    line = {"width": 1, "color": theme.GHOST}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line, "layer": "below"}


def _hover(paths: tuple[str, ...]) -> str:
    label = "to t = %{customdata[0]:d}: × %{customdata[1]:.3~g}"
    if paths:
        parts = [f"%{{customdata[{place}]:.0%}} {path}" for place, path in enumerate(paths, start=2)]
        return f"{label}, {', '.join(parts)}<extra></extra>"
    return label + " = %{customdata[2]:.3~g} (weights) × %{customdata[3]:.3~g} (slope)<extra></extra>"


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """The factor of every step back, its parts, and an axis that holds nearly all of them."""
    factor, parts = _top(frame.factors.factor), _parts(info, frame)
    paths = paths_of(info)
    drawn = np.array([part * factor for part in parts]) if paths else np.array(parts)
    low, top = _range(factor, drawn, stacked=bool(paths))
    before = np.concatenate([[np.nan], np.flatnonzero(frame.valid)[:-1]])  # of every real step
    positions = np.full(len(factor), np.nan)
    positions[frame.valid] = before
    changed: Patch = {f"data.{index}.y": _held(values, top) for index, values in enumerate(drawn)}
    index, zero = len(drawn), factor == 0
    changed |= {
        f"data.{index}.y": _held(np.where(zero, np.nan, factor), top),
        f"data.{index}.customdata": theme.f4(np.stack([positions, factor, *parts], 1)),
        f"data.{index + 1}.y": theme.f4(np.where(zero, 0.02 * top, np.nan)),
        f"data.{index + 1}.customdata": ["exactly 0: nothing goes further back" if is_zero else "" for is_zero in zero],
        f"data.{index + 1}.showlegend": bool(zero.any()),
    }
    return changed | {"layout.yaxis.range": [low, top]}


def _top(values: np.ndarray) -> np.ndarray:
    """(T,): the top layer, reading forwards."""
    return values[-1, 0]


def _parts(info: RunInfo, frame: Frame) -> list[np.ndarray]:
    """The shares of the paths; of a plain cell the two factors."""
    factors = frame.factors
    if paths := paths_of(info):
        return [_top(factors.shares[path]) for path in paths]
    assert factors.weights is not None and factors.slope is not None
    return [_top(factors.weights), _top(factors.slope)]


def _held(values: np.ndarray, top: float) -> np.ndarray:
    """float32, without what no axis can place."""
    return theme.f4(np.clip(values, -BEYOND * top, BEYOND * top))


def _range(factor: np.ndarray, drawn: np.ndarray, *, stacked: bool) -> tuple[float, float]:
    """The smallest of the fixed axes that holds 98 % of the steps: a single wild one does not flatten all others."""
    with np.errstate(invalid="ignore"):  # infinity times 0
        heights = [np.maximum(drawn, 0).sum(0), factor] if stacked else [*drawn, factor]
        below = -np.minimum(drawn, 0).sum(0) if stacked else np.zeros(0)
    depth = _reach(below)
    return -_next(DEPTHS, depth) if depth > FLAT else 0.0, _next(REACHES, _reach(np.concatenate(heights)))


def _reach(values: np.ndarray) -> float:
    seen = values[np.isfinite(values)]
    return float(np.quantile(seen, 0.98)) if len(seen) else 0.0


def _next(steps: tuple[float, ...], reach: float) -> float:
    """The smallest that holds it, or the last."""
    return next((step for step in steps if reach <= step), steps[-1])


def readout(info: RunInfo, frame: Frame) -> str:
    """Geometric means over the path, whose product is the whole; and Pascanu's Omega."""
    factor = _top(frame.factors.factor)
    there = np.flatnonzero(factor > 0)  # nor where it is not defined
    cut = int((factor == 0).sum())
    if np.isinf(factor).any() or (np.isnan(factor).all() and not np.isfinite(frame.sequence_grad_norm_last).all()):
        return "not finite"
    parts = [f"nothing passes t = {int(np.flatnonzero(factor == 0)[-1])}"] if cut else []
    if len(there):
        parts.insert(0, _means(info, factor[there], [part[there] for part in _parts(info, frame)]))
    if parts:
        parts.append(f"Ω {short(float(frame.factors.omega[-1, 0]))}")
    return " · ".join(parts) or "no step back to take apart"


def _means(info: RunInfo, factor: np.ndarray, parts: list[np.ndarray]) -> str:
    """Where a factor is above 0, its parts are finite and, of a plain cell, above 0."""
    whole = f"per step × {short(_geometric(factor))}"
    if paths_of(info):
        return f"{whole} · {share(float(parts[0].mean()))} kept"
    weights, slope = (short(_geometric(part)) for part in parts)
    return f"{whole} = {weights} (weights) × {slope} (slope)"


def _geometric(values: np.ndarray) -> float:
    return float(np.exp(np.log(values).mean()))


def _look_for(info: RunInfo) -> str:
    if paths_of(info):
        return "Height: what one step back leaves of the gradient. Colours: by which path. At 1 nothing is lost."
    return (
        "Each step back multiplies the gradient, by the weights and by the slope of the activation. Below 1 it shrinks."
    )


def _how(info: RunInfo) -> str:
    state = f"dL/d{info.memory_symbol}"
    first = f"‖{state}‖ that arrives at the step before t, divided by ‖{state}‖ at t; the drawn sequence's last loss. "
    omega = "Ω (Pascanu) adds up (factor − 1)² over the steps. engine/lens/step_factors.py, step_factors."
    if paths_of(info):
        return first + "A path's part is its share ⟨part, whole⟩ / ‖whole‖²; one may pull against the others. " + omega
    return first + "Slope: ‖φ′ · dL/dh‖ / ‖dL/dh‖; weights: what W_hh makes of the rest. " + omega


FIGURE = LiveFigure(
    title=lambda info: "Who shrank it" + theme.of_top(info),
    look_for=_look_for,
    how=_how,
    label="What each step back in time multiplies the gradient by, and the parts of this factor",
    over="time",
    applies=lambda info: info.has_links and info.time_steps > 1,
    template=template,
    patch=patch,
    readout=readout,
)
