"""A small image of a task: the input and the target of one probe sequence, as HTML."""

from __future__ import annotations

from html import escape

import numpy as np

from app.experiment_cache import cached_by_experiment
from app.figures import channels
from app.figures.theme import symbol
from engine.experiment import Experiment
from engine.tasks import Batch, Task, probe, task_of

MAX_SYMBOLS, MAX_BARS = 14, 50
GRID_WIDTH, LETTER_WIDTH, BOX_MARGIN = 158, 7.5, 7  # pixels: of two aligned rows, of a letter, of the box around it
BOX = "border: 1px {line} color-mix(in srgb, currentColor 35%, transparent); border-radius: 3px; text-align: center"


@cached_by_experiment(maxsize=256)  # enough for every lesson and the networks on the screen
def thumbnail(experiment: Experiment) -> str:
    """Input and target of one held-out sequence: with an arrow between them, or step by step if most have a target."""
    task, batch = task_of(experiment), probe(experiment)
    if _answers_as_it_reads(experiment, batch):
        return f'<div class="thumbnail">{_in_time(task, batch)}</div>'
    return f'<div class="thumbnail">{_input(experiment, batch)}<b>→</b>{_target(task, batch)}</div>'


def _answers_as_it_reads(experiment: Experiment, batch: Batch) -> bool:
    """True if a symbol is read and another is the target at most steps: they must then be drawn aligned."""
    task = task_of(experiment)
    count = int(batch.mask[:, 0].sum())
    return experiment.rnn_type == "many_to_many" and task.inputs == task.outputs == "symbols" and (
        2 * count > batch.lengths[0]
    )  # fmt: skip


def _in_time(task: Task, batch: Batch) -> str:
    """Two rows, a column per step: the input, with an empty box if there is none yet, and the target."""
    steps: list[tuple[str, str | None]] = []
    width = 0.0
    for t in range(length := int(batch.lengths[0])):
        token = int(batch.inputs[t, 0])
        read = symbol(task.input_labels[token]) if token >= 0 else ""
        target = symbol(task.output_labels[int(batch.targets[t, 0])]) if batch.mask[t, 0] else None
        width += LETTER_WIDTH * max(1, len(read), len(target or "")) + BOX_MARGIN
        if steps and width > GRID_WIDTH:
            break
        steps.append((read, target))
    more = ["…"] * (len(steps) < length)
    inputs = [_box(read) for read, _ in steps] + more
    targets = [_box(target) for _, target in steps] + more
    cells = ["in", *inputs, "out", *targets]
    columns = f"display: grid; grid-template-columns: repeat({len(cells) // 2}, auto); gap: 3px; align-items: center"
    return f'<div style="{columns}">{"".join(cell if cell[0] == "<" else f"<b>{cell}</b>" for cell in cells)}</div>'


def _box(label: str | None) -> str:
    """A symbol in its box; a dashed box if there is no input, no box if there is no target."""
    if label is None:
        return "<i></i>"
    return f'<div style="{BOX.format(line="solid" if label else "dashed")}">{escape(label) or "&nbsp;"}</div>'


def _input(experiment: Experiment, batch: Batch) -> str:
    task = task_of(experiment)
    given = batch.inputs[: batch.lengths[0], 0]
    if task.image:
        rows, columns = task.image
        pixels = given.ravel()[: rows * columns]
        return f'<div class="image" style="--columns: {columns}">{"".join(_dot(ink) for ink in pixels)}</div>'
    if task.inputs == "values":
        return _bars(given[:, 0], *(_flagged(experiment, given, name) for name in (channels.MARK, channels.HIDDEN)))
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


def _flagged(experiment: Experiment, given: np.ndarray, name: str) -> np.ndarray:
    """The steps at which this sign is on; none if there is no such channel."""
    channel = channels.sign(experiment, name)
    return np.zeros(len(given), bool) if channel is None else given[:, channel] > 0


def _words(tokens: np.ndarray, labels: tuple[str, ...]) -> str:
    symbols = [symbol(labels[token]) for token in tokens if token >= 0]
    shown = symbols if len(symbols) <= MAX_SYMBOLS else [*symbols[:MAX_SYMBOLS], "…"]
    letters = max(map(len, labels)) == 1
    label = ("\u200b" if letters else " ").join(shown).replace("-", "\u2011")  # letters may wrap anywhere
    return f"<div>{escape(label)}</div>"


def _dot(ink: float) -> str:
    return f'<i style="opacity: {ink:.2f}"></i>'


def _bars(values: np.ndarray, marked: np.ndarray, hidden: np.ndarray) -> str:
    """One bar per step, the lowest value the shortest; marked steps stand out, hidden ones are empty, … means more."""
    more = "…" * (len(values) > MAX_BARS)
    values, marked, hidden = values[:MAX_BARS], marked[:MAX_BARS], hidden[:MAX_BARS]
    low, high = min(0.0, float(values.min())), float(values.max())
    heights = (values - low) / max(high - low, 1e-9)
    bars = (
        f'<i class="{"marked" * bool(m)}" style="height: {0 if unseen else 4 + 30 * h:.0f}px"></i>'
        for h, m, unseen in zip(heights, marked, hidden, strict=True)
    )
    return f'<div class="bars" style="min-width: 0">{"".join(bars)}{more}</div>'  # many bars are thinner
