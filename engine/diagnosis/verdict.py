"""The verdict: a table of kinds in order, each with its rule. The first rule that finds something decides.

The rules about gradients use the gradient of the last counted loss alone: in a sum over many losses, short lags
dominate and hide a vanishing gradient.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.cells import CELLS
from engine.diagnosis import cures, learning, mistakes
from engine.diagnosis.at_limits import PASS_NOTHING, dead_units
from engine.diagnosis.bands import GROWING, LIMITS, RISING, SHRINKING
from engine.diagnosis.case import Case
from engine.diagnosis.finding import Finding
from engine.diagnosis.learning import NO_GRADIENT
from engine.diagnosis.plateau import behind, on_plateau, simple_answer_is_better, slowed_by_clipping
from engine.diagnosis.reasons import Reason, grows_by, shrinks_by
from engine.diagnosis.text import fitted, nothing_reaches, relevant_step, steps
from engine.frame import Diagnosis, Frame, RunInfo

HUGE = 1e4  # a gradient norm at a state beyond which it explodes, whatever its ratio
GOOD_KINDS = ("untrained", "solved", "by_heart", "nearly", "enough", "healthy", "rising")
"""The verdicts on a run that needs no help; all others are bad."""


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


def _asked_for(case: Case) -> Finding | None:
    """A fixed training set is learned by heart, and not solved beyond it."""
    return None if learning.solved(case) else learning.by_heart(case)


def _low_and_worse(case: Case) -> Finding | None:
    """The loss is low enough, but a simple answer is right more often."""
    return simple_answer_is_better(case) if learning.nearly(case) else None


def _blind(case: Case) -> Finding | None:
    """A one-way network that must answer before it has read the input that decides."""
    if not case.info.looks_ahead or case.e.bidirectional:
        return None
    sentence = "The deciding input comes after the answer: a network that reads one way cannot see it."
    return Finding("blind", sentence, {**({} if case.info.has_links else {"cell": "lstm"}), "bidirectional": True})


def _untrained(case: Case) -> Finding | None:
    """Nothing has been learned yet, and nothing stands in the way."""
    if case.frame.step or not case.has_record:
        return None
    found = _zero(case) or _banded(case)
    if not case.attends and found.kind not in GROWING:
        return Finding("untrained", case.arrives)  # little may come through the state: attention has not chosen yet
    return Finding("untrained", found.sentence) if found.kind in ("healthy", "rising") else None


def _sure_of_one_answer(case: Case) -> Finding | None:
    """The same answer for every sequence, and so sure of it that no gradient leaves the loss."""
    return learning.same_answer(case) if case.enters < NO_GRADIENT else None


def _no_gradient(case: Case) -> Finding | None:
    """Hardly any gradient leaves the loss."""
    if case.enters >= NO_GRADIENT:
        return None
    why = "The network is sure of its answer, right or wrong."
    if case.info.outputs == "values":
        why = "The layers above the state pass no gradient back."
    entering = f"{case.enters:.0e}"
    cure = {} if case.progresses else cures.usual_settings(case.info, case.frame)
    return Finding("no_gradient", f"Hardly any gradient leaves the loss: {entering} at the last step. {why}", cure)


def _huge(case: Case) -> Finding | None:
    """A gradient that is huge in itself."""
    largest = float(np.nanmax(case.frame.grad_norm_memory, initial=0.0))
    if largest < HUGE or case.ratio > RISING:  # a ratio that grows has a reason of its own
        return None
    sentence = f"The gradient is huge: a norm of {largest:.1g} at a state. One update can undo everything."
    return Finding("exploding", sentence, cures.lower_rate(case.e), {"largest": largest})


def _zero(case: Case) -> Finding | None:
    if case.ratio:
        return None
    found = _exactly_zero(case.info, case.frame)
    if found.kind not in ("dead", "no_path") or case.progresses:
        return found
    return dataclasses.replace(found, cure=found.cure | cures.usual_updates(case.info, case.frame))


def _learning_stops(case: Case) -> Finding | None:
    """The gradient arrives, but nothing is learned of it."""
    zero = _zero(case)
    if (zero.kind if zero else case.band) not in ("healthy", "rising") and not case.needs_no_more:
        return None
    arrives = zero.sentence if zero else case.arrives
    stuck = slowed_by_clipping(case, arrives) or on_plateau(case, arrives) or learning.same_answer(case)
    return stuck or behind(case) or simple_answer_is_better(case)


def _enough(case: Case) -> Finding | None:
    """Little of the gradient goes far back, but nothing is known to lie there, and the line is met."""
    if not case.needs_no_more:
        return None
    met = f"The loss is at {case.share:.0%} of that of “{case.line_name}”"
    known = f"{met}, and this task has no step that must be remembered."
    return Finding("enough", fitted(f"{known} {case.arrives}", known))


def _banded(case: Case) -> Finding:
    """The finding by the ratio's band, with its reason and cure."""
    info, frame, e, ratio, chain, evidence = case.info, case.frame, case.e, case.ratio, case.chain, case.evidence
    kind = case.band
    reasons: Reason = ()
    cure = {}
    if kind in SHRINKING:
        reasons = shrinks_by(info, ratio, evidence, info.measured_lag_unpadded)
        cure = cures.let_gradient_through(info) | cures.usual_updates(info, frame) | cures.usual_start(e)
    elif kind in GROWING:
        reasons, cure = grows_by(info, ratio, evidence, chain[0], info.measured_lag_unpadded), cures.stop_growth(e)
    arrives, needed = case.reaches(frame.output_grad_norm), case.pace
    if kind in GROWING:  # the reason first: it matters more than what the task needs
        explained = [f"{arrives[:-1]}: {reason}. {needed}" for reason in reasons]
    else:
        explained = [f"{arrives} {needed} {reason}." for reason in reasons]
    plain = f"{case.arrives} {needed}".strip()
    sentence = fitted(*explained, f"{arrives} {needed}".strip(), plain, case.arrives)
    return Finding(kind, sentence, {} if case.progresses else cure)


