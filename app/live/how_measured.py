"""The text of "how measured?" beside the verdict: definitions and limits, taken from the diagnosis."""

from __future__ import annotations

import math

from engine.diagnosis.bands import HOLD, LIMITS, SHRINKING
from engine.diagnosis.learning import STUCK_AFTER
from engine.diagnosis.plateau import PLATEAU_TOLERANCE
from engine.frame import RunInfo
from engine.frame.readings import SATURATION_MARGIN
from engine.number_format import power_of_ten
from engine.tasks import HELD_OUT_SIZE, MOST_HELD_OUT


def paragraphs(info: RunInfo) -> list[str]:
    """The paragraphs of "how measured?"."""
    s = info.memory_symbol
    span = (
        f"the task's lag, {info.lag} steps"
        if info.lag is not None
        else f"{info.measured_lag} steps, back to the first input that differs from sequence to sequence"
    )
    carried = (
        " Training carries the state on, which older weights have made. So that a frame depends on the present weights "
        f"alone, these sequences begin with a state of 0, and their first {info.experiment.warm_up} steps, without a "
        "loss, are a warm-up; then comes one piece as in training, and the gradient is cut before it."
        if info.experiment.carry_state
        else ""
    )
    return [
        "The question behind the verdict: if the state at an early step had been slightly different, would the loss at "
        "the end have changed? If not, training has no information about how to improve that step.",
        f"In numbers: the loss of the last step that has one is taken alone, and differentiated with respect to the "
        f"state {s} at every step, through all later steps (back-propagation through time). The ratio is "
        f"‖dL/d{s}‖ at the step that matters, divided by ‖dL/d{s}‖ where the loss enters, over {span}.",
        "Measured on the probe: 16 held-out sequences, the same for the whole run, with the network's current weights "
        f"and without dropout.{carried} The verdict uses the median of their 16 ratios. The dots of the gradient "
        "figure are these medians at every step, relative to where the loss enters. "
        "The figure “The network, unrolled in time” shows the first of the 16 sequences. "
        "The gradient figure shows that one alone if the sequences end, or have their targets, at different steps.",
        f"{_bands()} A one-way network that must answer before it has read the input that decides the answer cannot "
        "see it, whatever its gradient. One that reads both ways and has the answer in its input only copies it.",
        f"Whether it learns is judged on other held-out sequences, {HELD_OUT_SIZE} or as many as there are, and where "
        f"the data are your own, but for a running text, on each held-out answer once, or on {MOST_HELD_OUT} of them, "
        "evenly spread, if there are more. That happens at fixed steps of training and at its last one, against a line "
        "measured on the same sequences. Solved: the loss is below a tenth "
        "of the line, and the task’s own measure says that most answers are right; nearly: only the loss says so. Once "
        "solved it stays so until the loss is twice that. Diverged: the loss is well above the line and above where it "
        "began, and does not fall. By heart: the training loss goes on falling, the held-out loss has risen "
        "since its best step. Stuck at one answer: after "
        f"{STUCK_AFTER} updates every sequence still gets the same answer. Behind: it is no better than the line. "
        "Far enough: the gradient shrinks, but no step of this task must be remembered, and the line is met. The "
        f"ratio is measured at the same steps. Its verdict stays until it is outside by a factor of {HOLD:g}.",
        "The reason for shrinking or growing is measured on the first of the 16 sequences: the geometric means, over "
        "the same steps, of the factors by which the slopes of the units and the recurrent weights multiply the "
        "gradient; for a gated cell, the mean of the gate that keeps the old state. The verdict names the one that "
        f"shrinks the gradient more. A unit within {SATURATION_MARGIN:g} of a limit counts as saturated. If these "
        "numbers explain less than half of the decades, no reason is given.",
        "Clipped hard: with SGD, each of the last 20 updates was clipped so much that the weights hardly move. Adam, "
        "AdamW, RMSprop and Adagrad divide by the size of the gradient, so clipping does not slow them down. Stuck: "
        "two held-out losses, measured one after the other, or in an older recording the mean loss of the last 20 "
        f"updates and that of 20 updates a hundred steps earlier, are both within {100 * PLATEAU_TOLERANCE:g} % of a "
        "known level.",
        "Code: engine/lens/sweep.py (sweep), engine/lens/step_factors.py (factors_of), engine/diagnosis/verdict.py "
        "(diagnose). Tests compare the gradient with autograd on an unrolled loop, to one part in a billion.",
    ]


def _bands() -> str:
    """The limits of the verdict's ratio, from small to large, with the verdict between them."""
    bands = []
    for limit, kind in LIMITS[:-1]:
        exponent = round(math.log10(limit))
        shown = power_of_ten(exponent) if exponent < -2 else f"{limit:,g}"
        bands.append(f"{'Below' if kind in SHRINKING else 'Up to'} {shown}: {kind}.")
    return " ".join([*bands, f"Above: {LIMITS[-1][1]}."])
