"""How far the gradient reaches, over training: one row per frame, the position in the sequence from left to right."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import log_scale, theme
from app.figures.base import LEARNING, ChainFigure, Curves, Patch, Traces
from engine.frame import Chain, Look

TRACES = Traces("heat")
FAR = 0.01  # of the norm at the last loss: below this the gradient no longer reaches
MAX_TICKS = 5


def template(info: Chain) -> go.Figure:
    """A heat map over time; training runs downwards."""
    heat = log_scale.heat_map(
        1, info.time_steps, theme.FLOOR_DECADE, theme.TOP_DECADE,
        "t = %{x}, training step %{y:,}: " + log_scale.NORM,
    ).update(y=np.zeros(1, np.float32))  # fmt: skip
    return theme.figure(
        *TRACES.in_order(heat=heat),
        height=196,
        revision=f"time-{info.time_steps}",
        margin={**theme.TIME_MARGIN, "t": 6, "b": 22},
        xaxis=theme.time_axis(info.time_steps, names=info.step_names),
        yaxis={
            "autorange": "reversed",
            "tickvals": [0],
            "showgrid": False,
            "tickformat": "~s",
            "title": {"text": "training step", "standoff": 4, "font": {"size": 12}},
        },
        shapes=theme.marks_in_time(info, above=True),
    )


def patch(info: Chain, frame: Look, curves: Curves) -> Patch:
    """Patch the rows so far at their training steps; an empty row before there is one."""
    steps, norms = curves.waterfall
    if not len(steps):
        steps, norms = np.zeros(1), np.full((1, info.time_steps), np.nan)
    rows = log_scale.drawn_rows(len(steps), info.time_steps)
    return {
        TRACES.path("heat", "z"): log_scale.logarithms(norms[rows]),
        TRACES.path("heat", "y"): theme.float32(steps[rows]),
        "layout.yaxis.tickvals": _ticks(int(steps[-1])),
    }


def _ticks(last: int) -> list[int]:
    """Return round training steps from 0 on, at most MAX_TICKS more; Plotly's own ticks would begin below 0."""
    spacing = max(1.0, last / MAX_TICKS)
    power = 10 ** int(np.log10(spacing))
    return list(range(0, last + 1, next(factor * power for factor in (1, 2, 5, 10) if factor * power >= spacing)))


def readout(info: Chain, frame: Look) -> str:
    """Return how far the gradient of this frame reaches."""
    norms = (frame.grad_norm_memory if info.same_lengths else frame.sequence_grad_norm_memory)[info.shown_chain]
    end = info.enters(0)
    back = norms[: end + 1][frame.valid[: end + 1]][::-1]  # from the last loss on
    if not np.isfinite(back).all():
        return "not finite"
    if back[0] == 0:
        return "now exactly 0 at the loss"
    below = np.flatnonzero(back < FAR * back[0])
    return f"now below {FAR:.0%} after {below[0]} steps back" if len(below) else f"now above {FAR:.0%} all the way"


FIGURE = ChainFigure(
    title=lambda info: "How far the gradient reaches, over training" + theme.chain_suffix(info),
    look_for=lambda info: (
        "Untrained at the top, now at the bottom. Stronger: a larger gradient of the last loss. Empty: exactly 0."
    ),
    how=lambda info: (
        f"One row per frame: ‖d l/d {info.memory_symbol}_t‖ of the last loss alone, "
        + (f"the median over {info.measured_on}. " if info.same_lengths else "of the drawn sequence. ")
        + "Older frames are thinned evenly. engine/lens/sweep.py, engine/recording/history.py, Waterfall."
    ),
    label="Heat map of the gradient norm, training step by time step, logarithmic colours with fixed limits",
    tab=LEARNING,
    over="time",
    applies=lambda info: info.time_steps > 1,
    template=template,
    patch=patch,
    readout=readout,
    slow=True,
    fits=("data.0",),
)
