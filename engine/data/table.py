"""A table as it was read, and what its columns are. The types alone; `engine/data/files/` makes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COLUMN_TYPES = ("number", "time", "label", "text", "counter", "constant", "other")
"""Numbers; moments; 2 to 50 values that repeat; words; 1, 2, 3 ...; one value throughout; anything else."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows below a header.

    Args:
        names: of the columns, all different.
        columns: the cells of each, as text where the file has text; None where a cell is missing.
        lines: (n,) int64, the line in the file of each row; rows of Excel, JSON and Parquet too.
        header: the file has a line of names.
        delimiter: None where the format has none.
        decimal: "," or "." where one holds for the whole table; None where it is found column by column.
        places: which cell of a row each column is, from 0; empty where rows are not lists of cells.
        quoted: quotation marks enclose cells.
    """

    names: tuple[str, ...]
    columns: tuple[list[object], ...]
    lines: np.ndarray
    header: bool
    delimiter: str | None = None
    decimal: str | None = None
    places: tuple[int, ...] = ()
    quoted: bool = False

    def __len__(self) -> int:
        return len(self.lines)


@dataclass(frozen=True, eq=False)
class Column:
    """What a column is.

    Args:
        type: one of COLUMN_TYPES.
        cells: as in the table.
        values: (n,) float64 of numbers, counters and constant numbers, NaN where missing; else None.
        times: (n,) datetime64[s] of a column of times, NaT where missing; else None.
        distinct: different cells. words: mean number of words in a cell.
        unreadable: rows whose cell is not missing, and yet not of this type.
    """

    name: str
    type: str
    cells: list[object]
    values: np.ndarray | None = None
    times: np.ndarray | None = None
    distinct: int = 0
    words: float = 0.0
    unreadable: tuple[int, ...] = ()
