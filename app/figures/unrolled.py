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
MOST_CHANNELS = 16  # inputs of up to so many channels are drawn as strips
DECADES = range(theme.FLOOR_DECADE - 1, theme.TOP_DECADE + 1)  # the first holds all that lies below the axis
STRIPS, WIRES, FED_BACK, CONTEXT, HOVER, INPUTS, OUTPUTS, ARROWS = range(8)
HALF = 0.36  # of a row's height, for a strip


def _columns(info: RunInfo) -> np.ndarray:
    """The steps drawn, at their true t: all, or evenly chosen ones with the first, the last and the border's two."""
    steps = info.time_steps
    columns = np.linspace(0, steps - 1, min(MOST_COLUMNS, steps)).round().astype(int)
    border = [info.encoder_steps - 1, info.encoder_steps] if info.encoder_steps else []
    return np.unique([*columns, *border])


def _said(info: RunInfo) -> np.ndarray:
    """The drawn steps that are asked for an answer."""
    return np.array([t for t in _columns(info) if info.counted[t]], int)


def _half_width(info: RunInfo) -> float:
    columns = _columns(info)
    spacing = np.diff(columns).min() if len(columns) > 1 else 0.5
    return float(0.26 * spacing)


def _rows(info: RunInfo) -> list[tuple[int, int]]:
    """(layer, direction) of the recurrent rows from the bottom up; the upper layers stand above them."""
    e = info.experiment
    return [(layer, d) for layer in range(e.num_layers) for d in range(e.directions)]


def _top(info: RunInfo) -> int:
    """The row of the outputs; inputs are row 0, states between."""
    return len(_rows(info)) + info.experiment.output_layers + 1


def _units(info: RunInfo) -> np.ndarray:
    size = info.experiment.hidden_size
    return np.unique(np.linspace(0, size - 1, min(CELLS, size)).round().astype(int))


def _strip_channels(info: RunInfo) -> int:
    """Channels of inputs that are drawn as strips, as a row of an image; 0 where they are written."""
    channels = len(info.input_labels)
    return channels if info.inputs == "values" and 2 < channels <= MOST_CHANNELS else 0


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
    columns, half, top = _columns(info), _half_width(info), _top(info)
    edges_x = np.stack([columns - half, columns + half], 1).ravel()
    edges_y = _edges(info)
    strips = go.Heatmap(
        x=edges_x, y=edges_y, z=np.full((len(edges_y) - 1, len(edges_x) - 1), np.nan, np.float32),
        zmin=-1, zmax=1, zauto=False, showscale=False, meta="diverging", colorscale=theme.DIVERGING["light"],
        hoverinfo="skip",
    )  # fmt: skip
    points = np.array([(t, row + 1) for row in range(len(_rows(info))) for t in columns], np.float32)
    hover = go.Scatter(
        x=points[:, 0], y=points[:, 1], mode="markers", marker={"size": 22, "opacity": 0},
        customdata=[""] * len(points), hovertemplate="t = %{x}<br>%{customdata}<extra></extra>",
    )  # fmt: skip
    arrows = [
        go.Scatter(
            x=[], y=[], mode="lines+markers", hoverinfo="skip", line={"color": colour_of(k), "width": width_of(k)},
            marker={"symbol": [], "size": [], "color": colour_of(k), "line": {"width": 0}},
        )
        for k in DECADES
    ]  # fmt: skip
    return theme.figure(
        strips,
        _line(_wires(info), theme.QUIET, "solid", 1),
        _line(_feedback(info), theme.DIRECT, "dot", 1.4),
        _context(info),
        hover,
        _labels(columns, 0, 13 if max(map(len, info.input_labels)) <= 3 else 11),
        _labels(_said(info), top, 13),
        *arrows,
        height=130 + 44 * (top - 2) + (18 if info.encoder_steps else 0),
        revision=f"time-{info.time_steps}",
        margin={**theme.TIME_MARGIN, "t": 4, "b": 4},
        xaxis={**theme.time_axis(info.time_steps), "visible": False},
        yaxis={"range": [-0.45, top + (0.85 if info.encoder_steps else 0.4)], **_ticks(info),
               "showgrid": False, "ticks": "", "showline": False},
        shapes=theme.marks_in_time(info),
        annotations=_halves(info),
    )  # fmt: skip


