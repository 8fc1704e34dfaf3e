"""The network unrolled in time: input below, states as strips of units, output above, and the gradient going back.

Everything drawn is from the one measured forward pass. An autoregressive network reads the targets in it (teacher
forcing), never its outputs; the outputs of a free-running pass have their own row.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import STATE, Curves, LiveFigure, Patch, Traces
from app.figures.over_time.hidden import scale_of
from app.figures.unrolled import arrows, layout, symbols, wires
from engine.frame import Frame, RunInfo

TRACES = Traces(
    "strips", "wires", "truth", "context", "hover", "inputs", "outputs", "targets", "free_outputs"
)  # fmt: skip
"""The first traces; the arrows follow, one trace for each decade."""


def template(info: RunInfo) -> go.Figure:
    """Strips, connecting lines, texts, and empty arrows."""
    columns, answered, top = layout.columns(info), layout.answer_steps(info), layout.top(info)
    points = np.array([(t, row + 1) for row in range(len(info.chains)) for t in columns], np.float32)
    hover = go.Scatter(
        x=points[:, 0], y=points[:, 1], mode="markers", marker={"size": 22, "opacity": 0},
        customdata=[""] * len(points), hovertemplate="t = %{x}<br>%{customdata}<extra></extra>",
    )  # fmt: skip
    beside = answered if info.is_autoregressive else answered[:0]
    taller = (44 * layout.FREE_ABOVE if info.is_autoregressive else 0) + (18 if info.encoder_steps else 0)
    return theme.figure(
        *TRACES.in_order(
            strips=_strips(info),
            wires=wires.wires(info),
            truth=wires.truth(info),
            context=wires.context(info),
            hover=hover,
            inputs=_labels(columns, 0, 13 if max(map(len, info.input_labels)) <= 3 else 11),
            outputs=_outputs(info),
            targets=_labels(beside, top + layout.TARGETS_ABOVE, 13),
            free_outputs=_labels(beside, top + layout.FREE_ABOVE, 13),
        ),
        *arrows.traces(),
        height=round(130 + 44 * (top - 2) + taller),
        revision=f"time-{info.time_steps}",
        margin={**theme.TIME_MARGIN, "t": 4, "b": 4},
        xaxis={**theme.time_axis(info.time_steps), "visible": False},
        yaxis={"range": [-0.45, layout.ceiling(info)], **layout.ticks(info), "showgrid": False, "ticks": "",
               "showline": False, "ticklabelstandoff": 6},
        shapes=theme.marks_in_time(info),
        annotations=wires.halves(info),
    )  # fmt: skip


def _strips(info: RunInfo) -> go.Heatmap:
    """Return empty strips: cells from the bottom up, with one empty cell between two strips."""
    columns, half = layout.columns(info), layout.half_width(info)
    cells = len(layout.units(info))
    y = [row + 1 + np.linspace(-layout.HALF, layout.HALF, cells + 1) for row in range(layout.top(info) - 1)]
    if channels := layout.strip_channels(info):
        y.insert(0, np.linspace(-layout.HALF, layout.HALF, channels + 1))
    edges_x, edges_y = np.stack([columns - half, columns + half], 1).ravel(), np.concatenate(y)
    return go.Heatmap(
        x=edges_x, y=edges_y, z=np.full((len(edges_y) - 1, len(edges_x) - 1), np.nan, np.float32),
        zmin=-1, zmax=1, zauto=False, showscale=False, meta="diverging", colorscale=theme.DIVERGING["light"],
        hoverinfo="skip",
    )  # fmt: skip


def _labels(columns: np.ndarray, row: float, size: int) -> go.Scatter:
    """Return texts in a row, not empty: for an empty text Plotly makes no element, and none later either."""
    return go.Scatter(
        x=columns.tolist(), y=[row] * len(columns), text=[symbols.NOTHING] * len(columns), textfont={"size": size},
        mode="text", hoverinfo="skip", cliponaxis=False,
    )  # fmt: skip


def _outputs(info: RunInfo) -> go.Scatter:
    """Return the outputs; a single one at the right end is left of its line, where the edge would cut it."""
    answered = layout.answer_steps(info)
    answers = _labels(answered, layout.top(info), 11 if info.outputs == "values" and len(answered) > 8 else 13)
    if answered.tolist() == [info.time_steps - 1] and info.time_steps > 1:
        answers.update(textposition="middle left")
    return answers


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Patch states, arrows, inputs and outputs of the drawn sequence."""
    columns, answered = layout.columns(info), layout.answer_steps(info)
    scale = scale_of(frame.hidden)
    changed: Patch = {
        TRACES.path("strips", "z"): _states(info, frame, columns),
        TRACES.path("strips", "zmin"): -scale,
        TRACES.path("strips", "zmax"): scale,
        TRACES.path("hover", "customdata"): [
            symbols.hover(info, frame, layer, d, t) for layer, d in info.chains for t in columns
        ],
        TRACES.path("inputs", "text"): [symbols.read(info, frame, t) for t in columns],
        **_answers("outputs", [symbols.answer(info, frame, t) for t in answered]),
    }
    if info.is_autoregressive:
        changed[TRACES.path("targets", "text")] = [theme.escaped(symbols.target(info, frame, t)) for t in answered]
        changed |= _answers("free_outputs", [symbols.by_itself(info, frame, t) for t in answered])
    for index, (x, y, size, symbol) in enumerate(arrows.arrows(info, frame), start=len(TRACES)):
        trace = f"data.{index}"
        changed |= {f"{trace}.x": x, f"{trace}.y": y, f"{trace}.marker.size": size, f"{trace}.marker.symbol": symbol}
    return changed


