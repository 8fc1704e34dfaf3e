"""Cures: changes of settings that a diagnosis suggests; one click applies them."""

from __future__ import annotations

import math
from typing import Any

from engine.cells import CELLS
from engine.experiment import Experiment, ExperimentError
from engine.frame import Frame, RunInfo

CAREFUL_RATE = 0.005  # a learning rate at which Adam stays stable for networks of these sizes
MIN_RATE = 1e-4  # the lowest rate that is offered
USUAL_RATE = 0.003  # a learning rate at which Adam learns most of the tasks
MAX_ADAM_UPDATE = 0.02  # per weight: one larger update by Adam can saturate most units of a plain RNN
MIN_UPDATE = 1e-3  # per weight: 100 smaller updates move it by less than 0.1, a typical weight
USUAL_NOISE = 0.3  # standard deviations of an input
USUAL_SGD_RATE = 0.1  # the same for SGD, with clipping
BY_SIZE = ("adam", "adamw", "rmsprop")  # optimisers that divide the gradient by its size: the rate is the update's size
USUAL_THRESHOLDS = (1.0, 2.0, 5.0, 10.0)
"""Common clipping thresholds. A gradient whose norm exceeds all of them should be clipped."""


def let_gradient_through(info: RunInfo) -> dict[str, Any]:
    """Settings that let more of the gradient through; empty if they are in use already."""
    e = info.experiment
    cell = CELLS[e.cell]
    if cell.suggested_forget_bias is None:
        return {"cell": "lstm", "forget_bias": _suggested_bias("lstm", info.measured_lag)}
    bias = _suggested_bias(e.cell, info.measured_lag)
    return {"forget_bias": bias} if e.forget_bias is None or e.forget_bias < bias else {}


def _suggested_bias(cell: str, lag: int) -> float:
    """The cell's suggested forget bias for a lag.

    It is calibrated for about 45 steps. A longer lag needs less loss per step, and 1 - sigmoid(b) falls like exp(-b).
    """
    calibrated = CELLS[cell].suggested_forget_bias
    assert calibrated is not None
    return calibrated + max(0.0, round(2 * math.log(max(lag, 1) / 45)) / 2)


def stop_growth(e: Experiment) -> dict[str, Any]:
    """Settings that stop the growth of the gradient: clipping, and an initialisation that keeps norms.

    If the run was initialised like that already, a lower learning rate instead.
    """
    wanted: dict[str, Any] = {"clip": "norm"}
    if e.init in ("orthogonal", "identity") and e.init_gain == 1:
        wanted["learning_rate"] = min(e.learning_rate, CAREFUL_RATE)
    else:
        wanted |= {"init": "orthogonal", "init_gain": 1.0}
    if e.clip != "norm" or e.clip_threshold > 1:
        wanted["clip_threshold"] = 1.0
    return _changes(e, wanted)


def lower_rate(e: Experiment) -> dict[str, Any]:
    """A tenth of the learning rate, or less where that is still unusual; where it would be tiny, clipping."""
    lower = min(e.learning_rate / 10, USUAL_RATE if e.optimizer in BY_SIZE else USUAL_SGD_RATE)
    if lower < MIN_RATE:
        return stop_growth(e)
    return {"learning_rate": float(f"{lower:.1g}")}


def learn_less_by_heart(info: RunInfo) -> dict[str, Any]:
    """Settings that leave a network less room to learn the training data by heart.

    Of somebody's own numbers that is noise on the inputs alone. Airline passengers, held-out errors after 800 updates
    on seeds 0 and 1: 22.3 and 27.1; with dropout before the head 17.9 and 21.8; with noise 12.9 and 15.1, with both
    16.3 and 15.5, with noise and half the units 14.4 and 15.9.
    """
    e = info.experiment
    if info.metric_baselines and info.inputs == "values":
        return {} if e.noise else {"noise": USUAL_NOISE}
    if not e.head_dropout:
        return {"head_dropout": 0.5}
    return _changes(e, {"hidden_size": max(8, e.hidden_size // 2)})


def usual_updates(info: RunInfo, frame: Frame) -> dict[str, Any]:
    """An optimiser and a rate with which most tasks are learned; empty if they are in use already.

    SGD with one rate for all weights seldom suits a recurrent network, and neither do tiny or huge updates.
    """
    e, moved = info.experiment, update_size(info, frame)
    if e.optimizer in ("sgd", "momentum") or moved < MIN_UPDATE:
        usual = "adamw" if e.optimizer == "adamw" else "adam"
        wanted = {"optimizer": usual, "learning_rate": USUAL_RATE}
        if moved < MIN_UPDATE:
            wanted |= {"schedule": "constant", "warmup": 0}  # which may be what makes them small
        return _changes(e, wanted)
    return {"learning_rate": CAREFUL_RATE} if e.optimizer in BY_SIZE and moved > MAX_ADAM_UPDATE else {}


def usual_settings(info: RunInfo, frame: Frame) -> dict[str, Any]:
    """Usual updates and a usual start; if they are in use, gates that keep the state; then a start that keeps norms."""
    e = info.experiment
    keeps_norms = {} if e.init == "pytorch" else _changes(e, {"init": "orthogonal", "init_gain": 1.0})
    return (usual_updates(info, frame) | usual_start(e)) or let_gradient_through(info) or keeps_norms


def usual_start(e: Experiment) -> dict[str, Any]:
    """Norms are kept where the weights were drawn too large or too small; empty otherwise."""
    return {} if e.init_gain == 1 else _changes(e, {"init": "orthogonal", "init_gain": 1.0})


def usual_threshold(e: Experiment, norm: float) -> dict[str, Any]:
    """The lowest common threshold that does not clip a gradient of this norm; empty if there is none."""
    fits = [threshold for threshold in USUAL_THRESHOLDS if threshold >= norm]
    return _changes(e, {"clip": "norm", "clip_threshold": fits[0]}) if fits else {}


def update_size(info: RunInfo, frame: Frame) -> float:
    """Root mean square of the change of a weight in one update; an estimate for adaptive optimisers.

    SGD: the rate times the gradient's norm per weight; momentum 0.9 adds up to ten of these. Adam, AdamW and RMSprop
    divide the gradient by its own size, which leaves the rate; Adagrad divides by the root of its summed squares.
    Weight decay is left out: it follows no gradient.
    """
    e = info.experiment
    rate = frame.learning_rate if e.schedule != "constant" or e.warmup else e.learning_rate
    if e.optimizer in ("sgd", "momentum"):
        step = rate * frame.param_grad_norm_clipped / math.sqrt(info.parameter_count)
        return step * (1 / (1 - e.momentum) if e.optimizer == "momentum" else 1)
    return rate / (math.sqrt(max(frame.step, 1)) if e.optimizer == "adagrad" else 1)


def within_limits(e: Experiment, cure: dict[str, Any]) -> dict[str, Any]:
    """The cure, or empty if its settings are not valid, such as above the limit on the cost of an update."""
    try:
        e.replace(**cure)
    except ExperimentError:
        return {}
    return cure


def _changes(e: Experiment, wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if getattr(e, name) != value}
