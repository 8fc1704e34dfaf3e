"""From the numbers of a frame to one sentence, its evidence and a cure. No torch: a replay can be judged again.

The order of the flags and their limits are those of ARCHITECTURE, "Definitions". The verdict reads the last counted
loss alone, since many losses hide a vanishing gradient: their short lags dominate the total.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.cells import CELLS
from engine.experiment import Experiment, ExperimentError
from engine.frame import Diagnosis, Frame, RunInfo

SOLVED_SHARE = 0.1  # of the baseline
NO_GRADIENT = 1e-8
PINNED = 0.999  # |h| beyond which the slope of tanh is below 0.002
LIMITS = (  # upper end of the ratio, itself excluded while the gradient shrinks and included above, and the kind
    (1e-6, "vanished"),
    (1e-3, "vanishing"),
    (1e-2, "fading"),
    (10.0, "healthy"),
    (100.0, "rising"),
    (1e4, "growing"),
    (math.inf, "exploding"),
)
SHRINKING, GROWING = ("vanished", "vanishing", "fading"), ("rising", "growing", "exploding")


def diagnose(info: RunInfo, frame: Frame) -> Diagnosis:
    """The verdict on one frame.

    Returns:
        Diagnosis whose kind is one of: not_finite, solved, no_gradient, cut, dead, no_path, or a band of LIMITS.
    """
    e, ratio, reach = info.experiment, best_ratio(frame), info.reach
    evidence = {
        "ratio": ratio,
        "lag": float(reach),
        "loss": frame.probe_loss,
        "baseline": info.baseline,
        "gradient_at_output": frame.output_grad_norm,
    }
    if 0 < ratio < math.inf and reach:
        evidence["factor_per_step"] = ratio ** (1 / reach)

    def verdict(kind: str, sentence: str, cure: dict[str, Any] | None = None) -> Diagnosis:
        return Diagnosis(kind, sentence, evidence, _possible(e, cure or {}))

    if not np.isfinite([frame.probe_loss, frame.output_grad_norm, ratio]).all():
        return verdict("not_finite", "A number has become infinite: this network cannot learn any further.", _tame(e))
    if frame.probe_loss < SOLVED_SHARE * info.baseline:
        share = frame.probe_loss / info.baseline
        return verdict("solved", f"The loss is down to {share:.1%} of the baseline. {_reaches(info, ratio)}")
    if frame.output_grad_norm < NO_GRADIENT:
        return verdict(
            "no_gradient",
            f"Hardly any gradient leaves the loss: {frame.output_grad_norm:.0e} at the last step. The network is sure "
            "of its answer, right or wrong.",
        )
    if ratio == 0:
        return _exactly_zero(info, frame, verdict)
    kind = next(name for limit, name in LIMITS if ratio < limit or (name not in SHRINKING and ratio == limit))
    cure = _open_the_road(e) if kind in SHRINKING else _tame(e) if kind in GROWING else {}
    return verdict(kind, f"{_reaches(info, ratio)} {_pace(info, ratio)}".strip(), cure)


def best_ratio(frame: Frame) -> float:
    """The ratio of the layer and direction in which most arrives: one open road is enough."""
    return float(frame.ratio.max())


def _exactly_zero(info: RunInfo, frame: Frame, verdict: Callable[..., Diagnosis]) -> Diagnosis:
    """Zero is not small: say which of its causes the states show."""
    e, arrives = info.experiment, f"Exactly nothing reaches the step {info.reach} back"
    states = frame.hidden[:, :, frame.valid]  # (layers, directions, T, units)
    if e.tbptt and info.reach >= e.tbptt:
        return verdict("cut", f"{arrives}: truncation cuts the gradient after {e.tbptt} steps.", {"tbptt": 0})
    if e.cell == "rnn" and e.nonlinearity == "relu" and (states == 0).all(-1).any():
        cure = {"nonlinearity": "tanh"}
        return verdict("dead", f"{arrives}: on the way every ReLU is at 0, where its slope is 0.", cure)
    if e.cell == "rnn" and e.nonlinearity == "tanh" and (np.abs(states) > PINNED).mean() > 0.5:
        pinned = "on the way the units are pinned at +1 or -1, where the slope of tanh is 0"
        return verdict("dead", f"{arrives}: {pinned}.", _tame(e))
    return verdict("no_path", f"{arrives}: the weights on the way pass nothing on.", _open_the_road(e))


def _reaches(info: RunInfo, ratio: float) -> str:
    """How much arrives, so that it can be read aloud."""
    place = _place(info)
    if ratio >= 1.5:
        return f"The gradient grows {say(ratio)}-fold on its way back to {place}."
    if ratio >= 0.1:
        return f"{ratio:.0%} of the gradient reaches {place}."
    if ratio == 0:
        return f"No gradient reaches {place}."
    if ratio < 1e-300:
        return f"Next to nothing of the gradient, less than 1 part in 10^300, reaches {place}."
    return f"1 part in {say(1 / ratio)} of the gradient reaches {place}."


def _place(info: RunInfo) -> str:
    from_end = info.experiment.seq_len - 1 - info.reach
    return "t = 0" if from_end == 0 else f"{info.reach} steps back"


def _pace(info: RunInfo, ratio: float) -> str:
    """Half-life or doubling time along the way, and what the task needs."""
    if not info.reach or 0.5 < ratio < 2:
        return f"This task needs {info.lag}." if info.lag is not None and info.reach else ""
    steps = info.reach * math.log(2) / abs(math.log(ratio))
    verb = "halves" if ratio < 1 else "doubles"
    needs = f"; this task needs {info.lag}" if info.lag is not None else ""
    return f"It {verb} every {steps:.1f} steps{needs}."


def _open_the_road(e: Experiment) -> dict[str, Any]:
    """Settings under which more of the gradient arrives; empty where the usual ones are in place already."""
    cell = CELLS[e.cell]
    if cell.cure_bias is None:
        return {"cell": "lstm", "forget_bias": CELLS["lstm"].cure_bias}
    if e.forget_bias is None or e.forget_bias < cell.cure_bias:
        return {"forget_bias": cell.cure_bias}
    return {}


def _tame(e: Experiment) -> dict[str, Any]:
    """Settings under which the gradient no longer grows: clipped updates and a start that keeps lengths."""
    wanted: dict[str, Any] = {"init": "orthogonal", "init_gain": 1.0, "clip": "norm"}
    if e.clip != "norm" or e.clip_threshold > 1:
        wanted["clip_threshold"] = 1.0
    return {name: value for name, value in wanted.items() if getattr(e, name) != value}


def _possible(e: Experiment, cure: dict[str, Any]) -> dict[str, Any]:
    """The cure, unless it would cost more than one update may."""
    try:
        e.replace(**cure)
    except ExperimentError:
        return {}
    return cure


def say(number: float) -> str:
    """A count of 1 or more in words, two digits of it: 2.3, 45, 1,300, 2 billion, 10^18."""
    rounded = float(f"{number:.2g}")
    if rounded < 1e6:
        return f"{rounded:,.15g}"
    for size, word in ((1e6, "million"), (1e9, "billion"), (1e12, "trillion")):
        if rounded < 1000 * size:
            return f"{float(f'{rounded / size:.2g}'):g} {word}"
    return f"10^{math.log10(number):.0f}"
