"""Forecasts that need no network, in the target's own units. Each knows the rows up to its origin and no later one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.data.content import OneSeries, SeriesContent
from engine.data.tasks.series_rows import first_known, hold, once_per_content, rows_of

BEFORE, MEAN = "the value before", "the mean of the trained part"
CHANGED = "the value before, changed as usual"


def seasonal_name(period: int) -> str:
    """Of the baseline that repeats the value of a period before."""
    return f"the value {period} steps before"


def grown_name(period: int) -> str:
    """Of the baseline that repeats the value of a period before, grown as the last period has."""
    return f"{period} before, grown as the last period"


@dataclass(frozen=True, eq=False)
class _Past:
    """What the baselines need of one series.

    Args:
        values: (n,) the target; where missing, the last value before; NaN before the first one.
        sums: (n + 1,) the sum of the values before each row.
        first: the first known row.
        mean: of the trained part.
        usual: (period,) the mean change at each place of the period, of the logarithm where `log`; None without a
            period, or where the trained part has no whole one.
        log: every value is above 0, so growth is a factor.
    """

    values: np.ndarray
    sums: np.ndarray
    first: int
    mean: float
    usual: np.ndarray | None
    log: bool


@once_per_content
def _pasts(content: SeriesContent) -> list[_Past]:
    log = all((one.values[~np.isnan(one.values[:, 0]), 0] > 0).all() for one in content.series)
    return [_past(one, content.period, log) for one in content.series]


def _past(one: OneSeries, period: int | None, log: bool) -> _Past:
    target = one.values[:, 0]
    trained = target[: one.cut]
    known = trained[~np.isnan(trained)]
    held = hold(target, np.nan)
    usual = None
    if period is not None and one.cut > period:
        usual = _usual_changes(np.log(trained) if log else trained, period)
    return _Past(
        values=held,
        sums=np.append(0.0, np.cumsum(np.nan_to_num(held))),
        first=first_known(target),
        mean=float(known.mean()) if len(known) else np.nan,
        usual=usual,
        log=log,
    )


def _usual_changes(trained: np.ndarray, period: int) -> np.ndarray:
    """(period,) the mean change into each place of the period, of rows that are known as the ones before are."""
    changes = np.append(np.nan, np.diff(trained))
    known = ~np.isnan(changes)
    places = np.arange(len(trained)) % period
    sums = np.bincount(places[known], changes[known], period)
    return sums / np.maximum(np.bincount(places[known], minlength=period), 1)


def _forecasts(past: _Past, period: int | None, at: np.ndarray, ahead: int) -> dict[str, np.ndarray]:
    """Of one series: {name: (origins,) forecasts of the row `ahead` after each}, NaN where the past is too short.

    Args:
        at: (origins,) the last known row of each.
    """
    value = past.values[at]
    found = {BEFORE: value, MEAN: np.full(len(at), past.mean)}
    if period is None:
        return found
    periods = -(-ahead // period)
    same = at + ahead - periods * period  # the newest row at this place of the period that the origin knows
    seasonal = np.where(same >= past.first, past.values[np.maximum(same, 0)], np.nan)
    found[seasonal_name(period)] = seasonal
    if past.log:
        last = past.sums[at + 1] - past.sums[np.maximum(at + 1 - period, 0)]
        before = past.sums[np.maximum(at + 1 - period, 0)] - past.sums[np.maximum(at + 1 - 2 * period, 0)]
        enough = (at + 1 - 2 * period >= past.first) & (before > 0)  # not 0 but for rounding
        growth = np.where(enough, last, np.nan) / np.where(enough, before, 1.0)
        with np.errstate(over="ignore"):  # values from 1e-100 to 1e30: a forecast that is not finite is left out
            found[grown_name(period)] = seasonal * growth**periods
    if past.usual is not None:
        change = sum(past.usual[(at + step) % period] for step in range(1, ahead + 1))
        with np.errstate(over="ignore"):
            found[CHANGED] = value * np.exp(change) if past.log else value + change
    return found


def errors_with(target: np.ndarray, cut: int, period: int | None) -> dict[str, float]:
    """Mean absolute errors of the next rows after a cut, {name: in units}, were the period this one.

    Args:
        target: (n,) NaN where missing. cut: what is fitted is fitted on the rows before it.
    """
    values = target[:, None]
    known = target[~np.isnan(target)]
    past = _past(OneSeries("", values, None, np.zeros(len(target), np.int64), cut), period, bool((known > 0).all()))
    asked = np.arange(cut, len(target))
    asked = asked[~np.isnan(target[asked])]
    if not len(asked):
        return {}
    found = _forecasts(past, period, asked - 1, 1)
    errors = {name: float(np.abs(said - target[asked]).mean()) for name, said in found.items()}
    return {name: error for name, error in errors.items() if np.isfinite(error)}


def names(content: SeriesContent) -> tuple[str, ...]:
    """The baselines that these data have, in the order in which they are told; the value before comes first."""
    if content.period is None:
        return BEFORE, MEAN
    pasts = _pasts(content)
    grown = (grown_name(content.period),) if pasts[0].log else ()
    changed = (CHANGED,) if any(past.usual is not None for past in pasts) else ()
    return (BEFORE, MEAN, seasonal_name(content.period), *grown, *changed)


def forecast_baselines(content: SeriesContent, series: int, row: int, steps: int) -> dict[str, np.ndarray]:
    """What each baseline says of the next steps after an origin.

    Args:
        series: its number in the content. row: the origin, the last row that is known.

    Returns:
        {name: (steps,) float64 in the target's units}, of the baselines whose past reaches far enough.
    """
    past, at = _pasts(content)[series], np.array([row])
    each = [_forecasts(past, content.period, at, ahead) for ahead in range(1, steps + 1)]
    said = {name: np.array([one[name][0] for one in each if name in one]) for name in names(content)}
    return {name: path for name, path in said.items() if len(path) == steps and np.isfinite(path).all()}


def ahead_of_rows(content: SeriesContent, series: int, at: np.ndarray, ahead: int) -> dict[str, np.ndarray]:
    """What each baseline says of one series.

    Args:
        at: (origins,) the last known row of each forecast. ahead: how many rows later is asked, from 1.

    Returns:
        {name: (origins,) in units}, NaN where the past does not reach far enough.
    """
    found = _forecasts(_pasts(content)[series], content.period, at, ahead)
    return {name: found.get(name, np.full(len(at), np.nan)) for name in names(content)}


@once_per_content
def baseline_answers(content: SeriesContent) -> dict[str, np.ndarray]:
    """What each baseline says of the answer of each row: {name: (N,) in units}, rows as in `SeriesRows`; NaN where its
    past does not reach far enough."""
    each = [
        ahead_of_rows(content, number, np.arange(len(one.values)), content.horizon)
        for number, one in enumerate(content.series)
    ]
    return {name: np.concatenate([said[name] for said in each]) for name in names(content)}


def held_out_baselines(content: SeriesContent) -> dict[str, float]:
    """The `errors_at` all known answers of the held-out part, `horizon` steps ahead."""
    rows = rows_of(content)
    at = np.flatnonzero(rows.answered & rows.held_out)
    return errors_at(content, at) if len(at) else {}


def errors_at(content: SeriesContent, at: np.ndarray) -> dict[str, float]:
    """Mean absolute errors, in units, of what the baselines say of the answers of some rows; the value before first.

    A baseline whose past does not reach far enough for each of these answers is left out: its error would be that of
    other answers.

    Args:
        at: (n,) the rows, numbered as in `SeriesRows`; their answers are known.
    """
    true = rows_of(content).values[at + content.horizon]
    errors = {name: float(np.abs(said[at] - true).mean()) for name, said in baseline_answers(content).items()}
    return {name: error for name, error in errors.items() if np.isfinite(error)}
