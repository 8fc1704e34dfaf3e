"""Columns of times: one format for the whole column, strictly."""

from __future__ import annotations

import datetime
import re

import numpy as np
import pandas as pd
import pytest

from engine.data.columns.date_formats import COMPACT, FORMATS, clock, split_clock
from engine.data.columns.dates import dates
from engine.data.problems import DataError, Notes
from tests.cases import for_each
from tests.engine.data.raw_tables import said

SECONDS = "datetime64[s]"


def times_of(cells, name="date", **more):
    """The times of a column whose first row stands in line 2, and what was said."""
    notes = Notes()
    return dates(cells, name, np.arange(2, len(cells) + 2), notes, **more), notes


def moments(*texts: str) -> np.ndarray:
    return np.array(texts, dtype=SECONDS)


def same(found, expected) -> bool:
    return found is not None and found.dtype == SECONDS and np.array_equal(found, expected, equal_nan=True)


# ---- every format


@for_each({"pattern": FORMATS})
def test_every_format_is_read_as_it_was_written(pattern):
    start = pd.Timestamp("1999-11-20" if "%y" in pattern else "1951-11-20")
    written = pd.date_range(start, periods=30, freq="D" if "%d" in pattern else "MS")
    found, _ = times_of([each.strftime(pattern) for each in written], "when")
    assert same(found, written.to_numpy().astype(SECONDS))


@for_each(
    {
        "pattern": ["%Y-%m-%d", "%d/%m/%Y", "%b %d, %Y"],
        "clocked": ["T%H:%M:%S", " %H:%M", " %I:%M %p", " %H.%M", ", %H:%M", "T%H:%M:%SZ"],
    }
)
def test_every_clock_is_read_as_it_was_written(pattern, clocked):
    written = pd.date_range("1999-11-20 22:00", periods=30, freq="17min")
    found, _ = times_of([each.strftime(pattern + clocked) for each in written], "when")
    assert same(found, written.to_numpy().astype(SECONDS))


@for_each({"length, pattern": list(COMPACT.items())})
def test_digits_alone(length, pattern):
    written = pd.date_range("2019-11-20", periods=40, freq="MS" if length == 6 else "D")
    found, _ = times_of([each.strftime(pattern) for each in written], "when")
    assert same(found, written.to_numpy().astype(SECONDS))


@for_each(
    {
        "cells, expected": [
            (["1949", "1950", "1951"], ["1949-01-01", "1950-01-01", "1951-01-01"]),
            ([1949.0, 1950.0, 1951.0], ["1949-01-01", "1950-01-01", "1951-01-01"]),
            (["1949.0", "1949.0833333", "1949.1666667"], ["1949-01-01", "1949-02-01", "1949-03-01"]),
            (["1958.25", "1958.5", "1958.75"], ["1958-04-01", "1958-07-01", "1958-10-01"]),
            (["2020Q1", "2020-Q2", "Q3 2020"], ["2020-01-01", "2020-04-01", "2020-07-01"]),
            (["2020-W01", "2020W02"], ["2019-12-30", "2020-01-06"]),
            (["1577836800", "1577836860"], ["2020-01-01T00:00", "2020-01-01T00:01"]),
            (["1577836800000", "1577836860000"], ["2020-01-01T00:00", "2020-01-01T00:01"]),
            ([43831, 43832], ["2020-01-01", "2020-01-02"]),
            (["43831.25", "43831.5"], ["2020-01-01T06:00", "2020-01-01T12:00"]),
            (["1-01", "1-02", "2-12"], ["2001-01-01", "2001-02-01", "2002-12-01"]),
            (["01.02.2009", "02.02.2009"], ["2009-02-01", "2009-02-02"]),
            (["2020-01-01 24:00", "2020-01-02 01:00"], ["2020-01-02T00:00", "2020-01-02T01:00"]),
            (["2020-01-01", "2020-01-01 01:00"], ["2020-01-01T00:00", "2020-01-01T01:00"]),
        ]
    }
)
def test_other_ways_to_write_a_time(cells, expected):
    assert same(times_of(cells)[0], moments(*expected))


