"""What the page promises of somebody's own data, trained with the defaults alone."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from engine.data import read
from engine.data.defaults import defaults
from engine.training import Trainer
from engine.workers import FORECAST
from engine.workers.requests import handle

AIRLINE = Path(__file__).resolve().parents[3] / "presets" / "data" / "airline.csv"


@pytest.mark.full
def test_the_next_month_of_the_classic_series_is_said_better_than_by_any_simple_rule():
    """Mean absolute error, in thousands of passengers, one month ahead on the last 24 months; median of five seeds."""
    usual, errors = defaults(read(AIRLINE)), []
    for seed in range(5):
        trainer = Trainer(usual.replace(seed=seed))
        for _ in range(usual.steps):
            trainer.advance()
        forecast = handle(trainer, FORECAST, {"steps": 1})
        errors.append(float(forecast.errors[0]))
        assert min(each[0] for each in forecast.baseline_errors.values()) == pytest.approx(16.567, abs=1e-3)
    assert statistics.median(errors) <= 16.6, errors
