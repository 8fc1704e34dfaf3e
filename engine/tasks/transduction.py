"""Symbols to symbols (sequence to sequence): reversal, sorting and addition."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np

from engine.tasks.base import END, NO_ANSWER, NO_SYMBOL, DataSettings, Lengths, Metric, Task, exact_match
from engine.tasks.batch import Batch
from engine.tasks.entropy import answer_baselines, conditional_entropy
from engine.tasks.tables import table
from engine.tasks.text_input import encode_symbols, source_batch

ALPHABET = tuple("ABCDEFGH")
MIN_LETTERS, MAX_LETTERS = 3, 20  # letters to reverse or sort
SORTED = (*ALPHABET, END)
DIGITS = tuple("0123456789")
ANSWER = (*DIGITS, END)
PAIRS = 100 * 100  # both numbers lie between 0 and 99
HELD_OUT = PAIRS // 5


def end_to_end(experiment: DataSettings) -> int:
    """The lag from the last step of the answer to the first step of the source."""
    return experiment.time_steps - 1


def previous(targets: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Decoder inputs, (target steps, batch): the previous target; NO_SYMBOL at the first step and in padding."""
    first = np.full((1, targets.shape[1]), NO_SYMBOL)
    return np.where(mask, np.concatenate([first, targets[:-1]]), NO_SYMBOL)


