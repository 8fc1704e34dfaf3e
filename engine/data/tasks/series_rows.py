"""The rows of one or several series as a network reads them: held, transformed and scaled. NumPy only.

Rows of all series stand one after the other in flat arrays. The answer of a row is the target `horizon` rows later, in
the same series; all that is fitted (the scale, what stands before the first value) is fitted on the trained part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from engine.data.content import OneSeries, SeriesContent

Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class SeriesRows:
    """All rows, (N,) or (N, ...), and how answers are scaled.

    Args:
        starts: (series + 1,) int64, the flat number of each series' first row, and N at the end.
        place: (N,) int64, the row's number in its own series.
        readable: (N,) bool, a network can read this row: the target was known at or before it, and the row before too
            where an input says what has changed since.
        values: (N,) float64, the target in its units; where missing, the last value before.
        level: (N,) float64, the same or its logarithm: what a difference starts from.
        inputs: (N, channels) float32, as a network reads them.
        answers: (N,) float32, scaled; meaningless where not `answered`.
        answered: (N,) bool, the target is known `horizon` rows later.
        held_out: (N,) bool, the row of the answer belongs to the held-out part.
        mean, sd: scaled answer = (answer - mean) / sd.
        scales: (mean, standard deviation) of each input.
        before: (channels,) what stands before the first value of each channel.
    """

    starts: np.ndarray
    place: np.ndarray
    readable: np.ndarray
    values: np.ndarray
    level: np.ndarray
    inputs: np.ndarray
    answers: np.ndarray
    answered: np.ndarray
    held_out: np.ndarray
    mean: float
    sd: float
    scales: tuple[tuple[float, float], ...]
    before: tuple[float, ...]

    def series_of(self, at: np.ndarray) -> np.ndarray:
        """The number of the series that each of these rows, of any shape, belongs to."""
        return np.searchsorted(self.starts, at, side="right") - 1


def once_per_content(make: Callable[[SeriesContent], Made]) -> Callable[[SeriesContent], Made]:
    """Remember what is made of a content, for as long as somebody uses that content."""
    kept: WeakKeyDictionary[SeriesContent, Made] = WeakKeyDictionary()

    def get(content: SeriesContent) -> Made:
        if content not in kept:
            kept[content] = make(content)
        return kept[content]

    return get


def hold(values: np.ndarray, before: float) -> np.ndarray:
    """Missing values become the last one before them, never the next: that would be looking ahead. (n,) float64.

    Args:
        before: what stands before the first value.
    """
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    return np.where(last < 0, before, values[np.maximum(last, 0)])


def as_float32(values: np.ndarray) -> np.ndarray:
    """As float32; what is beyond its range, such as a value 1e100 standard deviations away, becomes its last number."""
    largest = float(np.finfo(np.float32).max)
    return np.clip(values, -largest, largest).astype(np.float32)


def first_known(values: np.ndarray) -> int:
    """The first row that is not missing; the number of rows if all are."""
    known = ~np.isnan(values)
    return int(known.argmax()) if known.any() else len(values)


def fitted_scale(values: np.ndarray) -> tuple[float, float]:
    """(mean, standard deviation) of the values that are known; a deviation of 1 where they are all alike."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 1.0
    mean, sd = float(known.mean()), float(known.std())
    return mean, sd if sd > 1e-9 * float(np.abs(known).max()) else 1.0


def steps_back(content: SeriesContent) -> int:
    """Rows before a row that its inputs need: 1 where they say what has changed since, or how long ago that was."""
    return int(content.transform.endswith("differences") or content.gaps)


