"""The network's prediction beside the target, on the drawn sequence of the held-out probe."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import channels, theme
from app.figures.base import LEARNING, Curves, LiveFigure, Patch, Traces
from app.figures.over_training import piano_roll
from engine.frame import Frame, RunInfo
from engine.number_format import short

TRACES = Traces("prediction", "image")
"""Of symbols; the image only where one is read."""
CURVES = Traces("input", "target", "prediction")
"""Of values."""
GUESSES = 3
MAX_NAME = 24  # letters of the input's name, so that the legend has one line
MAX_LETTERS = 16  # of a class below its bar
COLUMNS, WIDE_COLUMNS = 26, 14  # letters, or longer symbols, that fit in a row
HEIGHT = 172
WIDTH, LETTER = 244, 5.6  # pixels of the columns together, on a laptop, and of a letter


def _has_many_targets(info: RunInfo) -> bool:
    """Return True if more than one step has a target."""
    return sum(info.counted) > 1


def _shown(info: RunInfo) -> np.ndarray:
    """Return the steps of the last predictions that fit."""
    most = COLUMNS if max(map(len, info.output_labels)) == 1 else WIDE_COLUMNS
    return np.flatnonzero(info.counted)[-most:]


def template(info: RunInfo) -> go.Figure:
    """A piano roll, bars or letters for symbols, a curve for values; on the left the input image, if there is one."""
    if info.pitches is not None:
        return piano_roll.template(info, HEIGHT)
    if info.outputs != "symbols":
        return _curve(info)
    return _with_image(info, _letters(info) if _has_many_targets(info) else _bars(info))


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Patch the prediction of this frame."""
    if info.pitches is not None:
        return piano_roll.patch(info, frame)
    if info.outputs != "symbols":
        return _curve_patch(info, frame)
    changed = _letters_patch(info, frame) if _has_many_targets(info) else _bars_patch(frame)
    if info.image:
        rows, columns = info.image
        pixels = frame.inputs.ravel() if not info.is_autoregressive else frame.inputs[0]
        changed[TRACES.path("image", "z")] = theme.float32(pixels[: rows * columns].reshape(rows, columns))
    return changed


def _with_image(info: RunInfo, figure: go.Figure) -> go.Figure:
    """Return the figure with the input image on its left."""
    if not info.image:
        return figure
    rows, columns = info.image
    figure.add_heatmap(
        z=np.zeros((rows, columns), np.float32), zmin=0, zmax=1, zauto=False, showscale=False, xaxis="x2", yaxis="y2",
        meta="sequential", colorscale=theme.SEQUENTIAL["light"], hoverinfo="skip",
    )  # fmt: skip
    figure.update_layout(
        margin={"l": 8},
        xaxis={"domain": [0.44, 1]},
        xaxis2={"domain": [0, 0.3], "visible": False, "fixedrange": True},
        yaxis2={"domain": [0, 1], "visible": False, "fixedrange": True, "autorange": "reversed", "anchor": "x2"},
    )
    return figure


def _bars(info: RunInfo) -> go.Figure:
    labels = [theme.escaped(label, MAX_LETTERS) for label in info.output_labels]
    bars = go.Bar(
        x=np.arange(len(labels)), y=np.zeros(len(labels), np.float32), customdata=labels,
        marker={"color": np.zeros(len(labels), np.float32), "cmin": 0, "cmax": 1, "line": {"width": 0},
                "colorscale": [[0, theme.GREY], [1, theme.RIGHT]]},
        hovertemplate="%{customdata}: %{y:.1%}<extra></extra>",
    )  # fmt: skip
    return theme.figure(
        bars,
        height=HEIGHT,
        revision="prediction",
        margin={"l": 46, "r": 14, "t": 22, "b": 26},
        xaxis={"tickvals": list(range(len(labels))), "ticktext": labels, "range": [-0.6, len(labels) - 0.4]},
        yaxis={"range": [0, 1.02], "tickformat": ".0%", "nticks": 5},
        bargap=0.25,
        annotations=[_target_mark(0)],
    )


def _target_mark(target: int) -> dict:
    return {"x": target, "y": 1.02, "yref": "paper", "yanchor": "bottom", "text": "target", "showarrow": False,
            "font": {"size": 11, "color": theme.RIGHT}}  # fmt: skip


