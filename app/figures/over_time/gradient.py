"""The gradient at each step: ||d l/d h_t|| on a fixed log axis, total, direct, of the last loss, and for c_t.

The values are medians over the probe if its sequences have the same lengths and targets at the same steps. If not, a
median would mix other sequences at each t: then they are the drawn sequence's own, with gaps in its padding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import Curves, LiveFigure, Patch, Traces
from app.figures.log_scale import AT_FLOOR, AT_TOP, FLOOR, TOP, WIDE, limits
from engine.frame import Frame, RunInfo
from engine.number_format import short

DASHES = ("solid", "dash")  # forwards, backwards
TRACES = Traces("ghost", "total", "below", "zero", "above")
"""The first traces; the series follow, whose number depends on the network."""
BOTTLENECK = "through the bottleneck:"
Series = tuple[go.Scatter, Callable[[Frame], np.ndarray]]
DIRECT, LAST, CELL = "direct, from above", "from the last loss alone", "dL/dc, the cell state"


def _chains(info: RunInfo) -> list[tuple[int, int]]:
    """Return every (layer, direction) except the one that the bars show."""
    return [pair for pair in info.chains if pair != info.shown_chain]


def template(info: RunInfo) -> go.Figure:
    """Bars for the total of one layer, marks where a bar leaves the axis, then the series of `_series`."""
    bars = go.Bar(name="total" + theme.chain_suffix(info), marker={"color": theme.TOTAL, "line": {"width": 0}})
    below = _marks("below the axis", "triangle-down", theme.WRONG, 7)
    zero = _marks("exactly 0", "x-thin", theme.WRONG, 7)
    zero.marker.line.update(width=1.6, color=theme.WRONG)
    above = _marks("above the axis", "triangle-up", theme.WRONG, 7)
    before = _line("previous run", theme.GHOST, width=2)
    before.update(showlegend=False, hovertemplate=_hover("%{fullData.name}"))
    traces = TRACES.in_order(ghost=before, total=bars, below=below, zero=zero, above=above)
    traces += [trace for trace, _ in _series(info)]
    for trace in traces:
        trace.update(
            x=np.arange(info.time_steps),
            y=np.full(info.time_steps, np.nan, np.float32),
            hovertemplate=trace.hovertemplate or _hover(trace.name),
        )
    for outside in (below, zero, above):
        outside.update(hovertemplate="%{customdata}<extra></extra>", showlegend=False)
    axis = theme.log_axis(theme.FLOOR_DECADE, theme.TOP_DECADE)
    axis["range"] = limits(wide=False)
    return theme.figure(
        *traces,
        height=268 if _chains(info) else 222,  # the legend then has two or three lines
        revision=f"time-{info.time_steps}",
        margin={**theme.TIME_MARGIN, "t": 24, "b": 22},
        xaxis=theme.time_axis(info.time_steps),
        yaxis={**axis, "title": {"text": "‖dL/dh‖", "standoff": 2, "font": {"size": 12}}},
        bargap=0.18,
        shapes=theme.marks_in_time(info),
        annotations=_notes(info),
        hovermode="x unified",
        showlegend=True,
    )


def _notes(info: RunInfo) -> list[dict]:
    """Return the notes beside the first cut, or beside the line between encoder and decoder, where there is room."""
    notes = [(t, "cut: no gradient crosses", "right") for t in list(theme.walls(info))[:1]]
    if info.encoder_steps:  # never truncated, so this is the only one
        notes.append((info.encoder_steps, BOTTLENECK, "left" if 2 * info.encoder_steps <= info.time_steps else "right"))
    return [
        {"x": t - 0.5, "yref": "paper", "y": 0.99, "yanchor": "top", "xanchor": anchor,
         "xshift": {"left": 5, "right": -5}[anchor], "text": text, "showarrow": False, "font": {"size": 11}}
        for t, text, anchor in notes
    ]  # fmt: skip


def _hover(name: str) -> str:
    return "%{y:.2e}<extra>" + name + "</extra>"


def _line(name: str, colour: str, dash: str = "solid", width: float = 1.8) -> go.Scatter:
    line = {"color": colour, "dash": dash, "width": width}
    return go.Scatter(name=name, mode="lines", line=line, connectgaps=True)  # across an encoder's padding


def _marks(name: str, symbol: str, colour: str, size: float) -> go.Scatter:
    return go.Scatter(name=name, mode="markers", marker={"symbol": symbol, "color": colour, "size": size})


def _series(info: RunInfo) -> list[Series]:
    """Return every series besides the bars, with the function that reads it from a frame.

    That of the bars comes first. The others share one legend entry per meaning, which shows or hides them
    together.
    """
    series = _of_chain(info, info.shown_chain)
    in_legend: set[str] = set()
    for layer, d in _chains(info):
        for trace, pick in [_total_of_chain(info, (layer, d)), *_of_chain(info, (layer, d))]:
            meaning, first = trace.name, trace.name not in in_legend
            in_legend.add(meaning)
            where = "other layers" if first and len(_chains(info)) > 1 else theme.chain_name(info, layer, d)
            hidden = meaning in (DIRECT, LAST)  # until its legend entry is clicked
            trace.update(
                name=f"{meaning}, {where}",
                hovertemplate=_hover(f"{meaning}, {theme.chain_name(info, layer, d)}"),
                legendgroup=meaning,
                showlegend=first,
                visible="legendonly" if hidden else True,
            )
            if trace.mode == "lines":
                trace.line.update(width=(1.2, 2)[d], dash=DASHES[d])
            series.append((trace, pick))
    return series


def _norms(info: RunInfo, frame: Frame, name: str) -> np.ndarray:
    """Return (layers, directions, T): medians over the probe, or the drawn sequence's own; NaN in its padding."""
    values = np.asarray(getattr(frame, name if info.same_lengths else f"sequence_{name}"))
    return np.where(frame.valid, values, np.nan)


