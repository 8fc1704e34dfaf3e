"""What the columns of a table are: times, numbers, labels, texts, counters, constants."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

import numpy as np

from engine.data.columns.cells import LOOK, Cells, is_missing
from engine.data.columns.dates import NAMED_LIKE_TIME, dates_of
from engine.data.columns.numbers import READABLE, decimal_of, numbers_of, readable_share
from engine.data.limits import MAX_CLASSES
from engine.data.problems import Notes
from engine.data.table import Column, Table

COUNTER_NAMES = frozenset(("no", "no.", "index", "id", "obs", "row", "rownames", "unnamed: 0", "", "#"))
MOST_WORDS_OF_TIME, MOST_WORDS_OF_LABEL = 4.5, 4
SAMPLE = 2_000


def describe(table: Table, notes: Notes, choices: dict[str, Any]) -> list[Column]:
    """The columns of a table, in order.

    Args:
        choices: of these count `decimal`, `dayfirst` and `time`, the one column of times (or several, joined by +).

    Raises:
        DataError: a column has dates of two orders.
    """
    columns: list[Column] = []
    for i, (name, cells) in enumerate(zip(table.names, table.columns, strict=True)):
        columns.append(_Described(table, name, cells, first=i == 0).column(notes, choices))
    return columns


class _Described:
    """One column on its way to a type."""

    def __init__(self, table: Table, name: str, cells: list[object], first: bool) -> None:
        self.table, self.name, self.cells, self.first = table, name, cells, first
        self.all = Cells.of(cells)
        self.distinct = len(self.all.given())
        self.given = self.all.flags()

    @cached_property
    def sample(self) -> list[str]:
        return [str(cell) for cell in self.cells[:SAMPLE] if not is_missing(cell)] or list(map(str, self.all.sample()))

    @cached_property
    def words(self) -> float:
        return sum(len(text.split()) for text in self.sample) / max(1, len(self.sample))

    @cached_property
    def letters(self) -> float:
        return sum(any(map(str.isalpha, text)) for text in self.sample) / max(1, len(self.sample))

    def column(self, notes: Notes, choices: dict[str, Any]) -> Column:
        distinct, rows = self.distinct, len(self.cells)
        chosen = choices.get("time")
        if distinct <= 1 and self.given.all() and rows > 1:
            return self._constant(choices)
        if self.words <= MOST_WORDS_OF_TIME and (chosen is None or self.name in [chosen, *chosen.split("+")]):
            times = dates_of(self.all, self.name, self.table.lines, notes, choices.get("dayfirst"))
            if times is not None:
                bad = self._unreadable(np.isnat(times))
                return Column(self.name, "time", self.cells, None, times, distinct, self.words, bad)
        values = self._numbers(notes, choices)
        if values is not None:
            different = len(np.unique(values[np.isfinite(values)]))
            bad = self._unreadable(np.isnan(values))
            kind = "counter" if self._counts(values) else "number"
            return Column(self.name, kind, self.cells, values, None, different, 1.0, bad)
        few = 1 < distinct <= min(MAX_CLASSES, max(2, self.given.sum() / 2)) and self.words <= MOST_WORDS_OF_LABEL
        kind = "label" if few else "text" if self.letters > 0.5 else "other"
        return Column(self.name, kind, self.cells, distinct=distinct, words=self.words)

    def _unreadable(self, lacking: np.ndarray) -> tuple[int, ...]:
        return tuple(np.flatnonzero(lacking & self.all.flags(signs=True)).tolist()) if lacking.any() else ()

    def _constant(self, choices: dict[str, Any]) -> Column:
        """One value throughout; a day perhaps, of which the clock stands in another column."""
        times = None
        if NAMED_LIKE_TIME.search(self.name):
            times = dates_of(self.all, self.name, self.table.lines, None, choices.get("dayfirst"))
        values = numbers_of(self.all, choices.get("decimal") or self.table.decimal or decimal_of(self.cells))
        known = None if times is not None or np.isnan(values).all() else values
        return Column(self.name, "constant", self.cells, known, times, self.distinct, self.words)

    def _numbers(self, notes: Notes, choices: dict[str, Any]) -> np.ndarray | None:
        """(n,) float64 if enough cells are numbers, with the table's decimal sign or else with the other one."""
        own = decimal_of(self.cells)
        usual = choices.get("decimal") or self.table.decimal
        for decimal in dict.fromkeys(filter(None, (usual, own))):
            # A sample first: reading every text of a long column of words as a number would take seconds.
            if readable_share(self.all, decimal) < READABLE / 2:
                continue
            values = numbers_of(self.all, decimal)
            given = self.all.flags(signs=True)
            if given.any() and (~np.isnan(values[given])).sum() >= READABLE * given.sum():
                if decimal == "," and usual != ",":
                    self._say(notes, r".*\d,\d.*", "has decimal commas")
                elif decimal == ".":
                    self._say(notes, r"[+-]?[1-9]\d{0,2},\d{3}", "has commas that are read as marks of thousands")
                return values
        return None

    def _say(self, notes: Notes, pattern: str, what: str) -> None:
        """Say what the comma in numbers is taken for, if a number of the first rows has one."""
        for cell, line in zip(self.cells[:LOOK], self.table.lines, strict=False):
            if isinstance(cell, str) and "," in cell and re.fullmatch(pattern, cell):
                notes.say(f"Column '{self.name}' {what} (line {line}: '{cell}').", int(line), self.name)
                return

    def _counts(self, values: np.ndarray) -> bool:
        """1, 2, 3 ... in the first column, or in one that is named like a number of rows."""
        named = self.first or self.name.lower() in COUNTER_NAMES
        if not named or len(values) <= 3 or not np.isfinite(values[0]):
            return False
        return bool((values == values[0] + np.arange(len(values))).all())
