"""Tables of Excel and Parquet."""

from __future__ import annotations

import datetime
import io
import re
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.data.columns.describe import describe
from engine.data.files import excel, parquet
from engine.data.files.load import format_of
from engine.data.limits import MAX_COLUMNS
from engine.data.problems import DataError, Notes
from tests.engine.data.raw_tables import said

MONTHS = [datetime.datetime(2020 + i // 12, 1 + i % 12, 1) for i in range(24)]


def workbook(**sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def report() -> list[list[object]]:
    """A sheet as people make them: a title, an empty row, an empty column, a footer with a formula."""
    body = [[None, month, 100 + i, f"ship {i % 2}"] for i, month in enumerate(MONTHS)]
    return [["Tonnes of the harbour"], [], [None, "Month", "Tonnes", "Ship"], *body, [None, "Total", "=SUM(C4:C27)"]]


def excel_table(data: bytes, **choices):
    notes = Notes()
    assert format_of(data, "x") == "excel"
    return excel.read_table(data, notes, choices), notes


def test_the_longest_sheet_without_title_and_footer():
    table, notes = excel_table(workbook(Notes=[["read me"]], Report=report()))
    assert table.names == ("Month", "Tonnes", "Ship") and table.header and table.delimiter is None
    assert table.columns[0] == MONTHS and table.columns[1] == list(range(100, 124))
    assert table.lines.tolist() == list(range(4, 28))  # rows of the sheet
    words = said(notes)
    assert "2 sheets ('Notes', 'Report'); 'Report', the longest, is read" in words
    assert "title and left out" in words and "total or a footer and left out" in words
    assert "Column 'column 1' is empty" in words and "formula" not in words
    assert [problem.line for problem in notes] == [None, 1, 28, None]
    assert [column.type for column in describe(table, notes, {})] == ["time", "number", "label"]


def test_formulas_without_a_result_are_said_with_their_place():
    table, notes = excel_table(workbook(A=[["x", "y"], *[[i, f"=A{i + 2}*2" if i == 3 else i] for i in range(9)]]))
    assert table.columns[1][2:5] == [2, None, 4]
    assert "1 cell holds a formula whose result was never stored (first in row 5, column 2)" in said(notes)
    assert notes[0].line == 5


def test_a_chosen_sheet():
    data = workbook(A=[["x", "y"], *[[i, i * i] for i in range(5)]], B=[["z", "w"], [1, 2], [3, 4], [5, 6]])
    assert excel_table(data, sheet="B")[0].names == ("z", "w")
    with pytest.raises(DataError, match="There is no sheet 'C'; there are 'A', 'B'"):
        excel_table(data, sheet="C")


def test_sheets_that_cannot_be_used():
    with pytest.raises(DataError, match="All sheets of the Excel file are empty"):
        excel_table(workbook(A=[[]], B=[[None, "  "]]))
    with pytest.raises(DataError, match=rf"Row 1 of sheet 'A' has {MAX_COLUMNS + 1:,} columns; at most") as caught:
        excel_table(workbook(A=[[1] * (MAX_COLUMNS + 1)] * 2))
    assert caught.value.line == 1


def test_a_sheet_that_claims_to_be_huge_is_read_as_it_is():
    source = io.BytesIO(workbook(A=[["x", "y"], *[[i, i * i] for i in range(20)]]))
    target = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:XFD1048576"', content))
    assert len(excel_table(target.getvalue())[0]) == 20


def test_broken_files():
    data = workbook(A=[["x", "y"], *[[i, i * i] for i in range(20)]])
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)
    with pytest.raises(DataError, match="Sheet 'A' is broken near row"):
        excel_table(target.getvalue())
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as new:
        new.writestr("xl/workbook.xml", "no xml")
    with pytest.raises(DataError, match="cannot be opened"):
        excel_table(empty.getvalue())
    for broken in (b"PAR1 and nothing else PAR1", b"PAR1"):
        with pytest.raises(DataError, match="The Parquet file cannot be read"):
            parquet.read_table(broken, Notes(), {})


# ---- Parquet


def stored(frame: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.to_parquet(file)
    return file.getvalue()


def test_a_parquet_file():
    frame = pd.DataFrame(
        {
            "when": pd.date_range("2020-01-01", periods=20, tz="Europe/Berlin"),
            "x": np.arange(20) / 4,
            "n": pd.array([None, *range(19)], dtype="Int64"),
            "word": pd.Categorical(["a", "b"] * 10),
            "list": [[1, 2]] * 20,
        }
    )
    notes = Notes()
    table = parquet.read_table(stored(frame), notes, {})
    assert table.names == ("when", "x", "n", "word") and table.lines.tolist() == list(range(1, 21))
    assert [(p.column, p.sentence) for p in notes] == [("list", "Column 'list' holds lists or bytes; it is left out.")]
    when, x, n, word = describe(table, notes, {})
    assert np.array_equal(when.times, pd.date_range("2020-01-01", periods=20).to_numpy().astype("datetime64[s]"))
    np.testing.assert_array_equal(x.values, frame.x)
    np.testing.assert_array_equal(n.values, [np.nan, *range(19)])
    assert word.type == "label" and word.cells == ["a", "b"] * 10


def test_an_index_with_a_name_is_a_column():
    frame = pd.DataFrame({"x": range(5)}, index=pd.date_range("2020-01-01", periods=5, name="day"))
    assert parquet.read_table(stored(frame), Notes(), {}).names == ("day", "x")
    frame = pd.DataFrame({"index": range(5), "level_0": range(5)}, index=pd.date_range("2020-01-01", periods=5))
    assert parquet.read_table(stored(frame), Notes(), {}).names == ("level_0", "index", "level_0 (2)")
    with pytest.raises(DataError, match="has no rows"):
        parquet.read_table(stored(frame[:0]), Notes(), {})


def test_a_parquet_file_that_unpacks_to_too_many_rows():
    file = io.BytesIO()
    pq.write_table(pa.table({"x": np.zeros(500_001, np.int8)}), file)
    assert len(file.getvalue()) < 5_000
    with pytest.raises(DataError, match="has 500,001 rows and 1 columns; at most 500,000 and 2,000 are read"):
        parquet.read_table(file.getvalue(), Notes(), {})
