"""Whether the first row of a table names its columns."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from engine.data.columns.cells import LOOK, is_missing
from engine.data.columns.dates import looks_like_date
from engine.data.columns.numbers import FALSE, TRUE, number
from engine.data.limits import MAX_CLASSES
from engine.data.names import KNOWN_NAMES

MOST = 0.7
LONGEST_NAME = 40


def is_value(cell: str) -> bool:
    """True for a number, with a decimal point or comma, or a date."""
    if cell.lower() in TRUE or cell.lower() in FALSE:
        return False
    return not math.isnan(number(cell)) or not math.isnan(number(cell, ",")) or looks_like_date(cell)


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """True if the first row names the columns.

    Args:
        rows: the first ones, of equal lengths, stripped; "" where a cell is empty.
    """
    first, rest = rows[0], rows[1 : LOOK + 1]
    values = [is_value(cell) for cell in first]
    if not rest:
        return not any(values)
    if any(values):
        return _counts_up(first) or _names_beside_values(first, values, rest)
    if any(is_missing(cell, signs=True) for cell in first[1:]) and sum(map(bool, first)) < len(first) / 2:
        return False
    if any(_mostly_values(rest, i) for i in range(len(first))):
        return True  # a word above numbers
    return _known_names(first, rest) or _stands_alone(first, rest)


def _mostly_values(rest: Sequence[Sequence[str]], i: int) -> bool:
    cells = [row[i] for row in rest if not is_missing(row[i], signs=True)]
    return bool(cells) and sum(map(is_value, cells)) > MOST * len(cells)


def _counts_up(first: Sequence[str]) -> bool:
    """Names that are numbers: ,0 and 0,1,2 as pandas writes them; country,1960,1961."""
    if not first[0] and len(first) > 1 and list(first[1:]) == [str(i) for i in range(len(first) - 1)]:
        return True
    years = [int(cell) for cell in first[1:] if re.fullmatch(r"\d{4}", cell)]
    if len(years) > 3 and len(years) >= 0.8 * (len(first) - 1) and years == list(range(years[0], years[-1] + 1)):
        return True
    counted = [int(cell) for cell in first if re.fullmatch(r"\d{1,6}", cell)]
    if len(first) <= 3 or len(counted) < len(first) - 1:
        return False
    return counted in (list(range(len(counted))), list(range(1, len(counted) + 1)))


def _names_beside_values(first: Sequence[str], values: Sequence[bool], rest: Sequence[Sequence[str]]) -> bool:
    """Most are names although some look like numbers or dates ("2m", "Q1 2020")."""
    names = [i for i, cell in enumerate(first) if cell and not values[i]]
    if len(names) < 2 or len(names) < MOST * len(first):
        return False
    for i in names:
        if first[i].lower() not in KNOWN_NAMES and any(row[i] == first[i] for row in rest):
            return False
    return any(sum(is_value(row[i]) for row in rest) > MOST * len(rest) for i in names)


def _known_names(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Names that columns usually have, none of which comes again below."""
    if not all(cell and len(cell) < LONGEST_NAME for cell in first):
        return False
    if any(row[i] == cell for i, cell in enumerate(first) for row in rest):
        return False
    known = sum(any(word in KNOWN_NAMES for word in re.split(r"[^a-z0-9]+", cell.lower())) for cell in first)
    return known >= max(1, len(first) / 2)


def _stands_alone(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """The first cell of a column of few values never comes again, although each of the others does."""
    for i, cell in enumerate(first):
        counts = Counter(row[i] for row in rest)
        few = 1 < len(counts) <= min(MAX_CLASSES, len(rest) / 3)
        if few and cell not in counts and len(cell) < LONGEST_NAME and min(counts.values()) > 1:
            return True
    return False
