"""What a series asks: its value some steps ahead, or the difference from the last known one. NumPy only."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from engine.data.content import SeriesContent
from engine.data.problems import shortened
from engine.data.tasks.forecast import series_forecast
from engine.data.tasks.series_baselines import BEFORE, baseline_answers, errors_at, held_out_baselines
from engine.data.tasks.series_rows import SeriesRows, rows_of
from engine.data.tasks.series_units import as_answers, index_of, mean_absolute_error
from engine.data.tasks.series_windows import (
    continues,
    input_labels,
    longest_window,
    step_names,
    target_label,
    window_ends,
)
from engine.data.tasks.words import title_of
from engine.tasks import OWN_DATA, PROBE_SIZE, Batch, Lengths, Metric, Task
from engine.tasks.base import (
    OWN_FAMILY,
    DataSettings,
    Passages,
    answer_mask,
    evenly,
    full_lengths,
    last_step_only,
    stream,
)

LONGEST_WINDOW = 400
SOLVED = math.sqrt(0.1)
"""Of the best baseline's error: a squared error below a tenth of its own, as the bar of the loss has it."""


def series_task(name: str, summary: dict[str, Any], content: SeriesContent) -> Task:
    """The task of a series: after each row, the target `content.horizon` rows later.

    Windows of the held-out part answer there alone; what they read may reach back before the cut, since the past is
    known. Answers whose value is missing are not counted.

    Args:
        name: of the file.
        summary: what was understood; the target's name and the baselines are read.
    """
    rows, target, unit = rows_of(content), str(summary["target"]), unit_of(str(summary["target"]))
    held_out = int((rows.answered & rows.held_out).sum())

    def draw(rng: np.random.Generator, e: DataSettings, batch_size: int, split: str) -> Batch:
        return _draw(content, rng, e, batch_size, split)

    def losses_on(e: DataSettings, batch: Batch) -> dict[str, float]:
        return _losses(content, batch)

    def losses(e: DataSettings) -> dict[str, float]:
        return _losses(content, _draw(content, stream((e.seed, 0), "test"), e, PROBE_SIZE, "test"))

    def errors(e: DataSettings, batch: Batch) -> dict[str, float]:
        return metric_baselines(content, batch)

    return Task(
        slug=OWN_DATA,
        family=OWN_FAMILY,
        title=title_of(name),
        teaches=f"What comes next in {shortened(target, 40)}, and whether a network knows it better than simple rules "
        "do.",
        source=f"Real: your file {name}. The last {held_out:,} answers are held out.",
        rnn_types=("many_to_one", "many_to_many"),
        lengths=_lengths(content),
        inputs="values",
        outputs="values",
        input_labels=input_labels(content),
        output_labels=(target_label(content),),
        metric=Metric(
            f"mean absolute error, {unit}" if unit else f"mean absolute error of {shortened(target, 24)}",
            lambda batch, outputs: mean_absolute_error(content, batch, outputs),
            percent=False,
            higher_is_better=False,
            solved=SOLVED * min(held_out_baselines(content).values(), default=math.inf),
        ),
        draw=draw,
        baselines=losses,
        baselines_on=losses_on,
        simple_answers=lambda e, batch: _simple_answers(content, batch),
        metric_baselines=errors,
        forecast=lambda predict, window, steps, series: series_forecast(
            content, target, predict, window, steps, series
        ),
        held_out=lambda e, most: _held_out(content, e, most),
        step_names=lambda batch: step_names(content, batch),
        series_names=tuple(one.name for one in content.series),
        causal=True,
        continues=continues(content),
        passages=lambda e: _passages(content),
    )


def unit_of(name: str) -> str:
    """The unit that a column's name ends with, as "thousands" of "Passengers in thousands"; "" if it has none."""
    found = re.search(r"[(\[]\s*([^()\[\]]{1,20}?)\s*[)\]]\s*$|\bin ([^\W\d_]+)\s*$", name)
    return (found[1] or found[2]) if found else ""


