"""The rules of the verdict, their order and their limits.

The verdict uses the gradient of the last counted loss alone: in a sum over many losses, short lags dominate and hide a
vanishing gradient.
"""

from __future__ import annotations

import math

import numpy as np

from engine.cells import CELLS
from engine.diagnosis import cures
from engine.diagnosis.finding import Finding
from engine.diagnosis.plateau import LEARNING_SHARE, on_plateau, slowed_by_clipping
from engine.diagnosis.reasons import MAJORITY, Reason, best_chain, grows_by, per_step, shrinks_by
from engine.diagnosis.text import fitted, pace, reaches, relevant_step, share, steps
from engine.frame import Diagnosis, Frame, RunInfo

NO_GRADIENT = 1e-8
DEAD_SLOPE = 0.999  # |h| beyond which the slope of tanh is below 0.002
LIMITS = (  # (upper end of the ratio, kind); the end is excluded for shrinking kinds, included for the others
    (1e-6, "vanished"),
    (1e-3, "vanishing"),
    (1e-2, "fading"),
    (10.0, "healthy"),
    (100.0, "rising"),
    (1e4, "growing"),
    (math.inf, "exploding"),
)
SHRINKING, GROWING = ("vanished", "vanishing", "fading"), ("growing", "exploding")  # "rising" needs no cure


def diagnose(info: RunInfo, frame: Frame) -> Diagnosis:
    """The verdict on one frame.

    Returns:
        Diagnosis whose kind is one of: not_finite, solved, blind, no_gradient, cut, dead, no_path, a band of LIMITS,
        or, where that would be healthy or rising, clipped or plateau.
    """
    chain = best_chain(info, frame)
    ratio = float(frame.ratio[chain])
    evidence = {
        "ratio": ratio,
        "lag": float(info.measured_lag),
        "loss": frame.probe_loss,
        "baseline": info.baseline,
        "gradient_at_output": frame.output_grad_norm,
        "layer": float(chain[0]),
        "direction": float(chain[1]),
    }
    if 0 < ratio < math.inf and info.measured_lag_unpadded:
        evidence["factor_per_step"] = ratio ** (1 / info.measured_lag_unpadded)
    evidence |= per_step(info, frame, chain)
    result = _first_finding(info, frame, chain, evidence)
    if result.kind in ("healthy", "rising"):
        arrives = result.sentence if ratio == 0 else reaches(info, ratio, chain)
        result = slowed_by_clipping(info, frame, arrives) or on_plateau(info, frame, arrives) or result
    cure = cures.within_limits(info.experiment, result.cure)
    return Diagnosis(result.kind, result.sentence, evidence | result.evidence, cure)


def _first_finding(info: RunInfo, frame: Frame, chain: tuple[int, int], evidence: dict[str, float]) -> Finding:
    """The finding of the first rule that applies."""
    e, ratio = info.experiment, evidence["ratio"]
    if not np.isfinite([frame.probe_loss, frame.output_grad_norm, ratio]).all():
        sentence = "A number has become infinite: this network cannot learn any further."
        return Finding("not_finite", sentence, cures.stop_growth(e))
    if frame.probe_loss < info.solved_loss:
        share = frame.probe_loss / info.baseline
        down = f"The loss is down to {f'{share:.1%}' if share >= 0.001 else 'less than 0.1%'} of the baseline."
        left = reaches(info, ratio, chain)
        if frame.output_grad_norm < NO_GRADIENT:
            left = "Hardly any gradient is left, because it is solved: there is nothing more to learn."
        return Finding("solved", f"{down} {left}")
    if info.looks_ahead and not e.bidirectional:
        sentence = "The deciding input comes after the answer: a network that reads one way cannot see it."
        return Finding("blind", sentence, {**({} if info.has_links else {"cell": "lstm"}), "bidirectional": True})
    if frame.output_grad_norm < NO_GRADIENT:
        why = "The network is sure of its answer, right or wrong."
        if info.outputs == "values":
            why = "The layers above the state pass no gradient back."
        return Finding(
            "no_gradient", f"Hardly any gradient leaves the loss: {frame.output_grad_norm:.0e} at the last step. {why}"
        )
    return _exactly_zero(info, frame) if ratio == 0 else _banded(info, frame, chain, evidence)


