"""The prediction of a tune, as a piano roll: which note should come at each step, and which one the network plays."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.base import Patch, Traces
from engine.frame import Frame, RunInfo

TRACES = Traces("tune", "right", "wrong")
HALF = 0.42  # of a step: half the length of a note's bar
NAMED = "CEG"  # notes with a name at the axis
LOOK_FOR = "What it plays when each of its notes is its next input. Pale: the tune. “♪ Listen” plays it."


def template(info: RunInfo, height: int) -> go.Figure:
    """A wide pale bar for each note of the tune, a narrow one for each note that is played."""
    assert info.pitches is not None
    named = [(pitch, note) for pitch, note in zip(info.pitches, info.output_labels, strict=True) if note[0] in NAMED]
    empty = {"x": np.zeros(0, np.float32), "y": np.zeros(0, np.float32), "mode": "lines", "hoverinfo": "skip"}
    traces = TRACES.in_order(
        tune=go.Scatter(name="the tune", line={"color": theme.PALE_GREY, "width": 9}, **empty),
        right=go.Scatter(name="right", line={"color": theme.RIGHT, "width": 5}, **empty),
        wrong=go.Scatter(name="wrong", line={"color": theme.ALARM, "width": 5, "dash": "2px,2px"}, **empty),
    )
    return theme.figure(
        *traces,
        height=height,
        revision=f"notes-{info.time_steps}",
        margin={"l": 30, "r": 8, "t": 26, "b": 22},
        xaxis=theme.time_axis(info.time_steps),
        yaxis={
            "tickvals": [pitch for pitch, _ in named],
            "ticktext": [note for _, note in named],
            "range": [min(info.pitches) - 1, max(info.pitches) + 1],
        },
        showlegend=True,
    )


def patch(info: RunInfo, frame: Frame) -> Patch:
    """Patch all bars: notes that the network plays when its own notes are its inputs; broken outputs play none."""
    assert info.pitches is not None and frame.free_outputs is not None
    steps = np.flatnonzero(frame.counted & np.isfinite(frame.free_outputs).all(-1))
    pitches, targets = np.array(info.pitches), np.asarray(frame.targets)[steps].astype(int)
    played, wanted = pitches[frame.free_outputs[steps].argmax(-1)], pitches[targets]
    is_right = played == wanted
    found = {
        "tune": (steps, wanted),
        "right": (steps[is_right], played[is_right]),
        "wrong": (steps[~is_right], played[~is_right]),
    }
    changed: Patch = {}
    for name, (at, heights) in found.items():
        x, y = _bars(at, heights)
        changed |= {TRACES.path(name, "x"): x, TRACES.path(name, "y"): y}
    return changed


def _bars(steps: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a horizontal stroke per step as one line with gaps."""
    gap = np.full(len(steps), np.nan)
    x, y = np.stack([steps - HALF, steps + HALF, gap], 1), np.stack([heights, heights, gap], 1)
    return theme.float32(x.ravel()), theme.float32(y.ravel())
