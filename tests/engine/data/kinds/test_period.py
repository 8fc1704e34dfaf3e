"""The period of a series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.data.kinds.period import autocorrelation, find_period
from engine.data.kinds.series_plan import plan_of
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


@pytest.mark.parametrize(("step", "week", "cycle"), [("day", 7, 365), ("hour", 24, 24 * 60), ("month", 12, 110)])
def test_a_usual_period_beside_a_slow_swing_is_found_in_the_changes(step, week, cycle):
    """As a meter that is read daily: more at each weekend, far more in winter."""
    t, rng = np.arange(8 * week if step != "day" else 585), np.random.default_rng(4)
    y = 18 + 12 * np.cos(2 * np.pi * t / cycle) + 2.5 * (t % week >= week * 5 // 7) + 0.8 * rng.normal(size=len(t))
    assert find_period(y, step) == week


def test_a_usual_period_too_weak_to_stand_out_counts_if_its_simple_answers_are_clearly_better():
    """A walk that is a little higher on one day of the week."""
    y = 50 + np.cumsum(np.random.default_rng(4).normal(size=400)) + (np.arange(400) % 7 == 0)
    assert find_period(y[:320], "day") is None
    assert plan_of(y, y, "day", {}).period == 7


@pytest.mark.parametrize("step", ["day", "month", "hour", "quarter", "weekday"])
def test_walks_have_a_usual_period_no_more_often_than_chance_allows(step):
    walks = (50 + np.cumsum(np.random.default_rng(seed).normal(size=150)) for seed in range(40))
    assert sum(plan_of(walk, walk, step, {}).period is not None for walk in walks) <= 2
