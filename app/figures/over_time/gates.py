"""What the gates do: the mean over the units of the top layer at each step, above the words that were read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go

from app.figures import theme, token_labels
from app.figures.base import Curves, LiveFigure, Patch
from engine.frame import Frame, RunInfo
from engine.frame.readings import saturation
from engine.number_format import short

KEEPS = ("forget_gate", "update_gate")
CANDIDATES = ("cell_candidate", "candidate")
STYLES = {  # dash, marker
    "forget_gate": ("solid", "circle"),
    "update_gate": ("solid", "circle"),
    "input_gate": ("dash", "triangle-up"),
    "output_gate": ("dot", "square"),
    "reset_gate": ("dot", "square"),
    "cell_candidate": ("dashdot", "x-thin-open"),
    "candidate": ("dashdot", "x-thin-open"),
}
MAX_MARKERS = 40  # more steps than this are lines alone
SPREAD = (0.1, 0.9)  # of the units
Series = tuple[go.Scatter, Callable[[Frame], Patch]]


def template(info: RunInfo) -> go.Figure:
    """A line per gate, a band for the gate that keeps the old state; candidates wait in the legend."""
    labels = info.input_labels if info.inputs == "symbols" else None
    with_words = token_labels.shown(info, labels)
    return theme.figure(
        *(trace for trace, _ in _series(info)),
        height=196 if with_words and max(map(len, info.input_labels)) > 1 else 164,
        revision=f"time-{info.time_steps}",
        margin={**theme.TIME_MARGIN, "t": 24, "b": 24},
        xaxis=token_labels.axis(info, labels),
        # a candidate that is asked for widens the axis to -1 ... 1, and nothing else does
        yaxis={"autorangeoptions": {"include": [0, 1]}, "dtick": 0.5, "tickformat": ".1f"},
        shapes=theme.marks_in_time(info),
        annotations=[token_labels.caption("read")] if with_words else [],
        showlegend=True,
        legend={"traceorder": "normal"},  # a gate and its band beside each other, not one below the other
    )


def _series(info: RunInfo) -> list[Series]:
    """Every trace, and what a frame changes in it."""
    kept = [gate for gate in info.gates if gate in KEEPS]
    wanted = [gate for gate in info.gates if gate in CANDIDATES]
    others = [gate for gate in info.gates if gate not in (*KEEPS, *CANDIDATES)]
    traces = [_band(gate) for gate in kept]
    traces += [_line(info, gate) for gate in (*kept, *others, *wanted)]
    return traces + [_lower_end(gate) for gate in wanted]


def _line(info: RunInfo, gate: str) -> Series:
    dash, symbol = STYLES[gate]
    name, colour = _name(gate), theme.GATES[gate]
    steps, empty = info.time_steps, np.full(info.time_steps, np.nan, np.float32)
    trace = go.Scatter(
        x=np.arange(steps), y=empty, text=[""] * steps, customdata=np.stack([empty, empty], 1), name=name,
        legendrank=1 if gate in KEEPS else 3,
        mode="lines+markers" if steps <= MAX_MARKERS else "lines", legendgroup=gate,
        line={"color": colour, "dash": dash, "width": 2.2 if gate in KEEPS else 1.6},
        marker={"color": colour, "symbol": symbol, "size": 5, "line": {"width": 1, "color": colour}},
        visible="legendonly" if gate in CANDIDATES else True,
        hovertemplate=f"t = %{{x:d}}%{{text}}: {name} %{{y:.2f}}<br>8 in 10 units: %{{customdata[0]:.2f}} to "
                      "%{customdata[1]:.2f}<extra></extra>",
    )  # fmt: skip

    def of_frame(frame: Frame) -> Patch:
        values = _of_top(frame, gate)
        labels = [f" “{word}”" if word else "" for word in token_labels.read(info, frame)]
        return {"y": theme.f4(values.mean(1)), "customdata": theme.f4(_spread(values).T), "text": labels}

    return trace, of_frame


def _band(gate: str) -> Series:
    """Between the tenth and the ninetieth percentile of the units: one closed piece per stretch of real steps."""
    colour = theme.GATES[gate]
    trace = go.Scatter(
        x=np.zeros(0, np.float32), y=np.zeros(0, np.float32), name="8 in 10 of its units", mode="lines", fill="toself",
        legendrank=2,
        fillcolor=f"rgba({','.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))},0.2)", legendgroup=gate,
        line={"width": 0, "color": colour}, hoverinfo="skip",
    )  # fmt: skip

    def of_frame(frame: Frame) -> Patch:
        low, high = _spread(_of_top(frame, gate))
        there = np.flatnonzero(np.isfinite(low))
        x, y = [], []
        for piece in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1):
            x += [*piece, *piece[::-1], np.nan]
            y += [*low[piece], *high[piece[::-1]], np.nan]
        return {"x": theme.f4(x), "y": theme.f4(y)}

    return trace, of_frame


def _lower_end(gate: str) -> Series:
    """A point that is not seen: shown with its candidate, it holds the axis at -1."""
    trace = go.Scatter(
        x=[0], y=[-1], mode="markers", marker={"size": 1, "opacity": 0}, hoverinfo="skip", legendgroup=gate,
        showlegend=False, visible="legendonly", name="",
    )  # fmt: skip
    return trace, lambda frame: {}


def _of_top(frame: Frame, gate: str) -> np.ndarray:
    """(T, units) of the top layer, forwards; NaN where the drawn sequence is padding."""
    return np.where(frame.valid[:, None], frame.gates[gate][-1, 0], np.nan)


def _spread(values: np.ndarray) -> np.ndarray:
    """(2, T): between these lie 8 in 10 of the units."""
    return np.quantile(values, SPREAD, axis=1)


def _name(gate: str) -> str:
    return gate.replace("_", " ")


def patch(info: RunInfo, frame: Frame, curves: Curves) -> Patch:
    """Every line, the band, and the words."""
    labels = info.input_labels if info.inputs == "symbols" else None
    changed = token_labels.ticks(info, token_labels.read(info, frame)) if token_labels.shown(info, labels) else {}
    for index, (_, of_frame) in enumerate(_series(info)):
        changed |= {f"data.{index}.{key}": value for key, value in of_frame(frame).items()}
    return changed


def readout(info: RunInfo, frame: Frame) -> str:
    """Each gate's mean over units and real steps, and how many of all these values are saturated."""
    gates = [gate for gate in info.gates if gate not in CANDIDATES]
    means = [short(float(_of_top(frame, gate)[frame.valid].mean())) for gate in gates]
    means_by_gate = " · ".join(f"{gate.removesuffix('_gate')} {mean}" for gate, mean in zip(gates, means, strict=True))
    values = np.stack([_of_top(frame, gate)[frame.valid] for gate in gates])
    return f"on average {means_by_gate} · {saturation(values, 'sigmoid').mean():.0%} saturated"


def _look_for(info: RunInfo) -> str:
    if "forget_gate" in info.gates:
        return "Forget gate near 1: the old state is kept. Near 0: it is forgotten. The mean over the units."
    if "update_gate" in info.gates:
        return "Update gate near 1 keeps the old state (Ng's notes write 1 − z for it). The mean over the units."
    return "No gate can forget: whatever the input gate lets in is added to the cell state and stays."


def _title(info: RunInfo) -> str:
    e = info.experiment
    where = [f"layer {e.num_layers}"] if e.num_layers > 1 else []
    where += ["forwards"] if e.bidirectional else []
    return "Gates" + (f" ({', '.join(where)})" if where else "")


FIGURE = LiveFigure(
    title=_title,
    look_for=_look_for,
    how=lambda info: (
        "Recomputed from the states, inputs and weights of the drawn sequence with the cell's own equations; "
        "lines are means over the units of the top layer. Saturated: within 0.05 of a limit. engine/cells."
    ),
    label="The value of every gate at each time step, the mean over the units",
    over="time",
    applies=lambda info: bool(info.gates),
    template=template,
    patch=patch,
    readout=readout,
)
