"""What each step of a decoder reads of the encoder's states, as a matrix."""

from __future__ import annotations

import html

import numpy as np
import plotly.graph_objects as go

from app.figures import theme, token_labels
from app.figures.base import ATTENTION, Curves, LiveFigure, Patch, Traces
from engine.frame import Frame, RunInfo
from engine.number_format import share

TRACES = Traces("heat")
EDGES = 58  # pixels below and above the plot
ROW, LEAST, MOST = 22, 110, 300  # pixels: of a row; of all rows
MOST_NAMED = 24  # steps of an axis; of more, some have their numbers
MOST_WRITTEN = 12  # steps of the encoder whose weights are written into the matrix
LETTERS = 7  # of a name beside the rows


def template(info: RunInfo) -> go.Figure:
    """A row for each step of the decoder, the first above; a column for each state of the encoder."""
    source, target = real_steps(info)
    rows, columns = len(target), len(source)
    gap = 1 if max(rows, columns) <= MOST_NAMED else 0
    heat = go.Heatmap(
        x=source, y=target, z=np.zeros((rows, columns), np.float32), customdata=np.zeros((rows, columns), np.float32),
        zmin=0, zmax=1, zauto=False, showscale=False, meta="sequential", colorscale=theme.SEQUENTIAL["light"],
        xgap=gap, ygap=gap, texttemplate="%{z:.0%}" if columns <= MOST_WRITTEN else None, textfont={"size": 11},
        hovertemplate="step %{y} reads %{z:.1%} of the state at step %{x}<br>gradient that goes straight back: "
        "%{customdata:.1e}<extra></extra>",
    )  # fmt: skip
    titles = {"size": 12}
    return theme.figure(
        *TRACES.in_order(heat=heat),
        height=EDGES + int(np.clip(ROW * rows, LEAST, MOST)),
        revision=f"attention-{rows}-{columns}",
        margin={"l": 84, "r": 14, "t": 6, "b": 52},
        xaxis={**step_axis(source), "title": {"text": "read: the encoder's state", "standoff": 6, "font": titles}},
        yaxis={
            **step_axis(target), "autorange": "reversed",
            "title": {"text": "decoder's step", "standoff": 6, "font": titles},
        },
    )  # fmt: skip


def real_steps(info: RunInfo) -> tuple[np.ndarray, np.ndarray]:
    """The encoder's and the decoder's steps of the drawn sequence, as positions on the whole time axis, no padding."""
    real = np.flatnonzero(info.valid)
    return real[real < info.encoder_steps], real[real >= info.encoder_steps]


def step_axis(steps: np.ndarray) -> dict:
    """An axis of steps: all of them named, or with more than a few some of their numbers."""
    plain = {"showgrid": False, "ticks": "", "tickangle": 0, "tickfont": {"size": 11}}
    if len(steps) > MOST_NAMED:
        return {**plain, "nticks": 8}
    return {**plain, "tickvals": steps, "ticktext": list(map(str, steps))}


def named(steps: np.ndarray, symbols: list[str], longest: int = LETTERS) -> list[str]:
    """The tick labels of steps: their numbers, and what is read or said there, where that is a symbol."""
    return [_short(symbols[t], longest) or str(t) for t in steps]


def _short(symbol: str, longest: int) -> str:
    plain = html.unescape(symbol)
    return html.escape(plain if len(plain) <= longest else f"{plain[: longest - 1]}…", quote=False)


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Patch the weights of the drawn sequence and the names of its steps; {} for a frame without them."""
    reading = frame.attention
    if reading is None:
        return {}
    source, target = real_steps(info)
    drawn = np.ix_(target - info.encoder_steps, source)
    changed: Patch = {
        TRACES.path("heat", "z"): theme.float32(reading.weights[drawn]),
        TRACES.path("heat", "customdata"): theme.float32(reading.sent[drawn]),
    }
    if info.inputs == "symbols" and len(source) <= MOST_NAMED:
        letters = max(1, LETTERS if len(source) <= MOST_WRITTEN else 2)
        changed["layout.xaxis.ticktext"] = named(source, token_labels.inputs(info, frame), letters)
    if info.outputs == "symbols" and len(target) <= MOST_NAMED:
        changed["layout.yaxis.ticktext"] = named(target, token_labels.targets(info, frame))
    return changed


def readout(info: RunInfo, frame: Frame) -> str:
    """Return how much the last loss's step reads of the step that decides, beside an even share; or the largest."""
    reading = frame.attention
    if reading is None:
        return ""
    if np.isfinite(reading.deciding_weight):
        return f"of the step that decides {share(reading.deciding_weight)} (even: {share(reading.even_weight)})"
    return f"even: {share(reading.even_weight)}"


FIGURE = LiveFigure(
    title=lambda info: "What each step reads of the encoder",
    look_for=lambda info: (
        "A row per step of the decoder; it adds up to 100%. Even rows: it has not learned where to look."
    ),
    how=lambda info: (
        "The attention weights α of the drawn sequence: the softmax over the encoder's real states of their scores, "
        "the dot product with the decoder's state"
        + (", divided by the square root of the units. " if info.experiment.attention == "scaled_dot" else ". ")
        + "Pointed at: the norm of the gradient that the loss of this step sends straight to that state, by values and "
        "scores. Above: how much the last step reads of the step that decides, median over the probe; even is one part "
        "in as many as there are states. engine/lens/attention.py, AttentionTrace."
    ),
    label="Matrix of the attention weights, steps of the decoder by states of the encoder",
    tab=ATTENTION,
    over="training",
    applies=lambda info: info.experiment.attention != "none",
    template=template,
    patch=patch,
    readout=readout,
)  # fmt: skip
