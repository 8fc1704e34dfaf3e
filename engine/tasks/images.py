"""Tasks on images of handwritten digits: at once, by row or pixel, and spelled out."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import numpy as np

from engine.tasks.base import (
    END,
    DataSettings,
    Lengths,
    Metric,
    Task,
    accuracy,
    exact_match,
    first_informative,
    full_lengths,
    last_step_only,
)
from engine.tasks.batch import Batch
from engine.tasks.entropy import answer_baselines
from engine.tasks.tables import table

DIGITS_FILE = Path(__file__).parent / "data" / "digits.csv"
HELD_OUT = 360  # the last fifth of the 1797 images
SIDE = 8  # pixels
INK = 16.0  # the value of a black pixel in the file
DIGITS = tuple("0123456789")
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LETTERS = (*sorted(set("".join(NAMES))), END)
SPELLED_STEPS = max(map(len, NAMES)) + 1  # the longest name and END
PIXELS = tuple(f"row {row}, column {column}" for row in range(1, SIDE + 1) for column in range(1, SIDE + 1))
SHUFFLED = np.random.RandomState(0).permutation(SIDE * SIDE)  # legacy generator: NumPy guarantees its numbers
SOURCE = (
    "Real: 1,797 digits in the handwriting of 13 people, 8 × 8 pixels (E. Alpaydin and C. Kaynak, UCI, 1998). "
    "The last 360 are held out."
)


@cache
def digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    """(n, 64) float32, pixels row by row from 0 (paper) to 1 (ink), and (n,) int64, the labels."""
    rows = np.loadtxt(DIGITS_FILE, np.int64, delimiter=",")
    rows = rows[:-HELD_OUT] if split == "train" else rows[-HELD_OUT:]
    return (rows[:, :-1] / INK).astype(np.float32), rows[:, -1].copy()


def _draw_image(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    """Draw images cut into seq_len equal pieces: the whole image, 8 rows, or 64 pixels."""
    seq_len, (images, meant) = experiment.seq_len, digits(split)
    chosen = rng.integers(0, len(images), batch_size)
    pieces = images[chosen].reshape(batch_size, seq_len, -1).swapaxes(0, 1)  # (T, batch, 64 / T)
    targets = np.broadcast_to(meant[chosen], (seq_len, batch_size))
    return Batch(pieces, targets, last_step_only(seq_len, batch_size), full_lengths(seq_len, batch_size))


def _draw_shuffled(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    batch = _draw_image(rng, experiment, batch_size, split)
    return dataclasses.replace(batch, inputs=batch.inputs[SHUFFLED])


def _to_the_first_ink(experiment: DataSettings) -> int:
    """From the last pixel back to the first that is not white in most images: what is white in all decides nothing."""
    return experiment.seq_len - 1 - _first_ink()


@cache
def _first_ink() -> int:
    """The first pixel that tells the training images apart."""
    return first_informative(digits("train")[0].T)


@cache
def _digit_frequency_baseline() -> float:
    """Cross-entropy, in nats, of the held-out digits under the training digits' frequencies."""
    _, trained = digits("train")
    _, held_out = digits("test")
    return float(-np.log(np.bincount(trained) / len(trained))[held_out].mean())


def _digit_baselines(experiment: DataSettings) -> dict[str, float]:
    return {"knowing how common each digit is": _digit_frequency_baseline()}


DIGITS_AT_ONCE = Task(
    slug="digits",
    family="Images",
    title="Handwritten digit",
    teaches="No time at all: an image goes in, an answer comes out, and there is nothing to remember.",
    source=SOURCE,
    rnn_types=("one_to_one",),
    lengths=Lengths(1, 1, 1),
    inputs="values",
    outputs="symbols",
    input_labels=PIXELS,
    output_labels=DIGITS,
    metric=Metric("accuracy", accuracy),
    draw=_draw_image,
    baselines=_digit_baselines,
    lag=lambda experiment: 0,
    image=(SIDE, SIDE),
)

DIGITS_BY_ROW = dataclasses.replace(
    DIGITS_AT_ONCE,
    slug="digits_by_row",
    title="Digit, row by row",
    teaches="An image read like a page: eight rows from top to bottom, and the answer after the last.",
    rnn_types=("many_to_one",),
    lengths=Lengths(SIDE, SIDE, SIDE),
    input_labels=tuple(f"column {column}" for column in range(1, SIDE + 1)),
    lag=lambda experiment: experiment.seq_len - 1,
)

DIGITS_BY_PIXEL = dataclasses.replace(
    DIGITS_BY_ROW,
    slug="digits_by_pixel",
    title="Digit, pixel by pixel",
    teaches="The same image one pixel at a time: 64 steps, so the first pixels lie far back.",
    lengths=Lengths(SIDE * SIDE, SIDE * SIDE, SIDE * SIDE),
    input_labels=("ink",),
    lag=_to_the_first_ink,
)

DIGITS_PERMUTED = dataclasses.replace(
    DIGITS_BY_PIXEL,
    slug="digits_permuted",
    title="Digit, pixels shuffled",
    teaches="Pixel by pixel in one fixed, random order: neighbours are separated, so clues lie near or far.",
    draw=_draw_shuffled,
    lag=lambda experiment: experiment.seq_len - 1,  # the first of the shuffled pixels has ink
)


@cache
def spellings() -> tuple[np.ndarray, np.ndarray]:
    """Tokens (T, 10) int64 of every digit's name and END, 0 after END; and their mask, (T, 10) bool."""
    return table([[LETTERS.index(letter) for letter in (*name, END)] for name in NAMES], padding=0)


def seen_once(pictures: np.ndarray, targets: np.ndarray, mask: np.ndarray, symbols: int) -> Batch:
    """A batch whose sequences begin with a picture; from step 1 on each input is the symbol of the step before.

    Args:
        pictures: (batch, pixels) float32. targets: (T, batch) int64. mask: (T, batch) bool.
        symbols: how many there are.
    """
    pixels = pictures.shape[1]
    inputs = np.zeros((*targets.shape, pixels + symbols), np.float32)
    inputs[0, :, :pixels] = pictures
    inputs[1:, :, pixels:] = np.eye(symbols, dtype=np.float32)[targets[:-1]] * mask[1:, :, None]
    return Batch(inputs, targets, mask, mask.sum(0))


def _draw_name(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    images, meant = digits(split)
    chosen = rng.integers(0, len(images), batch_size)
    targets, mask = (every_name[:, meant[chosen]] for every_name in spellings())
    return seen_once(images[chosen], targets, mask, len(LETTERS))


@cache
def _name_baselines() -> dict[str, float]:
    """Over the ten names, weighted by how common the digits are among the training images."""
    _, trained = digits("train")
    by_place, by_letters = answer_baselines(*spellings(), np.bincount(trained) / len(trained))
    return {"how common each letter is, by place": by_place, "without looking at the image": by_letters}


DIGIT_NAME = Task(
    slug="digit_name",
    family="Images",
    title="Spell the digit",
    teaches="One input, many outputs: the image is shown once, then every letter is written from memory.",
    source=SOURCE,
    rnn_types=("one_to_many",),
    lengths=Lengths(SPELLED_STEPS, SPELLED_STEPS, SPELLED_STEPS),
    inputs="values",
    outputs="symbols",
    input_labels=(*PIXELS, *LETTERS),
    output_labels=LETTERS,
    metric=Metric("whole names right", exact_match),
    draw=_draw_name,
    baselines=lambda experiment: _name_baselines(),
    lag=lambda experiment: experiment.seq_len - 1,  # from the last letter of the longest name back to the image
    image=(SIDE, SIDE),
)