def _bars_patch(frame: Frame) -> Patch:
    t, target = _last_counted(frame), _target(frame)
    colours = np.zeros(frame.outputs.shape[1], np.float32)
    colours[target] = 1
    return {
        TRACES.path("prediction", "y"): theme.float32(frame.outputs[t]),
        TRACES.path("prediction", "marker.color"): colours,
        "layout.annotations": [_target_mark(target)],
    }


def _last_counted(frame: Frame) -> int:
    return int(np.flatnonzero(frame.counted)[-1])


def _target(frame: Frame) -> int:
    return int(frame.targets[_last_counted(frame)])


def _row_names(info: RunInfo) -> list[str]:
    """Return the row names from the bottom up: guesses, then the target; "by itself" below both if autoregressive."""
    if not info.is_autoregressive:
        return ["3rd", "2nd", "1st guess", "target"][-1 - min(GUESSES, len(info.output_labels)) :]
    return ["by itself", "helped", "target"]


def _letters(info: RunInfo) -> go.Figure:
    shown, names = _shown(info), _row_names(info)
    size = (len(names), len(shown))
    heat = go.Heatmap(
        x=np.arange(len(shown)), y=np.arange(len(names)), z=np.zeros(size, np.float32), customdata=[shown] * len(names),
        text=[[""] * len(shown)] * len(names), texttemplate="%{text}",
        textfont={"size": 13 if max(map(len, info.output_labels)) <= 2 else 11},
        zmin=0, zmax=1, zauto=False, showscale=False, meta="sequential", colorscale=theme.SEQUENTIAL["light"],
        xgap=1, ygap=2, hovertemplate="t = %{customdata}: %{hovertext}, %{z:.0%}<extra></extra>",
    )  # fmt: skip
    ticks = np.unique(np.linspace(0, len(shown) - 1, min(8, len(shown))).round().astype(int))
    return theme.figure(
        heat,
        height=HEIGHT - 20,
        revision=f"letters-{info.time_steps}",
        margin={"l": 64, "r": 6, "t": 4, "b": 24},
        xaxis={"range": [-0.5, len(shown) - 0.5], "tickvals": ticks.tolist(),
               "ticktext": [f"t = {t}" if n == 0 else str(t) for n, t in enumerate(shown[ticks])]},
        yaxis={"tickvals": list(range(len(names))), "ticktext": names, "ticks": "",
               "range": [-0.55, len(names) - 0.45]},
    )  # fmt: skip


def _letters_patch(info: RunInfo, frame: Frame) -> Patch:
    shown = _shown(info)
    probabilities, targets = frame.outputs[shown], frame.targets[shown]  # (steps, classes), (steps,)
    if frame.free_outputs is None:
        best = np.argsort(-probabilities, axis=1)[:, :GUESSES]  # (steps, GUESSES), most probable first
        rows = [(probabilities, guess) for guess in best.T[::-1]]
    else:
        free = frame.free_outputs[shown]
        rows = [(free, free.argmax(1)), (probabilities, probabilities.argmax(1))]
    steps, rows = np.arange(len(shown)), [*rows, (probabilities, targets)]
    chosen = np.stack([values[steps, row] for values, row in rows])
    words = [[info.output_labels[token] for token in row] for _, row in rows]
    return {
        TRACES.path("prediction", "z"): chosen.astype(np.float32),
        TRACES.path("prediction", "text"): [[_fitting(word, len(shown)) for word in row] for row in words],
        TRACES.path("prediction", "hovertext"): [[theme.escaped(word) for word in row] for row in words],
    }


def _fitting(word: str, columns: int) -> str:
    """Return a word as long as its column is wide, on a laptop; the whole word is in the tooltip."""
    return theme.escaped(word, max(2, int(WIDTH / columns / LETTER)))


def _sign(info: RunInfo, name: str) -> int | None:
    """Return the number of the channel with this sign, if the data have one."""
    return channels.sign(info.experiment, name)


