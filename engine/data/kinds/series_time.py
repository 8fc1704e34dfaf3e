"""When each row of a table was: one column of times, or several that are the time together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.data.kinds.series_layout import MONTHS
from engine.data.kinds.series_steps import count_distinct
from engine.data.problems import DataError, Notes
from engine.data.table import Column

CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?|(\d{1,2})\.(\d{2})\.(\d{2})")  # 18:00, 18.00.00
LOOK = 400  # rows that are looked at to find a column of clock times
PARTS = {"year": "year", "yr": "year", "quarter": "quarter", "month": "month", "mo": "month", "day": "day"} | {
    "hour": "hour", "minute": "minute", "second": "second",
}  # fmt: skip
"""By the name of a column: the part of a time that it holds."""


@dataclass(frozen=True, eq=False)
class RowTimes:
    """name: the columns joined by +. times: (rows,) datetime64[s], NaT where there is none."""

    name: str
    times: np.ndarray


def time_of(
    columns: list[Column], lines: np.ndarray, notes: Notes, choices: dict[str, Any]
) -> tuple[RowTimes | None, list[Column]]:
    """The time of each row, and the columns that are left; None where the rows have no time.

    A choice `time` names a column, or several joined by +; "" stands for the order of the file.

    Raises:
        DataError: for a chosen column that does not hold times.
    """
    wanted = choices.get("time")
    if wanted == "":
        return None, [column for column in columns if column.type != "time"]
    for attempt in (_year_and_parts, _date_and_clock, _one_column):
        found = attempt(columns)
        if found is None or (wanted is not None and "+".join(each.name for each in found[1]) != wanted):
            continue
        times, used = found
        if len(used) > 1:
            names = [column.name for column in used]
            together = f"{', '.join(names[:-1])} and {names[-1]}"
            notes.say(f"The columns {together} together are the time.", line_of(lines, 0), names[0])
        return _without_others(RowTimes("+".join(column.name for column in used), times), used, columns, lines, notes)
    if wanted is None:
        return None, columns
    column = next((each for each in columns if each.name == wanted), None)
    if column is None:
        raise DataError(f"There is no column '{wanted}' that could be the time.", None, wanted)
    if column.times is None:
        raise DataError(f"Column '{wanted}' cannot be read as times. Expected for example 2024-03-31 17:00.",
                        line_of(lines, 0), wanted)  # fmt: skip
    return _without_others(RowTimes(wanted, column.times), [column], columns, lines, notes)


def line_of(lines: np.ndarray, row: int) -> int | None:
    """The line of a row; None if it is in no line."""
    return int(lines[row]) or None if len(lines) else None


def written(time: np.datetime64) -> str:
    """A moment as it is said: its date, and the clock where it is not midnight."""
    return str(time.astype("datetime64[s]")).replace("T", " ").removesuffix(" 00:00:00")


def _without_others(
    time: RowTimes, used: list[Column], columns: list[Column], lines: np.ndarray, notes: Notes
) -> tuple[RowTimes, list[Column]]:
    left = [column for column in columns if all(column is not each for each in used)]
    for column in left:
        if column.type == "time":
            notes.say(f"Column '{column.name}' holds times as well; '{time.name}' is taken as the time of the rows.",
                      line_of(lines, 0), column.name)  # fmt: skip
    return time, [column for column in left if column.type != "time"]


def _year_and_parts(columns: list[Column]) -> tuple[np.ndarray, list[Column]] | None:
    """Year, month, day, hour in columns of their own; or year and quarter."""
    parts: dict[str, Column] = {}
    for column in columns:
        part = PARTS.get(column.name.lower().strip())
        if part is not None:
            parts.setdefault(part, column)
    if "year" not in parts or not {"month", "quarter"} & set(parts):
        return None
    if "month" in parts:
        parts.pop("quarter", None)
    order = [part for part in ("year", "quarter", "month", "day", "hour", "minute", "second") if part in parts]
    if "month" not in parts:
        order = ["year", "quarter"]
    given = {part: _part(parts[part], part) for part in order}
    if any(values is None for values in given.values()):
        return None
    numbers: dict[str, np.ndarray] = {part: values for part, values in given.items() if values is not None}
    month = numbers["month"] if "month" in numbers else 3 * numbers["quarter"] - 2
    return _joined(numbers, month), [parts[part] for part in order]


def _part(column: Column, part: str) -> np.ndarray | None:
    """(rows,) float64, a part of the time; None where the column does not hold it."""
    if column.times is not None and part == "year":
        years = column.times.astype("datetime64[Y]").astype(np.float64) + 1970
        return np.where(np.isnat(column.times), np.nan, years)
    if column.values is not None:
        known = column.values[~np.isnan(column.values)]
        return column.values if part != "quarter" or set(known.tolist()) <= {1, 2, 3, 4} else None
    if part == "month":
        names = [str(cell).strip().lower()[:3] for cell in column.cells]
        months = [month[:3] for month in MONTHS]
        places = np.array([months.index(name) + 1 if name in months else np.nan for name in names])
        return places if not np.isnan(places).all() else None
    return None


def _joined(parts: dict[str, np.ndarray], month: np.ndarray) -> np.ndarray:
    """(rows,) datetime64[s]; NaT for a date that does not exist."""
    day = parts.get("day", np.ones(len(month)))
    limits = {"year": (1, 9999), "hour": (0, 24), "minute": (0, 59), "second": (0, 60)}
    fits = (month >= 1) & (month <= 12) & (month % 1 == 0) & (day >= 1) & (day <= 31) & (day % 1 == 0)
    for part, (low, high) in limits.items():
        if part in parts:
            fits &= (parts[part] >= low) & (parts[part] <= high)
    whole = {part: np.where(fits, values, 1).astype(np.int64) for part, values in parts.items()}
    months = (whole["year"] - 1970) * 12 + np.where(fits, month, 1).astype(np.int64) - 1
    starts = months.astype("datetime64[M]")
    days = starts.astype("datetime64[D]") + (np.where(fits, day, 1).astype(np.int64) - 1)
    fits &= days.astype("datetime64[M]") == starts  # 31 February
    seconds = np.zeros(len(month))
    for part, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        if part in parts:
            seconds += np.where(fits, parts[part], 0) * size
    times = days.astype("datetime64[s]") + seconds.astype(np.int64)
    return np.where(fits, times, np.datetime64("NaT", "s"))


def _date_and_clock(columns: list[Column]) -> tuple[np.ndarray, list[Column]] | None:
    """A date, perhaps the same in all rows, and a clock in a column of its own."""
    dated = [column for column in columns if column.type == "time" and column.times is not None]
    dated = dated or [column for column in columns if column.times is not None]
    clock = next((column for column in columns if column.type != "time" and _is_clock(column)), None)
    if not dated or clock is None:
        return None
    seconds = np.array([_seconds(cell) for cell in clock.cells])
    known = ~np.isnan(seconds)
    assert dated[0].times is not None
    days = dated[0].times.astype("datetime64[D]").astype("datetime64[s]")
    times = days + np.where(known, seconds, 0).astype(np.int64)
    return np.where(known, times, np.datetime64("NaT", "s")), [dated[0], clock]


def _is_clock(column: Column) -> bool:
    cells = [cell for cell in column.cells[:LOOK] if cell is not None]
    return bool(cells) and sum(CLOCK.fullmatch(str(cell).strip()) is not None for cell in cells) > 0.9 * len(cells)


def _seconds(cell: object) -> float:
    """Seconds since midnight; NaN for what is no clock time."""
    found = CLOCK.fullmatch(str(cell).strip())
    if found is None:
        return np.nan
    hours, minutes, seconds = found.group(1, 2, 3) if found[1] else found.group(4, 5, 6)
    return 3600.0 * int(hours) + 60.0 * int(minutes) + int(seconds or 0)


def _one_column(columns: list[Column]) -> tuple[np.ndarray, list[Column]] | None:
    """Of several columns of times, the one with the most different ones."""
    dated = [(column.times, column) for column in columns if column.type == "time" and column.times is not None]
    if not dated:
        return None
    times, column = max(dated, key=lambda each: count_distinct(each[0][~np.isnat(each[0])]))
    return times, [column]
