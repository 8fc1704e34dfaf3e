"""The gates of one layer: the mean over its units at each step, above the input symbols."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import plotly.graph_objects as go

from app.figures import theme, token_labels
from app.figures.base import GATES, ChainFigure, Curves, Patch
from engine.frame import Chain, Look
from engine.frame.readings import saturation
from engine.number_format import short

CANDIDATES = ("cell_candidate", "candidate")
STYLES = {  # dash, marker
    "forget_gate": ("solid", "circle"),
    "update_gate": ("solid", "circle"),
    "retain_factor": ("solid", "circle"),
    "input_gate": ("dash", "triangle-up"),
    "output_gate": ("dot", "square"),
    "reset_gate": ("dot", "square"),
    "cell_candidate": ("dashdot", "x-thin-open"),
    "candidate": ("dashdot", "x-thin-open"),
}
LIMITS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
"""Between which values a gate lies, by its activation function; one without any has no limits."""
MAX_MARKERS = 40  # with more steps, lines have no markers
SPREAD = (0.1, 0.9)  # quantiles over the units
Series = tuple[Callable[[], go.Scatter], Callable[[Look], Patch]]
"""What makes a trace, once per run, and what patches it, with every frame."""


def template(info: Chain) -> go.Figure:
    """One line per gate and a band for the gate that keeps the old state; candidates are hidden until clicked."""
    labels = info.input_labels if info.inputs == "symbols" else None
    with_words = token_labels.shown(info, labels)
    lowest = min(LIMITS[activation(info, gate)][0] for gate in info.gates if gate not in CANDIDATES)
    bounded = all(activation(info, gate) in LIMITS for gate in info.gates)
    return theme.figure(
        *(trace() for trace, _ in _series(info)),
        height=196 if with_words and max(map(len, info.input_labels)) > 1 else 164,
        revision=f"time-{info.time_steps}",
        margin={**theme.TIME_MARGIN, "t": 24, "b": 24},
        xaxis=token_labels.axis(info, labels),
        # only a candidate, when shown, widens the axis: to -1 ... 1, or as far as it goes
        yaxis={
            "autorangeoptions": {"include": [lowest, 1]},
            **({"dtick": 0.5, "tickformat": ".1f"} if bounded else {"nticks": 5}),
            **({"zeroline": True, "zerolinecolor": theme.QUIET, "zerolinewidth": 1} if lowest < 0 else {}),
        },
        shapes=theme.marks_in_time(info),
        annotations=[token_labels.caption("input")] if with_words else [],
        showlegend=True,
        legend={"traceorder": "normal"},  # a gate and its band side by side
    )


def activation(info: Chain, gate: str) -> str:
    """Return the function that gives a gate its value; for a candidate without one, what it is made of."""
    cell = info.cell_kind
    return cell.structure.values[cell.letters[cell.gates.index(gate)]].made_by


def _keeping(info: Chain) -> str | None:
    """Return the gate that keeps the old state; None without one."""
    return info.cell_kind.retain_gate


def _series(info: Chain) -> list[Series]:
    """Return for every trace the functions that make and patch it."""
    keeping = [gate for gate in info.gates if gate == _keeping(info)]
    candidates = [gate for gate in info.gates if gate in CANDIDATES]
    others = [gate for gate in info.gates if gate not in (*keeping, *candidates)]
    traces = [_band(info, gate) for gate in keeping]
    traces += [_line(info, gate) for gate in (*keeping, *others, *candidates)]
    return traces + [_lower_end(gate) for gate in candidates if activation(info, gate) in LIMITS]


def _line(info: Chain, gate: str) -> Series:
    dash, symbol = STYLES[gate]
    name, colour = _name(gate), theme.GATES[gate]
    steps, empty = info.time_steps, np.full(info.time_steps, np.nan, np.float32)
    trace = partial(
        go.Scatter,
        x=np.arange(steps), y=empty, text=[""] * steps, customdata=np.stack([empty, empty], 1), name=name,
        legendrank=1 if gate == _keeping(info) else 3,
        mode="lines+markers" if steps <= MAX_MARKERS else "lines", legendgroup=gate,
        line={"color": colour, "dash": dash, "width": 2.2 if gate == _keeping(info) else 1.6},
        marker={"color": colour, "symbol": symbol, "size": 5, "line": {"width": 1, "color": colour}},
        visible="legendonly" if gate in CANDIDATES else True,
        hovertemplate=f"t = %{{x:d}}%{{text}}: {name} %{{y:.2f}}<br>8 in 10 units: %{{customdata[0]:.2f}} to "
                      "%{customdata[1]:.2f}<extra></extra>",
    )  # fmt: skip

    def of_frame(frame: Look) -> Patch:
        values = _of_chain(info, frame, gate)
        labels = [f" “{word}”" if word else "" for word in token_labels.inputs(info, frame)]
        return {"y": theme.float32(values.mean(1)), "customdata": theme.float32(_spread(values).T), "text": labels}

    return trace, of_frame


def _band(info: Chain, gate: str) -> Series:
    """The band from the 10th to the 90th percentile of the units: one closed polygon per run of real steps."""
    colour = theme.GATES[gate]
    trace = partial(
        go.Scatter,
        x=np.zeros(0, np.float32), y=np.zeros(0, np.float32), name="8 in 10 of its units", mode="lines", fill="toself",
        legendrank=2,
        fillcolor=f"rgba({','.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))},0.2)", legendgroup=gate,
        line={"width": 0, "color": colour}, hoverinfo="skip",
    )  # fmt: skip

    def of_frame(frame: Look) -> Patch:
        low, high = _spread(_of_chain(info, frame, gate))
        there = np.flatnonzero(np.isfinite(low))
        x, y = [], []
        for piece in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1):
            x += [*piece, *piece[::-1], np.nan]
            y += [*low[piece], *high[piece[::-1]], np.nan]
        return {"x": theme.float32(x), "y": theme.float32(y)}

    return trace, of_frame


def _lower_end(gate: str) -> Series:
    """An invisible point, shown with its candidate, so that the axis starts at -1."""
    trace = partial(
        go.Scatter,
        x=[0], y=[-1], mode="markers", marker={"size": 1, "opacity": 0}, hoverinfo="skip", legendgroup=gate,
        showlegend=False, visible="legendonly", name="",
    )  # fmt: skip
    return trace, lambda frame: {}


def _there(info: Chain, frame: Look) -> np.ndarray:
    """Return (T,) bool: the real steps that the shown chain has."""
    return frame.valid & info.has(info.shown_chain[1])


def _of_chain(info: Chain, frame: Look, gate: str) -> np.ndarray:
    """Return (T, units) of the layer that is shown; NaN in padding and where a number is not finite."""
    values = np.where(_there(info, frame)[:, None], frame.gates[gate][info.shown_chain], np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def _spread(values: np.ndarray) -> np.ndarray:
    """Return (2, T), the limits between which 8 in 10 units lie."""
    return np.quantile(values, SPREAD, axis=1)


def _name(gate: str) -> str:
    return gate.replace("_", " ")


def patch(info: Chain, frame: Look, curves: Curves) -> Patch:
    """Patch every line, the band and the tick labels."""
    labels = info.input_labels if info.inputs == "symbols" else None
    changed = token_labels.ticks(info, token_labels.inputs(info, frame)) if token_labels.shown(info, labels) else {}
    for index, (_, of_frame) in enumerate(_series(info)):
        changed |= {f"data.{index}.{key}": value for key, value in of_frame(frame).items()}
    return changed


def readout(info: Chain, frame: Look) -> str:
    """Return each gate's mean over units and real steps, and the share of saturated values.

    Where a gate can be negative, also the mean of its absolute value: values with opposite signs cancel in the mean.
    """
    means, shares = [], []
    for gate in info.gates:
        if gate in CANDIDATES:
            continue
        values = _of_chain(info, frame, gate)[_there(info, frame)]
        means.append(f"{_name(gate).removesuffix(' gate')} {_short(float(values.mean()))}")
        if LIMITS[activation(info, gate)][0] < 0:
            means.append(f"absolute value {_short(float(np.abs(values).mean()))}")
        shares.append(saturation(values, activation(info, gate)).mean())
    return f"mean {' · '.join(means)} · {np.mean(shares):.0%} saturated"


def _short(value: float) -> str:
    return f"{'−' if value < 0 else ''}{short(abs(value))}"


def _look_for(info: Chain) -> str:
    keeping = _keeping(info)
    if keeping is None:
        return "No gate can forget: what the input gate lets in is added to the cell state and stays."
    if activation(info, keeping) == "tanh":
        return (
            "Near 1 the old state is kept, near −1 it is kept with the opposite sign, near 0 it is forgotten. Mean "
            "over the units: see the band too."
        )
    if keeping == "update_gate":
        return "Update gate near 1 keeps the old state. Mean over the units."
    name = _name(keeping).capitalize()
    return f"{name} near 1: the old state is kept. Near 0: it is forgotten. Mean over the units."


def _title(info: Chain) -> str:
    return "Gates" + theme.chain_suffix(info)


FIGURE = ChainFigure(
    title=_title,
    look_for=_look_for,
    how=lambda info: (
        "Recomputed from the states, inputs and weights of the drawn sequence with the cell's equations; "
        "lines are means over the units of one layer. Saturated: within 0.05 of a limit. engine/cells."
    ),
    label="The value of every gate at each time step, the mean over the units",
    tab=GATES,
    over="time",
    applies=lambda info: bool(info.gates),
    template=template,
    patch=patch,
    readout=readout,
)