def _curve(info: RunInfo) -> go.Figure:
    steps, empty = info.time_steps, np.zeros(0, np.float32)
    t = np.arange(steps)
    hover = "t = %{x}: %{y:.2f}<extra>"
    marked = _sign(info, channels.MARK) is not None
    name = theme.escaped(channels.quantity(info.experiment), MAX_NAME)
    mode = "lines+markers" if _has_many_targets(info) else "markers"
    ticks = theme.named_ticks(info.step_names) if info.step_names else {"nticks": 8}
    traces = CURVES.in_order(
        input=go.Scatter(x=t, y=np.full(steps, np.nan, np.float32), name=name,
                         mode="markers" if marked else "lines+markers", line={"color": theme.QUIET, "width": 1.5},
                         marker={"color": theme.GHOST, "size": 5, "line": {"width": 0}},
                         hovertemplate=hover + "input</extra>"),
        target=go.Scatter(x=empty, y=empty, name="target", mode=mode,
                          line={"color": theme.RIGHT, "width": 2},
                          marker={"symbol": "circle-open", "size": 10, "color": theme.RIGHT, "line": {"width": 2}},
                          hovertemplate=hover + "target</extra>"),
        prediction=go.Scatter(x=empty, y=empty, name="prediction", mode=mode,
                              line={"color": theme.INK, "width": 2}, marker={"size": 7, "color": theme.INK},
                              hovertemplate=hover + "prediction</extra>"),
    )  # fmt: skip
    return theme.figure(
        *traces,
        height=HEIGHT,
        revision=f"curve-{steps}",
        margin={"l": 46, "r": 14, "t": 26, "b": 26},
        xaxis={
            "range": [-0.8, steps + 0.8],
            **ticks,
        },
        yaxis={"nticks": 5, "range": [0, 2]} if marked else {"nticks": 5},
        showlegend=True,
    )


def _curve_patch(info: RunInfo, frame: Frame) -> Patch:
    """Patch the curve: a prediction is drawn at the step that it predicts.

    This is the step after, or the same step if each step has its own value as target.
    """
    steps = np.flatnonzero(frame.counted)
    predicted = steps if _has_many_targets(info) and not info.causal else steps + 1
    read = frame.inputs[:, 0]
    if (hidden := _sign(info, channels.HIDDEN)) is not None:
        read = np.where(frame.inputs[:, hidden] > 0, np.nan, read)
    changed: Patch = {CURVES.path("input", "y"): theme.float32(read)}
    if (mark := _sign(info, channels.MARK)) is not None:
        chosen = frame.inputs[:, mark] > 0
        changed[CURVES.path("input", "marker.symbol")] = ["diamond" if is_chosen else "circle" for is_chosen in chosen]
        changed[CURVES.path("input", "marker.size")] = np.where(chosen, 12, 4).astype(np.float32)
    for trace, values in (("target", frame.targets), ("prediction", frame.outputs)):
        changed[CURVES.path(trace, "x")] = predicted.astype(np.float32)
        changed[CURVES.path(trace, "y")] = theme.float32(values[steps, 0])
    return changed


def readout(info: RunInfo, frame: Frame) -> str:
    """Return the last prediction and its target."""
    t = _last_counted(frame)
    if info.outputs == "values":
        return f"predicts {short(float(frame.outputs[t, 0]))} · target {short(float(frame.targets[t, 0]))}"
    if not np.isfinite(frame.outputs[t]).all():
        return "no prediction: not finite"
    if frame.free_outputs is not None:
        right = (frame.free_outputs.argmax(-1) == frame.targets)[frame.counted]
        return f"by itself {right.sum()} of {len(right)} right"
    predicted, target = int(np.argmax(frame.outputs[t])), _target(frame)
    labels = [theme.symbol(info.output_labels[token]) for token in (predicted, target)]
    return f"predicts {labels[0]} ({frame.outputs[t, predicted]:.0%}) · target {labels[1]}"


def _look_for(info: RunInfo) -> str:
    if info.pitches is not None:
        return piano_roll.LOOK_FOR
    if _sign(info, channels.MARK) is not None:
        return f"The target is the {info.output_labels[0]} of the two diamonds: the full dot must meet the ring."
    if info.outputs == "values":
        return "Where the full dot meets the ring, the prediction is right."
    if info.is_autoregressive:
        return "Helped: it reads the target of the step before. By itself: it reads its own outputs."
    if _has_many_targets(info):
        return "Top row: the target. Below: its best guesses; a stronger colour is a higher probability."
    return "One bar per class. Equal bars mean that the network cannot tell."


FIGURE = LiveFigure(
    title=lambda info: "Prediction",
    look_for=_look_for,
    how=lambda info: (
        "The prediction for the drawn sequence in evaluation mode, beside the target. Where outputs are fed back "
        "it reads the true ones, except in the row “by itself”. engine/model/network.py, predictions."
    ),
    label="The network's prediction against the target, on one held-out sequence",
    tab=LEARNING,
    over="training",
    template=template,
    patch=patch,
    readout=readout,
)
