"""The rules about how a run is wired. They are asked before any ratio: of a wrong network a ratio says nothing.

Each reads what was measured, never the setting that switched a bug on; no sound run has such numbers.
"""

from __future__ import annotations

import math

import numpy as np

from engine.bugs import NO_BUG
from engine.diagnosis.case import Case
from engine.diagnosis.finding import Finding
from engine.diagnosis.text import fitted
from engine.number_format import short, write_count

LEAST_LEAK = 1e-6  # of the gradient; in a sound network it is exactly 0
MOST_OFF_ONE = 1e-3  # of what cross-entropy is given; float32 probabilities are 1e-6 off
LEAST_STORED = 1e-3  # by which a stored gradient must differ from its own; in a sound run they are the same

RIGHT_LINE = {"bug": NO_BUG}


def reverse_read_at_its_start(case: Case) -> Finding | None:
    """The gradient of the reverse direction is exactly 0 but where it begins, and nothing cuts it."""
    frame, norms = case.frame, case.frame.sequence_grad_norm_last  # (layers, directions, T)
    if norms.shape[1] < 2 or not case.info.answers_once:
        return None
    arrives = norms[-1, 1, frame.valid]
    if len(arrives) < 2 or not arrives[-1] > 0 or not (arrives[:-1] == 0).all():
        return None
    sentence = (
        "Of the reverse direction only the last position is read, where it has seen one input: its gradient is exactly "
        f"0 at {len(arrives) - 1} of {len(arrives)} steps."
    )
    return Finding("reverse_read_at_its_start", sentence, RIGHT_LINE, {"steps_without": float(len(arrives) - 1)})


def padding_read_as_data(case: Case) -> Finding | None:
    """The answer is read behind the padding, so that a gradient stands on padding."""
    frame = case.frame
    if not case.info.answers_once or not frame.padding_gradient > 0:
        return None
    arrived = "nothing" if not frame.data_gradient else f"1 part in {write_count(1 / frame.data_gradient)}"
    sentence = fitted(
        "The answer is read behind the padding, which the network has read as if it were data: of the gradient "
        f"{arrived} reaches the last step of the data."
    )
    evidence = {"padding_gradient": frame.padding_gradient, "data_gradient": frame.data_gradient}
    return Finding("padding_read_as_data", sentence, RIGHT_LINE, evidence)


def loss_on_padding(case: Case) -> Finding | None:
    """Steps count in the loss that are padding."""
    frame = case.frame
    if case.info.answers_once or not frame.padding_counted > 0:
        return None
    sentence = (
        f"{frame.padding_counted:.0%} of the steps that count in the loss are padding, which is easy to answer: the "
        f"loss of {short(case.loss)} is not that of the data."
    )
    return Finding("loss_on_padding", sentence, RIGHT_LINE, {"padding_counted": frame.padding_counted})


def batch_and_time_swapped(case: Case) -> Finding | None:
    """A loss depends on other sequences, and on no earlier step of its own."""
    frame = case.frame
    if not frame.held_out_leak > LEAST_LEAK or case.own_ratio:
        return None
    sentence = (
        f"Batch and time are swapped: {frame.held_out_leak:.0%} of the gradient of a sequence's loss goes to other "
        "sequences, and none to its own steps before."
    )
    return Finding("batch_and_time_swapped", sentence, RIGHT_LINE, {"leak": frame.held_out_leak})


def softmax_twice(case: Case) -> Finding | None:
    """What cross-entropy is given are probabilities already."""
    info, frame = case.info, case.frame
    if not frame.off_one < MOST_OFF_ONE:
        return None
    floor = math.log(math.e + len(info.output_labels) - 1) - 1
    found = "What cross-entropy is given sums to 1 in every row: a softmax was taken before"
    right = f"{info.metric_name}: {info.write_metric(frame.judged_metric)}"
    if case.e.reduction == "sum":  # then the floor is one for each step
        return Finding("softmax_twice", f"{found}. The loss is {short(case.loss)}, {right}.", RIGHT_LINE)
    sentence = f"{found}. The loss cannot fall below {floor:.4g}; it is {case.loss:.4g} ({right})."
    return Finding("softmax_twice", fitted(sentence), RIGHT_LINE, {"floor": floor})


def gradients_not_cleared(case: Case) -> Finding | None:
    """Updates are made with more than the gradient of their own batch."""
    stored = case.frame.stored_gradient
    if not np.isfinite(stored) or abs(stored - 1) < LEAST_STORED:
        return None
    size = f"{stored:.2g} times" if stored < 100 else f"{write_count(stored)} times"
    sentence = (
        f"Updates are made with a gradient {size} as large as that of their own batch: the gradients of earlier "
        "updates are still in it."
    )
    return Finding("gradients_not_cleared", sentence, RIGHT_LINE, {"stored_gradient": stored})
