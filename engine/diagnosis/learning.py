"""The rules about what is learned: broken, diverged, solved, by heart, stuck. They read losses, not gradients."""

from __future__ import annotations

import math

import numpy as np

from engine.diagnosis import cures
from engine.diagnosis.case import LEARNING_SHARE, Case
from engine.diagnosis.finding import Finding
from engine.diagnosis.text import fitted, times
from engine.frame.held_out import metric_is_good
from engine.number_format import count, short

NO_GRADIENT = 1e-8
WORSE = 1.3  # times the line, and times where it began: above this a loss is clearly worse than both
FAR_WORSE = 3.0  # the same beyond doubt: no trend is asked for
STUCK_AFTER = 200  # updates after which a network that beats nothing should have begun to
SAME_ANSWER = 0.02  # a spread of the answers below this: every sequence gets the same
TURNED = 1.1  # times the lowest held-out loss: above this it has turned


def not_finite(case: Case) -> Finding | None:
    """A number of the loss or of its gradient is infinite or NaN."""
    if np.isfinite([case.frame.probe_loss, case.frame.output_grad_norm, case.own_ratio]).all():
        return None
    sentence = "A number has become infinite: this network cannot learn any further."
    return Finding("not_finite", sentence, cures.lower_rate(case.e) if case.frame.step else cures.stop_growth(case.e))


def diverged(case: Case) -> Finding | None:
    """The loss is well above the line and above where it began, and does not fall."""
    frame = case.frame
    began = frame.held_out_first if math.isfinite(frame.held_out_first) else 0.0
    above = frame.probe_loss / max(case.info.baseline, began)
    if not frame.step or above < WORSE or (above < FAR_WORSE and (not case.has_record or case.is_falling)):
        return None
    share = case.share if frame.held_out_step == frame.step else frame.probe_loss / case.info.baseline
    height = "no longer finite"
    if math.isfinite(share):
        height = f"{times(share)} that of “{case.line_name}”, and above where it began"
    sentence = f"The updates are too large: the held-out loss is {height}."
    return Finding("diverged", sentence, cures.lower_rate(case.e) or cures.usual_settings(case.info, frame))


def sees_answer(case: Case) -> Finding | None:
    """A network that reads both ways reads the answer in its input: the next input is the target."""
    e = case.e
    if not (case.info.causal and e.bidirectional and e.rnn_type == "many_to_many"):
        return None
    sentence = (
        "It reads backwards as well, and the answer at every step is the next input: it copies, it does not predict."
    )
    return Finding("sees_answer", sentence, {"bidirectional": False})


def solved(case: Case) -> Finding | None:
    """Held-out loss and metric are good enough."""
    frame, info = case.frame, case.info
    done = frame.held_out_solved if case.has_record else frame.probe_loss < info.solved_loss
    if not done:
        return None
    share = f"{case.share:.1%}" if case.share >= 0.001 else "less than 0.1%"
    down = f"The loss is down to {share} of the baseline."
    left = case.arrives
    if case.enters < NO_GRADIENT:
        left = "Hardly any gradient is left, because it is solved: there is nothing more to learn."
    return Finding("solved", f"{down} {left}")


def nearly(case: Case) -> Finding | None:
    """The loss is low enough, but too many answers are wrong."""
    frame, info = case.frame, case.info
    if not case.has_record or case.loss >= info.held_out_solved_loss or metric_is_good(info, frame.held_out_metric):
        return None
    value = info.write_metric(frame.held_out_metric)
    low = f"The loss is down to {case.share:.1%} of the baseline"
    return Finding("nearly", f"{low}, but too few answers are right ({info.metric_name}: {value}).")


FITTED, FITTING = 0.1, 0.7  # of the line: a training loss below it is known by heart, or on its way


def by_heart(case: Case) -> Finding | None:
    """The few sequences of a fixed training set are being learned, which was asked for: other data say nothing then."""
    frame, asked = case.frame, case.e.train_set
    if not asked or not frame.recent_loss < FITTING * case.line:
        return None
    what = "knows" if frame.recent_loss < FITTED * case.line else "is learning"
    known = (
        f"It {what} its {count(asked, 'training sequence')} by heart, as you asked: their loss is "
        f"{short(frame.recent_loss)}. The held-out loss, {short(case.loss)}, is no sign of a mistake."
    )
    return Finding("by_heart", known, {}, {"training": frame.recent_loss})


def overfitting(case: Case) -> Finding | None:
    """Learned by heart: training goes on falling, and the held-out loss has turned."""
    frame = case.frame
    if not case.has_record or frame.held_out_best_step <= 0 or not math.isfinite(frame.recent_loss):
        return None
    if case.beats_simple_answers and case.loss < case.line:
        return None  # what it has learned holds for other data, however much more it has learned of its own
    if frame.held_out_best >= case.line:
        return None  # it has never known more than the line, so there is nothing that it has lost
    is_since = not 0 <= frame.held_out_earlier_step < frame.held_out_best_step  # the measurement before the newest
    turned = case.loss > TURNED * frame.held_out_best and frame.held_out_earlier > frame.held_out_best and is_since
    falls = frame.recent_loss < min(0.9 * frame.held_out_best_training, 0.8 * case.loss)
    if not (turned and falls):
        return None
    sentence = (
        f"It learns the training data by heart: its training loss is {short(frame.recent_loss)}, the held-out loss "
        f"{case.loss:.3g}. That was lowest at step {frame.held_out_best_step:,}, with {frame.held_out_best:.3g}."
    )
    evidence = {
        "best": frame.held_out_best,
        "best_step": float(frame.held_out_best_step),
        "training": frame.recent_loss,
    }
    return Finding("overfitting", sentence, cures.learn_less_by_heart(case.info), evidence)


def same_answer(case: Case) -> Finding | None:
    """Every sequence gets the same answer, long after the start."""
    frame, info = case.frame, case.info
    if not case.has_record or frame.held_out_step < STUCK_AFTER or case.is_falling:
        return None
    if not frame.held_out_spread < SAME_ANSWER or case.loss < LEARNING_SHARE * min(case.line, info.constant_loss):
        return None
    what = "the mean" if info.outputs == "values" else "how common each symbol is"
    sentence = (
        f"Every sequence gets the same answer, {what}: the answers spread by {frame.held_out_spread:.1%}. "
        f"The held-out loss stays at {case.loss:.3g}."
    )
    evidence = {"spread": frame.held_out_spread, "constant_loss": info.constant_loss}
    return Finding("same_answer", fitted(sentence), cures.usual_settings(info, frame), evidence)
