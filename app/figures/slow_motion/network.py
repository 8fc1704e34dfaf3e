"""The network of one update, unrolled in time: inputs, states, outputs, and the loss of every step."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.over_time import hidden
from app.figures.unrolled import layout, symbols, wires
from engine.frame import RunInfo
from engine.number_format import short
from engine.slow_motion.update_trace import UpdateTrace

HEIGHT = 500
"""Height in pixels of all five figures."""
ANSWER, RIGHT, CEILING = 0.0, 0.4, 0.66  # above the row of the answers
NETWORK, PANEL = [0, 0.78], [0.83, 1]  # of the height: the network, and the loss of every step
LETTER = 8  # pixels, of the answers
ROW_NAMES: dict[str, Any] = {"tickfont": {"size": 13}, "ticklabelstandoff": 6}
OLD: dict[str, str] = {}
"""The axes of the parts drawn in an earlier phase."""
NEW = {"xaxis": "x2", "yaxis": "y2"}
"""The axes of the new part of a figure."""


def seen(info: RunInfo, r: UpdateTrace) -> RunInfo:
    """Adapt the run's info: the sequence is one of the batch, and layers above the recurrent ones are not drawn."""
    valid, counted = (tuple(mask.tolist()) for mask in (r.valid, r.counted))
    return dataclasses.replace(info, experiment=r.experiment, output_layers=0, valid=valid, counted=counted)


def unrolled(info: RunInfo, r: UpdateTrace, traces: list, *, answered: bool = True) -> go.Figure:
    """Draw the fixed parts and these traces.

    Fixed are the frames of the states, the connecting lines and the names of the rows, pale if still empty.
    """
    rows, columns = layout.ticks(info), layout.columns(info)
    top, below = layout.top(info), len(info.chains) + 1
    ceiling = top + CEILING + (0.35 if info.encoder_steps else 0)
    later = ["says", "right answer", "loss"]
    if not answered:
        later = [f'<span style="color:{theme.GHOST}">{name}</span>' for name in later]
    names, loss = [*rows["ticktext"][:below], *later[:2]], later[2]
    time, height = theme.time_axis(info.time_steps), [-0.32, ceiling]
    above = {**time, "overlaying": "x", "visible": False}
    halves = [{**note, "y": ceiling} for note in wires.halves(info)]
    return theme.figure(
        wires.wires(info), _frames(info), wires.context(info), _empty_losses(), *traces,
        height=HEIGHT,
        revision=f"slow-{info.time_steps}",
        margin={"l": 92, "r": 84, "t": 8, "b": 30},
        barmode="overlay",
        xaxis={**time, "anchor": "y", "tickvals": columns.tolist(), "ticks": "", "showline": False,
               "tickfont": {"size": 13},
               "ticktext": [f"t = {t}" if t in (0, columns[-1]) else str(t) for t in columns]},
        yaxis={"domain": NETWORK, "range": height, "showgrid": False, "ticks": "", "showline": False, **ROW_NAMES,
               "tickvals": [*rows["tickvals"][:below], top + ANSWER, top + RIGHT], "ticktext": names},
        xaxis2={**above, "anchor": "y2"},
        yaxis2={"domain": NETWORK, "range": height, "overlaying": "y", "visible": False, "anchor": "x2"},
        yaxis3={"domain": PANEL, "range": [0, 1.45 * _highest(r)], "showgrid": False, "showline": False, "anchor": "x",
                "tickvals": [0], "ticktext": [loss], "ticks": "", **ROW_NAMES, "zeroline": True,
                "zerolinecolor": theme.QUIET},
        shapes=[shape for shape in theme.marks_in_time(info) if shape["type"] != "rect" or info.time_steps > 1],
        annotations=halves,
    )  # fmt: skip


def lines(points: Iterable[tuple[float, float]]) -> dict[str, list]:
    """Return x and y of these points; None interrupts the line."""
    x, y = zip(*points, strict=True) if points else ((), ())
    return {"x": list(x), "y": list(y)}


def _frames(info: RunInfo) -> go.Scatter:
    """Return an empty frame for every state."""
    half, high = layout.half_width(info), layout.HALF
    points: list = []
    for row in range(1, len(info.chains) + 1):
        for t in layout.real(info).tolist():
            left, right, low, up = t - half, t + half, row - high, row + high
            points += [(left, low), (right, low), (right, up), (left, up), (left, low), (None, None)]
    return go.Scatter(**lines(points), mode="lines", line={"color": theme.QUIET, "width": 1}, hoverinfo="skip")


def _empty_losses() -> go.Scatter:
    """Return an invisible point that keeps the losses' axis while there are none."""
    return go.Scatter(x=[0], y=[0], xaxis="x", yaxis="y3", mode="markers", marker={"opacity": 0}, hoverinfo="skip")


def strips(info: RunInfo, blocks: list[tuple[int, np.ndarray]], **style: Any) -> go.Heatmap:
    """Return strips at the drawn steps from (row, (cells, T)), the lowest row first; padding is empty."""
    columns, half = layout.columns(info), layout.half_width(info)
    there = np.array(info.valid)[columns]
    z: list[np.ndarray] = []
    for _, values in blocks:
        cells = np.full((len(values) + 1, 2 * len(columns) - 1), np.nan, np.float32)
        cells[:-1, ::2] = np.where(there, values[:, columns], np.nan)
        z.append(cells)
    edges = [row + np.linspace(-layout.HALF, layout.HALF, len(values) + 1) for row, values in blocks]
    x = np.stack([columns - half, columns + half], 1).ravel()
    return go.Heatmap(x=x, y=np.concatenate(edges), z=np.concatenate(z)[:-1], zauto=False, hoverongaps=False, **style)


