"""JSON and JSON lines: rows, columns, sequences of numbers, tagged words or texts, found by their shape."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from engine.data.files.json_rows import read_rows
from engine.data.files.structured import Arrays, RunningText, Sentences
from engine.data.limits import MAX_ROWS
from engine.data.names import SPLIT_VALUES
from engine.data.problems import DataError, Notes, named
from engine.data.table import Table

SURELY = re.compile(r"\s*(\{\s*[\"}]|\[\s*(\{|\"|\]|\[\s*[\"\[\d\-n]))")
PERHAPS = re.compile(r"\s*\[\s*-?\d")  # a list of numbers, or a text that begins with a number in brackets
MAX_DEPTH = 3  # objects around the rows
INTEGER_DIGITS = 18  # longer ones are read as floats: Python refuses those of more than 4,300 digits

Found = Table | Arrays | Sentences | RunningText


def read_json(text: str, name: str, kind: str | None, notes: Notes) -> Found | None:
    """What the JSON holds; None where the text is no JSON.

    Args:
        name: of the file; one that ends in .json must be JSON.
        kind: that was chosen, or None. Equally long lists of numbers are rows of a table if a series was chosen.

    Raises:
        DataError: for broken JSON, with its line, and for shapes that hold no rows.
    """
    sure = bool(SURELY.match(text)) or name.lower().endswith((".json", ".jsonl", ".ndjson"))
    if not sure and not PERHAPS.match(text):
        return None
    try:
        data, lines = _parsed(text)
    except DataError:
        if sure:
            raise
        return None
    rows = _list_in(data, notes)
    if len(rows) > MAX_ROWS:
        raise DataError(f"The JSON has {len(rows):,} rows; at most {MAX_ROWS:,} are read.", 1)
    numbers = np.array(lines) if len(lines) == len(rows) else np.arange(1, len(rows) + 1)
    return read_rows(rows, numbers.astype(np.int64), kind, notes)


def _parsed(text: str) -> tuple[Any, list[int]]:
    """The data, and of JSON lines the line of each row."""
    try:
        return _loads(text), []
    except json.JSONDecodeError as error:
        whole = DataError(f"Line {error.lineno} is not JSON: {error.msg}.", error.lineno)
    rows, lines = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(_loads(line))
        except json.JSONDecodeError as error:
            if not rows:
                raise whole from None
            place = f"(character {error.colno})"
            raise DataError(
                f"Line {number} is not JSON: {error.msg} {place}. Expected one row a line.", number
            ) from None
        lines.append(number)
    return rows, lines


def _loads(text: str) -> Any:
    return json.loads(text, parse_constant=float, parse_int=_whole)


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= INTEGER_DIGITS else float(digits)


# ---- where the rows are


def _list_in(data: Any, notes: Notes) -> list[Any]:
    """The list of rows within objects."""
    for _ in range(MAX_DEPTH):
        if isinstance(data, list):
            break
        if not isinstance(data, dict) or not data:
            break
        rows = _rows_of(data, notes)
        if rows is not None:
            return rows
        name = max(data, key=lambda key: _size(data[key], MAX_DEPTH))
        if len(data) > 1:
            others = named(key for key in data if key != name)
            notes.say(f"Of the JSON, '{name}' is read; {others} left out.", 1, name)
        data = data[name]
    if isinstance(data, list) and len(data) == 2 and isinstance(data[0], dict) and isinstance(data[1], list):
        notes.say("The JSON begins with an object about the rows; it is left out.", 1)
        data = data[1]
    if not isinstance(data, list) or not data:
        raise DataError("The JSON holds no list: one of rows, of numbers or of sequences is expected.", 1)
    return data


def _size(value: Any, depth: int) -> int:
    """Entries of the longest list in there."""
    if isinstance(value, list):
        return 1 + len(value)
    if isinstance(value, dict) and depth:
        return max((_size(each, depth - 1) for each in value.values()), default=0)
    return 0


def _rows_of(data: dict[str, Any], notes: Notes) -> list[Any] | None:
    """The rows of an object of columns, of rows by name, or of parts; None if it is none of these."""
    names, rows = data.get("columns"), data.get("data")
    if (
        isinstance(names, list)
        and _words(names)
        and isinstance(rows, list)
        and rows
        and all(isinstance(row, list) for row in rows)
    ):
        return [dict(zip(names, row, strict=False)) for row in rows]  # as pandas writes it with orient="split"
    parts = {key: value for key, value in data.items() if isinstance(value, list)}
    if len(parts) >= 2 and {key.lower() for key in data} <= set(SPLIT_VALUES) and all(map(_objects, parts.values())):
        return [{**row, "split": key} for key, rows in parts.items() for row in rows]
    if len(parts) >= 2 and len({len(value) for value in parts.values()}) == 1:
        if others := named(key for key in data if key not in parts):
            notes.say(f"The JSON's lists are read as columns; {others} left out.", 1)
        return [dict(zip(parts, row, strict=True)) for row in zip(*parts.values(), strict=True)]
    if all(isinstance(value, dict) for value in data.values()) and not any(
        isinstance(each, list | dict) for value in data.values() for each in value.values()
    ):
        return _turned(data)
    only = next(iter(parts.items())) if len(parts) == 1 else None
    if only and all(isinstance(each, int | float | str) or each is None for each in only[1]) and not _words(only[1]):
        return [{only[0]: each} for each in only[1]]
    return None


def _turned(data: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of an object of objects: by column where the inner names are numbers or many, else by row."""
    inner = list(dict.fromkeys(key for value in data.values() for key in value))
    if all(key.isdigit() for key in inner) or len(inner) > 2 * len(data):
        return [{name: data[name].get(key) for name in data} for key in inner]
    if all(key.isdigit() for key in data):
        return list(data.values())
    return [{"name": key, **value} for key, value in data.items()]


def _words(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _objects(value: Any) -> bool:
    return bool(value) and all(isinstance(each, dict) for each in value)
