"""A table as one or several series: numbers over time, of which the next are asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.data.content import OneSeries, SeriesContent
from engine.data.kinds.series_columns import channels, cleaned, number_columns, say_words, without_counters
from engine.data.kinds.series_ids import Grouping, grouped
from engine.data.kinds.series_layout import turned_round
from engine.data.kinds.series_means import NONE, averaged, possible_means, say_offer, wanted_means
from engine.data.kinds.series_order import Ordered, each_moment_once, early_rows, filled, rows_in_order, say_filled
from engine.data.kinds.series_plan import Plan, plan_of, related, say_what_follows
from engine.data.kinds.series_steps import Step, step_of
from engine.data.kinds.series_time import RowTimes, line_of, time_of
from engine.data.limits import MIN_ROWS
from engine.data.problems import DataError, Notes, a, named
from engine.data.table import Column, Table
from engine.data.tasks.series_baselines import held_out_baselines
from engine.data.tasks.series_windows import longest_window
from engine.number_format import count

IN_ORDER = Step("row", 1.0)  # rows without a time
ENOUGH_TO_RELATE = 30  # trained values from which on it is said whether they are related


@dataclass(frozen=True, eq=False)
class _Found:
    """What was found in a table before anything was planned.

    Args:
        series: the target first, means taken where they are wanted, steps that lacked put in.
        rows: of the file that are used.
        row_step: between these rows. step: of the series.
        possible: the units of which means can be taken.
    """

    time: RowTimes | None
    grouping: Grouping
    channels: tuple[str, ...]
    series: list[Ordered]
    rows: int
    row_step: Step
    step: Step
    lines: np.ndarray
    possible: list[str]

    @property
    def longest(self) -> Ordered:
        return _longest(self.series)


def of_table(
    table: Table, columns: list[Column], notes: Notes, choices: dict[str, Any]
) -> tuple[dict[str, Any], SeriesContent]:
    """Read a table as series.

    Args:
        columns: what each column of the table is.
        notes: what is found, guessed or left out is said here.
        choices: time, target, inputs, ids, means, window, horizon, period, transform, test_share, where a person has
            chosen.

    Returns:
        The summary and the content.

    Raises:
        DataError: if these rows are no series that can be learned, or a choice does not fit them.
    """
    found = _found(table, columns, notes, choices)
    target = found.channels[0]
    _say_missing(found, notes)
    everything = np.concatenate([one.values[:, 0] for one in found.series])
    y, line = found.longest.values[:, 0], line_of(found.lines, 0)
    if np.isnan(everything).all():
        raise DataError(f"Column '{target}' has no number at all.", line, target)
    if len(y) < MIN_ROWS:
        what = "The series has" if len(found.series) == 1 else "The longest series has"
        unit = wanted_means(choices)
        one = "row" if unit is None else "mean"
        rows = f"1 {one}" if len(y) == 1 else f"{len(y)} {one}s"
        of = "" if unit is None else f" of {a(unit)}"
        raise DataError(f"{what} {rows}{of}; at least {MIN_ROWS} are needed to hold some back.", line)
    plan = plan_of(y, everything, found.step.name, choices)
    content = _content(found, plan, choices)
    trained = np.concatenate([one.values[: one.cut, 0] for one in content.series])
    if not np.nanmax(trained) > np.nanmin(trained):
        raise DataError(
            f"The target '{target}' never changes in the part that is trained on: there is nothing to learn.",
            line,
            target,
        )
    _say_too_short(content, notes)
    if plan.period is not None and choices.get("period") is not None:
        without = plan_of(y, everything, found.step.name, {**choices, "period": 0})
        say_what_follows(plan, without, notes)
    if wanted_means(choices) is None:
        say_offer(found.step, plan.period, content.window, found.possible, notes)
    _say_what_to_expect(y[: len(y) - plan.test], target, found.time is not None, line, notes)
    return _summary(found, plan, content) | _means(found, choices), content


def _found(table: Table, columns: list[Column], notes: Notes, choices: dict[str, Any]) -> _Found:
    columns, lines = turned_round(table, columns, notes)
    columns = without_counters(columns, lines, notes, choices.get("target"))
    time, columns = time_of(columns, lines, notes, choices)
    numeric = number_columns(columns, lines, notes)
    grouping = grouped(columns, None if time is None else time.times, len(lines), choices)
    numeric = [column for column in numeric if all(column is not each for each in grouping.columns)]
    if not numeric:
        raise DataError("No column of numbers is left beside the one that tells series apart.", line_of(lines, 0))
    used = channels(numeric, lines, notes, choices)
    words = [column for column in columns if all(column is not each for each in grouping.columns)]
    say_words(words, lines, notes, time is not None)
    rows = rows_in_order(grouping, time, lines, notes)
    early = early_rows(rows, len(lines))
    values = np.stack([cleaned(column, early, lines, notes) for column in used], 1)
    series = each_moment_once(grouping, rows, values, time, lines, notes)
    if not series:
        raise DataError("No row is left that has a time and a value.", line_of(lines, 0))
    means = series if (unit := wanted_means(choices)) is None else averaged(series, unit, notes)
    step, complete = _complete(means, time, lines, notes)
    times = _longest(series).times
    return _Found(
        time,
        grouping,
        channels=tuple(column.name for column in used),
        series=complete,
        rows=sum(len(one.values) for one in series),
        row_step=_step(times),
        step=step,
        lines=lines,
        possible=[] if times is None else possible_means(times),
    )


def _longest(series: list[Ordered]) -> Ordered:
    return max(series, key=lambda one: len(one.values))


def _step(times: np.ndarray | None) -> Step:
    """The step of the rows of a series; uneven ones have no other name. times: (n,) or None."""
    if times is None or len(times) < 2:
        return IN_ORDER
    step = step_of(times)
    return step if step.is_even else replace(step, name="uneven")


def _complete(
    series: list[Ordered], time: RowTimes | None, lines: np.ndarray, notes: Notes
) -> tuple[Step, list[Ordered]]:
    """The step, and the series with the steps put in that lack."""
    step = _step(_longest(series).times)
    if time is None or step is IN_ORDER:
        return step, series
    if not step.is_even:
        notes.say(
            f"The time steps are uneven (only {step.even:.0%} are equal); the time since the row before is added as an "
            "input.",
            line_of(lines, 0), time.name,
        )  # fmt: skip
        return step, series
    complete = [filled(one, step) for one in series]
    say_filled(series, complete, step, time.name, notes)
    return step, complete


def _content(found: _Found, plan: Plan, choices: dict[str, Any]) -> SeriesContent:
    """The content; a window that nobody has chosen becomes shorter where missing values leave no room for it."""
    content = SeriesContent(
        series=tuple(
            OneSeries(
                one.name, one.values, one.times, one.lines, len(one.values) - min(plan.test, len(one.values) // 3)
            )
            for one in found.series
        ),
        channels=found.channels,
        step=found.step.name,
        period=plan.period,
        window=plan.window,
        horizon=plan.horizon,
        transform=plan.transform,
        gaps=not found.step.is_even,
    )
    longest = longest_window(content)
    if longest < 2:
        raise DataError(
            f"The target '{found.channels[0]}' has too few values: some rows that are known must be followed by one "
            "that is, both in the part that is trained on and in the part that is held out.",
            line_of(found.lines, 0), found.channels[0],
        )  # fmt: skip
    if plan.window > longest and choices.get("window") is not None:
        raise DataError(f"window must be a whole number from 2 to {longest:,} for these rows, but is {plan.window}.")
    return content if plan.window <= longest else replace(content, window=longest)


def _missing(found: _Found) -> dict[str, int]:
    counts = sum(np.isnan(one.values).sum(0) for one in found.series)
    return {name: int(count) for name, count in zip(found.channels, counts, strict=True)}


def _say_missing(found: _Found, notes: Notes) -> None:
    total = sum(len(one.values) for one in found.series)
    for channel, (name, lacking) in enumerate(_missing(found).items()):
        if not lacking:
            continue
        if lacking > 0.5 * total:
            notes.say(f"Column '{name}' is missing in {lacking / total:.0%} of the rows.", None, name)
        line = _first_missing(found.series, channel)
        values = count(lacking, "value")
        where = f", first in line {line}" if line else ""
        if channel == 0:
            notes.say(
                f"The target '{name}' lacks {values}{where}; as an input the last one before is held, as an answer it "
                "is not counted.",
                line, name,
            )  # fmt: skip
        else:
            notes.say(
                f"Column '{name}' lacks {values}{where}; the last one before is held (never the next: that would be "
                "looking ahead).",
                line, name,
            )  # fmt: skip


def _first_missing(series: list[Ordered], channel: int) -> int | None:
    """The lowest line where a channel is missing; None if it is missing only in rows that were put in."""
    lines = np.concatenate([one.lines[np.isnan(one.values[:, channel])] for one in series])
    return int(lines[lines > 0].min()) if (lines > 0).any() else None


def _say_too_short(content: SeriesContent, notes: Notes) -> None:
    """Series that have no window to train on."""
    needed = content.window + content.horizon
    short = [one.name for one in content.series if one.cut < needed]
    if short:
        notes.say(
            f"{len(short):,} of {len(content.series):,} series ({named(short)}) have fewer than {needed} rows to train "
            "on; no window fits, so nothing is learned from them."
        )


def _say_what_to_expect(trained: np.ndarray, target: str, timed: bool, line: int | None, notes: Notes) -> None:
    """The two honest sentences about series that no network can learn."""
    known = trained[~np.isnan(trained)]
    if len(known) < ENOUGH_TO_RELATE:
        return
    if not related(known):
        if not timed:
            notes.say(
                f"There is no time column, and rows next to each other are no more alike than any two in '{target}': "
                "are they in order of time? If not, no network can learn from the row before.",
                line, target,
            )  # fmt: skip
    elif not related(np.diff(np.log(known) if known.min() > 0 else known)):
        notes.say(
            f"The changes of '{target}' from row to row are not related to those before them: expect no network to "
            "beat 'the value before'.",
            line, target,
        )  # fmt: skip


def _summary(found: _Found, plan: Plan, content: SeriesContent) -> dict[str, Any]:
    train = sum(one.cut for one in content.series)
    return {
        "rows": found.rows,
        "sequences": len(content.series),
        "train": train,
        "test": sum(len(one.values) for one in content.series) - train,
        "baselines": held_out_baselines(content),
        "time": None if found.time is None else found.time.name,
        "target": found.channels[0],
        "inputs": list(found.channels),
        "ids": [column.name for column in found.grouping.columns] or None,
        "series": len(content.series),
        "step": content.step,
        "period": content.period,
        "window": content.window,
        "horizon": content.horizon,
        "transform": content.transform,
        "missing": _missing(found),
    }


def _means(found: _Found, choices: dict[str, Any]) -> dict[str, Any]:
    """Of the summary: the unit whose means were taken, of which they can be, and the step of the rows themselves.

    Nothing where means of no unit can be taken.
    """
    if not found.possible:
        return {}
    unit = wanted_means(choices) or NONE
    return {"means": unit, "possible_means": found.possible, "row_step": found.row_step.name}