def _total_of_chain(info: RunInfo, at: tuple[int, int]) -> Series:
    return _line("total", theme.TOTAL), lambda frame: _norms(info, frame, "grad_norm")[at]


def _of_chain(info: RunInfo, at: tuple[int, int]) -> list[Series]:
    """Return direct part, last loss and cell state of one layer and direction, if the network has them."""
    direct = _marks(DIRECT, "diamond", theme.DIRECT, 8)
    series: list[Series] = [(direct, lambda frame: _positive(_norms(info, frame, "grad_norm_direct")[at]))]
    if sum(info.counted) > 1:
        series.append((_line(LAST, theme.LAST), lambda frame: _norms(info, frame, "grad_norm_last")[at]))
    if info.memory_symbol == "c":
        series.append((_line(CELL, theme.CELL), lambda frame: _norms(info, frame, "grad_norm_cell")[at]))
    return series


def _positive(values: np.ndarray) -> np.ndarray:
    """Replace 0 by NaN: where no gradient enters directly, no mark is drawn."""
    return np.where(values > 0, values, np.nan)


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Patch all series. Values outside the axis are kept for tooltips and tables."""
    total = _norms(info, frame, "grad_norm")[info.shown_chain]
    above = frame.valid & ~(total <= WIDE)  # also NaN
    changed: Patch = {TRACES.path("total", "y"): theme.float32(np.where(total >= FLOOR, total, np.nan))}
    changed |= _outside("below", (total > 0) & (total < FLOOR), AT_FLOOR, [_below(value) for value in total])
    changed |= _outside("zero", total == 0, AT_FLOOR, ["exactly 0"] * len(total))
    changed |= _outside("above", above, AT_TOP, [short(value) for value in total])
    changed["layout.yaxis.range"] = limits(wide=not bool((total <= TOP)[frame.valid].all()))
    if info.encoder_steps:
        norm = _bottleneck(info, frame)
        changed["layout.annotations.0.text"] = f"{BOTTLENECK} {short(norm) if norm else 'exactly 0'}"
    for index, (_, pick) in enumerate(_series(info), start=len(TRACES)):
        changed[f"data.{index}.y"] = theme.float32(pick(frame))
    return changed


def _bottleneck(info: RunInfo, frame: Frame) -> float:
    """Return the norm at the encoder's last state, all layers together, of the probe or of the drawn sequence."""
    if info.same_lengths:
        assert frame.bottleneck_grad_norm is not None
        return frame.bottleneck_grad_norm
    last = int(np.flatnonzero(frame.valid[: info.encoder_steps])[-1])
    return float(np.linalg.norm(frame.sequence_grad_norm[:, 0, last]))


def _outside(trace: str, where: np.ndarray, height: float, words: list[str]) -> Patch:
    """Patch the marks at one end of the axis; they are in the legend if there are any."""
    return {
        TRACES.path(trace, "y"): theme.float32(np.where(where, height, np.nan)),
        TRACES.path(trace, "showlegend"): bool(where.any()),
        TRACES.path(trace, "customdata"): words,
    }


def _below(value: float) -> str:
    return f"{short(value)}, below the axis"


def readout(info: RunInfo, frame: Frame) -> str:
    """Return the norms at both ends of the curve, of the state that the verdict is based on: c in an LSTM, else h."""
    cell = frame.grad_norm_cell is not None
    norms = _norms(info, frame, "grad_norm_cell" if cell else "grad_norm")[info.shown_chain]
    last = int(np.flatnonzero(frame.valid)[-1])
    ends = [short(norms[t]) if norms[t] else "exactly 0" for t in (0, last)]
    if info.time_steps == 1:
        return f"{'dL/dc ' if cell else ''}{ends[0]}"
    return f"{'dL/dc ' if cell else ''}at t = 0: {ends[0]} · at t = {last}: {ends[1]}"


def ghost(info: RunInfo, old: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Patch the previous run's total, if it has the same task and the same steps."""
    if _steps(old) != _steps(info):
        return {}
    return theme.previous_run(
        TRACES.number("ghost"), old, _norms(old, frame, "grad_norm")[old.showing(info.shown).shown_chain]
    )


def _steps(info: RunInfo) -> tuple[Any, ...]:
    """Return what must be equal for two curves over time to have the same steps."""
    return info.experiment.task, info.valid, info.counted


def _look_for(info: RunInfo) -> str:
    meaning = "How strongly the state at step t affects the loss. Each grid line is a factor of 100."
    if info.same_lengths:
        return f"{meaning} Median over the probe."
    return f"{meaning} Of the drawn sequence alone: the others have other lengths or targets."


FIGURE = LiveFigure(
    title=lambda info: "Gradient that reaches each step",
    look_for=_look_for,
    how=lambda info: (
        "‖d l/d h_t‖ for every state, through all later steps (back-propagation through time), from one "
        "backward sweep with the present weights: the median over the 16 held-out sequences of the probe, or the drawn "
        "sequence's own where these have different lengths or targets. engine/lens/sweep.py, engine/lens/norms.py."
    ),
    label="Gradient norm at every time step, log axis with fixed limits",
    over="time",
    template=template,
    patch=patch,
    readout=readout,
    ghost=ghost,
    fits=("layout.yaxis",),
)