def _answers(trace: str, answers: list[tuple[str, bool]]) -> Patch:
    return {
        TRACES.path(trace, "text"): [text for text, _ in answers],
        TRACES.path(trace, "textfont.color"): [theme.RIGHT if right else theme.INK for _, right in answers],
    }


def _states(info: RunInfo, frame: Frame, columns: np.ndarray) -> np.ndarray:
    """Return the cells of the strips, (rows of cells, 2 * columns - 1) float32; NaN between them."""
    units = layout.units(info)
    rows = [np.where(info.has(d)[:, None], frame.hidden[layer, d][:, units], np.nan) for layer, d in info.chains]
    rows += [row[:, units] for row in frame.upper]
    if channels := layout.strip_channels(info):
        rows.insert(0, frame.inputs[:, :channels])
    blocks = []
    for values in rows:
        cells = np.full((values.shape[1], 2 * len(columns) - 1), np.nan, np.float32)
        cells[:, ::2] = np.where(frame.valid[columns], values[columns].T, np.nan)
        blocks += [cells, np.full((1, cells.shape[1]), np.nan, np.float32)]
    return np.concatenate(blocks[:-1])


def readout(info: RunInfo, frame: Frame) -> str:
    """Return how many steps are drawn, if not all are."""
    drawn = len(layout.columns(info))
    return f"{drawn} of {info.time_steps} steps drawn" if drawn < info.time_steps else ""


def _look_for(info: RunInfo) -> str:
    if info.time_steps == 1:
        return (
            "One step: the input goes up, the output comes out. Nothing is remembered, no gradient goes back in time."
        )
    if not info.has_links:
        how = "No links between the steps: each output depends on its own input. Compare a recurrent cell."
    else:
        how = "Arrows go back from the loss: thicker is more gradient."
    if info.is_autoregressive:
        return f"{_feedback(info)} {how}"
    return f"The same weights at every step. {how}" if info.has_links else how


def _feedback(info: RunInfo) -> str:
    """Return a sentence on the inputs of an autoregressive network after its first step."""
    forced = info.experiment.teacher_forcing
    trained = "as in training" if forced == 1 else f"in training {forced:.0%} of the time" if forced else (
        "in training never")  # fmt: skip
    crosses = "The decoder knows only what passes through the diamonds. " if info.encoder_steps else ""
    if info.experiment.attention != "none":
        crosses = "The decoder starts from the diamonds, and reads all states of the encoder by attention (not drawn). "
    return (
        f"{crosses}Here the next input is the target (dotted; {trained}), not its own output. "
        "Top row: it reads its own outputs instead."
    )


FIGURE = LiveFigure(
    title=lambda info: "The network, unrolled in time",
    look_for=_look_for,
    how=lambda info: (
        "The first sequence of the probe at the network's present weights, in evaluation mode. An arrow's width and "
        "colour show the decade of ‖dl/dh‖ of this one sequence at the step that it points to; the numbers at the end "
        "are the network's probabilities. engine/training/trainer.py, Trainer.frame."
    ),
    label="The unrolled network: inputs, states, outputs, and arrows as wide as the log of the gradient",
    tab=STATE,
    over="time",
    template=template,
    patch=patch,
    readout=readout,
)
