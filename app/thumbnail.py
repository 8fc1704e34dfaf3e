"""A small picture of what goes in and what shall come out: the drawn sequence of the probe, as HTML."""

from __future__ import annotations

from functools import lru_cache
from html import escape

import numpy as np

from app.figures.theme import symbol
from engine.experiment import Experiment
from engine.tasks import TASKS, Batch, Task, probe

MAX_SYMBOLS, MAX_BARS = 14, 50
GRID, LETTER, BESIDE = 158, 7.5, 7  # pixels: width of two aligned rows, of a letter, and of a box around it
BOX = "border: 1px {line} color-mix(in srgb, currentColor 35%, transparent); border-radius: 3px; text-align: center"


@lru_cache(maxsize=256)  # every lesson, and what people are looking at
def thumbnail(experiment: Experiment) -> str:
    """Input and target of one held-out sequence: an arrow between them, or in time where most steps are answered."""
    task, batch = TASKS[experiment.task], probe(experiment)
    if _answers_as_it_reads(experiment, batch):
        return f'<div class="thumbnail">{_in_time(task, batch)}</div>'
    return f'<div class="thumbnail">{_input(task, batch)}<b>→</b>{_target(task, batch)}</div>'


def _answers_as_it_reads(experiment: Experiment, batch: Batch) -> bool:
    """A symbol is read and another asked for at most of the steps: which belongs to which must be seen."""
    task = TASKS[experiment.task]
    asked = int(batch.mask[:, 0].sum())
    return experiment.rnn_type == "many_to_many" and task.inputs == task.outputs == "symbols" and (
        2 * asked > batch.lengths[0]
    )  # fmt: skip


def _in_time(task: Task, batch: Batch) -> str:
    """Two rows, a column per step: what is read, with an empty box where nothing is yet, and what is asked for."""
    steps: list[tuple[str, str | None]] = []
    width = 0.0
    for t in range(length := int(batch.lengths[0])):
        token = int(batch.inputs[t, 0])
        read = symbol(task.input_labels[token]) if token >= 0 else ""
        asked = symbol(task.output_labels[int(batch.targets[t, 0])]) if batch.mask[t, 0] else None
        width += LETTER * max(1, len(read), len(asked or "")) + BESIDE
        if steps and width > GRID:
            break
        steps.append((read, asked))
    more = ["…"] * (len(steps) < length)
    given = [_box(read) for read, _ in steps] + more
    wanted = [_box(asked) for _, asked in steps] + more
    cells = ["in", *given, "out", *wanted]
    columns = f"display: grid; grid-template-columns: repeat({len(cells) // 2}, auto); gap: 3px; align-items: center"
    return f'<div style="{columns}">{"".join(cell if cell[0] == "<" else f"<b>{cell}</b>" for cell in cells)}</div>'


def _box(label: str | None) -> str:
    """A symbol in its box; a dashed box where there is none to read, no box where none is asked for."""
    if label is None:
        return "<i></i>"
    return f'<div style="{BOX.format(line="solid" if label else "dashed")}">{escape(label) or "&nbsp;"}</div>'


def _input(task: Task, batch: Batch) -> str:
    given = batch.inputs[: batch.lengths[0], 0]
    if task.image:
        rows, columns = task.image
        pixels = given.ravel()[: rows * columns]
        return f'<div class="image" style="--columns: {columns}">{"".join(_dot(ink) for ink in pixels)}</div>'
    if task.inputs == "values":
        return _bars(given[:, 0], *(_flagged(task, given, name) for name in ("mark", "hidden")))
    if "one_to_many" in task.rnn_types:
        given = given[:1]
    return _words(given, task.input_labels)


def _target(task: Task, batch: Batch) -> str:
    wanted = batch.targets[batch.mask[:, 0], 0]
    if task.outputs == "symbols":
        return _words(wanted, task.output_labels)
    if len(wanted) == 1:
        return f"<div>{wanted[0, 0]:.2f}</div>"
    return _bars(wanted[:, 0], *np.zeros((2, len(wanted)), bool))


def _flagged(task: Task, given: np.ndarray, name: str) -> np.ndarray:
    """The steps at which the channel of this name is on; none where there is no such channel."""
    return given[:, task.input_labels.index(name)] > 0 if name in task.input_labels else np.zeros(len(given), bool)


def _words(tokens: np.ndarray, labels: tuple[str, ...]) -> str:
    symbols = [symbol(labels[token]) for token in tokens if token >= 0]
    shown = symbols if len(symbols) <= MAX_SYMBOLS else [*symbols[:MAX_SYMBOLS], "…"]
    letters = max(map(len, labels)) == 1
    label = ("\u200b" if letters else " ").join(shown).replace("-", "\u2011")  # letters may wrap anywhere
    return f"<div>{escape(label)}</div>"


def _dot(ink: float) -> str:
    return f'<i style="opacity: {ink:.2f}"></i>'


def _bars(values: np.ndarray, marked: np.ndarray, hidden: np.ndarray) -> str:
    """One bar per step, the lowest value the shortest; marked steps stand out, hidden ones are left empty, and dots say
    that there are more."""
    more = "…" * (len(values) > MAX_BARS)
    values, marked, hidden = values[:MAX_BARS], marked[:MAX_BARS], hidden[:MAX_BARS]
    low, high = min(0.0, float(values.min())), float(values.max())
    heights = (values - low) / max(high - low, 1e-9)
    bars = (
        f'<i class="{"marked" * bool(m)}" style="height: {0 if unseen else 4 + 30 * h:.0f}px"></i>'
        for h, m, unseen in zip(heights, marked, hidden, strict=True)
    )
    return f'<div class="bars" style="min-width: 0">{"".join(bars)}{more}</div>'  # many bars are thinner
