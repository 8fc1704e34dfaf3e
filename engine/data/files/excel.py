"""Excel files (.xlsx): the longest sheet, without titles, totals and footers. Formulas are never computed."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.data.files.rows import Rows
from engine.data.files.tabulate import MAX_FOOTER, MAX_TITLE, place, tabulate, taken_for
from engine.data.limits import MAX_COLUMNS, MAX_ROWS
from engine.data.problems import DataError, Notes, named
from engine.data.table import Table
from engine.number_format import count, verb

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook

TABLE_SHARE = 0.6
"""Rows with a smaller share of the table's cells, above and below it, belong to a title or a footer."""
TOTAL = re.compile(r"(grand )?totals?\b|sum\b|average\b|source\b|notes?\b", re.I)
TOTAL_ROWS = 4


def read_table(data: bytes, notes: Notes, choices: dict[str, Any]) -> Table:
    """The table of one sheet; `lines` are the sheet's rows.

    Args:
        choices: of these `sheet` and `header` count.

    Raises:
        DataError: the file is broken or too large, its sheets are empty, the sheet is not there, or as `tabulate`.
    """
    book = _open(data, results=True)
    names = [sheet.title for sheet in book.worksheets]
    chosen = choices.get("sheet")
    if chosen and chosen not in names:
        raise DataError(f"There is no sheet '{chosen}'; there are {named(names)}.")
    found = {name: _rows(book, name) for name in ([chosen] if chosen else names)}
    sheet = max(found, key=lambda name: len(found[name]), default="")
    if not sheet or not len(found[sheet]):
        raise DataError("All sheets of the Excel file are empty.", 1)
    if len(names) > 1:
        why = "is read" if chosen else "the longest, is read"
        notes.say(f"The file has {len(names)} sheets ({named(names)}); '{sheet}'{'' if chosen else ','} {why}.")
    alone = _without_footer(_without_title(_trimmed(found[sheet]), notes), notes)
    table = tabulate(alone, notes, choices.get("header"), "row")
    _say_formulas(data, sheet, found[sheet], set(table.lines.tolist()), notes)
    return table


def _open(data: bytes, results: bool) -> Workbook:
    """The workbook with the stored results of its formulas, or with the formulas."""
    import openpyxl

    try:
        with warnings.catch_warnings():  # of styles and extensions that openpyxl does not know
            warnings.simplefilter("ignore")
            return openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=results)
    except Exception as error:  # whatever a broken file makes openpyxl stumble over
        reason = str(error)[:100]
        raise DataError(f"The Excel file cannot be opened: {reason}. Save it again as .xlsx, or as CSV.") from None


def _rows(book: Workbook, name: str) -> Rows:
    """The rows of a sheet that are not empty."""
    sheet = book[name]
    sheet.reset_dimensions()  # a sheet may claim to be larger than it is
    cells: list[Sequence[object]] = []
    lines: list[int] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
                if len(row) > MAX_COLUMNS and _last_filled(row) >= MAX_COLUMNS:
                    found = f"Row {number} of sheet '{name}' has {_last_filled(row) + 1:,} columns"
                    raise DataError(f"{found}; at most {MAX_COLUMNS:,} are read. Keep those that matter.", number)
                if any(_filled(cell) for cell in row):
                    cells.append(row)
                    lines.append(number)
                    if len(cells) > MAX_ROWS:
                        sentence = f"Sheet '{name}' has more than {MAX_ROWS:,} rows, which is the most that is read."
                        raise DataError(sentence, number)
    except DataError:
        raise
    except Exception as error:
        line = lines[-1] + 1 if lines else 1
        raise DataError(f"Sheet '{name}' is broken near row {line}: {str(error)[:100]}.", line) from None
    return Rows(cells, lines)


def _filled(cell: object) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))


def _last_filled(row: Sequence[object]) -> int:
    return max((i for i, cell in enumerate(row) if _filled(cell)), default=-1)


def _say_formulas(data: bytes, sheet: str, rows: Rows, used: set[int], notes: Notes) -> None:
    """Formulas in used rows whose result was never stored, as programs write them that are no spreadsheets."""
    rows_used = [(line, row) for line, row in zip(rows.lines, rows.rows, strict=True) if line in used]
    lacking = {(line, i) for line, row in rows_used for i, cell in enumerate(row) if cell is None}
    if not lacking or not _has_formulas(data):
        return
    formulas = _rows(_open(data, results=False), sheet)
    where = [
        (line, i)
        for line, row in zip(formulas.lines, formulas.rows, strict=True)
        for i, cell in enumerate(row)
        if (line, i) in lacking and _is_formula(cell)
    ]
    if where:
        line, i = where[0]
        cells = f"{count(len(where), 'cell')} {verb(len(where), 'holds', 'hold')} a formula"
        found = f"{cells} whose result was never stored (first in row {line}, column {i + 1})"
        notes.say(f"{found}; such cells count as missing. Open and save the file in a spreadsheet.", line)


def _is_formula(cell: object) -> bool:
    return cell.startswith("=") if isinstance(cell, str) else type(cell).__module__ == "openpyxl.worksheet.formula"


def _has_formulas(data: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(re.search(rb"<f[ >/]", archive.read(name)) is not None for name in sheets)


def _trimmed(rows: Rows) -> Rows:
    """Rows of equal lengths from the first filled column to the last."""
    filled = [[i for i, cell in enumerate(row) if _filled(cell)] for row in rows.rows]
    first, end = min(each[0] for each in filled), max(each[-1] for each in filled) + 1
    empty = [None] * (end - first)
    return Rows([[*row[first:end], *empty[len(row[first:end]) :]] for row in rows.rows], rows.lines)


def _usual_width(rows: Rows) -> tuple[list[int], int]:
    """Filled cells of each row, and how many most rows have."""
    filled = [sum(map(_filled, row)) for row in rows.rows]
    return filled, max(Counter(filled).items(), key=lambda each: (each[1], each[0]))[0]


def _without_title(rows: Rows, notes: Notes) -> Rows:
    filled, width = _usual_width(rows)
    start = 0
    while start < min(len(rows) - 2, MAX_TITLE) and width > 1 and filled[start] < max(2, TABLE_SHARE * width):
        start += 1
    if start:
        title = next(str(cell) for cell in rows.rows[0] if _filled(cell))[:50]
        found = f"{place('first', start, 'filled row')} {verb(start, 'holds', 'hold')} fewer cells than the table below"
        notes.say(f"{found} ('{title}'); {taken_for(start, 'title')}.", rows.lines[0])
    return rows.part(start, len(rows))


def _without_footer(rows: Rows, notes: Notes) -> Rows:
    filled, width = _usual_width(rows)
    end = len(rows)
    while end > 3 and width > 1 and len(rows) - end < MAX_FOOTER and filled[end - 1] < max(2, TABLE_SHARE * width):
        end -= 1
    for i in range(max(1, end - TOTAL_ROWS), end):
        if any(isinstance(cell, str) and TOTAL.match(cell.strip()) for cell in rows.rows[i]):
            end = i
            break
    if end < len(rows):
        last = len(rows) - end
        found = f"{place('last', last, 'row')}, from row {rows.lines[end]}, {verb(last, 'is', 'are')} taken for a total"
        notes.say(f"{found} or a footer and left out.", rows.lines[end])
    return rows.part(0, end)
