"""One update in five figures: forward, loss, backward, clip, update.

The new part of a figure has its own axes (x2), so that the page can reveal it step by step over the earlier parts.
"""

from __future__ import annotations

import plotly.graph_objects as go

from app.figures.slow_motion import gradient, update
from app.figures.slow_motion.network import NEW, OLD, answers, losses, read, seen, states, unrolled
from app.figures.unrolled import layout
from engine.frame import RunInfo
from engine.slow_motion.update_trace import UpdateTrace

FORWARD, LOSS, BACKWARD, CLIP, UPDATE = range(5)
PHASES = (FORWARD, LOSS, BACKWARD, CLIP, UPDATE)


def picture(info: RunInfo, r: UpdateTrace, phase: int) -> go.Figure:
    """Draw one of PHASES."""
    if phase >= CLIP:
        return update.clip(r) if phase == CLIP else update.update(r)
    info = seen(info, r)
    if phase == FORWARD:
        return unrolled(info, r, [*read(info, r, NEW), states(info, r, NEW)], answered=False)
    if phase == LOSS:
        before = [*read(info, r, OLD), states(info, r, OLD)]
        return unrolled(info, r, [*before, *answers(info, r, NEW), *losses(info, r, NEW["xaxis"])])
    before = [*read(info, r, OLD), *answers(info, r, OLD), *losses(info, r, "x")]
    return unrolled(info, r, [*before, *gradient.gradient(info, r)])


def uncovered(info: RunInfo, r: UpdateTrace, phase: int) -> tuple[str, int] | None:
    """Return the side from which the new part is revealed, and the number of steps; None if it is shown at once."""
    steps = len(layout.columns(seen(info, r)))
    return {FORWARD: ("left", steps), LOSS: ("left", steps), BACKWARD: ("right", steps)}.get(phase)
