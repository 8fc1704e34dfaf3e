"""What the page promises of somebody's own data, trained with the defaults alone."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import numpy as np
import pytest

from engine.data import read
from engine.data.defaults import defaults
from engine.frame import RunInfo
from engine.tasks import Metric
from engine.tasks.base import accuracy
from engine.training import Trainer
from engine.workers import FORECAST
from engine.workers.requests import handle
from tests.engine.data import format_files, shape_files

AIRLINE = Path(__file__).resolve().parents[3] / "presets" / "data" / "airline.csv"


SINGER = b"a lark sang in the dark park, and dark was the park where the lark sang.\n" * 20
TO_BEAT = {
    "series": (AIRLINE, {}),
    "text": (SINGER, {"unit": "characters"}),
    "words": (SINGER, {"unit": "words"}),
    "labelled": (shape_files.film_reviews(), {}),
    "pairs": (shape_files.phrases(), {}),
    "tagged": (format_files.newswire_entities(), {}),
    "sequences": (shape_files.heart_beats(), {}),
    "next step": (format_files.m4(), {}),
}


@pytest.mark.parametrize("name", TO_BEAT)
def test_the_simple_answer_to_beat_is_the_best_of_them(name):
    source, choices = TO_BEAT[name]
    dataset = read(source, **choices)
    e = defaults(dataset)
    info, metric = RunInfo.of(e), e.definition.metric
    losses, numbers = info.held_out_baselines, dataset.summary["baselines"]
    assert info.held_out_baseline == min(losses.values()), losses
    best = max if metric.higher_is_better else min
    assert numbers[metric.best(numbers)] == best(numbers.values())
    assert all(np.isfinite([*losses.values(), *numbers.values()]))


def test_the_best_of_simple_answers_is_finite_and_the_first_of_equals():
    share, error = Metric("share", accuracy), Metric("error", accuracy, higher_is_better=False)
    said = {"a": math.nan, "b": 0.5, "c": 0.75, "d": 0.75, "e": math.inf}
    assert share.best(said) == "c" and error.best(said) == "b"
    assert share.best({"a": math.nan}) == share.best({}) == ""


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
