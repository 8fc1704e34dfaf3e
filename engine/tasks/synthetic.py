"""Tasks that are made up so that their difficulty and their baseline are known exactly."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from engine.tasks.base import Batch, Lengths, Metric, Task, accuracy, full_lengths, last_step_only, within

if TYPE_CHECKING:
    from engine.experiment import Experiment

DIGITS = tuple("0123456789")


def _to_the_first_step(experiment: Experiment) -> int:
    return experiment.seq_len - 1


def _draw_first_symbol(rng: np.random.Generator, experiment: Experiment, batch_size: int, split: str) -> Batch:
    seq_len = experiment.seq_len
    digits = rng.integers(0, len(DIGITS), (seq_len, batch_size))
    targets = np.broadcast_to(digits[0], digits.shape)
    return Batch(digits, targets, last_step_only(seq_len, batch_size), full_lengths(seq_len, batch_size))


FIRST_SYMBOL_RECALL = Task(
    slug="first_symbol_recall",
    family="Classics",
    title="First digit",
    teaches="Long memory: the answer was said once, at the very beginning; all that follows only distracts.",
    source="Generated: uniform random digits.",
    rnn_types=("many_to_one",),
    lengths=Lengths(2, 1000, 40),
    inputs="symbols",
    outputs="symbols",
    input_labels=DIGITS,
    output_labels=DIGITS,
    metric=Metric("accuracy", accuracy),
    draw=_draw_first_symbol,
    baselines=lambda experiment: {"guessing": math.log(len(DIGITS))},
    lag=_to_the_first_step,
)


def _draw_adding(rng: np.random.Generator, experiment: Experiment, batch_size: int, split: str) -> Batch:
    seq_len, half, rows = experiment.seq_len, experiment.seq_len // 2, np.arange(batch_size)
    inputs = np.zeros((seq_len, batch_size, 2), np.float32)
    inputs[..., 0] = rng.random((seq_len, batch_size), np.float32)
    first, second = rng.integers(0, half, batch_size), rng.integers(half, seq_len, batch_size)
    inputs[first, rows, 1] = inputs[second, rows, 1] = 1
    total = inputs[first, rows, 0] + inputs[second, rows, 0]
    targets = np.broadcast_to(total[:, None], (seq_len, batch_size, 1))
    return Batch(inputs, targets, last_step_only(seq_len, batch_size), full_lengths(seq_len, batch_size))


ADDING = Task(
    slug="adding",
    family="Classics",
    title="Adding two numbers",
    teaches="Long memory for values: one number is marked in each half, the answer is their sum.",
    source="Generated: numbers between 0 and 1, two of them marked (Hochreiter and Schmidhuber's adding problem).",
    rnn_types=("many_to_one",),
    lengths=Lengths(2, 1000, 50),
    inputs="values",
    outputs="values",
    input_labels=("number", "mark"),
    output_labels=("sum",),
    metric=Metric("within 0.04", within(0.04)),
    draw=_draw_adding,
    baselines=lambda experiment: {"always saying 1": 1 / 6, "knowing one of the two": 1 / 12},
    lag=_to_the_first_step,
)
