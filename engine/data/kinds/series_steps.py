"""The time step of a series: how long it is, how even, and the rows that lack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

UNITS = (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
DAY = 86_400
EVEN_ENOUGH = 0.6
"""Share of the steps that must be alike; else the time since the row before becomes an input."""
MOST_ENDS = 0.9
"""From this share of last days of a month on, all times of a series are meant to be such."""
MOST_FILLED = 3
"""A series is filled only if it becomes at most this many times as long."""


@dataclass(frozen=True)
class Step:
    """The most common step of a series.

    Args:
        name: as in the summary: "month", "15 minutes", "weekday".
        even: share of the steps that are as long.
        months: its length in months, where it follows the calendar; else 0.
        seconds: its length otherwise; 0 where rows are not put in (weekdays, years that differ by days).
    """

    name: str
    even: float
    months: int = 0
    seconds: int = 0

    @property
    def is_even(self) -> bool:
        """Rows can be counted instead of timed."""
        return self.even >= EVEN_ENOUGH


def step_of(times: np.ndarray) -> Step:
    """The step of sorted, different times. times: (n,) datetime64[s], n >= 2."""
    months = np.diff(months_of(times))
    if _keeps_to_months(times) and np.median(months) >= 1:
        length = int(np.median(months))
        name = {1: "month", 3: "quarter", 12: "year"}.get(length, f"{length} months")
        return Step(name, float((months == length).mean()), months=length)
    gaps = np.diff(times).astype(np.int64)
    lengths, counts = np.unique(gaps, return_counts=True)
    common = int(lengths[counts.argmax()])
    share = float(counts.max() / len(gaps))
    if 300 * DAY < common < 400 * DAY:
        return Step("year", float((np.abs(gaps - common) < 3 * DAY).mean()))
    if common == DAY and _only_weekdays(times) and (gaps == 3 * DAY).mean() > 0.05:
        return Step("weekday", float(np.isin(gaps, (DAY, 3 * DAY)).mean()))
    unit, size = next((unit, size) for unit, size in UNITS if common % size == 0)
    name = unit if common == size else f"{common // size} {unit}s"
    if (gaps % common == 0).all():
        return Step(name, share, seconds=common)
    return Step(name, share if share > 0.95 else min(share, EVEN_ENOUGH - 0.01))


def months_of(times: np.ndarray) -> np.ndarray:
    """(n,) int64, months since January 1970."""
    return times.astype("datetime64[M]").astype(np.int64)


def count_distinct(values: np.ndarray) -> int:
    """How many different values there are. Sorting is a good deal faster than the hashing of `np.unique`."""
    ordered = np.sort(values)
    return int((ordered[1:] != ordered[:-1]).sum()) + 1 if len(ordered) else 0


def _keeps_to_months(times: np.ndarray) -> bool:
    """Always the same day of the month, or nearly always its last one, at the same time of the day."""
    days = times.astype("datetime64[D]")
    day_of_month = (days - times.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64)
    clock = times - days
    if (clock != clock[0]).any():
        return False
    return bool((day_of_month == day_of_month[0]).all() or at_month_ends(times))


def at_month_ends(times: np.ndarray) -> bool:
    """Nearly all of these times, (n,) datetime64[s], lie on the last day of a month."""
    days = times.astype("datetime64[D]")
    return bool(((days + 1).astype("datetime64[M]") != days.astype("datetime64[M]")).mean() > MOST_ENDS)


def _only_weekdays(times: np.ndarray) -> bool:
    return bool(((times.astype("datetime64[D]").astype(np.int64) + 3) % 7 <= 4).all())  # 1970 began on a Thursday


def grid_places(times: np.ndarray, step: Step) -> np.ndarray | None:
    """(n,) int64, how many steps after the first each row is; None where rows do not keep to the steps."""
    if step.months:
        passed, length = months_of(times) - months_of(times)[0], step.months
    elif step.seconds:
        passed, length = (times - times[0]).astype(np.int64), step.seconds
    else:
        return None
    if (passed % length).any() or (np.diff(passed) <= 0).any():
        return None
    return passed // length


def grid_times(times: np.ndarray, step: Step, count: int) -> np.ndarray:
    """(count,) datetime64[s] from the first time on, a step apart."""
    if not step.months:
        return times[0] + np.arange(count) * np.timedelta64(step.seconds, "s")
    months = times[0].astype("datetime64[M]") + step.months * np.arange(count)
    days = times.astype("datetime64[D]")
    clock = times[0] - days[0].astype("datetime64[s]")
    if at_month_ends(times):
        return ((months + 1).astype("datetime64[D]") - 1).astype("datetime64[s]") + clock
    return months.astype("datetime64[s]") + (times[0] - times[0].astype("datetime64[M]").astype("datetime64[s]"))