def _exactly_zero(info: RunInfo, frame: Frame) -> Finding:
    """The finding for a ratio of exactly 0, with the cause that settings or states show."""
    e, where = info.experiment, relevant_step(info)
    if not info.has_links and e.window > info.measured_lag:
        return Finding(
            "healthy", f"The answer lies among the {e.window} inputs read at once: no gradient has to go back."
        )
    if not info.has_links:
        sentence = "A feed-forward network has no link from step to step: no gradient goes back, nothing is remembered."
        return Finding("no_path", sentence, cures.let_gradient_through(info))
    states = frame.hidden[:, :, frame.valid]  # (layers, directions, T, units)
    if e.tbptt and info.measured_lag >= e.tbptt:
        cause = f"truncation cuts the gradient after {steps(e.tbptt)}"
        return Finding("cut", nothing_reaches(where, cause), {"tbptt": 0})
    if not (cause := dead_units(info.activation, states)):
        return Finding("no_path", nothing_reaches(where, PASS_NOTHING), cures.let_gradient_through(info))
    if info.activation != "relu":
        cure = cures.stop_growth(e)
    else:
        cure = {"nonlinearity": "tanh"} if CELLS[e.cell].uses_nonlinearity else cures.let_gradient_through(info)
    return Finding("dead", nothing_reaches(where, cause), cure)


KINDS = (
    Kind(("not_finite",), learning.not_finite, "loss", "no other number means anything then"),
    Kind(("reverse_read_at_its_start",), mistakes.reverse_read_at_its_start, "unrolled", "no ratio is meant for it"),
    Kind(("padding_read_as_data",), mistakes.padding_read_as_data, "gradient", "its lag is that of the data alone"),
    Kind(("loss_on_padding",), mistakes.loss_on_padding, "per_step", "its loss would be called solved"),
    Kind(("batch_and_time_swapped",), mistakes.batch_and_time_swapped, "unrolled", "that a ratio is 0 follows from it"),
    Kind(("softmax_twice",), mistakes.softmax_twice, "loss", "its loss stands, though every answer may be right"),
    Kind(("gradients_not_cleared",), mistakes.gradients_not_cleared, "update", "that it diverges follows from it"),
    Kind(("by_heart",), _asked_for, "loss", "the held-out loss of a few sequences learned by heart misleads"),
    Kind(("diverged",), learning.diverged, "loss", "a ratio says nothing about weights that have been thrown about"),
    Kind(("sees_answer",), learning.sees_answer, "prediction", "a loss of 0 would be called solved"),
    Kind(("solved",), learning.solved, "loss", "then the gradient may be as small as it likes"),
    Kind(("behind",), _low_and_worse, "loss", "its low loss would comfort where simple answers are better"),
    Kind(("nearly",), learning.nearly, "prediction", "its low loss would hide that answers are wrong"),
    Kind(("blind",), _blind, "unrolled", "no gradient can bring what is not there"),
    Kind(("overfitting",), learning.overfitting, "loss", "the gradient of the training loss arrives, and misleads"),
    Kind(("untrained",), _untrained, "unrolled", "a gradient that arrives says nothing yet of what is learned of it"),
    Kind(("same_answer",), _sure_of_one_answer, "loss", "that no gradient is left follows from it"),
    Kind(("no_gradient",), _no_gradient, "gradient", "a ratio of two noises says nothing"),
    Kind(("exploding",), _huge, "gradient", "a ratio near 1 would call it healthy"),
    Kind(("clipped", "plateau", "same_answer", "behind"), _learning_stops, "loss", "the bands alone would say healthy"),
    Kind(("enough",), _enough, "loss", "a short memory may be all that the data needs"),
    Kind(("cut", "dead", "no_path", "healthy"), _zero, "gradient", "exactly 0 has causes of its own"),
    Kind(tuple(name for _, name in LIMITS), _banded, "gradient", "it always finds something"),
)
"""In the order in which they are asked."""
