"""Synthetic tasks, whose difficulty and baselines are known exactly."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from engine.tasks.base import (
    NO_ANSWER,
    DataSettings,
    Lengths,
    Metric,
    Task,
    accuracy,
    beginnings,
    full_lengths,
    last_step_only,
    within,
)
from engine.tasks.batch import Batch
from engine.tasks.text_input import encode_symbols

DIGITS = tuple("0123456789")
RELEVANT, DISTRACTORS = ("X", "Y"), ("a", "b", "c", "d")
TOLERANCE = 0.04  # an answer this near counts as right (Hochreiter and Schmidhuber 1997)


def _to_the_first_step(experiment: DataSettings) -> int:
    return experiment.seq_len - 1


def _one_answer(symbols: np.ndarray, answers: np.ndarray) -> Batch:
    """Symbols (T, batch) with one answer each, (batch,), with the loss at the last step."""
    return Batch(
        symbols, np.broadcast_to(answers, symbols.shape), last_step_only(*symbols.shape), full_lengths(*symbols.shape)
    )


def _draw_first_symbol(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    digits = rng.integers(0, len(DIGITS), (experiment.seq_len, batch_size))
    return _one_answer(digits, digits[0])


def _encode_first_symbol(experiment: DataSettings, text: str) -> Batch:
    digits = encode_symbols(text, DIGITS)[:, None]
    return _one_answer(digits, digits[0])


FIRST_SYMBOL_RECALL = Task(
    slug="first_symbol_recall",
    family="Classics",
    title="First digit",
    teaches="Long memory: the answer is the very first symbol; all that follows only distracts.",
    source="Generated: uniform random digits.",
    rnn_types=("many_to_one",),
    lengths=Lengths(2, 1000, 40),
    inputs="symbols",
    outputs="symbols",
    input_labels=DIGITS,
    output_labels=DIGITS,
    metric=Metric("accuracy", accuracy),
    draw=_draw_first_symbol,
    shorten=beginnings,
    baselines=lambda experiment: {"guessing": math.log(len(DIGITS))},
    lag=_to_the_first_step,
    answers=lambda experiment, inputs: np.broadcast_to(inputs[0], inputs.shape),
    encode=_encode_first_symbol,
    asks="Digits; it should answer with the first",
    example="7294038115",
)


def _draw_marked(rng: np.random.Generator, experiment: DataSettings, batch_size: int) -> tuple[np.ndarray, ...]:
    """Draw numbers and marks (T, batch, 2); also returns the two marked numbers, (batch,) each."""
    seq_len, half, rows = experiment.seq_len, experiment.seq_len // 2, np.arange(batch_size)
    inputs = np.zeros((seq_len, batch_size, 2), np.float32)
    inputs[..., 0] = rng.random((seq_len, batch_size), np.float32)
    first, second = rng.integers(0, half, batch_size), rng.integers(half, seq_len, batch_size)
    inputs[first, rows, 1] = inputs[second, rows, 1] = 1
    return inputs, inputs[first, rows, 0], inputs[second, rows, 0]


def _one_value(inputs: np.ndarray, answers: np.ndarray) -> Batch:
    """Inputs (T, batch, channels) with one number each, (batch,), with the loss at the last step."""
    shape = inputs.shape[:2]
    targets = np.broadcast_to(answers[:, None], (*shape, 1))
    return Batch(inputs, targets, last_step_only(*shape), full_lengths(*shape))


def _marked(batch: Batch) -> np.ndarray:
    """(T, batch, 1): at every step the number that is marked in the first half."""
    first = (batch.inputs[..., 1] > 0).argmax(0)
    number = batch.inputs[first, np.arange(len(first)), 0]
    return np.broadcast_to(number[:, None], batch.targets.shape)


def _marked_within(rng: np.random.Generator, batch: Batch, lengths: np.ndarray) -> tuple[Batch, np.ndarray, np.ndarray]:
    """The same numbers, of each sequence as many as its length, marked anew in either half; and the marked ones."""
    steps, rows = np.arange(len(batch.mask))[:, None], np.arange(len(lengths))
    inputs = np.zeros_like(batch.inputs)
    inputs[..., 0] = batch.inputs[..., 0] * (steps < lengths)
    first, second = rng.integers(0, lengths // 2), rng.integers(lengths // 2, lengths)
    inputs[first, rows, 1] = inputs[second, rows, 1] = 1
    marked = Batch(inputs, batch.targets, steps == lengths - 1, lengths)
    return marked, inputs[first, rows, 0], inputs[second, rows, 0]


def _draw_adding(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    inputs, first, second = _draw_marked(rng, experiment, batch_size)
    return _one_value(inputs, first + second)


def _shorten_adding(rng: np.random.Generator, batch: Batch, lengths: np.ndarray) -> Batch:
    batch, first, second = _marked_within(rng, batch, lengths)
    return replace(batch, targets=np.broadcast_to((first + second)[:, None], batch.targets.shape))


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
    metric=Metric("within 0.04", within(TOLERANCE)),
    draw=_draw_adding,
    shorten=_shorten_adding,
    baselines=lambda experiment: {"always saying 1": 1 / 6, "knowing one of the two": 1 / 12},
    simple_answers=lambda experiment, batch: {
        "always saying 1": np.ones_like(batch.targets),
        "knowing one of the two": _marked(batch) + 0.5,
    },
    lag=_to_the_first_step,
)


def _draw_multiplication(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    inputs, first, second = _draw_marked(rng, experiment, batch_size)
    return _one_value(inputs, first * second)


def _shorten_multiplication(rng: np.random.Generator, batch: Batch, lengths: np.ndarray) -> Batch:
    batch, first, second = _marked_within(rng, batch, lengths)
    return replace(batch, targets=np.broadcast_to((first * second)[:, None], batch.targets.shape))


MULTIPLICATION = Task(
    slug="multiplication",
    family="Classics",
    title="Multiply two numbers",
    teaches="Long memory for values: one number is marked in each half, the answer is their product.",
    source="Generated: numbers between 0 and 1, two of them marked (Hochreiter and Schmidhuber's multiplication).",
    rnn_types=("many_to_one",),
    lengths=Lengths(2, 1000, 50),
    inputs="values",
    outputs="values",
    input_labels=("number", "mark"),
    output_labels=("product",),
    metric=Metric("within 0.04", within(TOLERANCE)),
    draw=_draw_multiplication,
    shorten=_shorten_multiplication,
    # The variance of the product, and the error of answering x/2 when only x is known: E[x²] Var[y].
    baselines=lambda experiment: {"always saying 1/4": 1 / 9 - 1 / 16, "knowing one of the two": 1 / 3 / 12},
    simple_answers=lambda experiment, batch: {
        "always saying 1/4": np.full_like(batch.targets, 0.25),
        "knowing one of the two": _marked(batch) / 2,
    },
    lag=_to_the_first_step,
)


def _draw_order(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    seq_len, columns = experiment.seq_len, np.arange(batch_size)
    symbols = rng.integers(len(RELEVANT), len(RELEVANT) + len(DISTRACTORS), (seq_len, batch_size))
    first, second = rng.integers(0, len(RELEVANT), (2, batch_size))
    symbols[rng.integers(seq_len // 10, 2 * seq_len // 10, batch_size), columns] = first
    symbols[rng.integers(5 * seq_len // 10, 6 * seq_len // 10, batch_size), columns] = second
    return _one_answer(symbols, len(RELEVANT) * first + second)


def _order(experiment: DataSettings, symbols: np.ndarray) -> np.ndarray:
    """The class of the two relevant symbols; NO_ANSWER where there are not two."""
    relevant, columns = symbols < len(RELEVANT), np.arange(symbols.shape[1])
    first, last = relevant.argmax(0), len(symbols) - 1 - relevant[::-1].argmax(0)
    answers = len(RELEVANT) * symbols[first, columns] + symbols[last, columns]
    return np.broadcast_to(np.where(relevant.sum(0) == 2, answers, NO_ANSWER), symbols.shape)


def _encode_order(experiment: DataSettings, text: str) -> Batch:
    symbols = encode_symbols(text, TEMPORAL_ORDER.input_labels)
    relevant = symbols[symbols < len(RELEVANT)]
    if len(relevant) != 2:
        raise ValueError(f"Exactly two of the letters must be X or Y, but got {len(relevant) or 'none'}.")
    first, second = relevant
    return _one_answer(symbols[:, None], np.array([len(RELEVANT) * first + second]))


TEMPORAL_ORDER = Task(
    slug="temporal_order",
    family="Classics",
    title="Which came first?",
    teaches="Order over a distance: only two symbols matter, each X or Y, and which of them came first.",
    source="Generated: uniform random letters (Hochreiter and Schmidhuber's temporal order, with four classes).",
    rnn_types=("many_to_one",),
    lengths=Lengths(10, 1000, 30),
    inputs="symbols",
    outputs="symbols",
    input_labels=(*RELEVANT, *DISTRACTORS),
    output_labels=tuple(first + second for first in RELEVANT for second in RELEVANT),
    metric=Metric("accuracy", accuracy),
    draw=_draw_order,
    baselines=lambda experiment: {"guessing": math.log(4), "knowing one of the two": math.log(2)},
    lag=lambda experiment: experiment.seq_len - 1 - experiment.seq_len // 10,  # the earliest place of the first
    answers=_order,
    encode=_encode_order,
    asks="Letters a to d with two X or Y among them; it should answer with those two",
    example="abcXdbacadbYcabdac",
)
