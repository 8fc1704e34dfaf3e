"""From the rows of a table to series in order of time: sorted, each moment once, missing steps put in."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.data.kinds.sequence_arrays import means_between
from engine.data.kinds.series_ids import Grouping
from engine.data.kinds.series_steps import MOST_FILLED, Step, grid_places, grid_times
from engine.data.kinds.series_time import RowTimes, line_of, written
from engine.data.problems import Notes


@dataclass(frozen=True, eq=False)
class Ordered:
    """One series: values (n, channels) float64, times (n,) or None, lines (n,)."""

    name: str
    values: np.ndarray
    times: np.ndarray | None
    lines: np.ndarray


def rows_in_order(grouping: Grouping, time: RowTimes | None, lines: np.ndarray, notes: Notes) -> list[np.ndarray]:
    """The rows of each series in order of time; rows without a time are left out."""
    order = np.argsort(grouping.codes, kind="stable")
    if time is not None:
        lost = np.flatnonzero(np.isnat(time.times))
        if len(lost):
            line = line_of(lines, lost[0])
            rows = "1 such row is" if len(lost) == 1 else f"{len(lost):,} such rows are"
            notes.say(f"Line {line} has no readable time in '{time.name}'; {rows} left out.", line, time.name)
        order = order[~np.isnat(time.times[order])]
    ends = np.cumsum(np.bincount(grouping.codes[order], minlength=len(grouping.names)))[:-1]
    series = np.split(order, ends)
    return series if time is None else _sorted(series, time, lines, notes)


def _sorted(series: list[np.ndarray], time: RowTimes, lines: np.ndarray, notes: Notes) -> list[np.ndarray]:
    found, said = [], False
    for rows in series:
        places = np.argsort(time.times[rows], kind="stable")
        falling = len(places) > 1 and (np.diff(time.times[rows]).astype(np.int64) < 0).all()
        if not said and (places != np.arange(len(places))).any():
            what = "newest first" if falling else "not in order of time"
            notes.say(f"The rows are {what}; they are sorted by '{time.name}'.", line_of(lines, 0), time.name)
            said = True
        found.append(rows[places])
    return found


def early_rows(series: list[np.ndarray], rows: int) -> np.ndarray:
    """(rows,) bool, the first half of each series: surely trained on, whatever is held out."""
    early = np.zeros(rows, bool)
    for each in series:
        early[each[: (len(each) + 1) // 2]] = True
    return early


def each_moment_once(
    grouping: Grouping, series: list[np.ndarray], values: np.ndarray, time: RowTimes | None, lines: np.ndarray,
    notes: Notes,
) -> list[Ordered]:  # fmt: skip
    """The series, rows of one moment averaged: a clock put back, or a file appended to itself.

    Args:
        values: (rows of the table, channels).
    """
    found, doubled, first = [], 0, -1
    for name, rows in zip(grouping.names, series, strict=True):
        if not len(rows):
            continue
        if time is None:
            found.append(Ordered(name, values[rows], None, lines[rows]))
            continue
        times = time.times[rows]
        starts = np.flatnonzero(np.append(True, times[1:] != times[:-1]))
        if len(starts) < len(rows):
            first = first if doubled else int(rows[np.flatnonzero(times[1:] == times[:-1])[0] + 1])
            doubled += len(rows) - len(starts)
        found.append(Ordered(name, means_between(values[rows], starts), times[starts], lines[rows][starts]))
    if doubled and time is not None:
        count = "1 such row is" if doubled == 1 else f"{doubled:,} such rows are"
        line = line_of(lines, first)
        notes.say(
            f"Line {line}: the time '{written(time.times[first])}' stands there twice; "
            f"{count} averaged with the first (a clock put back, a file appended to itself, or several series that no "
            "column tells apart).",
            line, time.name,
        )  # fmt: skip
    return found


def filled(one: Ordered, step: Step) -> Ordered:
    """The series with the steps that lack put in as missing rows of no line; as it is where that cannot be done."""
    if one.times is None or len(one.times) < 2:
        return one
    places = grid_places(one.times, step)
    if places is None or places[-1] + 1 == len(places) or places[-1] + 1 > MOST_FILLED * len(places):
        return one
    count = int(places[-1]) + 1
    values = np.full((count, one.values.shape[1]), np.nan)
    times, lines = grid_times(one.times, step, count), np.zeros(count, np.int64)
    values[places], times[places], lines[places] = one.values, one.times, one.lines
    return replace(one, values=values, times=times, lines=lines)


def say_filled(before: list[Ordered], after: list[Ordered], step: Step, name: str, notes: Notes) -> None:
    """Say how many steps were put in, and where the longest gap is; or that one is too long for that."""
    put_in = sum(len(b.values) - len(a.values) for a, b in zip(before, after, strict=True))
    gaps = [(np.diff(one.times).max(), one) for one in before if one.times is not None and len(one.times) > 1]
    if not gaps:
        return
    _, one = max(gaps, key=lambda each: each[0])
    assert one.times is not None
    row = int(np.diff(one.times).argmax()) + 1
    line, moment = line_of(one.lines, row), written(one.times[row])
    if put_in:
        length = step.name if step.name[0].isdigit() else f"one {step.name}"
        steps = f"1 step of {length} lacks" if put_in == 1 else f"{put_in:,} steps of {length} lack"
        put = "it is put in as missing" if put_in == 1 else "they are put in as missing"
        notes.say(f"{steps}, the longest gap before {moment}; {put}.", line, name)
    elif (step.months or step.seconds) and any(_lacks(one, step) for one in before):
        notes.say(f"The gap before {moment} is too long to be filled; the rows around it are taken as neighbours.",
                  line, name)  # fmt: skip


def _lacks(one: Ordered, step: Step) -> bool:
    if one.times is None or len(one.times) < 2:
        return False
    places = grid_places(one.times, step)
    return places is not None and places[-1] + 1 > len(places)
