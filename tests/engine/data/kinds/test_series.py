"""A table becomes series: what is found, what is said, and that nothing is learned from what is held out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.kinds.series_plan import related
from engine.data.problems import DataError
from engine.data.tasks.series_rows import rows_of
from tests.engine.data.series_tables import airline, read, says, waves


def test_the_classic_monthly_series_is_understood():
    frame = airline()
    summary, content, said = read(frame)
    y = frame["Passengers in thousands"]
    assert said == []
    assert {key: summary[key] for key in summary if key != "baselines"} == {
        "rows": 144, "sequences": 1, "train": 120, "test": 24, "time": "Month", "target": "Passengers in thousands",
        "inputs": ["Passengers in thousands"], "ids": None, "series": 1, "step": "month", "period": 12, "window": 24,
        "horizon": 1, "transform": "log differences", "missing": {"Passengers in thousands": 0},
    }  # fmt: skip
    (one,) = content.series
    assert np.array_equal(one.values[:, 0], y) and one.cut == 120 and one.lines.tolist() == list(range(2, 146))
    assert one.times.dtype == "datetime64[s]" and not content.gaps


def test_its_baselines_are_those_of_a_calculation_in_pandas():
    y = airline().iloc[:, 1]
    change, place = np.log(y).diff()[:120], np.arange(120) % 12
    usual = change.groupby(place).mean().to_numpy()
    grown = y.shift(12) * y.rolling(12).sum().shift(1) / y.rolling(12).sum().shift(13)
    said = {
        "the value before": y.shift(1),
        "the mean of the trained part": pd.Series(y[:120].mean(), y.index),
        "the value 12 steps before": y.shift(12),
        "12 before, grown as the last period": grown,
        "the value before, changed as usual": y.shift(1) * np.exp(usual[np.arange(144) % 12]),
    }
    expected = {name: (forecast - y)[120:].abs().mean() for name, forecast in said.items()}
    found = read(airline())[0]["baselines"]
    assert list(found) == list(expected) and found == pytest.approx(expected, rel=1e-9)
    assert [round(each, 1) for each in found.values()] == [44.2, 206.3, 47.6, 18.0, 16.6]


def stores(rows: int = 40) -> pd.DataFrame:
    parts = [waves(rows, seed=k).assign(store=name) for k, name in enumerate(("north", "south", "east"))]
    return pd.concat(parts).sort_values("date", kind="stable").reset_index(drop=True)


def test_several_series_are_told_apart_by_a_column():
    frame = stores()
    summary, content, said = read(frame)
    assert (summary["ids"], summary["series"], summary["rows"], said) == (["store"], 3, 120, [])
    for one in content.series:
        assert np.array_equal(one.values[:, 0], frame[frame.store == one.name].y) and one.cut == 32
    assert (summary["train"], summary["test"]) == (96, 24)


def test_two_columns_may_tell_series_apart_together():
    frame = pd.concat([stores().assign(item=item, y=stores().y + k) for k, item in enumerate(("tea", "milk"))])
    summary, content, _ = read(frame.reset_index(drop=True))
    assert set(summary["ids"]) == {"store", "item"} and len(content.series) == 6
    assert {frozenset(one.name.split("/")) for one in content.series} >= {frozenset(("north", "tea"))}


def test_a_chosen_id_is_obeyed_and_none_is_one_series():
    frame = stores()
    assert read(frame, ids="store")[0]["ids"] == read(frame, ids=["store"])[0]["ids"] == ["store"]
    summary, content, said = read(frame, ids=[])
    assert summary["ids"] is None and len(content.series) == 1 and says(said, "twice")
    assert content.series[0].values[:, 0] == pytest.approx(frame.groupby("date").y.mean().to_numpy())
    with pytest.raises(DataError, match="no column 'shop'"):
        read(frame, ids="shop")


def test_a_few_repeated_times_are_no_second_series():
    """A clock put back by an hour: the words beside are no name of a series."""
    frame = waves(100, freq="h").assign(wind=["N", "S"] * 50)
    frame.loc[50:, "date"] -= pd.Timedelta(hours=1)
    summary, _, said = read(frame)
    assert summary["ids"] is None and says(said, "twice") and says(said, "'wind'", "left out")


def test_a_table_with_a_column_a_year_is_turned_round():
    years = np.arange(1980, 2010)
    rows = {name: waves(30, seed=k).y.to_numpy() for k, name in enumerate(("Chad", "Peru"))}
    frame = pd.DataFrame([[name, *values] for name, values in rows.items()], columns=["country", *map(str, years)])
    summary, content, said = read(frame)
    assert (summary["time"], summary["target"], summary["inputs"]) == ("year", "Chad", ["Chad", "Peru"])
    assert np.array_equal(content.series[0].values, np.stack(list(rows.values()), 1))
    assert content.series[0].times.astype("datetime64[Y]").astype(int).tolist() == (years - 1970).tolist()
    assert (
        summary["step"] == "year" and says(said, "turned round") and read(frame, target="Peru")[0]["target"] == "Peru"
    )


def test_a_table_with_a_column_a_month_is_put_one_after_the_other():
    long = airline()
    wide = pd.DataFrame(long.iloc[:, 1].to_numpy().reshape(12, 12), columns=pd.date_range("2000", periods=12, freq="MS")
                        .strftime("%b"))  # fmt: skip
    wide.insert(0, "Year", pd.date_range("1949-01-01", periods=12, freq="YS"))
    wide["Total"] = wide.iloc[:, 1:].sum(axis=1)
    summary, content, said = read(wide.iloc[::-1].reset_index(drop=True))
    (one,), (other,) = content.series, read(long)[1].series
    assert np.array_equal(one.values, other.values) and np.array_equal(one.times, other.times)
    assert says(said, "Jan to Dec") and says(said, "'Total'") and summary["period"] == 12
    assert one.lines[:13].tolist() == [13] * 12 + [12]


def test_codes_and_infinite_values_are_missing():
    frame = waves(80)
    frame.loc[[10, 70], "y"] = -9999.0
    frame.loc[40, "y"] = np.inf
    summary, content, said = read(frame)
    assert says(said, "-9999 lies far outside", "line 12", "2 such cells") and says(said, "infinite", "line 42")
    assert np.flatnonzero(np.isnan(content.series[0].values[:, 0])).tolist() == [10, 40, 70]
    assert says(said, "The target 'y' lacks 3 values", "first in line 12") and summary["missing"] == {"y": 3}


def test_a_value_that_only_looks_like_a_code_stays():
    frame = waves(80).assign(y=lambda each: each.y * 1000 - 9999 - each.y[10] * 1000)
    assert read(frame)[1].series[0].values[10, 0] == -9999


def test_target_and_inputs_by_name_or_choice():
    frame = waves(60).assign(wind=np.arange(60.0) ** 2, town=["a", "b"] * 30, altitude=3.0)
    summary, content, said = read(frame[["date", "wind", "y", "town", "altitude"]])
    assert summary["target"] == "y" and summary["inputs"] == ["y", "wind"] and content.channels == ("y", "wind")
    assert says(said, "'town'", "words ('a')") and says(said, "'altitude'", "same value")
    assert read(frame, target="wind")[0]["inputs"] == ["wind", "y"]
    assert read(frame, inputs=[])[0]["inputs"] == ["y"]
    for choice in ({"target": "snow"}, {"inputs": ["snow"]}):
        with pytest.raises(DataError, match="no column of numbers named 'snow'; there are 'y', 'wind'"):
            read(frame, **choice)


def test_more_columns_than_a_network_reads_are_said():
    wide = waves(40).join(
        pd.DataFrame(np.random.default_rng(0).normal(size=(40, 50)), columns=[f"c{k}" for k in range(50)])
    )
    summary, _, said = read(wide)
    assert len(summary["inputs"]) == 32 and says(said, "51 columns of numbers")


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (waves(11), "11 rows; at least 12"),
        (waves(40).assign(y=3.0), "never change"),
        (waves(40).assign(y=np.r_[np.full(36, 3.0), 1, 2, 3, 4]), "never changes in the part that is trained on"),
        (waves(40).assign(y=["a", "b"] * 20), "No column of numbers"),
        (waves(40).assign(y=np.r_[np.nan, np.full(39, np.inf)]), "no number at all"),
        (waves(40).assign(y=np.r_[np.arange(30.0), np.full(10, np.nan)]), "too few values"),
        (waves(40).assign(date=pd.NaT), "No row is left"),
    ],
)
def test_what_is_no_series_is_refused_in_a_sentence(frame, words):
    with pytest.raises(DataError) as refused:
        read(frame)
    assert words in refused.value.sentence


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"window": 1}, "window must be a whole number from 2 to"),
        ({"window": 60}, "window must be a whole number from 2 to 4"),
        ({"horizon": 0}, "horizon must be a whole number from 1 to 12"),
        ({"horizon": True}, "horizon must be"),
        ({"period": 1}, "period must be at least 2"),
        ({"period": 2.5}, "period must be a whole number"),
        ({"test_share": 0.9}, "test_share"),
        ({"transform": "square"}, "transform must be none, log, differences or log differences"),
    ],
)
def test_a_choice_that_does_not_fit_is_refused_in_a_sentence(choices, words):
    with pytest.raises(DataError) as refused:
        read(waves(60), **choices)
    assert words in refused.value.sentence


def test_a_logarithm_needs_values_above_zero():
    with pytest.raises(DataError, match="the lowest value of the target is -1"):
        read(waves(60).assign(y=np.arange(60.0) - 1), transform="log")


def test_choices_are_obeyed():
    summary, content, _ = read(airline(), window=10, horizon=3, period=0, transform="none", test_share=0.3)
    assert (summary["window"], summary["horizon"], summary["period"], summary["transform"]) == (10, 3, None, "none")
    assert content.series[0].cut == 144 - 43 and summary["test"] == 43
    assert (content.window, content.horizon, content.period, content.transform) == (10, 3, None, "none")


def test_the_held_out_part_is_whole_periods_and_never_more_than_asked_for():
    for rows in range(60, 200, 7):
        summary = read(waves(rows, freq="MS"))[0]
        assert summary["period"] == 12 and summary["test"] == max(1, round(rows * 0.2) // 12) * 12
    assert read(waves(45, freq="MS"))[0]["test"] == 9  # less than a period


@pytest.mark.parametrize("rows", [24, 41, 60, 144])
def test_nothing_follows_from_what_is_held_out(rows):
    frame = airline()[:rows] if rows == 144 else waves(rows, freq="MS")
    summary, content, _ = read(frame)
    rng, cut = np.random.default_rng(0), content.series[0].cut
    other = frame.copy()
    other.iloc[cut:, 1] = np.where(rng.random(rows - cut) < 0.3, np.nan, 1e4 * rng.random(rows - cut))
    other.iloc[-1, 1] = 9999.0
    changed, other_content, _ = read(other)
    for key in ("period", "window", "transform", "train", "test", "horizon"):
        assert changed[key] == summary[key]
    assert np.array_equal(other_content.series[0].values[:cut], content.series[0].values[:cut])


def test_a_random_walk_is_said_to_be_one():
    rng = np.random.default_rng(3)
    walk = waves(200).assign(y=100 + rng.normal(size=200).cumsum())
    assert says(read(walk)[2], "changes of 'y'", "not related", "expect no network to beat 'the value before'")
    assert not says(read(waves(200))[2], "not related")


def test_rows_in_no_order_are_asked_about():
    shuffled = pd.DataFrame({"y": np.random.default_rng(3).normal(size=200)})
    assert says(read(shuffled)[2], "no time column", "no more alike than any two", "are they in order of time?")
    assert not says(read(waves(200).drop(columns="date"))[2], "in order of time")


def test_related_counts_autocorrelations_as_pandas_does():
    rng = np.random.default_rng(0)
    for share in (0.0, 0.1, 0.2, 0.3, 0.5):
        x = pd.Series(rng.normal(size=120))
        for row in range(1, 120):
            x[row] += share * x[row - 1]
        centred = x - x.mean()
        acf = [(centred * centred.shift(lag)).sum() / (centred**2).sum() for lag in range(1, 25)]
        assert related(x.to_numpy()) == (max(map(abs, acf)) > 3.2 / np.sqrt(120))


def test_a_series_too_short_for_a_window_is_said():
    frame = pd.concat([stores(60), waves(5).assign(store="west")]).reset_index(drop=True)
    summary, _, said = read(frame, ids="store")
    assert summary["series"] == 4 and says(said, "1 of 4 series ('west')", "nothing is learned")


def test_a_value_far_outside_the_trained_part_is_read_as_the_largest_number():
    frame = waves(60)
    frame["x"] = np.where(np.arange(60) == 5, 1e-140, 0.0)
    frame.loc[55, "x"] = 1.0
    _, content, _ = read(frame, target="y")
    x = rows_of(content).inputs[:, 1]
    assert x[55] == np.finfo(np.float32).max and np.isfinite(x).all()


numbers = st.one_of(st.floats(width=64), st.sampled_from([np.nan, -9999.0, 0.0, 1e31, np.inf]))


@settings(max_examples=20, deadline=None)
@given(
    y=st.lists(numbers, min_size=1, max_size=40),
    x=st.lists(numbers, min_size=40, max_size=40),
    days=st.lists(st.integers(0, 60), min_size=40, max_size=40),
    ids=st.lists(st.sampled_from("ab"), min_size=40, max_size=40),
)
def test_any_table_is_read_or_refused(y, x, days, ids):
    rows = len(y)
    dates = pd.Timestamp("2020-01-31") + pd.to_timedelta(days[:rows], unit="D")
    frame = pd.DataFrame({"date": dates, "y": np.array(y, float), "x": np.array(x[:rows], float), "id": ids[:rows]})
    try:
        summary, content, _ = read(frame)
    except DataError as error:
        assert error.sentence.endswith(".")
    else:
        assert content.window >= 2 and all(np.isfinite(list(summary["baselines"].values())))


def test_what_a_chosen_period_changes_besides_itself_is_said():
    rng, t = np.random.default_rng(0), np.arange(200)
    frame = pd.DataFrame({"date": pd.date_range("2020-01-01", periods=200), "y": rng.normal(size=200) + t % 3 - 1})
    without, with_it = read(frame, period=0), read(frame, period=7)
    assert not says(without[2], "you chose")
    before, now = without[0], with_it[0]
    assert (before["window"], before["test"], now["window"], now["test"]) == (24, 40, 14, 35)
    assert says(
        with_it[2],
        "The period of 7 steps that you chose changes more: the window is 14 steps, not 24; held out are the last 35 "
        "rows, not 40.",
    )
    assert says(read(frame, period=7, window=20)[2], "changes more: held out are the last 35 rows, not 40.")