def _edges(info: RunInfo) -> np.ndarray:
    """Borders of the strips' cells from the bottom up, a gap between two strips being a cell, too."""
    cells = len(_units(info))
    rows = [row + 1 + np.linspace(-HALF, HALF, cells + 1) for row in range(_top(info) - 1)]
    if channels := _strip_channels(info):
        rows.insert(0, np.linspace(-HALF, HALF, channels + 1))
    return np.concatenate(rows)


def _line(points: tuple[list, list], colour: str, dash: str, width: float) -> go.Scatter:
    line = {"color": colour, "dash": dash, "width": width}
    return go.Scatter(x=points[0], y=points[1], mode="lines", line=line, hoverinfo="skip")


def _labels(columns: np.ndarray, row: int, size: int) -> go.Scatter:
    """Text on a row; for an empty text Plotly makes no element, and none later either."""
    return go.Scatter(
        x=columns.tolist(), y=[row] * len(columns), text=["\u00a0"] * len(columns), textfont={"size": size},
        mode="text", hoverinfo="skip", cliponaxis=False,
    )  # fmt: skip


def _wires(info: RunInfo) -> tuple[list, list]:
    """Inputs up into the states, each layer up into the next, states on to the next step, and up to the answers."""
    columns, half, top, rows = _columns(info), _half_width(info), _top(info), _rows(info)
    wires: list[tuple[float, float, float, float]] = []
    given = columns[:1] if info.experiment.rnn_type == "one_to_many" else columns
    bottom = HALF if _strip_channels(info) else 0.22
    wires += [(t, bottom, t, 1 - HALF) for t in (columns if info.feeds_back else given)]
    read = _said(info) if info.experiment.rnn_type == "many_to_one" else columns[columns >= info.encoder_steps]
    for row in range(1, top - 1):  # the layers above see only the steps that are read
        wires += [(t, row + HALF, t, row + 1 - HALF) for t in (columns if row < len(rows) else read)]
    wires += [(t, top - 1 + HALF, t, top - 0.25) for t in _said(info)]
    if info.has_links:
        for row in range(1, len(rows) + 1):
            wires += [(left + half, row, right - half, row) for left, right in pairwise(columns)]
    x, y = [], []
    for x0, y0, x1, y1 in wires:
        x += [x0, x1, None]
        y += [y0, y1, None]
    return x, y


def _feedback(info: RunInfo) -> tuple[list, list]:
    """Where outputs are fed back: from each answer, between two columns, down to the next input."""
    x: list = []
    y: list = []
    if info.feeds_back:
        for left, right in pairwise(_said(info)):
            if right == left + 1:
                middle = left + 0.5
                x += [left + 0.22, middle, middle, right - 0.16, None]
                y += [_top(info), _top(info), 0, 0, None]
    return x, y


def _context(info: RunInfo) -> go.Scatter:
    """The context vector: all that crosses from encoder to decoder, one state per layer."""
    rows = range(1, len(_rows(info)) + 1) if info.encoder_steps else range(0)
    return go.Scatter(
        x=[info.encoder_steps - 0.5] * len(rows), y=list(rows), mode="markers",
        marker={"symbol": "diamond", "size": 15, "color": theme.LAST, "line": {"width": 0}},
        hovertemplate="The context vector: all that the decoder gets to know of the question<extra></extra>",
    )  # fmt: skip


def _halves(info: RunInfo) -> list[dict]:
    """The names of the two halves and of what stands between them."""
    border, last = info.encoder_steps, info.time_steps - 1
    if not border:
        return []
    words = ((0, "left", "encoder reads"), (border - 0.5, "center", "context"), (last, "right", "decoder speaks"))
    return [
        {"x": x, "y": _top(info) + 0.85, "yanchor": "top", "xanchor": anchor, "text": text, "showarrow": False,
         "font": {"size": 12}}
        for x, anchor, text in words
    ]  # fmt: skip


def _ticks(info: RunInfo) -> dict:
    names = ["input", *(_row_name(info, *pair) for pair in _rows(info))]
    names += [
        f"above {n + 1}" if info.experiment.output_layers > 1 else "above" for n in range(info.experiment.output_layers)
    ]
    names.append("output")
    return {"tickvals": list(range(len(names))), "ticktext": names}


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
    answers = [_output(info, frame, t) for t in _said(info)]
    changed[f"data.{OUTPUTS}.text"] = [text for text, _ in answers]
    changed[f"data.{OUTPUTS}.textfont.color"] = [theme.CELL if right else theme.WRONG for _, right in answers]
    for index, (x, y, size, symbol) in enumerate(_arrows(info, frame, columns)):
        trace = f"data.{ARROWS + index}"
        changed |= {f"{trace}.x": x, f"{trace}.y": y, f"{trace}.marker.size": size, f"{trace}.marker.symbol": symbol}
    return changed


