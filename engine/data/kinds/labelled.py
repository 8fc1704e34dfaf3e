"""Texts with a class each: which column is which, and what a network will read."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from engine.data.columns.cells import class_name, is_missing
from engine.data.content import LabelledContent
from engine.data.kinds.columns import by_name, is_empty, whole_numbers
from engine.data.kinds.split import NOTHING, Given, SplitColumns, check_sides, say_copies
from engine.data.kinds.tokens import (
    clean,
    lengths_of,
    readable,
    say_lower_case,
    split_text,
    spread,
    usual_unit,
)
from engine.data.kinds.vocabulary import Numbered, unknown_share, vocabulary_of
from engine.data.limits import LOPSIDED, MAX_CLASSES
from engine.data.names import LABEL_NAMES, TEXT_NAMES, UNKNOWN_NAME, rank
from engine.data.problems import DataError, Notes, left_out, named
from engine.data.table import Column, Table
from engine.data.tasks.labelled import held_out_baselines
from engine.number_format import count, verb

TEST_SHARE = 0.2
MIN_TEXTS = 10
MAX_STEPS = 200  # symbols of a text that are read
LONG_NUMBER = 19  # digits; Python refuses to read thousands of them
LOOKED_AT = 2_000  # rows by which the column of texts is chosen


def of_table(
    table: Table, columns: list[Column], notes: Notes, choices: dict[str, Any]
) -> tuple[dict[str, Any], LabelledContent]:
    """Texts and classes of two columns of a table.

    Raises:
        DataError: if there are no such columns, or too little in them.
    """
    text = _text_column(table, columns, choices)
    label = _label_column(table, [each for each in columns if each is not text], choices)
    rest = [each for each in columns if each not in (text, label)]
    split = SplitColumns.among(rest, len(table))
    _say_unused(split.others(rest), table, notes)
    names = _classes_as_written(label)
    kept = [row for row, cell in enumerate(text.cells) if names[row] and not is_empty(cell)]
    if len(kept) < len(table):
        lacking = int(np.setdiff1d(np.arange(len(table)), kept)[0])
        notes.say(
            f"Line {table.lines[lacking]} lacks a text or a class; {left_out(len(table) - len(kept), 'row')}.",
            int(table.lines[lacking]),
            label.name,
        )
    rows = np.array(kept, np.int64)[spread(len(kept), notes, "texts with a class")]
    return of_texts(
        [text.cells[row] for row in rows],
        [names[row] for row in rows],
        table.lines[rows],
        notes,
        choices,
        (text.name, label.name),
        split.given(rows, notes),
    )


def _say_unused(columns: list[Column], table: Table, notes: Notes) -> None:
    if columns:
        says = f"Neither text nor class, so left out: {named(each.name for each in columns)}."
        notes.say(says, int(table.lines[0]), columns[0].name, harmless=True)


def of_texts(
    texts: list[str],
    labels: list[str],
    lines: np.ndarray,
    notes: Notes,
    choices: dict[str, Any],
    names: tuple[str, str],
    given: Given = NOTHING,
) -> tuple[dict[str, Any], LabelledContent]:
    """Texts as symbols, classes as numbers, and which are held out.

    Args:
        lines: (n,) the line of each.
        names: of the column of texts and of that of classes.
        given: what the file says of the split.

    Raises:
        DataError: for too few texts or classes, and too many classes.
    """
    cleaned = clean(texts, lines, notes, names[0])
    labels = _one_spelling([readable(label).strip() for label in labels], lines, notes, names[1])
    rows = _enough(cleaned, labels, lines, notes, names)
    cleaned, labels = [cleaned[row] for row in rows], [labels[row] for row in rows]
    lines, given = lines[rows], given.only(rows)
    unit = choices.get("unit") or usual_unit(cleaned)
    say_lower_case(cleaned, notes, names[0])
    symbols = _read(cleaned, unit, lines, notes, names[0])
    keys = symbols.written()
    held = given.divided(keys, choices.get("test_share", TEST_SHARE), labels)
    check_sides(held, "texts", int(lines[0]))
    say_copies(keys, held, lines, notes, "text", names[0])
    vocabulary, tokens = vocabulary_of(symbols, held, unit, notes)
    counts = Counter(labels)
    classes = _in_order(counts)
    number = {name: place for place, name in enumerate(classes)}
    content = LabelledContent(
        tokens=tokens,
        labels=np.array([number[label] for label in labels], np.int64),
        classes=classes,
        held=held,
        lines=lines.astype(np.int64),
        vocabulary=vocabulary,
        unit=unit,
    )
    return _summary(content, names, dict(counts.most_common())), content


def _summary(content: LabelledContent, names: tuple[str, str], counts: dict[str, int]) -> dict[str, Any]:
    held = content.held
    return {
        "text": names[0],
        "label": names[1],
        "rows": len(held),
        "sequences": len(held),
        "train": int((~held).sum()),
        "test": int(held.sum()),
        "classes": counts,
        "unit": content.unit,
        "lengths": lengths_of(content.tokens),
        "vocabulary": len(content.vocabulary),
        "unknown": unknown_share([each for each, out in zip(content.tokens, held, strict=True) if out]),
        "baselines": held_out_baselines(content),
    }


# ---- which column is which


def _text_column(table: Table, columns: list[Column], choices: dict[str, Any]) -> Column:
    if chosen := choices.get("text"):
        return by_name(columns, chosen, "texts")
    texts = [each for each in columns if each.type == "text"]
    if not texts:
        texts = sorted((each for each in columns if each.type == "label"), key=lambda each: -each.distinct)[:1]
    if not texts:
        raise DataError("No column of texts was found, which texts with a class need.", int(table.lines[0]))

    def likely(column: Column) -> float:
        """Characters in a cell; a usual name counts as three times as many."""
        long = float(np.mean([len(str(cell)) for cell in column.cells[:LOOKED_AT]]))
        return long * (3 if rank(column.name, TEXT_NAMES) < UNKNOWN_NAME else 1)

    return max(texts, key=likely)


def _label_column(table: Table, columns: list[Column], choices: dict[str, Any]) -> Column:
    if chosen := choices.get("label"):
        return by_name(columns, chosen, "classes")
    labels = [each for each in columns if each.type == "label" or whole_numbers(each)]
    if labels:
        return min(labels, key=lambda each: (rank(each.name, LABEL_NAMES), _share_missing(each) > 0.2, each.distinct))
    for each in columns:
        if each.type == "constant" and (rank(each.name, LABEL_NAMES) < UNKNOWN_NAME or len(columns) == 1):
            raise _one_class(str(each.cells[0]), int(table.lines[0]), each.name)
    raise DataError(
        f"No column of classes was found: one with 2 to {MAX_CLASSES} different values, each of which comes again.",
        int(table.lines[0]),
    )


def _share_missing(column: Column) -> float:
    return sum(map(_no_class, column.cells)) / len(column.cells)


def _no_class(cell: object) -> bool:
    """Missing; but "none" is a class."""
    return is_missing(cell) and str(cell).strip().lower() != "none" if isinstance(cell, str) else is_missing(cell)


def _classes_as_written(label: Column) -> list[str]:
    """The class of each row; "" where it is missing. A column of whole numbers is written as such: "5" for "5.0"."""
    if label.values is not None and whole_numbers(label):
        return [class_name(value) or "" for value in label.values]
    return ["" if _no_class(cell) else readable(class_name(cell)).strip() for cell in label.cells]


# ---- what is done with them


def _one_spelling(labels: list[str], lines: np.ndarray, notes: Notes, column: str) -> list[str]:
    """Classes that differ in capitals alone are one, in its most common spelling."""
    spellings: dict[str, Counter[str]] = {}
    for label in labels:
        spellings.setdefault(label.lower(), Counter())[label] += 1
    for several in spellings.values():
        if len(several) > 1:
            named = " and ".join(f"'{each}'" for each in several)
            line = int(lines[labels.index(list(several)[1])])
            notes.say(f"The classes {named} differ only in capitals; they are taken for one.", line, column)
    return [spellings[label.lower()].most_common(1)[0][0] for label in labels]


def _one_class(name: str, line: int | None, column: str) -> DataError:
    return DataError(f"There is only one class, '{name}': at least two are needed to tell apart.", line, column)


def _enough(texts: list[str], labels: list[str], lines: np.ndarray, notes: Notes, names: tuple[str, str]) -> list[int]:
    """The rows that are used: those with a text whose class comes again."""
    rows = [row for row, text in enumerate(texts) if text and labels[row]]
    counts = Counter(labels[row] for row in rows)
    first = int(lines[rows[0]]) if rows else None
    if len(counts) > MAX_CLASSES:
        raise DataError(
            f"Column '{names[1]}' has {len(counts):,} different classes; at most {MAX_CLASSES} are read. "
            "Is it the column of classes?",
            first,
            names[1],
        )
    for name, often in counts.items():
        if often == 1:
            line = int(lines[next(row for row in rows if labels[row] == name)])
            notes.say(
                f"The class '{name}' occurs once, in line {line}; it could be trained or tested, not both, and is left "
                "out.",
                line,
                names[1],
            )
    rows = [row for row in rows if counts[labels[row]] > 1]
    left = Counter(labels[row] for row in rows)
    if len(left) == 1 or len(counts) == 1:
        raise _one_class(next(iter(left or counts)), first, names[1])
    if len(rows) < MIN_TEXTS:
        raise DataError(
            f"There are {len(rows)} texts with a class that comes again; at least {MIN_TEXTS} are needed.", first
        )
    largest, count = left.most_common(1)[0]
    if count > LOPSIDED * len(rows):
        notes.say(
            f"{100 * count / len(rows):.0f} % of the rows are '{largest}': who always says so is right that often. "
            "Look at the accuracy beside that number.",
            None,
            names[1],
            harmless=True,
        )
    return rows


def _read(texts: list[str], unit: str, lines: np.ndarray, notes: Notes, column: str) -> Numbered:
    """The first MAX_STEPS symbols of each text."""
    long: list[int] = []

    def symbols(row: int, text: str) -> list[str]:
        found = split_text(text.lower(), unit)
        if len(found) > MAX_STEPS:
            long.append(row)
        return found[:MAX_STEPS]

    numbered = Numbered.of(symbols(row, text) for row, text in enumerate(texts))
    if long:
        notes.say(
            f"{count(len(long), 'text')}, first in line {lines[long[0]]}, {verb(len(long), 'is', 'are')} longer "
            f"than {MAX_STEPS} {unit}; the first {MAX_STEPS} are read.",
            int(lines[long[0]]),
            column,
        )
    return numbered


def _in_order(classes: Counter[str]) -> tuple[str, ...]:
    """Classes sorted: as numbers where all of them are."""
    numeric = all(len(each) < LONG_NUMBER and each.removeprefix("-").isdecimal() for each in classes)
    return tuple(sorted(classes, key=lambda each: (int(each) if numeric else 0, each)))
