"""Which windows of a series a network can read, and of which channels they are. NumPy only."""

from __future__ import annotations

import numpy as np

from engine.data.content import SeriesContent
from engine.data.tasks.series_rows import SeriesRows, once_per_content, rows_of
from engine.tasks import Batch

GAP = "time since the row before"
ASKED = {
    "none": "{}",
    "log": "logarithm of {}",
    "differences": "change of {}",
    "log differences": "change of {}",
}
"""By transform: what a network reads and is asked of the target."""


def continues(content: SeriesContent) -> bool:
    """The answer is the next input, all of it, so that a network can go on by itself."""
    return content.horizon == 1 and len(input_labels(content)) == 1


def target_label(content: SeriesContent) -> str:
    """What the numbers of the target are that a network reads and gives: "change of sales"."""
    return ASKED[content.transform].format(content.channels[0])


def input_labels(content: SeriesContent) -> tuple[str, ...]:
    """The channels that a network reads; where the steps are uneven, the time since the row before is one of them."""
    return (target_label(content), *content.channels[1:], *([GAP] if content.gaps else []))


@once_per_content
def _pools(content: SeriesContent) -> dict[tuple[str, int], np.ndarray]:
    """Remembered: by split and length, the rows with which a window may end."""
    return {}


def window_ends(content: SeriesContent, split: str, seq_len: int) -> np.ndarray:
    """The rows (as numbered in `SeriesRows`) with which a window of this length can end: its last answer is known."""
    pools = _pools(content)
    if (split, seq_len) not in pools:
        rows = rows_of(content)
        if len(pools) >= 8:
            pools.clear()
        pools[split, seq_len] = np.flatnonzero(_may_end(rows, split) & (_readable_steps(rows) >= seq_len))
    return pools[split, seq_len]


def _may_end(rows: SeriesRows, split: str) -> np.ndarray:
    return rows.answered & (rows.held_out == (split == "test"))


def _readable_steps(rows: SeriesRows) -> np.ndarray:
    """(N,) how many readable rows end with each one: all rows of a series from its first readable one on are."""
    return np.where(rows.readable, rows.place - _first_readable(rows) + 1, 0)


def _first_readable(rows: SeriesRows) -> np.ndarray:
    series = np.repeat(np.arange(len(rows.starts) - 1), np.diff(rows.starts))
    return np.bincount(series, ~rows.readable, len(rows.starts) - 1).astype(np.int64)[series]


def longest_window(content: SeriesContent) -> int:
    """The most steps that a window can have in both parts; 0 if there is none."""
    rows = rows_of(content)
    steps = _readable_steps(rows)
    return min(int(steps[_may_end(rows, split)].max(initial=0)) for split in ("train", "test"))


def step_names(content: SeriesContent, batch: Batch) -> tuple[str, ...]:
    """The time of each step of a batch's first sequence, as short as its steps allow; empty without times."""
    if batch.origin is None:
        return ()
    series, row = batch.origin[0]
    times = content.series[series].times
    if times is None:
        return ()
    return tuple(
        moment.strftime(_time_format(content.step)) for moment in times[row : row + len(batch.inputs)].tolist()
    )


def _time_format(step: str) -> str:
    if step == "year":
        return "%Y"
    if step in ("month", "quarter") or step.endswith("months"):
        return "%b %Y"
    return "%d %b %Y" if step in ("day", "weekday", "week") else "%d %b %H:%M"
