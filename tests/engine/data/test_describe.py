"""What columns are, and names that say what they are for."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.columns.describe import describe
from engine.data.names import LABEL_NAMES, TARGET_NAMES, UNKNOWN_NAME, rank
from engine.data.problems import DataError, Notes
from engine.data.table import COLUMN_TYPES, Table
from tests.cases import for_each
from tests.engine.data.raw_tables import columns_of, read_all, said

DAYS = [f"{each:%Y-%m-%d}" for each in pd.date_range("2023-01-01", periods=30)]


def one(cells, name="x", delimiter=",", **choices):
    """The column of these cells, behind a column of days, and what was said."""
    table = Table(("day", name), (DAYS[: len(cells)], list(cells)), np.arange(2, len(cells) + 2), True, delimiter)
    notes = Notes()
    return describe(table, notes, choices)[1], notes


@for_each(
    {
        "cells, kind": [
            ([str(i * i) for i in range(30)], "number"),
            (["1.5", "2.5", "x", "3", "4", "5", "6"], "number"),
            (["1.5", "2.5", "x", "y", "4", "5", "6"], "other"),  # fewer than four in five
            (["yes", "no", "no"] * 5, "number"),
            (["cold", "warm", "hot"] * 5, "label"),
            (["M", "F"] * 8, "label"),
            (["+", "-"] * 8, "label"),
            (["one word", "and so on", "a third line", "the last of all"], "text"),
            ([f"{i}:{i}" for i in range(12)], "other"),
            (["same"] * 9, "constant"),
            (["7"] * 9, "constant"),
            (DAYS, "time"),
            ([datetime.datetime(2020, 1, day) for day in range(1, 9)], "time"),
            ([f"item {i}" for i in range(30)], "text"),
        ]
    }
)
def test_types(cells, kind):
    column, _ = one(cells)
    assert column.type == kind and kind in COLUMN_TYPES
    assert (column.times is not None) == (kind == "time")
    assert (column.values is not None) == (kind == "number" or cells[0] == "7")
    assert column.distinct == len(set(cells)) or kind == "number"


def test_a_column_that_counts_the_rows():
    columns, _ = columns_of("no,x,step\n" + "".join(f"{i},{i * i},{i}\n" for i in range(1, 20)))
    assert {name: column.type for name, column in columns.items()} == {"no": "counter", "x": "number", "step": "number"}
    assert columns["no"].values.tolist() == list(range(1, 20))


def test_what_is_not_of_the_type_is_counted_by_row():
    column, _ = one(["1", "2", "?", "x", "5", "6", None, "8", "9", "y", "3", "3", "3"])
    assert column.type == "number" and column.unreadable == (3, 9) and column.distinct == 7
    assert np.isnan(column.values).nonzero()[0].tolist() == [2, 3, 6, 9]
    times, _ = one([*DAYS[:20], "soon", None])
    assert times.type == "time" and times.unreadable == (20,)


def test_infinite_values_stay_until_somebody_says_so():
    column, _ = one(["1", "inf", "-Infinity", "1e999", "5", "6"])
    assert column.type == "number" and np.isinf(column.values).sum() == 3 and column.distinct == 3


def test_formulas_are_no_numbers():
    column, _ = one(["1", "2", "=A1+A2", "4", "5", "6"])
    assert column.unreadable == (2,) and np.isnan(column.values[2])


def test_a_constant_day_of_minutes_keeps_its_times():
    column, _ = one(["16/12/2006"] * 5, "Date")
    assert column.type == "constant" and column.times[0] == np.datetime64("2006-12-16") and column.values is None


def test_decimal_commas():
    """One sign for a table whose delimiter is no comma, and one a column where it is."""
    text = "day;x;y\n" + "".join(f"{day};{i},5;1.00{i % 10}\n" for i, day in enumerate(DAYS))
    columns, notes = columns_of(text)
    assert columns["x"].values[:3].tolist() == [0.5, 1.5, 2.5]
    assert columns["y"].values[:3].tolist() == [1000, 1001, 1002]
    assert "decimal commas (line 2: '0,5' in column 'x')" in said(notes)
    column, notes = one(["0,5", "1,25", "3"])
    assert column.values.tolist() == [0.5, 1.25, 3]
    assert (notes[0].line, notes[0].column) == (2, "x") and "has decimal commas (line 2: '0,5')" in said(notes)
    column, notes = one(["1,500", "2,250", "3,125"])
    assert column.values.tolist() == [1500, 2250, 3125] and "marks of thousands (line 2: '1,500')" in said(notes)
    column, notes = one(["1,500", "2,250", "3,125"], decimal=",")
    assert column.values.tolist() == [1.5, 2.25, 3.125]


def test_choices_of_time():
    text = "a,b\n" + "".join(f"{day},{day}\n" for day in DAYS)
    assert {c.type for c in columns_of(text)[0].values()} == {"time"}
    assert {n: c.type for n, c in columns_of(text, time="b")[0].items()} == {"a": "other", "b": "time"}
    assert {c.type for c in columns_of(text, time="a+b")[0].values()} == {"time"}


def test_two_orders_of_dates():
    days = ["13/01/2024", "14/01/2024", "15/01/2024"] * 3 + ["01/16/2024", "01/17/2024", "01/18/2024"] * 3
    text = "day,x\n" + "".join(f"{day},{i}\n" for i, day in enumerate(days))
    with pytest.raises(DataError, match=r"line 2 says '13/01/2024', line 11 says '01/16/2024'") as caught:
        columns_of(text)
    assert (caught.value.line, caught.value.column) == (11, "day")


def test_long_tables_are_read_as_short_ones():
    """30,000 rows that differ against an independent calculation."""
    rng = np.random.default_rng(0)
    times = pd.date_range("2020-01-01", periods=30_000, freq="min")
    frame = pd.DataFrame({"time": times.strftime("%d/%m/%Y %H:%M"), "x": rng.normal(size=30_000).round(4)})
    frame["y"] = np.where(rng.random(30_000) < 0.1, np.nan, rng.integers(0, 1_000_000, 30_000))
    columns, _ = columns_of(frame.to_csv(index=False))
    assert [column.type for column in columns.values()] == ["time", "number", "number"]
    assert np.array_equal(columns["time"].times, times.to_numpy().astype("datetime64[s]"))
    np.testing.assert_array_equal(columns["x"].values, frame.x)
    np.testing.assert_array_equal(columns["y"].values, frame.y)
    assert columns["x"].distinct == frame.x.nunique() and not columns["y"].unreadable


def test_names():
    assert rank("Sales", TARGET_NAMES) == TARGET_NAMES.index("sales")
    assert rank("airline_sentiment", LABEL_NAMES) == 100 + LABEL_NAMES.index("sentiment")
    assert rank("pm2.5", TARGET_NAMES) < rank("my value", TARGET_NAMES) < rank("foo", TARGET_NAMES) == UNKNOWN_NAME


# ---- whatever comes

WORDS = ("NA", "", "?", "x", "a b", '"', '"q"', "é", "²", "\N{MINUS SIGN}", "=A1")
NUMBERS = ("1", "2,5", "-3.5", "inf", "1e999", "1958.25", "1577836800")
MOMENTS = ("2024-01-05", "13/01/2024", "01/13/2024", "2024Q5", "1-13", "Jan-49", "24:61", "2024-01-05T25:00Z")
CELLS = st.sampled_from((*WORDS, *NUMBERS, *MOMENTS))
TABLES = st.builds(
    lambda rows, delimiter, end, codec: end.join(map(delimiter.join, rows)).encode(codec, "replace"),
    st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=30),
    st.sampled_from([",", ";", "\t", "|", " "]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-16", "cp1252", "koi8_r"]),
)


@given(st.one_of(TABLES, st.binary(max_size=300)))
@settings(max_examples=20, deadline=None)
def test_no_file_raises_anything_but_a_sentence(data):
    try:
        columns = read_all(data, Notes(), {})
    except DataError as error:
        assert error.sentence.endswith((".", "?"))
        return
    assert all(column.type in COLUMN_TYPES for column in columns)