def _strips(info: RunInfo, frame: Frame, columns: np.ndarray) -> np.ndarray:
    """The strips' cells; between them nothing. (rows of cells, 2 * columns - 1) float32."""
    units = _units(info)
    rows = [frame.hidden[layer, d][:, units] for layer, d in _rows(info)] + [row[:, units] for row in frame.upper]
    if channels := _strip_channels(info):
        rows.insert(0, frame.inputs[:, :channels])
    blocks = []
    for values in rows:
        cells = np.full((values.shape[1], 2 * len(columns) - 1), np.nan, np.float32)
        cells[:, ::2] = np.where(frame.valid[columns], values[columns].T, np.nan)
        blocks += [cells, np.full((1, cells.shape[1]), np.nan, np.float32)]
    return np.concatenate(blocks[:-1])


def _numbers(info: RunInfo, frame: Frame, columns: np.ndarray) -> list[str]:
    def norm(value: float) -> str:
        return "exactly 0" if value == 0 else theme.short(value)

    places = [(layer, d, t) for layer, d in _rows(info) for t in columns]
    return [f"gradient of this sequence {norm(frame.sequence_grad_norm[at])}" for at in places]


def _arrows(info: RunInfo, frame: Frame, columns: np.ndarray) -> list[tuple]:
    """Per decade: (x, y, marker size, marker symbol) of its arrows. An arrow carries what arrives at its head."""
    columns = columns[frame.valid[columns]] if info.has_links else columns[:0]  # padding is skipped
    half, found = _half_width(info) * 1.12, {k: ([], [], [], []) for k in DECADES}  # type: ignore[var-annotated]
    for row, (layer, d) in enumerate(_rows(info), start=1):
        for left, right in pairwise(columns):
            head, tail, start, end, symbol = (left, right, right - half, left + half, "triangle-left")
            if d:
                head, tail, start, end, symbol = (right, left, left + half, right - half, "triangle-right")
            norm = frame.sequence_grad_norm[layer, d, head]
            if norm == 0 or frame.sequence_grad_norm[layer, d, tail] == 0 or not np.isfinite(norm):
                continue  # exactly nothing: no arrow
            decade = int(np.clip(np.floor(np.log10(norm)), DECADES.start, DECADES.stop - 1))
            x, y, size, symbols = found[decade]
            x += [float(start), float(end), None]
            y += [row, row, None]
            size += [0, 4 + 1.5 * width_of(decade), 0]
            symbols += [symbol] * 3
    return [found[k] for k in DECADES]


def _input(info: RunInfo, frame: Frame, t: int) -> str:
    """What was read at t; in italics what was fed back."""
    if not frame.valid[t] or _strip_channels(info):
        return "\u00a0"
    fed = info.feeds_back and t > info.encoder_steps
    if info.inputs == "symbols":
        labels = info.output_labels if info.encoder_steps and t >= info.encoder_steps else info.input_labels
        token = int(frame.inputs[t])
        word = theme.symbol(labels[token]) if token >= 0 else "start" if info.encoder_steps else "–"
        return f"<i>{word}</i>" if fed else word
    if info.image and len(info.input_labels) > 1:
        said = frame.inputs[t, -len(info.output_labels) :]
        return f"<i>{info.output_labels[int(said.argmax())]}</i>" if fed else "image"
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
    drawn = len(_columns(info))
    return f"{drawn} of {info.time_steps} steps drawn" if drawn < info.time_steps else ""


def _look_for(info: RunInfo) -> str:
    if info.time_steps == 1:
        return "One step: the input goes up, the answer comes out. Nothing is remembered, nothing goes back in time."
    if not info.has_links:
        return "No links between the steps: each answers from what it sees itself. Compare a recurrent cell."
    arrows = "Arrows go back from the loss: thicker is more gradient, orange too much."
    if info.encoder_steps:
        return f"All that the decoder knows crosses the diamonds. {arrows}"
    if info.feeds_back:
        return f"One input; then every output comes back as the next input (dotted). {arrows}"
    return f"The same weights at every step. {arrows}"


FIGURE = LiveFigure(
    title=lambda info: "The network, unrolled in time",
    look_for=_look_for,
    label="The unrolled network: inputs, states, outputs, and arrows as wide as the log of the gradient",
    over="time",
    template=template,
    patch=patch,
    readout=readout,
)
