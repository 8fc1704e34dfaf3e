"""The gradient at each step as a size relative to where the loss enters, on a fixed log axis.

The values are medians over the probe, with the quartiles as a band, if its sequences have the same lengths and targets
at the same steps. If not, a median would mix other sequences at each t: then they are the drawn sequence's own, with
gaps in its padding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures import log_scale, theme
from app.figures.base import GRADIENT, ChainFigure, Curves, LastGradient, Line, PastRun, Patch, Traces
from app.figures.over_time import theory
from engine.frame import Chain, Look, RunInfo
from engine.number_format import relative_size, short

DASHES = ("solid", "dash")  # forwards, backwards
TRACES = Traces("ghost", "band", "size", *log_scale.MARKS, "theory")
"""The first traces; the lines of the other layers and directions follow."""
BOTTLENECK = "crosses:"
LITTLE, MILLIONTH = 1e-2, 1e-6
"""Sizes with a thin line. From a millionth down the verdict says that the gradient has vanished."""
TICKS = {1e-2: "1%", 1.0: "100%", 1e2: "× 100"}
"""Sizes that the axis names as a reader says them; the others are powers of ten."""
MAX_DOTS = 60  # with more steps, the dots are small


def _others(info: Chain) -> list[tuple[int, int]]:
    """Return every (layer, direction) except the one that is shown with dots."""
    return [pair for pair in info.chains if pair != info.shown_chain]


def template(info: Chain) -> go.Figure:
    """Dots and a line for one layer, a pale band for its quartiles, marks, then a thin line per other layer."""
    steps = np.arange(info.time_steps)
    empty = np.full(len(steps), np.nan, np.float32)
    size = _line("relative size" + theme.chain_suffix(info), theme.GRADIENT, info, info.shown_chain[1], 2)
    small = info.time_steps > MAX_DOTS
    size.update(mode="lines+markers", marker={"size": 2.5 if small else 6, "color": theme.GRADIENT})
    size.update(x=steps, y=empty, text=[""] * len(steps), hovertemplate=_hover(size.name))
    before = _line("previous run", theme.GHOST, info, 0, 2)
    before.update(x=steps, y=empty, showlegend=False, hovertemplate="%{y:.2e}<extra>%{fullData.name}</extra>")
    band = go.Scatter(
        x=np.zeros(0, np.float32), y=np.zeros(0, np.float32), name="half of the sequences", mode="lines",
        fill="toself", fillcolor=theme.PALE_GRADIENT, line={"width": 0, "color": theme.GRADIENT}, hoverinfo="skip",
        showlegend=info.same_lengths,
    )  # fmt: skip
    expected = _line(theory.name(info), theme.GREY, info, 0, 1.6)
    expected.update(
        x=steps,
        y=empty,
        line_dash="dot",
        visible="legendonly" if theory.is_known(info) else False,
        hovertemplate="%{y:.2e}<extra>theory</extra>",
    )
    traces = TRACES.in_order(ghost=before, band=band, theory=expected, size=size, **log_scale.marks(steps))
    return theme.figure(
        *traces,
        *_other_lines(info),
        height=222,
        revision=f"time-{info.time_steps}",
        margin={**theme.TIME_MARGIN, "t": 24, "b": 22},
        xaxis=theme.time_axis(info.time_steps, names=info.step_names),
        yaxis={**log_scale.axis("relative size"), **_ticks()},
        shapes=[*_levels(), *theme.marks_in_time(info)],
        annotations=[*_notes(info), *_millionth(info)],
        hovermode="x unified",
        showlegend=True,
    )


def _line(name: str, colour: str, info: Chain, direction: int, width: float) -> go.Scatter:
    line = {"color": colour, "dash": DASHES[direction], "width": width}
    return go.Scatter(name=name, mode="lines", line=line, connectgaps=bool(info.encoder_steps))  # across its padding


def _other_lines(info: Chain) -> list[go.Scatter]:
    """Return a thin line per other layer and direction; they share a legend entry, which shows or hides them."""
    chains = _others(info)
    lines: list[go.Scatter] = []
    for layer, d in chains:
        name = theme.chain_name(info, layer, d)
        trace = _line("other layers" if len(chains) > 1 and not lines else name, theme.GRADIENT, info, d, 1.1)
        trace.update(
            x=np.arange(info.time_steps), y=np.full(info.time_steps, np.nan, np.float32), opacity=0.8,
            hovertemplate=f"%{{y:.2e}}<extra>{name}</extra>", legendgroup="others", showlegend=not lines,
        )  # fmt: skip
        lines.append(trace)
    return lines


def _hover(name: str) -> str:
    return "%{text} (%{y:.2e})<extra>" + name + "</extra>"


def _ticks() -> dict[str, Any]:
    """Return a tick every two decades: in words from 1% to 100 times, else as a power of ten."""
    decades = range(theme.FLOOR_DECADE, theme.WIDE_DECADE + 1, 2)
    names = [TICKS.get(float(f"1e{k}"), f"10<sup>{k}</sup>".replace("-", "−")) for k in decades]
    return {"tickvals": [10.0**k for k in decades], "ticktext": names}


def _levels() -> list[dict]:
    """Return a line at the size where the loss enters, and thin ones at LITTLE and at MILLIONTH."""
    return [
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "layer": "below",
         "line": {"color": theme.GREY, "width": 1.4 if y == 1 else 1.1, "dash": "solid" if y == 1 else "dash"}}
        for y in (1.0, LITTLE, MILLIONTH)
    ]  # fmt: skip


def _millionth(info: Chain) -> list[dict]:
    """Return the name of that line, at the right, where a gradient that shrinks is above it; none over padding."""
    name = {"xref": "paper", "x": 1, "xanchor": "right", "y": np.log10(MILLIONTH), "yanchor": "bottom",
            "showarrow": False, "text": "a millionth", "font": {"size": 10}}  # fmt: skip
    return [name] if info.valid[-1] else []


def _notes(info: Chain) -> list[dict]:
    """Return the notes beside the first cut, or beside the line between encoder and decoder, where there is room."""
    notes = [(t, "cut: no gradient crosses", "right") for t in info.walls[:1]]
    if info.encoder_steps:  # never truncated, so this is the only one
        notes.append((info.encoder_steps, BOTTLENECK, "left" if 2 * info.encoder_steps <= info.time_steps else "right"))
    return [
        {"x": t - 0.5, "yref": "paper", "y": 0.99, "yanchor": "top", "xanchor": anchor,
         "xshift": {"left": 5, "right": -5}[anchor], "text": text, "showarrow": False, "font": {"size": 11}}
        for t, text, anchor in notes
    ]  # fmt: skip


def relative(info: Chain, frame: Look | LastGradient) -> np.ndarray:
    """Return (layers, directions, T), each chain's gradient relative to where the followed loss enters it.

    Of the state that carries memory, for the last loss (backwards for the first, if there are many). NaN in the padding
    of the drawn sequence, and where a loss that enters later has no effect at all. Recordings from before frames had
    this get the ratio of the medians, which differs a little from the median of the ratios.
    """
    if info.same_lengths and frame.relative is not None:
        sizes = np.asarray(frame.relative)
    else:
        norms = frame.grad_norm_memory if info.same_lengths else frame.sequence_grad_norm_memory
        entering = [norms[:, info.entered(d), info.enters(d)] for d in range(info.directions)]
        enters = np.stack(entering, 1)[..., None]
        with np.errstate(divide="ignore", invalid="ignore"):
            sizes = np.where(enters > 0, norms / enters, np.where(np.isnan(enters), np.nan, 0.0))
    there = frame.valid & np.stack([info.has(d) for d in range(info.directions)])
    there = there & ~((sizes == 0) & _before_the_loss(info))
    return np.where(there, sizes, np.nan)


def _before_the_loss(info: Chain) -> np.ndarray:
    """Return (directions, T) bool: steps that the way back from the loss does not come to."""
    t = np.arange(info.time_steps)
    return np.stack([t < info.enters(d) if info.entered(d) else t > info.enters(d) for d in range(info.directions)])


def is_ratio_of_medians(info: Chain, frame: Look) -> bool:
    """Return True for a frame of an old recording, which has medians of norms alone."""
    return info.same_lengths and frame.relative is None


def patch(info: Chain, frame: Look, curves: Curves) -> Patch:
    """Patch all series. Values outside the axis are kept for tooltips and tables."""
    sizes = relative(info, frame)
    shown = sizes[info.shown_chain]
    known = _there(info, frame) & ~_unreached(info, shown)
    changed: Patch = {
        TRACES.path("size", "y"): theme.float32(shown),
        TRACES.path("size", "text"): [relative_size(value) for value in shown],
        **_band(info, frame),
        TRACES.path("theory", "y"): theme.float32(theory.line(info, frame)),
        **log_scale.outside(TRACES.number("below"), shown, known),
    }
    del changed["layout.yaxis.dtick"]  # this axis has ticks of its own
    if info.encoder_steps:
        changed["layout.annotations.0.text"] = _crossing(info, frame)
    for index, chain in enumerate(_others(info), start=len(TRACES)):
        changed[f"data.{index}.y"] = theme.float32(sizes[chain])
    return changed


def _there(info: Chain, frame: Look) -> np.ndarray:
    """Return (T,) bool: the real steps that the shown chain has."""
    return frame.valid & info.has(info.shown_chain[1])


def _unreached(info: Chain, shown: np.ndarray) -> np.ndarray:
    """Return (T,) bool: steps of the shown chain without a value because the loss enters before them.

    Args:
        shown: (T,) the relative sizes of that chain.
    """
    return _before_the_loss(info)[info.shown_chain[1]] & np.isnan(shown)


def _band(info: Chain, frame: Look) -> Patch:
    """Patch the band between the quartiles: one closed polygon per stretch of real steps; exactly 0 is its lower edge.

    Without quartiles, of the drawn sequence alone or of an old recording, there is none.
    """
    x: list[float] = []
    y: list[float] = []
    if info.same_lengths and frame.relative_low is not None and frame.relative_high is not None:
        low, high = frame.relative_low[info.shown_chain], frame.relative_high[info.shown_chain]
        there = np.flatnonzero(_there(info, frame) & (high > 0) & np.isfinite(low) & np.isfinite(high))
        low = np.maximum(low, np.finfo(np.float32).tiny)
        for piece in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1):
            x += [*piece, *piece[::-1], np.nan]
            y += [*low[piece], *high[piece[::-1]], np.nan]
    return {TRACES.path("band", "x"): theme.float32(x), TRACES.path("band", "y"): theme.float32(y)}


def _crossing(info: Chain, frame: Look) -> str:
    """Return the note between encoder and decoder: what crosses, and with attention what goes around that state."""
    norm = _bottleneck(info, frame)
    crosses = f"{BOTTLENECK} ‖dL/dh‖ {short(norm) if norm else 'exactly 0'}"
    attention = frame.attention
    if attention is None:
        return crosses
    around = attention.around_grad_norm if info.same_lengths else attention.sequence_around_grad_norm
    return f"{crosses}, by attention {short(around)}"


def _bottleneck(info: Chain, frame: Look) -> float:
    """Return the norm at the encoder's last state, all layers together, of the probe or of the drawn sequence; with
    attention of what comes through the state alone."""
    if info.same_lengths:
        assert frame.bottleneck_grad_norm is not None
        return frame.bottleneck_grad_norm
    last = int(np.flatnonzero(frame.valid[: info.encoder_steps])[-1])
    norms = frame.sequence_grad_norm if frame.attention is None else frame.attention.norms["state"]
    return float(np.linalg.norm(norms[:, 0, last]))


def readout(info: Chain, frame: Look) -> str:
    """Return the sizes at both ends of the curve, what a cut at a carried state throws away, and how old ones are."""
    sizes = relative(info, frame)[info.shown_chain]
    there = np.flatnonzero(_there(info, frame) & ~_unreached(info, sizes))
    ends = [f"at t = {t}: {relative_size(sizes[t])}" for t in dict.fromkeys((there[0], there[-1]))]
    note = ["ratio of medians (an older recording)"] if is_ratio_of_medians(info, frame) else []
    lost = frame.cut_grad_norm
    size = "" if lost is None else short(lost) if lost else "exactly 0"
    cut = [f"thrown away at the cut: ‖dL/d(carried state)‖ {size}"] if size else []
    return " · ".join([*ends, *cut, *note])


def past_line(info: RunInfo, past: PastRun) -> Line | None:
    """Return a past run's sizes at its last frame, if it has the same task and the same steps."""
    if not has_same_steps(info, past.info):
        return None
    return np.arange(info.time_steps), relative(past.info, past.last)[past.info.showing(info.shown).shown_chain]


