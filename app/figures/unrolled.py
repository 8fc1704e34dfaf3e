"""The network unrolled in time: input below, states as strips of units, output above, and the gradient going back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import Curves, LiveFigure, Patch
from app.figures.hidden import scale_of
from engine.frame import Frame, RunInfo

MOST_COLUMNS, CELLS = 16, 8
DECADES = range(theme.FLOOR_DECADE - 1, theme.TOP_DECADE + 1)  # the first holds all that lies below the axis
STRIPS, WIRES, CUT, HOVER, INPUTS, OUTPUTS, ARROWS = range(7)
HALF = 0.36  # of a row's height, for a strip


def _columns(info: RunInfo) -> np.ndarray:
    """The steps drawn, at their true t: all, or evenly chosen ones with the first and the last."""
    seq_len = info.experiment.seq_len
    return np.unique(np.linspace(0, seq_len - 1, min(MOST_COLUMNS, seq_len)).round().astype(int))


def _half_width(info: RunInfo) -> float:
    columns = _columns(info)
    spacing = np.diff(columns).min() if len(columns) > 1 else 1.0
    return float(0.26 * spacing)


def _rows(info: RunInfo) -> list[tuple[int, int]]:
    """(layer, direction) from the bottom up."""
    e = info.experiment
    return [(layer, d) for layer in range(e.num_layers) for d in range(e.directions)]


def _units(info: RunInfo) -> np.ndarray:
    size = info.experiment.hidden_size
    return np.unique(np.linspace(0, size - 1, min(CELLS, size)).round().astype(int))


def colour_of(decade: int) -> str:
    """Grey where next to nothing arrives, blue where it does, vermilion where it grows out of hand."""
    if decade >= 1:
        return theme.WRONG
    share = np.clip((decade - theme.FLOOR_DECADE) / (-1 - theme.FLOOR_DECADE), 0, 1)
    grey, blue = np.array([150, 156, 166]), np.array([47, 127, 193])
    red, green, last = (grey + (blue - grey) * share).round().astype(int)
    return f"rgb({red},{green},{last})"


def width_of(decade: int) -> float:
    """Line width in pixels: the log of the gradient."""
    return 0.8 + 0.55 * (decade - DECADES.start)


def template(info: RunInfo) -> go.Figure:
    """Strips, wires and empty arrows: one trace of arrows per decade of gradient."""
    columns, half, rows = _columns(info), _half_width(info), _rows(info)
    top = len(rows) + 1
    edges_x = np.stack([columns - half, columns + half], 1).ravel()
    edges_y = np.concatenate([row + 1 + np.linspace(-HALF, HALF, len(_units(info)) + 1) for row in range(len(rows))])
    strips = go.Heatmap(
        x=edges_x, y=edges_y, z=np.full((len(edges_y) - 1, len(edges_x) - 1), np.nan, np.float32),
        zmin=-1, zmax=1, zauto=False, showscale=False, meta="diverging", colorscale=theme.DIVERGING["light"],
        hoverinfo="skip",
    )  # fmt: skip
    said = columns if info.experiment.rnn_type == "many_to_many" else columns[-1:]
    wires_x, wires_y = [], []
    for t in columns:
        wires_x += [t, t, None]
        wires_y += [0.22, 1 - HALF, None]
    for t in said:
        wires_x += [t, t, None]
        wires_y += [top - 1 + HALF, top - 0.25, None]
    wires = go.Scatter(x=wires_x, y=wires_y, mode="lines", line={"color": theme.QUIET, "width": 1}, hoverinfo="skip")
    points = np.array([(t, row + 1) for row in range(len(rows)) for t in columns], np.float32)
    hover = go.Scatter(
        x=points[:, 0], y=points[:, 1], mode="markers", marker={"size": 22, "opacity": 0},
        customdata=[""] * len(points), hovertemplate="t = %{x}<br>%{customdata}<extra></extra>",
    )  # fmt: skip
    blank = "\u00a0"  # for an empty text Plotly makes no element, and none later either
    labels = {"mode": "text", "hoverinfo": "skip", "cliponaxis": False}
    cut = go.Scatter(x=[], y=[], mode="lines", line={"color": theme.WRONG, "width": 3}, name="cut", hoverinfo="skip")
    cut.update(_wall(info, top))
    arrows = [
        go.Scatter(
            x=[], y=[], mode="lines+markers", hoverinfo="skip", line={"color": colour_of(k), "width": width_of(k)},
            marker={"symbol": [], "size": [], "color": colour_of(k), "line": {"width": 0}},
        )
        for k in DECADES
    ]  # fmt: skip
    ticks = {0: "input", top: "output"} | {row + 1: _row_name(info, *pair) for row, pair in enumerate(rows)}
    return theme.figure(
        strips,
        wires,
        cut,
        hover,
        go.Scatter(x=columns, y=np.zeros(len(columns)), text=[blank] * len(columns), textfont={"size": 13}, **labels),
        go.Scatter(x=said, y=np.full(len(said), top), text=[blank] * len(said), textfont={"size": 13}, **labels),
        *arrows,
        height=130 + 44 * (len(rows) - 1),
        revision=f"time-{info.experiment.seq_len}",
        margin={**theme.TIME_MARGIN, "t": 4, "b": 4},
        xaxis={**theme.time_axis(info.experiment.seq_len), "visible": False},
        yaxis={"range": [-0.45, top + 0.4], "tickvals": list(ticks), "ticktext": list(ticks.values()),
               "showgrid": False, "ticks": "", "showline": False},
    )  # fmt: skip


def _wall(info: RunInfo, top: int) -> dict:
    """Truncation drawn as a wall where the gradient is cut."""
    e = info.experiment
    walls = range(e.seq_len - e.tbptt, 0, -e.tbptt) if e.tbptt else ()
    x, y = [], []
    for t in walls:
        x += [t - 0.5, t - 0.5, None]
        y += [0.45, top - 0.45, None]
    return {"x": x, "y": y}


def _row_name(info: RunInfo, layer: int, d: int) -> str:
    e = info.experiment
    way = (" →", " ←")[d] if e.bidirectional else ""
    return (f"layer {layer + 1}" if e.num_layers > 1 else "state") + way


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """States, arrows, and what was read and said, of the drawn sequence."""
    columns = _columns(info)
    changed: Patch = {
        f"data.{STRIPS}.z": _strips(info, frame, columns),
        f"data.{HOVER}.customdata": _numbers(info, frame, columns),
        f"data.{INPUTS}.text": [_input(info, frame, t) for t in columns],
    }
    scale = scale_of(frame.hidden)
    changed |= {f"data.{STRIPS}.zmin": -scale, f"data.{STRIPS}.zmax": scale}
    said = columns if info.experiment.rnn_type == "many_to_many" else columns[-1:]
    answers = [_output(info, frame, t) for t in said]
    changed[f"data.{OUTPUTS}.text"] = [text for text, _ in answers]
    changed[f"data.{OUTPUTS}.textfont.color"] = [theme.CELL if right else theme.WRONG for _, right in answers]
    for index, (x, y, size, symbol) in enumerate(_arrows(info, frame, columns)):
        trace = f"data.{ARROWS + index}"
        changed |= {f"{trace}.x": x, f"{trace}.y": y, f"{trace}.marker.size": size, f"{trace}.marker.symbol": symbol}
    return changed


def _strips(info: RunInfo, frame: Frame, columns: np.ndarray) -> np.ndarray:
    """The strips' cells; between them nothing. (rows of cells, 2 * columns - 1) float32."""
    units = _units(info)
    blocks = []
    for layer, d in _rows(info):
        cells = np.full((len(units), 2 * len(columns) - 1), np.nan, np.float32)
        values = frame.hidden[layer, d][columns][:, units].T
        cells[:, ::2] = np.where(frame.valid[columns], values, np.nan)
        blocks += [cells, np.full((1, cells.shape[1]), np.nan, np.float32)]
    return np.concatenate(blocks[:-1])


