"""One update in five pictures: forward, loss, backward, clip, update. What is new in a picture stands on axes of its
own (x2), so that the page can uncover it step by step over what was there before."""

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
    """The picture of one of PHASES."""
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
    """From which side the new part of a picture is uncovered, in how many steps; None where it is there at once."""
    steps = len(layout.columns(seen(info, r)))
    return {FORWARD: ("left", steps), LOSS: ("left", steps), BACKWARD: ("right", steps)}.get(phase)
