"""The factor of each step back in time in the gradient of the last loss, and its parts."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import log_scale, recurrent_weights, theme
from app.figures.base import GRADIENT, ChainFigure, Curves, Patch, Traces
from engine.frame import Chain, Look
from engine.number_format import share, short

TOPS = (1.5, 3.0, 10.0, 100.0, 1e4, 1e6)  # upper limits of the axis
DEPTHS = (0.5, *TOPS)  # lower limits, as distances below 0
MIN_DEPTH = 0.02  # negative parts smaller than this do not lower the axis
MAX_OVERSHOOT = 10  # values beyond this many times the axis are clipped
PATHS = {  # the columns of a recording: label, colour
    "kept": ("kept", theme.KEEP),
    "candidate": ("candidate", theme.CANDIDATE),
    "gates": ("gates", theme.GREY),
    "other roads": ("other paths", theme.GREY),
}
NORMALISED = {"gain_hh": "W_hh h", "gain_c": "c"}
"""What a layer normalisation stands around, by the name of its gain."""
MAX_MARKERS = 60  # with more steps, lines have no markers


def template(info: Chain) -> go.Figure:
    """Plain cell: three lines. Gated cell: a stacked bar with one part per path, and the factor as a line."""
    empty, steps = np.full(info.time_steps, np.nan, np.float32), np.arange(info.time_steps)
    paths = paths_of(info)
    parts: dict[str, go.Bar | go.Scatter] = {
        path: go.Bar(
            x=steps, y=empty, name=path_label(path), marker={"color": _path_style(path)[1], "line": {"width": 0}}
        )
        for path in paths
    }
    if not paths:
        parts["weights"] = _line(info, "weights", theme.W_HH, "dash")
        parts["slope"] = _line(info, "slope", theme.GREY, "dot")
    for trace in parts.values():
        trace.update(hoverinfo="skip")
    factor = _line(info, "factor", theme.GRADIENT, "solid", 2.2)
    factor.update(customdata=np.stack([empty] * (2 + len(_part_names(info))), 1), hovertemplate=_hover(paths))
    zero = log_scale.marks(steps)["zero"]
    return theme.figure(
        *_traces(info).in_order(**parts, factor=factor, zero=zero),
        height=176,
        revision=f"time-{info.time_steps}",
        margin={**theme.TIME_MARGIN, "t": 24, "b": 22},
        xaxis=theme.time_axis(info.time_steps, names=info.step_names),
        yaxis={"range": [0, TOPS[0]], "nticks": 5, "title": {"text": "× per step", "standoff": 6,
                                                               "font": {"size": 12}}},
        barmode="relative",
        bargap=0.18,
        hovermode="x unified",
        shapes=[_level(1), *theme.marks_in_time(info)],
        showlegend=True,
        legend={"traceorder": "normal"},
    )  # fmt: skip


def paths_of(info: Chain) -> tuple[str, ...]:
    """Return the parallel paths of the gradient through one step, as columns of `shares`; () for a plain cell."""
    cell = info.cell_kind
    if cell.has_cell_state:
        return "kept", "other roads"
    if cell.is_plain:
        return ()
    return (*(path for path in PATHS if path in cell.paths), *(path for path in cell.paths if path not in PATHS))


def path_label(path: str) -> str:
    """Return a path's name on the screen."""
    return _path_style(path)[0]


def _path_style(path: str) -> tuple[str, str]:
    """Return label and colour of a path; one that only a new cell has gets its own name."""
    return PATHS.get(path, (path.replace("_", " "), theme.NEUTRALS[1]))


def _part_names(info: Chain) -> tuple[str, ...]:
    """Return the names of the parts of a factor: its paths, or its two factors in a plain cell."""
    return paths_of(info) or ("weights", "slope")


def _traces(info: Chain) -> Traces:
    return Traces(*_part_names(info), "factor", "zero")


