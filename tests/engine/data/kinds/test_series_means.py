"""Means of a series by the unit of the calendar: the numbers of pandas, offered where they help."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.data.choices import MEANS
from engine.data.kinds.series_means import LENGTHS, NONE, begin_of
from engine.data.problems import DataError
from engine.data.tasks.forecast import later_times
from tests.cases import for_each
from tests.engine.data.series_tables import airline, read, waves
from tests.engine.data.series_tables import errors as values_of

FREQUENCIES = {"minute": "min", "hour": "h", "day": "D", "week": "W-MON", "month": "MS", "year": "YS"}


def every_ten_minutes(days: int = 20) -> pd.DataFrame:
    """A day is 144 rows."""
    return waves(144 * days, 144, freq="10min")


def in_pandas(frame: pd.DataFrame, unit: str) -> pd.DataFrame:
    """The means of each unit, NaN for a unit without a known value, all columns of numbers."""
    return frame.set_index("date").resample(FREQUENCIES[unit], label="left", closed="left").mean()


def assert_equal(content, wanted: pd.DataFrame) -> None:
    (one,) = content.series
    assert np.array_equal(one.times, wanted.index.to_numpy().astype("datetime64[s]"))
    assert one.values == pytest.approx(wanted.to_numpy(), rel=1e-12, nan_ok=True)


def test_there_is_a_length_for_every_unit():
    assert (NONE, *LENGTHS) == MEANS


def test_a_long_period_is_said_and_means_are_offered():
    summary, content, said = read(every_ten_minutes())
    assert (summary["step"], summary["period"], summary["window"]) == ("10 minutes", 144, 24)
    assert summary["means"] == "none" and summary["possible_means"] == ["hour", "day"]
    assert summary["row_step"] == "10 minutes"
    assert said == [
        "A day is 144 steps of 10 minutes, but the network reads only 24 steps at a time. With values as means of an "
        "hour, a day would be 24 steps."
    ]
    assert any("reads only 100 steps" in sentence for sentence in read(every_ten_minutes(), window=100)[2])
    assert not any("reads only" in sentence for sentence in read(every_ten_minutes(), window=144)[2])
    assert read(every_ten_minutes(), means="none")[2] == said
    assert len(content.series[0].values) == 2880


def test_all_that_follows_is_that_of_the_means():
    frame = every_ten_minutes()
    summary, content, said = read(frame, means="hour")
    wanted = in_pandas(frame, "hour")
    assert_equal(content, wanted)
    assert {key: summary[key] for key in ("rows", "train", "test", "step", "period", "window", "means")} == {
        "rows": 2880, "train": 384, "test": 96, "step": "hour", "period": 24, "window": 48, "means": "hour",
    }  # fmt: skip
    y = wanted["y"]
    assert summary["baselines"]["the value before"] == pytest.approx(y.diff()[384:].abs().mean(), rel=1e-9)
    assert summary["baselines"]["the value 24 steps before"] == pytest.approx(y.diff(24)[384:].abs().mean(), rel=1e-9)
    assert said == ["2,880 rows became 480 means of an hour; what is missing counts in none."]
    assert content.series[0].lines[:3].tolist() == [2, 8, 14], "the line of the first row of each"


@for_each({"means, rows, freq, wanted": [
    ("hour", 2880, "10min", "2020-01-21 00:00"), ("day", 800, "h", "2020-02-03"), ("month", 731, "D", "2022-01-01"),
]})  # fmt: skip
def test_a_forecast_goes_on_by_the_unit(means, rows, freq, wanted):
    _, content, _ = read(waves(rows, 7, freq=freq), means=means)
    (one,) = content.series
    ahead = later_times(one.times, content.step, 3)
    follow = pd.date_range(wanted, periods=3, freq=FREQUENCIES[means])
    assert np.array_equal(ahead, follow.to_numpy().astype("datetime64[s]"))
    assert content.step == means


def test_the_same_table_of_means_gives_the_same_answers():
    frame = every_ten_minutes()
    ours, theirs = read(frame, means="hour")[0], read(in_pandas(frame, "hour").reset_index())[0]
    assert values_of(ours["baselines"]) == pytest.approx(values_of(theirs["baselines"]), rel=1e-9)
    for what in ("train", "test", "step", "period", "window", "horizon", "transform"):
        assert ours[what] == theirs[what], what


@for_each({"unit, freq, rows": [
    ("minute", "s", 2000), ("hour", "min", 3000), ("day", "h", 1200), ("week", "D", 364), ("month", "D", 1461),
    ("year", "MS", 240),
]})  # fmt: skip
def test_every_unit_is_that_of_pandas(unit, freq, rows):
    frame = waves(rows, 7, freq=freq).iloc[1:]
    wanted = in_pandas(frame, unit)
    counts = frame.groupby(frame["date"].dt.to_period("Y")).size() if unit == "year" else None
    _, content, _ = read(frame.reset_index(drop=True), means=unit)
    times = wanted.index.to_numpy().astype("datetime64[s]")
    inside = np.isin(times, content.series[0].times)
    assert inside[1:-1].all() and (counts is None or inside.all())
    assert_equal(content, wanted[inside])


@for_each({"unit": list(LENGTHS)})
def test_a_unit_begins_as_in_pandas_before_1970_too(unit):
    times = pd.date_range("1968-11-25 07:35:11", "1972-03-03", periods=500).floor("s")
    period = {"minute": "min", "hour": "h", "day": "D", "week": "W-SUN", "month": "M", "year": "Y"}[unit]
    wanted = times.to_period(period).start_time.to_numpy().astype("datetime64[s]")
    assert np.array_equal(begin_of(times.to_numpy().astype("datetime64[s]"), unit), wanted)


def test_missing_values_count_in_no_mean_and_an_hour_without_any_is_missing():
    frame = every_ten_minutes().assign(x=np.arange(2880.0) % 17)
    frame.loc[[60, 61, 62], "y"], frame.loc[range(120, 126), "y"], frame.loc[[120, 300], "x"] = np.nan, np.nan, np.nan
    frame = frame.drop([*range(600, 618), 700]).reset_index(drop=True)  # three whole hours, and a row
    summary, content, said = read(frame, means="hour", target="y")
    wanted = in_pandas(frame, "hour")
    assert_equal(content, wanted)
    assert summary["missing"] == {"y": 4, "x": 3} == wanted.isna().sum().to_dict()
    assert any("3 steps of one hour lack" in sentence for sentence in said)
    assert any("The target 'y' lacks 4 values, first in line 122" in sentence for sentence in said)


def test_uneven_rows_become_even():
    rng = np.random.default_rng(0)
    moments = pd.Timestamp("2021-03-01") + pd.to_timedelta(np.cumsum(rng.integers(20, 1200, 3000)), unit="s")
    frame = pd.DataFrame({"date": moments, "y": np.sin(np.arange(3000) / 9) + 3})
    assert read(frame)[0]["step"] == "uneven"
    summary, content, said = read(frame, means="hour")
    wanted = in_pandas(frame, "hour")
    kept = wanted.loc[content.series[0].times[0] : content.series[0].times[-1]]
    assert len(wanted) - len(kept) <= 2
    assert_equal(content, kept)
    assert summary["step"] == "hour" and not content.gaps and not any("uneven" in sentence for sentence in said)


def test_several_series_are_averaged_each_by_itself():
    one, other = every_ten_minutes(10).assign(site="a"), every_ten_minutes(8).assign(site="b")
    other["date"] += pd.Timedelta(days=3, hours=5)
    frame = pd.concat([one, other]).sample(frac=1, random_state=0).reset_index(drop=True)
    summary, content, _ = read(frame, means="hour", target="y")
    assert summary["series"] == 2 and summary["ids"] == ["site"]
    for series in content.series:
        wanted = in_pandas(frame[frame["site"] == series.name].sort_values("date")[["date", "y"]], "hour")
        assert np.array_equal(series.times, wanted.index.to_numpy().astype("datetime64[s]"))
        assert series.values[:, 0] == pytest.approx(wanted["y"].to_numpy(), rel=1e-12)


def test_a_series_that_has_no_whole_unit_is_left_out():
    short = every_ten_minutes(10).iloc[140:148].assign(site="short")
    frame = pd.concat([every_ten_minutes(30).assign(site="long"), short]).reset_index(drop=True)
    _, content, said = read(frame, means="day", ids=["site"], target="y")
    assert [one.name for one in content.series] == ["long"]
    assert "1 of 2 series ('short') have no whole day and are left out." in said


def test_a_unit_of_which_the_file_holds_a_part_is_left_out_at_the_ends():
    frame = every_ten_minutes().iloc[14:-15].reset_index(drop=True)
    _, content, said = read(frame, means="day")
    assert_equal(content, in_pandas(frame, "day").iloc[:-1])
    assert "1 day at the beginning or the end has fewer rows than usual and has been left out." in said
    frame = frame.iloc[1:].reset_index(drop=True)
    _, content, said = read(frame, means="day")
    assert_equal(content, in_pandas(frame, "day").iloc[1:-1])
    assert "2 days at the beginning or the end have fewer rows than usual and have been left out." in said


def test_a_file_of_parts_alone_is_refused():
    frame = every_ten_minutes(2).iloc[100:200].reset_index(drop=True)
    with pytest.raises(DataError, match=r"The series has \d means? of a day"):
        read(frame, means="day")


@for_each({"frame, means, words": [
    (waves(60), "hour", "the rows are further apart"),
    (waves(60), "day", "Means of a day need several rows a day"),
    (waves(60).drop(columns="date"), "day", "no column holds times"),
    (every_ten_minutes(8), "day", "The series has 8 means of a day"),
]})  # fmt: skip
def test_means_that_are_not_there_are_refused(frame, means, words):
    with pytest.raises(DataError, match=words):
        read(frame, means=means)


def test_no_means_are_offered_where_there_are_none():
    for frame in (airline(), waves(60).drop(columns="date")):
        summary, _, said = read(frame)
        assert "means" not in summary and not any("With values as means of" in sentence for sentence in said)


@for_each({"rows, period, freq, words": [
    (1461 * 2, 365, "D", "A year is 365 steps of a day, but .* "
     "With values as means of a month, a year would be 12 steps."),
    (3000, 132, "MS", "A period is 132 steps of a month, but .* "
     "With values as means of a year, a period would be 11 steps."),
    (6000, 1440, "min", "A day is 1,440 steps of a minute, but .* "
     "With values as means of an hour, a day would be 24 steps."),
    (9000, 3600, "s", "An hour is 3,600 steps of a second, but .* "
     "With values as means of a minute, an hour would be 60 steps."),
]})  # fmt: skip
def test_the_finest_unit_that_makes_a_period_short_enough_is_offered(rows, period, freq, words):
    frame = waves(rows, period, freq=freq)
    frame["date"] = frame["date"].astype("datetime64[s]") if freq != "MS" else months(rows)
    _, _, said = read(frame, period=period)
    offers = [sentence for sentence in said if "With values as means of" in sentence]
    assert len(offers) == 1
    assert pd.Series(offers).str.fullmatch(words).all(), offers


def months(rows: int) -> pd.Series:
    return pd.Series((np.datetime64("1749-01", "M") + np.arange(rows)).astype("datetime64[s]"))
