"""What stands behind "how measured?" beside the verdict: definitions and limits, taken from the diagnosis."""

from __future__ import annotations

import math

from engine.diagnosis import LIMITS
from engine.diagnosis.plateau import PLATEAU_TOLERANCE
from engine.diagnosis.verdict import SHRINKING
from engine.frame import RunInfo
from engine.frame.readings import SATURATION_MARGIN
from engine.number_format import power_of_ten


def paragraphs(info: RunInfo) -> list[str]:
    """What stands behind "how measured?", one paragraph each."""
    s = info.memory_symbol
    need = (
        f"the task's lag, {info.lag} steps" if info.lag is not None else f"{info.measured_lag} steps, from end to end"
    )
    return [
        "The question behind the verdict: if the state at an early step had been a little different, would the loss at "
        "the end have noticed? Where it would not, training cannot tell that step what to do better.",
        f"In numbers: the loss of the last step that has one is taken alone, and differentiated with respect to the "
        f"state {s} at every step, through all later steps (back-propagation through time). The number is "
        f"‖dL/d{s}‖ at the step that matters, divided by ‖dL/d{s}‖ where the loss enters, over {need}.",
        "Measured on the probe: 16 held-out sequences, the same for the whole run, with the network's present weights "
        "and without dropout. The verdict is the median of their ratios, which is not the ratio of the "
        "medians below; the unrolled picture shows the first of them, and "
        "so does the gradient figure where they end, or are asked, at different steps.",
        f"{_bands()} A loss below a tenth of the dashed line counts as solved. A one-way "
        "network that is asked before what decides has been said cannot see it, whatever its gradient.",
        "Why it shrinks or grows is read from the drawn sequence: what the slopes of the units, and then the recurrent "
        "weights, pass on at each step, as geometric means over the same steps; of a gated cell the mean of the gate "
        "that keeps the old state. Whichever takes away more is named. A unit within "
        f"{SATURATION_MARGIN:g} of a limit counts as saturated. Where these numbers do not explain half of the "
        "decades, no reason is given.",
        "Braked: with SGD, each of the last 20 updates was clipped so much that weights hardly move. Adam, RMSprop and "
        "Adagrad divide by the size of the gradient, so for them clipping is no brake. Stuck: the mean loss of the "
        "last 20 updates, and that of 20 updates a hundred before, both lie within "
        f"{100 * PLATEAU_TOLERANCE:g} % of a known level.",
        "Code: engine/lens/sweep.py (sweep), engine/lens/step_factors.py (factors_of), engine/diagnosis/verdict.py "
        "(diagnose). Tests hold the gradient against autograd on an unrolled loop to one part in a billion.",
    ]


def _bands() -> str:
    """The limits of the verdict's ratio, from small to large, and the kind of each band."""
    bands = []
    for limit, kind in LIMITS[:-1]:
        exponent = round(math.log10(limit))
        shown = power_of_ten(exponent) if exponent < -2 else f"{limit:,g}"
        bands.append(f"{'Below' if kind in SHRINKING else 'Up to'} {shown}: {kind}.")
    return " ".join([*bands, f"Above: {LIMITS[-1][1]}."])
