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
LEARNING_SHARE = 0.8  # of the baseline: below, the network knows something of the sequence
NO_GRADIENT = 1e-8
CAREFUL_RATE = 0.005  # a learning rate at which Adam throws no network of these sizes off
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
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
SHRINKING, GROWING = ("vanished", "vanishing", "fading"), ("growing", "exploding")  # "rising" needs no cure


def diagnose(info: RunInfo, frame: Frame) -> Diagnosis:
    """The verdict on one frame.

    Returns:
        Diagnosis whose kind is one of: not_finite, solved, blind, no_gradient, cut, dead, no_path, or a
        band of LIMITS.
    """
    e, reach = info.experiment, info.reach
    layer, direction = best_chain(info, frame)
    ratio = float(frame.ratio[layer, direction])
    evidence = {
        "ratio": ratio,
        "lag": float(reach),
        "loss": frame.probe_loss,
        "baseline": info.baseline,
        "gradient_at_output": frame.output_grad_norm,
        "layer": float(layer),
        "direction": float(direction),
    }
    if 0 < ratio < math.inf and reach:
        evidence["factor_per_step"] = ratio ** (1 / reach)

    def verdict(kind: str, sentence: str, cure: dict[str, Any] | None = None) -> Diagnosis:
        return Diagnosis(kind, sentence, evidence, _possible(e, cure or {}))

    if not np.isfinite([frame.probe_loss, frame.output_grad_norm, ratio]).all():
        return verdict("not_finite", "A number has become infinite: this network cannot learn any further.", _tame(e))
    if frame.probe_loss < SOLVED_SHARE * info.baseline:
        share = frame.probe_loss / info.baseline
        return verdict("solved", f"The loss is down to {share:.1%} of the baseline. {_reaches(info, frame)}")
    if info.looks_ahead and not e.bidirectional:
        sentence = "What decides comes only after the answer: a network that reads one way cannot see it."
        return verdict("blind", sentence, {**({} if info.has_links else {"cell": "lstm"}), "bidirectional": True})
    if frame.output_grad_norm < NO_GRADIENT:
        return verdict(
            "no_gradient",
            f"Hardly any gradient leaves the loss: {frame.output_grad_norm:.0e} at the last step. The network is sure "
            "of its answer, right or wrong.",
        )
    if ratio == 0:
        return _exactly_zero(info, frame, verdict)
    kind = next(name for limit, name in LIMITS if ratio < limit or (name not in SHRINKING and ratio == limit))
    sentence = f"{_reaches(info, frame)} {_pace(info, ratio)}".strip()
    if frame.probe_loss < LEARNING_SHARE * info.baseline:  # a run that gets somewhere is not to be thrown away
        return verdict(kind, sentence)
    return verdict(kind, sentence, _open_the_road(info) if kind in SHRINKING else _tame(e) if kind in GROWING else {})


def best_chain(info: RunInfo, frame: Frame) -> tuple[int, int]:
    """(layer, direction) in which most of the gradient arrives: one open road is enough, if it leads to the answer."""
    skipped = 1 if info.looks_ahead and frame.ratio.shape[1] == 2 else 0  # the chain that reads forwards leads away
    layer, direction = np.unravel_index(int(np.argmax(frame.ratio[:, skipped:])), frame.ratio[:, skipped:].shape)
    return int(layer), int(direction) + skipped


def _exactly_zero(info: RunInfo, frame: Frame, verdict: Callable[..., Diagnosis]) -> Diagnosis:
    """Zero is not small: say which of its causes the states show."""
    e, arrives = info.experiment, f"No gradient at all reaches {_place(info)}"
    if not info.has_links and e.window > info.reach:
        return verdict("healthy", f"The answer lies among the {e.window} inputs seen at once: nothing has to go back.")
    if not info.has_links:
        sentence = "A feed-forward network has no link from step to step: no gradient goes back, nothing is remembered."
        return verdict("no_path", sentence, _open_the_road(info))
    states = frame.hidden[:, :, frame.valid]  # (layers, directions, T, units)
    if e.tbptt and info.reach >= e.tbptt:
        return verdict("cut", f"{arrives}: truncation cuts the gradient after {_steps(e.tbptt)}.", {"tbptt": 0})
    if e.cell == "rnn" and e.nonlinearity == "relu" and (states == 0).all(-1).any():
        t = int(np.flatnonzero((states == 0).all(-1).any((0, 1)))[-1])
        cure = {"nonlinearity": "tanh"}
        return verdict("dead", f"{arrives}: at t = {t} every ReLU is at 0, where its slope is 0.", cure)
    if e.cell == "rnn" and _pinned(e.nonlinearity, states):
        pinned = f"on the way the units are pinned at their limits, where the slope of {e.nonlinearity} is 0"
        return verdict("dead", f"{arrives}: {pinned}.", _tame(e))
    return verdict("no_path", f"{arrives}: the weights on the way pass nothing on.", _open_the_road(info))


