"""Numbers that are times: years, 20240331, 1958.25, seconds since 1970, Excel's day numbers."""

from __future__ import annotations

import numpy as np

from engine.data.columns.cells import Cells
from engine.data.columns.date_formats import COMPACT, NEVER, SECONDS, TOO_FINE, parsed, several_in_a_second

FIRST_YEAR, LAST_YEAR = 1500, 2200
SINCE_1970 = ((1e8, 4e9, 1.0), (1e11, 4e12, 1e3), (1e14, 4e15, 1e6), (1e17, 4e18, 1e9))
"""Smallest and largest number, and parts of a second: 1973 to 2096, in seconds, milli-, micro- and nanoseconds."""
EXCEL_DAYS = (20_000, 60_000)  # 1954 to 2064
EPOCH = np.datetime64(0, "s")
EXCEL_START = np.datetime64("1899-12-30", "s")


def numeric_dates(cells: Cells, texts: list[str], dated: bool) -> tuple[np.ndarray | None, str | None]:
    """Moments of a column whose cells are digits, perhaps with a decimal point.

    Args:
        texts: of the different cells; "" where missing.
        dated: the column is named like a time. Without it only years one after the other, quarters and months as
            parts of a year, and compact dates in order, are believed.

    Returns:
        (n,) datetime64[s], or None if these are numbers; and what is to be said, after the column's name.
    """
    values = cells.spread(np.array([_float(text) for text in texts]), np.nan)
    given = values[~np.isnan(values)]
    if not len(given) or np.isinf(given).any():
        return None, None
    steps = np.diff(given)
    ordered = len(steps) > 0 and max((steps > 0).mean(), (steps < 0).mean()) > 0.9
    whole = bool((given % 1 == 0).all())
    low, high = given.min(), given.max()
    if low >= FIRST_YEAR and high <= LAST_YEAR:
        if whole:
            by_one = ordered and len(given) > 5 and _most_common(np.abs(steps)) == 1
            return (_years(values) if dated or by_one else None), None
        return (_decimal_years(values) if dated or _parts_of_a_year(steps) else None), None
    if whole and (dated or ordered):
        compact = _compact(cells, texts)
        if compact is not None:
            return compact, None
    if not dated:
        return None, None
    for least, most, parts in SINCE_1970:
        if low >= least and high <= most:
            seconds = values / parts
            return (None, TOO_FINE) if several_in_a_second(seconds) else (_since(seconds, EPOCH), None)
    if ordered and low >= EXCEL_DAYS[0] and high <= EXCEL_DAYS[1]:
        said = f" has Excel's day numbers ('{given[0]:g}'); they are read as days since 1899-12-30."
        return _since(np.round(values * 86400), EXCEL_START), said
    return None, None


def _float(text: str) -> float:
    try:
        return float(text) if text else np.nan
    except ValueError:
        return np.nan


def _most_common(steps: np.ndarray) -> float:
    values, counts = np.unique(steps, return_counts=True)
    return float(values[counts.argmax()])


def _parts_of_a_year(steps: np.ndarray) -> bool:
    """True if all steps, in years, are a quarter or a month, as nearly as files write them."""
    return len(steps) > 5 and any(np.abs(np.abs(steps) * parts - 1).max() < 0.1 for parts in (4, 12))


def _since(seconds: np.ndarray, start: np.datetime64) -> np.ndarray:
    known = ~np.isnan(seconds)
    moments = np.full(len(seconds), NEVER)
    moments[known] = start + seconds[known].astype("int64").astype("timedelta64[s]")
    return moments


def _months(months: np.ndarray) -> np.ndarray:
    """First days of months counted from the year 0; NaT for NaN."""
    known = ~np.isnan(months)
    moments = np.full(len(months), NEVER)
    moments[known] = (months[known].astype("int64") - 12 * 1970).astype("datetime64[M]").astype(SECONDS)
    return moments


def _years(years: np.ndarray) -> np.ndarray:
    return _months(12 * years)


def _decimal_years(years: np.ndarray) -> np.ndarray:
    """1958.25 as files write quarters and months, by their beginning or their middle; else the nearest hour."""
    different = np.unique(years[~np.isnan(years)])
    for parts in (4, 12):
        apart = np.diff(different * parts)
        if len(apart) and apart.min() > 0.8 and np.abs(apart - np.round(apart)).max() < 0.15:
            return _months(np.floor(years * parts + 0.1) * (12 // parts))  # 1958.08 lies before the second month
    start = _years(np.floor(years))
    hours = np.where(np.isnan(years), 0, np.round((years % 1) * 365.2425 * 24)).astype("int64")
    return start + hours.astype("timedelta64[h]").astype("timedelta64[s]")


def _compact(cells: Cells, texts: list[str]) -> np.ndarray | None:
    """202403, 20240331 and longer ones, if every cell is such a moment of the years 1900 to 2100."""
    given = [text for text in texts if text]
    lengths = {len(text) for text in given}
    if len(lengths) != 1 or not lengths <= set(COMPACT):
        return None
    moments = parsed(texts, COMPACT[lengths.pop()])
    known = moments[np.array([bool(text) for text in texts])]
    if np.isnat(known).any() or known.min() < np.datetime64("1900") or known.max() >= np.datetime64("2101"):
        return None
    return cells.spread(moments, NEVER)
