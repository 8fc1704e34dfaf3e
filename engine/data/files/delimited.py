"""Text with a delimiter as a table: CSV, TSV and their kin."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from engine.data.columns.cells import LOOK, is_missing
from engine.data.columns.numbers import decimal_of, number
from engine.data.files.header import is_value
from engine.data.files.rows import SAMPLE_CHARACTERS, has_quotes, split_rows
from engine.data.files.tabulate import tabulate
from engine.data.problems import DataError, Notes
from engine.data.table import Table

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}
"""And what they are called."""
SAMPLE_CELLS = 6_000
LONG_DELIMITERS = ("+++$+++", "|||")
PREFERENCE = {" ": 0.6, "\t": 1.15, ";": 1.1}
NAMED_DELIMITER = re.compile(r"sep=(.)\n")
"""The first line that Excel writes, and reads, to say which it is."""


def delimiter_of(text: str) -> str | None:
    """The delimiter of a table: the one whose rows are most alike, and whose cells are most often numbers or dates.

    Returns:
        One of DELIMITERS or LONG_DELIMITERS, or what a line "sep=" names; None for prose and for lines of one cell.
    """
    named = NAMED_DELIMITER.match(text)
    if named:
        return named[1]
    head = text[:SAMPLE_CHARACTERS].split("\n", 50)[:50]
    filled = [line for line in head if line.strip()]
    for delimiter in LONG_DELIMITERS:
        if len(filled) > 1 and all(delimiter in line for line in filled):
            return delimiter
    best, score = None, 0.0
    for delimiter in DELIMITERS:
        if delimiter in text:
            found = _score(text, delimiter)
            if found > score + 1e-9:
                best, score = delimiter, found
    return best


def _score(text: str, delimiter: str) -> float:
    """How well a delimiter makes a table of the first rows; 0 where it makes none."""
    quoted = has_quotes(text, delimiter)
    found = split_rows(text, delimiter, quoted, LOOK)
    rows = [found.row(i) for i in range(len(found))]
    widths = Counter(map(len, rows))
    if len(rows) < 2:
        return 0.0
    width, count = max(widths.items(), key=lambda each: (each[1], each[0]))
    if width < 2:
        return 0.0
    alike = count / len(rows)
    typed = _typed_share([row for row in rows if len(row) == width][1:60])
    if delimiter == " " and typed < (0.3 if quoted and alike > 0.95 else 0.8):  # prose; R's tables have words in quotes
        return 0.0
    if delimiter in ",;" and typed < 0.05:  # the commas of prose
        sample = text[:400_000]
        spaced = sample.count(delimiter + " ") > 0.9 * sample.count(delimiter)
        if alike < 0.95 or (spaced and '"' not in sample):
            return 0.0
    return alike**2 * (0.35 + typed) * PREFERENCE.get(delimiter, 1.0)


def _typed_share(rows: Sequence[Sequence[object]]) -> float:
    """Share of the cells that are numbers, dates or missing."""
    cells = [str(cell).strip() for row in rows for cell in row]
    cells = cells[:: 1 + len(cells) // SAMPLE_CELLS]
    return sum(is_missing(cell, signs=True) or is_value(cell) for cell in cells) / max(1, len(cells))


def is_list_of_numbers(text: str) -> bool:
    """True for a text without a delimiter whose lines, but perhaps the first, are numbers: a table of one column."""
    lines = [line.strip() for line in text[:SAMPLE_CHARACTERS].split("\n") if line.strip()]
    if len(lines) < 2:
        return False
    body = lines[1 : LOOK + 1]
    decimal = decimal_of(body)
    return sum(math.isfinite(number(line, decimal)) for line in body) > 0.8 * len(body)


def read_table(text: str, notes: Notes, choices: dict[str, Any]) -> Table:
    """The table in a text.

    Args:
        text: lines ended by \\n (`decode`).
        choices: of these `delimiter`, `header` and `decimal` count.

    Raises:
        DataError: no delimiter, one line alone, a line or a cell that is too long, or as `tabulate`.
    """
    delimiter = choices.get("delimiter") or delimiter_of(text)
    if delimiter is not None and set(delimiter) & set('"\r\n'):
        raise DataError(f"{delimiter!r} cannot part columns; expected a comma, semicolon, tab, bar or space.", 1)
    if delimiter is None and not is_list_of_numbers(text):
        raise DataError("No delimiter was found: expected columns parted by comma, semicolon, tab or bar.", 1)
    quoted = delimiter is not None and has_quotes(text, delimiter, notes)
    rows = split_rows(text, delimiter, quoted)
    if NAMED_DELIMITER.match(text) and len(rows) > 1:
        notes.say(f"Line 1 names the delimiter ('{text[4]}'); it is left out.", 1, harmless=True)
        rows = rows.part(1, len(rows))
    if len(rows) == 1:
        sentence = "There is only one line: a header, or one row, but no rows of data below it."
        raise DataError(sentence, rows.lines[0])
    table = tabulate(rows, notes, choices.get("header"), delimiter=delimiter)
    return replace(table, decimal=_decimal(table, notes, choices), quoted=quoted)


def _decimal(table: Table, notes: Notes, choices: dict[str, Any]) -> str | None:
    """One sign for the whole table, where the delimiter cannot stand in a number; said if it is the comma."""
    chosen: str | None = choices.get("decimal")
    if chosen is not None:
        return chosen
    if table.delimiter == ",":
        return None
    for name, cells in zip(table.names, table.columns, strict=True):
        if decimal_of(cells) == ",":
            i = next(i for i, cell in enumerate(cells) if "," in str(cell))
            line = int(table.lines[i])
            notes.say(f"Numbers have decimal commas (line {line}: '{cells[i]}' in column '{name}').", line, name)
            return ","
    return None
