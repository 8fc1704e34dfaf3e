"""What the forecast card says of a test: the network is never praised where a simple rule is better."""

from __future__ import annotations

import numpy as np
import pandas as pd

from app.figures import forecast as figures
from app.forecast import text
from engine.data import read
from engine.data.defaults import defaults
from engine.tasks.forecast import Forecast
from tests.engine.data.series_tables import waves


def made(errors: list[float], rule: list[float], **more: object) -> Forecast:
    m = len(errors)
    return Forecast(
        **{
            "series": "", "target": "sales", "time_step": "month", "known": np.arange(5.0), "times": None,
            "ahead": np.arange(1, m + 1), "said": np.arange(m), "errors": np.array(errors), "counts": np.full(m, 24),
            "baselines": {"the value before": np.zeros(m)}, "baseline_errors": {"the value before": np.array(rule)},
            **more,
        }
    )  # fmt: skip


def test_the_first_and_the_last_step_are_judged_beside_the_best_rule():
    first, last = text.judged(made([12.94, 15.0, 19.9], [16.6, 15.0, 14.8]))
    assert (
        first == "1 month ahead the network is off by 12.9 on average; the best simple rule, the value before, by 16.6."
    )
    assert last == (
        "3 months ahead the network is off by 19.9 on average. "
        "A simple rule does better: the value before, off by 14.8."
    )
    assert len(text.judged(made([2.0], [1.0]))) == 1


def test_what_was_not_tested_is_not_judged():
    (said,) = text.judged(made([float("nan")], [float("nan")]))
    assert "nothing could be tested" in said


def test_rules_that_are_far_off_do_not_flatten_the_figure():
    rules = {"near": np.array([3.0, 4.0]), "far": np.array([90.0, 99.0])}
    assert list(text.drawn_rules(made([1.0, 2.0], [1.0, 1.0], baseline_errors=rules))) == ["near"]


def said_of(table: pd.DataFrame, horizon: int | None = None, **settings: object) -> str:
    dataset = read(table.to_csv(index=False).encode(), name="a.csv", horizon=horizon)
    return text.why_so_far(defaults(dataset).replace(**settings))


def test_how_far_it_forecasts_and_why_no_further():
    alone, beside = waves(80), waves(80).assign(rain=np.sin(np.arange(80.0) ** 2), wind=np.cos(np.arange(80.0) ** 2))
    assert said_of(alone) == ""
    assert "one step: the network also reads rain and wind, and what these will be" in said_of(beside)
    assert "one step. This network reads both ways" in said_of(alone, rnn_type="many_to_one", bidirectional=True)
    assert said_of(beside, horizon=6).startswith("It forecasts the next 6 rows, each from 6 rows before it")


def test_names_from_a_file_cannot_become_tags():
    drawn = figures.path(np.arange(3.0), np.arange(2.0), np.ones(2), name="<b>x</b>", rule_name="rule")
    assert drawn.layout.yaxis.title.text == "&lt;b&gt;x&lt;/b&gt;" and len(drawn.data) == 3
    assert list(drawn.data[-1].x) == [0, 1, 2]
