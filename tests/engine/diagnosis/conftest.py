"""A verdict on numbers of one's own: a real frame whose fields are replaced by them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from engine.cells import CELLS
from engine.diagnosis import diagnose
from engine.experiment import Experiment
from engine.frame import Diagnosis, RunInfo
from engine.frame.held_out import HeldOutRecord
from engine.frame.readings import StepFactors
from tests.engine.conftest import untrained_frame

BAR = math.log(10)  # the baseline of the first digit


def judged(
    ratio=0.5, *, loss=BAR, gradient=1.0, state=0.3, slope=np.nan, weights=np.nan, kept=0.9999, recent=np.nan,
    earlier=np.nan, clips=np.nan, norms=(np.nan, np.nan), step=0,
    record=None, **settings,
) -> Diagnosis:  # fmt: skip
    """The verdict on a frame whose numbers are these, in a run with these settings (by default a tanh RNN).

    Args:
        ratio, loss, gradient: of the probe. state: every unit's. slope, weights, kept: the same at every step.
        record: of the held-out sequences; none by default, as in a recording made before there was one.
        recent, earlier, clips: of the last updates. norms: of the last update's gradient, before and after clipping.
    """
    e = Experiment(**{"cell": "rnn", **settings})
    info, ratio = RunInfo.of(e), np.array(ratio, ndmin=2, dtype=float)
    steps, cell = (*ratio.shape, info.time_steps), CELLS[e.cell]
    plain = cell.uses_nonlinearity
    factors = StepFactors(
        factor=np.full(steps, slope * weights),
        slope=np.full(steps, slope) if plain else None,
        weights=np.full(steps, weights) if plain else None,
        shares={},
    )
    frame = dataclasses.replace(
        untrained_frame(),
        **vars(record or HeldOutRecord()),
        step=step,
        ratio=ratio,
        probe_loss=loss,
        output_grad_norm=gradient,
        hidden=np.full((*steps, 2), float(state)),
        valid=np.array(info.valid),
        gates={} if cell.retain_gate is None else {cell.retain_gate: np.full((*steps, 2), kept)},
        factors=factors,
        recent_loss=recent,
        earlier_loss=earlier,
        recent_clipped=clips,
        param_grad_norm=norms[0],
        param_grad_norm_clipped=norms[1],
    )
    return diagnose(info, frame)


def below(number: float) -> float:
    """The next smaller number."""
    return math.nextafter(number, -math.inf)


def above(number: float) -> float:
    """The next larger number."""
    return math.nextafter(number, math.inf)
