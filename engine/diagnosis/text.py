"""How the verdict speaks: so that it can be read aloud, and in three short lines."""

from __future__ import annotations

import math

from engine.frame import RunInfo
from engine.number_format import power_of_ten

MOST_LETTERS = 200  # three lines of the page, 1440 pixels wide, beside a cure; what is longer would be cut off there
SMALLEST = 2.0**-150  # half of the smallest 32-bit number above 0: what is smaller is rounded to 0


def fitted(*versions: str) -> str:
    """The first version that fits on the page; they are ordered from the longest to the shortest."""
    return next((each for each in versions if len(each) <= MOST_LETTERS), versions[-1])


def reaches(info: RunInfo, ratio: float, chain: tuple[int, int], enters: float = math.inf) -> str:
    """How much arrives, where, and by which road.

    Args:
        ratio: the verdict's ratio, of the chain (layer, direction).
        enters: the norm where the loss enters, to say whether what arrives is too small for the machine.
    """
    if info.measured_lag == 0:
        return "The answer lies in the present step: no gradient has to go back in time."
    where = place(info) + _road(info, *chain)
    gradient = "the last loss's gradient" if sum(info.counted) > 1 else "the gradient"
    if ratio >= 1.5:
        way = f"back to {where}" if where.startswith("t = ") else where
        return f"{gradient[0].upper()}{gradient[1:]} grows {say(ratio)}-fold on its way {way}."
    if ratio >= 0.1:
        return f"{ratio:.0%} of {gradient} reaches {where}."
    if ratio == 0:
        return f"No gradient reaches {where}."
    if ratio < 1e-300:
        return f"Next to nothing of {gradient}, less than 1 part in {say(1e300)}, reaches {where}."
    lost = ": too small for 32 bits" if ratio * enters < SMALLEST else ""
    return f"1 part in {say(1 / ratio)} of {gradient} reaches {where}{lost}."


def pace(info: RunInfo, ratio: float) -> str:
    """Half-life or doubling time along the way, and what the task needs."""
    whose = "this task" if info.measured_lag_unpadded == info.measured_lag else "this sequence"
    if not info.measured_lag or 0.5 < ratio < 2:
        return f"{whose.capitalize()} needs {steps(info.measured_lag_unpadded)}." if info.lag else ""
    count = info.measured_lag_unpadded * math.log(2) / abs(math.log(ratio))
    verb = "halves" if ratio < 1 else "doubles"
    needs = "" if info.lag is None else f"; {whose} needs {info.measured_lag_unpadded}"
    return f"It {verb} every {count:.1f} steps{needs}."


def place(info: RunInfo) -> str:
    """The step that matters, as a person would name it."""
    if info.looks_ahead:
        return f"{steps(info.measured_lag)} ahead"
    from_end = info.time_steps - 1 - info.measured_lag
    return "t = 0" if from_end == 0 else f"{steps(info.measured_lag)} back"


def steps(count: int) -> str:
    """A number of steps."""
    return "1 step" if count == 1 else f"{count} steps"


def share(number: float) -> str:
    """A part of a whole as a percentage, never rounded to nothing or to all of it."""
    if 0.985 <= number < 0.9995:
        return f"{number:.1%}"
    if number >= 0.095:
        return f"{number:.0%}"
    return f"{100 * number:.1g}%" if number >= 1e-6 else "next to nothing"


def say(number: float) -> str:
    """A count of 1 or more in words, two digits of it: 2.3, 45, 1,300, 2 billion, 10¹⁸."""
    rounded = float(f"{number:.2g}")
    if rounded < 1e6:
        return f"{rounded:,.15g}"
    for size, word in ((1e6, "million"), (1e9, "billion"), (1e12, "trillion")):
        if rounded < 1000 * size:
            return f"{float(f'{rounded / size:.2g}'):g} {word}"
    return power_of_ten(round(math.log10(number)))


def _road(info: RunInfo, layer: int, direction: int) -> str:
    """Which state was measured, where the network has more than one."""
    e = info.experiment
    parts = ["cell state c"] if info.memory_symbol == "c" else []
    parts += [f"layer {layer + 1}"] if e.num_layers > 1 else []
    parts += [("forwards", "backwards")[direction]] if e.bidirectional else []
    return f" ({', '.join(parts)})" if parts else ""
