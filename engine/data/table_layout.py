"""Whether a content is simply the cells of some lines of a file, and then of which."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.data.columns.numbers import number
from engine.data.content import (
    Content,
    LabelledContent,
    OneSeries,
    PairsContent,
    SequencesContent,
    SeriesContent,
    TaggedContent,
)
from engine.data.files.rows import has_escapes
from engine.data.kinds.sequences import value_columns
from engine.data.kinds.split import SplitColumns
from engine.data.kinds.tagged import roles
from engine.data.layout import PLAIN, Layout
from engine.data.table import Column, Table


def layout_of(
    text: str,
    table: Table,
    columns: list[Column],
    summary: dict[str, Any],
    content: Content,
    choices: dict[str, Any],
) -> Layout | None:
    """The layout of a content; None for what is not simply the cells of some lines: averaged rows, a table turned
    round, classes in several spellings.

    Args:
        text: whose lines the rows of the table are.
        columns: what each column of the table is. choices: what was chosen instead of a guess.
    """
    if table.quoted and (table.delimiter == " " or has_escapes(text)):
        return None
    if isinstance(content, SeriesContent):
        places = [_place(table, name) for name in content.channels]
        decimals = [
            _decimal(columns[at], content, channel, table) for channel, at in enumerate(places) if at is not None
        ]
    elif isinstance(content, LabelledContent):
        places = [_place(table, summary[what]) for what in ("text", "label")]
        decimals = [PLAIN, PLAIN] if None not in places and _same_classes(columns, places, content, table) else []
    elif isinstance(content, PairsContent):
        places, decimals = [_place(table, summary[what]) for what in ("source", "target")], [PLAIN, PLAIN]
    elif isinstance(content, SequencesContent):
        return _of_sequences(table, columns, summary, content)
    elif isinstance(content, TaggedContent) and content.skipped is not None:
        _, word, tag = roles(table, columns, choices)
        places, decimals = [_place(table, each.name) for each in (word, tag)], [PLAIN, PLAIN]
    else:
        return None
    if None in places or len(decimals) < len(places) or None in decimals:
        return None
    found = tuple(table.places[at] for at in places if at is not None)
    return Layout(table.delimiter, table.quoted, found, tuple(each for each in decimals if each is not None))


def _of_sequences(
    table: Table, columns: Sequence[Column], summary: dict[str, Any], content: SequencesContent
) -> Layout | None:
    """The layout of a sequence a row; None where a cell is no number as a program reads it."""
    rows = np.searchsorted(table.lines, content.lines)
    label = next((each for each in columns if each.name == summary["label"]), None)
    steps = value_columns(SplitColumns.among(columns, len(table)).others(columns), label)
    signs = [None if each.values is None else _sign(each, rows, each.values[rows]) for each in steps]
    if not table.places or None in signs:
        return None
    named = (
        label is not None
        and content.labels is not None
        and all(
            str(label.cells[row]) == content.classes[number] for row, number in zip(rows, content.labels, strict=True)
        )
    )
    used = [*steps, *([label] if named and label is not None else [])]
    places = tuple(table.places[table.names.index(each.name)] for each in used)
    return Layout(table.delimiter, table.quoted, places, tuple(each for each in signs if each is not None))


def _sign(column: Column, rows: np.ndarray, values: np.ndarray) -> str | None:
    """With which decimal sign the cells of these rows are these values, NaN where they are none; None if with none."""
    cells = [column.cells[row] for row in rows]
    if np.array_equal([_plain(cell) for cell in cells], values, equal_nan=True):
        return PLAIN
    signs = (sign for sign in (".", ",") if np.array_equal([number(cell, sign) for cell in cells], values, True))
    return next(signs, None)


def _plain(cell: object) -> float:
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan


def _place(table: Table, name: str) -> int | None:
    """Which column of the table has this name; None if none has."""
    return table.names.index(name) if name in table.names and table.places else None


def _decimal(column: Column, content: SeriesContent, channel: int, table: Table) -> str | None:
    """With which decimal sign the cells of a column are all known values of a channel; None if with none."""
    known = [~np.isnan(one.values[:, channel]) & (one.lines > 0) for one in content.series]
    values = np.concatenate([one.values[which, channel] for one, which in zip(content.series, known, strict=True)])
    rows = _rows(table, content.series, known)
    if rows is None:
        return None
    cells = np.array(column.cells, object)[rows]
    try:
        if np.array_equal(cells.astype(np.float64), values):
            return PLAIN
    except (TypeError, ValueError):
        pass
    signs = (sign for sign in (".", ",") if np.array_equal([number(cell, sign) for cell in cells], values))
    return next(signs, None)


def _rows(table: Table, series: Sequence[OneSeries], known: Sequence[np.ndarray]) -> np.ndarray | None:
    """(n,) the rows of the table that known values come from; None where two come from one, or some from none."""
    lines = np.concatenate([one.lines[which] for one, which in zip(series, known, strict=True)])
    put_in = any((~np.isnan(one.values) & (one.lines == 0)[:, None]).any() for one in series)
    if put_in or len(np.unique(lines)) < len(lines):
        return None
    return np.searchsorted(table.lines, lines)


def _same_classes(
    columns: Sequence[Column], places: Sequence[int | None], content: LabelledContent, table: Table
) -> bool:
    """Whether the cells of the column of classes are the names of the classes, capitals aside."""
    cells = columns[places[1] or 0].cells
    rows = np.searchsorted(table.lines, content.lines)
    return all(
        str(cells[row]).lower() == content.classes[label].lower()
        for row, label in zip(rows, content.labels, strict=True)
    )
