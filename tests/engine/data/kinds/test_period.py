"""The period of a series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.data.kinds.period import autocorrelation, find_period
from engine.tasks.series import yearly_sunspots
from tests.engine.data.series_tables import airline, waves


@pytest.mark.parametrize(
    ("period", "step", "rows"),
    [(12, "month", 60), (7, "day", 60), (24, "hour", 100), (4, "quarter", 30), (9, "row", 80)],
)
def test_a_wave_has_its_period(period, step, rows):
    assert find_period(waves(rows, period).y.to_numpy(), step) == period


def test_the_periods_of_real_series():
    assert find_period(airline().iloc[:115, 1].to_numpy(), "month") == 12
    assert find_period(yearly_sunspots()[:247].astype(np.float64), "year") == 11


@pytest.mark.parametrize("seed", range(5))
def test_noise_and_straight_lines_have_none(seed):
    rng = np.random.default_rng(seed)
    assert find_period(rng.normal(size=150), "month") is None
    assert find_period(np.arange(100.0), "month") is None
    assert find_period(np.full(100, 3.0), "day") is None


def test_missing_values_do_not_move_the_places():
    y = waves(120).y.to_numpy(copy=True)
    y[[0, 1, 30, 31, 32, 70]] = np.nan
    assert find_period(y, "month") == 12
    assert find_period(y[:11], "month") is None


def test_the_autocorrelation_is_that_of_plain_sums():
    x = np.random.default_rng(0).normal(size=50) + 3
    centred = pd.Series(x - x.mean())
    expected = [(centred * centred.shift(lag)).mean() / (centred**2).mean() for lag in range(50)]
    assert autocorrelation(x) == pytest.approx(np.array(expected))
