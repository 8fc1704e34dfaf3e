"""Tables that lie on their side: a row a series with a column a year, or a row a year with a column a month."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from engine.data.problems import Notes
from engine.data.table import Column, Table

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
YEAR = re.compile(r"(19|20)\d{2}")
FEWEST_YEARS = 4


def turned_round(table: Table, columns: list[Column], notes: Notes) -> tuple[list[Column], np.ndarray]:
    """The columns of a table with a row for each moment, and the line of each row; most tables are as they were.

    Rows that were columns are in no line: theirs is 0.
    """
    if years := year_columns(table):
        return _years_across(table, columns, years, notes)
    if table.header:
        months = _month_columns(table.names)
        year = None if months is None else next((column for column in columns if _is_of_years(column)), None)
        if months is not None and year is not None:
            return _months_across(table, columns, months, year, notes)
    return columns, table.lines


def year_columns(table: Table) -> list[int]:
    """Places of the columns that are named by a year, where most columns are; else none."""
    years = [place for place, name in enumerate(table.names) if YEAR.fullmatch(name.strip())]
    across = table.header and len(years) >= FEWEST_YEARS and len(years) > 0.5 * len(table.names)
    return years if across else []


def _is_of_years(column: Column) -> bool:
    """Times that all lie in one month, as years do."""
    if column.type != "time" or column.times is None:
        return False
    known = column.times[~np.isnat(column.times)]
    return len(np.unique(known.astype("datetime64[M]").astype(np.int64) % 12)) == 1


def _month_columns(names: Sequence[str]) -> list[int] | None:
    """Places of the columns Jan to Dec, in the calendar's order; None if one lacks."""
    found = []
    for month in MONTHS:
        words = [name.lower().strip(" .") for name in names]
        place = next((i for i, word in enumerate(words) if len(word) >= 3 and month.startswith(word)), None)
        if place is None:
            return None
        found.append(place)
    return found


def _values(column: Column, rows: int) -> np.ndarray:
    return np.full(rows, np.nan) if column.values is None else column.values


def number_column(name: str, cells: list[object], values: np.ndarray) -> Column:
    """A column of numbers; constant if it has one value throughout, other if it has none."""
    known = values[~np.isnan(values)]
    distinct = len(np.unique(known))
    kind = "other" if not len(known) else "constant" if distinct == 1 and len(known) == len(values) else "number"
    unreadable = tuple(i for i, cell in enumerate(cells) if cell is not None and np.isnan(values[i]))
    return Column(name, kind, cells, values, distinct=distinct, words=1.0, unreadable=unreadable)


def _years_across(
    table: Table, columns: list[Column], years: list[int], notes: Notes
) -> tuple[list[Column], np.ndarray]:
    """A row a series: the rows become columns, named by the first column that is no year."""
    first = next((place for place in range(len(table.names)) if place not in years), None)
    first_year, last_year = table.names[years[0]], table.names[years[-1]]
    notes.say(
        f"The columns are years ({first_year} to {last_year}) and each row is a series of its own; "
        "the table is turned round.",
        int(table.lines[0]),
    )
    values = np.stack([_values(columns[place], len(table)) for place in years])  # (years, rows)
    turned, used = [], {"year"}
    for row in range(len(table)):
        cell = None if first is None else table.columns[first][row]
        name = f"row {row + 1}" if cell is None else str(cell)
        name = name if name not in used else f"{name} (line {table.lines[row]})"
        used.add(name)
        turned.append(number_column(name, [table.columns[place][row] for place in years], values[:, row]))
    times = np.array([f"{table.names[place].strip()}-01-01" for place in years], "datetime64[s]")
    cells: list[object] = [table.names[place] for place in years]
    return [Column("year", "time", cells, times=times, distinct=len(years)), *turned], np.zeros(len(years), np.int64)


def _months_across(
    table: Table, columns: list[Column], months: list[int], year: Column, notes: Notes
) -> tuple[list[Column], np.ndarray]:
    """A row a year: its months are put one after the other."""
    assert year.times is not None
    january, december = table.names[months[0]], table.names[months[-1]]
    notes.say(
        f"Each row is a year and the columns {january} to {december} are its months; they are put one after the other.",
        int(table.lines[0]),
    )
    for place, column in enumerate(columns):
        if place not in months and column is not year:
            notes.say(f"Column '{column.name}' is none of the months; it is left out.", None, column.name)
    order = np.argsort(year.times, kind="stable")
    values = np.stack([_values(columns[place], len(table)) for place in months], 1)[order].ravel()
    cells = [table.columns[place][row] for row in order for place in months]
    starts = year.times[order].astype("datetime64[Y]").astype("datetime64[M]")
    times = (starts[:, None] + np.arange(12)).ravel().astype("datetime64[s]")
    clock = Column(year.name, "time", list(map(str, times.astype("datetime64[M]"))), times=times, distinct=len(times))
    return [clock, number_column("value", cells, values)], np.repeat(table.lines[order], 12)
