"""Means of a series by the hour, the day or another unit of the calendar, and when they are offered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from engine.data.kinds.sequence_arrays import means_between
from engine.data.kinds.series_order import Ordered
from engine.data.kinds.series_plan import LONGEST_PERIOD_READ
from engine.data.kinds.series_steps import DAY, Step
from engine.data.limits import MIN_ROWS
from engine.data.problems import DataError, Notes, a, named

NONE = "none"
YEAR = 365.25 * DAY
LENGTHS = {"minute": 60.0, "hour": 3_600.0, "day": DAY, "week": 7.0 * DAY, "month": YEAR / 12, "year": YEAR}
"""By unit of which means are taken: its seconds, on average."""
SHORTEST = {**LENGTHS, "month": 28.0 * DAY, "year": 365.0 * DAY}
WEEKDAY = 1.4 * DAY  # five of seven days
COMPLETE = 0.9
"""Share of the usual rows below which the first or the last mean of a series stands for a part of its unit; a February
has more."""
NEARLY = 0.01  # by which a period may differ from a unit of the calendar that it is called by


def wanted_means(choices: dict[str, Any]) -> str | None:
    """The unit whose means were chosen; None for the rows as they are."""
    unit = choices.get("means")
    return None if unit in (None, NONE) else str(unit)


def possible_means(times: np.ndarray) -> list[str]:
    """The units of which means can be taken: longer than the usual step, and enough of them. times: (n,), sorted."""
    if len(times) < 2:
        return []
    gap, whole = usual_gap(times), float((times[-1] - times[0]).astype(np.int64))
    return [unit for unit, length in LENGTHS.items() if gap < SHORTEST[unit] and whole >= MIN_ROWS * length]


def usual_gap(times: np.ndarray) -> float:
    """The median number of seconds between two rows. times: (n,) datetime64[s], n >= 2, sorted."""
    return float(np.median(np.diff(times).astype(np.int64)))


def averaged(series: list[Ordered], unit: str, notes: Notes) -> list[Ordered]:
    """The means of each unit of the calendar; units without a row lack, as a row would.

    A first or last unit with fewer rows than usual is left out: the mean of a night is not that of a day.

    Args:
        series: sorted, each moment once, with times.

    Raises:
        DataError: if the rows are no closer to each other than the units are.
    """
    longest = max(series, key=lambda one: len(one.values))
    if longest.times is None:
        raise DataError(f"Means of {a(unit)} need the time of each row, but no column holds times.")
    if len(longest.times) < 2 or usual_gap(longest.times) >= SHORTEST[unit]:
        raise DataError(f"Means of {a(unit)} need several rows {a(unit)}, but the rows are further apart.")
    means = [_means(one, unit) for one in series]
    enough = COMPLETE * _usual_rows([counts for _, counts in means])
    whole = [_without_parts(one, counts, enough) for one, counts in means]
    before, after = (sum(len(one.values) for one in some) for some in (series, whole))
    notes.say(f"{before:,} rows became {after:,} means of {a(unit)}; what is missing counts in none.")
    left_out = sum(len(counts) for _, counts in means) - after
    if left_out:
        what = f"1 {unit}" if left_out == 1 else f"{left_out:,} {unit}s"
        has = "has" if left_out == 1 else "have"
        notes.say(f"{what} at the beginning or the end {has} fewer rows than usual and {has} been left out.")
    _say_empty(whole, unit, notes)
    return [one for one in whole if len(one.values)]


def _say_empty(series: list[Ordered], unit: str, notes: Notes) -> None:
    empty = [one.name for one in series if not len(one.values)]
    if empty:
        notes.say(f"{len(empty):,} of {len(series):,} series ({named(empty)}) have no whole {unit} and are left out.")


def _means(one: Ordered, unit: str) -> tuple[Ordered, np.ndarray]:
    """The means of one series, each at the beginning of its unit, and (means,) the rows that each is of."""
    assert one.times is not None
    begins = begin_of(one.times, unit)
    starts = np.flatnonzero(np.append(True, begins[1:] != begins[:-1]))
    counts = np.diff(np.append(starts, len(begins)))
    values = means_between(one.values, starts)
    return replace(one, values=values, times=begins[starts], lines=one.lines[starts]), counts


def _usual_rows(counts: list[np.ndarray]) -> float:
    """The median number of rows of a mean, over all series; of first and last ones only if there are no others."""
    inner = [each[1:-1] for each in counts]
    return float(np.median(np.concatenate(inner if any(map(len, inner)) else counts)))


def _without_parts(one: Ordered, counts: np.ndarray, enough: float) -> Ordered:
    """Without a first or last mean of too few rows."""
    assert one.times is not None
    kept = slice(int(counts[0] < enough), len(counts) - int(counts[-1] < enough))
    return replace(one, values=one.values[kept], times=one.times[kept], lines=one.lines[kept])


def begin_of(times: np.ndarray, unit: str) -> np.ndarray:
    """(n,) datetime64[s], when the unit of each time begins; a week begins on Monday."""
    if unit == "week":
        days = times.astype("datetime64[D]")
        since_monday = (days.astype(np.int64) + 3) % 7  # 1970 began on a Thursday
        return (days - since_monday).astype("datetime64[s]")
    code = {"minute": "m", "hour": "h", "day": "D", "month": "M", "year": "Y"}[unit]
    return times.astype(f"datetime64[{code}]").astype("datetime64[s]")


def say_offer(step: Step, period: int | None, window: int, possible: Iterable[str], notes: Notes) -> None:
    """Say of which unit means would give a period that a network can read; nothing where its window holds one."""
    length = _seconds(step)
    if period is None or period <= max(LONGEST_PERIOD_READ, window) or length is None:
        return
    seconds = period * length
    # A year has no whole number of weeks.
    unit = next((each for each in possible if each != "week" and seconds <= LONGEST_PERIOD_READ * LENGTHS[each]), None)
    if unit is None:
        return
    span = next((a(each) for each, known in LENGTHS.items() if abs(seconds - known) < NEARLY * known), "a period")
    each = step.name if step.name[0].isdigit() else a(step.name)
    notes.say(
        f"{span[0].upper()}{span[1:]} is {period:,} steps of {each}, but the network reads only {window:,} steps at a "
        f"time. With values as means of {a(unit)}, {span} would be {round(seconds / LENGTHS[unit])} steps.",
        harmless=True,
    )


def _seconds(step: Step) -> float | None:
    """How long a step is, on average; None where that is not known."""
    if step.months:
        return step.months * LENGTHS["month"]
    return {"weekday": WEEKDAY, "year": YEAR}.get(step.name, float(step.seconds)) or None
