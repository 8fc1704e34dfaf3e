"""A walk-forward test: forecast from every row of the held-out part in turn, and compare, step by step ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.data.content import SeriesContent
from engine.data.tasks.series_baselines import ahead_of_rows, names
from engine.data.tasks.series_rows import rows_of
from engine.data.tasks.series_units import continued
from engine.data.tasks.series_windows import continues, window_ends
from engine.tasks.base import evenly
from engine.tasks.forecast import Predict

MOST_ORIGINS = 2000
AT_ONCE = 256  # origins that are forecast from in one call


@dataclass(frozen=True, eq=False)
class WalkForward:
    """Mean absolute errors in the target's units, for each step ahead.

    Args:
        ahead: (m,) int64, how many rows after the origin.
        errors: (m,) of the network; NaN where nothing was asked.
        counts: (m,) int64, answers that each is the mean of.
        baselines: {name: (m,)} on exactly the same answers; NaN where a baseline's past does not reach far enough.
        origins: (n, 2) int64, series and row from which was forecast.
        forecasts: (m, n) in units, NaN where there is no such row.
    """

    ahead: np.ndarray
    errors: np.ndarray
    counts: np.ndarray
    baselines: dict[str, np.ndarray]
    origins: np.ndarray
    forecasts: np.ndarray


def walk_forward(content: SeriesContent, predict: Predict, horizon: int, window: int | None = None) -> WalkForward:
    """Forecast the next `horizon` rows from every origin whose next answer is held out.

    Each origin knows all rows up to itself, those of the held-out part among them; nothing is fitted again. Of very
    long series every so many origins are taken, evenly.

    Args:
        horizon: steps ahead, from 1. Where a network cannot go on by itself, it must be 1, and the one answer is that
            of `content.horizon` rows after the origin.
        window: steps that are read before each forecast; the content's own if None.

    Raises:
        ValueError: for a horizon that the network cannot be asked for.
    """
    if horizon < 1 or (horizon > 1 and not continues(content)):
        raise ValueError(f"horizon must be 1 where a network cannot go on by itself, but got {horizon}.")
    rows, read = rows_of(content), window or content.window
    at = evenly(window_ends(content, "test", read), MOST_ORIGINS)
    ahead = np.arange(1, horizon + 1) if horizon > 1 else np.array([content.horizon])
    forecasts = _forecasts(content, predict, at, horizon, read)
    series = rows.series_of(at)
    true = _true_values(content, at, series, ahead)
    forecasts = np.where(_inside(content, at, series, ahead), forecasts, np.nan)
    counts = (~np.isnan(true)).sum(1)
    baselines = {name: np.full(len(ahead), np.nan) for name in names(content)}
    for number, steps in enumerate(ahead):
        for name, said in _baselines(content, rows.place[at], series, int(steps)).items():
            baselines[name][number] = _mean_error(said, true[number])
    errors = np.array([_mean_error(*each) for each in zip(forecasts, true, strict=True)])
    return WalkForward(ahead, errors, counts, baselines, np.stack([series, rows.place[at]], 1), forecasts)


def _forecasts(content: SeriesContent, predict: Predict, at: np.ndarray, steps: int, window: int) -> np.ndarray:
    """(steps, n) in units."""
    rows, found = rows_of(content), []
    series = rows.series_of(at)
    for start in range(0, len(at), AT_ONCE):
        chosen = slice(start, start + AT_ONCE)
        some = at[chosen]
        outputs = predict(rows.inputs[some + np.arange(1 - window, 1)[:, None]], steps)[..., 0]
        found.append(continued(content, series[chosen], rows.place[some], outputs))
    return np.concatenate(found, axis=1) if found else np.empty((steps, 0))


def _inside(content: SeriesContent, at: np.ndarray, series: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    return at + ahead[:, None] < rows_of(content).starts[series + 1]


def _true_values(content: SeriesContent, at: np.ndarray, series: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """(m, n) the target where it is known; else NaN."""
    target = np.concatenate([one.values[:, 0] for one in content.series])
    later = np.minimum(at + ahead[:, None], len(target) - 1)
    return np.where(_inside(content, at, series, ahead), target[later], np.nan)


def _baselines(content: SeriesContent, places: np.ndarray, series: np.ndarray, ahead: int) -> dict[str, np.ndarray]:
    """{name: (n,)} what each says of the row `ahead` after each origin."""
    said = {name: np.full(len(places), np.nan) for name in names(content)}
    for number in np.unique(series):
        for name, values in ahead_of_rows(content, int(number), places[series == number], ahead).items():
            said[name][series == number] = values
    return said


def _mean_error(said: np.ndarray, true: np.ndarray) -> float:
    """Over the known answers; NaN if there is none, or something is not said of one."""
    counted = ~np.isnan(true)
    return float(np.abs(said[counted] - true[counted]).mean()) if counted.any() else np.nan
