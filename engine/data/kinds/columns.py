"""Choose columns of a table for the kinds of words."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from engine.data.names import GROUP_NAMES
from engine.data.problems import DataError, named
from engine.data.table import Column

DOCUMENT_NAMES = ("document", "doc", "article", "file")
NUMBERED = re.compile(r"[ _]?(id|no|name|number)$")
"""What may follow the name of a group: patient_id."""
MOST_WHOLE = 20  # different whole numbers that may be classes


def by_name(columns: Sequence[Column], name: str, of: str) -> Column:
    """The column that somebody has chosen.

    Args:
        of: what it should hold: "texts".

    Raises:
        DataError: naming the columns that there are.
    """
    for column in columns:
        if column.name == name:
            return column
    there = named(column.name for column in columns)
    raise DataError(f"There is no column '{name}' for the {of}; there are {there}.", None, name)


def whole_numbers(column: Column) -> bool:
    """A column of a few different whole numbers, which may be classes; a measure of confidence is none."""
    if column.type != "number" or column.values is None or column.unreadable or not 1 < column.distinct <= MOST_WHOLE:
        return False
    known = column.values[~np.isnan(column.values)]
    return bool((np.isfinite(known) & (known == np.round(known))).all())


def is_empty(cell: object) -> bool:
    """No text at all. Unlike `is_missing`, to which "NA" and "none" are missing: here they are words."""
    return cell is None or (isinstance(cell, float) and np.isnan(cell)) or not str(cell).strip()


def group_column(columns: Sequence[Column], rows: int, documents: bool = False) -> Column | None:
    """The column that names persons, with several rows each, if there is one.

    Args:
        documents: a column of documents is one as well.
    """
    names = (*GROUP_NAMES, *DOCUMENT_NAMES) if documents else GROUP_NAMES

    def known(column: Column) -> str:
        return NUMBERED.sub("", column.name.strip().lower())

    fitting = [
        each
        for each in columns
        if known(each) in names and 1 < each.distinct <= rows / 2 and not any(map(is_empty, each.cells))
    ]
    return min(fitting, key=lambda each: names.index(known(each)), default=None)
