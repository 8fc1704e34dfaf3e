"""Rows of cells as a table: title, footer, ragged rows, header, equal names, empty columns. All is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine.data.columns.cells import LOOK, is_missing
from engine.data.files.header import has_header, is_value
from engine.data.files.rows import Rows
from engine.data.limits import MAX_COLUMNS
from engine.data.problems import DataError, Notes, left_out
from engine.data.table import Table
from engine.number_format import count, verb

MAX_TITLE, MAX_FOOTER = 40, 20  # rows
RAGGED_SHARE = 0.1


def tabulate(
    rows: Rows, notes: Notes, header: bool | None = None, what: str = "line", delimiter: str | None = None
) -> Table:
    """The table in rows of cells, at least one.

    Args:
        header: the first row names the columns; None to find out.
        what: what a row is called where it stands, "line" or "row".

    Raises:
        DataError: too many columns, too many ragged rows, nothing below the header, or nothing in any cell.
    """
    widths = rows.widths()
    width = max(Counter(widths.tolist()).items(), key=lambda each: (each[1], each[0]))[0]
    if width > MAX_COLUMNS:
        sentence = f"The table has {width:,} columns; at most {MAX_COLUMNS:,} are read. Keep those that matter."
        raise DataError(sentence, rows.lines[0])
    rows = _table_alone(rows, widths, width, notes, what)
    named = has_header(_beginning(rows)) if header is None else header
    names = _names([_text(cell) for cell in rows.row(0)] if named else [""] * width, rows.lines[0], notes)
    if named:
        rows = _below_header(rows, notes, what)
    columns = [_stripped(column) for column in rows.columns()]
    filled = [i for i, cells in enumerate(columns) if not all(map(is_missing, cells))]
    for i in sorted(set(range(width)) - set(filled)):
        notes.say(f"Column '{names[i]}' is empty; it is left out.", None, names[i], harmless=True)
    if not filled:
        raise DataError("Every cell of the table is empty.", rows.lines[0])
    kept, lines = tuple(columns[i] for i in filled), np.array(rows.lines, dtype=np.int64)
    return Table(tuple(names[i] for i in filled), kept, lines, named, delimiter, places=tuple(filled))


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip().strip("\ufeff")


def _stripped(cells: Sequence[object]) -> list[object]:
    """Texts without white space around them; None for empty ones."""
    try:
        stripped: list[object] = list(map(str.strip, cells))  # type: ignore[arg-type]
    except TypeError:  # not all are texts
        stripped = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
    return [None if cell == "" else cell for cell in stripped] if "" in stripped else stripped


def _quote(cells: Sequence[object]) -> str:
    return " ".join(filter(None, map(_text, cells)))[:60]


def _beginning(rows: Rows) -> list[list[str]]:
    return [[_text(cell) for cell in row] for row in map(rows.row, range(min(len(rows), LOOK + 1)))]


def _table_alone(rows: Rows, widths: np.ndarray, width: int, notes: Notes, what: str) -> Rows:
    """The rows without the title above, the footer below and ragged rows inside."""
    fits = widths == width
    start = 0
    while start < min(len(rows), MAX_TITLE) and not fits[start]:
        start += 1
    if start == 1 and widths[0] == width - 1 and not any(is_value(_text(cell)) for cell in rows.row(0)):
        # Rows end with a delimiter, or begin with a number of their own that has no name.
        ends_empty = not any(_text(rows.row(i)[-1]) for i in np.flatnonzero(fits).tolist())
        first = [*rows.row(0), ""] if ends_empty else ["index", *rows.row(0)]
        rows, fits, start = rows.with_first(first), np.append(True, fits[1:]), 0
    if start:
        found = f"{place('first', start, what)} {verb(start, 'has', 'have')} other columns than the table below"
        notes.say(f"{found} ('{_quote(rows.row(0))}'); {taken_for(start, 'title')}.", rows.lines[0])
    end = len(rows)
    while end > start + 1 and not fits[end - 1] and len(rows) - end < MAX_FOOTER:
        end -= 1
    if end < len(rows):
        last = len(rows) - end
        found = f"{place('last', last, what)}, from {what} {rows.lines[end]}, {verb(last, 'has', 'have')} other columns"
        notes.say(f"{found} ('{_quote(rows.row(end))}'); {taken_for(last, 'footer')}.", rows.lines[end])
    return _without_ragged(rows.part(start, end), fits[start:end], width, notes, what.capitalize())


def place(which: str, number: int, what: str) -> str:
    """The rows at the beginning or the end, in a sentence: "The first line", "The last 2 rows"."""
    return f"The {which} {what if number == 1 else count(number, what)}"


def taken_for(number: int, what: str) -> str:
    """What becomes of so many rows there: "they are taken for a title and left out"."""
    return f"{verb(number, 'it is', 'they are')} taken for a {what} and left out"


def _without_ragged(rows: Rows, fits: np.ndarray, width: int, notes: Notes, what: str) -> Rows:
    ragged = np.flatnonzero(~fits)
    if not len(ragged):
        return rows
    first = int(ragged[0])
    line, found = rows.lines[first], f"{what} {rows.lines[first]} has {len(rows.row(first))} columns"
    if len(ragged) > max(1, RAGGED_SHARE * len(rows)):
        usual = rows.lines[int(np.flatnonzero(fits)[0])]
        expected = f"but {width} are expected as in {what.lower()} {usual}; {len(ragged) - 1} more differ, too"
        raise DataError(f"{found}, {expected}. Is the delimiter right, and is text with commas in quotes?", line)
    notes.say(f"{found} where {width} are expected; {left_out(len(ragged), 'row')}.", line)
    return rows.take(np.flatnonzero(fits).tolist())


def _names(given: Sequence[str], line: int, notes: Notes) -> list[str]:
    """Names that all differ."""
    names: list[str] = []
    seen: Counter[str] = Counter()
    for i, name in enumerate(given, 1):
        name = name or f"column {i}"
        seen[name] += 1
        unique, again = name, seen[name]
        while unique in names:
            again = max(2, again)
            unique = f"{name} ({again})"
            again += 1
        if unique != name and seen[name] == 2:
            notes.say(f"Two columns are named '{name}'; the second is called '{unique}'.", line, name, harmless=True)
        names.append(unique)
    return names


def _below_header(rows: Rows, notes: Notes, what: str) -> Rows:
    header = rows.rows[0]
    body = rows.part(1, len(rows))
    again = [i for i, row in enumerate(body.rows) if row == header]
    if again:
        found = f"The header comes again in {what} {body.lines[again[0]]}"
        notes.say(f"{found}; {left_out(len(again), 'row')}.", body.lines[again[0]])
        body = body.take(sorted(set(range(len(body))) - set(again)))
    if not len(body):
        raise DataError("There is a header but no row below it.", rows.lines[0])
    return body


def table_of_frame(frame: pd.DataFrame) -> Table:
    """The table in a data frame, whose rows are counted from 1.

    Args:
        frame: columns of numbers, texts, times or objects; missing cells in whatever way.
    """
    columns = []
    for i in range(frame.shape[1]):
        cells = frame.iloc[:, i]
        columns.append(_stripped([None if lacks else cell for cell, lacks in zip(cells, cells.isna(), strict=True)]))
    names = _names([str(name).strip() for name in frame.columns], 1, Notes())
    return Table(tuple(names), tuple(columns), np.arange(1, len(frame) + 1, dtype=np.int64), header=False)
