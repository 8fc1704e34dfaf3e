"""Which series each row belongs to, where a table has several one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from engine.data.kinds.series_steps import count_distinct
from engine.data.names import ID_NAMES, rank
from engine.data.problems import DataError, named
from engine.data.table import Column

MANY_REPEATS, SOME_REPEATS = 0.3, 0.1
"""Share of times that stand there again, above which columns (of words, above the lower one) may tell series apart."""
FEWEST_ROWS = 3  # of a series, in the median
PAIRED = 5  # likely columns of which two together are tried


@dataclass(frozen=True, eq=False)
class Grouping:
    """columns: that tell the series apart; empty if there is one. codes: (rows,) int64, numbers of `names`."""

    columns: tuple[Column, ...]
    codes: np.ndarray
    names: tuple[str, ...]


def grouped(columns: list[Column], times: np.ndarray | None, rows: int, choices: dict[str, Any]) -> Grouping:
    """Find the columns by which a row's series and its time make it unique.

    A choice `ids` names one column or a list of them; an empty one says that there is one series.

    Raises:
        DataError: for a chosen column that is not there.
    """
    if "ids" in choices and choices["ids"] is not None:
        wanted = [choices["ids"]] if isinstance(choices["ids"], str) else list(choices["ids"])
        return _grouping([_named(columns, name) for name in wanted if name], rows)
    if times is not None:
        repeats = repeated_share(times)
        likely = _likely(columns, rows, repeats)
        pairs = combinations(likely[:PAIRED], 2)
        for some in (*((column,) for column in likely), *pairs):
            grouping = _grouping(some, rows)
            if _tells_apart(grouping, times):
                return grouping
    return _grouping((), rows)


def repeated_share(times: np.ndarray) -> float:
    """Share of the rows whose time another row has had before; 0 without rows."""
    known = times[~np.isnat(times)]
    return 1 - count_distinct(known) / len(known) if len(known) else 0.0


def _named(columns: list[Column], name: str) -> Column:
    column = next((each for each in columns if each.name == name), None)
    if column is None:
        there = named(each.name for each in columns)
        raise DataError(f"There is no column '{name}' to tell series apart; there are {there}.", None, name)
    return column


def _likely(columns: list[Column], rows: int, repeats: float) -> list[Column]:
    """Columns that may name series, the likeliest first."""

    def may(column: Column) -> bool:
        if not 1 < column.distinct < rows:
            return False
        if column.type == "number" and column.values is not None:
            known = column.values[np.isfinite(column.values)]
            return repeats > MANY_REPEATS and column.distinct <= rows / 3 and not (known % 1).any()
        return repeats > SOME_REPEATS and column.type in ("label", "text", "other")

    found = [column for column in columns if may(column)]
    return sorted(found, key=lambda each: (rank(each.name, ID_NAMES), each.type == "number", each.distinct))


def _grouping(columns: Sequence[Column], rows: int) -> Grouping:
    if not columns:
        return Grouping((), np.zeros(rows, np.int64), ("",))
    numbers: dict[str, int] = {}
    cells = zip(*(column.cells for column in columns), strict=True)
    names = ("/".join("" if cell is None else str(cell).strip() for cell in each) for each in cells)
    codes = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
    return Grouping(tuple(columns), codes, tuple(numbers))


def _tells_apart(grouping: Grouping, times: np.ndarray) -> bool:
    """No series has a time twice, and most have a few rows."""
    known = ~np.isnat(times)
    moments = np.unique(times[known], return_inverse=True)[1]
    both = grouping.codes[known] * len(moments) + moments
    return count_distinct(both) == len(both) and float(np.median(np.bincount(grouping.codes))) >= FEWEST_ROWS
