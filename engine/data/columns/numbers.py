"""Numbers as people write them: thousands, currencies, percent, K and M, decimal commas."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from engine.data.columns.cells import LOOK, Cells, is_missing

__all__ = ["decimal_of", "is_missing", "number", "numbers"]

DRESSED = re.compile(r"([+-]?)[\s$€£¥+]*(.*?)[\s$€£¥%]*")  # sign, currency, the number, currency or percent
POINT = re.compile(r"(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?([eE][+-]?\d+)?")
COMMA = re.compile(r"(\d{1,3}([. \u00a0\u202f]\d{3})+|\d+)?(,\d*)?([eE][+-]?\d+)?")
SHORTENED = re.compile(r"\d+\.?\d*[KMB]")  # 1.2M
FACTORS = {"K": 1e3, "M": 1e6, "B": 1e9}
TRUE, FALSE = frozenset(("true", "yes", "ja", "oui")), frozenset(("false", "no", "nein", "non"))
INFINITE = frozenset(("inf", "infinity", "1.#inf", "∞"))
READABLE = 0.8
"""Share of a column's cells that must be numbers for it to be a column of numbers."""

WITH_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+")
WHOLE = re.compile(r"[+-]?\d+")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # 1,234 is both; 0,250 is not written for 250


def number(cell: object, decimal: str = ".") -> float:
    """A cell as a number; NaN for what is none. Infinite stays infinite. True and yes are 1, false and no 0."""
    if not isinstance(cell, str):
        return _plain_number(cell)
    if "_" not in cell and not (decimal == "," and "." in cell):
        try:
            return float(cell.replace(",", ".") if decimal == "," else cell)
        except ValueError:
            pass
    return _dressed_number(cell.strip().replace("\N{MINUS SIGN}", "-"), decimal)


def _plain_number(cell: object) -> float:
    if not isinstance(cell, (int, float, Decimal, np.number, np.bool_)):
        return math.nan
    try:
        return float(cell)
    except OverflowError:
        return math.inf if cell > 0 else -math.inf


def _dressed_number(text: str, decimal: str) -> float:
    found = DRESSED.fullmatch(text)
    if found is None or not found[2]:
        return math.nan
    sign, body = (-1.0 if found[1] == "-" else 1.0), found[2]
    lower = body.lower()
    if lower in INFINITE:
        return sign * math.inf
    if lower in TRUE or lower in FALSE:
        return float(lower in TRUE)
    factor = 1.0
    if SHORTENED.fullmatch(body):
        body, factor, decimal = body[:-1], FACTORS[body[-1]], "."
    if not re.search(r"\d", body) or not (COMMA if decimal == "," else POINT).fullmatch(body):
        return math.nan
    body = re.sub(r"[. \u00a0\u202f]" if decimal == "," else ",", "", body).replace(",", ".")
    try:
        return sign * float(body) * factor
    except ValueError:  # e5
        return math.nan


def decimal_of(cells: Sequence[object]) -> str:
    """ "," where the numbers among the first cells have one comma that cannot part thousands (3,5 0,25); else "."."""
    given = [cell.strip() for cell in cells[:LOOK] if isinstance(cell, str) and not is_missing(cell, signs=True)]
    if not any("," in cell for cell in given):
        return "."
    commas = [cell for cell in given if WITH_COMMA.fullmatch(cell)]
    whole = sum(WHOLE.fullmatch(cell) is not None for cell in given)
    if not commas or len(commas) + whole < 0.9 * len(given):
        return "."
    return "." if all(THOUSANDS.fullmatch(cell) for cell in commas) else ","


def numbers(cells: Sequence[object], decimal: str | None = None) -> np.ndarray:
    """The numbers of a column.

    Args:
        cells: (n,) texts, numbers or None.
        decimal: "," or "."; None to find it in these cells.

    Returns:
        (n,) float64; NaN for what is missing or no number.
    """
    return numbers_of(Cells.of(cells), decimal or decimal_of(cells))


def numbers_of(cells: Cells, decimal: str) -> np.ndarray:
    """As `numbers`, of cells that stand there once each. (n,) float64."""
    values = _plain_numbers(cells.different) if decimal == "." else None
    if values is None:
        values = np.array([number(cell, decimal) for cell in cells.different], dtype=np.float64)
    return cells.spread(values, np.nan)


def _plain_numbers(cells: Sequence[object]) -> np.ndarray | None:
    """The same as `number` of each, three times as fast; None unless each is a text that float() reads."""
    try:
        return None if "_" in "".join(cells) else np.array(cells, dtype=object).astype(np.float64)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def readable_share(cells: Cells, decimal: str) -> float:
    """Share of a sample of the cells that are numbers."""
    sample = cells.sample(signs=True)
    return sum(not math.isnan(number(cell, decimal)) for cell in sample) / max(1, len(sample))