def legend(title: str, values: list[float], text: list[str]) -> dict:
    """Return a narrow colour bar at the right."""
    return {"title": {"text": title, "side": "top"}, "thickness": 9, "len": 0.5, "y": 0.38, "x": 1.005,
            "outlinewidth": 0, "tickvals": values, "ticktext": text, "tickfont": {"size": 11}}  # fmt: skip


def states(info: RunInfo, r: UpdateTrace, axes: dict[str, str]) -> go.Heatmap:
    """Return every state as a strip of units, and the inputs if they have many channels."""
    units, scale = layout.units(info), hidden.scale_of(r.hidden)
    blocks = [(row, r.hidden[layer, d][:, units].T) for row, (layer, d) in enumerate(info.chains, start=1)]
    if channels := layout.strip_channels(info):
        blocks.insert(0, (0, r.inputs[:, :channels].T))
    bar = legend("state", [-scale, 0, scale], [f"−{scale:g}", "0", f"+{scale:g}"])
    return strips(info, blocks, **axes, zmin=-scale, zmax=scale, meta="diverging", colorbar=bar,
                   colorscale=theme.DIVERGING["light"], hovertemplate="h = %{z:.3f}<extra></extra>")  # fmt: skip


def text(x: np.ndarray, row: float, text: list[str], axes: dict[str, str], **style: Any) -> go.Scatter:
    return go.Scatter(x=x.tolist(), y=[row] * len(x), text=text, mode="text", hoverinfo="skip",
                      textfont={"size": 15, **style}, **axes)  # fmt: skip


def read(info: RunInfo, r: UpdateTrace, axes: dict[str, str]) -> list[go.Scatter]:
    """Return the inputs."""
    columns = layout.columns(info)
    return [text(columns, 0, [symbols.read(info, r, t) for t in columns], axes)]


def answers(info: RunInfo, r: UpdateTrace, axes: dict[str, str]) -> list[go.Scatter]:
    """Return the outputs, green with a tick if right, and the targets."""
    steps, top = layout.answer_steps(info), layout.top(info)
    answered = [symbols.answer(info, r, t) for t in steps]
    colours = [theme.RIGHT if right else theme.INK for _, right in answered]
    size = 15 if len(steps) < 13 else 12
    alone = "middle left" if _leaves_the_picture(info) else "middle center"
    rows = [
        text(steps, top + ANSWER, [text for text, _ in answered], axes, color=colours, size=size),
        text(steps, top + RIGHT, [target(info, r, t) for t in steps], axes, size=size),
    ]
    return [row.update(textposition=alone) for row in rows]


def _leaves_the_picture(info: RunInfo) -> bool:
    """Return True if the only output, at the right end, is wider than the room there."""
    if info.time_steps == 1 or layout.answer_steps(info).tolist() != [info.time_steps - 1]:
        return False
    room = -theme.time_axis(info.time_steps)["range"][0]
    return bool(layout.steps_of(info, LETTER * (layout.longest(info) + 6) / 2) > room)


def target(info: RunInfo, r: UpdateTrace, t: int) -> str:
    """Return the target at t."""
    if info.outputs == "symbols":
        return theme.symbol(info.output_labels[int(r.targets[t])])
    return f"{float(r.targets[t, 0]):.2f}".replace("-", "−")


def _highest(r: UpdateTrace) -> float:
    losses_there = np.concatenate([r.loss_per_step, r.batch_loss_per_step])
    return float(np.max(losses_there[np.isfinite(losses_there)], initial=1e-9))


def losses(info: RunInfo, r: UpdateTrace, axis: str) -> list:
    """Return a bar for the loss of every step of this sequence, and a mark for the mean of the batch."""
    t = np.flatnonzero(r.counted)
    width = 2 * layout.half_width(info) if len(t) <= layout.MAX_COLUMNS else 0.8
    high, few = np.maximum(r.loss_per_step[t], r.batch_loss_per_step[t]), len(t) <= layout.MAX_COLUMNS
    axes = {"xaxis": axis, "yaxis": "y3"}
    return [
        go.Bar(x=t, y=r.loss_per_step[t], width=width,
               marker={"color": theme.PALE_GREY, "line": {"width": 1, "color": theme.GREY}}, **axes,
               hovertemplate="t = %{x}<br>loss of this sequence %{y:.3g}<extra></extra>"),
        go.Scatter(x=t, y=r.batch_loss_per_step[t], mode="markers", **axes,
                   marker={"symbol": "line-ew", "size": 20 if few else 6,
                           "line": {"width": 2.5, "color": theme.INK}},
                   hovertemplate="t = %{x}<br>mean of the batch %{y:.3g}<extra></extra>"),
        go.Scatter(x=t, y=high, text=[short(value) if few else "" for value in r.loss_per_step[t]], mode="text",
                   textposition="top center", textfont={"size": 12}, hoverinfo="skip", **axes),
    ]  # fmt: skip
