"""What comes after the end of measured data, as a value: a network's forecast beside simple rules. NumPy only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Predict = Callable[[np.ndarray, int], np.ndarray]
"""(inputs, steps) -> outputs: a network reads (T, n, channels) float32 and answers (steps, n, 1): its output after the
last input, and then, going on by itself, those that follow when each output is the next input."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Forecast:
    """The next m values of a series as a network and simple rules say them, in the data's own units.

    Each is also tested where the truth is known: forecast again from every held-out row, knowing all rows before it.

    Args:
        step: updates made before.
        series: its name; "" if there is one.
        target: the name of what is forecast. time_step: what one row is, as "month"; "row" where that has no name.
        known: (n,) the last known values; NaN where missing.
        times: (n + m,) datetime64[s], or None where rows have no time.
        ahead: (m,) int64, how many rows after the last known one.
        said: (m,) by the network.
        baselines: {name: (m,)} by simple rules.
        errors: (m,) mean absolute error of the network in the test, so many rows ahead; NaN where nothing was tested.
        baseline_errors: {name: (m,)} of the rules, on the same answers.
        counts: (m,) int64, answers in the test.
    """

    step: int = 0
    series: str
    target: str
    time_step: str = "row"
    known: np.ndarray
    times: np.ndarray | None
    ahead: np.ndarray
    said: np.ndarray
    baselines: dict[str, np.ndarray]
    errors: np.ndarray
    baseline_errors: dict[str, np.ndarray]
    counts: np.ndarray