def _numbers(info: RunInfo, frame: Frame, columns: np.ndarray) -> list[str]:
    def norm(value: float) -> str:
        return "exactly 0" if value == 0 else theme.short(value)

    places = [(layer, d, t) for layer, d in _rows(info) for t in columns]
    return [f"gradient of this sequence {norm(frame.sequence_grad_norm[at])}" for at in places]


def _arrows(info: RunInfo, frame: Frame, columns: np.ndarray) -> list[tuple]:
    """Per decade: (x, y, marker size, marker symbol) of its arrows. An arrow carries what arrives at its head."""
    half, found = _half_width(info) * 1.12, {k: ([], [], [], []) for k in DECADES}  # type: ignore[var-annotated]
    for row, (layer, d) in enumerate(_rows(info), start=1):
        for left, right in pairwise(columns):
            head, start, end, symbol = (left, right - half, left + half, "triangle-left")
            if d:
                head, start, end, symbol = (right, left + half, right - half, "triangle-right")
            norm = frame.sequence_grad_norm[layer, d, head]
            if norm == 0 or not np.isfinite(norm):
                continue  # exactly nothing: no arrow
            decade = int(np.clip(np.floor(np.log10(norm)), DECADES.start, DECADES.stop - 1))
            x, y, size, symbols = found[decade]
            x += [float(start), float(end), None]
            y += [row, row, None]
            size += [0, 4 + 1.5 * width_of(decade), 0]
            symbols += [symbol] * 3
    return [found[k] for k in DECADES]


def _input(info: RunInfo, frame: Frame, t: int) -> str:
    """What was read at t."""
    if info.inputs == "symbols":
        token = int(frame.inputs[t])
        return "–" if token < 0 else theme.symbol(info.input_labels[token])
    value, *rest = frame.inputs[t]
    text = f"{value:.1f}".replace("0.", ".").replace("-", "−")
    return f"<b>{text}</b>▴" if rest and rest[0] > 0 else text


def _output(info: RunInfo, frame: Frame, t: int) -> tuple[str, bool]:
    """What was said at t, and whether it is right."""
    if not frame.counted[t]:
        return "", True
    if not np.isfinite(frame.outputs[t]).all():
        return "✗ not finite", False
    if info.outputs == "symbols":
        said, target = int(np.argmax(frame.outputs[t])), int(frame.targets[t])
        mark = "✓" if said == target else "✗"
        text = theme.symbol(info.output_labels[said])
        return (f"{text}{mark}" if frame.counted.sum() > 1 else f"<b>{text}</b> {mark} {frame.outputs[t, said]:.0%}"), (
            said == target
        )
    value, wanted = float(frame.outputs[t, 0]), float(frame.targets[t, 0])
    return f"{value:.2f}", abs(value - wanted) < 0.1 * max(1.0, abs(wanted))


def readout(info: RunInfo, frame: Frame) -> str:
    """How many steps are drawn."""
    drawn, seq_len = len(_columns(info)), info.experiment.seq_len
    return f"{drawn} of {seq_len} steps drawn" if drawn < seq_len else ""


FIGURE = LiveFigure(
    title=lambda info: "The network, unrolled in time",
    look_for=lambda info: (
        "The same weights at every step. Arrows go back from the loss: thicker is more gradient, orange too much."
    ),
    label="The unrolled network: inputs, states, outputs, and arrows as wide as the log of the gradient",
    over="time",
    template=template,
    patch=patch,
    readout=readout,
)
