"""Tasks on measured series: predict the next value of weekly stock prices or yearly sunspots."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from engine.tasks.base import (
    PROBE_SIZE,
    DataSettings,
    Lengths,
    Metric,
    Passages,
    Task,
    answer_mask,
    full_lengths,
    stream,
)
from engine.tasks.batch import Batch

WEEKS, TRAINED_WEEKS = 105, 80  # every test window lies within the 25 weeks not used in training
SCALE = 10.0  # log-price in tenths: 1.0 on the screen is a change of about 10 %

SUNSPOTS_FILE = Path(__file__).parent / "data" / "sunspots.csv"
YEARS, TRAINED_YEARS = 309, 209  # 1700 to 2008; trained on the years to 1908
CYCLE = 11  # years between two maxima, about
HUNDRED = 100.0  # sunspot numbers are in hundreds


@cache
def weekly_log_prices() -> np.ndarray:
    """(6 companies, 105 weeks) float32, natural log of the price relative to the first week.

    Source: the data set `stocks` that the plotly package carries (Google, Apple, Amazon, Facebook, Netflix and
    Microsoft, January 2018 to December 2019). The file is found without importing plotly.
    """
    spec = importlib.util.find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("The stocks task reads a file of the plotly package, which is not installed.")
    path = Path(spec.submodule_search_locations[0]) / "package_data" / "datasets" / "stocks.csv.gz"
    prices = np.loadtxt(path, delimiter=",", skiprows=1, usecols=range(1, 7))  # column 0 is the date
    return np.log(prices.astype(np.float32)).T.copy()


@cache
def yearly_sunspots() -> np.ndarray:
    """(309 years,) float32, the sunspot number of each year from 1700 to 2008, in hundreds."""
    return (np.loadtxt(SUNSPOTS_FILE, delimiter=",", skiprows=1, usecols=1) / HUNDRED).astype(np.float32)


def next_value(values: np.ndarray, experiment: DataSettings) -> Batch:
    """A batch whose target is the value `horizon` steps ahead, at every step. values: (T + horizon, batch) float32."""
    seq_len, batch_size = len(values) - experiment.horizon, values.shape[1]
    channel = np.ascontiguousarray(values)[:, :, None]  # (T + horizon, batch, 1)
    read, asked = channel[:seq_len], channel[experiment.horizon :]
    return Batch(read, asked, answer_mask(experiment, seq_len, batch_size), full_lengths(seq_len, batch_size))


def _price_windows(split: str, weeks: int) -> np.ndarray:
    """All windows of so many weeks of one split, (windows, weeks): change since the window's first week."""
    prices = weekly_log_prices()
    prices = prices[:, :TRAINED_WEEKS] if split == "train" else prices[:, TRAINED_WEEKS:]
    views = np.lib.stride_tricks.sliding_window_view(prices, weeks, axis=1).reshape(-1, weeks)
    return (views - views[:, :1]) * np.float32(SCALE)


def _sunspot_windows(split: str, years: int) -> np.ndarray:
    """All windows of so many years of one split, (windows, years)."""
    spots = yearly_sunspots()
    spots = spots[:TRAINED_YEARS] if split == "train" else spots[TRAINED_YEARS:]
    return np.lib.stride_tricks.sliding_window_view(spots, years)


