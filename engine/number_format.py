"""Format numbers for read-outs, tables and sentences. No torch; figures may import it."""

from __future__ import annotations

import math
from collections.abc import Sequence

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
"""Table for `str.translate`: digits and minus to superscripts."""
MOST_DIGITS = 8
"""Of a number that is told apart from another; numbers that differ later count as equal."""


def power_of_ten(exponent: int) -> str:
    """Format a power of ten: 10⁻⁶ for -6."""
    return f"10{str(exponent).translate(RAISED)}"


def short(value: float) -> str:
    """Format a number for a read-out, of nearly constant width: 0.050, 2.30, 12.4, 480, 3.1e-7."""
    if not math.isfinite(value):
        return "not finite"
    size = abs(value)
    if value == 0:
        return "0"
    if not 1e-3 <= size < 1e4:
        return _scientific(value, 2)
    return f"{value:.{0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3}f}"


def metric(value: float, percent: bool) -> str:
    """Format a metric: a percentage, or a number as `short` does, but large ones in full: 88%, 16.6, 12,345."""
    if percent:
        return f"{value:.0%}"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else short(value)


def metrics(values: Sequence[float], percent: bool) -> list[str]:
    """Format metrics that stand beside each other: as `metric` does, but different ones never look alike.

    Those that would look alike get as many digits as tell them apart: 1.130, 1.134, 12.4.
    """
    written = [metric(value, percent) for value in values]
    for words in set(written):
        at = [place for place, each in enumerate(written) if each == words and math.isfinite(values[place])]
        for place, each in zip(at, _told_apart([values[place] for place in at], percent, words), strict=True):
            written[place] = each
    return written


def _told_apart(values: list[float], percent: bool, words: str) -> list[str]:
    """Numbers of one size, with the fewest digits that tell them apart; these words where none of MOST_DIGITS do."""
    different = len(set(values))
    if different > 1:
        for digits in range(1, MOST_DIGITS):
            more = [f"{value:.{digits}%}" if percent else _rounded(value, digits + 1) for value in values]
            if len(set(more)) == different:
                return more
    return [words] * len(values)


def _rounded(value: float, digits: int) -> str:
    """A number with so many digits, in full where `metric` writes it in full."""
    if not 1e-3 <= abs(value) < 1e9:
        return _scientific(value, digits)
    return f"{value:,.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"


def _scientific(value: float, digits: int) -> str:
    """A number with so many digits and a short exponent: 3.1e-7."""
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def count(number: int, what: str) -> str:
    """So many things: 1 month, 12 months."""
    return f"{number:,} {what}{verb(number, '', 's')}"


def verb(number: int, one: str, more: str) -> str:
    """The form of a word that goes with so many things: 1 row "is" left out, 2 rows "are"."""
    return one if number == 1 else more


def signed(value: float) -> str:
    """Format a number with a true minus sign and three digits: 0.120, −3.19·10⁻⁴."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "not finite"
    if 0.01 <= abs(value) < 1e4:
        digits = max(0, 2 - math.floor(math.log10(abs(value))))
        return f"{value:.{digits}f}".replace("-", "−")
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa}·{power_of_ten(int(exponent))}".replace("-", "−")


def duration(seconds: float) -> str:
    """Format a duration, at least one second: 8 s, 3 min."""
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"


def share(value: float) -> str:
    """Format a part of a whole: 14.0%, 1 part in 360,000, exactly 0.

    A negative part, of vectors that add up, points against the whole: "−10.6% (pulls the other way)", or "next to
    nothing" if it is tiny.
    """
    if not math.isfinite(value):
        return "not finite"
    if value == 0:
        return "exactly 0"
    if -1e-3 < value < 0:
        return "next to nothing"
    if 0 < value < 1e-3:
        return f"1 part in {1 / value:,.0f}" if value > 1e-7 else f"1 part in {short(1 / value)}"
    size = f"{100 * abs(value):.1f}%" if abs(value) < 100 else f"{short(100 * abs(value))}%"
    return size if value > 0 else f"−{size} (pulls the other way)"


def amount(ratio: float) -> str:
    """Format a share of a gradient: two digits near 1, else a power of ten."""
    if ratio == 0:
        return "exactly 0"
    if 0.01 <= ratio < 1000:
        return f"{ratio:.2g}"
    digits, _, exponent = f"{ratio:.1e}".partition("e")
    return f"{digits} × {power_of_ten(int(exponent))}"


def write_count(number: float) -> str:
    """Format a number of 1 or more with two digits: 2.3, 45, 1,300, 2 billion, 10¹⁸."""
    rounded = float(f"{number:.2g}")
    if rounded < 1e6:
        return f"{rounded:,.15g}"
    for size, word in ((1e6, "million"), (1e9, "billion"), (1e12, "trillion")):
        if rounded < 1000 * size:
            return f"{float(f'{rounded / size:.2g}'):g} {word}"
    return power_of_ten(round(math.log10(number)))


def relative_size(ratio: float) -> str:
    """Format a size relative to another, as the verdict says it: × 33, 43%, 1 part in 980 million, exactly 0."""
    if not math.isfinite(ratio):
        return "not finite"
    if ratio == 0:
        return "exactly 0"
    if ratio >= 1.5:
        return f"× {write_count(ratio)}"
    if ratio >= 0.1:
        return f"{ratio:.0%}"
    return f"1 part in {write_count(1 / max(ratio, 1e-300))}"


def to_json(value: float) -> float | str:
    """A number as JSON has it; one that is not finite as a string that `float` reads."""
    return value if math.isfinite(value) else repr(float(value))