def _line(info: Chain, name: str, colour: str, dash: str, width: float = 1.6) -> go.Scatter:
    steps = info.time_steps
    return go.Scatter(
        x=np.arange(steps), y=np.full(steps, np.nan, np.float32), name=name,
        mode="lines+markers" if steps <= MAX_MARKERS else "lines",
        line={"color": colour, "dash": dash, "width": width},
        marker={"size": 4, "color": colour, "symbol": {"dash": "square", "dot": "diamond"}.get(dash, "circle")},
    )  # fmt: skip


def _level(y: float) -> dict:
    """Return a horizontal line at this height."""
    line = {"width": 1, "color": theme.GHOST}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line, "layer": "below"}


def _hover(paths: tuple[str, ...]) -> str:
    label = "to t = %{customdata[0]:d}: × %{customdata[1]:.3~g}"
    if paths:
        parts = [f"%{{customdata[{place}]:.0%}} {path_label(path)}" for place, path in enumerate(paths, start=2)]
        return f"{label}, {', '.join(parts)}<extra></extra>"
    return label + " = %{customdata[2]:.3~g} (weights) × %{customdata[3]:.3~g} (slope)<extra></extra>"


def patch(info: Chain, frame: Look, curves: Curves) -> Patch:
    """Patch the factor of every step back, its parts, and the axis, which holds 98 % of them."""
    factor, parts = frame.factors.factor[info.shown_chain], _parts(info, frame)
    paths = paths_of(info)
    drawn = np.array([part * factor for part in parts]) if paths else np.array(parts)
    low, top = _range(factor, drawn, stacked=bool(paths))
    previous = np.full(len(factor), np.nan)  # the real step before each real step
    previous[frame.valid] = np.concatenate([[np.nan], np.flatnonzero(frame.valid)[:-1]])
    traces, zero = _traces(info), factor == 0
    changed: Patch = {
        traces.path(name, "y"): _clipped(values, top) for name, values in zip(_part_names(info), drawn, strict=True)
    }
    return changed | {
        traces.path("factor", "y"): _clipped(np.where(zero, np.nan, factor), top),
        traces.path("factor", "customdata"): theme.float32(np.stack([previous, factor, *parts], 1)),
        traces.path("zero", "y"): theme.float32(np.where(zero, 0.02 * top, np.nan)),
        traces.path("zero", "customdata"): ["exactly 0: no gradient goes further back" if at else "" for at in zero],
        traces.path("zero", "showlegend"): bool(zero.any()),
        "layout.yaxis.range": [low, top],
    }


def _parts(info: Chain, frame: Look) -> list[np.ndarray]:
    """Return the shares of the paths; for a plain cell the two factors."""
    factors, chain = frame.factors, info.shown_chain
    if paths := paths_of(info):
        return [factors.shares[path][chain] for path in paths]
    assert factors.weights is not None and factors.slope is not None
    return [factors.weights[chain], factors.slope[chain]]


def _clipped(values: np.ndarray, top: float) -> np.ndarray:
    """Clip to float32 values that Plotly can draw."""
    return theme.float32(np.clip(values, -MAX_OVERSHOOT * top, MAX_OVERSHOOT * top))


def _range(factor: np.ndarray, drawn: np.ndarray, *, stacked: bool) -> tuple[float, float]:
    """Return the smallest of the fixed axes that holds 98 % of the steps, so that outliers do not flatten the rest."""
    with np.errstate(invalid="ignore"):  # infinity times 0
        heights = [np.maximum(drawn, 0).sum(0), factor] if stacked else [*drawn, factor]
        below = -np.minimum(drawn, 0).sum(0) if stacked else np.zeros(0)
    depth = _reach(below)
    top = _smallest_above(TOPS, _reach(np.concatenate(heights)))
    return -_smallest_above(DEPTHS, depth) if depth > MIN_DEPTH else 0.0, top


def _reach(values: np.ndarray) -> float:
    """Return the 98 % quantile of the finite values; 0 if there are none."""
    finite = values[np.isfinite(values)]
    return float(np.quantile(finite, 0.98)) if len(finite) else 0.0