def metric_baselines(content: SeriesContent, batch: Batch) -> dict[str, float]:
    """The `errors_at` exactly the counted answers of a batch."""
    return errors_at(content, index_of(content, batch)[batch.mask])


def _losses(content: SeriesContent, batch: Batch) -> dict[str, float]:
    """Squared errors as scaled answers, averaged as the loss of a run: first over each sequence.

    Of the baseline that is best on the whole held-out part, which is the one to beat, and of the value before.
    """
    at, weights = _counted_rows(content, batch), batch.mask / batch.mask.sum(0) / batch.mask.shape[1]
    true, found = rows_of(content).answers[at].astype(np.float64), {}
    for name, said in baseline_answers(content).items():
        error = ((as_answers(content, at, said[at]) - true) ** 2 * weights).sum()
        if np.isfinite(error):
            found[name] = float(error)
    return {name: found[name] for name in _told(content) if name in found}


def _simple_answers(content: SeriesContent, batch: Batch) -> dict[str, np.ndarray]:
    """What the baselines of `_losses` say, as scaled answers, (T, batch, 1)."""
    at, said = _counted_rows(content, batch), baseline_answers(content)
    return {name: as_answers(content, at, said[name][at])[..., None] for name in _told(content)}


def _counted_rows(content: SeriesContent, batch: Batch) -> np.ndarray:
    """(T, batch) the rows of a batch; the last of its sequence for one that is not counted: it may lack its answer."""
    at = index_of(content, batch)
    return np.where(batch.mask, at, at[-1])


def _told(content: SeriesContent) -> tuple[str, ...]:
    """The baseline that is best on the whole held-out part, which is the one to beat, and the value before."""
    best = min(held_out_baselines(content).items(), key=lambda each: each[1], default=(BEFORE, 0.0))[0]
    return tuple(dict.fromkeys((best, BEFORE)))


def _lengths(content: SeriesContent) -> Lengths:
    longest = longest_window(content)
    default = min(content.window, longest)
    return Lengths(min(2, default), max(default, min(LONGEST_WINDOW, longest // 2)), default)


def _draw(content: SeriesContent, rng: np.random.Generator, e: DataSettings, batch_size: int, split: str) -> Batch:
    rows, ends = rows_of(content), window_ends(content, split, e.seq_len)
    if split == "test":  # every window as often as any other, as far as that is possible
        rounds = [rng.permutation(ends) for _ in range(-(-batch_size // len(ends)))]
        last = np.concatenate(rounds)[:batch_size]
    else:
        last = ends[rng.integers(0, len(ends), batch_size)]
    at = last + np.arange(1 - e.seq_len, 1)[:, None]
    mask = answer_mask(e, e.seq_len, batch_size) & rows.answered[at] & (rows.held_out[at] == (split == "test"))
    return _windows(rows, at, mask)


def _passages(content: SeriesContent) -> Passages:
    """The trained part of each series, from its first row that can be read on."""
    rows, found = rows_of(content), []
    for one, begin in zip(content.series, rows.starts[:-1].tolist(), strict=True):
        at = begin + np.flatnonzero(rows.readable[begin : begin + max(0, one.cut - content.horizon)])
        found.append((rows.inputs[at], rows.answers[at, None], rows.answered[at]))
    return found


def _held_out(content: SeriesContent, e: DataSettings, most: int) -> Batch:
    """Every held-out answer once, each after a whole window: the errors are those of a walk-forward test."""
    at = evenly(window_ends(content, "test", e.seq_len), most) + np.arange(1 - e.seq_len, 1)[:, None]
    return _windows(rows_of(content), at, last_step_only(*at.shape))


def _windows(rows: SeriesRows, at: np.ndarray, mask: np.ndarray) -> Batch:
    """The windows that read these rows. at, mask: (T, batch)."""
    first = at[0]
    series = rows.series_of(first)
    return Batch(
        rows.inputs[at],
        rows.answers[at][..., None],
        mask,
        full_lengths(*at.shape),
        origin=np.stack([series, rows.place[first]], 1),
    )
