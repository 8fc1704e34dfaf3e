"""The rows of a JSON file, and what they hold: a table, sequences of numbers, tagged words, or lines of text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.data.columns.cells import class_name
from engine.data.files.structured import Arrays, RunningText, Sentences
from engine.data.limits import MAX_CLASSES, MAX_COLUMNS, PROSE_WORDS
from engine.data.names import LABEL_NAMES, rank
from engine.data.problems import DataError, Notes, named
from engine.data.table import Table

MOSTLY = 0.8  # share of the rows in which a field must be a list
MAX_POINT = 8  # entries of a list that may be a row of a table, such as [time, value]
LOOK = 200  # rows looked at
WORD_NAMES = ("tokens", "words", "text", "sentence")
TAG_NAMES = ("ner_tags", "tags", "labels", "pos_tags", "ner")

Row = dict[str, Any]


def read_rows(
    rows: list[Any], lines: np.ndarray, kind: str | None, notes: Notes
) -> Table | Arrays | Sentences | RunningText:
    """What the rows hold.

    Args:
        rows: as JSON has them. lines: (n,) where each is.
        kind: that was chosen, or None.
    """
    if all(isinstance(row, str) for row in rows):
        return RunningText("\n".join(rows))
    if all(row is None or isinstance(row, int | float) for row in rows):
        return Table(("value",), (rows,), lines, header=False)
    if all(isinstance(row, list) for row in rows):
        return _of_lists(rows, lines, kind)
    odd = next((at for at, row in enumerate(rows) if not isinstance(row, dict)), None)
    if odd is not None:
        line = int(lines[odd])
        raise DataError(
            f"Row {line} of the JSON is {_named(rows[odd])}, but an object like the others is expected.", line
        )
    return _of_objects([_flat(row) for row in rows], lines, kind, notes)


def _named(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null", dict: "an object"}
    return names.get(type(value), "a number")


# ---- lists


def _of_lists(rows: list[list[Any]], lines: np.ndarray, kind: str | None) -> Table | Arrays:
    widths = {len(row) for row in rows}
    alike = len(widths) == 1 and 0 not in widths
    plain = alike and not any(isinstance(cell, list | dict) for row in rows for cell in row)
    words = plain and any(isinstance(cell, str) for row in rows for cell in row)
    if plain and (words or kind == "series" or (kind is None and _points(rows))):
        return _table_of_lists(rows, lines)
    return Arrays([array_of(row, int(line)) for row, line in zip(rows, lines, strict=True)], None, lines)


def _points(rows: list[list[Any]]) -> bool:
    """Short rows of which one entry always rises, as a time does: rows of a table and no sequences."""
    if len(rows[0]) > MAX_POINT or len(rows) < 3:
        return False
    values = array_of(rows, 1)
    return bool((np.diff(values, axis=0) > 0).all(0).any())


def _table_of_lists(rows: list[list[Any]], lines: np.ndarray) -> Table:
    first, second = rows[0], rows[min(1, len(rows) - 1)]
    header = all(isinstance(cell, str) for cell in first) and not all(isinstance(cell, str) for cell in second)
    names = tuple(first) if header else tuple(f"column {at + 1}" for at in range(len(first)))
    if len(set(names)) < len(names) or len(names) > MAX_COLUMNS:
        raise DataError(f"The {len(names):,} columns need names that differ, at most {MAX_COLUMNS:,} of them.", 1)
    body = rows[1:] if header else rows
    columns = tuple(list(column) for column in zip(*body, strict=True))
    return Table(names, columns, lines[1:] if header else lines, header)


def array_of(value: Any, line: int) -> np.ndarray:
    """(steps, channels) float64 of a list of numbers, or of lists of them; null is NaN.

    Raises:
        DataError: for anything else.
    """
    try:
        array = np.array(value, float)
    except (ValueError, TypeError, OverflowError):
        array = np.empty(())
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or not array.size:
        expected = "expected [step, step ...] or [[channel, channel ...] ...], all numbers"
        raise DataError(
            f"Sequence {line} is no list of numbers, or its steps have different numbers of channels; {expected}.", line
        )
    return array


# ---- objects


def _flat(row: Row) -> Row:
    """Objects within the row become fields named outer.inner."""
    flat: Row = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat.update({f"{name}.{inner}": each for inner, each in value.items()})
        else:
            flat[name] = value
    return flat


def _of_objects(rows: list[Row], lines: np.ndarray, kind: str | None, notes: Notes) -> Table | Arrays | Sentences:
    names = list(dict.fromkeys(name for row in rows for name in row))
    if len(names) > MAX_COLUMNS:
        raise DataError(f"The rows have {len(names):,} fields; at most {MAX_COLUMNS:,} are read.", int(lines[0]))
    lists = [name for name in names if sum(isinstance(row.get(name), list) for row in rows) >= MOSTLY * len(rows)]
    words = [
        name for name in lists if all(isinstance(each, str) for row in rows[:LOOK] for each in row.get(name) or [])
    ]
    if words and len(lists) >= 2 and kind in (None, "tagged"):
        tagged = _tagged(rows, lines, words, lists)
        if tagged is not None:
            return tagged
    for name in words:
        for row in rows:
            if isinstance(row.get(name), list):
                row[name] = " ".join(map(str, row[name]))
    lists = [name for name in lists if name not in words]
    prose = [name for name in names if name not in lists and _mean_words(rows, name) >= PROSE_WORDS]
    if lists and not prose and kind in (None, "sequences"):
        return _sequences(rows, lines, names, lists, notes)
    if lists:
        notes.say(f"The field '{lists[0]}' holds lists; {named(lists)} left out.", int(lines[0]), lists[0])
    names = [name for name in names if name not in lists]
    if not names:
        raise DataError(
            "The rows of the JSON hold nothing but lists; fields of numbers or texts are expected.", int(lines[0])
        )
    return Table(tuple(names), tuple([_cell(row.get(name)) for row in rows] for name in names), lines, header=False)


def _mean_words(rows: Sequence[Row], name: str) -> float:
    return float(np.mean([len(str(row.get(name) or "").split()) for row in rows[:LOOK]]))


def _cell(value: Any) -> object:
    return json.dumps(value) if isinstance(value, list | dict) else value


def _tagged(rows: list[Row], lines: np.ndarray, words: list[str], lists: list[str]) -> Sentences | None:
    """Words and tags of two lists a row, equally long in most rows; None if there are none such."""
    word = min(words, key=lambda name: rank(name, WORD_NAMES))
    rest = [name for name in lists if name != word and _as_long(rows, word, name) >= MOSTLY]
    if not rest:
        return None
    tag = min(rest, key=lambda name: rank(name, TAG_NAMES))
    sentences = []
    for row, line in zip(rows, lines.tolist(), strict=True):
        here, tags = row.get(word) or [], row.get(tag) or []
        if len(here) != len(tags):
            raise DataError(f"Row {line} has {len(here)} {word} but {len(tags)} {tag}.", line, tag)
        if here:
            sentences.append([(line, str(each), str(mark)) for each, mark in zip(here, tags, strict=True)])
    return Sentences(sentences, tag)


def _as_long(rows: list[Row], first: str, second: str) -> float:
    """Share of the rows in which two lists are equally long."""
    return float(np.mean([len(row.get(first) or []) == len(row.get(second) or []) for row in rows[:LOOK]]))


def _sequences(rows: list[Row], lines: np.ndarray, names: list[str], lists: list[str], notes: Notes) -> Arrays:
    values = max(lists, key=lambda name: len(rows[0].get(name) or []))
    fit = [name for name in names if name not in lists and 1 < _distinct(rows, name) <= min(MAX_CLASSES, len(rows) / 2)]
    label = min(fit, key=lambda name: rank(name, LABEL_NAMES), default=None)
    others = [name for name in names if name not in (values, label)]
    if others:
        notes.say(f"The field '{values}' holds the sequences; {named(others)} left out.", int(lines[0]), others[0])
    arrays = [array_of(row.get(values), int(line)) for row, line in zip(rows, lines, strict=True)]
    return Arrays(arrays, None if label is None else [class_name(row.get(label)) for row in rows], lines, label)


def _distinct(rows: list[Row], name: str) -> int:
    return len({str(row.get(name)) for row in rows})
