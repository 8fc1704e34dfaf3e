"""Columns of times. One format for the whole column, strictly: `pd.to_datetime` alone reads 01.02.2009 as 2 January,
1-02 as the year 1 and 1958.2 as a moment of 1970, and dateutil guesses each cell by itself."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.data.columns.cells import LOOK, MISSING_SIGNS, Cells
from engine.data.columns.date_formats import (
    DAY_FIRST,
    FORMATS,
    MONTH_FIRST,
    NEVER,
    QUARTER,
    SECONDS,
    TOO_FINE,
    WEEK,
    clock,
    looks_like_date,
    parsed,
    quarters,
    several_in_a_second,
    split_clock,
    weeks,
)
from engine.data.columns.numeric_dates import numeric_dates
from engine.data.problems import DataError, Notes

__all__ = ["dates", "looks_like_date"]

NAMED_LIKE_TIME = re.compile(r"date|time|day|month|year|period|quarter|^ds$|^dt$|^t$|datum|jahr|monat", re.I)
DIGITS = re.compile(r"\d+(\.\d+)?")
YEARS = re.compile(r"(1[5-9]|2[01])\d\d(\.\d+)?")
YEAR_OF_SERIES = re.compile(r"(\d{1,3})-(\d{2})")
READABLE = 0.9
"""Share of the given cells that must be times."""


def dates(
    cells: Sequence[object],
    name: str,
    lines: np.ndarray | Sequence[int],
    notes: Notes | None = None,
    dayfirst: bool | None = None,
) -> np.ndarray | None:
    """The times of a column.

    Args:
        cells: (n,) texts, numbers, datetimes or None.
        name: the column's; one like "date" makes numbers such as 43831 times.
        lines: (n,) of the rows.
        notes: where to say what was guessed; None to say nothing.
        dayfirst: what a person has chosen for 3/4/2024; None to find it.

    Returns:
        (n,) datetime64[s], NaT where missing or unreadable; None where this is no column of times.

    Raises:
        DataError: some cells fit only one order of day and month, some only the other.
    """
    return dates_of(Cells.of(cells), name, lines, notes, dayfirst)


@dataclass(frozen=True, eq=False)
class _Column:
    """What is known of a column besides its cells, and how something is said of it."""

    name: str
    lines: np.ndarray | Sequence[int]
    notes: Notes
    dayfirst: bool | None
    first: int
    """The first row with a cell that is not missing."""

    def say(self, sentence: str, row: int | None = None) -> None:
        line = int(self.lines[self.first if row is None else row])
        self.notes.say(f"Column '{self.name}'{sentence}", line, self.name)


def dates_of(
    cells: Cells, name: str, lines: np.ndarray | Sequence[int], notes: Notes | None, dayfirst: bool | None
) -> np.ndarray | None:
    """As `dates`, of cells that stand there once each."""
    rows = np.flatnonzero(cells.flags(signs=True))
    if not len(rows):
        return None
    found = Notes()
    moments = _moments(cells, _Column(name, lines, found, dayfirst, int(rows[0])))
    if moments is not None and (~np.isnat(moments)).sum() < READABLE * len(rows):
        return None
    if notes is not None:
        notes += found
    return moments


def _moments(cells: Cells, column: _Column) -> np.ndarray | None:
    """(n,) datetime64[s] of cells of which one at least is given; None where these are no times."""
    given = cells.given(signs=True)
    sample = [_text(cell) for cell in given[:LOOK]]
    digits = _share(sample, DIGITS) > 0.95
    dated = NAMED_LIKE_TIME.search(column.name) is not None
    if sum(isinstance(cell, datetime.date) for cell in given[:LOOK]) > READABLE * len(sample):
        return cells.spread(_of_objects(cells.different), NEVER)
    if digits and (dated or not any("." in text for text in sample) or _share(sample, YEARS) == 1):
        moments, what = numeric_dates(cells, _texts(cells), dated)
        if what:
            column.say(what)
        return moments
    if not digits and sum(map(looks_like_date, sample)) >= 0.8 * len(sample):
        return _of_texts(cells, _texts(cells), sample, column)
    return None


def _texts(cells: Cells) -> list[str]:
    """The different cells as text; "" for missing ones."""
    return ["" if cell in MISSING_SIGNS else _text(cell) for cell in cells.different]


def _text(cell: object) -> str:
    text = cell if isinstance(cell, str) else str(cell)
    return text[:-2] if text.endswith(".0") and re.fullmatch(r"\d{4,14}\.0", text) else text


def _share(texts: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(pattern.fullmatch(text) is not None for text in texts) / max(1, len(texts))


def _of_objects(different: Sequence[object]) -> np.ndarray:
    """Dates and datetimes of Excel and Parquet, as their clock says."""
    moments: list[datetime.date | None] = []
    for cell in different:
        if isinstance(cell, datetime.datetime) and cell.tzinfo is not None:
            cell = cell.replace(tzinfo=None)
        moments.append(cell if isinstance(cell, datetime.date) else None)
    return pd.to_datetime(pd.Series(moments, dtype=object), errors="coerce").to_numpy().astype(SECONDS)


def _of_texts(cells: Cells, texts: list[str], sample: list[str], column: _Column) -> np.ndarray | None:
    if _share(sample, YEAR_OF_SERIES) > 0.95:
        return _year_and_month(cells, texts, column)
    if _share(sample, QUARTER) > READABLE:
        return cells.spread(quarters(texts), NEVER)
    if _share(sample, WEEK) > READABLE:
        return cells.spread(weeks(texts), NEVER)
    halves = [split_clock(text) for text in texts]
    seconds = _clocks([half[1] for half in halves], cells, column)
    days = Cells.of([half[0] or None for half in halves])
    if seconds is None:
        return None

    def moments(pattern: str) -> np.ndarray:
        start = days.spread(parsed([str(day) for day in days.different], pattern), NEVER)
        known = ~np.isnan(seconds) & ~np.isnat(start)
        found = np.full(len(texts), NEVER)
        found[known] = start[known] + seconds[known].astype("int64").astype("timedelta64[s]")
        return cells.spread(found, NEVER)

    pattern = _best_format([str(day) for day in days.different[:LOOK]])
    if pattern is None:
        return None
    other = DAY_FIRST.get(pattern) or MONTH_FIRST.get(pattern)
    if other is None:
        found = moments(pattern)
    else:
        day, month = (pattern, other) if pattern in DAY_FIRST else (other, pattern)
        found = _ordered(moments(day), moments(month), cells, column)
    return _in_the_past(found, cells, column) if "%y" in pattern else found


def _year_and_month(cells: Cells, texts: list[str], column: _Column) -> np.ndarray | None:
    """1-01, the first month of the first year; 98-03, March 1998."""
    parts = [YEAR_OF_SERIES.fullmatch(text) for text in texts]
    years = [int(part[1]) for part in parts if part]
    months = [int(part[2]) for part in parts if part]
    if not all(1 <= month <= 12 for month in months):
        return None
    column.say(f": '{texts[cells.codes[column.first]]}' is read as year {years[0]}, month {months[0]}.")
    century = 1900 if max(years) < 100 and min(years) >= 20 else 2000
    written = [f"{century + int(part[1])}-{part[2]}" if part else "" for part in parts]
    return cells.spread(parsed(written, "%Y-%m"), NEVER)


def _clocks(clocks: list[str], cells: Cells, column: _Column) -> np.ndarray | None:
    """Seconds since midnight of each different cell, NaN if unreadable; None if whole seconds would mix moments up.

    Zones: one for all, or one clock for all (midnight in summer and winter), and times stay as they are written; else
    all are turned into UTC.
    """
    kinds = Cells.of(clocks)
    read = np.array([clock(str(each)) for each in kinds.different])
    seconds, offsets = read[kinds.codes, 0], read[kinds.codes, 1]
    if len(np.unique(offsets[~np.isnan(offsets)])) > 1 and len(np.unique(seconds[~np.isnan(seconds)])) > 1:
        column.say(" has times of several offsets from UTC; all are turned into UTC.")
        seconds = seconds - np.where(np.isnan(offsets), 0, offsets)
    if several_in_a_second(seconds):
        column.say(TOO_FINE)
        return None
    return np.floor(seconds)


def _best_format(days: Sequence[str]) -> str | None:
    """The format that most of these days have, the first of equally good ones; None if no one has many."""
    best, most = None, 0.0
    for pattern in FORMATS:
        share = float((~np.isnat(parsed(days, pattern))).mean())
        enough = 0.3 if pattern in DAY_FIRST or pattern in MONTH_FIRST else 0.5
        if share > max(most, enough):
            best, most = pattern, share
        if most == 1:
            break
    return best


def _ordered(day: np.ndarray, month: np.ndarray, cells: Cells, column: _Column) -> np.ndarray:
    """Times with the day first or with the month first, whichever is right; both (n,)."""
    if column.dayfirst is not None:
        return day if column.dayfirst else month
    only_day = np.flatnonzero(~np.isnat(day) & np.isnat(month))
    only_month = np.flatnonzero(~np.isnat(month) & np.isnat(day))
    if len(only_day) and len(only_month):
        rows = (only_day[0], only_month[0])
        first, second = (f"line {column.lines[i]} says '{cells.different[cells.codes[i]]}'" for i in rows)
        sentence = f"Column '{column.name}' has dates of two orders: {first}, {second}"
        expected = "so day and month cannot both stand first. Write all as year-month-day."
        raise DataError(f"{sentence}, {expected}", int(column.lines[only_month[0]]), column.name)
    if len(only_day) or len(only_month):
        return day if len(only_day) else month
    even_day, even_month = _evenness(day), _evenness(month)
    first, why = "the month", "nothing in the file decides; choose the order if this is wrong"
    if abs(even_day - even_month) > 0.02:
        first, why = ("the day" if even_day > even_month else "the month"), "the other order would give uneven steps"
    example = cells.different[cells.codes[column.first]]
    column.say(f": '{example}' can be read in two ways; {first} is taken to stand first, as {why}.")
    return day if first == "the day" else month


def _evenness(times: np.ndarray) -> float:
    """Share of the steps that are as long as the most common one, by seconds or by months, times the share of steps
    that go the same way. In the order of the file."""
    known = times[~np.isnat(times)]
    if len(known) < 3:
        return 0.0
    gaps = np.diff(known).astype("int64")
    share = np.unique(gaps, return_counts=True)[1].max() / len(gaps)
    months = known.astype("datetime64[M]")
    if len(np.unique(known.astype("datetime64[D]") - months.astype("datetime64[D]"))) == 1:
        steps = np.diff(months).astype("int64")
        share = max(share, np.unique(steps, return_counts=True)[1].max() / len(steps))
    return float(share * max((gaps >= 0).mean(), (gaps <= 0).mean()))


def _in_the_past(times: np.ndarray, cells: Cells, column: _Column) -> np.ndarray:
    """Years of two digits: what would lie more than a year ahead was a hundred years before."""
    late = np.flatnonzero(times > np.datetime64("now", "s") + np.timedelta64(366, "D"))
    if not len(late):
        return times
    times = times.copy()
    months = times[late].astype("datetime64[M]")
    times[late] = (months - 1200).astype(SECONDS) + (times[late] - months.astype(SECONDS))
    row = int(late[0])
    text, year = cells.different[cells.codes[row]], times[row].astype("datetime64[Y]")
    column.say(f": '{text}' has a year of two digits and is read as {year}.", row)
    return times