def test_parts_of_a_year():
    months = np.arange("1958-01", "1960-07", dtype="datetime64[M]").astype(SECONDS)
    for start in (0, 0.5):  # the beginning of a month, and its middle
        for digits in (2, 4, 7):
            cells = [f"{1958 + (i + start) / 12:.{digits}f}" for i in range(30)]
            assert same(times_of(cells, "year")[0], months)
            assert same(times_of(cells, "column 3")[0], months) or digits == 2  # no name: only if the steps are exact
    assert times_of([f"{1700 + i * i / 12:.3f}" for i in range(30)], "column 3")[0] is None


def test_other_moments_of_a_year():
    found, _ = times_of(["2000.0", "2000.01", "2000.02"], "year")
    hours = (found - np.datetime64("2000-01-01")) / np.timedelta64(1, "h")
    np.testing.assert_allclose(hours, [0, 87.66, 175.3], atol=0.5)


def test_datetimes_of_excel_and_parquet():
    cells = [
        datetime.datetime(2020, 1, 1, 5),
        datetime.date(2020, 1, 2),
        pd.Timestamp("2020-01-03", tz="Asia/Tokyo"),
        None,
    ]
    assert same(times_of(cells)[0], moments("2020-01-01T05:00", "2020-01-02", "2020-01-03", "NaT"))


@for_each(
    {
        "cells, name": [
            (["12.5", "13.5", "14.5"], "x"),
            (["1700.0", "1701.5", "1720.25"], "x"),
            (["1958.2", "1958.3"], "x"),
            (["43831", "43832"], "x"),
            (["1577836800", "1577836860"], "x"),
            (["5", "6", "7"], "date"),
            (["hello", "you"], "date"),
            (["12:30", "12:31"], "time"),
            ([None, "NA"], "date"),
            (["-9999", "3"], "date"),
            (["2020-13-45", "2020-99-99"], "date"),
            (["111111", "222222", "333333"], "date"),
        ]
    }
)
def test_what_is_no_time(cells, name):
    assert times_of(cells, name)[0] is None


def test_cells_that_are_no_times():
    cells = [f"2020-01-{day:02d}" for day in range(1, 29)]
    found, _ = times_of([*cells, "soon", "NA", None])
    assert np.isnat(found[28:]).all() and not np.isnat(found[:28]).any()
    assert times_of([*cells[:5], "soon"])[0] is None  # fewer than nine in ten


# ---- day or month first


def written(pattern: str, start: str = "2024-01-05", rows: int = 40, step: str = "D") -> list[str]:
    return [each.strftime(pattern) for each in pd.date_range(start, periods=rows, freq=step)]


@for_each({"pattern": ["%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d/%m/%y", "%m/%d/%y"]})
def test_the_order_that_fits_every_cell(pattern):
    found, notes = times_of(written(pattern))
    assert same(found, pd.date_range("2024-01-05", periods=40).to_numpy().astype(SECONDS))
    assert not notes


def test_both_orders_fit_and_one_gives_even_steps():
    for pattern, first in (("%d/%m/%Y", "the day"), ("%m/%d/%Y", "the month")):
        found, notes = times_of(written(pattern, "2022-01-01", 24, "MS"))
        assert same(found, pd.date_range("2022-01-01", periods=24, freq="MS").to_numpy().astype(SECONDS))
        assert f"can be read in two ways; {first} is taken to stand first" in said(notes) and notes[0].line == 2


def test_nothing_decides():
    cells = ["01/02/2024", "03/04/2024"]
    found, notes = times_of(cells)
    assert same(found, moments("2024-01-02", "2024-03-04"))
    assert "choose the order if this is wrong" in said(notes)
    found, notes = times_of(cells, dayfirst=True)
    assert same(found, moments("2024-02-01", "2024-04-03")) and not notes


