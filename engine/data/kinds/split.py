"""Which sequences are held out of training: whole texts, whole groups, classes in proportion; never by chance."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.data.kinds.columns import group_column
from engine.data.names import SPLIT_NAMES, SPLIT_VALUES
from engine.data.problems import DataError, Notes
from engine.data.table import Column
from engine.number_format import count, verb

TRAINED = ("train", "training")


def held_out(keys: Sequence[str], share: float, classes: Sequence[Hashable] | None = None) -> np.ndarray:
    """(n,) bool, True for what is held out. It depends on the keys alone, not on their order.

    Args:
        keys: equal ones go to the same side: the text itself, the name of a person.
        share: how much of each class is held out, about; at least one key, never all.
        classes: of each row; a key that occurs in several belongs to the one where it stands first.
    """
    numbers: dict[str, int] = {}
    of_row = np.fromiter((numbers.setdefault(key, len(numbers)) for key in keys), np.int64, len(keys))
    sizes = np.bincount(of_row, minlength=len(numbers))
    own: dict[int, Hashable] = {}
    for number, kind in zip(of_row.tolist(), [None] * len(keys) if classes is None else classes, strict=True):
        own.setdefault(number, kind)
    members: dict[Hashable, list[tuple[bytes, int]]] = {}
    for key, number in numbers.items():
        lot = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        members.setdefault(own[number], []).append((lot, number))
    chosen = np.zeros(len(numbers), bool)
    for lots in members.values():
        chosen[_drawn([number for _, number in sorted(lots)], sizes, share)] = True
    return chosen[of_row]


def _drawn(numbers: list[int], sizes: np.ndarray, share: float) -> list[int]:
    """Of keys in the order of their lots those that are held out, such that about this share of the rows is."""
    if len(numbers) < 2:
        return []
    wanted, taken = share * sizes[numbers].sum(), 0
    drawn: list[int] = []
    for number in numbers:
        if taken + sizes[number] / 2 <= wanted and len(drawn) < len(numbers) - 1:
            drawn.append(number)
            taken += int(sizes[number])
    return drawn or [min(numbers, key=lambda number: sizes[number])]


def split_column(columns: Sequence[Column]) -> Column | None:
    """The column that says itself what is for training and what for testing, if there is one."""
    for column in columns:
        values = {str(cell).strip().lower() for cell in column.cells} if column.name.lower() in SPLIT_NAMES else set()
        if values & set(TRAINED) and len(values) > 1 and values <= set(SPLIT_VALUES):
            return column
    return None


FEWEST_DOCUMENTS = 5  # to be kept whole: of fewer, the held-out part would be too large or too small


@dataclass(frozen=True, eq=False)
class Given:
    """What a file itself says of the split of its rows.

    Args:
        held: (n,) bool, which are held out; None where the file does not say so.
        groups: of each row, to be kept whole; None where every row may stand for itself.
    """

    held: np.ndarray | None = None
    groups: list[str] | None = None

    def only(self, rows: Sequence[int] | np.ndarray) -> Given:
        """The same of some of the rows."""
        held = None if self.held is None else self.held[rows]
        return Given(held, None if self.groups is None else [self.groups[row] for row in rows])

    def divided(self, keys: Sequence[str], share: float, classes: Sequence[Hashable] | None = None) -> np.ndarray:
        """(n,) bool, True for what is held out: as the file says, else by whole groups, else as in `held_out`."""
        if self.held is not None:
            return self.held
        return held_out(keys, share, classes) if self.groups is None else held_out(self.groups, share)


NOTHING = Given()
"""The file says nothing of it."""


@dataclass(frozen=True, eq=False)
class SplitColumns:
    """The columns of a table that say which rows stand on one side.

    Args:
        own: says for each row whether it is for training. groups: names persons or documents. Either may be None.
    """

    own: Column | None
    groups: Column | None

    @classmethod
    def among(cls, columns: Sequence[Column], rows: int, *, documents: bool = False) -> SplitColumns:
        """Those of a table with so many rows. documents: a column of documents names groups, too."""
        own = split_column(columns)
        return cls(own, group_column([each for each in columns if each is not own], rows, documents))

    def others(self, columns: Sequence[Column]) -> list[Column]:
        """The columns that are neither."""
        return [each for each in columns if each not in (self.own, self.groups)]

    def given(self, rows: np.ndarray, notes: Notes, fewest: int = 2) -> Given:
        """What they say of some rows, which is said. fewest: groups that must be there for them to be kept whole."""
        held = None if self.own is None else held_by(self.own, rows, notes)
        if held is not None or self.groups is None:
            return Given(held)
        cells, name = [str(self.groups.cells[row]) for row in rows], self.groups.name
        return Given(groups=whole_groups(cells, f"Column '{name}' names", notes, name, fewest))


def held_by(column: Column, rows: np.ndarray, notes: Notes) -> np.ndarray | None:
    """(rows,) bool as the file's own column says; None if one side of it is empty, which is said."""
    held = np.array([str(column.cells[row]).strip().lower() not in TRAINED for row in rows], bool)
    if held.all() or not held.any():
        side = "trained" if held.all() else "held-out"
        notes.say(f"By column '{column.name}' the {side} part is empty; it is not obeyed.", None, column.name)
        return None
    notes.say(
        f"Column '{column.name}' says what is for training: {held.sum():,} of {len(held):,} rows are held out.",
        None,
        column.name,
    )
    return held


def whole_groups(
    groups: list[str], who_names: str, notes: Notes, column: str | None = None, fewest: int = 2
) -> list[str] | None:
    """The group of each row, if they can be kept whole; else None. Either is said.

    Args:
        who_names: how the sentence begins: "Column 'person' names".
    """
    count = len(set(groups))
    if count >= fewest:
        says = f"{who_names} {count:,} groups; each is kept whole, on one side of the split."
    elif count < 2:
        says = f"{who_names} one group only; it decides nothing."
    else:
        says = f"{who_names} {count} groups; fewer than {fewest} are not kept whole, so each can stand on both sides."
    notes.say(says, None, column, harmless=True)
    return groups if count >= fewest else None


def say_copies(
    keys: Sequence[str], held: np.ndarray, lines: np.ndarray, notes: Notes, what: str, column: str | None = None
) -> None:
    """Say how many of these come again, if any do, and whether they are on one side.

    Args:
        what: "text".
    """
    seen = Counter(keys)
    if len(seen) == len(keys):
        return
    first = int(lines[next(row for row, key in enumerate(keys) if seen[key] > 1)])
    trained = {key for key, out in zip(keys, held, strict=True) if not out}
    both = sum(bool(out) and key in trained for key, out in zip(keys, held, strict=True))
    more = len(keys) - len(seen)
    sides = "copies are kept on one side of the split"
    if both:
        sides = f"{count(both, 'held-out one')} {verb(both, 'is', 'are')} trained on as well"
    stands = f"{count(more, what)} {verb(more, 'stands', 'stand')} there more than once"
    says = f"{stands}, first that in line {first}; {sides}."
    notes.say(says, first, column, harmless=True)


def check_sides(held: np.ndarray, what: str, line: int | None) -> None:
    """Raises DataError if nothing is held out, or nothing is left to train on."""
    if held.all() or not held.any():
        sentence = (
            f"{len(held):,} {what} cannot be divided into trained and held-out ones: all of them are the same, or "
        )
        raise DataError(f"{sentence}meant for one side.", line)
