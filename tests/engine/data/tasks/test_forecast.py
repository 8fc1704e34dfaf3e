"""What comes after the end of a series: against calculations by hand, and a network that goes on step by step."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from engine.ask.question import QuestionError
from engine.data.content import OneSeries
from engine.data.tasks.forecast import later_times, series_forecast
from engine.data.tasks.series import series_task
from engine.data.tasks.series_rows import rows_of
from engine.experiment import Experiment
from engine.tasks import OWN_DATA, register
from engine.training import Trainer
from engine.workers import FORECAST
from engine.workers.requests import handle
from tests.engine.data.series_tables import airline, read


def moments(*days: str) -> np.ndarray:
    return np.array(days, dtype="datetime64[s]")


def no_change(inputs: np.ndarray, steps: int) -> np.ndarray:
    """A network whose every answer is 0, which is the mean change."""
    return np.zeros((steps, inputs.shape[1], 1))


@pytest.mark.parametrize(
    ("times", "step", "expected"),
    [
        (("1960-11-01", "1960-12-01"), "month", ("1961-01-01", "1961-02-01")),
        (("2020-01-31", "2020-02-29"), "month", ("2020-03-31", "2020-04-30")),
        (("2021-01-28", "2021-02-28"), "month", ("2021-03-28", "2021-04-28")),
        (("2020-12-31T17:00", "2021-01-31T17:00"), "month", ("2021-02-28T17:00", "2021-03-31T17:00")),
        (("2020-02-03", "2020-05-03"), "quarter", ("2020-08-03", "2020-11-03")),
        (("1999-01-01", "2000-01-01"), "year", ("2001-01-01", "2002-01-01")),
        (("2024-05-02T17:00", "2024-05-03T17:00"), "weekday", ("2024-05-06T17:00", "2024-05-07T17:00")),
        (("2024-05-02T22:00", "2024-05-02T23:00"), "hour", ("2024-05-03T00:00", "2024-05-03T01:00")),
        (("2024-01-01", "2024-03-01"), "2 months", ("2024-05-01", "2024-07-01")),
    ],
)
def test_time_goes_on_as_the_step_of_the_data(times, step, expected):
    assert later_times(moments(*times), step, 2).tolist() == moments(*expected).tolist()


def test_a_forecast_is_in_units_and_beside_simple_rules():
    _, content, _ = read(airline())
    one = content.series[0]
    made = series_forecast(content, "Passengers", no_change, 24, 5, 0)
    y = one.values[:, 0]
    growth = np.exp(np.diff(np.log(y[: one.cut])).mean())
    assert made.said == pytest.approx(y[-1] * growth ** np.arange(1, 6), rel=1e-9)
    assert made.baselines["the value before"].tolist() == [y[-1]] * 5
    assert made.baselines["the value 12 steps before"].tolist() == y[-12:-7].tolist()
    assert made.times is not None and len(made.times) == len(made.known) + 5
    assert made.times[-5:].astype("datetime64[M]").astype(str).tolist() == [f"1961-{m:02d}" for m in range(1, 6)]
    tested = [np.abs(y[t + k] - y[t] * growth**k) for k in (1, 5) for t in range(one.cut - 1, len(y) - k)]
    first, last = np.split(np.array(tested), [len(y) - one.cut])
    assert (made.errors[0], made.errors[4]) == pytest.approx((first.mean(), last.mean()), rel=1e-9)
    assert made.counts.tolist() == [24, 23, 22, 21, 20]


def test_a_longer_horizon_says_each_row_from_as_many_before():
    _, content, _ = read(airline(), horizon=3)
    seen = []

    def network(inputs: np.ndarray, steps: int) -> np.ndarray:
        seen.append(inputs)
        return no_change(inputs, steps)

    made = series_forecast(content, "Passengers", network, 24, 12, 0)
    rows, y = rows_of(content), content.series[0].values[:, 0]
    assert made.ahead.tolist() == [1, 2, 3] and seen[0].shape == (24, 3, 1)
    assert np.array_equal(seen[0][:, 2], rows.inputs[-24:])
    assert made.said == pytest.approx(y[-3:] * np.exp(rows.mean), rel=1e-9)
    assert made.baselines["the value before"].tolist() == y[-3:].tolist()


def test_a_network_goes_on_from_the_end_of_the_data():
    summary, content, _ = read(airline())
    options = {"data": "forecast", "kind": "series"}
    register(options, task := series_task("air.csv", summary, content))
    trainer = Trainer(Experiment(task=OWN_DATA, task_options=options, rnn_type="many_to_many", cell="gru",
                                 hidden_size=5, batch_size=8, seq_len=20, steps=10))  # fmt: skip
    before = torch.get_rng_state()
    made = handle(trainer, FORECAST, {"steps": 3})
    assert torch.equal(torch.get_rng_state(), before) and trainer.model.training
    rows, model, read_so_far = rows_of(content), trainer.model, list(rows_of(content).inputs[-20:, 0])
    level, said = float(np.log(content.series[0].values[-1, 0])), []
    for _ in range(3):
        with torch.no_grad():
            states, _ = model.recurrent(torch.tensor(np.array(read_so_far, np.float32))[:, None, None], None)
            read_so_far.append(float(model.head(states[-1])[0, 0]))
        level += read_so_far[-1] * rows.sd + rows.mean
        said.append(np.exp(level))
    assert made.said == pytest.approx(said, rel=1e-5) and made.step == 0 and task.series_names == ("",)


def test_what_cannot_be_forecast_is_said():
    trainer = Trainer(Experiment(hidden_size=3))
    with pytest.raises(QuestionError, match="nothing to forecast"):
        handle(trainer, FORECAST, {"steps": 3})
    _, content, _ = read(airline())
    long = content.series[0]
    short = OneSeries("Oslo", long.values[:9], long.times[:9], long.lines[:9], 7)
    both = dataclasses.replace(content, series=(long, short))
    with pytest.raises(ValueError, match="“Oslo” is too short: the network reads 24 rows at once, and it has 9"):
        series_forecast(both, "Passengers", no_change, 24, 5, 1)
