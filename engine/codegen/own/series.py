"""One or several series in a script: their values, how they are scaled, and the windows that are drawn from them."""

from __future__ import annotations

import numpy as np

from engine.codegen.own.file import cells_by_line, number_cells, open_file
from engine.codegen.own.writer import Own, checked, commented
from engine.data.content import SeriesContent
from engine.data.dataset import Dataset
from engine.data.kinds.series_means import NONE
from engine.data.layout import Layout
from engine.data.problems import a
from engine.data.tasks import series_rows
from engine.data.tasks.series_rows import rows_of, steps_back
from engine.tasks import base

MAX_NAMED = 4  # channels that a comment names


def series(own: Own, dataset: Dataset, content: SeriesContent, carries: bool) -> None:
    """Add VALUES, `prepared`, and `draw` or, where a state is carried on, `passages`."""
    named = ", ".join(map(commented, content.channels[:MAX_NAMED]))
    named += ", ..." if len(content.channels) > MAX_NAMED else ""
    if dataset.layout is None:
        values = np.concatenate([one.values for one in content.series])
        own.numbers("VALUES", values, f"{_what(dataset)}: {named}")
    else:
        open_file(own, dataset)
        _values(own, dataset, dataset.layout, content, named)
    _extents(own, content)
    _prepared(own, content, carries)
    if carries:
        _passages(own, content.horizon)
    else:
        _draw(own)


def _what(dataset: Dataset) -> str:
    """What the numbers are that a script holds itself."""
    unit, name = dataset.summary.get("means", NONE), commented(dataset.name)
    if unit != NONE:
        return f"means of {a(unit)} of the numbers of {name}"
    return f"the numbers of {name}, which takes more than a few lines to read"


def _values(own: Own, dataset: Dataset, layout: Layout, content: SeriesContent, named: str) -> None:
    """VALUES, read from the file."""
    values, lines = (np.concatenate([getattr(one, what) for one in content.series]) for what in ("values", "lines"))
    missing = np.isnan(values) & (lines > 0)[:, None]
    put_in = not (lines > 0).all()
    order = " in order of time" if content.series[0].times is not None else ""
    own.whole_numbers("LINES", lines, f"of the file, counted from 1,{order}" + "; 0 is a time that lacks" * put_in)
    own.constant(f"COLUMNS = {list(layout.places)}", f"of the file, counted from 0: {named}")
    if missing.any():
        own.whole_numbers("MISSING", np.flatnonzero(missing), "places in VALUES, row after row, that count as missing")
    cells_by_line(own, layout)
    cells = number_cells(own, layout, put_in or bool(missing.any()))
    own.add(
        "def values_of_file() -> np.ndarray:",
        '    """(rows, columns) the numbers of the file'
        + ('; NaN where missing."""' if missing.any() or put_in else '."""'),
        "    cells = cells_by_line()",
        f'    cells[0] = [""] * {max(layout.places) + 1}' if put_in else None,
        "    values = np.array([",
        f"        [{cells}]",
        "        for line in LINES.tolist()",
        "    ])",
        "    values.flat[MISSING] = np.nan" if missing.any() else None,
        *checked("np.nan_to_num(values)", np.nan_to_num(values), "numbers"),
        "    return values",
    )
    own.add("VALUES = values_of_file()")


def _extents(own: Own, content: SeriesContent) -> None:
    """Where each series begins, where its held-out part does, and how it is scaled."""
    lengths = [len(one.values) for one in content.series]
    rows = rows_of(content)
    starts = np.cumsum([0, *lengths])
    several = len(lengths) > 1
    own.whole_numbers("BEGINS", starts[:-1], "the first row of each series" if several else "the first row")
    own.whole_numbers("ENDS", starts[1:], "the row after its last")
    own.whole_numbers("CUTS", [one.cut for one in content.series], "rows of it that come before the held-out part")
    if content.gaps:
        gaps = [np.append(0, np.diff(one.times).astype(np.int64)) for one in content.series if one.times is not None]
        own.whole_numbers("GAPS", np.concatenate(gaps), "seconds since the row before")
    own.add("# Mean and standard deviation of the trained part: of each input, then of the answers.")
    own.add("SCALES = np.array([", *(f"    [{mean!r}, {sd!r}]," for mean, sd in rows.scales), "])")
    own.add(f"MEAN, SD = {rows.mean!r}, {rows.sd!r}")
    if len(content.channels) > 1:
        before = "".join(f"\n    {mean!r}," for mean in rows.before[1:])
        own.add(f"BEFORE = [  # what stands before the first value of a column, the target's aside{before}\n]")


