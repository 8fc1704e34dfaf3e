"""Which columns of numbers a series has, and which of their cells are no values."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from engine.data.kinds.series_time import line_of
from engine.data.limits import HUGE, MAX_CHANNELS
from engine.data.names import TARGET_NAMES, rank
from engine.data.problems import DataError, Notes, named
from engine.data.table import Column

CODES = (-9999.0, -999.99, -999.9, -999.0, -200.0, -99.99, -99.9, -99.0, 9999.0, 99999.0)
"""Numbers by which files say that a value is missing."""
TIME_WORDS = re.compile(r"date|time|day|month|year|datum", re.IGNORECASE)


def without_counters(columns: list[Column], lines: np.ndarray, notes: Notes, target: object) -> list[Column]:
    """Leave out columns that only count the rows, unless nothing else is a number or one is the chosen target."""
    kept = []
    for column in columns:
        if column.type != "counter" or column.name == target or not any(each.type == "number" for each in columns):
            kept.append(column)
        else:
            notes.say(f"Column '{column.name}' only counts the rows; it is left out.", line_of(lines, 0), column.name)
    return kept


def number_columns(columns: list[Column], lines: np.ndarray, notes: Notes) -> list[Column]:
    """The columns of numbers.

    Raises:
        DataError: if there is none.
    """
    for column in columns:
        if column.type == "constant":
            notes.say(f"Column '{column.name}' has the same value in every row; it is left out.", line_of(lines, 0),
                      column.name)  # fmt: skip
    found = [each for each in columns if each.type in ("number", "counter") and each.values is not None]
    if not found:
        alike = next((each for each in columns if each.type == "constant" and each.values is not None), None)
        if alike is not None:
            raise DataError("The values never change: there is nothing to learn.", line_of(lines, 0), alike.name)
        raise DataError("No column of numbers was found, which a time series needs.", line_of(lines, 0))
    return found


def channels(numeric: list[Column], lines: np.ndarray, notes: Notes, choices: dict[str, Any]) -> list[Column]:
    """The columns that a network reads, the target first.

    Raises:
        DataError: for a chosen column that is no column of numbers.
    """
    target = _chosen(numeric, choices["target"]) if choices.get("target") else _usual_target(numeric)
    others = [column for column in numeric if column is not target]
    if choices.get("inputs") is not None:
        wanted = [_chosen(numeric, name) for name in choices["inputs"]]
        others = [column for column in others if any(column is each for each in wanted)]
    if len(others) >= MAX_CHANNELS:
        notes.say(
            f"There are {len(others) + 1:,} columns of numbers; the target and the first {MAX_CHANNELS - 1} others are "
            "used. Choose others if they matter.",
            line_of(lines, 0),
        )
    return [target, *others[: MAX_CHANNELS - 1]]


def _usual_target(numeric: list[Column]) -> Column:
    return min(numeric, key=lambda column: rank(column.name, TARGET_NAMES))  # of equals the first


def _chosen(numeric: list[Column], name: str) -> Column:
    column = next((each for each in numeric if each.name == name), None)
    if column is None:
        there = named(each.name for each in numeric)
        raise DataError(f"There is no column of numbers named '{name}'; there are {there}.", None, name)
    return column


def say_words(columns: list[Column], lines: np.ndarray, notes: Notes, has_time: bool) -> None:
    """Name the columns of words that no network reads, and those that might have been the time."""
    for column in columns:
        if column.type not in ("label", "text", "other"):
            continue
        word = str(next((cell for cell in column.cells if cell not in (None, "")), ""))[:30]
        line = line_of(lines, 0)
        if not has_time and TIME_WORDS.search(column.name):
            notes.say(
                f"Column '{column.name}' seems to be a time, but '{word}' cannot be read as one; the rows are taken in "
                "the order of the file. Expected for example 2024-03-31 or 2024-03-31 17:00.",
                line, column.name,
            )  # fmt: skip
        else:
            notes.say(f"Column '{column.name}' holds words ('{word}'); it is left out of the inputs.", line,
                      column.name)  # fmt: skip


def cleaned(column: Column, early: np.ndarray, lines: np.ndarray, notes: Notes) -> np.ndarray:
    """(rows,) float64: a column's numbers, NaN for cells that are none, that are infinite, or that stand for "missing".

    Args:
        early: (rows,) bool, rows that training is sure to see: they alone say what is usual.
    """
    assert column.values is not None
    values = column.values.astype(np.float64)
    if column.unreadable:
        row = column.unreadable[0]
        _say_cells(notes, column, lines, row, f"'{str(column.cells[row])[:40]}' is not a number",
                   len(column.unreadable))  # fmt: skip
    infinite = np.flatnonzero(np.abs(np.nan_to_num(values, posinf=np.inf, neginf=-np.inf)) > HUGE)
    if len(infinite):
        cell = column.cells[infinite[0]]
        _say_cells(notes, column, lines, infinite[0], f"'{cell}' is infinite or larger than 1e30", len(infinite))
        values[infinite] = np.nan
    for code in CODES:
        found = np.flatnonzero(values == code)
        usual = values[early & (values != code) & ~np.isnan(values)]
        if len(found) and len(usual) > 5 and _far_outside(code, usual):
            _say_cells(notes, column, lines, found[0], f"{code:g} lies far outside all other values", len(found))
            values[found] = np.nan
    return values


def _far_outside(code: float, usual: np.ndarray) -> bool:
    margin = 5 * float(np.ptp(usual))
    return not usual.min() - margin <= code <= usual.max() + margin


def _say_cells(notes: Notes, column: Column, lines: np.ndarray, row: int, what: str, count: int) -> None:
    line = line_of(lines, row)
    where = f"Column '{column.name}', line {line}" if line else f"Column '{column.name}'"
    cells = "1 such cell counts" if count == 1 else f"{count:,} such cells count"
    notes.say(f"{where}: {what}; {cells} as missing.", line, column.name)
