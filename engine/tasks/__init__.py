"""The catalogue of tasks: data, baselines, what each teaches. NumPy, no torch.

Adding a task is one `Task` in a family's file and one entry here; tests that loop over TASKS find it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.tasks.agreement import AGREEMENT, THEMSELVES
from engine.tasks.base import (
    END,
    HELD_OUT_SIZE,
    MOST_HELD_OUT,
    NO_SYMBOL,
    PROBE_SIZE,
    DataSettings,
    Lengths,
    Metric,
    Task,
    stream,
)
from engine.tasks.batch import Batch
from engine.tasks.bits import COPY, PARITY, XOR
from engine.tasks.bugs import read_with_bug
from engine.tasks.captions import CAPTION
from engine.tasks.chunks import WithWarmUp, without_warm_up
from engine.tasks.dates import DATES
from engine.tasks.entities import ENTITIES
from engine.tasks.formal_languages import COUNT, EMBEDDED_REBER, REBER_GRAMMAR
from engine.tasks.headlines import HEADLINE
from engine.tasks.images import DIGIT_NAME, DIGITS_AT_ONCE, DIGITS_BY_PIXEL, DIGITS_BY_ROW, DIGITS_PERMUTED
from engine.tasks.music import MELODY
from engine.tasks.next_character import CHARACTERS
from engine.tasks.next_word import NEXT_WORD
from engine.tasks.own import OWN_DATA, UnknownDataError, find, register
from engine.tasks.sentiment import SENTIMENT, TEDDY
from engine.tasks.series import STOCKS, SUNSPOTS
from engine.tasks.speech import SPEECH
from engine.tasks.synthetic import ADDING, FIRST_SYMBOL_RECALL, MULTIPLICATION, TEMPORAL_ORDER
from engine.tasks.transduction import ADDITION, REVERSE, SORT
from engine.tasks.translation import ENGLISH_FRENCH
from engine.tasks.unknown_words import has_unknown, hide_words
from engine.tasks.waves import GAP, SINE, TIMED_WAVE, UNTIMED_WAVE

__all__ = [
    "END",
    "NO_SYMBOL",
    "OWN_DATA",
    "PROBE_SIZE",
    "TASKS",
    "Batch",
    "Lengths",
    "Metric",
    "Task",
    "UnknownDataError",
    "draw",
    "held_out",
    "probe",
    "register",
    "sample",
    "task_named",
    "task_of",
]

TASKS: dict[str, Task] = {
    task.slug: task
    for task in (
        FIRST_SYMBOL_RECALL,
        ADDING,
        MULTIPLICATION,
        TEMPORAL_ORDER,
        COPY,
        PARITY,
        XOR,
        COUNT,
        REBER_GRAMMAR,
        EMBEDDED_REBER,
        CHARACTERS,
        NEXT_WORD,
        SENTIMENT,
        AGREEMENT,
        THEMSELVES,
        TEDDY,
        ENTITIES,
        SINE,
        STOCKS,
        SUNSPOTS,
        UNTIMED_WAVE,
        TIMED_WAVE,
        GAP,
        SPEECH,
        DIGITS_AT_ONCE,
        DIGITS_BY_ROW,
        DIGITS_BY_PIXEL,
        DIGITS_PERMUTED,
        MELODY,
        DIGIT_NAME,
        CAPTION,
        REVERSE,
        SORT,
        ADDITION,
        DATES,
        ENGLISH_FRENCH,
        HEADLINE,
    )
}


def task_named(name: str, options: Mapping[str, Any]) -> Task:
    """The task of this name: of the catalogue, or of somebody's own data, which the options name.

    Raises:
        UnknownDataError: for own data that are not in this process.
    """
    return find(options) if name == OWN_DATA else TASKS[name]


def task_of(settings: DataSettings) -> Task:
    """The task of these settings: of the catalogue, or of somebody's own data."""
    return settings.definition


def sample(experiment: DataSettings, batch_size: int, seed: int | tuple[int, ...], split: str = "train") -> Batch:
    """Draw a batch that depends on the experiment's data settings, the seed and the split alone.

    Where the vocabulary has a symbol for unknown words, some words of training sequences are hidden (`hide_words`).

    Args:
        seed: non-negative; a tuple gives independent streams, as (experiment.seed, step).
        split: "train" or "test"; the two never share a sequence of real data. With a carried state, held-out sequences
            are longer by the warm-up, in which no loss is counted.
    """
    return read_with_bug(experiment.bug, experiment.seq_len, draw(experiment, batch_size, seed, split))


def draw(experiment: DataSettings, batch_size: int, seed: int | tuple[int, ...], split: str = "train") -> Batch:
    """As `sample`, as it should be read, whatever bug the experiment has."""
    task = task_of(experiment)
    if split == "test" and experiment.warm_up:
        longer = task.draw(stream(seed, split), WithWarmUp(experiment), batch_size, split)
        return without_warm_up(longer, experiment.warm_up)
    batch = task.draw(stream(seed, split), experiment, batch_size, split)
    if experiment.shortest and task.shorten is not None:
        rng = stream(seed, "shortening")
        return task.shorten(rng, batch, rng.integers(experiment.shortest, experiment.seq_len + 1, batch_size))
    if split == "train" and has_unknown(task.input_labels):
        return hide_words(stream(seed, "hiding"), batch)
    return batch


def held_out(experiment: DataSettings) -> Batch:
    """The held-out sequences on which a run's loss and metric are judged; many more than figures draw."""
    if (chosen := task_of(experiment).held_out) is not None:
        if experiment.warm_up:  # with a carried state there is no bug
            return without_warm_up(chosen(WithWarmUp(experiment), MOST_HELD_OUT), experiment.warm_up)
        return read_with_bug(experiment.bug, experiment.seq_len, chosen(experiment, MOST_HELD_OUT))
    return sample(experiment, HELD_OUT_SIZE, (experiment.seed, 1), "test")


def probe(experiment: DataSettings) -> Batch:
    """The held-out batch of a run, the same from its first frame to its last."""
    return sample(experiment, PROBE_SIZE, (experiment.seed, 0), "test")
