"""The cells of a column: which are missing, and each different one once, so that long columns are converted fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

WORDS = ("", "na", "n/a", "#n/a", "nan", "nat", "null", "none", "nil", "missing", "#value!", "#div/0!", "#ref!")
MISSING = frozenset(each for word in WORDS for each in (word, word.upper(), word.capitalize())) | {"NaN", "NaT"}
MISSING_SIGNS = MISSING | {"?", "-", "--", ".", "..", "*", "m", "M"}
"""Missing in a column of numbers or times; among words the signs are a punctuation mark, a class, a letter."""
EXACT = 2**53
"""Below this every whole number is a float of its own."""
LOOK = 400
"""Rows that are looked at to decide what a table is like."""


def is_missing(cell: object, signs: bool = False) -> bool:
    """True for None, NaN, NaT, an empty cell and words that say so.

    Args:
        signs: signs such as ? and - count too, as in a column of numbers.
    """
    if cell is None or cell is pd.NaT or (isinstance(cell, float) and cell != cell):
        return True
    return isinstance(cell, str) and cell.strip() in (MISSING_SIGNS if signs else MISSING)


def class_name(cell: object) -> str | None:
    """A class as text, all its digits: the number 1.0 is "1", the text "v1.0" stays; None for None and NaN."""
    if cell is None or (isinstance(cell, float | np.floating) and np.isnan(cell)):
        return None
    if isinstance(cell, float | np.floating):
        number = float(cell)
        return f"{number:.0f}" if number.is_integer() and abs(number) < EXACT else str(cell)
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)


@dataclass(frozen=True, eq=False)
class Cells:
    """A column's different cells in the order in which they first come, and which of them each row has.

    Args:
        different: cells that are neither None nor NaN.
        codes: (n,) places in `different`; -1 for None and NaN.
    """

    different: list[object]
    codes: np.ndarray

    @classmethod
    def of(cls, cells: Sequence[object]) -> Cells:
        """The cells of a column, texts without white space around them."""
        array = np.empty(len(cells), object)
        array[:] = cells
        codes, different = pd.factorize(array)
        return cls(list(different), codes)

    def spread(self, values: np.ndarray, missing: object) -> np.ndarray:
        """Give every row the value of its cell. values: (different,); missing: what a row without a cell gets."""
        return np.append(values, np.array([missing], dtype=values.dtype))[self.codes]  # code -1 is the last

    @cached_property
    def _lacking(self) -> frozenset[str]:
        return MISSING_SIGNS.intersection(self.different)

    def flags(self, signs: bool = False) -> np.ndarray:
        """(n,) bool: which rows have a cell that is not missing."""
        lacking = self._lacking if signs else self._lacking & MISSING
        if not lacking:
            return self.codes >= 0
        return self.spread(np.array([cell not in lacking for cell in self.different], dtype=bool), False)

    def given(self, signs: bool = False) -> list[object]:
        """The different cells that are not missing."""
        lacking = self._lacking if signs else self._lacking & MISSING
        return [cell for cell in self.different if cell not in lacking] if lacking else self.different

    def sample(self, signs: bool = False) -> list[object]:
        """At most LOOK of `given`, evenly spread over the column."""
        given = self.given(signs)
        return given if len(given) <= LOOK else [given[i] for i in np.linspace(0, len(given) - 1, LOOK).astype(int)]
