"""What may mend it: changes of the experiment, each with its limits; a click applies them."""

from __future__ import annotations

import math
from typing import Any

from engine.cells import CELLS
from engine.experiment import Experiment, ExperimentError
from engine.frame import Frame, RunInfo

CAREFUL_RATE = 0.005  # a learning rate at which Adam throws no network of these sizes off
USUAL_RATE = 0.003  # one at which Adam learns most of the tasks
TOO_FAST = 0.02  # Adam, per update: in a plain network one such update can pin most units
TOO_SLOW = 1e-3  # per weight and update: a hundred updates move it by less than 0.1, about the size that weights have
USUAL_THRESHOLDS = (1.0, 2.0, 5.0, 10.0)
"""Thresholds that are in use. A gradient longer than these is to be clipped."""


def open_the_road(info: RunInfo) -> dict[str, Any]:
    """Settings under which more of the gradient arrives; empty where the usual ones are in place already."""
    e = info.experiment
    cell = CELLS[e.cell]
    if cell.suggested_forget_bias is None:
        return {"cell": "lstm", "forget_bias": _suggested_bias("lstm", info.measured_lag)}
    bias = _suggested_bias(e.cell, info.measured_lag)
    return {"forget_bias": bias} if e.forget_bias is None or e.forget_bias < bias else {}


def _suggested_bias(cell: str, lag: int) -> float:
    """Calibrated for some 45 steps. Further back the gate must lose less at each: 1 - sigmoid(b) falls like exp(-b)."""
    calibrated = CELLS[cell].suggested_forget_bias
    assert calibrated is not None
    return calibrated + max(0.0, round(2 * math.log(max(lag, 1) / 45)) / 2)


def tame(e: Experiment) -> dict[str, Any]:
    """Settings under which the gradient no longer grows: clipped updates and a start that keeps lengths, or smaller
    updates where it started like that and was thrown off."""
    wanted: dict[str, Any] = {"clip": "norm"}
    if e.init in ("orthogonal", "identity") and e.init_gain == 1:
        wanted["learning_rate"] = min(e.learning_rate, CAREFUL_RATE)
    else:
        wanted |= {"init": "orthogonal", "init_gain": 1.0}
    if e.clip != "norm" or e.clip_threshold > 1:
        wanted["clip_threshold"] = 1.0
    return _changes(e, wanted)


def release(e: Experiment, norm: float) -> dict[str, Any]:
    """A usual threshold that a gradient of this norm fits under; empty where there is none."""
    fits = [threshold for threshold in USUAL_THRESHOLDS if threshold >= norm]
    return _changes(e, {"clip": "norm", "clip_threshold": fits[0]}) if fits else {}


def moves(info: RunInfo, frame: Frame) -> float:
    """How far an update moves a weight, as a root mean square; of those that adapt, about.

    SGD: the rate times the gradient's norm per weight; momentum 0.9 adds up to ten of these. Adam and RMSprop divide
    the gradient by its own size, which leaves the rate; Adagrad by that of all updates so far together.
    """
    e = info.experiment
    if e.optimizer in ("sgd", "momentum"):
        step = e.learning_rate * frame.param_grad_norm_clipped / math.sqrt(info.parameter_count)
        return step * (10 if e.optimizer == "momentum" else 1)
    return e.learning_rate / (math.sqrt(max(frame.step, 1)) if e.optimizer == "adagrad" else 1)


def another_rate(e: Experiment, moved: float) -> dict[str, Any]:
    """Where a weight is moved so far that one of the usual rates is worth a try; else empty: the rate is not why."""
    if moved < TOO_SLOW:
        return _changes(e, {"optimizer": "adam", "learning_rate": USUAL_RATE})
    return {"learning_rate": CAREFUL_RATE} if e.optimizer in ("adam", "rmsprop") and moved > TOO_FAST else {}


def possible(e: Experiment, cure: dict[str, Any]) -> dict[str, Any]:
    """The cure, unless it would cost more than one update may."""
    try:
        e.replace(**cure)
    except ExperimentError:
        return {}
    return cure


def _changes(e: Experiment, wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if getattr(e, name) != value}