@once_per_content
def rows_of(content: SeriesContent) -> SeriesRows:
    """The rows of a content, as a network reads them."""
    of_each = [_raw(content, one) for one in content.series]
    trained = [np.arange(len(one.values)) < one.cut for one in content.series]
    raw = np.concatenate([channels for channels, _, _ in of_each])
    scales = [fitted_scale(column[np.concatenate(trained)]) for column in raw.T]
    means = [_trained_mean(content, channel) for channel in range(len(content.channels))]
    readable = np.concatenate([_readable(content, one) for one in content.series])
    inputs = np.empty(raw.shape, np.float32)
    for channel, (mean, sd) in enumerate(scales):
        column = _held(content, channel, means, raw[:, channel])
        inputs[:, channel] = as_float32(np.where(readable, (column - mean) / sd, 0.0))
    wanted = np.concatenate([answers for _, _, answers in of_each])
    asked = [_asked(content, one) for one in content.series]
    held_out = np.concatenate([held for _, held in asked])
    answered = np.concatenate([known for known, _ in asked]) & readable
    mean, sd = scales[0] if _scaled_as_the_input(content) else fitted_scale(wanted[answered & ~held_out])
    lengths = [len(one.values) for one in content.series]
    return SeriesRows(
        starts=np.cumsum([0, *lengths]),
        place=np.concatenate([np.arange(length) for length in lengths]),
        readable=readable,
        values=np.concatenate([hold(one.values[:, 0], np.nan) for one in content.series]),
        level=np.concatenate([level for _, level, _ in of_each]),
        inputs=inputs,
        answers=as_float32(np.where(answered, (wanted - mean) / sd, 0.0)),
        answered=answered,
        held_out=held_out,
        mean=mean,
        sd=sd,
        scales=tuple(scales),
        before=tuple(means),
    )


def _scaled_as_the_input(content: SeriesContent) -> bool:
    """The answer is one of the coming inputs, so both have one scale, and a network can go on with its own answers."""
    return content.horizon == 1 or not content.transform.endswith("differences")


def _raw(content: SeriesContent, one: OneSeries) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of one series before scaling: inputs (n, channels), NaN where missing; level (n,); answers (n,)."""
    target = one.values[:, 0]
    level = hold(target, np.nan)
    if content.transform.startswith("log"):
        level = np.log(level)
    later = np.append(level[content.horizon :], np.full(min(content.horizon, len(level)), np.nan))
    read, answers = level, later
    if content.transform.endswith("differences"):
        read, answers = np.append(np.nan, np.diff(level)), later - level
    read = np.where(np.isnan(target), np.nan, read)  # what is held is read, but fits no scale
    channels = [read, *one.values[:, 1:].T]
    if content.gaps:
        assert one.times is not None
        channels.append(np.append(np.nan, np.diff(one.times).astype(np.float64)))
    return np.stack(channels, 1), level, answers


def _held(content: SeriesContent, channel: int, means: list[float], raw: np.ndarray) -> np.ndarray:
    """(N,) a channel without missing values: an unknown change is none, anything else the last value before."""
    if channel == 0 and content.transform.endswith("differences"):
        return np.nan_to_num(raw)
    ends = np.cumsum([len(one.values) for one in content.series])[:-1]
    before = means[channel] if channel < len(means) else 0.0
    return np.concatenate([hold(part, before) for part in np.split(raw, ends)])


def _trained_mean(content: SeriesContent, channel: int) -> float:
    """Of all trained parts together; 0 where a channel has no value there."""
    values = np.concatenate([one.values[: one.cut, channel] for one in content.series])
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0


def _readable(content: SeriesContent, one: OneSeries) -> np.ndarray:
    return np.arange(len(one.values)) >= first_known(one.values[:, 0]) + steps_back(content)


def _asked(content: SeriesContent, one: OneSeries) -> tuple[np.ndarray, np.ndarray]:
    """(n,) bool: the target is known `horizon` rows later; that row is held out."""
    rows = np.arange(len(one.values)) + content.horizon
    inside = rows < len(one.values)
    known = ~np.isnan(one.values[np.minimum(rows, len(one.values) - 1), 0])
    return inside & known, inside & (rows >= one.cut)
