"""Running text: what its symbols are, where its lines end, and which part is held out."""

from __future__ import annotations

import re
import statistics
from itertools import pairwise
from typing import Any

import numpy as np

from engine.data.content import TextContent
from engine.data.kinds.columns import by_name, is_empty
from engine.data.kinds.split import check_sides, held_out
from engine.data.kinds.tokens import CHARACTERS, WORDS, readable, say_lower_case, split_text
from engine.data.kinds.vocabulary import Numbered, known_symbols, unknown_share
from engine.data.limits import MAX_TEXT
from engine.data.problems import DataError, Notes, named
from engine.data.table import Column, Table
from engine.data.tasks.text import LINE_END, held_out_baselines
from engine.number_format import count

TEST_SHARE = 0.1
MIN_SYMBOLS = {CHARACTERS: 200, WORDS: 100}
MIN_DIFFERENT = 3
MIN_LINES = 20  # from so many on, lines show how they are meant
SHORT = 2  # words of a usual line, up to which each line is a text of its own: a name, a place
WRAPPED = (40, 120)  # characters of a full line of a text that was broken to a width
FULL, MOSTLY = 0.7, 0.8  # a full line has this share of the width, and so many lines inside paragraphs are full
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

Pieces = list[tuple[int, str]]
"""(line, text) of what is read, in order; the line's end is part of the text."""


def of_table(
    table: Table, columns: list[Column], notes: Notes, choices: dict[str, Any]
) -> tuple[dict[str, Any], TextContent]:
    """The column with the most words, row after row.

    Raises:
        DataError: if there is too little text in it.
    """
    column = (
        by_name(columns, choices["text"], "text") if choices.get("text") else max(columns, key=lambda each: each.words)
    )
    others = [each.name for each in columns if each is not column]
    if others:
        notes.say(
            f"Column '{column.name}' is read as one text, row after row; {named(others)} left out.",
            None,
            column.name,
        )
    lines = [
        (int(line), part)
        for line, cell in zip(table.lines, column.cells, strict=True)
        if not is_empty(cell)
        for part in _lines(readable(cell))
    ]
    return _of_lines(lines, notes, choices)


def of_text(text: str, notes: Notes, choices: dict[str, Any]) -> tuple[dict[str, Any], TextContent]:
    """A text as it stands in a file.

    Raises:
        DataError: if it is too short, or has hardly any different symbols.
    """
    return _of_lines(list(enumerate(_lines(readable(text[: MAX_TEXT + 1])), 1)), notes, choices, len(text))


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _of_lines(
    lines: Pieces, notes: Notes, choices: dict[str, Any], length: int | None = None
) -> tuple[dict[str, Any], TextContent]:
    """lines: (number, text) of each. length: characters of the whole file, if only a part of it was given."""
    lines = _limited(lines, notes, length)
    filled = [(number, line.strip()) for number, line in lines if line.strip()]
    short = len(filled) > MIN_LINES and statistics.median(len(line.split()) for _, line in filled) <= SHORT
    unit, share = choices.get("unit") or CHARACTERS, choices.get("test_share", TEST_SHARE)
    pieces, trained = _names(filled, share, notes) if short else (_paragraphs(lines, notes), None)
    texts = [text for _, text in pieces]
    if unit == WORDS:
        say_lower_case(texts, notes)
    numbers, symbols, lengths = _characters(texts) if unit == CHARACTERS else _words(texts, short)
    if len(numbers) < MIN_SYMBOLS[unit]:
        raise DataError(
            f"The text has {len(numbers)} {unit}; at least {MIN_SYMBOLS[unit]} are needed to learn anything from.", 1
        )
    if len(symbols) < MIN_DIFFERENT:
        raise DataError(f"The text has only {len(symbols)} different {unit}: there is nothing to learn.", 1)
    cut = int(len(numbers) * (1 - share)) if trained is None else sum(lengths[:trained])
    vocabulary, number = known_symbols(symbols, np.bincount(numbers[:cut], minlength=len(symbols)), unit, notes)
    content = TextContent(
        tokens=number[numbers],
        lines=np.repeat(np.array([line for line, _ in pieces], np.int32), lengths),
        cut=cut,
        vocabulary=vocabulary,
        unit=unit,
    )
    return _summary(content, len(filled), short), content