def has_same_steps(info: RunInfo, other: RunInfo) -> bool:
    """Return True if two curves over time have the same steps, with the same meaning."""
    same_data = info.experiment.has_data_of(other.experiment)
    return same_data and (info.valid, info.counted) == (other.valid, other.counted)


def _look_for(info: Chain) -> str:
    meaning = f"How much of {'the last' if sum(info.counted) > 1 else 'the'} loss's gradient is left at step t."
    if info.same_lengths:
        return f"{meaning} Dots: the median of {info.sequences} sequences; band: half of them.{_theory(info)}"
    return f"{meaning} Of the drawn sequence alone: the others have other lengths or targets.{_theory(info)}"


def _theory(info: Chain) -> str:
    return " Theory: click its name." if theory.is_known(info) else ""


def _how(info: Chain) -> str:
    s = info.memory_symbol
    return (
        f"‖dL/d{s}_t‖ of the last loss alone (backwards, where there are many, of the first), through all later steps, "
        f"divided by ‖dL/d{s}‖ where that loss enters, each layer and direction within itself, from one backward sweep "
        "with the present weights. "
        + (
            f"Of each of {info.measured_on}; dots are the median, the band ends at the quartiles. At the "
            "step that matters the median is the verdict's ratio. "
            if info.same_lengths
            else f"Of the drawn sequence. The verdict's ratio is the median over all {info.sequences}. "
        )
        + theory.how(info)
        + "engine/lens/sweep.py, engine/lens/norms.py."
    )


FIGURE = ChainFigure(
    title=lambda info: "Gradient that reaches each step",
    look_for=_look_for,
    how=_how,
    label="Gradient at every time step, relative to where the loss enters, log axis with fixed limits",
    tab=GRADIENT,
    over="time",
    template=template,
    patch=patch,
    readout=readout,
    past_line=past_line,
    fits=("layout.yaxis",),
)