def test_two_orders_in_one_column_name_both_lines():
    cells = [*written("%d/%m/%Y", "2024-01-13", 10), *written("%m/%d/%Y", "2024-01-23", 10)]
    with pytest.raises(DataError) as caught:
        times_of(cells, "Day")
    sentence = caught.value.sentence
    assert (caught.value.line, caught.value.column) == (12, "Day")
    assert "line 2 says '13/01/2024', line 12 says '01/23/2024'" in sentence and "year-month-day" in sentence


# ---- clocks, zones, centuries


@for_each(
    {
        "text, seconds, offset": [
            ("", 0, None),
            ("13:05", 47100, None),
            ("13:05:30.25", 47130.25, None),
            ("1:05 pm", 47100, None),
            ("12:05 AM", 300, None),
            ("13.05", 47100, None),
            ("13:05Z", 47100, 0),
            ("13:05 -0800", 47100, -28800),
            ("13:05:00+05:30", 47100, 19800),
            ("25:00", None, None),
            ("13:60", None, None),
            ("13:05 pm", None, None),
            ("13:05 o'clock", None, None),
        ]
    }
)
def test_clocks(text, seconds, offset):
    expected = (np.nan if seconds is None else seconds, np.nan if offset is None else offset)
    np.testing.assert_array_equal(clock(text), expected)


def test_a_moment_is_a_day_and_a_clock():
    assert split_clock("Jan 5, 2020 13:05") == ("Jan 5, 2020", "13:05")
    assert split_clock("2020-01-05T13:05Z") == ("2020-01-05", "13:05Z")
    assert split_clock("05.01.2020") == ("05.01.2020", "")


def test_zones():
    """One zone or one clock: as written. Several of both: UTC, and that is said."""
    found, notes = times_of(["2024-06-01T00:00:00-08:00", "2024-06-01T01:00:00-08:00"])
    assert same(found, moments("2024-06-01T00:00", "2024-06-01T01:00")) and not notes
    found, notes = times_of(["2024-03-30T00:00:00+01:00", "2024-04-01T00:00:00+02:00"])
    assert same(found, moments("2024-03-30", "2024-04-01")) and not notes
    hours = pd.date_range("2024-10-27", periods=6, freq="h", tz="Europe/Berlin")
    found, notes = times_of([each.isoformat() for each in hours])
    assert same(found, hours.tz_convert("UTC").tz_localize(None).to_numpy().astype(SECONDS))
    assert "several offsets from UTC" in said(notes)


def test_several_times_in_a_second_are_too_fine():
    for cells in (
        [f"2024-01-01 00:00:00.{i:03d}" for i in range(0, 1000, 20)],
        [str(1577836800000 + i) for i in range(0, 1000, 20)],
    ):
        found, notes = times_of(cells)
        assert found is None and "several times in one second" in said(notes) and notes[0].column == "date"


def test_years_of_two_digits_lie_in_the_past():
    found, notes = times_of(["Jan-49", "Feb-49", "Dec-60"], "Month")
    assert same(found, moments("1949-01-01", "1949-02-01", "1960-12-01"))
    assert re.search("'Jan-49' has a year of two digits and is read as 1949", said(notes))


def test_what_is_guessed_is_said_with_its_line():
    for cells, words in (
        (["NA", "1-01", "1-02"], "'1-01' is read as year 1, month 1"),
        ([None, 43831, 43832], "Excel's day numbers ('43831')"),
        (["?", "03/04/2024", "06/05/2024"], "'03/04/2024' can be read in two ways"),
    ):
        _, notes = times_of(cells)
        assert words in said(notes) and (notes[0].line, notes[0].column) == (3, "date")
    found, notes = times_of(["03/04/2024", "03/05/2024", "later", "03/06/2024", "04/04/2024"])
    assert found is None and not notes  # no column of times, so nothing was guessed