def _smallest_above(limits: tuple[float, ...], reach: float) -> float:
    """Return the smallest limit that is at least `reach`, or the last."""
    return next((limit for limit in limits if reach <= limit), limits[-1])


def readout(info: Chain, frame: Look) -> str:
    """Return geometric means over the steps, and Pascanu's Omega."""
    factor = frame.factors.factor[info.shown_chain]
    positive = np.flatnonzero(factor > 0)  # False for NaN
    cut = int((factor == 0).sum())
    if np.isinf(factor).any() or (np.isnan(factor).all() and not np.isfinite(frame.sequence_grad_norm_last).all()):
        return "not finite"
    parts = [f"no gradient passes t = {int(np.flatnonzero(factor == 0)[-1])}"] if cut else []
    if len(positive):
        parts.insert(0, _means(info, factor[positive], [part[positive] for part in _parts(info, frame)]))
    parts += _normalisations(info, frame)
    if parts:
        parts.append(f"Ω {short(float(frame.factors.omega[info.shown_chain]))}")
    return " · ".join(parts) or "no step back"


def _means(info: Chain, factor: np.ndarray, parts: list[np.ndarray]) -> str:
    """Return the means of factors above 0: their parts are then finite and, for a plain cell, above 0."""
    mean = f"per step × {short(_geometric(factor))}"
    if paths := paths_of(info):
        return f"{mean} · {share(float(parts[0].mean()))} kept" if len(paths) > 1 else mean
    weights, slope = (short(_geometric(part)) for part in parts)
    return f"{mean} = {weights} (weights) × {slope} (slope)"


def _normalisations(info: Chain, frame: Look) -> list[str]:
    """Return by what each layer normalisation multiplies the gradient that goes back through it, on average."""
    found = {gain: values[info.shown_chain] for gain, values in frame.factors.normalisations.items()}
    means = {gain: values[np.isfinite(values) & (values > 0)] for gain, values in found.items()}
    said = [
        f"× {short(_geometric(values))} ({NORMALISED.get(gain, gain)})" for gain, values in means.items() if len(values)
    ]
    return [f"layer norm {', '.join(said)}"] if said else []


def _geometric(values: np.ndarray) -> float:
    return float(np.exp(np.log(values).mean()))


def _look_for(info: Chain) -> str:
    if len(paths := paths_of(info)) > 1:
        return "Height: the factor of one step back. Colours: its parts by path. At 1 nothing is lost."
    if paths:
        return "Height: the factor of one step back, what is kept: there is no other path. At 1 nothing is lost."
    return (
        "Each step back multiplies the gradient by the weights and by the slope of the activation. Below 1 it shrinks."
    )


def _how(info: Chain) -> str:
    state = f"dL/d{info.memory_symbol}"
    first = f"‖{state}‖ at the step before t, divided by ‖{state}‖ at t, for the drawn sequence's last loss. "
    omega = "Ω (Pascanu) adds up (factor − 1)² over the steps. engine/lens/step_factors.py, step_factors."
    if len(paths := paths_of(info)) > 1:
        return (
            first
            + "A path's part is its share ⟨part, whole⟩ / ‖whole‖², negative where it opposes the others. "
            + omega
        )
    if paths:
        return first + "The gradient goes back through what is kept alone: no other value of a step reads h. " + omega
    weights = recurrent_weights.symbol(info)
    return first + f"Slope: ‖φ′ · dL/dh‖ / ‖dL/dh‖; weights: the factor of {weights}. " + omega


FIGURE = ChainFigure(
    title=lambda info: "What shrinks the gradient" + theme.chain_suffix(info),
    look_for=_look_for,
    how=_how,
    label="The factor by which each step back in time multiplies the gradient, and its parts",
    tab=GRADIENT,
    over="time",
    applies=lambda info: info.is_cell_known and info.has_links and info.time_steps > 1,
    template=template,
    patch=patch,
    readout=readout,
)