def _prepared(own: Own, content: SeriesContent, carries: bool) -> None:
    """Add `prepared` and the arrays that it makes."""
    own.need(series_rows.__name__, "hold", "as_float32")
    ahead, back = content.horizon, steps_back(content)
    known, said = ("answered", "") if carries else ("answered, held_out", "is it held out, ")
    differences = content.transform.endswith("differences")
    read = "np.append(np.nan, np.diff(level))" if differences else "level"
    others = "[hold(values[:, k], before) for k, before in enumerate(BEFORE, 1)]"
    level = (
        "np.log(hold(values[:, 0], np.nan))" if content.transform.startswith("log") else "hold(values[:, 0], np.nan)"
    )
    answers = "later - level" if differences else "later"
    own.add(
        "def prepared() -> tuple[np.ndarray, ...]:",
        f'    """Of every row: input, answer, is that known, {said}and how many readable rows end there."""',
        "    parts = []",
        "    for begin, end in zip(BEGINS, ENDS, strict=True):"
        if carries
        else "    for begin, end, cut in zip(BEGINS, ENDS, CUTS, strict=True):",
        "        values = VALUES[begin:end]",
        "        rows, known = np.arange(len(values)), ~np.isnan(values[:, 0])",
        f"        level = {level}  # missing values are the last one before",
        f"        later = np.append(level[{ahead}:], np.full(min({ahead}, len(level)), np.nan))",
        f"        columns = [{read}]",
        f"        columns += {others}" if len(content.channels) > 1 else None,
        "        columns += [GAPS[begin:end]]" if content.gaps else None,
        f"        first = (known.argmax() if known.any() else len(rows)){f' + {back}' if back else ''}",
        "        inputs = np.where(rows[:, None] >= first, (np.stack(columns, 1) - SCALES[:, 0]) / SCALES[:, 1], 0)",
        f"        answered = (rows >= first) & np.append(known[{ahead}:], np.zeros(min({ahead}, len(known)), bool))",
        f"        answers = np.where(answered, ({answers} - MEAN) / SD, 0)",
        None if carries else f"        held_out = (rows + {ahead} >= cut) & (rows + {ahead} < len(rows))",
        "        readable = np.maximum(rows - first + 1, 0)",
        f"        parts.append((as_float32(inputs), as_float32(answers), {known}, readable))",
        "    return tuple(np.concatenate(each) for each in zip(*parts, strict=True))",
    )
    own.add(f"INPUTS, ANSWERS, ANSWERED, {'' if carries else 'HELD_OUT, '}READABLE = prepared()")


def _passages(own: Own, ahead: int) -> None:
    """Add `passages`."""
    own.draw = "passages()"
    own.add(
        "def passages() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:",
        '    """Of the trained part of each series: inputs, answers and whether they are known, a row each."""',
        "    found = []",
        "    for begin, cut in zip(BEGINS, CUTS, strict=True):",
        f"        rows = begin + np.flatnonzero(READABLE[begin : begin + max(0, cut - {ahead})])",
        "        found.append((INPUTS[rows], ANSWERS[rows, None], ANSWERED[rows]))",
        "    return found",
    )


def _draw(own: Own) -> None:
    """Add `draw`."""
    own.need(base.__name__, "answer_mask", "full_lengths")
    own.add(
        "def draw(rng: np.random.Generator, batch_size: int, split: str) -> Batch:",
        '    """Windows of SEQ_LEN rows whose last answer is known and belongs to this part."""',
        '    held_out = split == "test"',
        "    ends = np.flatnonzero(ANSWERED & (HELD_OUT == held_out) & (READABLE >= SEQ_LEN))",
        "    if held_out:  # every window as often as any other, as far as that is possible",
        "        rounds = [rng.permutation(ends) for _ in range(-(-batch_size // len(ends)))]",
        "        last = np.concatenate(rounds)[:batch_size]",
        "    else:",
        "        last = ends[rng.integers(0, len(ends), batch_size)]",
        "    at = last + np.arange(1 - SEQ_LEN, 1)[:, None]",
        "    mask = answer_mask(SEQ_LEN, batch_size) & ANSWERED[at] & (HELD_OUT[at] == held_out)",
        "    return Batch(INPUTS[at], ANSWERS[at][..., None], mask, full_lengths(SEQ_LEN, batch_size))",
    )
