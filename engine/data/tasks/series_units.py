"""Answers of a network in the data's own units, and back. NumPy only."""

from __future__ import annotations

import numpy as np

from engine.data.content import SeriesContent
from engine.data.tasks.series_rows import rows_of
from engine.tasks import Batch


def units(content: SeriesContent, batch: Batch, outputs: np.ndarray) -> np.ndarray:
    """Answers in the data's own units.

    Args:
        batch: as the task deals it, with its origin.
        outputs: (T, batch, 1) a network's outputs, or the batch's targets.

    Returns:
        (T, batch) float64; at step t the target `horizon` rows after the row read there. Infinite where an output is.

    Raises:
        ValueError: for a batch without an origin, whose level is not known.
    """
    return _in_units(content, index_of(content, batch), outputs[..., 0])


def continued(
    content: SeriesContent, series: int | np.ndarray, row: int | np.ndarray, outputs: np.ndarray
) -> np.ndarray:
    """What a network that goes on by itself says, in units: each output is its next input.

    Args:
        series: its number. row: the last row that was read. For n origins at once, both are (n,).
        outputs: (steps,) or (steps, n), one answer after the other.

    Returns:
        float64 of the same shape.
    """
    rows = rows_of(content)
    answers = np.asarray(outputs, np.float64) * rows.sd + rows.mean
    if content.transform.endswith("differences"):
        answers = rows.level[rows.starts[series] + row] + np.cumsum(answers, axis=0)
    return _unlogged(content, answers)


def mean_absolute_error(content: SeriesContent, batch: Batch, outputs: np.ndarray) -> float:
    """Over the counted answers of a batch, in units."""
    with np.errstate(invalid="ignore"):  # infinity less infinity, of a network that has exploded
        return float(np.abs(units(content, batch, outputs) - units(content, batch, batch.targets))[batch.mask].mean())


def _in_units(content: SeriesContent, at: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    rows = rows_of(content)
    answers = np.asarray(outputs, np.float64) * rows.sd + rows.mean
    return _unlogged(content, rows.level[at] + answers if content.transform.endswith("differences") else answers)


def _unlogged(content: SeriesContent, values: np.ndarray) -> np.ndarray:
    if not content.transform.startswith("log"):
        return values
    with np.errstate(over="ignore"):  # a network that explodes
        return np.exp(values)


def as_answers(content: SeriesContent, at: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values in units as scaled answers of these rows, as a network gives them: the inverse of `units`.

    Args:
        at: (T, batch) rows as numbered in `SeriesRows`. values: of the same shape.

    Returns:
        float64 of the same shape; NaN where the logarithm of a value does not exist.
    """
    rows, answers = rows_of(content), np.asarray(values, np.float64)
    if content.transform.startswith("log"):
        answers = np.log(np.where(answers > 0, answers, np.nan))
    return ((answers - rows.level[at] if content.transform.endswith("differences") else answers) - rows.mean) / rows.sd


def index_of(content: SeriesContent, batch: Batch) -> np.ndarray:
    """(T, batch) the numbers in `SeriesRows` of the rows that a batch reads."""
    if batch.origin is None:
        raise ValueError("Units need to know which rows a batch was taken from, but it has no origin.")
    first = rows_of(content).starts[batch.origin[:, 0]] + batch.origin[:, 1]
    return first + np.arange(len(batch.inputs))[:, None]