def _summary(content: TextContent, rows: int, short: bool) -> dict[str, Any]:
    """rows: lines that are not empty. short: each is a text of its own."""
    return {
        "rows": rows,
        "sequences": rows if short else 1,
        "train": content.cut,
        "test": len(content.tokens) - content.cut,
        "unit": content.unit,
        "vocabulary": len(content.vocabulary),
        "length": len(content.tokens),
        "lines": short,
        "unknown": unknown_share([content.tokens[content.cut :]]),
        "baselines": held_out_baselines(content),
    }


def _limited(lines: Pieces, notes: Notes, length: int | None) -> Pieces:
    """The lines up to MAX_TEXT characters, without signs that control a terminal."""
    ends = np.cumsum([len(line) + 1 for _, line in lines])
    last = int(np.searchsorted(ends, MAX_TEXT + 1, side="right"))
    if last < len(lines):
        whole = int(ends[-1]) - 1 if length is None else length
        notes.say(f"The text has {whole:,} characters; the first {MAX_TEXT:,} are read.", lines[last][0])
        before = int(ends[last - 1]) if last else 0
        lines = [*lines[:last], (lines[last][0], lines[last][1][: MAX_TEXT - before])]
    odd = [number for number, line in lines if CONTROL.search(line)]
    if odd:
        notes.say(
            f"Line {odd[0]} holds control characters; in {count(len(odd), 'such line')} they are read as spaces.",
            odd[0],
        )
        lines = [(number, CONTROL.sub(" ", line)) for number, line in lines]
    return lines


def _names(lines: Pieces, share: float, notes: Notes) -> tuple[Pieces, int]:
    """Lines that are texts of their own, those for training first: a list is often sorted, and its end like no other
    part. Returns how many are for training."""
    held = held_out([line for _, line in lines], share)
    check_sides(held, "lines", lines[0][0])
    notes.say(
        f"Each line is a text of its own. {held.sum():,} of the {len(lines):,} lines, from all parts of the file, are "
        "held out; copies of a line are kept on one side."
    )
    order = np.argsort(held, kind="stable")
    return [(lines[place][0], lines[place][1] + LINE_END) for place in order], int((~held).sum())


def _paragraphs(lines: Pieces, notes: Notes) -> Pieces:
    """Lines as they stand, several empty ones as one. Where a text was broken to a width, paragraphs are one line."""
    stripped = [(number, line.rstrip()) for number, line in lines]
    inside = [len(line) for (_, line), (_, after) in pairwise(stripped) if line and after]
    width = float(np.percentile(inside, 95)) if len(inside) >= MIN_LINES else 0.0
    wrapped = WRAPPED[0] <= width <= WRAPPED[1] and float(np.mean(np.array(inside) >= FULL * width)) >= MOSTLY
    pieces: Pieces = []
    if wrapped:
        notes.say("The lines are broken to a width: ends of lines inside paragraphs are read as spaces.")
        following = [*(line for _, line in stripped[1:]), ""]
        pieces = [
            (number, " ".join(line.split()) + (" " if after else LINE_END))
            for (number, line), after in zip(stripped, following, strict=True)
            if line
        ]
    else:
        for number, line in stripped:
            if line or (pieces and pieces[-1][1] != LINE_END):
                pieces.append((number, line + LINE_END))
    while pieces and not pieces[-1][1].strip():
        pieces.pop()
    return [*pieces[:-1], (pieces[-1][0], pieces[-1][1].rstrip())] if pieces else []


def _characters(texts: list[str]) -> tuple[np.ndarray, list[str], list[int]]:
    """(n,) the number of every character, the different ones, and how many each text has. For millions of them."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), "<u4")
    present = np.flatnonzero(np.bincount(codes))
    number = np.zeros(int(present[-1]) + 1 if len(present) else 0, np.int32)
    number[present] = np.arange(len(present))
    return number[codes], [chr(code) for code in present], [len(text) for text in texts]


def _words(texts: list[str], short: bool) -> tuple[np.ndarray, list[str], list[int]]:
    """As `_characters`, of words. short: the end of each text is a symbol, too."""
    ends = [LINE_END] if short else []
    numbered = Numbered.of([*split_text(text, WORDS), *ends] for text in texts)
    flat = np.concatenate([np.zeros(0, np.int32), *numbered.sequences])
    return flat, numbered.symbols, [len(each) for each in numbered.sequences]
