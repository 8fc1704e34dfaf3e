"""A text as rows of cells, with the line of each."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np

from engine.data.limits import MAX_LINE, MAX_ROWS
from engine.data.problems import DataError, Notes

SAMPLE_LINES = 2_000
SAMPLE_CHARACTERS = 4_000_000
ESCAPED, DOUBLED = re.compile(r'\\"[^,;\t|\n"]'), re.compile(r'[^,;\t|\n"]""[^,;\t|\n"]')
"""A quotation mark inside a quoted cell as some programs write it, \\", and as CSV has it, ""."""


@dataclass(frozen=True, eq=False)
class Rows:
    """What a file holds, before it is a table.

    Args:
        rows: lists of cells, of different lengths where the file is ragged; or lines of text.
        lines: the line in the file of each row.
        delimiter: stands between the cells of lines of text; None for lists.
    """

    rows: Sequence[Any]
    lines: Sequence[int]
    delimiter: str | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, i: int) -> list[object]:
        """The cells of one row."""
        return list(self.rows[i]) if self.delimiter is None else self.rows[i].split(self.delimiter)

    def widths(self) -> np.ndarray:
        """(n,) int64, how many cells each row has."""
        if self.delimiter is None:
            return np.array([len(row) for row in self.rows], dtype=np.int64)
        return np.array([row.count(self.delimiter) for row in self.rows], dtype=np.int64) + 1

    def columns(self) -> list[Sequence[object]]:
        """The cells by column, of rows of equal lengths."""
        if self.delimiter is None:
            # zip(*rows) would make an iterator a row, and the garbage collector visit every row several times.
            return [list(map(itemgetter(i), self.rows)) for i in range(len(self.rows[0]))]
        cells = self.delimiter.join(self.rows).split(self.delimiter)  # all at once: a list a row would take seconds
        width = len(cells) // len(self.rows)
        return [cells[i::width] for i in range(width)]

    def take(self, which: Sequence[int]) -> Rows:
        """Some of the rows, by their numbers from 0."""
        return Rows([self.rows[i] for i in which], [self.lines[i] for i in which], self.delimiter)

    def part(self, start: int, end: int) -> Rows:
        """The rows from start to before end."""
        return Rows(self.rows[start:end], self.lines[start:end], self.delimiter)

    def with_first(self, row: Sequence[object]) -> Rows:
        """The same rows, but for the first."""
        first = row if self.delimiter is None else self.delimiter.join(map(str, row))
        return Rows([first, *self.rows[1:]], self.lines, self.delimiter)


def has_quotes(text: str, delimiter: str, notes: Notes | None = None) -> bool:
    """True if quotation marks enclose cells; False if they are signs like others.

    In files with tabs, and in those with an odd number of quotes, they enclose cells only if every cell that opens with
    one also closes with one: messages are full of single ones, and reading on to the next would swallow rows.
    """
    if len(delimiter) > 1 or '"' not in text:
        return False
    balanced = text.count('"') % 2 == 0
    if delimiter == " ":
        return balanced and all(
            line.count('"') % 2 == 0 for line in text[:SAMPLE_CHARACTERS].split("\n")[:SAMPLE_LINES]
        )
    if delimiter != "\t" and balanced:
        return True
    lines = text[:SAMPLE_CHARACTERS].split("\n", SAMPLE_LINES)[:SAMPLE_LINES]
    cells = [cell.strip() for line in lines if '"' in line for cell in line.split(delimiter)]
    quoted = [cell for cell in cells if cell.startswith('"')]
    if quoted and all(len(cell) > 1 and cell.endswith('"') for cell in quoted):
        return True
    if delimiter != "\t" and notes is not None:
        line = next(i for i, each in enumerate(text.split("\n"), 1) if each.count('"') % 2)
        notes.say(f"Line {line} opens a quote that is never closed; quotes are read as ordinary signs.", line)
    return False


def has_escapes(text: str) -> bool:
    """True if a quotation mark inside a quoted cell is written \\", not ""."""
    escaped = ESCAPED.search(text, 0, SAMPLE_CHARACTERS)
    return escaped is not None and not DOUBLED.search(text, 0, SAMPLE_CHARACTERS)


def split_rows(text: str, delimiter: str | None, quoted: bool, limit: int | None = None) -> Rows:
    """The rows of a text; lines that hold nothing but separators are left out.

    Args:
        delimiter: one sign or several; " " stands for any white space between cells, None for lines of one cell.
        quoted: quotation marks enclose cells (`has_quotes`).
        limit: how many rows are wanted at most.

    Raises:
        DataError: more than MAX_ROWS rows, or a cell of more than MAX_LINE characters.
    """
    if quoted and delimiter is not None:
        return _quoted_rows(text, delimiter, limit)
    if text.count("\n") > 3 * MAX_ROWS:  # before millions of strings are made
        raise _too_many(MAX_ROWS + 1)
    separators = f" \t\f\v\u00a0{delimiter or ''}"
    lines = text.split("\n") if limit is None else text[:SAMPLE_CHARACTERS].split("\n", 2 * limit)[: 2 * limit]
    if limit is None:
        _refuse_long(lines)
    numbers = [i for i, line in enumerate(lines, 1) if line.strip(separators)]
    if limit is not None:
        numbers = numbers[:limit]
    if len(numbers) > MAX_ROWS:
        raise _too_many(numbers[MAX_ROWS])
    filled = lines if len(numbers) == len(lines) else [lines[i - 1] for i in numbers]
    if delimiter is None:
        return Rows([(line,) for line in filled], numbers)
    return Rows([line.split() for line in filled], numbers) if delimiter == " " else Rows(filled, numbers, delimiter)


def _refuse_long(lines: Sequence[str]) -> None:
    if max(map(len, lines)) > MAX_LINE:
        i = next(i for i, line in enumerate(lines) if len(line) > MAX_LINE)
        found = f"Line {i + 1} has {len(lines[i]):,} characters"
        raise DataError(f"{found}; a line of a table may have at most {MAX_LINE:,}.", i + 1)


def _quoted_rows(text: str, delimiter: str, limit: int | None) -> Rows:
    csv.field_size_limit(MAX_LINE)
    if has_escapes(text):
        text = text.replace('\\"', '""')
    source = map(str.strip, io.StringIO(text)) if delimiter == " " else io.StringIO(text)
    reader = csv.reader(source, delimiter=delimiter, skipinitialspace=True)
    cells: list[Sequence[object]] = []
    lines: list[int] = []
    line = 1
    try:
        for row in reader:
            if any(map(str.strip, row)):
                cells.append(row)
                lines.append(line)
                if len(cells) == limit:
                    break
                if len(cells) > MAX_ROWS:
                    raise _too_many(line)
            line = reader.line_num + 1
    except csv.Error as error:
        if "field larger" in str(error):
            found = f"A cell that begins in line {line} has more than {MAX_LINE:,} characters"
            raise DataError(f"{found}; a quote may be open, or this is no table.", line) from None
        raise DataError(f"Line {line} cannot be read as a table: {error}.", line) from None
    return Rows(cells, lines)


def _too_many(line: int) -> DataError:
    found = f"The table has more than {MAX_ROWS:,} rows, which is the most that is read"
    return DataError(f"{found}. Keep the newest, or every tenth.", line)
