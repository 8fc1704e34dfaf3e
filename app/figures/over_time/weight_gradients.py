"""The terms of dL/dW, which is a sum over time."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import log_scale, recurrent_weights, theme
from app.figures.base import WEIGHTS, ChainFigure, Curves, Patch, Traces
from engine.frame import Chain, Look
from engine.number_format import share

TRACES = Traces("terms", *log_scale.MARKS)


def template(info: Chain) -> go.Figure:
    """Bars for the recurrent weights and diamonds for W_ih; without recurrent weights, bars for W_ih."""
    steps, empty = np.arange(info.time_steps), np.full(info.time_steps, np.nan, np.float32)
    hover = "%{y:.2e}<extra>%{fullData.name}</extra>"
    recurrent = recurrent_weights.symbol(info)
    bars = go.Bar(
        x=steps, y=empty, name=f"dL/d{recurrent or 'W_ih'}", hovertemplate=hover,
        marker={"color": theme.W_HH if recurrent else theme.W_XH, "line": {"width": 0}},
    )  # fmt: skip
    diamonds = go.Scatter(
        x=steps, y=empty, name="dL/dW_ih", mode="markers", hovertemplate=hover,
        marker={"symbol": "diamond", "size": 6, "color": theme.W_XH, "line": {"width": 0}},
    )  # fmt: skip
    return theme.figure(
        *TRACES.in_order(terms=bars, **log_scale.marks(steps)), *([diamonds] if recurrent else []),
        height=184,
        revision=f"time-{info.time_steps}",
        margin={**theme.TIME_MARGIN, "t": 24, "b": 22},
        xaxis=theme.time_axis(info.time_steps, names=info.step_names),
        yaxis=log_scale.axis("‖dL/dW‖"),
        bargap=0.18,
        shapes=theme.marks_in_time(info),
        hovermode="x unified",
        showlegend=True,
    )  # fmt: skip


def patch(info: Chain, frame: Look, curves: Curves) -> Patch:
    """Patch the norm of every step's term, with marks where a bar leaves the axis."""
    reading = frame.weight_gradients
    main = (reading.ih if reading.hh is None else reading.hh)[info.shown_chain]
    changed: Patch = {TRACES.path("terms", "y"): log_scale.inside(main)}
    changed |= log_scale.outside(TRACES.number("below"), main, frame.valid)
    if reading.hh is not None:
        changed[f"data.{len(TRACES)}.y"] = log_scale.inside(reading.ih[info.shown_chain])
    return changed


def far(info: Chain) -> int:
    """Return the lag that counts as far back: half of what the task needs, or half of the sequence."""
    needed = info.time_steps - 1 if info.lag is None or info.looks_ahead else info.lag
    return min(needed, info.time_steps - 1) // 2


def readout(info: Chain, frame: Look) -> str:
    """Return how much of the gradient comes from far back."""
    reading = frame.weight_gradients
    which = recurrent_weights.symbol(info) or "W_ih"
    shares = reading.ih_beyond if reading.hh_beyond is None else reading.hh_beyond
    k = far(info)
    part = float(shares[info.shown_chain][k])
    if not np.isfinite(part):
        return f"dL/d{which}: no gradient" if _all_zero(info, frame) else f"dL/d{which}: not finite"
    return f"{share(part)} of dL/d{which} from more than {k} step{'s' if k != 1 else ''} back"


def _all_zero(info: Chain, frame: Look) -> bool:
    """Return True if every term is exactly 0."""
    reading = frame.weight_gradients
    terms = (reading.ih if reading.hh is None else reading.hh)[info.shown_chain]
    return not np.nan_to_num(terms, nan=0.0, posinf=1.0).any() and bool(np.isfinite(terms[frame.valid]).all())


def _how(info: Chain) -> str:
    recurrent = recurrent_weights.symbol(info)
    terms = "the term of W_ih has x_t"
    if recurrent_weights.is_vector(info):
        terms = f"the term of {recurrent} has h of the step before, unit by unit, that of W_ih has x_t"
    elif recurrent:
        terms = f"the term of {recurrent} has h of the step before, that of W_ih has x_t"
    return (
        f"Frobenius norm of the term of step t in dL/dW, for the drawn sequence's last loss, without biases: {terms}. "
        "Norms do not add up, so the share is ⟨those terms, whole⟩ / ‖whole‖². "
        "engine/lens/weight_gradients.py, weight_gradients."
    )


FIGURE = ChainFigure(
    title=lambda info: "What the weights learn from each step" + theme.chain_suffix(info),
    look_for=lambda info: (
        "A weight's gradient is a sum over all steps. A step with a tiny bar contributes almost nothing."
    ),
    how=_how,
    label="Norm of each time step's contribution to the weights' gradient, log axis with fixed limits",
    tab=WEIGHTS,
    over="time",
    applies=lambda info: info.is_cell_known,
    template=template,
    patch=patch,
    readout=readout,
    fits=("layout.yaxis",),
)
