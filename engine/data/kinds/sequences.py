"""Sequences of a table: one a row, its values across, perhaps a class at one end and a name or a person in front."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.data.columns.cells import class_name, is_missing
from engine.data.columns.numbers import numbers
from engine.data.content import SequencesContent
from engine.data.kinds.columns import by_name, whole_numbers
from engine.data.kinds.sequence_arrays import Origin, of_arrays
from engine.data.kinds.split import SplitColumns
from engine.data.limits import MAX_CLASSES
from engine.data.names import LABEL_NAMES, UNKNOWN_NAME, rank
from engine.data.problems import DataError, Notes
from engine.data.table import Column, Table

CLASS_NAMES = (*LABEL_NAMES, "activity")
MANY = 20  # different values of a usual column from which on a column at the end with fewer is one of classes


def of_table(
    table: Table, columns: list[Column], notes: Notes, choices: dict[str, Any]
) -> tuple[dict[str, Any], SequencesContent]:
    """One sequence a row. What is empty at the end of a row is no step: the sequences may have different lengths.

    Raises:
        DataError: if no columns of numbers are left, and as in `of_arrays`.
    """
    first = int(table.lines[0])
    split = SplitColumns.among(columns, len(table))
    rest = split.others(columns)
    label = _label_of(table, rest, choices)
    values = value_columns(rest, label)
    for column in rest:
        if column is not label and column not in values:
            notes.say(f"Column '{column.name}' names the sequences; it is left out of the values.", first, column.name)
    if not values:
        raise DataError(
            "No columns of numbers were found, which sequences need: one row a sequence, one column a step.", first
        )
    cells = np.stack([c.values if c.values is not None else numbers(c.cells, table.decimal) for c in values], 1)
    arrays = [_without_end(row) for row in cells]
    short = sum(len(array) < cells.shape[1] for array in arrays)
    if short:
        notes.say(f"{short} of {len(arrays)} rows end before the last column: the sequences have different lengths.")
    origin = Origin(
        table.lines,
        None if label is None else label.name,
        None if split.groups is None else split.groups.name,
        split.given(np.arange(len(table)), notes),
    )
    return of_arrays(arrays, None if label is None else _classes(label), origin, notes, choices)


def value_columns(columns: list[Column], label: Column | None) -> list[Column]:
    """Those that hold the steps, in order."""
    return [column for column in columns if column is not label and column.type in ("number", "constant", "counter")]


def _without_end(row: np.ndarray) -> np.ndarray:
    """(steps, 1) up to the last value that is there."""
    there = np.flatnonzero(~np.isnan(row))
    return row[: there[-1] + 1 if len(there) else 0, None]


def _label_of(table: Table, columns: list[Column], choices: dict[str, Any]) -> Column | None:
    """The column of classes: the chosen one, one so named, one of words, or whole numbers at one end of the rows."""
    if "label" in choices:
        return by_name(columns, choices["label"], "classes")
    most = min(MAX_CLASSES, max(2, len(table) // 2))
    named = [c for c in columns if c.type in ("label", "number", "counter") and 1 < c.distinct <= most]
    named = [c for c in named if rank(c.name, CLASS_NAMES) < UNKNOWN_NAME]
    if named:
        return min(named, key=lambda c: rank(c.name, CLASS_NAMES))
    words = [c for c in columns if c.type == "label"]
    if words:
        return words[0]
    usual = float(np.median([c.distinct for c in columns if c.type == "number"] or [0]))
    return next((c for c in end_columns(columns) if c.distinct < usual or usual > MANY), None)


def end_columns(columns: list[Column]) -> list[Column]:
    """The last and the first column, where they hold few whole numbers and no gaps, as classes are written."""
    ends = (columns[-1], columns[0]) if columns else ()
    return [c for c in ends if whole_numbers(c) and c.values is not None and not np.isnan(c.values).any()]


def _classes(label: Column) -> list[str | None]:
    if label.values is not None:
        return [class_name(value) for value in label.values]
    return [None if is_missing(cell) else (class_name(cell) or "").strip() for cell in label.cells]
