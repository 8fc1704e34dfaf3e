"""Which kind of data a table holds: the first rule that fits, else a series."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from engine.data.columns.numbers import numbers
from engine.data.kinds.columns import whole_numbers
from engine.data.kinds.sequences import end_columns
from engine.data.kinds.series_layout import year_columns
from engine.data.limits import PROSE_WORDS
from engine.data.names import LABEL_NAMES, PAIR_NAMES, UNKNOWN_NAME, rank
from engine.data.table import Column, Table

SENTENCE_COLUMN = re.compile(r"sentence ?#?|sentence_id|sent_id")
WORD_COLUMN = ("word", "token")
NO_PROSE = re.compile(r"https?:|^[A-Z]{0,3}\d+$|@")  # addresses and codes
NUMBERED = re.compile(r"[a-z_ ]*\d+")
NAMELESS = re.compile(r"column \d+")

LOOK = 500  # rows looked at
DIVERSE = 0.3  # share of different cells in a column of prose
MIN_STEPS = 8  # number columns that may be a sequence
MANY_STEPS = 20  # with so many, classes at one end are enough
HUGE = 1e150  # beyond, differences of numbers are no numbers
SMOOTHER = 0.7  # neighbours along the row differ by so much of what neighbours down a column do

Rule = Callable[[Table, list[Column]], str]


def guess(table: Table, columns: list[Column]) -> tuple[str, str]:
    """The kind, one of KINDS, and a sentence that says why."""
    for kind, rule in RULES:
        why = rule(table, columns)
        if why:
            return kind, why
    times = [column.name for column in columns if column.type == "time"]
    if year_columns(table):
        return "series", "The columns are years."
    if times:
        return "series", f"There are numbers over time ('{times[0]}')."
    return "series", "There are numbers in rows, taken to be in order of time."


# ---- words


def _tagged_words(table: Table, columns: list[Column]) -> str:
    names = [name.lower() for name in table.names]
    if any(SENTENCE_COLUMN.fullmatch(name) for name in names) and any(name in WORD_COLUMN for name in names):
        return "One column numbers sentences, another has their words."
    return ""


def _named_pair(table: Table, columns: list[Column]) -> str:
    sides = [c for c in columns if c.name.lower() in PAIR_NAMES and c.type in ("text", "label", "other")]
    if len(sides) >= 2 and len(columns) <= 4:
        return f"Columns are named as a pair: {', '.join(repr(side.name) for side in sides)}."
    return ""


def _two_columns_of_prose(table: Table, columns: list[Column]) -> str:
    if len(columns) == 2 and len(_long(columns)) == 2:
        return "Both columns hold texts of several words."
    return ""


def _classes_alone(table: Table, columns: list[Column]) -> str:
    types = [c.type for c in columns]
    if types.count("label") >= 2 and not {"text", "number", "counter", "time"} & set(types):
        return "All columns hold few values that come again: one is read, another is the class."
    return ""


def _prose_in_two_languages(table: Table, columns: list[Column]) -> str:
    """Two columns of prose of like lengths, and nothing that is named as a class."""
    prose = _prose(table, columns)
    if not _wordy(table, columns) or len(prose) < 2 or any(_is_named(c, LABEL_NAMES) for c in _classy(columns)):
        return ""
    first, second = prose[:2]
    if len(columns) > 3 and not (_is_named(first, PAIR_NAMES) and _is_named(second, PAIR_NAMES)):
        return ""
    cells = list(zip(first.cells[:LOOK], second.cells[:LOOK], strict=True))
    ratio = float(np.median([len(str(a)) / max(1, len(str(b))) for a, b in cells]))
    return f"'{first.name}' and '{second.name}' hold texts of like lengths." if 0.2 < ratio < 5 else ""


def _prose_and_classes(table: Table, columns: list[Column]) -> str:
    if _wordy(table, columns) and (_classy(columns) or any(c.type == "constant" for c in columns)):
        return "There are texts, and a column of few values that come again: their classes."
    return ""


def _two_texts(table: Table, columns: list[Column]) -> str:
    prose = _prose(table, columns) if _wordy(table, columns) else []
    return f"'{prose[0].name}' and '{prose[1].name}' hold texts." if len(prose) >= 2 else ""


def _prose_alone(table: Table, columns: list[Column]) -> str:
    if _wordy(table, columns) and _long(columns) and not _has_time(columns):
        return f"There is one column of texts, '{_long(columns)[0].name}', and no classes."
    return ""


def _wordy(table: Table, columns: list[Column]) -> bool:
    """Texts of several words, or few columns of which one has texts, and no time."""
    texts = [c for c in columns if c.type == "text"]
    few = len(columns) <= 4 and sum(c.type in ("number", "counter") for c in columns) <= 2
    return bool(_long(columns)) or (bool(texts) and few and not _has_time(columns))


def _long(columns: list[Column]) -> list[Column]:
    return [c for c in columns if c.type == "text" and c.words >= PROSE_WORDS]


def _prose(table: Table, columns: list[Column]) -> list[Column]:
    diverse = [c for c in columns if c.type == "text" and c.distinct > DIVERSE * len(table)]
    return [c for c in diverse if not NO_PROSE.search(str(c.cells[0]))]


def _classy(columns: list[Column]) -> list[Column]:
    return [c for c in columns if c.type == "label" or whole_numbers(c)]


def _is_named(column: Column, names: tuple[str, ...]) -> bool:
    return rank(column.name, names) < UNKNOWN_NAME


def _has_time(columns: list[Column]) -> bool:
    return any(c.type == "time" for c in columns)


# ---- numbers


def _sequences_in_rows(table: Table, columns: list[Column]) -> str:
    """Many number columns without names of their own, which belong together more than the rows do."""
    names = [name.lower() for name in table.names]
    named = not all(NAMELESS.fullmatch(name) for name in names)
    numbered = sum(bool(NUMBERED.fullmatch(name)) for name in names) > 0.8 * len(names)
    wide = [c for c in columns if c.type in ("number", "constant", "counter")]
    over_time = _has_time(columns) or "year" in names or year_columns(table)
    if over_time or len(wide) < MIN_STEPS or (named and not numbered):
        return ""
    if len(wide) >= 0.7 * len(columns):
        if len(wide) >= MANY_STEPS and end_columns(wide):
            return f"Each row has {len(wide) - 1} values and a class at one end."
        if any(c.type == "label" for c in columns):
            return f"Each row has {len(wide)} values and a class."
        if _is_smooth(wide, table.decimal):
            return f"The {len(wide)} values of a row follow each other more smoothly than those of a column."
    first = columns[0]
    if first.type in ("text", "label") and first.distinct == len(table) and _ends_early(wide[-1]):
        return "Each row has a name and its own number of values."
    return ""


def _is_smooth(columns: list[Column], decimal: str | None) -> bool:
    """Neighbours along a row differ less than neighbours in a column, the columns at the ends aside."""
    values = [c.values if c.values is not None else numbers(c.cells, decimal) for c in columns[1:-1]]
    rows = np.stack(values, 1)[:LOOK]
    rows = np.where(np.abs(rows) < HUGE, rows, np.nan)
    along, down = np.abs(np.diff(rows, axis=1)), np.abs(np.diff(rows, axis=0))
    along, down = along[np.isfinite(along)], down[np.isfinite(down)]
    return bool(len(along) and len(down) and np.median(along) < SMOOTHER * np.median(down))


def _ends_early(column: Column) -> bool:
    return column.values is not None and bool(np.isnan(column.values).any())


RULES: tuple[tuple[str, Rule], ...] = (
    ("tagged", _tagged_words),
    ("pairs", _named_pair),
    ("pairs", _two_columns_of_prose),
    ("labelled", _classes_alone),
    ("pairs", _prose_in_two_languages),
    ("labelled", _prose_and_classes),
    ("pairs", _two_texts),
    ("text", _prose_alone),
    ("sequences", _sequences_in_rows),
)
"""In order: the first that gives a reason decides."""
