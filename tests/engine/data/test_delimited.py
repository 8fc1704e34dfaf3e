"""Text with a delimiter as a table: CSV, TSV and their kin, good and bad."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest

from engine.data.files.delimited import DELIMITERS, delimiter_of, is_list_of_numbers
from engine.data.limits import MAX_COLUMNS, MAX_LINE, MAX_ROWS
from engine.data.problems import DataError
from tests.cases import for_each
from tests.engine.data.raw_tables import said, table_of

DAYS = [f"2024-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(60)]


def lines(delimiter: str, rows: int = 40, header: str = "day x y") -> str:
    """A table of days and two numbers."""
    body = [delimiter.join((DAYS[i], str(i * i), f"{i / 4}")) for i in range(rows)]
    return "\n".join([*([header.replace(" ", delimiter)] if header else []), *body]) + "\n"


# ---- delimiter


@for_each({"delimiter": [*DELIMITERS, "|||", "+++$+++"]})
def test_every_delimiter_is_found(delimiter):
    table, notes = table_of(lines(delimiter))
    assert (table.delimiter, table.names, table.header) == (delimiter, ("day", "x", "y"), True)
    assert table.columns[1][:4] == ["0", "1", "4", "9"] and table.lines[:2].tolist() == [2, 3]
    assert len(table) == 40 and not notes


def test_a_sample_cut_in_mid_line_does_no_harm():
    text = "text,n\n" + "".join(f'"one, two\nthree {i}",{i}\n' for i in range(3000))
    table, _ = table_of(text)
    assert len(table) == 3000 and table.columns[0][5] == "one, two\nthree 5"
    assert table.lines[:3].tolist() == [2, 4, 6]


def test_prose_has_no_delimiter():
    prose = "It was late, and cold.\nNobody, not even she, came.\nThen, at last, rain.\nWell, well.\n" * 10
    assert delimiter_of(prose) is None
    with pytest.raises(DataError, match="No delimiter was found") as caught:
        table_of(prose)
    assert caught.value.line == 1


def test_a_list_of_numbers_is_a_table_of_one_column():
    text = "level\n" + "\n".join(f"{i},5" for i in range(20))
    assert is_list_of_numbers("level\n1.5\n2.5\n3\n") and not is_list_of_numbers("anna\nbert\nclara\n")
    table, _ = table_of(text.replace(",", "."))
    assert table.names == ("level",) and len(table) == 20 and table.delimiter is None


def test_the_line_that_excel_writes():
    table, notes = table_of("sep=;\nday;x\n2024-01-01;1,5\n2024-01-02;2,25\n")
    assert table.names == ("day", "x") and table.lines.tolist() == [3, 4]
    assert "Line 1 names the delimiter (';')" in said(notes)


def test_tables_of_r_have_a_name_less_and_words_in_quotes():
    text = '"size" "kind of thing"\n' + "".join(f'"{i}" {i}.5 "red ball"\n' for i in range(1, 40))
    table, _ = table_of(text)
    assert table.names == ("index", "size", "kind of thing") and table.columns[2][0] == "red ball"


# ---- quotes


def test_quotes_in_messages_are_signs():
    text = 'ham\tshe said "yes\nspam\twin 5" now\n' + 'ham\t"quoted" word\nspam\tfree\n' * 10
    table, _ = table_of(text)
    assert len(table) == 22 and table.columns[1][0] == 'she said "yes'


def test_a_quote_that_is_never_closed():
    text = lines(",") + '2024-03-05,"5,6\n'
    table, notes = table_of(text)
    assert len(table) == 41
    assert ("Line 42 opens a quote that is never closed", 42) in [(p.sentence.split(";")[0], p.line) for p in notes]


def test_quotes_inside_quotes():
    for inside in ('""', '\\"'):
        text = "n,text\n" + "".join(f'{i},"he said {inside}yes{inside}, and went"\n' for i in range(20))
        table, notes = table_of(text)
        assert table.columns[1] == ['he said "yes", and went'] * 20 and not notes


def test_a_delimiter_that_cannot_be_one():
    for delimiter in ('"', "\n"):
        with pytest.raises(DataError, match="cannot part columns"):
            table_of(lines(","), delimiter=delimiter)


# ---- title, footer, ragged


def test_titles_and_footers_are_left_out_and_said():
    table, notes = table_of("Ferries of the north\n\n" + lines(",") + "Source: the office\n")
    assert len(table) == 40 and table.names == ("day", "x", "y") and table.lines[0] == 4
    title, footer = notes
    assert title.line == 1 and "title and left out" in title.sentence and "Ferries of the north" in title.sentence
    assert footer.line == 44 and "footer and left out" in footer.sentence and "Source: the office" in footer.sentence


def test_a_few_ragged_rows_are_left_out_with_their_line():
    rows = lines(",").split("\n")
    rows[10] += ",extra"
    table, notes = table_of("\n".join(rows))
    assert len(table) == 39 and 11 not in table.lines
    assert [(p.line, p.sentence) for p in notes] == [
        (11, "Line 11 has 4 columns where 3 are expected; 1 such row is left out.")
    ]


def test_many_ragged_rows_are_refused_with_line_and_widths():
    rows = lines(",").split("\n")
    for i in range(10, 30, 3):
        rows[i] += ",extra"
    with pytest.raises(DataError, match="Line 11 has 4 columns, but 3 are expected as in line 1; 6 more") as caught:
        table_of("\n".join(rows), delimiter=",")
    assert caught.value.line == 11


def test_rows_that_end_with_a_delimiter_under_a_header_that_does_not():
    table, notes = table_of("day,x\n" + "".join(f"{DAYS[i]},{i},\n" for i in range(20)))
    assert table.names == ("day", "x") and table.columns[1][:2] == ["0", "1"]
    assert "Column 'column 3' is empty" in said(notes)


# ---- header


@for_each(
    {
        "text, header": [
            ("a,b\n1,2\n3,4\n5,6\n", True),
            ("1,2\n3,4\n5,6\n", False),
            (",0\n0,1.5\n1,2.5\n2,3.5\n", True),
            ("country,1960,1961,1962,1963\nChad,1,2,3,4\nMali,2,3,4,5\n", True),
            ("0,1,2,3\n1.5,2.5,3.5,4.5\n2.5,3.5,4.5,5.5\n", True),
            ("2m,No,wind,rain\n1.5,1,3,4\n2.5,2,4,5\n", True),
            ("label,text\nham,so so\nspam,free now\nham,well\nspam,win\nham,ok\n", True),
            ("ham,so so\nspam,free now\nham,well\nspam,win\nham,ok\n", False),
            ("v,w\nham,a\nspam,b\n" + "ham,c\nspam,d\n" * 4, True),
            ("2024-01-01,1\n2024-01-02,2\n", False),
        ]
    }
)
def test_headers(text, header):
    table, _ = table_of(text, delimiter=",")
    assert table.header is header
    assert len(table) == text.count("\n") - header
    assert header or table.names[0] == "column 1"


def test_a_chosen_header_counts():
    assert table_of("a,b\n1,2\n", header=False)[0].columns[0] == ["a", "1"]
    assert table_of("1,2\n3,4\n", header=True)[0].names == ("1", "2")


def test_headers_that_come_again():
    table, notes = table_of(lines(",", 20) + lines(",", 20))
    assert len(table) == 40 and "The header comes again in line 22; 1 such row is left out." in said(notes)


def test_equal_names_and_empty_columns():
    table, notes = table_of("x,x,,z\n" + "1,2,3,\n" * 9)
    assert table.names == ("x", "x (2)", "column 3")
    assert {(p.line, p.column) for p in notes} == {(1, "x"), (None, "z")}
    assert "Two columns are named 'x'" in said(notes) and "Column 'z' is empty" in said(notes)


# ---- too little, too much


@for_each(
    {
        "text, words, line": [
            ("a,b,c\n", "only one line", 1),
            ("\n1,2,3", "only one line", 2),
            (",".join(["1.5"] * 10_000) + "\n" + ",".join(["2.5"] * 10_000), "10,000 columns; at most 2,000", 1),
            ("a,b\n1,2\n" + "3" * (MAX_LINE + 1) + ",4\n", "Line 3 has 1,000,003 characters", 3),
            (
                'a,b\n1,"2"\n"' + "3" * (MAX_LINE + 1) + '",4\n',
                "A cell that begins in line 3 has more than 1,000,000",
                3,
            ),
            ("1,2\n" * (MAX_ROWS + 1), "more than 500,000 rows", MAX_ROWS + 1),
        ]
    }
)
def test_what_is_no_table_names_its_line(text, words, line):
    with pytest.raises(DataError, match=words) as caught:
        table_of(text, delimiter=",")
    assert caught.value.line == line


def test_a_header_alone():
    with pytest.raises(DataError, match="a header but no row below it") as caught:
        table_of("a,b\na,b\n", header=True)
    assert caught.value.line == 1


def test_as_many_columns_as_are_allowed():
    text = "\n".join(",".join(str(i * j) for j in range(MAX_COLUMNS)) for i in range(1, 4))
    assert len(table_of(text, delimiter=",", header=False)[0].names) == MAX_COLUMNS


def test_decimal_commas_are_said():
    table, notes = table_of("day;x;y\n" + "".join(f"{day};{i},5;{i}\n" for i, day in enumerate(DAYS)))
    assert table.decimal == ","
    assert [(p.line, p.column) for p in notes] == [(2, "x")] and "decimal commas (line 2: '0,5'" in said(notes)
    assert table_of(lines(";"))[0].decimal is None
    assert table_of(lines(";"), decimal=".")[0].decimal == "."


# ---- against pandas


@for_each({"delimiter": [",", ";", "\t"], "quoting": [csv.QUOTE_MINIMAL, csv.QUOTE_ALL]})
def test_cells_and_lines_are_those_of_pandas(delimiter, quoting):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"day": DAYS, "n": rng.integers(0, 9, 60).astype(str), "x": rng.normal(size=60).astype(str)})
    frame.loc[::7, "x"] = ""
    frame.loc[5, "day"] = 'a "quoted" day' if quoting == csv.QUOTE_ALL and delimiter != "\t" else frame.day[5]
    text = frame.to_csv(sep=delimiter, index=False, quoting=quoting)
    table, _ = table_of(text)
    again = pd.read_csv(io.StringIO(text), sep=delimiter, dtype=str, keep_default_na=False)
    assert list(table.names) == list(again.columns)
    for name, cells in zip(table.names, table.columns, strict=True):
        assert cells == [cell or None for cell in again[name]]
    assert table.lines.tolist() == list(range(2, 62))
