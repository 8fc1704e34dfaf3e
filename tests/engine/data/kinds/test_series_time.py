"""The time of a series: which columns it is read from, its order, and its steps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.data.problems import DataError
from tests.engine.data.series_tables import read, says, waves


def test_rows_are_put_in_order_of_time():
    frame = waves(60)
    wanted = read(frame)[1].series[0]
    _, content, said = read(frame.iloc[::-1].reset_index(drop=True))
    assert says(said, "newest first", "sorted", "'date'")
    assert np.array_equal(content.series[0].values, wanted.values) and content.series[0].lines[0] == 61
    shuffled = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    _, content, said = read(shuffled)
    assert says(said, "not in order of time") and np.array_equal(content.series[0].values, wanted.values)


def test_rows_of_one_moment_are_averaged():
    frame = waves(60)
    again = pd.DataFrame({"date": [frame.date[20]] * 2, "y": [100.0, np.nan]})
    frame = pd.concat([frame, again]).reset_index(drop=True)
    summary, content, said = read(frame)
    assert says(said, "Line 62", str(frame.date[20].date()), "twice", "2 such rows are averaged")
    assert summary["rows"] == 60
    assert content.series[0].values[:, 0] == pytest.approx(frame.groupby("date").y.mean().to_numpy())


def test_steps_that_lack_are_put_in_as_missing():
    frame = waves(100).drop([30, 31, 50]).reset_index(drop=True)
    summary, content, said = read(frame)
    (one,) = content.series
    wanted = frame.set_index("date").y.asfreq("D")
    assert says(said, "3 steps of one day lack", "2020-02-02")
    assert (summary["rows"], summary["step"], summary["missing"]) == (97, "day", {"y": 3})
    assert np.array_equal(one.values[:, 0], wanted, equal_nan=True)
    assert np.array_equal(one.times, wanted.index.to_numpy().astype("datetime64[s]"))
    assert np.flatnonzero(one.lines == 0).tolist() == [30, 31, 50]


@pytest.mark.parametrize(("freq", "step"), [("MS", "month"), ("ME", "month"), ("QE", "quarter"), ("YS", "year")])
def test_months_that_lack_are_put_in_by_the_calendar(freq, step):
    whole = waves(60, freq=freq)
    summary, content, _ = read(whole.drop([20]).reset_index(drop=True))
    assert summary["step"] == step
    assert np.array_equal(content.series[0].times, whole.date.to_numpy().astype("datetime64[s]"))
    assert np.flatnonzero(np.isnan(content.series[0].values[:, 0])).tolist() == [20]


@pytest.mark.parametrize(
    ("freq", "step"),
    [("h", "hour"), ("15min", "15 minutes"), ("min", "minute"), ("10s", "10 seconds"), ("W", "week"), ("D", "day"),
     ("B", "weekday"), ("2MS", "2 months")],
)  # fmt: skip
def test_the_step_has_its_usual_name(freq, step):
    assert read(waves(80, freq=freq))[0]["step"] == step


def test_missing_steps_of_several_minutes_are_said_without_one():
    frame = pd.DataFrame({"date": pd.date_range("2020-01-01", periods=60, freq="10min"), "y": np.arange(60.0) % 7})
    assert says(read(frame.drop([20, 21]))[2], "2 steps of 10 minutes lack")


def test_closed_days_are_not_put_in():
    frame = waves(80, freq="B").drop([30, 31]).reset_index(drop=True)
    summary, content, _ = read(frame)
    assert summary["step"] == "weekday" and len(content.series[0].values) == 78


def test_a_gap_that_is_too_long_is_left_and_said():
    frame = waves(40)
    frame.loc[20:, "date"] += pd.Timedelta(days=4000)
    _, content, said = read(frame)
    assert len(content.series[0].values) == 40 and says(said, "too long to be filled")


def test_uneven_steps_become_an_input():
    frame = waves(80)
    frame["date"] += pd.to_timedelta(np.random.default_rng(1).integers(0, 70_000, 80), unit="s")
    summary, content, said = read(frame)
    assert summary["step"] == content.step == "uneven" and content.gaps and says(said, "uneven")


def test_columns_of_year_month_day_and_hour_are_the_time():
    frame = waves(100, freq="h")
    parts = {part: getattr(frame.date.dt, part).astype(float) for part in ("year", "month", "day", "hour")}
    summary, content, said = read(pd.DataFrame({"No": np.arange(1.0, 101.0), **parts, "y": frame.y}))
    assert summary["time"] == "year+month+day+hour" and says(said, "together are the time") and says(said, "'No'")
    assert np.array_equal(content.series[0].times, frame.date.to_numpy().astype("datetime64[s]"))


def test_a_date_that_does_not_exist_is_no_time():
    frame = waves(60)
    parts = {part: getattr(frame.date.dt, part).astype(float) for part in ("year", "month", "day")}
    parts["day"][29], parts["day"][30] = 31, 32  # 31 February would be 2 March
    parts["month"][29] = 2
    summary, _, said = read(pd.DataFrame({**parts, "y": frame.y}))
    assert summary["rows"] == 58 and says(said, "Line 31", "no readable time", "2 such rows")


def test_year_and_quarter_are_the_time():
    frame = waves(60, freq="QS", period=4)
    parts = pd.DataFrame({"year": frame.date.dt.year.astype(float), "quarter": frame.date.dt.quarter.astype(float)})
    summary, content, _ = read(parts.assign(y=frame.y))
    assert (summary["time"], summary["step"], summary["period"]) == ("year+quarter", "quarter", 4)
    assert np.array_equal(content.series[0].times, frame.date.to_numpy().astype("datetime64[s]"))


@pytest.mark.parametrize("freq", ["min", "15min"])
def test_a_date_and_a_clock_are_the_time(freq):
    frame = waves(90, freq=freq)
    parted = pd.DataFrame({"Date": frame.date.dt.normalize(), "Time": frame.date.dt.strftime("%H:%M"), "y": frame.y})
    summary, content, said = read(parted)
    assert summary["time"] == "Date+Time" and says(said, "Date and Time together are the time")
    assert np.array_equal(content.series[0].times, frame.date.to_numpy().astype("datetime64[s]"))
    assert read(parted, time="Date+Time")[0]["time"] == "Date+Time"


def test_the_time_can_be_chosen():
    frame = waves(60).assign(seen=pd.date_range("2021-01-01", periods=60, freq="h"))
    assert read(frame)[0]["time"] == "date" and says(read(frame)[2], "'seen'", "times as well")
    assert read(frame, time="seen")[0] | {"baselines": 0} == read(frame)[0] | {
        "baselines": 0, "time": "seen", "step": "hour",
    }  # fmt: skip
    summary, content, _ = read(frame, time="")
    assert (summary["time"], summary["step"]) == (None, "row") and content.series[0].times is None
    with pytest.raises(DataError, match="cannot be read as times"):
        read(frame, time="y")
    with pytest.raises(DataError, match="no column 'when'"):
        read(frame, time="when")


def test_words_that_might_be_a_time_are_named():
    frame = waves(60).assign(day=[f"the {k}th" for k in range(60)]).drop(columns="date")
    summary, _, said = read(frame)
    assert summary["time"] is None and says(said, "'day'", "the 0th", "Expected for example 2024-03-31")