def _banded(info: RunInfo, frame: Frame, chain: tuple[int, int], evidence: dict[str, float]) -> Finding:
    """The finding by the ratio's band, with its reason and cure."""
    e, ratio = info.experiment, evidence["ratio"]
    kind = next(name for limit, name in LIMITS if ratio < limit or (name not in SHRINKING and ratio == limit))
    why: Reason | None = None
    cure = {}
    if kind in SHRINKING:
        why = shrinks_by(info, ratio, evidence)
        cure = (cures.stop_growth(e) if why and why.by == "saturated" and info.activation != "relu" else {}) or (
            cures.let_gradient_through(info)
        )
    elif kind in GROWING:
        why, cure = grows_by(info, ratio, evidence, chain[0]), cures.stop_growth(e)
    arrives, needed = reaches(info, ratio, chain, frame.output_grad_norm), pace(info, ratio)
    reasons = why.versions if why else ()
    if kind in GROWING:  # the reason first: it matters more than what the task needs
        explained = [f"{arrives[:-1]}: {reason}. {needed}" for reason in reasons]
    else:
        explained = [f"{arrives} {needed} {reason}." for reason in reasons]
    plain = f"{reaches(info, ratio, chain)} {needed}".strip()
    sentence = fitted(*explained, f"{arrives} {needed}".strip(), plain)
    learning = frame.probe_loss < LEARNING_SHARE * info.baseline  # no cure for a run that makes progress
    return Finding(kind, sentence, {} if learning else cure)


def _exactly_zero(info: RunInfo, frame: Frame) -> Finding:
    """The finding for a ratio of exactly 0, with the cause that settings or states show."""
    e, arrives = info.experiment, f"No gradient at all reaches {relevant_step(info)}"
    if not info.has_links and e.window > info.measured_lag:
        return Finding(
            "healthy", f"The answer lies among the {e.window} inputs read at once: no gradient has to go back."
        )
    if not info.has_links:
        sentence = "A feed-forward network has no link from step to step: no gradient goes back, nothing is remembered."
        return Finding("no_path", sentence, cures.let_gradient_through(info))
    states = frame.hidden[:, :, frame.valid]  # (layers, directions, T, units)
    if e.tbptt and info.measured_lag >= e.tbptt:
        return Finding("cut", f"{arrives}: truncation cuts the gradient after {steps(e.tbptt)}.", {"tbptt": 0})
    if info.activation == "relu" and (cause := _dead_relu(states)):
        other = {"nonlinearity": "tanh"} if CELLS[e.cell].uses_nonlinearity else cures.let_gradient_through(info)
        return Finding("dead", f"{arrives}: {cause}.", other)
    if info.activation is not None and _mostly_pinned(info.activation, states):
        pinned = f"on the way the units are pinned at their limits, where the slope of {info.activation} is 0"
        return Finding("dead", f"{arrives}: {pinned}.", cures.stop_growth(e))
    return Finding("no_path", f"{arrives}: the weights on the way pass nothing on.", cures.let_gradient_through(info))


def _dead_relu(states: np.ndarray) -> str:
    """A phrase if all ReLUs are at 0 at some step, or most of them on average; else empty."""
    all_zero = (states == 0).all(-1)
    if all_zero.any():
        return f"at t = {np.flatnonzero(all_zero.any((0, 1)))[-1]} every ReLU is at 0, where its slope is 0"
    at_zero = float((states == 0).mean())
    return f"{share(at_zero)} of the ReLUs are at 0, where their slope is 0" if at_zero > MAJORITY else ""


def _mostly_pinned(nonlinearity: str, states: np.ndarray) -> bool:
    """True if most units are where the slope of their nonlinearity is close to 0."""
    if nonlinearity == "tanh":
        return bool((np.abs(states) > DEAD_SLOPE).mean() > MAJORITY)
    return nonlinearity == "sigmoid" and bool((np.abs(2 * states - 1) > DEAD_SLOPE).mean() > MAJORITY)