def _pinned(nonlinearity: str, states: np.ndarray) -> bool:
    """Most units stand where the slope of their squashing function is next to 0."""
    if nonlinearity == "tanh":
        return bool((np.abs(states) > PINNED).mean() > 0.5)
    return nonlinearity == "sigmoid" and bool((np.abs(2 * states - 1) > PINNED).mean() > 0.5)


def _reaches(info: RunInfo, frame: Frame) -> str:
    """How much arrives, where, and by which road, so that it can be read aloud."""
    if info.reach == 0:
        return "The answer lies in the present step: no gradient has to go back in time."
    ratio = float(frame.ratio[best_chain(info, frame)])
    place = _place(info) + _road(info, *best_chain(info, frame))
    gradient = "the last loss's gradient" if sum(info.counted) > 1 else "the gradient"
    if ratio >= 1.5:
        way = f"back to {place}" if place.startswith("t = ") else place
        return f"{gradient[0].upper()}{gradient[1:]} grows {say(ratio)}-fold on its way {way}."
    if ratio >= 0.1:
        return f"{ratio:.0%} of {gradient} reaches {place}."
    if ratio == 0:
        return f"No gradient reaches {place}."
    if ratio < 1e-300:
        return f"Next to nothing of {gradient}, less than 1 part in {say(1e300)}, reaches {place}."
    return f"1 part in {say(1 / ratio)} of {gradient} reaches {place}."


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _road(info: RunInfo, layer: int, direction: int) -> str:
    """Which state was measured, where the network has more than one."""
    e = info.experiment
    parts = ["the cell state c"] if info.memory_symbol == "c" else []
    parts += [f"layer {layer + 1}"] if e.num_layers > 1 else []
    parts += [("forwards", "backwards")[direction]] if e.bidirectional else []
    return f" ({', '.join(parts)})" if parts else ""


def _place(info: RunInfo) -> str:
    if info.looks_ahead:
        return f"{_steps(info.reach)} ahead"
    from_end = info.time_steps - 1 - info.reach
    return "t = 0" if from_end == 0 else f"{_steps(info.reach)} back"


def _pace(info: RunInfo, ratio: float) -> str:
    """Half-life or doubling time along the way, and what the task needs."""
    needs = f"this task needs {_steps(info.lag)}" if info.lag is not None else ""
    if not info.reach or 0.5 < ratio < 2:
        return f"{needs[0].upper()}{needs[1:]}." if needs and info.reach else ""
    steps = info.reach * math.log(2) / abs(math.log(ratio))
    verb = "halves" if ratio < 1 else "doubles"
    return f"It {verb} every {steps:.1f} steps{'; ' if needs else ''}{needs}."


def _open_the_road(info: RunInfo) -> dict[str, Any]:
    """Settings under which more of the gradient arrives; empty where the usual ones are in place already."""
    e = info.experiment
    cell = CELLS[e.cell]
    if cell.cure_bias is None:
        return {"cell": "lstm", "forget_bias": _cure_bias("lstm", info.reach)}
    bias = _cure_bias(e.cell, info.reach)
    return {"forget_bias": bias} if e.forget_bias is None or e.forget_bias < bias else {}


def _cure_bias(cell: str, reach: int) -> float:
    """Calibrated for some 45 steps. Further back the gate must lose less at each: 1 - sigmoid(b) falls like exp(-b)."""
    calibrated = CELLS[cell].cure_bias
    assert calibrated is not None
    return calibrated + max(0.0, round(2 * math.log(max(reach, 1) / 45)) / 2)


def _tame(e: Experiment) -> dict[str, Any]:
    """Settings under which the gradient no longer grows: clipped updates and a start that keeps lengths, or smaller
    updates where it started like that and was thrown off."""
    wanted: dict[str, Any] = {"clip": "norm"}
    if e.init in ("orthogonal", "identity") and e.init_gain == 1:
        wanted["learning_rate"] = min(e.learning_rate, CAREFUL_RATE)
    else:
        wanted |= {"init": "orthogonal", "init_gain": 1.0}
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
    """A count of 1 or more in words, two digits of it: 2.3, 45, 1,300, 2 billion, 10¹⁸."""
    rounded = float(f"{number:.2g}")
    if rounded < 1e6:
        return f"{rounded:,.15g}"
    for size, word in ((1e6, "million"), (1e9, "billion"), (1e12, "trillion")):
        if rounded < 1000 * size:
            return f"{float(f'{rounded / size:.2g}'):g} {word}"
    return f"10{f'{math.log10(number):.0f}'.translate(SUPERSCRIPTS)}"
