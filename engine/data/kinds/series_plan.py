"""What is asked of a series, and where it is cut: the held-out part, the period, the window, the transform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.data.choices import TRANSFORMS
from engine.data.kinds.period import find_period, possible_periods
from engine.data.limits import TEST_SHARES
from engine.data.problems import DataError, Notes
from engine.data.tasks.series_baselines import errors_with
from engine.data.tasks.series_rows import first_known, hold

TEST_SHARE = 0.2
FEWEST_TESTED = 3
LONGEST_WINDOW, USUAL_WINDOW, SHORTEST_WINDOW = 200, 24, 12
CLEARLY_BETTER = 0.9  # times the error of simple answers without a period: by chance, many are a little better
PERIODS_TO_COMPARE = 20  # with fewer, chance alone often makes them clearly better
LONGEST_PERIOD_READ = 60  # a window has two periods if they are no longer


@dataclass(frozen=True)
class Plan:
    """As in `SeriesContent`. test: held-out rows of the longest series; of others too, if they are long enough."""

    test: int
    period: int | None
    window: int
    horizon: int
    transform: str


def plan_of(target: np.ndarray, everything: np.ndarray, step: str, choices: dict[str, Any]) -> Plan:
    """Plan for the longest series. What is fitted is fitted on its trained part.

    Args:
        target: (n,) of the longest series, NaN where missing.
        everything: (m,) the target of all series: a logarithm needs that each is above 0, the held-out ones as well.
        step: its name.

    Raises:
        DataError: for a choice that these rows do not allow.
    """
    n = len(target)
    test = max(FEWEST_TESTED, round(n * _share(choices)))
    if choices.get("period") is not None:
        period = _whole("period", choices["period"], 0, n - test) or None
        if period == 1:
            raise DataError("period must be at least 2 steps, or 0 for none, but is 1.")
    else:
        period = _guessed_period(target[: n - test], step)
    if period is not None and test // period * period >= FEWEST_TESTED:
        test = test // period * period  # whole periods; never more, for the period was found on the rows before
    horizon = _whole("horizon", choices.get("horizon", 1), 1, max(1, (n - test) // 4))
    return Plan(test, period, _window(n - test, period, horizon, choices), horizon,
                _transform(target[: n - test], everything, period, choices))  # fmt: skip


def say_what_follows(plan: Plan, without: Plan, notes: Notes) -> None:
    """Say what a chosen period changes besides itself.

    Args:
        without: what would be asked with no period and the same other choices.
    """
    changes = [
        f"{what} {now}, not {before}"
        for what, now, before in (
            ("the window is", f"{plan.window:,} steps", f"{without.window:,}"),
            ("held out are the last", f"{plan.test:,} rows", f"{without.test:,}"),
            ("what is asked is", f"'{plan.transform}'", f"'{without.transform}'"),
        )
        if before != now.removesuffix(" steps").removesuffix(" rows")
    ]
    if changes:
        notes.say(f"The period of {plan.period:,} steps that you chose changes more: {'; '.join(changes)}.")


def _guessed_period(trained: np.ndarray, step: str) -> int | None:
    """The period found, unless a usual one of the calendar gives clearly better simple answers on the trained part.

    What these answers need is fitted on its first rows, and their errors are taken on its last ones.
    """
    found = find_period(trained, step)
    usual = possible_periods(len(trained), step)
    if found in usual:
        return found
    usual = tuple(period for period in usual if PERIODS_TO_COMPARE * period <= len(trained))
    cut = len(trained) - max(1, round(len(trained) * TEST_SHARE))
    errors = {period: min(errors_with(trained, cut, period).values(), default=np.inf) for period in (found, *usual)}
    best = min(errors, key=errors.__getitem__)
    return best if errors[best] < CLEARLY_BETTER * errors[found] else found


def _share(choices: dict[str, Any]) -> float:
    share = choices.get("test_share", TEST_SHARE)
    low, high = TEST_SHARES
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not low <= share <= high:
        raise DataError(
            f"test_share, the part of the rows that is held out, must be {low:g} to {high:g}, but is {share}."
        )
    return float(share)


def _whole(name: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise DataError(f"{name} must be a whole number from {low:,} to {high:,} for these rows, but is {value}.")
    return value


def _window(trained: int, period: int | None, horizon: int, choices: dict[str, Any]) -> int:
    if choices.get("window") is not None:
        return _whole("window", choices["window"], 2, max(2, trained - horizon - 2))
    usual = 2 * period if period is not None and period <= LONGEST_PERIOD_READ else USUAL_WINDOW
    return min(max(SHORTEST_WINDOW, usual), max(4, trained // 3), LONGEST_WINDOW)


def _transform(trained: np.ndarray, everything: np.ndarray, period: int | None, choices: dict[str, Any]) -> str:
    """The difference from the last known value; of the logarithm where the spread grows with the level."""
    lowest = float(np.nanmin(everything))
    chosen = choices.get("transform")
    if chosen is None:
        return "log differences" if lowest > 0 and _spread_grows(trained, period) else "differences"
    if chosen not in TRANSFORMS:
        raise DataError(f"transform must be {', '.join(TRANSFORMS[:-1])} or {TRANSFORMS[-1]}, but is {chosen}.")
    if chosen.startswith("log") and lowest <= 0:
        raise DataError(f"A logarithm needs values above 0, but the lowest value of the target is {lowest:g}.")
    return str(chosen)


def _spread_grows(trained: np.ndarray, period: int | None) -> bool:
    """Over pieces of a period, or of a tenth of all rows, mean and standard deviation rise together."""
    known = hold(trained, np.nan)[first_known(trained) :]
    length = period or max(4, len(known) // 8)
    pieces = known[: len(known) // length * length].reshape(-1, length)
    if len(pieces) <= 3:
        return False
    means, spreads = pieces.mean(1), pieces.std(1)
    if means.max() <= 1.5 * means.min() or not spreads.std() > 0:
        return False
    return bool(np.corrcoef(means, spreads)[0, 1] > 0.6)


def related(values: np.ndarray) -> bool:
    """Some autocorrelation of the first 24 lags is larger than chance would make any of them (once in 30 series)."""
    x = values - values.mean()
    size = float((x * x).sum())
    if size <= 1e-24 * max(1.0, float(np.abs(values).max()) ** 2) * len(x):
        return False
    lags = range(1, min(25, len(x) // 4 + 1))
    largest = max(abs(float((x[lag:] * x[:-lag]).sum())) / size for lag in lags)
    return largest > 3.2 / float(np.sqrt(len(x)))
