"""After how many steps a series repeats itself."""

from __future__ import annotations

import math

import numpy as np

from engine.data.tasks.series_rows import first_known, hold

USUAL: dict[str, tuple[int, ...]] = {
    "month": (12,),
    "quarter": (4,),
    "week": (52,),
    "day": (7, 365),
    "weekday": (5,),
    "12 hours": (14,),
    "8 hours": (3, 21),
    "6 hours": (4, 28),
    "4 hours": (6, 42),
    "3 hours": (8, 56),
    "2 hours": (12, 84),
    "hour": (24, 168),
    "30 minutes": (48, 336),
    "20 minutes": (72, 504),
    "15 minutes": (96, 672),
    "10 minutes": (144, 1008),
    "5 minutes": (288, 2016),
    "minute": (60, 1440),
}
"""By step: the periods that the calendar suggests, asked first."""
PERIODS_NEEDED = 2.5
FEWEST_ROWS = 12


def find_period(values: np.ndarray, step: str) -> int | None:
    """The seasonal period, by the autocorrelation of a series without its straight trend; None if it has none.

    A usual period of the step must stand out from the lags around it, in the values or in their changes: beside the
    slow swing of a year, a week shows only in the changes. Any other must be a peak, a good deal higher than the lowest
    correlation before it.

    Args:
        values: (n,) of the trained part; NaN where missing.
        step: the usual time step, as in the summary.
    """
    x = hold(values, np.nan)[first_known(values) :]
    n = len(x)
    if n < FEWEST_ROWS:
        return None
    acf = autocorrelation(x - np.polyval(np.polyfit(np.arange(n), x, 1), np.arange(n)))
    if acf is None:
        return None
    floor = max(0.25, 3 / math.sqrt(n))
    changes = autocorrelation(np.diff(x))
    for period in possible_periods(n, step):
        if any(each is not None and _stands_out(each, period, floor) for each in (acf, changes)):
            return period
    lags = np.arange(2, max(2, n // 3))
    lowest = np.minimum.accumulate(acf[1:])[lags - 2]  # of the lags from 1 up to the one before
    higher = (acf[lags] >= acf[lags - 1]) & (acf[lags] > acf[lags + 1])
    peaks = lags[higher & (acf[lags] > floor) & (acf[lags] > lowest + 0.3)]
    if not len(peaks):
        return None
    return int(peaks[acf[peaks] > 0.8 * acf[peaks].max()][0])


def possible_periods(n: int, step: str) -> tuple[int, ...]:
    """The usual periods of a step of which n rows hold enough to tell."""
    return tuple(period for period in USUAL.get(step, ()) if PERIODS_NEEDED * period <= n)


def autocorrelation(x: np.ndarray) -> np.ndarray | None:
    """(n,) by lag, each lag the mean over its own pairs, 1 at lag 0; None if x never changes."""
    centred = x - x.mean()
    size = float(np.abs(centred).max())
    if size <= 1e-9 * max(float(np.abs(x).max()), 1e-300):
        return None
    n = len(x)
    spectrum = np.fft.rfft(centred / size, 1 << (2 * n - 1).bit_length())
    products = np.fft.irfft(np.abs(spectrum) ** 2)[:n] / np.arange(n, 0, -1)
    return products / products[0]


def _stands_out(acf: np.ndarray, period: int, floor: float) -> bool:
    """A usual period is high, about the highest of the lags around it, and higher than half of it."""
    start = max(1, period // 2 + 1) if period > 3 else 1
    around = acf[start : period + period // 2 + 1]
    high = acf[period]
    return bool(high > floor and high >= around.max() - 0.1 and high > acf[max(1, period // 2)] + 0.1)