def _draw_prices(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    windows = _price_windows(split, experiment.seq_len + experiment.horizon)
    return next_value(windows[rng.integers(0, len(windows), batch_size)].T, experiment)


def _draw_sunspots(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    windows = _sunspot_windows(split, experiment.seq_len + experiment.horizon)
    return next_value(windows[rng.integers(0, len(windows), batch_size)].T, experiment)


def _sunspot_passages(experiment: DataSettings) -> Passages:
    """All trained years as one."""
    spots, years = yearly_sunspots()[:TRAINED_YEARS, None], TRAINED_YEARS - experiment.horizon
    return [(spots[:years], spots[experiment.horizon :], np.ones(years, bool))]


def _like_this_week(experiment: DataSettings) -> dict[str, float]:
    """Mean squared error of predicting no change, on the windows of the run's own probe.

    On all 78 held-out windows it would be another number, not comparable with the loss curve.
    """
    batch = _draw_prices(stream((experiment.seed, 0), "test"), experiment, PROBE_SIZE, "test")
    return _like_this_week_on(experiment, batch)


def _like_this_week_on(experiment: DataSettings, batch: Batch) -> dict[str, float]:
    name = _later(experiment.horizon, "week")
    return {f"{name} like this one": _persistence_error(batch)}


def _like_before(experiment: DataSettings) -> dict[str, float]:
    """Also on the run's own probe. The baseline of eleven years before needs windows that reach that far back."""
    return _like_before_on(
        experiment, _draw_sunspots(stream((experiment.seed, 0), "test"), experiment, PROBE_SIZE, "test")
    )


def _like_before_on(experiment: DataSettings, batch: Batch) -> dict[str, float]:
    name, back = _later(experiment.horizon, "year"), CYCLE - experiment.horizon + 1
    baselines = {f"{name} like this one": _persistence_error(batch)}
    if experiment.rnn_type == "many_to_one" and 1 <= back <= experiment.seq_len:
        errors = batch.targets[-1] - batch.inputs[-back]  # the last input is `horizon` years before the answer
        baselines[f"{name} like eleven years before"] = float((errors**2).mean(dtype=np.float64))
    return baselines


def _this_week(experiment: DataSettings, batch: Batch) -> dict[str, np.ndarray]:
    return {f"{_later(experiment.horizon, 'week')} like this one": batch.inputs}


def _this_year(experiment: DataSettings, batch: Batch) -> dict[str, np.ndarray]:
    name, back = _later(experiment.horizon, "year"), CYCLE - experiment.horizon + 1
    answers = {f"{name} like this one": batch.inputs}
    if experiment.rnn_type == "many_to_one" and 1 <= back <= experiment.seq_len:
        answers[f"{name} like eleven years before"] = np.broadcast_to(batch.inputs[-back], batch.inputs.shape)
    return answers


def _later(horizon: int, step: str) -> str:
    """What is asked: "next year", "3 years later"."""
    return f"next {step}" if horizon == 1 else f"{horizon} {step}s later"


def asked_ahead(task: Task, horizon: int, label: str) -> Task:
    """A task of series with a longer horizon: sequences are shorter by that, and it cannot go on with its answers.

    Args:
        label: of the output.
    """
    low, high = task.lengths.low, task.lengths.high - (horizon - 1)
    lengths = Lengths(low, high, min(task.lengths.default, high))
    return replace(task, lengths=lengths, output_labels=(label,), continues=False)


@cache
def _stocks_ahead(horizon: int) -> Task:
    return asked_ahead(STOCKS, horizon, f"price {_later(horizon, 'week')}, in 10 % steps")


@cache
def _sunspots_ahead(horizon: int) -> Task:
    return asked_ahead(SUNSPOTS, horizon, f"sunspots {_later(horizon, 'year')}, in hundreds")


def _persistence_error(batch: Batch) -> float:
    return float(((batch.inputs - batch.targets)[batch.mask] ** 2).mean(dtype=np.float64))


def _relative_error(batch: Batch, outputs: np.ndarray) -> float:
    """Mean squared error divided by that of predicting no change; below 1 is better than that."""
    return float(((outputs - batch.targets)[batch.mask] ** 2).mean(dtype=np.float64)) / _persistence_error(batch)


STOCKS = Task(
    slug="stocks",
    family="Series",
    title="Stock prices",
    teaches="What no network can know: the error falls to that of 'like this week', and no further.",
    source="Real: weekly prices of six companies, 2018 and 2019, from the data sets of the plotly package. "
    "The last 25 of 105 weeks are held out.",
    rnn_types=("many_to_one", "many_to_many"),
    lengths=Lengths(2, WEEKS - TRAINED_WEEKS - 1, 12),
    inputs="values",
    outputs="values",
    input_labels=("price so far, in 10 % steps",),
    output_labels=("price next week, in 10 % steps",),
    metric=Metric(
        "squared error ÷ that of no change", _relative_error, percent=False, higher_is_better=False, solved=0.1
    ),
    draw=_draw_prices,
    baselines=_like_this_week,
    baselines_on=_like_this_week_on,
    simple_answers=_this_week,
    causal=True,
    continues=True,
    ahead=_stocks_ahead,
    farthest=12,
)

SUNSPOTS = Task(
    slug="sunspots",
    family="Series",
    title="Sunspots",
    teaches="A rhythm that is not quite regular: the Sun's spots come and go in about eleven years.",
    source="Real: yearly sunspot numbers, 1700 to 2008, from the data sets of the statsmodels package. "
    "The last 100 years are held out.",
    rnn_types=("many_to_one", "many_to_many"),
    lengths=Lengths(2, YEARS - TRAINED_YEARS - 1, 33),
    inputs="values",
    outputs="values",
    input_labels=("sunspots this year, in hundreds",),
    output_labels=("sunspots next year, in hundreds",),
    metric=Metric(
        "squared error ÷ that of no change", _relative_error, percent=False, higher_is_better=False, solved=0.1
    ),
    draw=_draw_sunspots,
    baselines=_like_before,
    baselines_on=_like_before_on,
    simple_answers=_this_year,
    causal=True,
    continues=True,
    ahead=_sunspots_ahead,
    farthest=50,
    passages=_sunspot_passages,
)
