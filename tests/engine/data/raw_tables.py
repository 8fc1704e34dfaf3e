"""Helpers of the tests that turn bytes and texts into tables and columns."""

from __future__ import annotations

from typing import Any

from engine.data.columns.describe import describe
from engine.data.files import excel, parquet
from engine.data.files.delimited import read_table
from engine.data.files.encoding import decode
from engine.data.files.load import format_of, load
from engine.data.problems import Notes
from engine.data.table import Column, Table


def table_of(text: str, **choices: Any) -> tuple[Table, Notes]:
    """The table in a text, and what was said of it."""
    notes = Notes()
    return read_table(text, notes, choices), notes


def columns_of(text: str, **choices: Any) -> tuple[dict[str, Column], Notes]:
    """The columns of the table in a text by name, and what was said of them."""
    table, notes = table_of(text, **choices)
    return {column.name: column for column in describe(table, notes, choices)}, notes


def read_all(data: bytes, notes: Notes, choices: dict[str, Any]) -> list[Column]:
    """Bytes as columns, whatever the format."""
    data, name = load(data, "a file")
    match format_of(data, name):
        case "excel":
            table = excel.read_table(data, notes, choices)
        case "parquet":
            table = parquet.read_table(data, notes, choices)
        case "text":
            table = read_table(decode(data, notes, choices.get("encoding"))[0], notes, choices)
        case _:
            return []
    return describe(table, notes, choices)


def said(notes: Notes) -> str:
    """All sentences, to look for words in."""
    return "\n".join(problem.sentence for problem in notes)
