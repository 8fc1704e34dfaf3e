"""How a day and a clock are written. Strict: what does not fit a format is no date, and is never guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

OF_NUMBERS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m", "%Y/%m", "%m-%Y", "%m/%Y")
OF_MONTHS = ("%Y %b", "%Y-%b", "%b %Y", "%b-%Y", "%B %Y", "%Y %B", "%b-%y", "%b %y", "%y-%b")
OF_NAMED_DAYS = (
    *("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%d/%b/%Y", "%d%b%Y"),
    *("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y"),
)
DAY_OR_MONTH_FIRST = (
    *("%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d/%m/%y", "%m/%d/%y"),
)
FORMATS = (*OF_NUMBERS, *OF_MONTHS, *OF_NAMED_DAYS, *DAY_OR_MONTH_FIRST)
"""With full stops the day always stands first."""
DAY_FIRST = {"%d/%m/%Y": "%m/%d/%Y", "%d-%m-%Y": "%m-%d-%Y", "%d/%m/%y": "%m/%d/%y"}
"""And the format of the other order."""
MONTH_FIRST = {month: day for day, month in DAY_FIRST.items()}
COMPACT = {6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
"""Formats of digits alone, by their number: pandas would read 202011 as the first of January."""

MONTH = r"(?i:(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6})"
LOOKS_LIKE_DATE = re.compile(
    r"(\d{1,4}[-/. ]\d{1,2}([-/. ]\d{1,4})?|\d{1,2}[-/]\d{4}"  # 2024-03, 31/3/2024, 3/2024
    rf"|\d{{4}}[-/ ]?(Q[1-4]|W\d{{1,2}}|{MONTH})|Q[1-4][-/ ]?\d{{4}}"  # 2024Q1, 2024-W05, 2024 March
    rf"|{MONTH}[-/. ]+\d{{1,4}}(,? +\d{{4}})?|\d{{1,2}}[-/ ]?{MONTH}([-/ ]?\d{{2,4}})?"  # Mar 31, 2024; 31-Mar-24
    r"|\d{8}|\d{6})([T ,].*)?Z?"
)
CLOCK = re.compile(
    r"(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,](\d+))?)?\s*([AaPp]\.?[Mm]\.?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{0,2})?"
)
WITH_CLOCK = re.compile(r"(.*?\d),?[T ]\s*(\d{1,2}[:.]\d{2}(?!\d).*)")
QUARTER = re.compile(r"(?P<year>\d{4})[-/ ]?Q(?P<quarter>[1-4])|Q(?P<quarter_first>[1-4])[-/ ]?(?P<year_last>\d{4})")
WEEK = re.compile(r"(\d{4})-?W(\d{1,2})")
SECONDS = "datetime64[s]"
NEVER = np.datetime64("NaT", "s")
TOO_FINE = " has several times in one second, which is too fine; the rows are taken in the order of the file."
"""Said after the name of a column; times are kept in whole seconds."""


def looks_like_date(cell: str) -> bool:
    """True for what could be a date. Quick, and no promise that it is one."""
    return LOOKS_LIKE_DATE.fullmatch(cell) is not None


def parsed(texts: Sequence[str], pattern: str) -> np.ndarray:
    """(n,) datetime64[s] of texts in one of FORMATS or COMPACT; NaT where one does not fit."""
    moments = pd.to_datetime(pd.Series(texts, dtype=object), format=pattern, errors="coerce")
    return moments.to_numpy().astype(SECONDS)


def quarters(texts: Sequence[str]) -> np.ndarray:
    """(n,) datetime64[s], the first day of quarters such as 2024Q1 and Q1 2024."""
    starts = []
    for text in texts:
        found = QUARTER.fullmatch(text)
        if found is None:
            starts.append("")
            continue
        year, quarter = found["year"] or found["year_last"], int(found["quarter"] or found["quarter_first"])
        starts.append(f"{year}-{3 * quarter - 2:02d}")
    return parsed(starts, "%Y-%m")


def weeks(texts: Sequence[str]) -> np.ndarray:
    """(n,) datetime64[s], the Monday of ISO weeks such as 2024-W05."""
    found = [WEEK.fullmatch(text) for text in texts]
    return parsed([f"{week[1]}-W{int(week[2]):02d}-1" if week else "" for week in found], "%G-W%V-%u")


def several_in_a_second(seconds: np.ndarray) -> bool:
    """True if whole seconds would make one of many times that differ. seconds: float64, NaN where unknown."""
    different = np.unique(seconds[~np.isnan(seconds)])
    return len(np.unique(np.floor(different))) < 0.9 * len(different)


def split_clock(text: str) -> tuple[str, str]:
    """The day and the clock of a moment; "" where there is no clock."""
    found = WITH_CLOCK.fullmatch(text)
    return (found[1], found[2]) if found else (text, "")


def clock(text: str) -> tuple[float, float]:
    """Seconds since midnight, and seconds that its zone is ahead of UTC (NaN without a zone).

    No clock is midnight, as programs write it that leave out zeros. Seconds are NaN for what is no clock.
    """
    if not text:
        return 0.0, np.nan
    found = CLOCK.fullmatch(text)
    if found is None:
        return np.nan, np.nan
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[5]:
        if not 1 <= hour <= 12:
            return np.nan, np.nan
        hour = hour % 12 + 12 * (found[5][0] in "Pp")
    if minute > 59 or second > 60 or hour > 24 or (hour == 24 and (minute or second)):
        return np.nan, np.nan
    return 3600.0 * hour + 60 * minute + second + float(f"0.{found[4] or 0}"), _offset(found[6])


def _offset(zone: str | None) -> float:
    if zone is None:
        return np.nan
    if zone[0] not in "+-":
        return 0.0
    digits = zone[1:].replace(":", "")
    seconds = 3600 * int(digits[:2]) + 60 * int(digits[2:] or 0)
    return float(-seconds if zone[0] == "-" else seconds)
