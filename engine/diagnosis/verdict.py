"""The verdict: a table of kinds in order, each with its rule. The first rule that finds something decides.

The rules about gradients use the gradient of the last counted loss alone: in a sum over many losses, short lags
dominate and hide a vanishing gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.cells import CELLS
from engine.diagnosis import cures, learning
from engine.diagnosis.case import Case
from engine.diagnosis.finding import Finding
from engine.diagnosis.learning import LEARNING_SHARE, NO_GRADIENT
from engine.diagnosis.plateau import on_plateau, slowed_by_clipping
from engine.diagnosis.reasons import MAJORITY, Reason, grows_by, shrinks_by
from engine.diagnosis.text import fitted, pace, reaches, relevant_step, share, steps
from engine.frame import Diagnosis, Frame, RunInfo

DEAD_SLOPE = 0.999  # |h| beyond which the slope of tanh is below 0.002
RISING = 100.0  # a ratio up to this needs no cure
HUGE = 1e4  # a gradient norm at a state beyond which it explodes, whatever its ratio
LIMITS = (  # (upper end of the ratio, kind); the end is excluded for shrinking kinds, included for the others
    (1e-6, "vanished"),
    (1e-3, "vanishing"),
    (1e-2, "fading"),
    (10.0, "healthy"),
    (RISING, "rising"),
    (1e4, "growing"),
    (math.inf, "exploding"),
)
SHRINKING, GROWING = ("vanished", "vanishing", "fading"), ("growing", "exploding")  # "rising" needs no cure


def diagnose(info: RunInfo, frame: Frame) -> Diagnosis:
    """The verdict on one frame."""
    case = Case(info, frame)
    found = next(finding for kind in KINDS if (finding := kind.rule(case)) is not None)
    cure = cures.within_limits(info.experiment, found.cure)
    return Diagnosis(found.kind, found.sentence, case.evidence | found.evidence, cure)


@dataclass(frozen=True)
class Kind:
    """One entry of the table.

    Args:
        names: what its rule can find. rule: returns a finding, or None if it does not apply.
        figure: the figure that shows the evidence. because: why it stands before the next.
    """

    names: tuple[str, ...]
    rule: Callable[[Case], Finding | None]
    figure: str
    because: str


def _blind(case: Case) -> Finding | None:
    """A one-way network that must answer before it has read the input that decides."""
    if not case.info.looks_ahead or case.e.bidirectional:
        return None
    sentence = "The deciding input comes after the answer: a network that reads one way cannot see it."
    return Finding("blind", sentence, {**({} if case.info.has_links else {"cell": "lstm"}), "bidirectional": True})


def _no_gradient(case: Case) -> Finding | None:
    """Hardly any gradient leaves the loss."""
    if case.frame.output_grad_norm >= NO_GRADIENT:
        return None
    if (stuck := learning.same_answer(case)) is not None:
        return stuck
    why = "The network is sure of its answer, right or wrong."
    if case.info.outputs == "values":
        why = "The layers above the state pass no gradient back."
    entering = f"{case.frame.output_grad_norm:.0e}"
    return Finding("no_gradient", f"Hardly any gradient leaves the loss: {entering} at the last step. {why}")


def _huge(case: Case) -> Finding | None:
    """A gradient that is huge in itself."""
    largest = float(np.nanmax(case.frame.grad_norm_memory, initial=0.0))
    if largest < HUGE or case.ratio > RISING:  # a ratio that grows has a reason of its own
        return None
    sentence = f"The gradient is huge: a norm of {largest:.1g} at a state. One update can undo everything."
    return Finding("exploding", sentence, cures.lower_rate(case.e), {"largest": largest})


def _zero(case: Case) -> Finding | None:
    return _exactly_zero(case.info, case.frame) if case.ratio == 0 else None


def _learning_stops(case: Case) -> Finding | None:
    """The gradient arrives, but nothing is learned of it."""
    zero = _zero(case)
    if (zero.kind if zero else _band(case.ratio)) not in ("healthy", "rising"):
        return None
    arrives = zero.sentence if zero else case.arrives
    return (
        slowed_by_clipping(case.info, case.frame, arrives)
        or on_plateau(case, arrives)
        or learning.same_answer(case)
        or learning.behind(case)
    )


def _band(ratio: float) -> str:
    """The kind by the ratio alone."""
    return next(name for limit, name in LIMITS if ratio < limit or (name not in SHRINKING and ratio == limit))


def _banded(case: Case) -> Finding:
    """The finding by the ratio's band, with its reason and cure."""
    info, frame, e, ratio, chain, evidence = case.info, case.frame, case.e, case.ratio, case.chain, case.evidence
    kind = _band(ratio)
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
    progresses = frame.probe_loss < LEARNING_SHARE * info.baseline  # no cure for a run that makes progress
    return Finding(kind, sentence, {} if progresses else cure)


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


KINDS = (
    Kind(("not_finite",), learning.not_finite, "loss", "no other number means anything then"),
    Kind(("diverged",), learning.diverged, "loss", "a ratio says nothing about weights that have been thrown about"),
    Kind(("sees_answer",), learning.sees_answer, "prediction", "a loss of 0 would be called solved"),
    Kind(("solved",), learning.solved, "loss", "then the gradient may be as small as it likes"),
    Kind(("nearly",), learning.nearly, "prediction", "its low loss would hide that answers are wrong"),
    Kind(("blind",), _blind, "unrolled", "no gradient can bring what is not there"),
    Kind(("overfitting",), learning.overfitting, "loss", "the gradient of the training loss arrives, and misleads"),
    Kind(("no_gradient", "same_answer"), _no_gradient, "gradient", "a ratio of two noises says nothing"),
    Kind(("exploding",), _huge, "gradient", "a ratio near 1 would call it healthy"),
    Kind(("clipped", "plateau", "same_answer", "behind"), _learning_stops, "loss", "the bands alone would say healthy"),
    Kind(("cut", "dead", "no_path", "healthy"), _zero, "gradient", "exactly 0 has causes of its own"),
    Kind(tuple(name for _, name in LIMITS), _banded, "gradient", "it always finds something"),
)
"""In the order in which they are asked."""
