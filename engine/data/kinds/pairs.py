"""Pairs of texts, a source and the target that answers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.data.content import PairsContent
from engine.data.kinds.columns import by_name, is_empty
from engine.data.kinds.split import NOTHING, Given, SplitColumns, check_sides, say_copies
from engine.data.kinds.tokens import CHARACTERS, WORDS, clean, say_lower_case, split_text, spread, usual_unit
from engine.data.kinds.vocabulary import Numbered, unknown_share, vocabulary_of
from engine.data.names import PAIR_NAMES, rank
from engine.data.problems import DataError, Notes, left_out, named
from engine.data.table import Column, Table
from engine.data.tasks.pairs import held_out_baselines
from engine.number_format import count, verb

TEST_SHARE = 0.1
MIN_PAIRS = 10
MAX_STEPS = {WORDS: 60, CHARACTERS: 120}  # symbols of either side; longer pairs are left out
ANSWERS = ("target", "tgt", "output", "answer", "to", "completion", "response")
"""Names of a column that can only be the second side, wherever it stands."""


def of_table(
    table: Table, columns: list[Column], notes: Notes, choices: dict[str, Any]
) -> tuple[dict[str, Any], PairsContent]:
    """Pairs of two columns of a table; the others are left out, which is said.

    Raises:
        DataError: if there are no such columns, or too few pairs.
    """
    source, target = _sides(table, columns, choices)
    rest = [each for each in columns if each not in (source, target)]
    split = SplitColumns.among(rest, len(table))
    left_out = [each.name for each in split.others(rest)]
    if left_out:
        notes.say(
            f"Of {len(columns)} columns '{source.name}' and '{target.name}' are the pair; {named(left_out)} left out.",
            int(table.lines[0]),
            left_out[0],
        )
    rows = spread(len(table), notes, "pairs")
    return of_texts(
        ["" if is_empty(source.cells[row]) else str(source.cells[row]) for row in rows],
        ["" if is_empty(target.cells[row]) else str(target.cells[row]) for row in rows],
        table.lines[rows],
        notes,
        choices,
        (source.name, target.name),
        split.given(rows, notes),
    )


def of_texts(
    sources: list[str],
    targets: list[str],
    lines: np.ndarray,
    notes: Notes,
    choices: dict[str, Any],
    names: tuple[str, str],
    given: Given = NOTHING,
) -> tuple[dict[str, Any], PairsContent]:
    """Both sides as symbols, and which pairs are held out: by their source, so that no held-out one was trained.

    Args:
        lines: (n,) the line of each pair.
        names: of the two columns, or files.
        given: what the file says of the split.

    Raises:
        DataError: for too few pairs.
    """
    asked, answered = clean(sources, lines, notes, names[0]), clean(targets, lines, notes, names[1])
    whole = _whole(asked, answered, lines, notes)
    units = tuple(choices.get("unit") or _unit([side[row] for row in whole]) for side in (asked, answered))
    sides = zip((asked, answered), units, strict=True)
    symbols = [Numbered.of(split_text(text, unit) for text in side) for side, unit in sides]
    rows = _short_enough(whole, symbols, units, lines, notes)
    for side, unit, name in zip((asked, answered), units, names, strict=True):
        if unit == WORDS:
            say_lower_case([side[row] for row in rows], notes, name)
    source, target = (side.keep(rows) for side in symbols)
    lines = lines[rows].astype(np.int64)
    keys, answers = source.written(), target.written()
    _say_repeated(keys, answers, lines, notes)
    held = given.only(rows).divided(keys, choices.get("test_share", TEST_SHARE))
    check_sides(held, "sources", int(lines[0]))
    both = [f"{key}\n{answer}" for key, answer in zip(keys, answers, strict=True)]
    say_copies(both, held, lines, notes, "pair")
    source_vocabulary, source_tokens = vocabulary_of(source, held, units[0], notes, "of the sources ")
    target_vocabulary, target_tokens = vocabulary_of(target, held, units[1], notes, "of the targets ")
    content = PairsContent(
        sources=source_tokens,
        targets=target_tokens,
        held=held,
        lines=lines,
        source_vocabulary=source_vocabulary,
        target_vocabulary=target_vocabulary,
        source_unit=units[0],
        target_unit=units[1],
        copies=np.array([key == answer for key, answer in zip(keys, answers, strict=True)], bool),
    )
    return _summary(content, names), content


def _summary(content: PairsContent, names: tuple[str, str]) -> dict[str, Any]:
    held, same = content.held, content.source_unit == content.target_unit
    tested = np.flatnonzero(held)
    return {
        "source": names[0],
        "target": names[1],
        "rows": len(held),
        "sequences": len(held),
        "train": int((~held).sum()),
        "test": len(tested),
        "unit": content.source_unit if same else f"{content.source_unit} to {content.target_unit}",
        "longest": (max(map(len, content.sources)), max(map(len, content.targets))),
        "source_vocabulary": len(content.source_vocabulary),
        "target_vocabulary": len(content.target_vocabulary),
        "unknown": unknown_share([side[row] for side in (content.sources, content.targets) for row in tested]),
        "baselines": held_out_baselines(content),
    }


def _sides(table: Table, columns: list[Column], choices: dict[str, Any]) -> tuple[Column, Column]:
    """The columns of sources and of targets: as chosen, else the likely ones."""
    source, target = (
        by_name(columns, choices[side], f"{side}s") if choices.get(side) else None for side in ("source", "target")
    )
    if source is None and target is None:
        likely = sorted(_likely(table, columns)[:2], key=lambda each: each.name.lower() in ANSWERS)
    else:
        likely = _likely(table, [each for each in columns if each not in (source, target)])
    rest = iter(likely)
    source, target = source or next(rest, None), target or next(rest, None)
    if source is None or target is None:
        raise DataError("Pairs need two columns, one of sources and one of targets.", int(table.lines[0]))
    if source is target:
        raise DataError(f"Column '{source.name}' cannot be both source and target.", None, source.name)
    return source, target


def _likely(table: Table, columns: list[Column]) -> list[Column]:
    """The two columns that are named as a pair, if the table has names; else those of words before the others.

    Of several that are named so, an answer and the first that is filled in most rows.
    """
    free = [each for each in columns if each.type != "constant"]
    named = [each for each in free if rank(each.name, PAIR_NAMES) < len(PAIR_NAMES)]
    if len(named) == 2:
        return named
    answers = [each for each in named if each.name.lower() in ANSWERS]
    asked = [each for each in named if each not in answers and sum(map(is_empty, each.cells)) < len(table) / 2]
    if answers and asked:
        return [asked[0], answers[0]]
    return sorted(free, key=lambda each: each.type != "text")


def _unit(texts: Sequence[str]) -> str:
    """Characters where a side is mostly one word each, a different one in most pairs; words otherwise."""
    return CHARACTERS if usual_unit(texts) == CHARACTERS and len(set(texts)) > len(texts) / 2 else WORDS


def _whole(sources: list[str], targets: list[str], lines: np.ndarray, notes: Notes) -> list[int]:
    """The pairs of which neither side is empty."""
    rows = [row for row, pair in enumerate(zip(sources, targets, strict=True)) if all(pair)]
    if len(rows) < len(sources):
        first = int(lines[next(row for row in range(len(sources)) if not (sources[row] and targets[row]))])
        notes.say(f"Line {first} lacks one of its two sides; {left_out(len(sources) - len(rows), 'pair')}.", first)
    if len(rows) < MIN_PAIRS:
        raise DataError(
            f"There are {len(rows)} pairs; at least {MIN_PAIRS} are needed.", int(lines[rows[0]]) if rows else None
        )
    return rows


def _short_enough(
    rows: list[int], symbols: list[Numbered], units: Sequence[str], lines: np.ndarray, notes: Notes
) -> np.ndarray:
    """The pairs whose sides are at most MAX_STEPS long."""
    fits = [
        all(len(side.sequences[row]) <= MAX_STEPS[unit] for side, unit in zip(symbols, units, strict=True))
        for row in rows
    ]
    short = np.array(rows)[np.array(fits, bool)]
    if len(short) < len(rows):
        first = int(lines[rows[fits.index(False)]])
        limits = " and ".join(
            f"a {side} {MAX_STEPS[unit]} {unit}" for side, unit in zip(("source", "target"), units, strict=True)
        )
        notes.say(f"Line {first} is too long: {limits} at most; {left_out(len(rows) - len(short), 'pair')}.", first)
    if len(short) < MIN_PAIRS:
        raise DataError(f"There are {len(short)} pairs that are short enough; at least {MIN_PAIRS} are needed.")
    return short


def _say_repeated(keys: list[str], answers: list[str], lines: np.ndarray, notes: Notes) -> None:
    """Say which sources have several answers."""
    first_answer: dict[str, str] = {}
    several = {key for key, answer in zip(keys, answers, strict=True) if first_answer.setdefault(key, answer) != answer}
    if several:
        first = int(lines[next(row for row, key in enumerate(keys) if key in several)])
        notes.say(
            f"{count(len(several), 'source')}, first that in line {first}, {verb(len(several), 'stands', 'stand')} "
            "there more than once with different answers; copies are kept on one side of the split, and not all "
            "answers can be right.",
            first,
            harmless=True,
        )