def _draw_letters(
    rng: np.random.Generator, experiment: DataSettings, batch_size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw letters (T, batch), lengths (batch,) and the mask of the real letters, (T, batch) bool."""
    seq_len = experiment.seq_len
    lengths = rng.integers(min(MIN_LETTERS, seq_len), seq_len + 1, batch_size)
    letters = rng.integers(0, len(ALPHABET), (seq_len, batch_size))
    return letters, lengths, np.arange(seq_len)[:, None] < lengths


def _draw_reverse(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    letters, lengths, mask = _draw_letters(rng, experiment, batch_size)
    t = np.arange(experiment.seq_len)[:, None]
    backwards = np.take_along_axis(letters, np.where(mask, lengths - 1 - t, 0), axis=0)
    targets = np.where(mask, backwards, 0)
    return Batch(np.where(mask, letters, NO_SYMBOL), targets, mask, lengths, previous(targets, mask))


def _reversed_letters(experiment: DataSettings, inputs: np.ndarray) -> np.ndarray:
    real, t = inputs != NO_SYMBOL, np.arange(len(inputs))[:, None]
    backwards = np.take_along_axis(inputs, np.where(real, real.sum(0) - 1 - t, 0), axis=0)
    return np.where(real, backwards, NO_ANSWER)


def _encode_reverse(experiment: DataSettings, text: str) -> Batch:
    letters = encode_symbols(text, ALPHABET, maximum=MAX_LETTERS)
    return source_batch(letters, len(letters))  # the answer is as long as the source and has no END


REVERSE = Task(
    slug="reverse",
    family="Sequence to sequence",
    title="Say it backwards",
    teaches="Read all, then answer: the letters come back in reverse. Without attention all pass through one state.",
    source="Generated: uniform random letters.",
    rnn_types=("encoder_decoder",),
    lengths=Lengths(2, MAX_LETTERS, 6),
    inputs="symbols",
    outputs="symbols",
    input_labels=ALPHABET,
    output_labels=ALPHABET,
    metric=Metric("whole answers right", exact_match),
    draw=_draw_reverse,
    baselines=lambda experiment: {"guessing": math.log(len(ALPHABET))},
    lag=end_to_end,
    target_steps=lambda experiment: experiment.seq_len,
    answers=_reversed_letters,
    encode=_encode_reverse,
    asks="Letters from A to H; it should write them backwards",
    example="BADGE",
)


def _draw_sort(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    letters, lengths, read = _draw_letters(rng, experiment, batch_size)
    targets = np.zeros((experiment.seq_len + 1, batch_size), np.int64)
    targets[:-1] = np.where(read, np.sort(np.where(read, letters, len(ALPHABET)), axis=0), 0)
    targets[lengths, np.arange(batch_size)] = SORTED.index(END)
    mask = np.arange(len(targets))[:, None] <= lengths
    return Batch(np.where(read, letters, NO_SYMBOL), targets, mask, lengths, previous(targets, mask))


@cache
def _sort_baseline(seq_len: int) -> dict[str, float]:
    """Exact loss per step. The t-th smallest of L letters is at most letter k if more than t letters are (binomial)."""
    lengths = range(min(MIN_LETTERS, seq_len), seq_len + 1)
    joint = np.zeros((seq_len + 1, len(SORTED)))  # probability of each position and symbol
    for length in lengths:
        share = 1 / len(lengths) / (length + 1)  # letters and END have equal weight within a sequence
        joint[length, SORTED.index(END)] += share
        for t in range(length):
            at_most = [
                sum(math.comb(length, n) * (k / 8) ** n * (1 - k / 8) ** (length - n) for n in range(t + 1, length + 1))
                for k in range(len(ALPHABET) + 1)
            ]
            joint[t, : len(ALPHABET)] += share * np.diff(at_most)
    place, symbol = np.indices(joint.shape)
    return {"how common each letter is, by place": conditional_entropy(place.ravel(), symbol.ravel(), joint.ravel())}


def _sorted_letters(experiment: DataSettings, inputs: np.ndarray) -> np.ndarray:
    """The letters in order, then END, whose token is the number of letters in the alphabet; so it sorts last."""
    read = inputs != NO_SYMBOL
    ends = np.full((1, inputs.shape[1]), SORTED.index(END))
    in_order = np.sort(np.concatenate([np.where(read, inputs, SORTED.index(END)), ends]), axis=0)
    return np.where(np.arange(len(in_order))[:, None] <= read.sum(0), in_order, NO_ANSWER)


def _encode_sort(experiment: DataSettings, text: str) -> Batch:
    letters = encode_symbols(text, ALPHABET, maximum=MAX_LETTERS)
    return source_batch(letters, len(letters) + 1)  # and END


SORT = replace(
    REVERSE,
    slug="sort",
    title="In alphabetical order",
    teaches="No letter can be written before all are read: the first of the answer may be the last one read.",
    output_labels=SORTED,
    draw=_draw_sort,
    baselines=lambda experiment: _sort_baseline(experiment.seq_len),
    target_steps=lambda experiment: experiment.seq_len + 1,
    answers=_sorted_letters,
    encode=_encode_sort,
    asks="Letters from A to H; it should write them in alphabetical order",
    example="BADGE",
)


@cache
def _sums() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All 10,000 sums, a + b in column 100 a + b: inputs and their mask, targets and their mask."""
    questions = [[ADDITION.input_labels.index(sign) for sign in f"{a}+{b}"] for a in range(100) for b in range(100)]
    answers = [[ANSWER.index(sign) for sign in (*str(a + b), END)] for a in range(100) for b in range(100)]
    return *table(questions, padding=NO_SYMBOL), *table(answers, padding=0)


@cache
def _pairs(split: str) -> np.ndarray:
    """The columns of `_sums` that belong to a split: a random fifth is held out."""
    shuffled = np.random.RandomState(0).permutation(PAIRS)  # legacy generator: NumPy guarantees its numbers
    return shuffled[HELD_OUT:] if split == "train" else shuffled[:HELD_OUT]


def _draw_addition(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    pairs = _pairs(split)
    chosen = pairs[rng.integers(0, len(pairs), batch_size)]
    inputs, read, targets, mask = (every_sum[:, chosen] for every_sum in _sums())
    return Batch(inputs, targets, mask, read.sum(0), previous(targets, mask))


@cache
def _sum_baselines() -> dict[str, float]:
    """Over all 10,000 sums."""
    _, _, targets, mask = _sums()
    by_place, by_digits = answer_baselines(targets, mask, np.full(PAIRS, 1 / PAIRS))
    return {"how common each digit is, by place": by_place, "without reading the question": by_digits}


def _sum(experiment: DataSettings, inputs: np.ndarray) -> np.ndarray:
    """The sum's digits and END; NO_ANSWER where the signs are no sum."""
    targets = np.full((ADDITION.target_steps(experiment), inputs.shape[1]), NO_ANSWER)
    for column, source in enumerate(inputs.T):
        first, _, second = "".join(ADDITION.input_labels[sign] for sign in source[source != NO_SYMBOL]).partition("+")
        if all(number.isdecimal() and len(number) < 3 for number in (first, second)):
            answer = [ANSWER.index(sign) for sign in (*str(int(first) + int(second)), END)]
            targets[: len(answer), column] = answer
    return targets


def _encode_addition(experiment: DataSettings, text: str) -> Batch:
    sign = ADDITION.input_labels.index("+")
    tokens = encode_symbols(text, ADDITION.input_labels, minimum=3, maximum=5)
    first, _, second = "".join(text.split()).partition("+")
    if (tokens == sign).sum() != 1 or not (0 < len(first) < 3 and 0 < len(second) < 3):
        raise ValueError(f"Two numbers from 0 to 99 with a + between can be read here, but got “{text.strip()}”.")
    return source_batch(tokens, ADDITION.target_steps(experiment))


ADDITION = Task(
    slug="addition",
    family="Sequence to sequence",
    title="Addition in writing",
    teaches="Arithmetic as translation: the question is read symbol by symbol, the sum is written digit by digit.",
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
    lag=end_to_end,
    target_steps=lambda experiment: 4,  # three digits and END
    answers=_sum,
    encode=_encode_addition,
    asks="A sum of two numbers from 0 to 99",
    example="47+85",
)
