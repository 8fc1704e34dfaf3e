"""Images of digits: they are those of the file, whole, in pieces and by name, and held out where they should be."""

from __future__ import annotations

import csv
import math
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import END, TASKS, sample
from engine.tasks import images as images_module

KINDS = {"digits": "one_to_one", "digits_by_row": "many_to_one", "digits_by_pixel": "many_to_one"}
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@cache
def lines() -> list[tuple[tuple[int, ...], int]]:
    """The file without pandas: (64 pixels, digit) of each of the 1797 images."""
    path = Path(images_module.__file__).parent / "data" / "digits.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [[int(value) for value in row] for row in csv.reader(file)]
    return [(tuple(row[:64]), row[64]) for row in rows]


def pixels(image: np.ndarray) -> tuple[int, ...]:
    """Back to the file's whole numbers."""
    values = image.ravel() * 16
    assert np.array_equal(values, values.round())
    return tuple(int(each) for each in values)


def test_the_file_holds_the_digits_of_thirteen_people():
    assert len(lines()) == 1797 and all(len(image) == 64 for image, _ in lines())
    assert {value for image, _ in lines() for value in image} == set(range(17))
    counts = Counter(digit for _, digit in lines())  # as UCI states for its test part
    assert [counts[digit] for digit in range(10)] == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert len({image for image, _ in lines()}) == 1797  # no image twice, so none on both sides of the split


@pytest.mark.parametrize("slug", [*KINDS, "digit_name"])
def test_the_last_360_images_are_held_out_and_all_others_are_dealt(slug):
    wanted = {"train": {image for image, _ in lines()[:1437]}, "test": {image for image, _ in lines()[1437:]}}
    e = Experiment(task=slug, rnn_type=TASKS[slug].rnn_types[0], batch_size=1)
    for split, images in wanted.items():
        inputs = sample(e, 20_000, 1, split).inputs
        shown = inputs[0, :, :64] if slug == "digit_name" else inputs.swapaxes(0, 1).reshape(20_000, 64)
        dealt = {pixels(image) for image in np.unique(shown, axis=0)}
        assert dealt == images


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_answer_is_the_digit_that_was_meant(split):
    meant = dict(lines())
    for slug, rnn_type in KINDS.items():
        batch = sample(Experiment(task=slug, rnn_type=rnn_type), 100, 1, split)
        assert batch.inputs.min() == 0 and batch.inputs.max() == 1
        for column in range(100):
            assert batch.targets[-1, column] == meant[pixels(batch.inputs[:, column])]


def test_rows_go_down_the_page_and_pixels_along_the_rows():
    by = {slug: sample(Experiment(task=slug, rnn_type=kind), 20, 1).inputs for slug, kind in KINDS.items()}
    for column in range(20):
        image = by["digits"][0, column].reshape(TASKS["digits"].image)
        for row in range(8):
            assert np.array_equal(by["digits_by_row"][row, column], image[row])
            assert np.array_equal(by["digits_by_pixel"][8 * row : 8 * row + 8, column, 0], image[row])
    assert TASKS["digits"].input_labels[8 * 2 + 5] == "row 3, column 6"


@pytest.mark.parametrize("slug", [*KINDS, "digit_name"])
def test_the_picture_is_in_the_first_channels(slug):
    rows, columns = TASKS[slug].image
    assert (rows, columns) == (8, 8)
    if slug in ("digits", "digit_name"):
        assert TASKS[slug].input_labels[:64] == TASKS["digits"].input_labels


def test_the_bar_is_the_cross_entropy_of_digit_frequencies():
    trained = Counter(digit for _, digit in lines()[:1437])
    surprise = [-math.log(trained[digit] / 1437) for _, digit in lines()[1437:]]
    for slug, rnn_type in KINDS.items():
        (bar,) = TASKS[slug].baselines(Experiment(task=slug, rnn_type=rnn_type)).values()
        assert bar == pytest.approx(sum(surprise) / 360, rel=1e-12)
        assert bar == pytest.approx(math.log(10), rel=1e-3)


# ---- shuffled


def test_shuffled_pixels_are_those_of_the_image_in_one_fixed_order():
    """The same for both splits, and for ever: another NumPy must not shuffle anew."""
    for split in ("train", "test"):
        shuffled, plain = (
            sample(Experiment(task=slug), 300, 1, split) for slug in ("digits_permuted", "digits_by_pixel")
        )
        order = images_module.SHUFFLED
        assert sorted(order.tolist()) == list(range(64)) and order[:8].tolist() == [45, 29, 43, 61, 34, 33, 31, 40]
        assert all(np.array_equal(shuffled.inputs[t], plain.inputs[place]) for t, place in enumerate(order))
        assert np.array_equal(shuffled.targets, plain.targets) and np.array_equal(shuffled.mask, plain.mask)


def test_neighbours_are_torn_apart():
    """On average two random places of 64 lie 65 / 3 apart; along the rows a neighbour to the right is 1 away."""
    step_of = np.argsort(images_module.SHUFFLED).reshape(8, 8)
    assert np.abs(np.diff(step_of, axis=1)).mean() > 15 and np.abs(np.diff(step_of, axis=0)).mean() > 15


# ---- by name


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_name_of_the_digit_is_spelled_and_ended(split):
    meant, letters = dict(lines()), TASKS["digit_name"].output_labels
    batch = sample(Experiment(task="digit_name", rnn_type="one_to_many"), 200, 1, split)
    spelled = set()
    for column in range(200):
        name = NAMES[meant[pixels(batch.inputs[0, column, :64])]]
        counted = batch.mask[:, column]
        assert [letters[each] for each in batch.targets[counted, column]] == [*name, END]
        assert counted.tolist() == [t <= len(name) for t in range(6)] and batch.lengths[column] == len(name) + 1
        spelled.add(name)
    assert spelled == set(NAMES)


def test_the_image_is_shown_once_and_no_letter_is_given_with_it():
    batch = sample(Experiment(task="digit_name", rnn_type="one_to_many"), 50, 1)
    assert batch.inputs[0, :, :64].any(axis=1).all() and not batch.inputs[1:, :, :64].any()
    assert not batch.inputs[0, :, 64:].any()
    assert TASKS["digit_name"].input_labels[64:] == TASKS["digit_name"].output_labels


def test_the_letters_are_those_of_the_ten_names():
    assert TASKS["digit_name"].output_labels == (*sorted(set("".join(NAMES))), END)


def test_half_a_name_is_no_name():
    batch = sample(Experiment(task="digit_name", rnn_type="one_to_many"), 8, 1)
    answers = np.eye(16)[batch.targets]
    answers[2, :2] = np.roll(answers[2, :2], 1, axis=-1)  # one wrong letter in two of eight names
    answers[-1, batch.lengths < 6] = np.eye(16)[3]  # behind the end nobody listens
    assert TASKS["digit_name"].metric.measure(batch, answers) == 0.75
