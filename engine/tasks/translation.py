"""Tasks that read a whole sequence first and answer with another (sequence to sequence)."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from engine.tasks.base import END, NO_SYMBOL, Batch, Lengths, Metric, Task, exact_match
from engine.tasks.entropy import unasked
from engine.tasks.tables import table

if TYPE_CHECKING:
    from engine.experiment import Experiment

ALPHABET = tuple("ABCDEFGH")
SHORTEST = 3  # letters to be reversed
DIGITS = tuple("0123456789")
ANSWER = (*DIGITS, END)
PAIRS = 100 * 100  # both numbers lie between 0 and 99
HELD_OUT = PAIRS // 5


def _end_to_end(experiment: Experiment) -> int:
    """From the last step of the answer to the first of the question."""
    return experiment.time_steps - 1


def _previous(targets: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """What the decoder reads, (target steps, batch): the previous target; nothing at first, nor in the padding."""
    first = np.full((1, targets.shape[1]), NO_SYMBOL)
    return np.where(mask, np.concatenate([first, targets[:-1]]), NO_SYMBOL)


def _draw_reverse(rng: np.random.Generator, experiment: Experiment, batch_size: int, split: str) -> Batch:
    seq_len = experiment.seq_len
    lengths = rng.integers(min(SHORTEST, seq_len), seq_len + 1, batch_size)
    letters = rng.integers(0, len(ALPHABET), (seq_len, batch_size))
    t = np.arange(seq_len)[:, None]
    mask = t < lengths
    backwards = np.take_along_axis(letters, np.where(mask, lengths - 1 - t, 0), axis=0)
    targets = np.where(mask, backwards, 0)
    return Batch(np.where(mask, letters, NO_SYMBOL), targets, mask, lengths, _previous(targets, mask))


REVERSE = Task(
    slug="reverse",
    family="Sequence to sequence",
    title="Say it backwards",
    teaches="Read all, then speak: the letters come back in reverse, and all of them pass through one state.",
    source="Generated: uniform random letters.",
    rnn_types=("encoder_decoder",),
    lengths=Lengths(2, 20, 6),
    inputs="symbols",
    outputs="symbols",
    input_labels=ALPHABET,
    output_labels=ALPHABET,
    metric=Metric("whole answers right", exact_match),
    draw=_draw_reverse,
    baselines=lambda experiment: {"guessing": math.log(len(ALPHABET))},
    lag=_end_to_end,
    target_steps=lambda experiment: experiment.seq_len,
)


@cache
def _sums() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All 10,000 sums, that of a + b in column 100 a + b: inputs and where they are, targets and where they are."""
    questions = [[ADDITION.input_labels.index(sign) for sign in f"{a}+{b}"] for a in range(100) for b in range(100)]
    answers = [[ANSWER.index(sign) for sign in (*str(a + b), END)] for a in range(100) for b in range(100)]
    return *table(questions, padding=NO_SYMBOL), *table(answers, padding=0)


@cache
def _pairs(split: str) -> np.ndarray:
    """The columns of `_sums` that belong to a split."""
    shuffled = np.random.RandomState(0).permutation(PAIRS)  # of the legacy kind: NumPy keeps its numbers for ever
    return shuffled[HELD_OUT:] if split == "train" else shuffled[:HELD_OUT]


def _draw_addition(rng: np.random.Generator, experiment: Experiment, batch_size: int, split: str) -> Batch:
    pairs = _pairs(split)
    chosen = pairs[rng.integers(0, len(pairs), batch_size)]
    inputs, read, targets, mask = (every_sum[:, chosen] for every_sum in _sums())
    return Batch(inputs, targets, mask, read.sum(0), _previous(targets, mask))


@cache
def _sum_baselines() -> dict[str, float]:
    """Over all 10,000 sums."""
    _, _, targets, mask = _sums()
    by_place, by_digits = unasked(targets, mask, np.full(PAIRS, 1 / PAIRS))
    return {"how common each digit is, by place": by_place, "without reading the question": by_digits}


ADDITION = Task(
    slug="addition",
    family="Sequence to sequence",
    title="Addition in writing",
    teaches="Reckoning as translation: the question is read sign by sign, the sum is written digit by digit.",
    source="Generated: all 10,000 sums of two numbers from 0 to 99. A random fifth of them is held out.",
    rnn_types=("encoder_decoder",),
    lengths=Lengths(5, 5, 5),
    inputs="symbols",
    outputs="symbols",
    input_labels=(*DIGITS, "+"),
    output_labels=ANSWER,
    metric=Metric("whole answers right", exact_match),
    draw=_draw_addition,
    baselines=lambda experiment: _sum_baselines(),
    lag=_end_to_end,
    target_steps=lambda experiment: 4,  # three digits and END
)
