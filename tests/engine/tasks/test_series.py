"""Stock prices and sunspots: they are those of the packages named, and the bar is what it says."""

from __future__ import annotations

import csv
import gzip
import math
from functools import cache
from pathlib import Path

import numpy as np
import plotly
import pytest

from engine.experiment import Experiment
from engine.tasks import TASKS, probe, sample
from engine.tasks.series import SUNSPOTS_FILE, weekly_log_prices, yearly_sunspots


@cache
def prices() -> dict[str, list[float]]:
    """The file inside the installed plotly package, read without pandas: {company: 105 prices}."""
    path = Path(plotly.__file__).parent / "package_data" / "datasets" / "stocks.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0] if name != "date"}


def changes(company: str, start: int, weeks: int) -> list[float]:
    """A window: tenths of log-price since its first week."""
    price = prices()[company][start : start + weeks]
    return [10 * math.log(each / price[0]) for each in price]


def test_prices_are_those_of_the_plotly_package():
    assert list(prices()) == ["GOOG", "AAPL", "AMZN", "FB", "NFLX", "MSFT"]
    expected = [[math.log(price) for price in column] for column in prices().values()]
    table = weekly_log_prices()
    assert table.shape == (6, 105) and table.dtype == np.float32
    assert table == pytest.approx(np.array(expected), rel=1e-5, abs=1e-6)
    assert not table[:, 0].any()


@pytest.mark.parametrize("seq_len", [2, 12, 24])
@pytest.mark.parametrize(("split", "first", "end"), [("train", 0, 80), ("test", 80, 105)], ids=["train", "test"])
def test_windows_stay_in_their_weeks_and_reach_all_of_them(seq_len, split, first, end):
    batch = sample(Experiment(task="stocks", rnn_type="many_to_many", seq_len=seq_len), 5000, 1, split)
    dealt = np.concatenate([batch.inputs[:1], batch.targets])[:, :, 0].T
    assert not dealt[:, 0].any() and np.array_equal(batch.inputs[1:], batch.targets[:-1])
    starts = range(105 - seq_len)
    places = [(company, start) for company in prices() for start in starts]
    known = np.array([changes(company, start, seq_len + 1) for company, start in places])
    wanted = {place for place in places if first <= place[1] and place[1] + seq_len + 1 <= end}
    windows = np.unique(dealt, axis=0)
    distance = np.abs(windows[:, None] - known).max(-1)
    weeks = {places[index] for index in distance.argmin(1)}
    assert distance.min(1).max() < 1e-4
    assert np.sort(distance, axis=1)[:, 1].min() > 1e-4  # no window could be taken for another
    assert weeks == wanted


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("seq_len", [2, 12, 24])
@pytest.mark.parametrize("rnn_type", TASKS["stocks"].rnn_types)
def test_the_bar_is_the_error_of_like_this_week_on_the_probe(rnn_type, seq_len, seed):
    """Which windows the probe holds is found in the file; what 'like this week' costs on them is reckoned there."""
    e = Experiment(task="stocks", rnn_type=rnn_type, seq_len=seq_len, seed=seed)
    places = [(company, start) for company in prices() for start in range(80, 105 - seq_len)]
    known = np.array([changes(company, start, seq_len + 1)[1:] for company, start in places])
    errors = []
    for window in probe(e).targets[:, :, 0].T:
        company, start = places[np.abs(known - window).max(-1).argmin()]
        price = prices()[company]
        asked = range(start, start + seq_len) if rnn_type == "many_to_many" else [start + seq_len - 1]
        errors += [(10 * math.log(price[week + 1] / price[week])) ** 2 for week in asked]
    assert len(errors) == (16 * seq_len if rnn_type == "many_to_many" else 16)
    assert list(TASKS["stocks"].baselines(e).values()) == pytest.approx([sum(errors) / len(errors)], rel=1e-4)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("rnn_type", TASKS["stocks"].rnn_types)
def test_like_this_week_has_metric_1_and_half_its_errors_a_quarter(rnn_type, split):
    batch, metric = sample(Experiment(task="stocks", rnn_type=rnn_type), 32, 1, split), TASKS["stocks"].metric
    assert not metric.higher_is_better
    assert metric.measure(batch, batch.inputs) == 1
    assert metric.measure(batch, (batch.inputs + batch.targets) / 2) == pytest.approx(0.25, abs=1e-4)
    assert metric.measure(batch, 2 * batch.inputs - batch.targets) == pytest.approx(4, abs=1e-4)


# ---- sunspots


@cache
def sunspots() -> dict[int, float]:
    """The file, read without pandas: {year: sunspots}."""
    with SUNSPOTS_FILE.open(encoding="utf-8", newline="") as file:
        return {int(row["YEAR"]): float(row["SUNACTIVITY"]) for row in csv.DictReader(file)}


def first_year(window: np.ndarray) -> int:
    """Of a window dealt, found in the file: the place where it fits, and no other does."""
    spots = np.array(list(sunspots().values())) / 100
    views = np.lib.stride_tricks.sliding_window_view(spots, len(window))
    (place,) = np.flatnonzero(np.abs(views - window).max(1) < 1e-5)
    return 1700 + int(place)


def test_sunspots_are_those_of_the_file_in_hundreds():
    assert list(sunspots()) == list(range(1700, 2009))
    assert max(sunspots(), key=sunspots().get) == 1957 and sunspots()[1700] == 5 and sunspots()[2008] == 2.9
    assert yearly_sunspots() == pytest.approx(np.array(list(sunspots().values())) / 100, rel=1e-6)
    assert yearly_sunspots().dtype == np.float32


@pytest.mark.parametrize("seq_len", [12, 33, 99])
@pytest.mark.parametrize(("split", "first", "last"), [("train", 1700, 1908), ("test", 1909, 2008)])
def test_years_of_sunspots_are_trained_on_or_held_out_but_never_both(seq_len, split, first, last):
    batch = sample(Experiment(task="sunspots", rnn_type="many_to_many", seq_len=seq_len), 3000, 1, split)
    assert np.array_equal(batch.inputs[1:], batch.targets[:-1])
    windows = np.unique(np.concatenate([batch.inputs[:1], batch.targets])[:, :, 0].T, axis=0)
    assert {first_year(window) for window in windows} == set(range(first, last - seq_len + 1))


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("seq_len", [2, 11, 33])
@pytest.mark.parametrize("rnn_type", TASKS["sunspots"].rnn_types)
def test_the_bars_of_sunspots_are_reckoned_on_the_probes_years(rnn_type, seq_len, seed):
    e = Experiment(task="sunspots", rnn_type=rnn_type, seq_len=seq_len, seed=seed)
    batch, spots = probe(e), sunspots()
    last = [first_year(window) + seq_len for window in np.concatenate([batch.inputs[:1], batch.targets])[:, :, 0].T]
    asked = [year - back for year in last for back in (range(seq_len) if rnn_type == "many_to_many" else [0])]
    back = [1, 11] if rnn_type == "many_to_one" and seq_len >= 11 else [1]
    expected = [np.mean([((spots[year] - spots[year - years]) / 100) ** 2 for year in asked]) for years in back]
    assert list(TASKS["sunspots"].baselines(e).values()) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("slug", ["stocks", "sunspots"])
def test_a_measured_series_can_be_gone_on_with(slug):
    batch = sample(Experiment(task=slug, rnn_type="many_to_one"), 20, 1)
    assert TASKS[slug].continues and TASKS[slug].causal and np.array_equal(batch.inputs[1:], batch.targets[:-1])
