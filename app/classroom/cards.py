"""What the board shows of a student's run: one card, as JSON values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from app import text as app_text
from app.classroom.classroom import Student
from app.figures import theme
from app.figures.over_time import gradient
from app.verdicts import VERDICTS
from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.number_format import count, relative_size, short
from engine.workers import Run

MAX_BARS = 40
"""Bars of the small figure; of a longer sequence evenly spaced steps, the first and the last among them."""
MAX_CHANGES = 3
"""Settings of a card that differ from what the class works on."""


def newest(run: Run) -> Frame | None:
    """The newest frame that is there; nothing is asked for."""
    frames = run.frames
    return frames[-1] if frames else None


def card(student: Student, assigned: Experiment) -> dict[str, Any]:
    """The card of a student.

    Args:
        assigned: what the class works on, for the settings that differ from it.
    """
    slot = student.slot
    about = {"id": student.number, "name": student.name, "here": not student.abandoned}
    if slot is None:
        return {**about, "phase": "", "cell": "", "changes": [], "step": "", "verdict": None, "gradient": []}
    run, frame = slot.run, newest(slot.run)
    experiment = run.experiment
    return {
        **about,
        "phase": app_text.PHASES[run.status().phase],
        "cell": f"{CELLS[experiment.cell].title}, {count(experiment.hidden_size, 'unit')}",
        "changes": app_text.changed(experiment, assigned)[:MAX_CHANGES],
        **({"step": "", "verdict": None, "gradient": []} if frame is None else measured(run.info, frame)),
    }


def measured(info: RunInfo, frame: Frame) -> dict[str, Any]:
    """What was measured at the frame's step: losses, verdict, gradient.

    "gradient" has log10 of the relative size at each step, None where there is none, `theme.FLOOR_DECADE` for what is
    smaller and for exactly 0; "arrives" says the size at the first step in words.
    """
    sizes = gradient.relative(info, frame)[info.shown_chain]
    known = np.flatnonzero(~np.isnan(sizes))
    some = np.unique(np.linspace(0, len(sizes) - 1, min(len(sizes), MAX_BARS)).round().astype(int))
    kind = "" if frame.diagnosis is None else frame.diagnosis.kind
    return {
        "step": f"{frame.step:,}",
        "loss": short(frame.judged_loss),
        "beat": short(next(iter(info.judged_baselines(frame.has_record).values()))),
        "verdict": {"kind": kind, **VERDICTS[kind].values()} if kind else None,
        "gradient": [_decade(float(sizes[t])) for t in some],
        "arrives": f"t = {known[0]}: {relative_size(float(sizes[known[0]]))}" if len(known) else "",
    }


def _decade(size: float) -> float | None:
    if math.isnan(size):
        return None
    low, high = theme.FLOOR_DECADE, theme.TOP_DECADE
    return low if size <= 0 else round(min(max(math.log10(size), low), high) if math.isfinite(size) else high, 2)
