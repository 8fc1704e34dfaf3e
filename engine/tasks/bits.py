"""Tasks on bits and blanks: XOR of two neighbours, parity, and copying after a pause."""

from __future__ import annotations

import math

import numpy as np

from engine.tasks.base import (
    NO_ANSWER,
    DataSettings,
    Lengths,
    Metric,
    Task,
    accuracy,
    answer_mask,
    beginnings,
    full_lengths,
)
from engine.tasks.batch import Batch
from engine.tasks.text_input import encode_symbols

BITS = ("0", "1")
COPIED = 3  # letters to repeat
ALPHABET = tuple("ABCDEFGH")
BLANK, GO = len(ALPHABET), len(ALPHABET) + 1  # tokens


def _parity(experiment: DataSettings, bits: np.ndarray) -> Batch:
    """A batch with a loss after every bit (many_to_many) or after the last bit only (many_to_one)."""
    return Batch(bits, bits.cumsum(0) % 2, answer_mask(experiment, *bits.shape), full_lengths(*bits.shape))


def _draw_parity(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    return _parity(experiment, rng.integers(0, 2, (experiment.seq_len, batch_size)))


PARITY = Task(
    slug="parity",
    family="Classics",
    title="Odd or even",
    teaches="One bit of memory, kept without error: is the count of ones odd (1)? Many to many asks after every bit, "
    "many to one only after the last.",
    source="Generated: uniform random bits.",
    rnn_types=("many_to_many", "many_to_one"),
    lengths=Lengths(2, 200, 20),
    inputs="symbols",
    outputs="symbols",
    input_labels=BITS,
    output_labels=BITS,
    metric=Metric("accuracy", accuracy),
    draw=_draw_parity,
    shorten=beginnings,
    baselines=lambda experiment: {"guessing": math.log(2)},
    lag=lambda experiment: experiment.seq_len - 1,
    answers=lambda experiment, inputs: _parity(experiment, inputs).targets,
    encode=lambda experiment, text: _parity(experiment, encode_symbols(text, BITS)[:, None]),
    asks="Bits; it should answer whether the count of ones is odd (1) or even (0)",
    example="0110100",
)


def _xor(bits: np.ndarray) -> Batch:
    targets = np.zeros_like(bits)
    targets[1:] = bits[1:] ^ bits[:-1]
    mask = np.ones(bits.shape, bool)
    mask[0] = False  # there is no earlier bit
    return Batch(bits, targets, mask, full_lengths(*bits.shape))


def _draw_xor(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    return _xor(rng.integers(0, 2, (experiment.seq_len, batch_size)))


XOR = Task(
    slug="xor",
    family="Classics",
    title="XOR in time",
    teaches="Why a state is needed: 1 if this bit differs from the one before, so one bit must be remembered.",
    source="Generated: uniform random bits.",
    rnn_types=("many_to_many",),
    lengths=Lengths(2, 200, 20),
    inputs="symbols",
    outputs="symbols",
    input_labels=BITS,
    output_labels=BITS,
    metric=Metric("accuracy", accuracy),
    draw=_draw_xor,
    shorten=beginnings,
    baselines=lambda experiment: {"guessing, or seeing one bit": math.log(2)},
    lag=lambda experiment: 1,
    answers=lambda experiment, inputs: _xor(inputs).targets,
    encode=lambda experiment, text: _xor(encode_symbols(text, BITS, minimum=2)[:, None]),
    asks="Bits; it should answer 1 where a bit differs from the one before",
    example="0110100",
)


def _draw_copy(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    """Letters, blanks, the GO symbol, then blanks while the letters are repeated in their order."""
    shape = experiment.seq_len, batch_size
    letters = rng.integers(0, len(ALPHABET), (COPIED, batch_size))
    inputs, targets, mask = np.full(shape, BLANK), np.zeros(shape, np.int64), np.zeros(shape, bool)
    inputs[:COPIED], targets[-COPIED:], mask[-COPIED:] = letters, letters, True
    inputs[-COPIED - 1] = GO
    return Batch(inputs, targets, mask, full_lengths(*shape))


def _copied(experiment: DataSettings, inputs: np.ndarray) -> np.ndarray:
    """The letters, at the end; NO_ANSWER for one that is none, and for all if what follows is no pause."""
    letters, pause = inputs[:COPIED], inputs[COPIED:]
    wanted = np.full((len(pause), 1), BLANK)
    wanted[-COPIED - 1] = GO
    targets = np.full_like(inputs, NO_ANSWER)
    targets[-COPIED:] = np.where((letters < BLANK) & (pause == wanted).all(0), letters, NO_ANSWER)
    return targets


COPY = Task(
    slug="copy",
    family="Classics",
    title="Copy after a pause",
    teaches="Hold and wait: three letters, a pause, then ▶ and the same letters in the same order.",
    source="Generated: uniform random letters (the copying memory problem, made short).",
    rnn_types=("many_to_many",),
    lengths=Lengths(2 * COPIED + 1, 200, 16),
    inputs="symbols",
    outputs="symbols",
    input_labels=(*ALPHABET, "·", "▶"),
    output_labels=ALPHABET,
    metric=Metric("accuracy", accuracy),
    draw=_draw_copy,
    baselines=lambda experiment: {"guessing": math.log(len(ALPHABET))},
    lag=lambda experiment: experiment.seq_len - COPIED,
    answers=_copied,
)
