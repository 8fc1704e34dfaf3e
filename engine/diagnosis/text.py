"""The sentences of the verdict: readable aloud, at most three lines."""

from __future__ import annotations

import math

from engine.frame import Chain
from engine.number_format import count, write_count

MAX_CHARACTERS = 200  # three lines on a page 1440 pixels wide, beside a cure; longer text is cut off
MIN_FLOAT32 = 2.0**-150  # half of the smallest positive float32: anything smaller is rounded to 0


def fitted(*versions: str) -> str:
    """The first version that fits on the page; they are ordered from the longest to the shortest."""
    return next((each for each in versions if len(each) <= MAX_CHARACTERS), versions[-1])


def reaches(info: Chain, ratio: float, chain: tuple[int, int], enters: float = math.inf) -> str:
    """A sentence on how much of the gradient arrives, where, and through which state.

    Args:
        ratio: the verdict's ratio of `chain` (layer, direction).
        enters: the gradient norm where the loss enters, to tell whether what arrives underflows in float32.
    """
    if info.measured_lag == 0:
        return "The answer lies in the present step: no gradient has to go back in time."
    where = relevant_step(info) + state_name(info, *chain)
    gradient = "the last loss's gradient" if sum(info.counted) > 1 else "the gradient"
    return arrives(gradient, where, ratio, enters)


def arrives(gradient: str, where: str, ratio: float, enters: float = math.inf) -> str:
    """A sentence on how much of a gradient arrives somewhere.

    Args:
        gradient: whose, as "the gradient". where: in words. ratio, enters: as for `reaches`.
    """
    if ratio >= 1.5:
        way = f"back to {where}" if where.startswith(("t = ", "the ")) else where
        return f"{gradient[0].upper()}{gradient[1:]} grows {write_count(ratio)}-fold on its way {way}."
    if ratio >= 0.1:
        return f"{ratio:.0%} of {gradient} reaches {where}."
    if ratio == 0:
        return f"No gradient reaches {where}."
    if ratio < 1e-300:
        return f"Next to nothing of {gradient}, less than 1 part in {write_count(1e300)}, reaches {where}."
    lost = ": too small for 32 bits" if ratio * enters < MIN_FLOAT32 else ""
    return f"1 part in {write_count(1 / ratio)} of {gradient} reaches {where}{lost}."


def nothing_reaches(where: str, cause: str) -> str:
    """A sentence on a gradient that is exactly 0 somewhere. where, cause: in words."""
    return f"No gradient at all reaches {where}: {cause}."


def pace(info: Chain, ratio: float) -> str:
    """A sentence on what one step leaves of the gradient, on average, and how many steps the task needs."""
    count = info.measured_lag_unpadded
    whose = "this task" if count == info.measured_lag else "this sequence"
    if not count or 0.5 < ratio < 2:
        return f"{whose.capitalize()} needs {steps(count)}." if info.lag else ""
    factor = ratio ** (1 / count)
    grows = f"multiplies it by {f'{factor:.3g}' if factor < 100 else write_count(factor)}"
    changes = f"leaves {share(factor)} of it" if ratio < 1 else grows
    needs = "" if info.lag is None else f"; {whose} needs {steps(count)}"
    return f"Each step{'' if info.looks_ahead else ' back'} {changes}{needs}."


def relevant_step(info: Chain) -> str:
    """The deciding step in words: "t = 0", "5 steps back", "1 step ahead"."""
    if info.looks_ahead:
        return f"{steps(info.measured_lag)} ahead"
    from_end = info.time_steps - 1 - info.measured_lag
    return f"t = {from_end}" if info.lag is None or from_end == 0 else f"{steps(info.measured_lag)} back"


def steps(number: int) -> str:
    """Format a number of steps."""
    return count(number, "step")


def share(number: float) -> str:
    """Format a part of a whole as a percentage; rounding never gives 0% or, below 0.9995, 100%."""
    if 0.985 <= number < 0.9995:
        return f"{number:.1%}"
    if number >= 0.095:
        return f"{number:.0%}"
    return f"{100 * number:.1g}%" if number >= 1e-6 else "next to nothing"


def times(factor: float) -> str:
    """How many times as large: "2.3 times", or "about" for as large."""
    if factor < 1.05:
        return "about"
    return f"{factor:.1f} times" if factor < 100 else f"{write_count(factor)} times"


def state_name(info: Chain, layer: int, direction: int) -> str:
    """Which state was measured, in brackets, if the network has more than one; else empty."""
    parts = ["cell state c"] if info.memory_symbol == "c" else []
    parts += [f"layer {layer + 1}"] if info.num_layers > 1 else []
    parts += [("forwards", "backwards")[direction]] if info.directions > 1 else []
    return f" ({', '.join(parts)})" if parts else ""
