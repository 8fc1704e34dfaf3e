"""Tasks on measured series: weekly stock prices."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.tasks.base import PROBE_SIZE, Batch, Lengths, Metric, Task, full_lengths, last_step_only, stream

if TYPE_CHECKING:
    from engine.experiment import Experiment

WEEKS, TRAINED_WEEKS = 105, 80  # every test window lies wholly in the 25 weeks that training never saw
SCALE = 10.0  # log-price in tenths: 1.0 on the screen is a change of about 10 %


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
    prices = pd.read_csv(path, index_col="date")
    return np.log(prices.to_numpy(np.float32)).T.copy()


def _windows(split: str, seq_len: int) -> np.ndarray:
    """All windows of seq_len + 1 weeks of one split, (windows, seq_len + 1): change since the window's first week."""
    prices = weekly_log_prices()
    prices = prices[:, :TRAINED_WEEKS] if split == "train" else prices[:, TRAINED_WEEKS:]
    views = np.lib.stride_tricks.sliding_window_view(prices, seq_len + 1, axis=1).reshape(-1, seq_len + 1)
    return (views - views[:, :1]) * np.float32(SCALE)


def _draw(rng: np.random.Generator, experiment: Experiment, batch_size: int, split: str) -> Batch:
    seq_len = experiment.seq_len
    windows = _windows(split, seq_len)
    chosen = windows[rng.integers(0, len(windows), batch_size)].T[:, :, None]  # (T + 1, batch, 1)
    mask = np.ones((seq_len, batch_size), bool)
    if experiment.rnn_type == "many_to_one":
        mask = last_step_only(seq_len, batch_size)
    return Batch(
        np.ascontiguousarray(chosen[:-1]),
        np.ascontiguousarray(chosen[1:]),
        mask,
        full_lengths(seq_len, batch_size),
    )


def _persistence(experiment: Experiment) -> dict[str, float]:
    """Mean squared error of saying that next week is like this one, on the very windows of the run's probe.

    On all 78 held-out windows it would be another number, and the curve could not be compared with the line.
    """
    batch = _draw(stream((experiment.seed, 0), "test"), experiment, PROBE_SIZE, "test")
    return {"next week like this one": _persistence_error(batch)}


def _persistence_error(batch: Batch) -> float:
    return float(((batch.inputs - batch.targets)[batch.mask] ** 2).mean(dtype=np.float64))


def _relative_error(batch: Batch, outputs: np.ndarray) -> float:
    """Mean squared error over that of persistence on the same sequences: below 1 it knows more than that."""
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
    metric=Metric("error ÷ that of the dashed line", _relative_error, percent=False, higher_is_better=False),
    draw=_draw,
    baselines=_persistence,
    causal=True,
)
